"""Which frames of a DSC series are steady state, baseline and bolus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from ..measures import InputError

FEWEST_BASELINE = 3  # frames; the smallest baseline of the FAIR DSC toolbox (Peruzzo 2011) too
TAIL = 10  # last frames in which enhancement is looked for (Boxerman 2006, AJNR 27:859)
RISE = 0.03  # share of the peak that the brain curve has risen by at arrival: this library's definition
NOISE_TIMES = 10  # a bolus is a peak this many times the noise of the brain curve: this library's definition
SMALLEST_PEAK = 0.01  # relative signal drop of the brain curve below which nothing is called a bolus


@dataclass(frozen=True)
class Frames:
    """Frame numbers (from 0): the baseline is ``[steady_state, bolus_arrival)``.

    steady_state: first frame in the steady state; bolus_arrival: first frame after the baseline, one before contrast is
    seen in the brain curve; peak: deepest signal; first_pass_end: the first frame after the first pass; count: number
    of frames.
    """

    steady_state: int
    bolus_arrival: int
    peak: int
    first_pass_end: int
    count: int


def find_frames(
    brain_signal: np.ndarray, *, steady_state: int | None = None, bolus_arrival: int | None = None
) -> Frames:
    """The frames of a series from its mean brain signal ``(time,)``; what is given is kept.

    The bolus is the deepest drop of the signal after a median of three frames. Arrival is the last frame before it at
    which -ln(signal) has risen by less than 3 % of the peak (or 3 times the noise), one frame earlier where the
    baseline allows, so that contrast that a voxel sees before the brain's mean stays out of the baseline. Leading
    frames that differ from the later baseline by more than 5 times its noise are not in the steady state. The first
    pass ends at the lowest point between the peak and where the curve rises again.

    Raises InputError: ``dsc_too_few_frames``, ``dsc_signal_not_positive``, ``dsc_no_bolus``, ``dsc_bolus_at_start``,
    ``dsc_bolus_at_end``, ``dsc_frames_order`` (given frames that leave no baseline or lie outside the series).
    """
    signal = np.asarray(brain_signal, dtype=float)
    count = signal.size
    fewest = FEWEST_BASELINE + 2 + TAIL
    if count < fewest:
        raise InputError("dsc_too_few_frames", frames=count, needed=fewest)
    if not (np.all(np.isfinite(signal)) and np.all(signal > 0)):
        raise InputError("dsc_signal_not_positive")
    curve = -np.log(signal)
    smooth = median_filter(curve, 3, mode="nearest")
    peak = 2 + int(np.argmax(smooth[2:]))
    if bolus_arrival is None:
        bolus_arrival = _arrival(curve, smooth, peak)
        if bolus_arrival - (steady_state or 0) < FEWEST_BASELINE:
            raise InputError("dsc_bolus_at_start", frame=bolus_arrival, needed=FEWEST_BASELINE)
        if bolus_arrival > count - 2 - TAIL:
            raise InputError("dsc_bolus_at_end", frame=peak, frames=count, needed=TAIL)
    if steady_state is None:
        steady_state = _steady_state(curve, bolus_arrival)
    if steady_state < 0 or bolus_arrival - steady_state < FEWEST_BASELINE or bolus_arrival > count - 2 - TAIL:
        raise InputError(
            "dsc_frames_order", steady_state=steady_state, bolus_arrival=bolus_arrival, frames=count,
            needed=FEWEST_BASELINE,
        )  # fmt: skip
    peak = bolus_arrival + int(np.argmax(smooth[bolus_arrival:]))
    level = float(np.median(curve[steady_state:bolus_arrival]))
    half = level + (smooth[peak] - level) / 2
    fallen = np.flatnonzero(smooth[peak:] < half)
    if fallen.size == 0 or count - peak < TAIL + 1:
        raise InputError("dsc_bolus_at_end", frame=peak, frames=count, needed=TAIL)
    first = peak + int(fallen[0])
    rising = np.flatnonzero(np.diff(smooth[first:]) > 0)
    return Frames(steady_state, bolus_arrival, peak, first + (int(rising[0]) if rising.size else 0) + 1, count)


def _arrival(curve: np.ndarray, smooth: np.ndarray, peak: int) -> int:
    """The first frame after the baseline. Raises InputError ``dsc_no_bolus``, ``dsc_bolus_at_start``."""
    wobble = 1.4826 * float(np.median(np.abs(np.diff(curve)))) / np.sqrt(2)
    drop = float(smooth[peak] - np.median(smooth))
    if drop < max(SMALLEST_PEAK, NOISE_TIMES * wobble):
        raise InputError("dsc_no_bolus", drop=round(100 * max(drop, 0.0), 1))
    lowest = float(smooth[1:peak].min()) if peak > 1 else float(smooth[0])
    before = np.flatnonzero(smooth[:peak] <= (lowest + smooth[peak]) / 2)
    if before.size == 0 or before[-1] <= FEWEST_BASELINE:
        raise InputError("dsc_bolus_at_start", frame=peak, needed=FEWEST_BASELINE)
    quiet = curve[: before[-1] + 1]
    level = float(np.median(quiet))
    height = float(smooth[peak]) - level
    noise = min(1.4826 * float(np.median(np.abs(quiet - level))), RISE * height)
    at_rest = np.flatnonzero(quiet <= level + max(RISE * height, 3 * noise))
    arrival = int(at_rest[-1]) + 1
    return arrival - 1 if arrival > FEWEST_BASELINE else arrival


def _steady_state(curve: np.ndarray, bolus_arrival: int) -> int:
    """The first frame of the baseline that agrees with the later half of the baseline."""
    later = curve[bolus_arrival // 2 : bolus_arrival]
    level = float(np.median(later))
    noise = max(1.4826 * float(np.median(np.abs(later - level))), 1e-3)
    differs = np.abs(curve[: bolus_arrival - FEWEST_BASELINE] - level) > 5 * noise
    return int(np.argmin(differs)) if differs.size and not differs.all() else int(differs.size)
