"""What single curves of a DSC series show: dR2*, signal recovery, peak height and the gamma-variate first pass.

Every function takes ``(time, ...)``: one curve, the mean curve of a region, or a whole series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.special import gammaln

from .blocks import BLOCK
from .bolus import TAIL, Frames
from .checks import check_echo_time, check_frame_spacing

FALL = 0.4  # of the peak: where the first pass is cut off against recirculation, this library's choice
ONSETS = 8  # arrival times that the gamma variate is tried with, two per frame before the peak's rise
LEAST_DEPTH = 3.0  # of the bolus in standard deviations of the baseline, below which recovery means nothing


def relaxation_change(signal: np.ndarray, frames: Frames, echo_time: float) -> np.ndarray:
    """dR2*(t) in 1/s, ``(time, ...)``, from the signal: -ln(S / S_baseline) / TE with the geometric mean baseline.

    NaN where the signal is not above zero. Negative values are kept. Raises InputError ``dsc_echo_time``.
    """
    check_echo_time(echo_time)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.asarray(signal, dtype=float))
    logs[~np.isfinite(logs)] = np.nan
    return -(logs - logs[frames.steady_state : frames.bolus_arrival].mean(axis=0)) / echo_time


def without_leakage(change, k2, kep, reference_curve: np.ndarray, frames: Frames, spacing: float) -> np.ndarray:
    """dR2*(t) in 1/s, ``(time, n)``, less the leakage that ``relative_cbv`` found: its integral is the corrected CBV.

    change: ``(time, n)`` in 1/s; k2, kep: ``(n,)`` in 1/s; reference_curve: ``(time,)`` in 1/s; spacing: s.
    """
    bolus = reference_curve[frames.bolus_arrival :]
    time = spacing * np.arange(bolus.size)
    grown = np.exp(np.outer(time, np.atleast_1d(kep)))
    leaked = cumulative_trapezoid(bolus[:, None] * grown, time, axis=0, initial=0) / grown
    corrected = np.array(change, dtype=float)
    corrected[frames.bolus_arrival :] += np.atleast_1d(k2) * leaked
    return corrected


@dataclass(frozen=True)
class Recovery:
    """Percent signal recovery (%), peak height (in units of the signal) and relative depth of the bolus, ``(...)``."""

    recovery: np.ndarray
    peak_height: np.ndarray
    depth: np.ndarray


def signal_recovery(signal: np.ndarray, frames: Frames) -> Recovery:
    """Percent signal recovery and peak height of uncorrected signal curves ``(time, ...)``.

    recovery = 100 (S_tail - S_min) / (S_baseline - S_min), peak_height = S_baseline - S_min, depth = peak_height /
    S_baseline, with the means of baseline and last ten frames and the minimum between bolus arrival and the end of the
    first pass. NaN where the bolus is not deeper than three standard deviations of the baseline. Noise deepens a
    minimum: take the mean curve of a region rather than the mean of its voxels. Recovery depends on preload, flip angle
    and echo time (Boxerman 2013, AJNR 34:1364) and must not be compared across protocols.
    """
    signal = np.asarray(signal)
    before = signal[frames.steady_state : frames.bolus_arrival]
    baseline = before.mean(axis=0, dtype=float)
    lowest = signal[frames.bolus_arrival : frames.first_pass_end].min(axis=0).astype(float)
    height = baseline - lowest
    seen = (height > LEAST_DEPTH * before.std(axis=0, ddof=1, dtype=float)) & (height > 0)
    height = np.where(seen, height, np.nan)
    tail = signal[-TAIL:].mean(axis=0, dtype=float)
    return Recovery(100 * (tail - lowest) / height, height, height / baseline)


@dataclass(frozen=True)
class FirstPass:
    """Gamma-variate fits ``(...)``; NaN where no fit was possible.

    area: integral of dR2* over the first pass alone (1/s times s); arrival, peak_time: s from the first frame;
    peak: dR2* in 1/s; shape, scale: of ``t^shape exp(-t/scale)``, scale in s.
    """

    area: np.ndarray
    arrival: np.ndarray
    peak_time: np.ndarray
    peak: np.ndarray
    shape: np.ndarray
    scale: np.ndarray


def gamma_variate(change: np.ndarray, frames: Frames, *, repetition_time: float) -> FirstPass:
    """First pass of dR2* curves ``(time, ...)`` in 1/s as a gamma variate, which leaves recirculation out.

    f(t) = K (t - t0)^a exp(-(t - t0)/b) (OSIPI CAPLEX M.DM1.006). For a given t0 its logarithm is linear in ln K, a and
    1/b and is fitted by least squares, weighted with the square of the curve (the noise of a logarithm), over the
    frames from t0 to where the curve has fallen to 40 % of its peak; t0 is the one of a grid that fits the curve
    best. Area: K b^(a+1) Gamma(a+1). Raises InputError ``dsc_repetition_time``.
    """
    check_frame_spacing(repetition_time)
    change = np.asarray(change)
    curves = change.reshape(change.shape[0], -1)
    parts = [_fit(curves[:, at : at + BLOCK], frames, repetition_time) for at in range(0, curves.shape[1], BLOCK)]
    return FirstPass(*(one.reshape(change.shape[1:]) for one in np.concatenate(parts, axis=1)))


def _fit(curves: np.ndarray, frames: Frames, spacing: float) -> np.ndarray:
    """The fields of ``FirstPass`` as rows ``(6, n)`` for curves ``(time, n)``."""
    first, last = frames.bolus_arrival - 1, min(frames.first_pass_end + TAIL, frames.count)
    values = curves[first:last].astype(float)
    values[:, ~np.isfinite(values).all(axis=0)] = 0
    peak = values[: frames.first_pass_end - first].argmax(axis=0)
    height = np.take_along_axis(values, peak[None], axis=0)[0]
    steps = np.arange(len(values))[:, None]
    low = values < FALL * height
    fallen = np.where((low & (steps > peak)).any(axis=0), (low & (steps > peak)).argmax(axis=0), len(values))
    foot = len(values) - (low & (steps < peak))[::-1].argmax(axis=0) - 1  # last frame below on the rise
    foot = np.where((low & (steps < peak)).any(axis=0), foot, 0)
    usable = (values > 0) & (steps < fallen) & (height > 0)
    logs = np.log(np.where(usable, values, 1))
    best = np.full(curves.shape[1], np.inf)
    found = np.full((6, curves.shape[1]), np.nan)
    for earlier in np.arange(ONSETS) / 2 - 0.5:
        onset = foot - earlier
        since = (steps - onset) * spacing
        weights = np.where(usable & (since > 0), values, 0) ** 2
        since = np.where(since > 0, since, 1)
        terms = np.stack([np.ones_like(since), np.log(since), -since])
        normal = np.einsum("atv,btv,tv->vab", terms, terms, weights)
        right = np.einsum("atv,tv,tv->va", terms, logs, weights)
        solvable = (weights > 0).sum(axis=0) >= 4
        normal[~solvable] = np.eye(3)
        normal += 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
        constant, shape, rate = np.linalg.solve(normal, right[..., None])[..., 0].T
        solvable &= (shape > 0) & (rate > 0)
        scale = 1 / np.where(solvable, rate, 1)
        shape = np.where(solvable, shape, 1)
        with np.errstate(over="ignore"):  # a model that explodes fits nothing
            model = np.exp(constant + shape * np.log(since) - since / scale)
        misfit = np.where(
            solvable, np.square(np.where(weights > 0, values - np.minimum(model, 1e6), 0)).sum(axis=0), np.inf
        )
        misfit /= np.maximum((weights > 0).sum(axis=0), 1)
        better = misfit < best
        best[better] = misfit[better]
        area = np.exp(constant + (shape + 1) * np.log(scale) + gammaln(shape + 1))
        top = np.exp(constant + shape * (np.log(shape * scale) - 1))
        start = (first + onset) * spacing
        found[:, better] = np.stack([area, start, start + shape * scale, top, shape, scale])[:, better]
    return found
