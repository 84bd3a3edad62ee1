"""Numbers of a region of a map: arrays and weights in, numbers out.

values, weights and trusted have one shape. weights are the shares of each voxel that lie in the region (0 to 1; a mask
will do); trusted is the map's quality mask. Voxels with weight 0, not trusted or not finite take no part.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ..measures import InputError

# Limits of the fractional tumour burden (Iv 2019, AJNR): ratio of rCBV to normal-appearing white matter.
LOW, HIGH = 1.0, 1.75
# Repeatability coefficient of the normalised, leakage-corrected rCBV of a tumour: 95 % of two measurements without a
# true change differ by less; 95 % interval 1.44 to 2.34 (Prah 2015, AJNR; trapezoidal integration).
REPEATABILITY = 1.78
FEWEST_NORMAL = 100  # voxels that the limits of a response map are taken from: this library's choice
NORMAL_RANGE = 2.5, 97.5  # percentiles of the change in normal tissue that count as no change


@dataclass(frozen=True)
class RegionMeasures:
    """Weighted statistics of a region, in the map's unit; None where fewer voxels than needed take part.

    voxels: sum of weights that take part; trusted_share: their share of the region's weight; p5 to p95: percentiles,
    p95 is the hot spot; skewness and (excess) kurtosis are population moments, 0 for a normal distribution;
    standard_error: of the mean, from the spread of the voxels as if they were independent.
    """

    voxels: float
    trusted_share: float
    mean: float | None = None
    standard_error: float | None = None
    standard_deviation: float | None = None
    median: float | None = None
    p5: float | None = None
    p25: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None

    def over(self, reference: float) -> RegionMeasures:
        """The same measures as ratios to a reference value. Raises InputError ``reference_not_positive``."""
        if not (np.isfinite(reference) and reference > 0):
            raise InputError("reference_not_positive", value=reference)
        scaled = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("mean", "standard_error", "standard_deviation", "median", "p5", "p25", "p75", "p90", "p95"):
            if scaled[name] is not None:
                scaled[name] = scaled[name] / reference
        return RegionMeasures(**scaled)


def region_measures(values: np.ndarray, weights: np.ndarray, trusted: np.ndarray | None = None) -> RegionMeasures:
    """Mean, percentiles and histogram measures of a region; None where it holds no voxel, or too few for a measure.

    Percentiles interpolate linearly between voxels, each standing at the middle of its weight; with equal weights they
    are numpy's. Skewness and kurtosis need 3 and 4 voxels of different values. Raises InputError
    ``perfusion_mask_shape``.
    """
    x, w, share = _region(values, weights, trusted)
    total = float(w.sum())
    if x.size == 0:
        return RegionMeasures(0.0, share)
    mean = float(np.average(x, weights=w))
    second, third, fourth = (float(np.average((x - mean) ** power, weights=w)) for power in (2, 3, 4))
    percents = _percentiles(x, w, {"p5": 5, "p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95})
    varied = second > (1e-6 * abs(mean)) ** 2
    effective = total**2 / float((w**2).sum())
    return RegionMeasures(
        voxels=total,
        trusted_share=share,
        mean=mean,
        standard_error=float(np.sqrt(second / (effective - 1))) if effective > 1 else None,
        standard_deviation=float(np.sqrt(second)),
        skewness=third / second**1.5 if varied and x.size >= 3 else None,
        kurtosis=fourth / second**2 - 3 if varied and x.size >= 4 else None,
        **percents,
    )


@dataclass(frozen=True)
class TumourBurden:
    """Shares of a region's trusted weight with a ratio < 1.0, from 1.0 to 1.75 and > 1.75; their sum is 1."""

    low: float
    middle: float
    high: float


def tumour_burden(ratio: np.ndarray, weights: np.ndarray, trusted: np.ndarray | None = None) -> TumourBurden | None:
    """Fractional tumour burden of an enhancing region, None where it holds no voxel.

    ratio: rCBV over normal-appearing white matter. Classes: Iv 2019, AJNR. Raises InputError ``perfusion_mask_shape``.
    """
    x, w, _ = _region(ratio, weights, trusted)
    if x.size == 0:
        return None
    total = w.sum()
    low, high = float(w[x < LOW].sum() / total), float(w[x > HIGH].sum() / total)
    return TumourBurden(low, 1 - low - high, high)


