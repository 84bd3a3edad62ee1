"""Numbers in regions: each visit's own lesion in that visit, and carried regions in every visit, never confused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..imaging.resampling import overlap_weights
from ..lesion.change import difference, percent_change
from ..lesion.diameters import diameters
from ..lesion.estimate import Estimate
from ..lesion.shape import sphericity
from ..lesion.volume import volume_estimate
from ..measures import Image, Measurement, Message, Patient, Region
from ..spectroscopy.result import Fit
from . import Analysis
from .aligning import visit_to_visit
from .map_estimates import MEASURED_MAPS, WEIGHED_BY, WITHOUT_UNIT, estimates, first_measure, place_of
from .mapping import TO_REFERENCE
from .measuring_spectra import NAMES, REFUSED, Stated, log_words, measure_spectra, not_compared, protocols
from .perfusion_changes import RESPONSE, within_repeatability

SIGNED = ("K2_", "Tmax_")
RATIOS = tuple(ratio.name for ratio in TO_REFERENCE.values())


def measure_visits(analysis: Analysis) -> None:
    """All measurements: values per visit and region, then changes from each visit to the next that has the value."""
    visits = [visit.id for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
    values: list[Measurement] = []
    for visit_id in visits:
        for region in analysis.patient.regions:
            if region.purpose == "reference":
                continue
            mask = analysis.regions.get((region.visit, region.name))
            if mask is None:
                continue
            if not mask.array.any():
                values += [_empty(region)] if region.visit == visit_id else []
                continue
            weights: Weights = {}
            if region.visit == visit_id and region.purpose == "lesion":
                values += measure_shape(visit_id, region, mask)
                values += measure_maps(analysis, visit_id, region, mask, "own", weights)
            if region.carried or region.purpose == "free":
                values += measure_maps(analysis, visit_id, region, mask, "fixed", weights)
    values = in_order(values, analysis.patient)
    analysis.measurements = values + changes(values, visits, protocols(analysis))


def in_order(values: list[Measurement], patient: Patient) -> list[Measurement]:
    """Values by visit, region, own before fixed, and measure: the same order whatever was measured again."""
    visits = [visit.id for visit in patient.visits]
    regions = [(region.visit, region.name) for region in patient.regions]

    def place(row: Measurement) -> tuple:
        region = regions.index((row.drawn_in, row.region))
        return visits.index(row.visit), region, row.kind != "own", place_of(row.name), row.name

    return sorted(values, key=place)


def _empty(region: Region) -> Measurement:
    """The one row, without a value, of a region that holds no voxel."""
    flag = Message("region_empty", {"name": region.name})
    return Measurement(region.visit, region.name, "own", region.visit, "volume", None, "mL", flags=(flag,))


def measure_shape(visit_id: str, region: Region, mask: Image) -> list[Measurement]:
    """Volume (mL), diameters (mm) and sphericity of a visit's own lesion, in its native grid."""

    def row(name: str, estimate: Estimate, method: str) -> Measurement:
        return Measurement(
            visit=visit_id,
            region=region.name,
            kind="own",
            drawn_in=region.visit,
            name=name,
            value=estimate.value,
            unit=estimate.unit,
            low=estimate.low,
            high=estimate.high,
            method=method,
            flags=estimate.flags,
        )

    lines = diameters(mask.array, mask.affine)
    return [
        row("volume", volume_estimate(mask.array, mask.affine), "voxels counted"),
        row("longest_diameter", Estimate(lines.longest, "mm"), "longest chord in the acquisition plane"),
        row("perpendicular_diameter", Estimate(lines.perpendicular, "mm"), "longest chord perpendicular to it"),
        row("sphericity", Estimate(sphericity(mask.array, mask.affine), "1"), "mesh surface and volume"),
    ]


Weights = dict[tuple, Any]
"""Overlap weights of one region by shape, affine and transform of the grid: maps on one grid share them; and with the
map's name behind, what was measured with them."""


