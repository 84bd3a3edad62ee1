"""Relative cerebral blood volume (rCBV) from a DSC series, corrected for contrast agent leakage.

The corrected rCBV is linear in the logarithm of the signal once the reference curve is known: ln S times a few rows of
weights. The reference curve is the mean of voxels that are only known once the series was walked over. So a sample of
blocks gives a first curve, one walk over the series takes the products with its weights and the mean of all reference
voxels, and the fits are then turned to that mean (``Leakage.solve``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..measures import InputError, Message
from .blocks import as_frames
from .bolus import Frames, find_frames
from .checks import check_echo_time, check_frame_spacing, check_option, check_series, flat_mask
from .leakage import EXCHANGE_RATES, Leakage, leakage
from .quality import moved_frames, untrusted_voxels
from .walk import Walk, for_logs, walk

MODELS = {"unidirectional": EXCHANGE_RATES[:1], "bidirectional": EXCHANGE_RATES}
INTEGRALS = ("full", "first_pass")
HEAD_SHARE = 0.25  # of the 98th percentile of the signal: what counts as head when no brain mask is given
FEWEST_REFERENCE = 0.01  # share of the brain below which no reference curve is taken
SMALL_REFERENCE = 0.1  # share of the brain below which the reference is flagged
MOST_NAMED = 10  # frames that a message lists
SAMPLE = 256, 16  # voxels per piece, pieces: what bolus and motion are looked for in
SAMPLE_BLOCKS = {"size": 1024, "most": 32}  # voxels that the first estimate of the reference curve is taken from
SAMPLE_REFERENCE = 1000  # reference voxels; with fewer in the sample it is taken from all blocks
SAME_CURVE = 0.01  # of the curve: difference in shape of the two estimates above which the series is walked over again


@dataclass(frozen=True)
class RelativeCBV:
    """Maps of shape ``signal.shape[1:]`` (float32; NaN where nothing could be measured) and where they come from.

    cbv: leakage-corrected integral of dR2* from bolus arrival on (1/s times s, so without unit; relative: only ratios
    have a meaning); cbv_uncorrected: the same integral as measured. k1: how much of the reference curve the voxel
    holds; k2 (1/s): leakage, positive where T1 shortening prevails, negative where T2* does. noise: standard deviation
    of dR2* over the baseline, 1/s. baseline: signal before the bolus.

    frames: see ``Frames``; frame_spacing and echo_time (of two echoes their difference): s. brain_curve: mean signal of
    the brain ``(time,)``, of two echoes of their ratio; reference_curve: mean dR2* of the reference voxels in 1/s
    ``(time,)``. reference_mask, brain_mask: bool; quality: bool, True = trustworthy; untrusted: why not, bool maps
    ``noise``, ``signal_loss``, ``baseline_drift``. rates: of return to the blood in 1/s; rate: which of them each voxel
    takes; errors_per_noise: ``(3, rates)``, standard errors of k1, k2 and cbv for a noise of 1 1/s. flags: what a
    reader should know.
    """

    cbv: np.ndarray
    cbv_uncorrected: np.ndarray
    k1: np.ndarray
    k2: np.ndarray
    rate: np.ndarray
    noise: np.ndarray
    baseline: np.ndarray
    frames: Frames
    frame_spacing: float
    echo_time: float
    brain_curve: np.ndarray
    reference_curve: np.ndarray
    reference_mask: np.ndarray
    brain_mask: np.ndarray
    quality: np.ndarray
    untrusted: dict[str, np.ndarray]
    rates: np.ndarray
    errors_per_noise: np.ndarray
    model: str
    integral: str
    flags: tuple[Message, ...]

    @property
    def kep(self) -> np.ndarray:
        """Rate of return to the blood in 1/s; 0 in the unidirectional model."""
        return self.rates[self.rate].astype(np.float32)

    @property
    def k1_error(self) -> np.ndarray:
        """Standard error of k1 from the voxel's baseline noise: a lower bound, as the bolus darkens the signal."""
        return self.noise * self.errors_per_noise[0, self.rate]

    @property
    def k2_error(self) -> np.ndarray:
        """Standard error of k2 in 1/s, as ``k1_error``."""
        return self.noise * self.errors_per_noise[1, self.rate]

    @property
    def cbv_error(self) -> np.ndarray:
        """Standard error of cbv, as ``k1_error``."""
        return self.noise * self.errors_per_noise[2, self.rate]


