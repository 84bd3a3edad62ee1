"""Parameter maps of each visit, and the reference tissue that ratios are taken against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.midline import find_midline
from ..imaging.reference import contralateral_white_matter
from ..imaging.resampling import overlap_weights, resample
from ..lesion.statistics import region_statistics
from ..measures import Image, InputError, Map, Message, Series
from ..patient.folder import RATIO_MAP_FIELDS
from ..perfusion.dsc import relative_cbv
from . import Analysis
from .aligning import visit_to_visit
from .reading import lesion_of, voxels_of, warn

GIVEN_MAPS = ("rCBV", "CBF", "Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area", "APTw", "ADC")
# Measured as ratio to the reference tissue in the same visit.
TO_REFERENCE = {"rCBV": "rCBV_ratio", "CBF": "CBF_ratio"}


def make_maps(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """rCBV from the visit's DSC series, and the maps that were made elsewhere as they are."""
    visit = analysis.patient.visit(visit_id)
    dsc = visit.of_role("DSC")
    for series in visit.series:
        if series.role in GIVEN_MAPS:
            if series.role == "rCBV" and dsc is not None:
                warn(analysis, visit_id, Message("map_given_and_computed", {"name": series.role}))
                continue
            analysis.maps[visit_id, series.role] = _given_map(analysis, series)
            analysis.series_to_visit[visit_id, series.role] = np.eye(4)
    if dsc is not None:
        analysis.series_to_visit[visit_id, "DSC"] = np.eye(4)
        analysis.series_to_visit[visit_id, "rCBV"] = np.eye(4)
        _compute_rcbv(analysis, visit_id, dsc, progress, cancelled)


def _given_map(analysis: Analysis, series: Series) -> Map:
    """A map that was made elsewhere, with what its sidecar says about it. A molar ratio map is only ever measured as
    molar when the sidecar says so."""
    image = voxels_of(analysis, series)
    fields = series.acquisition
    values = image.array.astype(np.float32)
    flags: tuple[Message, ...] = ()
    if series.role.startswith("Cho_") and any(name not in fields for name in RATIO_MAP_FIELDS):
        flags = (Message("ratio_map_origin_unknown", {"name": series.role}),)
    quality = np.isfinite(values) & (values != 0)
    return Map(
        np.where(quality, values, np.nan),
        image.affine,
        name=series.role,
        unit=str(fields.get("Units", "unknown" if series.role in ("CBF", "ADC", "APTw") else "1")),
        method=str(fields.get("Method", "made elsewhere")),
        quality=quality,
        flags=flags,
    )


def _compute_rcbv(analysis, visit_id, dsc, progress, cancelled) -> None:
    series = voxels_of(analysis, dsc)
    grid = Image(series.array[0], series.affine)
    anatomy = analysis.images[visit_id, "T1CE"]
    brain = resample(
        Image(analysis.brains[visit_id].astype(np.uint8), anatomy.affine), grid, np.eye(4), interpolation="nearest"
    )
    try:
        result = relative_cbv(
            series.array,
            echo_time=dsc.acquisition["EchoTime"],
            repetition_time=dsc.acquisition["RepetitionTime"],
            brain_mask=brain.array > 0,
            progress=progress,
            cancelled=cancelled,
        )
    except InputError as error:
        raise InputError(error.message.code, **{"file": str(dsc.path), **error.message.parameters}) from error
    analysis.maps[visit_id, "rCBV"] = Map(
        result.cbv,
        series.affine,
        name="rCBV",
        unit="relative",
        method=f"DSC, {result.model} leakage correction (Boxerman 2006), whole series after bolus arrival",
        quality=result.quality,
        flags=result.flags,
    )
    times = np.arange(len(series.array)) * dsc.acquisition["RepetitionTime"]
    analysis.curves[visit_id, "DSC"] = {
        "time": times,
        "brain_signal": result.brain_curve,
        "reference_rate": result.reference_curve,
    }
    warn(analysis, visit_id, *result.flags)


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
    flair = analysis.images.get((visit_id, "FLAIR"))
    midline = find_midline(anatomy, brain, exclude=lesion)
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
    """Maps that have a meaning only as ratio to the reference tissue, divided by its mean in the same visit."""
    for name, ratio_name in TO_REFERENCE.items():
        values = analysis.maps.get((visit_id, name))
        reference = analysis.references.get(visit_id)
        if values is None or reference is None:
            continue
        to_series = np.linalg.inv(analysis.series_to_visit[visit_id, name])
        weights = overlap_weights(reference, values, to_series)
        tissue = region_statistics(values.array, weights, values.voxel_volume, values.quality)
        if tissue.mean is None or not tissue.mean > 0:
            warn(analysis, visit_id, Message("reference_without_value", {"visit": visit_id, "name": name}))
            continue
        analysis.maps[visit_id, ratio_name] = Map(
            values.array / np.float32(tissue.mean),
            values.affine,
            name=ratio_name,
            unit="1",
            method=f"{values.method}; over the mean of the reference tissue",
            quality=values.quality,
            flags=values.flags,
        )
        analysis.series_to_visit[visit_id, ratio_name] = analysis.series_to_visit[visit_id, name]
