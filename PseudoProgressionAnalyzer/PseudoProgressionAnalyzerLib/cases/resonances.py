"""What one molecule of each kind gives to a spectrum: spins carried through a PRESS sequence step by step.

A forward model of the simulator's own: propagators by matrix exponentials, the signal read point after point. Ideal
pulses; no coupling to nuclei other than protons; small multiplets of choline and of NAAG are left out. Shifts and
couplings: Govindaraju et al. 2000, NMR Biomed 13:129. Macromolecules and lipids: broad lines, chosen to look right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
from scipy.linalg import expm

CENTRE = 4.65
"""ppm at which the receiver stands."""


@dataclass(frozen=True)
class Spins:
    """shifts: ppm of each proton; couplings: Hz by pair; protons: of which each counts for so many (singlets)."""

    shifts: tuple[float, ...]
    couplings: dict[tuple[int, int], float]
    protons: float = 1.0


def _single(shift: float, protons: float) -> Spins:
    return Spins((shift,), {}, protons)


_GLUTAMATE = {(0, 1): 7.331, (0, 2): 4.651, (1, 2): -14.849, (1, 3): 6.413, (1, 4): 8.406, (2, 3): 8.478,
              (2, 4): 6.875, (3, 4): -15.915}  # fmt: skip
_GLUTAMINE = {(0, 1): 5.847, (0, 2): 6.500, (1, 2): -14.504, (1, 3): 9.165, (1, 4): 6.347, (2, 3): 6.324,
              (2, 4): 9.209, (3, 4): -15.371}  # fmt: skip
_INOSITOL = {(0, 1): 2.889, (0, 5): 9.998, (1, 2): 3.006, (2, 3): 9.997, (3, 4): 9.485, (4, 5): 9.482}

MOLECULES: dict[str, tuple[Spins, ...]] = {
    "NAA": (
        _single(2.008, 3),
        Spins((4.3817, 2.6727, 2.4863), {(0, 1): 3.861, (0, 2): 9.821, (1, 2): -15.592}),
    ),
    "NAAG": (_single(2.042, 3),),
    "Cr": (_single(3.027, 3), _single(3.913, 2)),
    "PCr": (_single(3.029, 3), _single(3.930, 2)),
    "GPC": (_single(3.212, 9),),
    "PCh": (_single(3.208, 9),),
    "Ins": (Spins((3.5217, 4.0538, 3.5217, 3.6144, 3.2690, 3.6144), _INOSITOL),),
    "Glu": (Spins((3.7433, 2.0375, 2.1200, 2.3378, 2.3520), _GLUTAMATE),),
    "Gln": (Spins((3.7530, 2.1290, 2.1090, 2.4320, 2.4540), _GLUTAMINE),),
    "Lac": (Spins((4.0974, 1.3142, 1.3142, 1.3142), {(0, 1): 6.933, (0, 2): 6.933, (0, 3): 6.933}),),
}
BROAD = {
    "lipid": ((1.29, 0.13, 2.0), (0.89, 0.14, 0.9), (2.05, 0.16, 0.3)),
    "macromolecule": (
        (0.90, 0.14, 3.0), (1.21, 0.16, 1.2), (1.41, 0.16, 1.6), (1.68, 0.14, 1.0), (2.05, 0.17, 3.2),
        (2.27, 0.18, 1.0), (3.00, 0.20, 1.1),
    ),
}  # fmt: skip
"""Position and full width at half maximum in ppm, and protons, of Gaussian lines."""


@dataclass(frozen=True)
class Sequence:
    """PRESS. frequency: MHz; echo times of its two echoes, repetition time, dwell time: s; points: of the decay."""

    frequency: float = 123.25
    first_echo: float = 0.012
    second_echo: float = 0.018
    repetition_time: float = 1.5
    dwell_time: float = 0.0008
    points: int = 512

    @property
    def echo_time(self) -> float:
        """s, from the excitation to the echo that is read."""
        return self.first_echo + self.second_echo

    @property
    def time(self) -> np.ndarray:
        """s of every point."""
        return np.arange(self.points) * self.dwell_time


@lru_cache(maxsize=4)
def signals(sequence: Sequence) -> dict[str, np.ndarray]:
    """The decay of 1 mmol/L of every molecule without relaxation, complex ``(points,)``; positive frequency below the
    receiver's ppm."""
    found = {name: sum(_signal(group, sequence) for group in groups) for name, groups in MOLECULES.items()}
    time, scale = sequence.time, sequence.frequency
    for name, lines in BROAD.items():
        found[name] = sum(
            protons
            * np.exp(2j * np.pi * (CENTRE - ppm) * scale * time)
            * np.exp(-((np.pi * width * scale * time) ** 2) / (4 * np.log(2)))
            for ppm, width, protons in lines
        )
    return found


def _signal(group: Spins, sequence: Sequence) -> np.ndarray:
    """Sum over the protons of a coupled group, per proton of a singlet 1."""
    count = len(group.shifts)
    half = [np.array(m) / 2 for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]

    def on(spin: int, axis: int) -> np.ndarray:
        return reduce(np.kron, [half[axis] if each == spin else np.eye(2) for each in range(count)])

    operators = [[on(spin, axis) for axis in range(3)] for spin in range(count)]
    energy = sum((CENTRE - shift) * sequence.frequency * operators[spin][2] for spin, shift in enumerate(group.shifts))
    for (a, b), coupling in group.couplings.items():
        energy = energy + coupling * sum(operators[a][axis] @ operators[b][axis] for axis in range(3))

    def turned(state: np.ndarray, turn: np.ndarray) -> np.ndarray:
        return turn @ state @ turn.conj().T

    def wait(state: np.ndarray, seconds: float) -> np.ndarray:
        return turned(state, expm(-2j * np.pi * energy * seconds))

    total = [sum(spin[axis] for spin in operators) for axis in range(3)]
    refocus = expm(-1j * np.pi * total[1])  # 180 degrees about y, along which the excitation left the spins
    state = wait(total[1], sequence.first_echo / 2)
    state = wait(turned(state, refocus), (sequence.first_echo + sequence.second_echo) / 2)
    state = wait(turned(state, refocus), sequence.second_echo / 2)
    step = expm(-2j * np.pi * energy * sequence.dwell_time)
    reader = (total[0] + 1j * total[1]).T  # its expectation turns with the positive frequency of its line
    decay = np.empty(sequence.points, complex)
    for point in range(sequence.points):
        decay[point] = (reader * state).sum()
        state = turned(state, step)
    return group.protons * decay * (-1j * 4 / 2**count)