def relative_cbv(
    signal: np.ndarray,
    *,
    echo_time: float,
    repetition_time: float,
    brain_mask: np.ndarray | None = None,
    reference_mask: np.ndarray | None = None,
    model: str = "unidirectional",
    integral: str = "full",
    first_echo: tuple[np.ndarray, float] | None = None,
    steady_state: int | None = None,
    bolus_arrival: int | None = None,
    threads: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> RelativeCBV:
    """Leakage-corrected relative CBV of a gradient-echo series with one echo or two.

    signal: ``(time, ...)``, any real numeric type, fastest when the time axis is the slowest in memory. echo_time: s.
    repetition_time: s between two frames. brain_mask, reference_mask: bool, shape ``signal.shape[1:]``; without a brain
    mask every voxel above a quarter of the bright tissue counts (flagged). model: ``unidirectional`` or
    ``bidirectional``. integral: ``full`` to the last frame, or ``first_pass``. first_echo: signal and echo time (s) of
    the earlier echo of a dual-echo series. steady_state, bolus_arrival: frame numbers that replace those found.
    cancelled and progress (0 to 1) are called from the calling thread.

    dR2*(t) = -ln(S(t)/S_baseline)/TE, of two echoes -ln[(S2/S2_baseline)/(S1/S1_baseline)]/(TE2 - TE1), which no T1
    enters. Negative values are kept: they are the T1 leakage. S_baseline is the geometric mean of the baseline frames.
    Reference curve: the mean dR2* of the reference voxels, by default all brain voxels whose mean signal (of the first
    echo) over the last 10 frames is not more than one standard deviation above their baseline (Boxerman 2006, AJNR
    27:859: non-enhancing brain; one-sided). Leakage (the same source; kep = 0 in the unidirectional model)::

        dR2*(t) = k1 ref(t) - k2 Int_0^t ref(t') exp(-kep (t - t')) dt'
        cbv     = Int_0^T dR2* dt + k2 Int_0^T Int_0^t ref(t') exp(-kep (t - t')) dt' dt

    by linear least squares over the frames from bolus arrival on, integrals by the trapezoid rule. The bidirectional
    model (Leu 2016, AJNR) takes the kep of a grid that fits best, and kep = 0 where Akaike's criterion says that the
    voxel's noise does not bear the third parameter.

    Raises InputError: ``dsc_echo_time``, ``dsc_repetition_time``, ``perfusion_option``, ``dsc_signal_type``,
    ``dsc_echoes_shape``, ``perfusion_mask_shape``, ``dsc_no_brain``, ``dsc_no_reference``, ``dsc_reference_flat`` and
    those of ``find_frames``. Raises concurrent.futures.CancelledError when cancelled() is true.
    """
    signal = check_series(signal)
    shape = signal.shape[1:]
    check_echo_time(echo_time)
    check_frame_spacing(repetition_time)
    check_option("model", model, MODELS)
    check_option("integral", integral, INTEGRALS)
    echoes = [as_frames(signal)]
    if first_echo is not None:
        echoes.append(as_frames(_first_echo(first_echo, signal, echo_time)))
        echo_time = echo_time - first_echo[1]
    given_reference = None if reference_mask is None else flat_mask(reference_mask, shape, "reference_mask")
    flags = []
    if brain_mask is None:
        brain = _head(echoes[-1])
        flags.append(Message("dsc_brain_by_threshold"))
    else:
        brain = flat_mask(brain_mask, shape, "brain_mask")
    sample = _sample(echoes[0], brain)
    frames = find_frames(sample.mean(axis=1, dtype=np.float64), steady_state=steady_state, bolus_arrival=bolus_arrival)
    moved = moved_frames(np.log(sample), frames)
    if moved.size:
        some = ", ".join(map(str, moved[:MOST_NAMED])) + (" ..." if moved.size > MOST_NAMED else "")
        flags.append(Message("dsc_motion", {"count": moved.size, "frames": some}))

    last = frames.count if integral == "full" else frames.first_pass_end
    found, seen, fit = _walk_and_fit(
        (echoes, echo_time, brain, given_reference, frames),
        lambda curve: leakage(curve, frames, repetition_time, last, MODELS[model]),
        progress,
        {"threads": threads, "cancelled": cancelled},
    )
    k1, k2, cbv = fit.solve(found.uncorrected, found.along, found.across, found.number, seen)

    flags += _check_reference(found, given_reference)
    lost = int(np.count_nonzero(brain) - np.count_nonzero(found.valid))
    if lost:
        flags.append(Message("dsc_voxels_without_signal", {"voxels": lost}))
    errors = echo_time * np.linalg.norm(for_logs(fit.weights(), frames, echo_time), axis=2).T.astype(np.float32)
    reference_cbv = abs(float(np.mean(cbv, where=found.reference, dtype=np.float64)))
    relative_error = found.noise * errors[2, found.number] / reference_cbv
    untrusted = untrusted_voxels(relative_error, found.level, found.drifting)
    return RelativeCBV(
        cbv=cbv.reshape(shape),
        cbv_uncorrected=found.uncorrected.reshape(shape),
        k1=k1.reshape(shape),
        k2=k2.reshape(shape),
        rate=np.broadcast_to(found.number, brain.size).reshape(shape),
        noise=found.noise.reshape(shape),
        baseline=np.exp(found.level).reshape(shape),
        frames=frames,
        frame_spacing=float(repetition_time),
        echo_time=float(echo_time),
        brain_curve=found.brain_curve,
        reference_curve=found.reference_curve,
        reference_mask=found.reference.reshape(shape),
        brain_mask=brain.reshape(shape),
        quality=(found.valid & ~np.logical_or.reduce(list(untrusted.values()))).reshape(shape),
        untrusted={reason: one.reshape(shape) for reason, one in untrusted.items()},
        rates=fit.rates,
        errors_per_noise=errors,
        model=model,
        integral=integral,
        flags=tuple(flags),
    )


def _walk_and_fit(given, fit_to, progress, run) -> tuple[Walk, Leakage, Leakage]:
    """The walk over all voxels, the fit whose products it holds and the fit to the curve of all reference voxels."""
    given_reference = given[3]
    first = walk(*given, **SAMPLE_BLOCKS, progress=_part(progress, 0.0, 0.1), **run)
    if np.count_nonzero(first.reference) < SAMPLE_REFERENCE:
        first = walk(*given, progress=_part(progress, 0.1, 0.2), **run)
    _check_reference(first, given_reference)
    seen = fit_to(first.reference_curve)
    found = walk(*given, fit=seen, progress=_part(progress, 0.2, 0.9), **run)
    change = found.reference_curve - (found.reference_curve @ seen.along) * seen.along
    if np.linalg.norm(change[seen.along != 0]) > SAME_CURVE * np.linalg.norm(found.reference_curve):
        seen = fit_to(found.reference_curve)
        found = walk(*given, fit=seen, progress=_part(progress, 0.9, 1.0), **run)
    if progress is not None:
        progress(1.0)
    return found, seen, fit_to(found.reference_curve)


def _part(progress: Callable[[float], None] | None, start: float, end: float) -> Callable[[float], None] | None:
    """Progress of one part of the work as progress of the whole."""
    return None if progress is None else lambda fraction: progress(start + (end - start) * fraction)


def _sample(series: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Signals ``(time, n)`` of up to 4096 usable voxels spread evenly over the brain. Raises ``dsc_no_brain``."""
    length, most = SAMPLE
    starts = np.arange(0, brain.size, length)
    starts = starts[np.logical_or.reduceat(brain, starts)]
    starts = starts[:: max(1, -(-starts.size // most))]
    pieces = [series[:, start : start + length] for start in starts] or [series[:, :0]]
    inside = [brain[start : start + length] for start in starts] or [brain[:0]]
    sample = np.concatenate(pieces, axis=1).astype(np.float32)
    usable = np.concatenate(inside) & (sample.min(axis=0) > 0) & np.isfinite(sample.sum(axis=0))
    sample = sample if usable.all() else sample[:, usable]
    if sample.size == 0:
        raise InputError("dsc_no_brain")
    return sample


def _head(series: np.ndarray) -> np.ndarray:
    """Voxels brighter than a quarter of the series' bright tissue (98th percentile), from eight frames."""
    frames = np.unique(np.linspace(0, series.shape[0] - 1, 8).astype(int))
    image = np.nan_to_num(series[frames].mean(axis=0, dtype=np.float32), nan=0, posinf=0, neginf=0)
    positive = image[image > 0]
    return image > HEAD_SHARE * np.percentile(positive, 98) if positive.size else np.zeros(image.size, bool)


def _first_echo(first_echo: tuple[np.ndarray, float], signal: np.ndarray, echo_time: float) -> np.ndarray:
    """The earlier echo's signal. Raises InputError ``dsc_echoes_shape``, ``dsc_echo_time``."""
    first = check_series(first_echo[0])
    if first.shape != signal.shape:
        raise InputError("dsc_echoes_shape", first=str(first.shape), second=str(signal.shape))
    check_echo_time(first_echo[1])
    check_echo_time(echo_time - first_echo[1])
    return first


def _check_reference(found: Walk, given: np.ndarray | None) -> list[Message]:
    """A flag where the reference is small. Raises InputError ``dsc_no_brain``, ``dsc_no_reference``."""
    voxels, usable = int(np.count_nonzero(found.reference)), int(np.count_nonzero(found.valid))
    if usable == 0:
        raise InputError("dsc_no_brain")
    if voxels == 0 or (given is None and voxels < FEWEST_REFERENCE * usable):
        raise InputError("dsc_no_reference", voxels=voxels, brain=usable)
    if given is None and voxels < SMALL_REFERENCE * usable:
        return [Message("dsc_reference_small", {"voxels": voxels, "percent": round(100 * voxels / usable, 1)})]
    return []
