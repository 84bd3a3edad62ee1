"""Variable projection for many voxels at once.

Amplitudes and baseline are linear and are solved for at every step; the other parameters move by Levenberg-Marquardt
with the Jacobian projected off the amplitudes (Kaufman, BIT 1975;15:49; Golub and Pereyra, Inverse Probl 2003;19:R1).
All that a step needs is one matrix of products per voxel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from scipy import fft

from .model import GAUSS, LORENTZ, PHASE, PIVOT, SHARED, SHIFT, SKEW, SKEW_TIME, SLOPE, Model
from .nonnegative import solve

NARROWEST = 0.2  # Hz: of the Lorentzian
WIDEST, FURTHEST = 0.4, 0.5  # ppm: beyond these there is no spectrum to fit
MOST_SKEW = 1.0  # rad
FARTHEST_OWN = 4.0  # standard deviations that a metabolite's own shift may be off
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-2, 1e-6, 1e8
CONVERGED = 1e-4  # of the cost (which counts noise variances per degree of freedom)
ONE_THREAD = 250_000  # multiplications of a product that OpenBLAS does in the calling thread
NOTHING = 1e-60
LEAST_BIG = 0.02  # of all amplitudes: NAA + Cr + 3 Cho counts as no less
SCALE_FLOOR = 0.1  # of NAA + Cr + 3 Cho: smallest scale of a soft ratio


@dataclass
class State:
    """Where the fit of each voxel stands. phased and model spectra are real, over the window.

    products of columns, derivatives and data with one another, baseline taken out; inside: with the baseline's curves.
    """

    parameters: np.ndarray
    amplitude: np.ndarray
    free: np.ndarray
    cost: np.ndarray
    residual: np.ndarray
    products: np.ndarray | None = None
    inside: np.ndarray | None = None


def evaluate(
    model: Model,
    data: np.ndarray,
    noise: np.ndarray,
    kept: np.ndarray,
    parameters: np.ndarray,
    before: State,
    *,
    own: bool,
) -> State:
    """Amplitudes, cost and products at these parameters.

    data: complex64 ``(voxels, window)``; noise: standard deviation of its real part ``(voxels,)``; kept: of the
    baseline, ``(voxels, splines)``; own: whether each metabolite's shift and width are among the moving parameters.
    The products are those of columns, derivatives and data with one another, baseline taken out, in units of the noise.
    """
    voxels, count = len(data), len(model.names)
    moving = SHARED + 2 * count if own else SHARED
    lines = model.columns(parameters, own=own)
    phases = parameters[:, PHASE, None] + parameters[:, SLOPE, None] * (model.ppm - PIVOT)
    phased = data * np.exp(1j * phases).astype(np.complex64)
    scale = (1 / noise).astype(np.float32)[:, None]
    table = np.empty((voxels, count + moving + 1, data.shape[1]), np.float32)
    table[:, :count] = _spectra(model, lines).real * scale[:, None]
    table[:, -1] = phased.real * scale

    columns = np.concatenate([table[:, :count], table[:, -1:]], axis=1)
    gram = _products(columns, model, kept)
    prior, _ = soft_ratios(model, before.amplitude)
    whole = gram[:, :count, :count] + prior
    right = gram[:, :count, count]
    amplitude, free = solve(_firm(whole), right, before.free)

    time = model.time.astype(np.float32)
    lines *= time
    first = table[:, count : count + SHARED]
    first[:, PHASE] = -phased.imag * scale
    first[:, SLOPE] = -phased.imag * (model.ppm - PIVOT).astype(np.float32) * scale
    weights = amplitude.astype(np.float32)
    if own:
        slopes = _spectra(model, lines)
        table[:, count + SHARED : 2 * count + SHARED] = (2 * np.pi * weights * scale)[:, :, None] * slopes.imag
        table[:, 2 * count + SHARED : -1] = (np.pi * weights * scale)[:, :, None] * slopes.real
        first[:, SHIFT] = table[:, count + SHARED : 2 * count + SHARED].sum(axis=1)
        first[:, LORENTZ] = table[:, 2 * count + SHARED : -1].sum(axis=1)
    mixed = np.einsum("vk,vkt->vt", weights, lines)
    powers = _spectra(model, np.stack([mixed, mixed * time, mixed * time**2], axis=1)) * scale[:, None]
    if not own:
        first[:, SHIFT] = 2 * np.pi * powers[:, 0].imag
        first[:, LORENTZ] = np.pi * powers[:, 0].real
    first[:, GAUSS] = powers[:, 1].real
    first[:, SKEW] = powers[:, 2].imag / np.float32(SKEW_TIME**3)

    residual = table[:, -1] - np.einsum("vk,vkw->vw", weights, table[:, :count])
    away = parameters - model.expected
    fitted = np.einsum("vk,vkl,vl->v", amplitude, whole, amplitude) - 2 * np.einsum("vk,vk->v", right, amplitude)
    cost = gram[:, count, count] + fitted + ((away @ model.precision) * away).sum(axis=1)
    whole, inside = _sums(table, model)
    return State(parameters, amplitude, free, cost, residual, _without_baseline(whole, inside, kept), inside)


def residuals(model: Model, data: np.ndarray, noise: np.ndarray, choices: np.ndarray, state: State) -> list[np.ndarray]:
    """What is left of the data ``(voxels, window)``, in units of the noise, at the state's parameters with each of
    several baselines (rows of choices, as ``kept``)."""
    count = len(model.names)
    scale = (1 / noise).astype(np.float32)[:, None]
    phases = state.parameters[:, PHASE, None] + state.parameters[:, SLOPE, None] * (model.ppm - PIVOT)
    table = np.empty((len(data), count + 1, data.shape[1]), np.float32)
    table[:, :count] = _spectra(model, model.columns(state.parameters, own=False)).real * scale[:, None]
    table[:, count] = (data * np.exp(1j * phases).astype(np.complex64)).real * scale
    whole, inside = _sums(table, model)
    prior, _ = soft_ratios(model, state.amplitude)
    left = []
    for kept in choices:
        gram = _without_baseline(whole, inside, np.tile(kept, (len(data), 1)))
        amplitude, _ = solve(_firm(gram[:, :count, :count] + prior), gram[:, :count, count], state.free)
        rest = table[:, count] - np.einsum("vk,vkw->vw", amplitude.astype(np.float32), table[:, :count])
        left.append(rest - (rest @ model.curves * kept.astype(np.float32)) @ model.curves.T)
    return left


def soft_ratios(model: Model, amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision that the soft ratios add to the amplitudes ``(voxels, names, names)``, and their scales."""
    floor = SCALE_FLOOR * np.maximum(amplitude @ model.big, LEAST_BIG * amplitude.sum(axis=1))
    scales = np.maximum(amplitude @ model.ratio_scales.T, floor[:, None] * model.ratio_scales.max(axis=1))
    known = scales > NOTHING  # without any amplitude yet there is nothing to expect
    rows = model.ratio_rows[None] * (known / np.where(known, scales, 1))[:, :, None]
    return rows.transpose(0, 2, 1) @ rows, scales


