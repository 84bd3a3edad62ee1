"""Parameter maps of each visit, and the reference tissue that ratios are taken against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..imaging.midline import find_midline
from ..imaging.reference import contralateral_white_matter
from ..imaging.resampling import resample
from ..lesion.statistics import region_statistics
from ..measures import Image, InputError, Map, Message, Series
from ..patient.folder import RATIO_MAP_FIELDS
from . import Analysis, asl_maps, dsc_maps
from .aligning import visit_to_visit
from .map_estimates import WEIGHED_BY, refusal, under, weighed
from .overlaps import TISSUE, RegionOverlaps, overlaps_of
from .placing import image_on_visit, map_to_visit, read_time_series
from .reading import lesion_of, unsay, voxels_of, warn

GIVEN_MAPS = ("rCBV", "sRCBV", "CBF", "Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area", "APTw", "ADC")
# Of maps made elsewhere whose sidecar does not say it; all others are ratios.
UNIT_UNKNOWN = "unknown"
UNSAID_UNITS = {"CBF": UNIT_UNKNOWN, "ADC": UNIT_UNKNOWN, "APTw": UNIT_UNKNOWN, "sRCBV": "standardised"}
WITHOUT_VALUE = "reference_without_value"


@dataclass(frozen=True)
class Ratio:
    """A map over its mean in the reference tissue: name, unit, and what one stands for in that unit."""

    name: str
    unit: str = "1"
    scale: float = 1.0


# Measured as ratio to the reference tissue in the same visit.
TO_REFERENCE = {
    "rCBV": Ratio("rCBV_ratio"),
    "rCBV_uncorrected": Ratio("rCBV_uncorrected_ratio"),
    "CBF": Ratio("CBF_ratio"),
    "rCBF": Ratio("rCBF_ratio"),
    "PSR": Ratio("rPSR", "%", 100.0),
    "PH": Ratio("rPH"),
}


def make_maps(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Maps from the visit's perfusion series, and the maps that were made elsewhere as they are.

    A perfusion series that cannot be used stops nothing: ``absent`` says why its map is not there. Only then a finished
    map of the same name is used.
    """
    tell = progress or (lambda share: None)
    visit = analysis.patient.visit(visit_id)
    made = (*dsc_maps.NAMES, *asl_maps.NAMES)
    for name in (*made, *(TO_REFERENCE[name].name for name in made if name in TO_REFERENCE), "rCBV_response"):
        analysis.maps.pop((visit_id, name), None)
        analysis.absent.pop((visit_id, name), None)
    for role, name, make in (("DSC", "rCBV", dsc_maps.make_dsc_maps), ("ASL", "CBF", asl_maps.make_asl_maps)):
        series = visit.of_role(role)
        if series is None:
            continue
        try:
            voxels = read_time_series(analysis, visit_id, series, lambda share: tell(0.8 * share), cancelled)
            make(analysis, visit_id, series, voxels, lambda share: tell(0.8 + 0.2 * share), cancelled)
        except InputError as error:
            reasons = (Message("map_not_made", {"visit": visit_id, "role": role}), error.message)
            warn(analysis, visit_id, *reasons)
            analysis.absent[visit_id, TO_REFERENCE[name].name] = reasons
    for series in visit.series:
        if series.role in GIVEN_MAPS:
            if (visit_id, series.role) in analysis.maps:
                warn(analysis, visit_id, Message("map_given_and_computed", {"name": series.role}))
                continue
            analysis.maps[visit_id, series.role] = _given_map(analysis, series)
            analysis.series_to_visit[visit_id, series.role] = map_to_visit(analysis, visit_id, series)
            if series.role in TO_REFERENCE:
                analysis.absent.pop((visit_id, TO_REFERENCE[series.role].name), None)


def _given_map(analysis: Analysis, series: Series) -> Map:
    """A map that was made elsewhere, with what its sidecar says about it. A molar ratio map is only ever measured as
    molar when the sidecar says so."""
    image = voxels_of(analysis, series)
    fields = series.acquisition
    values = image.array.astype(np.float32)
    flags: tuple[Message, ...] = ()
    if series.role.startswith("Cho_") and any(name not in fields for name in RATIO_MAP_FIELDS):
        flags = (Message("ratio_map_origin_unknown", {"name": series.role}),)
    elif series.role.startswith("Cho_") and str(fields["RatioKind"]).lower() != series.role.rpartition("_")[2]:
        flags = (Message("ratio_map_kind_differs", {"name": series.role, "kind": str(fields["RatioKind"])}),)
    quality = np.isfinite(values) & (values != 0)
    return Map(
        np.where(quality, values, np.nan),
        image.affine,
        name=series.role,
        unit=str(fields.get("Units", UNSAID_UNITS.get(series.role, "1"))),
        method=", ".join([str(fields.get("Method", "made elsewhere")), *_said_of_spectra(series)]),
        quality=quality,
        flags=flags,
    )


def _said_of_spectra(series: Series) -> list[str]:
    """Echo time and field of a metabolite map's spectra, where its sidecar says them."""
    if not series.role.startswith("Cho_"):
        return []
    echo_time, field = (series.acquisition.get(name) for name in ("EchoTime", "MagneticFieldStrength"))
    said = [f"TE {1000 * echo_time:.0f} ms"] if isinstance(echo_time, float | int) else []
    return said + ([f"{field:g} T"] if isinstance(field, float | int) else [])


