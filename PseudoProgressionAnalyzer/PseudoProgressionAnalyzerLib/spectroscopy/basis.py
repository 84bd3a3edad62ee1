"""The spectra that a fit adds up: metabolites simulated for the protocol, macromolecules and lipids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..measures import InputError
from .echoes import REFERENCE_PPM, SEQUENCES, delays, lines
from .spins import BROAD, METABOLITES

MIXING_TIME = 0.010  # s: of STEAM where none is stated


@dataclass(frozen=True)
class Protocol:
    """What shapes the spectrum of a molecule. frequency: of the spectrometer, MHz; times: s.

    delays: between the pulses and up to the echo, s, where known; else the usual ones of the sequence.
    """

    frequency: float
    echo_time: float
    sequence: str = "PRESS"
    mixing_time: float = MIXING_TIME
    delays: tuple[float, ...] | None = None


def metabolite(name: str, protocol: Protocol) -> tuple[np.ndarray, np.ndarray]:
    """Lines of one metabolite: ppm ``(n,)`` and complex amplitudes in protons ``(n,)``."""
    check(protocol)
    times = protocol.delays or delays(protocol.sequence, protocol.echo_time)
    found = [
        lines(system, protocol.frequency, protocol.sequence, times, protocol.mixing_time)
        for system in METABOLITES[name]
    ]
    return np.concatenate([ppm for ppm, _ in found]), np.concatenate([amplitude for _, amplitude in found])


def check(protocol: Protocol) -> None:
    """Raises InputError ``spectra_sequence``, ``spectra_echo_time`` or ``spectra_frequency``."""
    if protocol.sequence not in SEQUENCES:
        raise InputError("spectra_sequence", value=protocol.sequence, known=", ".join(SEQUENCES))
    if not 0.002 <= protocol.echo_time <= 0.7:
        raise InputError("spectra_echo_time", value=protocol.echo_time)
    if not 20 <= protocol.frequency <= 500:
        raise InputError("spectra_frequency", value=protocol.frequency)


@lru_cache(maxsize=16)
def fids(protocol: Protocol, points: int, dwell_time: float, names: tuple[str, ...]) -> np.ndarray:
    """Free induction decays of metabolites and broad components without decay of their own, ``(name, points)``.

    dwell_time: s. Broad components hold their Gaussian width. The frequency axis is that of NIfTI-MRS: after numpy's
    FFT a line at a ppm stands at (4.65 - ppm) times the spectrometer's frequency. Read-only.
    """
    time = np.arange(points) * dwell_time
    result = np.empty((len(names), points), complex)
    for number, name in enumerate(names):
        if name in BROAD:
            check(protocol)
            ppm, width, protons = np.array(BROAD[name]).T
            # A Gaussian of full width w (Hz) at half maximum decays as exp(-(pi w t)^2 / (4 ln 2)).
            decay = np.exp(-(((np.pi * width * protocol.frequency)[:, None] * time) ** 2) / (4 * np.log(2)))
            turns = np.exp(2j * np.pi * ((REFERENCE_PPM - ppm) * protocol.frequency)[:, None] * time)
            result[number] = protons @ (decay * turns)
        else:
            ppm, amplitude = metabolite(name, protocol)
            turns = np.exp(2j * np.pi * np.outer((REFERENCE_PPM - ppm) * protocol.frequency, time))
            result[number] = amplitude.conj() @ turns
    result.setflags(write=False)
    return result


def ppm_axis(points: int, dwell_time: float, frequency: float) -> np.ndarray:
    """Chemical shift in ppm of each point of ``numpy.fft.fft`` of a decay ``(points,)``."""
    return REFERENCE_PPM - np.fft.fftfreq(points, dwell_time) / frequency
