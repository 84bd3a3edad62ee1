"""First-order statistics of a map in a region, weighted by how much of each voxel lies in the region.

With equal weights every value is pyradiomics' first-order feature of the same name (radiomics/firstorder.py, documents
"First Order Features"; van Griethuysen 2017, Cancer Res 77:e104): population moments, kurtosis not reduced by 3,
percentiles by linear interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import InputError, Message


@dataclass(frozen=True)
class Statistics:
    """First-order statistics in the unit of the map; all None, with the reason in flags, where no voxel can be trusted.

    skewness and kurtosis have no unit and are None in a flat region. n_voxels: voxels used; n_effective: Kish's
    effective number (sum w)^2 / sum w^2; covered_volume: mL of the region under used voxels; covered_fraction: its
    share of the region's volume; on_grid: share of that volume that lies on the map's grid at all; outside: how much of
    what the used voxels hold lies outside of the region, in per cent: a voxel of which the share w lies inside counts
    by w and holds 1 - w of its surroundings, which makes 1 - sum w^2 / sum w of the mean; n_not_finite and n_untrusted:
    voxels of the region left out because their value is not a number, or is marked as not to be trusted.
    """

    n_voxels: int
    n_effective: float
    n_not_finite: int
    n_untrusted: int
    covered_volume: float
    covered_fraction: float
    on_grid: float = 1.0
    outside: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    minimum: float | None = None
    p5: float | None = None
    p10: float | None = None
    p25: float | None = None
    median: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    maximum: float | None = None
    interquartile_range: float | None = None
    mean_absolute_deviation: float | None = None
    robust_mean_absolute_deviation: float | None = None
    root_mean_squared: float | None = None
    flags: tuple[Message, ...] = ()


PERCENTILES = (5, 10, 25, 50, 75, 90, 95)


def region_statistics(
    values: np.ndarray,
    weights: np.ndarray,
    voxel_volume: float,
    trusted: np.ndarray | None = None,
    region_volume: float | None = None,
) -> Statistics:
    """Statistics of the values of a map under a region.

    values: map on its own grid, any shape; weights: same shape, share of each voxel that lies in the region, 0 to 1 (a
    bool mask counts whole voxels); voxel_volume: mL; trusted: bool, same shape, None where nothing is known;
    region_volume: mL of the whole region, which may reach beyond the grid, None where it does not.

    Raises InputError: ``lesion_weights_shape``, ``lesion_weights_range`` (below 0, above 1 or not finite). Flags:
    ``lesion_map_outside`` (the region covers no voxel of the map), ``lesion_map_untrusted`` (no voxel left),
    ``lesion_map_flat`` (all values equal: no skewness, no kurtosis).
    """
    if weights.shape != values.shape or (trusted is not None and trusted.shape != values.shape):
        raise InputError("lesion_weights_shape", field="weights", expected=values.shape, found=weights.shape)
    inside = np.flatnonzero(weights)
    weight = weights.ravel()[inside].astype(float)
    if weight.size and not (weight.min() >= 0 and weight.max() <= 1 + 1e-6):
        raise InputError("lesion_weights_range", field="weights")
    value = values.ravel()[inside].astype(float)
    finite = np.isfinite(value)
    good = finite if trusted is None else finite & trusted.ravel()[inside]
    counts = {
        "n_voxels": int(np.count_nonzero(good)),
        "n_not_finite": int(np.count_nonzero(~finite)),
        "n_untrusted": int(np.count_nonzero(finite & ~good)),
    }
    total = float(weight.sum())
    on_grid = min(round(total * voxel_volume / region_volume, 9), 1.0) if region_volume else 1.0  # but for rounding
    value, weight = value[good], weight[good]
    covered = float(weight.sum())
    if covered == 0:
        reason = Message("lesion_map_untrusted" if total else "lesion_map_outside")
        nothing = {"n_effective": 0.0, "covered_volume": 0.0, "covered_fraction": 0.0}
        return Statistics(**counts, **nothing, on_grid=on_grid, flags=(reason,))

    share = weight / covered
    mean = float(share @ value)
    deviation = value - mean
    standard_deviation = float(share @ deviation**2) ** 0.5
    rising = (value, weight)
    if np.any(value[1:] < value[:-1]):
        order = np.argsort(value, kind="stable")
        rising = value[order], weight[order]
    percentile = dict(zip(PERCENTILES, _percentiles(*rising), strict=True))
    # Rounding alone gives equal values a deviation of some units in their last place.
    flat = standard_deviation <= 1e-12 * np.abs(value).max()
    scaled = deviation / (1.0 if flat else standard_deviation)
    square = scaled * scaled
    middle = (value >= percentile[10]) & (value <= percentile[90])
    return Statistics(
        **counts,
        n_effective=float(covered**2 / (weight @ weight)),
        covered_volume=covered * voxel_volume,
        covered_fraction=covered / total * on_grid,
        on_grid=on_grid,
        outside=max(100 * (1 - float(weight @ weight) / covered), 0.0),
        mean=mean,
        standard_deviation=0.0 if flat else standard_deviation,
        skewness=None if flat else float(share @ (square * scaled)),
        kurtosis=None if flat else float(share @ (square * square)),
        minimum=float(rising[0][0]),
        p5=percentile[5],
        p10=percentile[10],
        p25=percentile[25],
        median=percentile[50],
        p75=percentile[75],
        p90=percentile[90],
        p95=percentile[95],
        maximum=float(rising[0][-1]),
        interquartile_range=percentile[75] - percentile[25],
        mean_absolute_deviation=float(share @ np.abs(deviation)),
        robust_mean_absolute_deviation=_mean_absolute_deviation(value[middle], weight[middle]),
        root_mean_squared=float(share @ value**2) ** 0.5,
        flags=(Message("lesion_map_flat"),) if flat else (),
    )


def _percentiles(value: np.ndarray, weight: np.ndarray) -> list[float]:
    """``PERCENTILES`` of sorted values: linear between the midpoints of the cumulated weights, scaled so that the
    first value is the 0th and the last the 100th percentile. Equal weights give numpy's linear percentiles."""
    midpoints = np.cumsum(weight) - weight / 2
    span = midpoints[-1] - midpoints[0]
    if span == 0:
        return [float(value[0])] * len(PERCENTILES)
    return np.interp(PERCENTILES, 100 * (midpoints - midpoints[0]) / span, value).tolist()


def _mean_absolute_deviation(value: np.ndarray, weight: np.ndarray) -> float:
    if value.size == 0:  # so few voxels that none lies between the 10th and the 90th percentile
        return 0.0
    share = weight / weight.sum()
    return float(share @ np.abs(value - share @ value))
