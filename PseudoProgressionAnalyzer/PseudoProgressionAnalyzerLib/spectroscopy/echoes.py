"""What a sequence makes of coupled spins: density matrices through ideal pulses and delays.

Simulation in the full spin space: the Hamiltonian holds chemical shifts and strong (isotropic)
scalar coupling, pulses turn all protons at once. Sources: Levitt, Spin Dynamics, 2nd ed. 2008; delays of PRESS:
Bottomley, Ann N Y Acad Sci 1987;508:333; STEAM: Frahm et al., J Magn Reson 1987;72:502; semi-LASER: Scheenen et al.,
Magn Reson Med 2008;59:1.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache, reduce

import numpy as np

from .spins import SpinSystem

REFERENCE_PPM = 4.65
SEQUENCES = ("PRESS", "STEAM", "sLASER", "spin_echo")
SMALLEST_LINE = 1e-4  # of the strongest line: weaker ones are left out
SEEN = -1  # coherence order
FINENESS = 0.02  # Hz: lines closer than this are one


@cache
def _operators(spins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ix, Iy, Iz of every spin, each (spins, 2^spins, 2^spins)."""
    half = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
    operators = np.empty((3, spins, 2**spins, 2**spins), complex)
    for spin in range(spins):
        before, after = np.eye(2**spin), np.eye(2 ** (spins - spin - 1))
        for axis in range(3):
            operators[axis, spin] = np.kron(np.kron(before, half[axis]), after)
    return operators[0], operators[1], operators[2]


@cache
def _scalar_product(spins: int, first: int, second: int) -> np.ndarray:
    """I_first . I_second, which is real."""
    return np.real(sum(axis[first] @ axis[second] for axis in _operators(spins)))


@cache
def _pulse(spins: int) -> np.ndarray:
    """The rotation of all spins by an ideal pulse of 90 degrees about x."""
    turn = (np.eye(2) - 2j * _operators(1)[0][0]) / np.sqrt(2)
    return reduce(np.kron, [turn] * spins)


@cache
def _orders(spins: int) -> np.ndarray:
    """Coherence order of every element of the density matrix."""
    iz = np.real(np.diagonal(_operators(spins)[2].sum(axis=0)))
    return np.rint(iz[:, None] - iz[None, :]).astype(int)


def delays(sequence: str, echo_time: float) -> tuple[float, ...]:
    """Times in s between the pulses of the sequence and up to the top of the echo.

    The echo time of PRESS is split 1 : 2 for short ones (below 50 ms) and in halves for long ones; that of semi-LASER
    12 : 12 : 16. Scanners seldom write the split down; it matters for coupled metabolites only.
    """
    if sequence == "spin_echo":
        return echo_time / 2, echo_time / 2
    if sequence == "PRESS":
        first = echo_time * (1 / 3 if echo_time < 0.05 else 1 / 2)
        return first / 2, echo_time / 2, (echo_time - first) / 2
    if sequence == "sLASER":
        first, second, third = 0.3 * echo_time, 0.3 * echo_time, 0.4 * echo_time
        return first / 2, first / 2 + second / 4, second / 2, second / 4 + third / 2, third / 2
    return echo_time / 2, echo_time / 2


def lines(
    system: SpinSystem, frequency: float, sequence: str, times: tuple[float, ...], mixing_time: float
) -> tuple[np.ndarray, np.ndarray]:
    """Resonance lines of a spin system: positions in ppm ``(n,)`` and complex amplitudes ``(n,)``, one per proton.

    frequency: of the spectrometer in MHz; times: as ``delays``, s; mixing_time: of STEAM, s. Heteronuclei are not
    turned by the pulses: their coupling is refocused like a shift and splits the lines, so that each of their states is
    a copy of the system with shifted protons.
    """
    positions, amplitudes = [], []
    states = list(itertools.product(*(numbers for numbers, _ in system.heteronuclei)))
    for state in states:
        shifts = np.array(system.shifts)
        for quantum, (_, coupling) in zip(state, system.heteronuclei, strict=True):
            for proton, value in coupling.items():
                shifts[proton] += quantum * value / frequency
        position, amplitude = _proton_lines(shifts, system.couplings, frequency, sequence, times, mixing_time)
        positions.append(position)
        amplitudes.append(amplitude * (system.copies / len(states)))
    return _merged(np.concatenate(positions), np.concatenate(amplitudes), frequency)