def step(model: Model, state: State, damping: np.ndarray, *, own: bool) -> np.ndarray:
    """New parameters for every voxel."""
    count = len(model.names)
    moving = SHARED + 2 * count if own else SHARED
    products = state.products
    prior, _ = soft_ratios(model, state.amplitude)
    columns = _firm(products[:, :count, :count] + prior)
    between = products[:, count:-1, :count]
    free = state.free
    masked = np.where(free[:, :, None] & free[:, None, :], columns, 0)
    masked[:, np.arange(count), np.arange(count)] += ~free
    across = np.where(free[:, None, :], between, 0)
    hessian = products[:, count:-1, count:-1] - across @ np.linalg.solve(masked, across.transpose(0, 2, 1))
    gradient = products[:, count:-1, -1] - np.einsum("vpk,vk->vp", between, state.amplitude)
    precision = model.precision[:moving, :moving]
    hessian += precision
    gradient += (state.parameters[:, :moving] - model.expected[:moving]) @ precision
    diagonal = np.maximum(hessian[:, np.arange(moving), np.arange(moving)], 1e-12)
    hessian[:, np.arange(moving), np.arange(moving)] = diagonal * (1 + damping[:, None]) + 1e-9
    change = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    parameters = state.parameters.copy()
    parameters[:, :moving] += change
    frequency = model.protocol.frequency
    parameters[:, SHIFT] = np.clip(parameters[:, SHIFT], -FURTHEST * frequency, FURTHEST * frequency)
    parameters[:, LORENTZ] = np.clip(parameters[:, LORENTZ], NARROWEST, WIDEST * frequency)
    parameters[:, GAUSS] = np.clip(parameters[:, GAUSS], 0, (np.pi * WIDEST * frequency) ** 2 / (4 * np.log(2)))
    parameters[:, SKEW] = np.clip(parameters[:, SKEW], -MOST_SKEW, MOST_SKEW)
    own_shifts = slice(SHARED, SHARED + count)
    away = FARTHEST_OWN * model.spread[own_shifts]
    parameters[:, own_shifts] = np.clip(parameters[:, own_shifts], -away, away)
    widths = slice(SHARED + count, SHARED + 2 * count)
    parameters[:, widths] = np.maximum(parameters[:, widths], -0.8 * parameters[:, LORENTZ, None])
    return parameters


