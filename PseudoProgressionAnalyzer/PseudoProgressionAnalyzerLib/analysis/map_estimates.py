"""What is measured of each map in a region: statistics and shares, with their intervals, or why there is no number."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ..assessment.published import NORMAL_95, wilson
from ..lesion.estimate import Estimate
from ..lesion.statistics import Statistics, region_statistics
from ..measures import Map, Message
from ..perfusion.regions import ResponseShares, TumourBurden, percentile_intervals, response_shares, tumour_burden

# Map -> statistics that the product writes; ``SHARES`` are written beside them.
MEASURED_MAPS = {
    "rCBV_ratio": ("mean", "median", "p25", "p75", "p90", "p95", "skewness", "kurtosis", "outside"),
    "rCBV_uncorrected_ratio": ("mean",),
    "rCBV_response": (),
    "sRCBV": ("mean", "median", "p95"),
    "K2": ("mean",),
    "PSR": ("mean",),
    "rPSR": ("mean",),
    "rPH": ("mean",),
    "rCBF_ratio": ("mean", "median"),
    "MTT": ("mean",),
    "Tmax": ("mean",),
    "CBF": ("mean",),
    "CBF_ratio": ("mean", "median", "p95", "outside"),
    "ATT": ("mean",),
    "Cho_NAA_molar": ("mean",),
    "Cho_NAA_area": ("mean",),
    "Cho_Cr_molar": ("mean",),
    "Cho_Cr_area": ("mean",),
    "APTw": ("mean",),
    "ADC": ("mean",),
}
# Map -> (prefix of the measures, whose fields name them, function of values, weights and trusted that gives them).
SHARES = {
    "rCBV_ratio": ("FTB", TumourBurden, tumour_burden),
    "rCBV_response": ("PRM", ResponseShares, response_shares),
}
# Map -> map that its voxels are weighed by. The recovery of a region is the sum of what its voxels recover over the sum
# of their peak heights, as of its mean curve: a voxel without a bolus has no recovery to speak of.
WEIGHED_BY = {"PSR": "PH", "rPSR": "PH"}
# A ratio of metabolites in a region is one number, so its name carries no statistic.
WITHOUT_STATISTIC = ("Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area")
PERCENTILES = {"median": 50, "p25": 25, "p75": 75, "p90": 90, "p95": 95}
WITHOUT_UNIT = ("skewness", "kurtosis")
OUTSIDE = "outside"
"""Statistic: how much of what was measured lies outside of the region, %; not of the tissue, so that its change says
nothing."""
FEWEST_EFFECTIVE_VOXELS = 5.0
SMALLEST_COVERED_SHARE = 0.5
WHOLE = 0.95
"""Share of a region on a map's grid below which it is said that the rest was not measured. Own choice: overlaps on
oblique grids are good to 0.01, and a slab that ends at a lesion's edge misses no more than this."""


def measures_of(map_name: str) -> list[str]:
    """The measures that are written of a map, in their order."""
    prefix, kind, _ = SHARES.get(map_name, ("", None, None))
    shares = [f"{prefix}_{field.name}" for field in dataclasses.fields(kind)] if kind else []
    if map_name in WITHOUT_STATISTIC:
        return [map_name]
    return [f"{map_name}_{statistic}" for statistic in MEASURED_MAPS[map_name]] + shares


def place_of(measure: str) -> int:
    """Where a measure stands among the others: those of the outline, those of maps, then all others."""
    return PLACES.get(measure, len(PLACES))


def first_measure(map_name: str) -> str:
    """The measure that stands for a map: the one that says why where the map is absent."""
    return measures_of(map_name)[0]


def under(values: Map, index: np.ndarray) -> Map:
    """The voxels of a map with these indices ``(n,)`` in the flattened grid, as a map of that shape."""
    quality = None if values.quality is None else values.quality.ravel()[index]
    return dataclasses.replace(values, array=values.array.ravel()[index], quality=quality)