@dataclass(frozen=True)
class Change:
    """A change of a normalised rCBV with the band that repeated measurements without a true change would fill.

    beyond: whether the change is larger than the repeatability coefficient.
    """

    difference: float
    low: float
    high: float
    beyond: bool


def change(before: float, after: float) -> Change:
    """Change of a tumour's normalised rCBV between two visits, with the published repeatability as its 95 % band.

    Prah 2015 (AJNR): repeatability coefficient 1.78 for trapezoidal integration with leakage correction.
    """
    difference = after - before
    return Change(difference, difference - REPEATABILITY, difference + REPEATABILITY, abs(difference) > REPEATABILITY)


@dataclass(frozen=True)
class ResponseMap:
    """Parametric response map: classes int8 (-1 decreased, 0 unchanged, 1 increased; 0 outside the region too).

    decreased, unchanged, increased: shares of the region's trusted weight; low, high: limits of no change, in the
    ratio's unit, from the patient's own normal tissue; trusted_share: of the region's weight.
    """

    classes: np.ndarray
    decreased: float
    unchanged: float
    increased: float
    low: float
    high: float
    trusted_share: float


def response_map(
    before: np.ndarray,
    after: np.ndarray,
    weights: np.ndarray,
    normal: np.ndarray,
    trusted: np.ndarray | None = None,
) -> ResponseMap:
    """Where in a lesion rCBV rose or fell by more than it does in the patient's own normal brain.

    before, after: rCBV ratios of two visits on one grid; weights: of the lesion; normal: bool, contralateral normal
    brain. Limits: the 2.5th and 97.5th percentile of after - before in normal brain, so that registration, noise and
    normalisation are part of them. The map is Tsien's (Cancer Research 70(8S):2698, 2010), whose limits were fixed.

    Raises InputError: ``perfusion_mask_shape``, ``response_map_normal`` (too few normal voxels),
    ``response_map_region`` (no trusted lesion voxel).
    """
    difference = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    usual, _, _ = _region(difference, np.asarray(normal, dtype=bool), trusted)
    if usual.size < FEWEST_NORMAL:
        raise InputError("response_map_normal", voxels=usual.size, needed=FEWEST_NORMAL)
    low, high = (float(one) for one in np.percentile(usual, NORMAL_RANGE))
    x, w, share = _region(difference, weights, trusted)
    if x.size == 0:
        raise InputError("response_map_region")
    inside = np.isfinite(difference) & (np.asarray(weights) > 0) & (True if trusted is None else trusted)
    classes = np.where(inside, (difference > high).astype(np.int8) - (difference < low), 0).astype(np.int8)
    decreased, increased = float(w[x < low].sum() / w.sum()), float(w[x > high].sum() / w.sum())
    return ResponseMap(classes, decreased, 1 - decreased - increased, increased, low, high, share)


def _region(values, weights, trusted) -> tuple[np.ndarray, np.ndarray, float]:
    """Values and weights of the voxels that take part, and their share of the region's weight."""
    values, weights = np.asarray(values), np.asarray(weights, dtype=float)
    for name, one in (("weights", weights), ("trusted", trusted)):
        if one is not None and np.shape(one) != values.shape:
            raise InputError("perfusion_mask_shape", field=name, shape=str(np.shape(one)), expected=str(values.shape))
    inside = weights > 0
    part = inside & np.isfinite(values)
    if trusted is not None:
        part &= np.asarray(trusted, dtype=bool)
    total = float(weights[inside].sum())
    return values[part].astype(float), weights[part], float(weights[part].sum() / total) if total else 0.0


def _percentiles(x: np.ndarray, w: np.ndarray, percents: dict[str, float]) -> dict[str, float]:
    """Weighted percentiles of values with positive weights, by name."""
    order = np.lexsort((w, x))
    middle = np.cumsum(w[order]) - w[order] / 2
    span = middle[-1] - middle[0]
    place = (middle - middle[0]) / (span if span > 0 else 1)
    return {name: float(np.interp(percent / 100, place, x[order])) for name, percent in percents.items()}