def descend(
    model: Model,
    data: np.ndarray,
    noise: np.ndarray,
    kept: np.ndarray,
    state: State,
    *,
    own: bool,
    steps: int,
    halt: Callable[[], bool] = lambda: False,
) -> State:
    """The fit after at most this many steps; voxels that have converged rest. It ends early when halt() is true."""
    # Where there are no amplitudes yet, the second time with soft ratios scaled by those of the first.
    for _ in range(1 if np.isfinite(state.cost).all() else 2):
        state = evaluate(model, data, noise, kept, state.parameters, state, own=own)
    damping = np.full(len(data), FIRST_DAMPING)
    work = np.arange(len(data))
    for _ in range(steps):
        if halt():
            break
        before = part(state, work)
        moved = step(model, before, damping[work], own=own)
        trial = evaluate(model, data[work], noise[work], kept[work], moved, before, own=own)
        # The soft ratios follow the amplitudes, so that costs are compared with a small tolerance.
        better = trial.cost < before.cost * (1 + 1e-6)
        gain = (before.cost - trial.cost) / np.maximum(np.abs(before.cost), 1e-30)
        put(state, work[better], part(trial, np.flatnonzero(better)))
        damping[work] = np.clip(damping[work] * np.where(better, 0.1, 10), LEAST_DAMPING, MOST_DAMPING)
        work = work[~(better & (gain < CONVERGED)) & (damping[work] < MOST_DAMPING)]
        if not len(work):
            break
    return state


class Covariances(NamedTuple):
    """Of a fit's amplitudes and of the metabolites' own widths, Cramer-Rao bounds with baseline and all parameters
    free; common: the part of the amplitudes' that voxels of one acquisition share. All ``(voxels, names, names)``.

    follows: change of the amplitudes with the widths that are expected, per Hz, ``(voxels, names, names)``.
    """

    amplitudes: np.ndarray
    widths: np.ndarray
    common: np.ndarray
    follows: np.ndarray