def measure_maps(
    analysis: Analysis, visit_id: str, region: Region, mask: Image, kind: str, known: Weights | None = None
) -> list[Measurement]:
    """Measures of every map of the visit in a region, on the map's own grid with overlap weights (those that are known
    are taken from there, others are added), and the ratios of its spectra: ratios of sums, never the mean of a ratio
    map that was made from them.

    A map that could not be made from its series has one row without a value that says why.
    """
    known = {} if known is None else known
    region_to_visit = visit_to_visit(analysis, region.visit, visit_id)
    rows = measure_spectra(analysis, visit_id, region, mask, kind, _tissue_name(analysis, visit_id))
    from_spectra = {row.name for row in rows}

    def row(name: str, estimate: Estimate, reference: str = "", method: str = "") -> None:
        rows.append(
            Measurement(
                visit=visit_id,
                region=region.name,
                kind=kind,
                drawn_in=region.visit,
                name=name,
                value=estimate.value,
                unit=estimate.unit,
                low=estimate.low,
                high=estimate.high,
                reference=reference,
                method=method,
                flags=estimate.flags,
            )
        )

    for name in MEASURED_MAPS:
        values = analysis.maps.get((visit_id, name))
        if name in from_spectra:
            continue
        if values is None:
            if (visit_id, name) in analysis.absent:
                missing = Estimate(None, "", flags=analysis.absent[visit_id, name])
                row(first_measure(name), missing, _reference_name(analysis, visit_id, name))
            continue
        region_to_map = np.linalg.inv(analysis.series_to_visit[visit_id, name]) @ region_to_visit
        grid = (values.shape, values.affine.tobytes(), region_to_map.tobytes())
        if grid not in known:
            known[grid] = overlap_weights(mask, values, region_to_map)
        if (*grid, name) not in known:  # own and fixed are the same voxels in the visit where a region was drawn
            weigh = analysis.maps.get((visit_id, WEIGHED_BY.get(name, "")))
            known[(*grid, name)] = estimates(name, values, known[grid], weigh)
        for measure, estimate in known[(*grid, name)]:
            row(measure, estimate, _reference_name(analysis, visit_id, name), values.method)
    return rows


def _reference_name(analysis: Analysis, visit_id: str, map_name: str) -> str:
    """What a map's values are taken against; empty where they stand for themselves."""
    if map_name == RESPONSE:
        return "rCBV_ratio of the visit before"
    return _tissue_name(analysis, visit_id) if map_name in RATIOS else ""


def _tissue_name(analysis: Analysis, visit_id: str) -> str:
    drawn = any(region.visit == visit_id and region.purpose == "reference" for region in analysis.patient.regions)
    return "drawn reference tissue" if drawn else "contralateral white matter"


def changes(
    values: list[Measurement], visits: list[str], acquired: dict[tuple[str, str], Fit | Stated] | None = None
) -> list[Measurement]:
    """Changes of each measure from one visit to the next one that has a value.

    The change of a measure has its name and unit; ``<name>_percent`` is the same change in per cent of the earlier
    value. Both name the earlier visit in ``compared_to``. acquired: spectra, as ``measuring_spectra.protocols``: visits
    with another echo time or field are not compared, and other differences of their protocols are said.
    """
    order = {visit_id: number for number, visit_id in enumerate(visits)}
    series: dict[tuple, list[Measurement]] = {}
    for row in values:
        # A visit's own lesion is the same lesion over time when it has the same name; a carried region is one region.
        drawn = row.drawn_in if row.kind == "fixed" else ""
        series.setdefault((row.region, row.kind, drawn, row.name), []).append(row)
    found = []
    for rows in series.values():
        if rows[0].name.startswith("PRM_"):  # a change already
            continue
        measured = sorted((row for row in rows if row.value is not None), key=lambda row: order[row.visit])
        for earlier, later in itertools.pairwise(measured):
            if earlier.unit != later.unit:
                continue
            before, after = _estimate(earlier), _estimate(later)
            pairs = [(later.name, within_repeatability(later.name, difference(before, after)))]
            if before.value > 0 and after.value >= 0 and has_percent(later):
                percent = within_repeatability(later.name, percent_change(before, after), percent_of=before.value)
                pairs.append((f"{later.name}_percent", percent))
            reasons = not_compared(acquired or {}, earlier, later)
            refused = any(reason.code in REFUSED for reason in reasons)
            for name, change in pairs:
                method = later.method
                if refused:
                    change = Estimate(None, change.unit, flags=change.flags)
                elif later.name in NAMES and name != later.name:
                    method = f"{log_words(earlier, later, change.low, change.high)}; {later.method}"
                found.append(
                    Measurement(
                        visit=later.visit,
                        region=later.region,
                        kind=later.kind,
                        drawn_in=later.drawn_in,
                        name=name,
                        value=change.value,
                        unit=change.unit,
                        low=change.low,
                        high=change.high,
                        compared_to=earlier.visit,
                        reference=later.reference,
                        method=method,
                        flags=(*change.flags, *reasons),
                    )
                )
    return found


def has_percent(row: Measurement) -> bool:
    """Whether a change in per cent of the earlier value means something: not of a percentage, nor of what can be below
    zero."""
    return row.unit != "%" and not row.name.startswith(SIGNED) and not row.name.endswith(WITHOUT_UNIT)


def _estimate(row: Measurement) -> Estimate:
    return Estimate(row.value, row.unit, row.low, row.high, row.flags)
