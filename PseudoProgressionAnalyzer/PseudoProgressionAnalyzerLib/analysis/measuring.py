"""Numbers in regions: each visit's own lesion in that visit, and carried regions in every visit, never confused."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..imaging.resampling import overlap_weights
from ..lesion.change import difference, percent_change
from ..lesion.diameters import diameters
from ..lesion.estimate import Estimate
from ..lesion.shape import sphericity
from ..lesion.statistics import Statistics, region_statistics
from ..lesion.volume import volume_estimate
from ..measures import Image, Map, Measurement, Message, Region
from ..spectroscopy.result import Fit
from . import Analysis
from .aligning import visit_to_visit
from .measuring_spectra import NAMES, REFUSED, log_words, measure_spectra, not_compared

# Map -> (name of the measurement without statistic, statistics that the product writes).
MEASURED_MAPS = {
    "rCBV_ratio": ("mean", "median", "p95"),
    "CBF_ratio": ("mean", "median", "p95"),
    "Cho_NAA_molar": ("mean",),
    "Cho_NAA_area": ("mean",),
    "Cho_Cr_molar": ("mean",),
    "Cho_Cr_area": ("mean",),
    "APTw": ("mean",),
    "ADC": ("mean",),
}
# A ratio of metabolites in a region is one number, so its name carries no statistic.
WITHOUT_STATISTIC = ("Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area")
FEWEST_EFFECTIVE_VOXELS = 5.0
SMALLEST_COVERED_SHARE = 0.5
NORMAL_95 = 1.959963984540054


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
    analysis.measurements = values + changes(values, visits, analysis.spectra_fits)


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


Weights = dict[tuple[tuple[int, ...], bytes, bytes], np.ndarray]
"""Overlap weights of one region by shape, affine and transform of the grid: maps on one grid share them."""


def measure_maps(
    analysis: Analysis, visit_id: str, region: Region, mask: Image, kind: str, known: Weights | None = None
) -> list[Measurement]:
    """Statistics of every map of the visit in a region, on the map's own grid with overlap weights (those that are
    known are taken from there, others are added), and the ratios of its spectra: ratios of sums, never the mean of a
    ratio map that was made from them."""
    known = {} if known is None else known
    region_to_visit = visit_to_visit(analysis, region.visit, visit_id)
    reference = _reference_name(analysis, visit_id)
    rows = measure_spectra(analysis, visit_id, region, mask, kind, reference)
    from_spectra = {row.name for row in rows}
    for name, statistics in MEASURED_MAPS.items():
        values = analysis.maps.get((visit_id, name))
        if values is None or name in from_spectra:
            continue
        region_to_map = np.linalg.inv(analysis.series_to_visit[visit_id, name]) @ region_to_visit
        grid = (values.shape, values.affine.tobytes(), region_to_map.tobytes())
        if grid not in known:
            known[grid] = overlap_weights(mask, values, region_to_map)
        found = region_statistics(values.array, known[grid], values.voxel_volume, values.quality)
        for statistic in statistics:
            value, low, high, flags = _trusted(found, statistic, values)
            rows.append(
                Measurement(
                    visit=visit_id,
                    region=region.name,
                    kind=kind,
                    drawn_in=region.visit,
                    name=name if name in WITHOUT_STATISTIC else f"{name}_{statistic}",
                    value=value,
                    unit=values.unit,
                    low=low,
                    high=high,
                    reference=reference if name.endswith("_ratio") else "",
                    method=values.method,
                    flags=flags,
                )
            )
    return rows


def _trusted(
    found: Statistics, statistic: str, values: Map
) -> tuple[float | None, float | None, float | None, tuple[Message, ...]]:
    """The statistic with its interval, or None with the reason why it cannot be trusted.

    The interval of a mean is that of the spread of its voxels, taken as independent: a lower limit of the real
    uncertainty, to which the repeatability is added where it is known (in the assessment).
    """
    flags = (*found.flags, *values.flags)
    value = getattr(found, statistic)
    if value is None:
        return None, None, None, flags
    if found.n_effective < FEWEST_EFFECTIVE_VOXELS:
        few = Message("region_few_voxels", {"voxels": round(found.n_effective, 1), "fewest": FEWEST_EFFECTIVE_VOXELS})
        return None, None, None, (*flags, few)
    if found.covered_fraction < SMALLEST_COVERED_SHARE:
        share = Message("region_mostly_untrusted", {"percent": round(100 * found.covered_fraction)})
        return None, None, None, (*flags, share)
    if statistic != "mean":
        return value, None, None, flags
    error = NORMAL_95 * found.standard_deviation / math.sqrt(found.n_effective)
    return value, value - error, value + error, flags


def _reference_name(analysis: Analysis, visit_id: str) -> str:
    drawn = any(region.visit == visit_id and region.purpose == "reference" for region in analysis.patient.regions)
    return "drawn reference tissue" if drawn else "contralateral white matter"


def changes(
    values: list[Measurement], visits: list[str], fits: dict[tuple[str, str], Fit] | None = None
) -> list[Measurement]:
    """Changes of each measure from one visit to the next one that has a value.

    The change of a measure has its name and unit; ``<name>_percent`` is the same change in per cent of the earlier
    value. Both name the earlier visit in ``compared_to``. fits: of spectra, as in ``Analysis.spectra_fits``: visits
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
        measured = sorted((row for row in rows if row.value is not None), key=lambda row: order[row.visit])
        for earlier, later in itertools.pairwise(measured):
            if earlier.unit != later.unit:
                continue
            before, after = _estimate(earlier), _estimate(later)
            pairs = [(later.name, difference(before, after))]
            if before.value > 0 and after.value >= 0:
                pairs.append((f"{later.name}_percent", percent_change(before, after)))
            reasons = not_compared(fits or {}, earlier, later)
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


def _estimate(row: Measurement) -> Estimate:
    return Estimate(row.value, row.unit, row.low, row.high, row.flags)
