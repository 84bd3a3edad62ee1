"""The spectrum that a fit compares with the data, and how it changes with its parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import fft

from .baseline import Baseline, splines
from .basis import Protocol, fids, ppm_axis
from .spins import BROAD, BROAD_SPREAD, SOFT_RATIOS, WIDTH_OTHERS, WIDTH_SPREAD, WIDTHS, WIDTHS_ALIKE

PHASE, SLOPE, SHIFT, LORENTZ, GAUSS, SKEW = range(6)
SHARED = 6  # parameters that all metabolites share; then each one's shift (Hz) and width (Hz)
PIVOT = 3.0  # ppm that the first-order phase turns around
SKEW_TIME = 0.1  # s
METABOLITE_SHIFT, NAA_SHIFT = 0.004, 0.002  # ppm: DESDSH and ALSDSH of LCModel 6.3
METABOLITE_RATE = 0.4  # 1/s at 85.16 MHz, growing with the square root of frequency: DESDT2 of LCModel 6.3
DELAY_SPREAD = 50e-6  # s by which the first point may miss the echo's top (chosen): a first-order phase
SKEW_SPREAD = 0.3  # rad at SKEW_TIME: a mild asymmetry (chosen)
LOWER, UPPER = 0.2, 4.0  # ppm


@dataclass(frozen=True)
class Model:
    """What is fixed for a study: basis, axis, baseline and expectations.

    names: of the columns; fids: complex64 ``(name, points)``, expected_fids with the expected widths; time: s
    ``(points,)``; ppm ``(window,)``; window: where it lies in the transform of ``transform`` points; expected, spread:
    of the parameters ``(parameters,)``, spread infinite where nothing is expected; precision: inverse of their
    covariance ``(parameters, parameters)``, zero where nothing is; ratios: rows of the soft ratios, the weights of
    their scale, their deviations.
    """

    names: tuple[str, ...]
    protocol: Protocol
    dwell_time: float
    fids: np.ndarray
    expected_fids: np.ndarray
    time: np.ndarray
    ppm: np.ndarray
    window: slice
    transform: int
    baseline: Baseline
    expected: np.ndarray
    spread: np.ndarray
    precision: np.ndarray
    ratio_rows: np.ndarray
    ratio_scales: np.ndarray
    big: np.ndarray = field(repr=False)

    @cached_property
    def curves(self) -> np.ndarray:
        """The baseline's curves as float32 ``(window, splines)``."""
        return self.baseline.curves.astype(np.float32)

    def spectra(self, fid: np.ndarray) -> np.ndarray:
        """Complex spectra ``(..., window)`` of decays ``(..., points)``."""
        return fft.fft(fid, self.transform, axis=-1)[..., self.window]

    def columns(self, parameters: np.ndarray, *, own: bool = True) -> np.ndarray:
        """Decays of the columns with lineshape and shift: complex64 ``(voxels, names, points)``.

        own: whether the metabolites have shifts and widths of their own; else all are as expected.
        """
        shared, time = parameters[:, :SHARED], self.time
        common = (
            2j * np.pi * shared[:, SHIFT, None] * time
            - np.pi * shared[:, LORENTZ, None] * time
            - shared[:, GAUSS, None] * time**2
            + 1j * shared[:, SKEW, None] * (time / SKEW_TIME) ** 3
        )
        common = np.exp(common).astype(np.complex64)[:, None]
        if not own:
            return self.expected_fids * common
        count = len(self.names)
        rates = 2j * np.pi * parameters[:, SHARED : SHARED + count] - np.pi * parameters[:, SHARED + count :]
        lines = _powers(np.exp(rates * self.dwell_time), len(time))
        lines *= common
        lines *= self.fids
        return lines


def _powers(ratio: np.ndarray, count: int) -> np.ndarray:
    """Powers 0 to count - 1 of each ratio, complex64 ``(..., count)``, by doubling."""
    result = np.empty((*ratio.shape, count), np.complex64)
    result[..., 0] = 1
    done = 1
    while done < count:
        more = min(done, count - done)
        factor = (ratio**done)[..., None].astype(np.complex64)
        np.multiply(result[..., :more], factor, out=result[..., done : done + more])
        done += more
    return result


def make(
    protocol: Protocol,
    points: int,
    dwell_time: float,
    names: tuple[str, ...],
    widths: dict[str, float] | None = None,
    *,
    free: bool = True,
) -> Model:
    """The model of a protocol for decays of a number of points; raises InputError as ``basis.check``.

    widths: expected line widths of metabolites, Hz, else those of ``spins``; free: whether they may differ from these
    as much as those of a study may, else only as those of its voxels do.
    """
    transform = fft.next_fast_len(2 * points)
    ppm = ppm_axis(transform, dwell_time, protocol.frequency)
    inside = np.flatnonzero((ppm >= LOWER) & (ppm <= UPPER))
    inside = inside[np.argsort(ppm[inside])]
    count = len(names)
    expected, spread = np.zeros(SHARED + 2 * count), np.full(SHARED + 2 * count, np.inf)
    spread[SLOPE], spread[SKEW] = 2 * np.pi * protocol.frequency * DELAY_SPREAD, SKEW_SPREAD
    for number, name in enumerate(names):
        shift, width = SHARED + number, SHARED + count + number
        if name in BROAD:
            spread[shift], expected[width], spread[width] = np.array(BROAD_SPREAD[name]) * protocol.frequency
        else:
            spread[shift] = (NAA_SHIFT if name in ("NAA", "NAAG") else METABOLITE_SHIFT) * protocol.frequency
            expected[width] = (widths or WIDTHS).get(name, WIDTH_OTHERS)
            spread[width] = METABOLITE_RATE / np.pi * np.sqrt(protocol.frequency / 85.16)
    place = {name: number for number, name in enumerate(names)}
    covariance = np.diag(np.where(np.isfinite(spread), spread, 0) ** 2)
    for alike in WIDTHS_ALIKE if free else ():  # what is alike is off together
        group = [SHARED + count + place[name] for name in alike if name in place]
        covariance[np.ix_(group, group)] += WIDTH_SPREAD**2
    known = np.flatnonzero(np.isfinite(spread))
    precision = np.zeros_like(covariance)
    precision[np.ix_(known, known)] = np.linalg.inv(covariance[np.ix_(known, known)])
    rows, scales = [], []
    for soft in SOFT_RATIOS:
        if soft.name not in place or not any(name in place for name in soft.over):
            continue
        row, scale = np.zeros(count), np.zeros(count)
        for name, weight in soft.over.items():
            if name in place:
                row[place[name]] -= soft.ratio * weight
                scale[place[name]] += weight * soft.deviation
        for name, weight in soft.others.items():
            if name in place:
                scale[place[name]] += weight * soft.deviation
        row[place[soft.name]] += 1
        rows.append(row)
        scales.append(scale)
    big = np.array([{"NAA": 1, "NAAG": 1, "Cr": 1, "PCr": 1, "GPC": 3, "PCh": 3}.get(name, 0) for name in names], float)
    simulated = fids(protocol, points, dwell_time, names).astype(np.complex64)
    time = np.arange(points) * dwell_time
    return Model(
        names,
        protocol,
        dwell_time,
        simulated,
        (simulated * np.exp(-np.pi * np.outer(expected[SHARED + count :], time))).astype(np.complex64),
        time,
        ppm[inside],
        slice(int(inside[0]), int(inside[-1]) - 1, -1),
        transform,
        splines(LOWER, UPPER, len(inside)),
        expected,
        spread,
        precision,
        np.array(rows),
        np.array(scales),
        big,
    )