def covariances(model: Model, state: State, kept: np.ndarray, factor: np.ndarray) -> Covariances:
    """What is uncertain of a state, and which part of that is alike in voxels of one study.

    The inverse C of the information is C N C + C P C, with the information of the data N and the precision P of what is
    expected: the first is the scatter by noise, of each voxel its own, the second what remains as the truth is not what
    is expected. Of that, line (phase, skew, shifts, widths) and smoothness of the baseline are what the voxels of one
    acquisition have in common; what fat and macromolecules there are (soft ratios) counts as each voxel's own.
    kept: as in ``evaluate``; factor: residual variance over noise variance, by which the information of the data is
    reduced.
    """
    count = len(model.names)
    products = state.products[:, :-1, :-1] / factor[:, None, None]
    # A baseline kept by a share k has the prior variance k / (1 - k); data without it see k (1 - k) of that.
    inside = state.inside[:, :-1] * np.sqrt(np.maximum(kept * (1 - kept), 0) / factor[:, None])[:, None, :]
    expected = inside @ inside.transpose(0, 2, 1)
    for matrix in (products, expected):  # the derivatives are those of the residual, the columns those of the model
        matrix[:, :count, count:] *= -1
        matrix[:, count:, :count] *= -1
    expected[:, count:, count:] += model.precision
    products[:, count:, count:] += model.precision
    products[:, :count, :count] += soft_ratios(model, state.amplitude)[0]
    size = np.sqrt(np.maximum(np.diagonal(products, axis1=1, axis2=2), 1e-30))
    scaled = products / size[:, :, None] / size[:, None, :]
    scaled[:, np.arange(scaled.shape[1]), np.arange(scaled.shape[1])] += 1e-7
    inverse = np.linalg.inv(scaled) / size[:, :, None] / size[:, None, :]
    rows = inverse[:, :count]
    return Covariances(
        inverse[:, :count, :count],
        inverse[:, -count:, -count:],
        rows @ expected @ rows.transpose(0, 2, 1),
        rows[:, :, -count:] @ model.precision[-count:, -count:],
    )


def part(state: State, places: np.ndarray) -> State:
    """The states of some voxels, by their numbers."""
    return State(*(getattr(state, field.name)[places] for field in fields(state)))


def put(state: State, places: np.ndarray, some: State) -> None:
    """Writes the states of some voxels back."""
    for field in fields(state):
        getattr(state, field.name)[places] = getattr(some, field.name)


def _spectra(model: Model, decays: np.ndarray) -> np.ndarray:
    return fft.fft(decays, model.transform, axis=-1)[..., model.window]


def _products(table: np.ndarray, model: Model, kept: np.ndarray) -> np.ndarray:
    """Inner products of the rows of a table ``(voxels, n, window)`` with the baseline taken out, ``(voxels, n, n)``."""
    return _without_baseline(*_sums(table, model), kept)


def _sums(table: np.ndarray, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Inner products of the rows with one another ``(voxels, n, n)`` and with the splines ``(voxels, n, splines)``.

    In blocks so small that the matrix library does not start threads of its own for them.
    """
    voxels, rows, window = table.shape
    whole = np.zeros((voxels, rows, rows), np.float32)
    inside = np.zeros((voxels, rows, model.curves.shape[1]), np.float32)
    width = max(1, ONE_THREAD // rows**2)
    for start in range(0, window, width):
        block = table[:, :, start : start + width]
        whole += block @ block.transpose(0, 2, 1)
        inside += block @ model.curves[start : start + width]
    return whole, inside


def _without_baseline(whole: np.ndarray, inside: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return (whole - (inside * kept[:, None, :].astype(np.float32)) @ inside.transpose(0, 2, 1)).astype(np.float64)


def _firm(gram: np.ndarray) -> np.ndarray:
    """A matrix of products that rounding cannot have made singular."""
    gram = gram.copy()
    diagonal = np.arange(gram.shape[1])
    gram[:, diagonal, diagonal] *= 1 + 1e-6
    gram[:, diagonal, diagonal] += 1e-9 * np.abs(gram).max(axis=(1, 2), initial=1e-30)[:, None]
    return gram
