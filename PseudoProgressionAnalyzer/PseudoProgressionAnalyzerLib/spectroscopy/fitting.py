"""The fit of all voxels: starts, stiffness of the baseline, full model, neighbours, bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import generic_filter

from ..measures import InputError, Message, Spectra
from . import blas, engine
from .baseline import Baseline
from .basis import MIXING_TIME, Protocol
from .model import PHASE, SHARED, SHIFT, Model, make
from .result import LEAST_SNR, WIDEST, Fit, line_width
from .spins import BROAD, METABOLITES, WIDTH_OTHERS, WIDTHS
from .starts import Templates, from_parameters, starts, templates
from .water import correct_eddy_currents, early_last, remove_water
from .widths import learned

LEFT_OUT = ("Gly",)  # lies under myo-inositol
LONG_ECHO = 0.1  # s: beyond it macromolecules have decayed
MACROMOLECULES = tuple(name for name in BROAD if name.startswith("MM"))
QUIET = (-2.5, -0.5)  # ppm: where no metabolite is
CHUNK = 24  # voxels at a time: keeps memory bounded and a cancel quick
FIRST_STEPS, FULL_STEPS = 8, 8
ROUGHLY = 0.1  # by which what is left may differ from what was expected of it, without being fitted again
CANDIDATES = 2
FEWEST_POINTS = 256  # of a decay that the first steps look at
FLEXIBILITY = 1  # number of the baseline's flexibility that the first steps take
LINE = 0.05  # ppm: width of a line over which points may be off together
PATIENCE = 5.0  # weight of a dimension of the baseline in the choice of its flexibility
WORSE = 1.3  # times the neighbours' residual, from which a voxel is tried again from their parameters
FEWEST_TO_LEARN, MOST_TO_LEARN = 8, 72  # voxels that the study's line widths are learned from
LEARNING_ROUNDS = 2
POLL = 0.04  # s
MOST_THREADS = 2

Halt = Callable[[], bool]


@dataclass
class _Found:
    """Arrays over all voxels that were fitted."""

    parameters: np.ndarray
    amplitude: np.ndarray
    covariance: np.ndarray
    own_widths: np.ndarray  # covariances
    common: np.ndarray
    follows: np.ndarray
    cost: np.ndarray
    residual: np.ndarray
    snr: np.ndarray
    spectra: np.ndarray


def fit(
    spectra: Spectra,
    *,
    echo_time: float | None = None,
    sequence: str | None = None,
    delays: tuple[float, ...] | None = None,
    names: tuple[str, ...] | None = None,
    mask: np.ndarray | None = None,
    widths: dict[str, float] | None = None,
    width_errors: np.ndarray | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Fit:
    """Amplitudes of metabolites, macromolecules and lipids in every voxel.

    Eddy currents are corrected where there is a water reference, the rest of the water is removed, and a sum of
    simulated spectra over a smooth baseline is fitted to each voxel. echo_time (s), sequence and delays (s, as in
    ``basis.Protocol``) replace what the spectra state; names: columns of the fit; mask: bool ``(k, j, i)`` of the
    voxels wanted; widths: Hz, line widths that the metabolites are known to have, and width_errors: Hz^2, the
    covariance ``(names, names)`` of how well (``Fit.widths`` and ``Fit.width_errors`` of the same study), which every
    bound then contains. A grid of at least FEWEST_TO_LEARN voxels finds its own; in other spectra those of each voxel
    are free. A voxel is accepted when its line width is at most 0.1 ppm, its signal to noise at least 3 and at least
    one of tNAA, tCho and tCr is known to 20 %: little NAA alone never drops it. progress (0 to 1) and cancelled are
    called from the calling thread.

    Raises ValueError where width_errors are not of these columns; InputError ``spectra_echo_time_missing``,
    ``spectra_mask``, ``spectra_all_empty`` and those of ``basis.check``; concurrent.futures.CancelledError when
    cancelled() is true.
    """
    protocol, flags = _protocol(spectra, echo_time, sequence, delays)
    if names is None:
        names = tuple(name for name in METABOLITES if name not in LEFT_OUT) + tuple(
            name for name in BROAD if protocol.echo_time < LONG_ECHO or name not in MACROMOLECULES
        )
    points = spectra.fid.shape[-1]

    def models(widths: dict[str, float] | None, free: bool) -> tuple[Model, Model]:
        """Of all points, and of the first ones, where most of the signal is."""
        first = max(points // 2, min(points, FEWEST_POINTS))
        return tuple(make(protocol, some, spectra.dwell_time, names, widths, free=free) for some in (points, first))

    model, rough = models(widths, widths is None)
    if width_errors is not None and (widths is None or width_errors.shape != (len(names), len(names))):
        raise ValueError(f"width_errors go with widths and are of {len(names)} columns, not {width_errors.shape}")
    fid = spectra.fid.reshape(-1, points)
    wanted = np.isfinite(fid).all(axis=1) & (np.abs(fid).max(axis=1) > 0)
    if mask is not None:
        if mask.shape != spectra.shape:
            raise InputError("spectra_mask", shape=str(mask.shape), expected=str(spectra.shape))
        wanted &= np.asarray(mask, bool).ravel()
    places = np.flatnonzero(wanted)
    if not len(places):
        raise InputError("spectra_all_empty")
    water = None if spectra.water is None else np.broadcast_to(spectra.water, spectra.fid.shape).reshape(-1, points)

    data = np.zeros((len(fid), len(model.ppm)), np.complex64)
    noise = np.ones(len(fid))
    found = _empty(model, len(fid))
    prepared = templates(rough)

    def work(part: np.ndarray, halt: Halt) -> None:
        clean = fid[part] if water is None else correct_eddy_currents(fid[part], water[part])
        clean = remove_water(clean, spectra.dwell_time, protocol.frequency)
        data[part] = model.spectra(early_last(clean, model.transform))
        noise[part] = _noise(clean, spectra.dwell_time, protocol.frequency)
        kept = len(rough.time)
        first = _begun(rough, prepared, clean[:, :kept], noise[part] * np.sqrt(kept / points), halt)
        _store(found, part, _fitted(model, data[part], noise[part], first, halt))

    if widths is None and len(places) >= FEWEST_TO_LEARN:
        some = places[np.linspace(0, len(places) - 1, min(len(places), MOST_TO_LEARN)).astype(int)]
        widths = {name: WIDTHS.get(name, WIDTH_OTHERS) for name in names if name not in BROAD}
        for _ in range(LEARNING_ROUNDS):
            model, rough = models(widths, True)
            prepared = templates(rough)
            _run(work, _chunks(some), threads, cancelled, None)
            widths, width_errors = learned(model, found.parameters[some], found.own_widths[some], widths)
        model, rough = models(widths, False)
        prepared = templates(rough)
    share = 0.9 if len(places) > 1 else 1.0
    _run(work, _chunks(places), threads, cancelled, None if progress is None else lambda done: progress(share * done))

    again, parameters = _neighbours(found, spectra.shape, model)
    if len(again):

        def retry(part: np.ndarray, halt: Halt) -> None:
            there = data[again[part]], noise[again[part]]
            first = _begin(model, parameters[part])
            first = engine.descend(model, *there, _usual(model, len(part)), first, own=False, steps=FIRST_STEPS)
            other = _fitted(model, *there, first, halt)
            better = other.residual < found.residual[again[part]]
            _store(found, again[part][better], _select(other, better))

        _run(retry, _chunks(np.arange(len(again))), threads, cancelled, None)
    if progress is not None:
        progress(1.0)
    if width_errors is not None:
        more = found.follows @ width_errors @ found.follows.swapaxes(1, 2)
        found.covariance += more
        found.common += more
    return _result(spectra, model, found, flags, widths or {}, width_errors)


def _protocol(
    spectra: Spectra, echo_time: float | None, sequence: str | None, delays: tuple[float, ...] | None
) -> tuple[Protocol, list[Message]]:
    flags = list(spectra.flags)
    echo_time = echo_time or spectra.echo_time
    if echo_time is None:
        raise InputError("spectra_echo_time_missing")
    sequence = sequence or spectra.sequence
    if not sequence:
        sequence = "PRESS"
        flags.append(Message("spectra_sequence_assumed", {"sequence": sequence}))
    mixing_time = spectra.mixing_time or MIXING_TIME
    return Protocol(spectra.spectrometer_frequency, echo_time, sequence, mixing_time, delays), flags


def _chunks(places: np.ndarray) -> list[np.ndarray]:
    return [places[start : start + CHUNK] for start in range(0, len(places), CHUNK)]


def _noise(fid: np.ndarray, dwell_time: float, frequency: float) -> np.ndarray:
    """Standard deviation of the real part of each point of the spectrum, from differences of neighbouring points.

    Taken where no metabolite is, by the median, so that a stray line does not count.
    """
    points = fid.shape[-1]
    ppm = 4.65 - np.fft.fftfreq(points, dwell_time) / frequency
    order = np.argsort(ppm)
    order = order[(ppm[order] >= QUIET[0]) & (ppm[order] <= QUIET[1])]
    if len(order) < 16:  # a narrow spectral width: the far end of the axis
        order = np.argsort(ppm)[:32]
    quiet = np.fft.fft(fid, axis=-1)[:, order]
    # |difference|^2 of complex noise is exponential with mean 4 s^2; its median is ln 2 of that.
    square = np.median(np.abs(np.diff(quiet, axis=1)) ** 2, axis=1) / np.log(2)
    return np.maximum(np.sqrt(square / 4), 1e-6 * np.abs(fid).max(axis=1) + 1e-30)


def _begun(model: Model, prepared: Templates, fid: np.ndarray, noise: np.ndarray, halt: Halt) -> engine.State:
    """The best of several starts of each voxel, followed a few steps with what all metabolites share.

    model: of the first half of the decays, where most of the signal is; fid: ``(voxels, points)`` of that half.
    """
    data = model.spectra(fid)
    candidates = starts(model, prepared, fid, CANDIDATES)
    best = None
    for number in range(CANDIDATES):
        begun = _begin(model, candidates[:, number])
        usual = _usual(model, len(fid))
        state = engine.descend(model, data, noise, usual, begun, own=False, steps=FIRST_STEPS, halt=halt)
        if best is None:
            best = state
            continue
        better = state.cost < best.cost
        for name in ("parameters", "amplitude", "free", "cost"):
            getattr(best, name)[better] = getattr(state, name)[better]
    return best


def _usual(model: Model, voxels: int) -> np.ndarray:
    """The baseline of the first steps, of every voxel."""
    return np.tile(model.baseline.kept[FLEXIBILITY], (voxels, 1))


def _fitted(model: Model, data: np.ndarray, noise: np.ndarray, best: engine.State, halt: Halt) -> _Found:
    """The full fit of each voxel from the state of its first steps."""
    baseline = model.baseline
    kept, dimensions, left = _flexibility(model, baseline, data, noise, best)
    # What is expected counts against all that the model leaves, not the noise alone: else, where the signal is strong,
    # shifts and widths of single metabolites would follow a lineshape that no Voigt line has.
    rough = np.sqrt(np.maximum(left, 1))
    state = engine.descend(model, data, noise * rough, kept, best, own=True, steps=FULL_STEPS, halt=halt)
    now = np.sqrt(np.maximum(rough**2 * _as_lines_see(model, _rest(model, state, kept)), 1))
    again = np.flatnonzero(np.abs(now / rough - 1) > ROUGHLY)
    if len(again):
        rough[again] = now[again]
        there = data[again], (noise * rough)[again], kept[again]
        part = engine.descend(model, *there, engine.part(state, again), own=True, steps=FULL_STEPS, halt=halt)
        engine.put(state, again, part)
    noise = noise * rough

    rest = _rest(model, state, kept)
    smooth = state.residual - rest
    degrees = np.maximum(data.shape[1] - dimensions - state.free.sum(axis=1) - SHARED, 1)
    residual = (rest**2).sum(axis=1) / degrees * rough**2
    factor = np.maximum(residual, 1) * _together(model, rest) / rough**2
    uncertain = engine.covariances(model, state, kept, factor)
    lines = np.exp(1j * (state.parameters[:, 0, None] + state.parameters[:, 1, None] * (model.ppm - 3.0)))
    phased = np.real(data * lines) / noise[:, None] - smooth
    heights = (phased - rest).max(axis=1)
    snr = heights / (2 * np.sqrt(np.maximum(residual, 1e-12))) * rough
    spectra = np.stack([phased + smooth, phased + smooth - rest, smooth], axis=1) * noise[:, None, None]
    spectra = spectra.astype(np.float32)
    return _Found(state.parameters, state.amplitude, *uncertain, state.cost, residual, snr, spectra)


def _rest(model: Model, state: engine.State, kept: np.ndarray) -> np.ndarray:
    """What a state leaves of the data with its baseline ``(voxels, window)``."""
    inside = state.residual @ model.baseline.curves
    return state.residual - (inside * kept) @ model.baseline.curves.T


def _as_lines_see(model: Model, rest: np.ndarray) -> np.ndarray:
    """Mean square of what is left ``(voxels,)``, times ``_together``: an amplitude is a sum over the points of a line,
    and where these are off together, because the model lacks something, the sum is further off than by noise."""
    return (rest**2).mean(axis=1) * _together(model, rest)


def _together(model: Model, rest: np.ndarray) -> np.ndarray:
    """Variance of the mean of what is left over the width of a line, in that of independent points ``(voxels,)``.

    The long-run variance with Bartlett's weights (Newey and West, Econometrica 1987;55:703). 1 where it is not beyond
    two standard errors of noise (4 m / 3 n for m of n points: Priestley, Spectral analysis, 1981).
    """
    width, points = max(2, round(LINE / (model.ppm[1] - model.ppm[0]))), rest.shape[1]
    summed = np.cumsum(np.pad(rest.astype(float), ((0, 0), (1, 0))), axis=1)
    sums = summed[:, width:] - summed[:, :-width]
    ratio = (sums**2).mean(axis=1) / np.maximum(width * (rest**2).mean(axis=1), 1e-30)
    return np.where(ratio > 1 + 2 * np.sqrt(4 * width / (3 * points)), ratio, 1.0)


def _begin(model: Model, parameters: np.ndarray) -> engine.State:
    voxels, count = len(parameters), len(model.names)
    return engine.State(
        parameters.copy(),
        np.zeros((voxels, count)),
        np.ones((voxels, count), bool),
        np.full(voxels, np.inf),
        np.zeros((voxels, len(model.ppm)), np.float32),
    )


def _flexibility(
    model: Model, baseline: Baseline, data: np.ndarray, noise: np.ndarray, state: engine.State
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The flexibility of each voxel's baseline by an information criterion, as shares kept and effective dimension, and
    what is left with it in noise variances, as ``_as_lines_see``.

    log(residual) + 2 PATIENCE dimension / points, after Akaike, as in Wilson, Magn Reson Med 2021;85:13 (ABfit); those
    that are nearly as good count by their Akaike weights (Burnham and Anderson, Model selection, 2nd ed. 2002), so that
    neighbours do not differ by a choice between two that say the same.
    """
    left = engine.residuals(model, data, noise, baseline.kept, state)
    penalty = 2 * PATIENCE * baseline.dimensions / data.shape[1]
    scores = [np.log((rest**2).sum(axis=1)) + more for rest, more in zip(left, penalty, strict=True)]
    away = np.array(scores) - np.min(scores, axis=0)
    weights = np.exp(-data.shape[1] / 2 * away)
    weights = (weights / weights.sum(axis=0)).T
    rest = np.einsum("vf,fvw->vw", weights, left)
    return weights @ baseline.kept, weights @ baseline.dimensions, _as_lines_see(model, rest)