def estimates(
    name: str, values: Map, weights: np.ndarray, weigh: Map | None = None, volume: float | None = None
) -> list[tuple[str, Estimate]]:
    """Measures of a map of this name under a region, by their names.

    weights: share of each of the map's voxels that lies in the region, in the shape of the map's array (any); weigh:
    the map of ``WEIGHED_BY`` of the same voxels; volume: mL of the whole region, of which the map may show a part
    alone. The intervals are those of the spread of the voxels, taken as independent: a lower limit of the real
    uncertainty.
    """
    order = np.argsort(values.array, axis=None, kind="stable")  # what sorts again below finds it done
    values, weights = under(values, order), weights.ravel()[order]
    found = region_statistics(values.array, weights, values.voxel_volume, values.quality, volume)
    refused = refusal(found)
    flags = (*found.flags, *values.flags, *(() if refused else _beyond(found)))
    if weigh is not None and found.mean is not None:
        weights = weighed(weights, under(weigh, order))
        found = region_statistics(values.array, weights, values.voxel_volume, values.quality)

    intervals = {} if refused or found.mean is None else _intervals(MEASURED_MAPS[name], found, values, weights)

    def measured(statistic: str) -> Estimate:
        unit = "1" if statistic in WITHOUT_UNIT else "%" if statistic == OUTSIDE else values.unit
        value = getattr(found, statistic)
        if value is None or refused:
            return Estimate(None, unit, flags=(*flags, *refused))
        low, high = intervals.get(statistic, (None, None))
        shared = _shared(found, low, high) if statistic == "mean" and OUTSIDE in MEASURED_MAPS[name] else ()
        return Estimate(value, unit, low, high, (*flags, *shared))

    rows = [
        (measure, measured(statistic))
        for measure, statistic in zip(measures_of(name), MEASURED_MAPS[name], strict=False)
    ]
    if name not in SHARES:
        return rows
    prefix, kind, shares_of = SHARES[name]
    shares = None if refused else shares_of(values.array, weights, values.quality)
    for one in (field.name for field in dataclasses.fields(kind)):
        if shares is None:
            rows.append((f"{prefix}_{one}", Estimate(None, "%", flags=(*flags, *refused))))
            continue
        share = getattr(shares, one)
        low, high = wilson(share, found.n_effective)
        rows.append((f"{prefix}_{one}", Estimate(100 * share, "%", 100 * low, 100 * high, flags)))
    return rows


def weighed(weights: np.ndarray, by: Map) -> np.ndarray:
    """Weights times the trusted values of another map, brought to at most 1."""
    height = np.where(np.isfinite(by.array) & (True if by.quality is None else by.quality), by.array, 0)
    product = weights * np.maximum(height, 0)
    return product / max(float(product.max()), 1e-12)


def refusal(found: Statistics) -> tuple[Message, ...]:
    """Why nothing may be said about a region of a map; empty where it may."""
    if found.mean is None:
        return ()  # its own flags say why
    if found.n_effective < FEWEST_EFFECTIVE_VOXELS:
        few = {"voxels": round(found.n_effective, 1), "fewest": FEWEST_EFFECTIVE_VOXELS}
        return (Message("region_few_voxels", few),)
    if found.on_grid < SMALLEST_COVERED_SHARE:
        return (Message("region_mostly_outside", {"percent": round(100 * found.on_grid)}),)
    if found.covered_fraction < SMALLEST_COVERED_SHARE:
        return (Message("region_mostly_untrusted", {"percent": round(100 * found.covered_fraction)}),)
    return ()


def _beyond(found: Statistics) -> tuple[Message, ...]:
    """That a region reaches beyond the map, so that the numbers are of a part of it."""
    if found.mean is None or found.on_grid >= WHOLE:
        return ()
    return (Message("region_partly_outside", {"percent": round(100 * found.on_grid)}),)


def _shared(found: Statistics, low: float, high: float) -> tuple[Message, ...]:
    """That the mean of a ratio to normal tissue holds tissue outside of the region, where that may matter: were it
    normal tissue, with a ratio of 1, the region alone would lie beyond the mean's interval.

    mean = own alone + (1 - own) 1, with own = 1 - outside: what a voxel holds is taken as the sum of its parts.
    """
    own = 1 - found.outside / 100
    alone = 1 + (found.mean - 1) / own
    if low <= alone <= high:
        return ()
    return (Message("region_shared_voxels", {"percent": round(found.outside), "alone": f"{alone:.2f}"}),)


def _intervals(
    statistics: tuple[str, ...], found: Statistics, values: Map, weights: np.ndarray
) -> dict[str, tuple[float, float]]:
    """95 % intervals of mean and percentiles by statistic; none of the shape of a histogram."""
    names = [statistic for statistic in statistics if statistic in PERCENTILES]
    percents = [PERCENTILES[name] for name in names]
    bounds = []
    if names:
        bounds = percentile_intervals(values.array, weights, percents, found.n_effective, values.quality)
    intervals = dict(zip(names, bounds, strict=True))
    if "mean" in statistics:
        error = NORMAL_95 * found.standard_deviation / math.sqrt(found.n_effective)
        intervals["mean"] = found.mean - error, found.mean + error
    return intervals


OUTLINE = ("volume", "longest_diameter", "perpendicular_diameter", "sphericity")
PLACES = {
    measure: place
    for place, measure in enumerate((*OUTLINE, *(one for name in MEASURED_MAPS for one in measures_of(name))))
}
