"""An arterial input found in the series itself, for deconvolution; relative blood volume needs none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..measures import InputError, Message
from .blocks import as_frames, for_blocks, log_signal, padded, project
from .bolus import Frames
from .checks import check_echo_time, check_series, flat_mask

LARGEST_AREA = 0.1  # share of the brain with the largest area under the curve that arteries are looked for in
CLEAREST = 0.75  # share of those that is kept for their little noise
CLUSTERS = 5
ROUNDS = 50  # of k-means at most
WINDOW = 1, 12  # frames before and after bolus arrival in which shapes are compared
FEWEST = 50  # candidates
MOST = 5000  # candidates; more are thinned out evenly
DARKEST = 3.0  # deepest signal in standard deviations of the baseline: below it the artery is saturated
LEAST_HEIGHT = 2.0  # peak of an artery in peaks of the brain's curve: below it, it is tissue; this library's choice


@dataclass(frozen=True)
class ArterialInput:
    """curve: mean dR2* in 1/s of the arterial voxels ``(time,)``; mask: those voxels; flags: what to know about it."""

    curve: np.ndarray
    mask: np.ndarray
    flags: tuple[Message, ...]


def arterial_input(
    signal: np.ndarray,
    *,
    echo_time: float,
    frames: Frames,
    brain_mask: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    threads: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> ArterialInput:
    """The arterial input of a series: found, or the mean over the given mask.

    signal: ``(time, ...)``; echo_time: s; frames: of ``relative_cbv``; brain_mask, mask: bool, ``signal.shape[1:]``.

    After Mouridsen 2006 (doi 10.1002/mrm.20759): of the brain voxels with the largest area under the dR2*
    curve (10 %) the noisiest quarter is dropped, the curves around the bolus are brought to unit area and sorted into
    five clusters; the cluster with the smallest first moment is kept, sorted once more, and averaged. Noise is that of
    the baseline against the peak (Mouridsen takes the curvature, which is large in the narrow curves of arteries too).
    Voxels whose signal drops into the noise are left out: their curves are cut off.

    Raises InputError: ``dsc_signal_type``, ``dsc_echo_time``, ``perfusion_mask_shape``, ``arterial_not_found``.
    """
    signal = check_series(signal)
    check_echo_time(echo_time)
    shape = signal.shape[1:]
    series = as_frames(signal)
    brain = flat_mask(brain_mask, shape, "brain_mask")
    if mask is not None:
        chosen = flat_mask(mask, shape, "mask")
        curves = _curves(series, np.flatnonzero(chosen), frames, echo_time)
        return _mean(curves, np.flatnonzero(chosen), shape, echo_time)
    area = np.full(brain.size, -np.inf, np.float32)
    row = np.zeros((1, frames.count))
    row[0, frames.bolus_arrival : frames.first_pass_end] = -1
    before = slice(frames.steady_state, frames.bolus_arrival)
    row[0, before] = (frames.first_pass_end - frames.bolus_arrival) / (before.stop - before.start)
    rows = padded(row)

    def work(voxels: slice, scratch: np.ndarray) -> None:
        area[voxels] = project(rows, log_signal(series[:, voxels], scratch))[0]

    for_blocks(work, brain, frames.count, threads=threads, cancelled=cancelled, progress=progress)
    area[~(brain & np.isfinite(area))] = -np.inf
    usable = np.count_nonzero(area > 0)
    count = max(int(LARGEST_AREA * usable), min(FEWEST, usable))
    if count < CLUSTERS:
        raise InputError("arterial_not_found", candidates=count)
    voxels = np.sort(np.argpartition(-area, count - 1)[:count])
    voxels = voxels[:: -(-voxels.size // MOST)]
    curves = _curves(series, voxels, frames, echo_time)
    depth = np.exp(-echo_time * curves[:, frames.bolus_arrival : frames.first_pass_end].max(axis=1))
    noise = curves[:, before].std(axis=1) * echo_time
    clear = np.isfinite(depth) & (depth > DARKEST * noise)
    voxels, curves = voxels[clear], curves[clear]
    quiet = np.argsort(noise[clear] / curves.max(axis=1), kind="stable")[: int(np.ceil(CLEAREST * voxels.size))]
    voxels, curves = voxels[quiet], curves[quiet]
    for _ in range(2):
        if voxels.size < 2 * CLUSTERS:
            break
        first = _earliest(_shapes(curves, frames))
        voxels, curves = voxels[first], curves[first]
    if voxels.size == 0:
        raise InputError("arterial_not_found", candidates=0)
    return _mean(curves, voxels, shape, echo_time)


def arterial_doubts(artery: ArterialInput, tissue_curve: np.ndarray, frames: Frames) -> tuple[Message, ...]:
    """Why an arterial input that was found is not to be trusted; empty where nothing speaks against it.

    tissue_curve: mean dR2* of brain in 1/s ``(time,)``. An artery is seen before the tissue that it feeds, for a
    shorter time and far more strongly: its first pass must begin no later (time of half the peak), last no longer
    (width at half the peak) and rise to at least twice the tissue's peak. It must come from several voxels.
    """
    arterial, tissue = _half_heights(artery.curve, frames), _half_heights(tissue_curve, frames)
    found = list(artery.flags)
    if arterial[1] > tissue[1]:
        found.append(Message("arterial_late", {"frames": round(arterial[1] - tissue[1], 1)}))
    if arterial[2] > tissue[2]:
        found.append(Message("arterial_broad", {"frames": round(arterial[2] - tissue[2], 1)}))
    if arterial[0] < LEAST_HEIGHT * tissue[0]:
        found.append(Message("arterial_low", {"times": round(arterial[0] / tissue[0], 1), "needed": LEAST_HEIGHT}))
    return tuple(found)


def _half_heights(curve: np.ndarray, frames: Frames) -> tuple[float, float, float]:
    """Peak of the first pass, frame in which half of it is reached, and width at that height in frames."""
    peak = frames.bolus_arrival + int(np.argmax(curve[frames.bolus_arrival : frames.first_pass_end]))
    half = curve[peak] / 2
    before, after = peak, peak
    while before > 0 and curve[before - 1] > half:
        before -= 1
    while after < curve.size - 1 and curve[after + 1] > half:
        after += 1
    rise = before - (curve[before] - half) / (curve[before] - curve[before - 1]) if before > 0 else 0.0
    fall = after + (curve[after] - half) / (curve[after] - curve[after + 1]) if after < curve.size - 1 else after
    return float(curve[peak]), float(rise), float(fall - rise)


def _curves(series: np.ndarray, voxels: np.ndarray, frames: Frames, echo_time: float) -> np.ndarray:
    """dR2* in 1/s ``(n, time)`` of the voxels, NaN where the signal is not above zero."""
    with np.errstate(all="ignore"):
        logs = np.log(series[:, voxels].astype(float))
        change = -(logs - logs[frames.steady_state : frames.bolus_arrival].mean(axis=0)) / echo_time
    change[:, ~np.isfinite(change).all(axis=0)] = np.nan
    return change.T


def _shapes(curves: np.ndarray, frames: Frames) -> np.ndarray:
    """The curves around the bolus brought to unit area ``(n, frames of the window)``."""
    window = curves[:, max(frames.bolus_arrival - WINDOW[0], 0) : frames.bolus_arrival + WINDOW[1] + 1]
    area = window.sum(axis=1, keepdims=True)
    return window / np.where(area > 0, area, np.inf)


def _earliest(shapes: np.ndarray) -> np.ndarray:
    """Which curves belong to the k-means cluster with the smallest first moment; starts from groups of like moments."""
    moment = shapes @ np.arange(shapes.shape[1])
    groups = np.array_split(np.argsort(moment, kind="stable"), CLUSTERS)
    centres = np.stack([shapes[group].mean(axis=0) for group in groups])
    label = np.full(len(shapes), -1)
    for _ in range(ROUNDS):
        before = label
        label = ((shapes[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        if np.array_equal(label, before):
            break
        for number in np.unique(label):
            centres[number] = shapes[label == number].mean(axis=0)
    return label == min(np.unique(label), key=lambda number: moment[label == number].mean())


def _mean(curves: np.ndarray, voxels: np.ndarray, shape: tuple[int, ...], echo_time: float) -> ArterialInput:
    """The mean of the finite curves. Raises InputError ``arterial_not_found``."""
    finite = np.isfinite(curves).all(axis=1)
    if not finite.any():
        raise InputError("arterial_not_found", candidates=0)
    curve = curves[finite].mean(axis=0)
    chosen = np.zeros(int(np.prod(shape)), bool)
    chosen[voxels[finite]] = True
    few = int(np.count_nonzero(finite))
    flags = (Message("arterial_few_voxels", {"voxels": few}),) if few < CLUSTERS else ()
    return ArterialInput(curve, chosen.reshape(shape), flags)