def _neighbours(found: _Found, shape: tuple[int, int, int], model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Voxels that fit worse than their neighbours or at another frequency, and the neighbours' parameters."""
    if max(shape) == 1:
        return np.zeros(0, int), np.zeros((0, len(model.expected)))
    around = np.ones(tuple(3 if length > 1 else 1 for length in shape), bool)

    def median(values: np.ndarray) -> np.ndarray:
        return generic_filter(values.reshape(shape), _nanmedian, footprint=around, mode="constant", cval=np.nan).ravel()

    worse = found.residual > WORSE * median(found.residual)
    away = np.abs(found.parameters[:, SHIFT] - median(found.parameters[:, SHIFT])) > 0.05 * model.protocol.frequency
    again = np.flatnonzero(np.isfinite(found.cost) & (worse | away))
    if not len(again):
        return again, np.zeros((0, len(model.expected)))
    shared = np.stack([median(found.parameters[:, number])[again] for number in range(SHARED)], axis=1)
    parameters = np.concatenate([shared, found.parameters[again][:, SHARED:]], axis=1)
    return again, from_parameters(parameters, model)


def _nanmedian(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan


def _empty(model: Model, voxels: int) -> _Found:
    count = len(model.names)
    sizes = ((len(model.expected),), (count,), *[(count, count)] * 4, (), (), ())
    spectra = np.full((voxels, 3, len(model.ppm)), np.nan, np.float32)
    return _Found(*(np.full((voxels, *size), np.nan) for size in sizes), spectra)


def _store(found: _Found, places: np.ndarray, part: _Found) -> None:
    for name, values in vars(part).items():
        getattr(found, name)[places] = values


def _select(found: _Found, chosen: np.ndarray) -> _Found:
    return _Found(*(values[chosen] for values in vars(found).values()))


def _run(
    work: Callable[[np.ndarray, Halt], None],
    chunks: list[np.ndarray],
    threads: int | None,
    cancelled: Callable[[], bool] | None,
    progress: Callable[[float], None] | None,
) -> None:
    """Calls work for every chunk; progress and cancelled from the calling thread, every 40 ms.

    Work is given a question whether to end soon, because the job was cancelled.
    """
    state = {"next": 0, "done": 0, "stop": False}

    def worker() -> None:
        while not state["stop"]:
            number = state["next"]
            state["next"] = number + 1
            if number >= len(chunks):
                return
            work(chunks[number], lambda: state["stop"])
            state["done"] += 1

    count = max(1, min(threads or min(os.cpu_count() or 1, MOST_THREADS), len(chunks)))
    with blas.one_thread(), ThreadPoolExecutor(count) as pool:
        pending = {pool.submit(worker) for _ in range(count)}
        futures = list(pending)
        try:
            while pending:
                pending = wait(pending, timeout=POLL).not_done
                if cancelled is not None and cancelled():
                    raise CancelledError
                if progress is not None:
                    progress(min(state["done"] / len(chunks), 1.0))
        finally:
            state["stop"] = True
    for future in futures:
        future.result()


def _result(
    spectra: Spectra,
    model: Model,
    found: _Found,
    flags: list[Message],
    widths: dict[str, float],
    width_errors: np.ndarray | None,
) -> Fit:
    shape = spectra.shape
    maps = {
        "fwhm": line_width(found.parameters, model.protocol.frequency),
        "snr": found.snr,
        "residual": found.residual,
        "shift": found.parameters[:, SHIFT],
        "phase": found.parameters[:, PHASE],
        "amplitudes": found.amplitude,
        "covariances": (found.covariance + found.covariance.swapaxes(1, 2)) / 2,
        "common": (found.common + found.common.swapaxes(1, 2)) / 2,
        "spectra": found.spectra,
        "parameters": found.parameters,
    }
    # To the digits that a scene keeps, so that a fit that comes back from one gives the very same ratios.
    maps = {name: values.astype(np.float32).reshape(*shape, *values.shape[1:]) for name, values in maps.items()}
    maps |= {name: values.astype(float) for name, values in maps.items() if name != "spectra"}
    accepted = np.zeros(shape, bool)
    result = Fit(
        model.names,
        model.protocol,
        spectra.affine,
        model.ppm,
        accepted=accepted,
        flags=tuple(flags),
        model=model,
        widths=widths,
        width_errors=width_errors,
        **maps,
    )
    with np.errstate(invalid="ignore"):
        known = np.zeros(shape, bool)
        for name, parts in (("tNAA", ("NAA", "NAAG")), ("tCho", ("GPC", "PCh")), ("tCr", ("Cr", "PCr"))):
            if all(part in model.names for part in parts):
                known |= ~result.uncertain(name)
        accepted[...] = (result.fwhm <= WIDEST) & (result.snr >= LEAST_SNR) & known
    return result
