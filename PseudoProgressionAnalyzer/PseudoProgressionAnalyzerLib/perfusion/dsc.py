"""Relative cerebral blood volume (rCBV) from a DSC series, corrected for contrast agent leakage.

The corrected rCBV is linear in the logarithm of the signal once the reference curve is known, so that the whole map is
two passes over the series: one that finds the reference curve, one that multiplies ln S with a few rows of weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..measures import InputError, Message
from .blocks import as_frames, for_blocks, log_signal, project, weighted_sums
from .bolus import TAIL, Frames, find_frames

MODELS = ("unidirectional",)
LONGEST_ECHO_TIME = 0.5  # s; DSC uses 0.02 to 0.05 s (Boxerman 2020, Neuro-Oncology 22:1262): above it was given in ms
SHORTEST_ECHO_TIME = 0.001  # s
LONGEST_FRAME_SPACING = 20.0  # s; above it was given in ms
SHORTEST_FRAME_SPACING = 0.05  # s
BRAIN_SHARE = 0.25  # of the 98th percentile of the signal: what counts as head when no brain mask is given
FEWEST_REFERENCE = 0.01  # share of the brain below which no reference curve is taken
SMALL_REFERENCE = 0.1  # share of the brain below which the reference is flagged
NOISE_FLOOR = 1e-4  # relative noise of a baseline that shows none (rounding)
LARGEST_ERROR = 0.5  # standard error of the corrected CBV, in units of the reference tissue's CBV
CURVE_VOXELS = 256, 64  # voxels per piece, pieces: the sample that the brain curve is the mean of


@dataclass(frozen=True)
class RelativeCBV:
    """Maps of shape ``signal.shape[1:]`` (float32; NaN where nothing could be measured) and where they come from.

    cbv: leakage-corrected integral of dR2* from bolus arrival to the last frame used (1/s times s, so without unit;
    relative: only ratios have a meaning); cbv_uncorrected: the same integral as measured. k1: how much of the reference
    curve the voxel holds; k2 (1/s): leakage, positive where T1 shortening prevails, negative where T2* does; k1_error,
    k2_error, cbv_error: standard errors from the voxel's own baseline noise. frames: see ``Frames``;
    frame_spacing: s. brain_curve: mean signal of the brain ``(time,)``; reference_curve: mean dR2* of the reference
    voxels in 1/s ``(time,)``; reference_mask, brain_mask, quality: bool maps, quality True = trustworthy. flags: what a
    reader should know.
    """

    cbv: np.ndarray
    cbv_uncorrected: np.ndarray
    k1: np.ndarray
    k2: np.ndarray
    k1_error: np.ndarray
    k2_error: np.ndarray
    cbv_error: np.ndarray
    frames: Frames
    frame_spacing: float
    brain_curve: np.ndarray
    reference_curve: np.ndarray
    reference_mask: np.ndarray
    brain_mask: np.ndarray
    quality: np.ndarray
    model: str
    flags: tuple[Message, ...]


def relative_cbv(
    signal: np.ndarray,
    *,
    echo_time: float,
    repetition_time: float,
    brain_mask: np.ndarray | None = None,
    reference_mask: np.ndarray | None = None,
    model: str = "unidirectional",
    steady_state: int | None = None,
    bolus_arrival: int | None = None,
    threads: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> RelativeCBV:
    """Leakage-corrected relative CBV of a single-echo gradient-echo series.

    signal: ``(time, ...)``, any real numeric type, fastest when the time axis is the slowest in memory. echo_time: s.
    repetition_time: s between two frames. brain_mask, reference_mask: bool, shape ``signal.shape[1:]``; without a brain
    mask every voxel above a quarter of the bright tissue counts (flagged). steady_state, bolus_arrival: frame numbers
    that replace those found. cancelled and progress (0 to 1) are called from the calling thread.

    dR2*(t) = -ln(S(t)/S_baseline)/TE, negative values kept: they are the T1 leakage. S_baseline is the geometric mean
    of the baseline frames. Reference curve: the mean dR2* of the reference voxels, by default all brain voxels whose
    mean signal over the last 10 frames is not more than one standard deviation above their baseline (Boxerman 2006,
    AJNR 27:859: non-enhancing brain; one-sided). Leakage (the same source)::

        dR2*(t) = k1 ref(t) - k2 Int_0^t ref(t') dt'
        cbv     = Int_0^T dR2* dt + k2 Int_0^T Int_0^t ref(t') dt' dt

    by linear least squares over the frames from bolus arrival on, integrals by the trapezoid rule.

    Raises InputError: ``dsc_echo_time``, ``dsc_repetition_time``, ``dsc_model``, ``dsc_signal_type``,
    ``perfusion_mask_shape``, ``dsc_no_brain``, ``dsc_no_reference``, ``dsc_reference_flat`` and those of
    ``find_frames``.
    Raises concurrent.futures.CancelledError when cancelled() is true.
    """
    signal = np.asarray(signal)
    _check_times(echo_time, repetition_time)
    if model not in MODELS:
        raise InputError("dsc_model", model=model, known=", ".join(MODELS))
    if signal.ndim < 2 or signal.size == 0 or signal.dtype.kind not in "iuf":
        raise InputError("dsc_signal_type", shape=str(signal.shape), type=str(signal.dtype))
    shape = signal.shape[1:]
    flags = []
    series = as_frames(signal)
    if brain_mask is None:
        brain = _head(series)
        flags.append(Message("dsc_brain_by_threshold"))
    else:
        brain = _mask(brain_mask, shape, "brain_mask")
    given_reference = None if reference_mask is None else _mask(reference_mask, shape, "reference_mask")
    if not brain.any():
        raise InputError("dsc_no_brain")
    curve = brain_curve(series, brain)
    frames = find_frames(curve, steady_state=steady_state, bolus_arrival=bolus_arrival)
    run = {"threads": threads, "cancelled": cancelled}
    halves = [None, None] if progress is None else [lambda x: progress(x / 2), lambda x: progress(0.5 + x / 2)]

    valid, noise, reference, reference_signal = _first_pass(
        series, brain, given_reference, frames, progress=halves[0], **run
    )
    _check_reference(reference, valid, brain, given_reference, flags)
    baseline = slice(frames.steady_state, frames.bolus_arrival)
    reference_curve = -(reference_signal - reference_signal[baseline].mean()) / echo_time
    weights = _weights(reference_curve, frames, repetition_time)
    rows = _rows(weights, frames, echo_time)

    maps = np.full((4, brain.size), np.nan, np.float32)

    def second_pass(voxels: slice, scratch: np.ndarray) -> None:
        maps[:, voxels] = project(rows, log_signal(series[:, voxels], scratch))

    for_blocks(second_pass, brain, frames.count, progress=halves[1], **run)
    maps[:, ~valid] = np.nan
    spread = np.linalg.norm(rows.astype(np.float64), axis=1).astype(np.float32)
    cbv_error = noise * spread[1]
    reference_cbv = float(np.mean(maps[1][reference], dtype=np.float64))
    quality = valid & (cbv_error <= LARGEST_ERROR * abs(reference_cbv))
    if np.count_nonzero(valid) < np.count_nonzero(brain):
        flags.append(Message("dsc_voxels_without_signal", {"voxels": int(np.count_nonzero(brain & ~valid))}))
    cbv_uncorrected, cbv, k1, k2 = (one.reshape(shape) for one in maps)
    return RelativeCBV(
        cbv=cbv,
        cbv_uncorrected=cbv_uncorrected,
        k1=k1,
        k2=k2,
        k1_error=(noise * spread[2]).reshape(shape),
        k2_error=(noise * spread[3]).reshape(shape),
        cbv_error=cbv_error.reshape(shape),
        frames=frames,
        frame_spacing=float(repetition_time),
        brain_curve=curve,
        reference_curve=reference_curve,
        reference_mask=reference.reshape(shape),
        brain_mask=brain.reshape(shape),
        quality=quality.reshape(shape),
        model=model,
        flags=tuple(flags),
    )


def brain_curve(series: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Mean signal ``(time,)`` of brain voxels, from a sample of up to 16384 voxels spread evenly over the brain.

    series: ``(time, voxel)``; brain: bool ``(voxel,)``. Voxels with a signal that is not finite or not above zero are
    left out. Raises InputError ``dsc_no_brain`` when none is left.
    """
    length, most = CURVE_VOXELS
    starts = np.unique(np.flatnonzero(brain) // length)
    total = np.zeros(series.shape[0])
    count = 0
    for start in length * starts[:: max(1, starts.size // most)]:
        block = series[:, start : start + length][:, brain[start : start + length]].astype(np.float32)
        usable = np.all((block > 0) & np.isfinite(block), axis=0)
        total += block[:, usable].sum(axis=1, dtype=np.float64)
        count += int(np.count_nonzero(usable))
    if count == 0:
        raise InputError("dsc_no_brain")
    return total / count


def _first_pass(series, brain, given_reference, frames, **run):
    """Which voxels are valid, their baseline noise (relative), the reference voxels and their mean ln S."""
    count = frames.count
    baseline = slice(frames.steady_state, frames.bolus_arrival)
    rows = np.zeros((3, count), np.float32)
    rows[0] = 1  # not finite where any frame is not
    rows[1, baseline] = 1 / (frames.bolus_arrival - frames.steady_state)
    rows[2, -TAIL:] = 1 / TAIL
    valid = np.zeros(brain.size, bool)
    reference = np.zeros(brain.size, bool)
    noise = np.full(brain.size, np.nan, np.float32)
    sums = {}

    def work(voxels: slice, scratch: np.ndarray) -> None:
        logs = log_signal(series[:, voxels], scratch)
        anything, level, tail = project(rows, logs)
        usable = np.isfinite(anything) & brain[voxels]
        deviation = logs[baseline] - level
        spread = np.sqrt(np.einsum("tv,tv->v", deviation, deviation) / (deviation.shape[0] - 1))
        np.maximum(spread, NOISE_FLOOR, out=spread)
        chosen = usable & (tail - level <= spread) if given_reference is None else usable & given_reference[voxels]
        if not np.all(np.isfinite(anything)):
            logs[:, ~np.isfinite(anything)] = 0
        sums[voxels.start] = weighted_sums(logs, np.stack([chosen, usable]).astype(np.float32))[:, 0]
        valid[voxels], reference[voxels] = usable, chosen
        noise[voxels] = np.where(usable, spread, np.nan)

    for_blocks(work, brain, count, **run)
    total = np.sum([sums[start] for start in sorted(sums)], axis=0)
    return valid, noise, reference, total / max(int(np.count_nonzero(reference)), 1)


def _weights(reference_curve: np.ndarray, frames: Frames, spacing: float) -> np.ndarray:
    """Rows ``(4, time)`` that turn dR2*(t) into uncorrected CBV, corrected CBV, k1 and k2 (float64)."""
    count, arrival = frames.count, frames.bolus_arrival
    trapezoid = np.zeros(count)
    trapezoid[arrival:] = spacing
    trapezoid[[arrival, -1]] /= 2
    leak = np.zeros(count)
    bolus = reference_curve[arrival:]
    leak[arrival + 1 :] = np.cumsum((bolus[1:] + bolus[:-1]) / 2) * spacing
    if not trapezoid @ reference_curve > 0:
        raise InputError("dsc_reference_flat")
    fit = np.zeros((2, count))
    fit[:, arrival:] = np.linalg.pinv(np.stack([bolus, -leak[arrival:]], axis=1))
    return np.stack([trapezoid, trapezoid + (trapezoid @ leak) * fit[1], fit[0], fit[1]])


def _rows(weights: np.ndarray, frames: Frames, echo_time: float) -> np.ndarray:
    """The same rows for ln S: dR2* = -(ln S - mean of ln S over the baseline) / TE, float32."""
    rows = weights.copy()
    baseline = slice(frames.steady_state, frames.bolus_arrival)
    rows[:, baseline] -= weights.sum(axis=1, keepdims=True) / (frames.bolus_arrival - frames.steady_state)
    return (-rows / echo_time).astype(np.float32)


def _head(series: np.ndarray) -> np.ndarray:
    """Voxels brighter than a quarter of the series' bright tissue (98th percentile), from eight frames."""
    frames = np.unique(np.linspace(0, series.shape[0] - 1, 8).astype(int))
    image = np.nan_to_num(series[frames].mean(axis=0, dtype=np.float32), nan=0, posinf=0, neginf=0)
    positive = image[image > 0]
    return image > BRAIN_SHARE * np.percentile(positive, 98) if positive.size else np.zeros(image.size, bool)


def _mask(mask: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    """A mask of the series' shape as flat bool. Raises InputError ``perfusion_mask_shape``."""
    mask = np.asarray(mask)
    if mask.shape != shape:
        raise InputError("perfusion_mask_shape", field=name, shape=str(mask.shape), expected=str(shape))
    return mask.astype(bool).ravel()


def _check_times(echo_time: float, repetition_time: float) -> None:
    if not SHORTEST_ECHO_TIME <= echo_time <= LONGEST_ECHO_TIME:
        raise InputError("dsc_echo_time", field="EchoTime", value=echo_time)
    if not SHORTEST_FRAME_SPACING <= repetition_time <= LONGEST_FRAME_SPACING:
        raise InputError("dsc_repetition_time", field="RepetitionTime", value=repetition_time)


def _check_reference(reference, valid, brain, given, flags) -> None:
    """Raises InputError ``dsc_no_brain``, ``dsc_no_reference``; flags a small reference."""
    voxels, usable = int(np.count_nonzero(reference)), int(np.count_nonzero(valid))
    if usable == 0:
        raise InputError("dsc_no_brain")
    if voxels == 0 or (given is None and voxels < FEWEST_REFERENCE * usable):
        raise InputError("dsc_no_reference", voxels=voxels, brain=usable)
    if given is None and voxels < SMALL_REFERENCE * usable:
        percent = round(100 * voxels / usable, 1)
        flags.append(Message("dsc_reference_small", {"voxels": voxels, "percent": percent}))
