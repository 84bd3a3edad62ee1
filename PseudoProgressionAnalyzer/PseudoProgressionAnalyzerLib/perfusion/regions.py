"""Numbers of a region of a map: arrays and weights in, numbers out.

values, weights and trusted have one shape. weights are the shares of each voxel that lie in the region (0 to 1; a mask
will do); trusted is the map's quality mask. Voxels with weight 0, not trusted or not finite take no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..measures import InputError

# Limits of the fractional tumour burden (Iv 2019, AJNR): ratio of rCBV to normal-appearing white matter.
LOW, HIGH = 1.0, 1.75
# Repeatability coefficient: 95 % of two measurements of a tumour without a true change differ by less; and
# within-subject coefficient of variation, for ratios of two measurements. rCBV corrected for leakage, by trapezoidal
# integration, over normal-appearing white matter (95 % interval of the first 1.44 to 2.34), and standardised (3121 to
# 5093): Prah 2015, AJNR, table 2.
REPEATABILITY = {"rCBV_ratio_mean": (1.78, 0.31), "sRCBV_mean": (3869.0, 0.18)}
NORMAL_95 = 1.959963984540054
FEWEST_NORMAL = 100  # voxels that the limits of a response map are taken from: this library's choice
UNCHANGED, DECREASED, INCREASED = 0, 1, 2  # so that a threshold hides what did not change
NORMAL_RANGE = 2.5, 97.5  # percentiles of the change in normal tissue that count as no change


def percentile_intervals(
    values: np.ndarray,
    weights: np.ndarray,
    percents: Sequence[float],
    effective: float,
    trusted: np.ndarray | None = None,
) -> list[tuple[float, float]]:
    """95 % intervals of a region's percentiles from the order of its voxels, whatever their distribution.

    percents: 0 to 100; effective: number of independent voxels that the region counts as. The bounds are the
    percentiles at p +- 1.96 sqrt(p (1 - p) / effective), because the number of voxels below the true percentile is
    binomial (normal approximation). Percentiles interpolate linearly between voxels, each standing at the middle of its
    weight. Raises InputError ``perfusion_mask_shape``; the region must hold a voxel.
    """
    x, w, _ = _region(values, weights, trusted)
    if np.any(x[1:] < x[:-1]):
        order = np.argsort(x, kind="stable")
        x, w = x[order], w[order]
    middle = np.cumsum(w) - w / 2
    span = middle[-1] - middle[0]
    place = (middle - middle[0]) / (span if span > 0 else 1)
    share = np.asarray(percents, dtype=float) / 100
    half = NORMAL_95 * np.sqrt(share * (1 - share) / effective)
    ends = np.clip(np.stack([share - half, share + half], axis=1), 0, 1)
    return [(float(low), float(high)) for low, high in np.interp(ends, place, x)]


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
class ResponseMap:
    """Parametric response map: classes int8 (``UNCHANGED``, ``DECREASED``, ``INCREASED``), 0 where trusted is False.

    low, high: limits of no change, in the ratio's unit, from the patient's own normal tissue.
    """

    classes: np.ndarray
    trusted: np.ndarray
    low: float
    high: float


def response_map(
    before: np.ndarray, after: np.ndarray, normal: np.ndarray, trusted: np.ndarray | None = None
) -> ResponseMap:
    """Where rCBV rose or fell by more than it does in the patient's own normal brain.

    before, after: rCBV ratios of two visits on one grid; normal: bool, contralateral normal brain. Limits: the 2.5th
    and 97.5th percentile of after - before in normal brain, so that registration, noise and normalisation are part of
    them. The map is Tsien's (Cancer Research 70(8S):2698, 2010), whose limits were fixed.

    Raises InputError: ``perfusion_mask_shape``, ``response_map_normal`` (too few normal voxels).
    """
    difference = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    usual, _, _ = _region(difference, np.asarray(normal, dtype=bool), trusted)
    if usual.size < FEWEST_NORMAL:
        raise InputError("response_map_normal", voxels=usual.size, needed=FEWEST_NORMAL)
    low, high = (float(one) for one in np.percentile(usual, NORMAL_RANGE))
    inside = np.isfinite(difference) & (True if trusted is None else trusted)
    classes = np.where(difference > high, INCREASED, np.where(difference < low, DECREASED, UNCHANGED))
    classes = np.where(inside, classes, UNCHANGED).astype(np.int8)
    return ResponseMap(classes, inside, low, high)


@dataclass(frozen=True)
class ResponseShares:
    """Shares of a region's trusted weight in which rCBV decreased, stayed and increased; their sum is 1."""

    decreased: float
    unchanged: float
    increased: float


def response_shares(
    classes: np.ndarray, weights: np.ndarray, trusted: np.ndarray | None = None
) -> ResponseShares | None:
    """The shares of a region in a response map, None where it holds no voxel. Raises InputError
    ``perfusion_mask_shape``."""
    x, w, _ = _region(classes, weights, trusted)
    if x.size == 0:
        return None
    decreased, increased = (float(w[x == one].sum() / w.sum()) for one in (DECREASED, INCREASED))
    return ResponseShares(decreased, 1 - decreased - increased, increased)


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