def _proton_lines(
    shifts: np.ndarray,
    couplings: dict[tuple[int, int], float],
    frequency: float,
    sequence: str,
    times: tuple[float, ...],
    mixing_time: float,
) -> tuple[np.ndarray, np.ndarray]:
    """All transitions of protons: ppm and amplitude, both ``(4^spins,)``."""
    spins = len(shifts)
    x, y, z = _operators(spins)
    hamiltonian = np.diag(frequency * (shifts - REFERENCE_PPM) @ np.real(np.diagonal(z, axis1=1, axis2=2)))
    for pair, value in couplings.items():
        hamiltonian = hamiltonian + value * _scalar_product(spins, *pair)
    energies, states = np.linalg.eigh(hamiltonian)  # Hz
    flip = states.T @ states[::-1]  # an ideal 180 degree pulse about x exchanges up and down of every spin

    def wait(density: np.ndarray, time: float) -> np.ndarray:
        phases = np.exp(-2j * np.pi * energies * time)
        return phases[:, None] * density * phases.conj()

    density = states.T @ np.real(x.sum(axis=0)) @ states  # after the excitation, in the basis of the eigenstates
    if sequence == "STEAM":
        density = _stimulated_echo(density, states, wait, times, mixing_time)
    else:
        for time in times[:-1]:
            density = flip @ wait(density, time) @ flip.T
        density = wait(density, times[-1])
    raising = states.T @ np.real(x + 1j * y).sum(axis=0) @ states
    # The signal tr(F+ rho(t)) is the sum over a, b of (F+)_ba rho_ab exp(-2 pi i (E_a - E_b) t).
    strengths = raising.T * density / 2 ** (spins - 2)
    offsets = energies[None, :] - energies[:, None]
    return REFERENCE_PPM + offsets.ravel() / frequency, strengths.ravel()


def _stimulated_echo(
    density: np.ndarray,
    states: np.ndarray,
    wait: Callable[[np.ndarray, float], np.ndarray],
    times: tuple[float, ...],
    mixing_time: float,
) -> np.ndarray:
    """Of the three pulses only what gradients keep: order +1, then 0 while mixing, then -1 (the one that is seen)."""
    spins = len(states).bit_length() - 1
    orders = _orders(spins)
    pulse = states.T @ _pulse(spins) @ states

    def kept(density: np.ndarray, order: int) -> np.ndarray:
        return states.T @ np.where(orders == order, states @ density @ states.T, 0) @ states

    density = wait(kept(density, -SEEN), times[0])
    density = wait(kept(pulse @ density @ pulse.conj().T, 0), mixing_time)
    density = wait(kept(pulse @ density @ pulse.conj().T, SEEN), times[1])
    return 2 * density  # a stimulated echo has half of the signal; counted as whole, as only ratios have a meaning


def _merged(positions: np.ndarray, amplitudes: np.ndarray, frequency: float) -> tuple[np.ndarray, np.ndarray]:
    """Lines of the same place as one, invisible ones left out."""
    seen = np.abs(amplitudes) > SMALLEST_LINE * np.abs(amplitudes).max()
    positions, amplitudes = positions[seen], amplitudes[seen]
    _, places = np.unique(np.rint(positions * frequency / FINENESS), return_inverse=True)
    weights = np.bincount(places, np.abs(amplitudes))
    position = np.bincount(places, np.abs(amplitudes) * positions) / weights
    return position, np.bincount(places, amplitudes.real) + 1j * np.bincount(places, amplitudes.imag)
