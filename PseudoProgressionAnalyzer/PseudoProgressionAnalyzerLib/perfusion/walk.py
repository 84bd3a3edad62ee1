"""One walk over a DSC series: what each voxel's curve says by itself, and its products with rows of weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .blocks import blocks, for_blocks, log_signal, padded, project, weighted_sums
from .bolus import TAIL, Frames
from .leakage import Leakage
from .quality import steepest_slope

NOISE_FLOOR = 1e-4  # relative noise of a baseline that shows none (rounding)


@dataclass
class Walk:
    """Per voxel ``(voxel,)`` unless said otherwise; S is the signal, of two echoes S2/S1.

    valid: brain voxels with a usable signal in every frame; reference: reference voxels; drifting: whether the baseline
    has a slope; noise: standard deviation of dR2* over the baseline, 1/s; level: mean of ln S over the baseline, of two
    echoes that of the first; uncorrected, along, across, number: what ``Leakage.solve`` needs; reference_curve: mean
    dR2* of the reference voxels in 1/s, brain_curve: mean (geometric) S of the brain, ``(time,)``.
    """

    valid: np.ndarray
    reference: np.ndarray
    drifting: np.ndarray
    noise: np.ndarray
    level: np.ndarray
    uncorrected: np.ndarray
    along: np.ndarray
    across: np.ndarray
    number: np.ndarray | int
    reference_curve: np.ndarray | None = None
    brain_curve: np.ndarray | None = None


def walk(
    echoes: list[np.ndarray],
    echo_time: float,
    brain: np.ndarray,
    given_reference: np.ndarray | None,
    frames: Frames,
    fit: Leakage | None = None,
    **run,
) -> Walk:
    """Walks over the brain's voxels, or over the sample of blocks that ``run`` asks ``for_blocks`` for.

    echoes: the series ``(time, voxel)``, and the earlier echo's; echo_time: s; brain, given_reference: bool
    ``(voxel,)``; without a given reference every voxel that does not enhance is one. fit: whose products are taken;
    without it only valid, reference and the curves are found.
    """
    baseline = slice(frames.steady_state, frames.bolus_arrival)
    length = frames.bolus_arrival - frames.steady_state
    slope = np.arange(length) - (length - 1) / 2
    rows = np.zeros((4, frames.count))
    rows[0] = 1  # not finite where any frame is not
    rows[1, baseline] = 1 / length
    rows[2, -TAIL:] = 1 / TAIL
    rows[3, baseline] = slope / np.linalg.norm(slope)
    own = rows.astype(np.float32)
    both = own if fit is None else padded(np.concatenate([rows, for_logs(fit.rows, frames, echo_time)]))
    steepest = steepest_slope(length)

    several = fit is not None and len(fit.rates) > 1
    maps = np.empty((5, 0 if fit is None else brain.size), np.float32)
    found = Walk(*np.zeros((3, brain.size), bool), *maps, np.zeros(brain.size, np.uint8) if several else 0)
    for voxels in blocks(brain.size):
        if not brain[voxels].any():
            maps[:, voxels] = np.nan
    sums = {}

    def work(voxels: slice, *scratch: np.ndarray) -> None:
        logs = log_signal(echoes[0][:, voxels], scratch[0])
        if len(echoes) == 2:
            logs -= log_signal(echoes[1][:, voxels], scratch[1])
        total, level, tail, slope, *products = project(both, logs)
        noise = _noise(logs[baseline], level)
        finite = np.isfinite(total)
        usable = finite & brain[voxels]
        found.valid[voxels] = usable
        if fit is not None:
            across = products[2]
            if several:
                across, number = fit.choose(products[2 : 2 + len(fit.rates)], noise / np.float32(echo_time))
                found.number[voxels] = number
            maps[:, voxels] = noise / np.float32(echo_time), level, products[0], products[1], across
            if not usable.all():
                maps[:, voxels][:, ~usable] = np.nan
            found.drifting[voxels] = usable & (np.abs(slope) > steepest * noise)
        if len(echoes) == 2:  # T1 enhancement shows in the first echo, not in the ratio of the echoes
            _, level, tail, _ = project(own, scratch[1])
            noise = _noise(scratch[1][baseline], level)
            if fit is not None:
                found.level[voxels] = level
        chosen = usable & (tail - level <= noise if given_reference is None else given_reference[voxels])
        found.reference[voxels] = chosen
        if not finite.all():
            logs[:, ~finite] = 0
        sums[voxels.start] = weighted_sums(logs, np.array([chosen, usable], np.float32))

    for_blocks(work, brain, frames.count, scratches=len(echoes), **run)
    totals = np.sum([sums[start] for start in sorted(sums)], axis=0)
    reference, mean = (totals / np.maximum([found.reference.sum(), found.valid.sum()], 1)).T
    found.reference_curve = -(reference - reference[baseline].mean()) / echo_time
    found.brain_curve = np.exp(mean)
    return found


def for_logs(weights: np.ndarray, frames: Frames, echo_time: float) -> np.ndarray:
    """Weights on dR2* ``(..., time)`` as weights on ln S: dR2* = -(ln S - mean of ln S over the baseline) / TE."""
    weights = weights.copy()
    length = frames.bolus_arrival - frames.steady_state
    weights[..., frames.steady_state : frames.bolus_arrival] -= weights.sum(axis=-1, keepdims=True) / length
    return -weights / echo_time


def _noise(baseline: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Standard deviation of ln S ``(time, n)`` around its mean ``(n,)``."""
    deviation = baseline - level
    noise = np.sqrt(np.einsum("tv,tv->v", deviation, deviation) / (len(baseline) - 1))
    return np.maximum(noise, NOISE_FLOOR, out=noise)