def find_reference_tissue(analysis: Analysis, visit_id: str) -> None:
    """The reference tissue as the user drew it, or white matter opposite to the lesion; absent with its reason."""
    drawn = [
        analysis.regions[visit_id, region.name]
        for region in analysis.patient.regions
        if region.visit == visit_id and region.purpose == "reference"
    ]
    if drawn:
        analysis.references[visit_id] = Image(np.logical_or.reduce([mask.array for mask in drawn]), drawn[0].affine)
        return
    anatomy = analysis.images[visit_id, "T1CE"]
    brain = analysis.brains[visit_id]
    lesion = lesion_of(analysis, visit_id)
    if lesion is None:
        lesion = _carried_lesion(analysis, visit_id)
    if lesion is None:
        warn(analysis, visit_id, Message("reference_needs_lesion", {"visit": visit_id}))
        return
    flair = image_on_visit(analysis, visit_id, "FLAIR")
    midline = find_midline(anatomy, brain, exclude=lesion)
    analysis.midlines[visit_id] = midline
    reference, flags = contralateral_white_matter(anatomy, brain, lesion, midline, flair=flair)
    warn(analysis, visit_id, *flags)
    if reference.array.any():
        analysis.references[visit_id] = reference


def _carried_lesion(analysis: Analysis, visit_id: str) -> np.ndarray | None:
    """Carried lesions of earlier visits on this visit's T1CE grid: where to look away from."""
    order = [visit.id for visit in analysis.patient.visits]
    anatomy = analysis.images[visit_id, "T1CE"]
    masks = []
    for region in analysis.patient.regions:
        earlier = order.index(region.visit) < order.index(visit_id)
        drawn = analysis.regions.get((region.visit, region.name))
        if region.carried and region.purpose == "lesion" and earlier and drawn is not None:
            to_here = visit_to_visit(analysis, region.visit, visit_id)
            masks.append(resample(drawn, anatomy, to_here, interpolation="nearest").array > 0)
    return np.logical_or.reduce(masks) if masks else None


def make_ratio_maps(analysis: Analysis, visit_id: str) -> None:
    """Maps that have a meaning only as ratio to the reference tissue, divided by its mean in the same visit.

    Without reference tissue, or where too little of it can be trusted, there is none, not one of before either;
    ``absent`` says why.
    """
    reference = analysis.references.get(visit_id)
    overlaps = None if reference is None else overlaps_of(analysis, visit_id, TISSUE, reference)
    _forget_reasons(analysis, visit_id)
    for name, ratio in TO_REFERENCE.items():
        key, values = (visit_id, ratio.name), analysis.maps.get((visit_id, name))
        mean, why_not = (
            (None, ()) if overlaps is None or values is None else _in_tissue(analysis, visit_id, overlaps, name)
        )
        if why_not:
            reasons = (Message(WITHOUT_VALUE, {"visit": visit_id, "name": name}), *why_not)
            warn(analysis, visit_id, *reasons)
            analysis.absent[key] = reasons
        if mean is None:
            analysis.maps.pop(key, None)
            continue
        analysis.maps[key] = Map(
            values.array * np.float32(ratio.scale / mean),
            values.affine,
            name=ratio.name,
            unit=ratio.unit,
            method=f"{values.method}; over the mean of the reference tissue",
            quality=values.quality,
            flags=values.flags,
        )
        analysis.series_to_visit[key] = analysis.series_to_visit[visit_id, name]


def forget_ratios(analysis: Analysis, visit_id: str) -> None:
    """Takes the ratios of a visit away, and why some could not be made, where it has no reference tissue any more."""
    for ratio in TO_REFERENCE.values():
        analysis.maps.pop((visit_id, ratio.name), None)
    _forget_reasons(analysis, visit_id)


def _forget_reasons(analysis: Analysis, visit_id: str) -> None:
    """Takes away why ratios could not be made, and what was said of it: each stroke would leave a remark."""
    for ratio in TO_REFERENCE.values():
        reasons = analysis.absent.get((visit_id, ratio.name), ())
        if [reason.code for reason in reasons][:1] == [WITHOUT_VALUE]:
            del analysis.absent[visit_id, ratio.name]
            unsay(analysis, visit_id, *(reason.code for reason in reasons))


def _in_tissue(
    analysis: Analysis, visit_id: str, overlaps: RegionOverlaps, name: str
) -> tuple[float | None, tuple[Message, ...]]:
    """The mean of a map in the reference tissue; None with the reasons where it is none that everything of the visit
    could be divided by."""
    values = analysis.maps[visit_id, name]
    touched = overlaps.on(values, np.linalg.inv(analysis.series_to_visit[visit_id, name]))
    inside = under(values, touched.index)
    tissue = region_statistics(inside.array, touched.weights, values.voxel_volume, inside.quality)
    why_not = (*tissue.flags, *refusal(tissue)) if tissue.mean is None else refusal(tissue)
    weigh = analysis.maps.get((visit_id, WEIGHED_BY.get(name, "")))
    if weigh is not None and not why_not:
        shares = weighed(touched.weights, under(weigh, touched.index))
        tissue = region_statistics(inside.array, shares, values.voxel_volume, inside.quality)
        why_not = tissue.flags if tissue.mean is None else ()
    if not why_not and not tissue.mean > 0:
        why_not = (Message("reference_not_positive", {"mean": f"{tissue.mean:.3g}"}),)
    return (None, why_not) if why_not else (tissue.mean, ())
