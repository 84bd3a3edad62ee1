"""T1, T1CE and FLAIR of a state, on the fine grid.

Signal of an inversion recovery sequence read out at TI: M0 (1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2), the standard
equation of FLAIR and of magnetisation-prepared T1 (Deshmane et al., Proc. ISMRM 2016, p. 1909).
Contrast agent shortens T1: 1/T1 = 1/T10 + r1 C.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .disease import State, weighted_mean
from .plans import Lesion
from .tissues import TISSUES, Tissue

RELAXIVITY = 4.97
"""r1 of gadobutrol in plasma at 3 T in L/(mmol s): Szomolanyi et al. 2019, Invest. Radiol. 54:559 (PMC6738537)."""


@dataclass(frozen=True)
class Sequence:
    """Times in s, as BIDS has them."""

    repetition_time: float
    inversion_time: float
    echo_time: float


T1_WEIGHTED = Sequence(2.0, 0.9, 0.003)
FLAIR = Sequence(9.0, 2.5, 0.120)
FLOWING = {"artery": 0.15, "vein": 0.25}
"""Share of the signal that flowing blood keeps in the long echo train of FLAIR."""


def inversion_recovery(sequence: Sequence, density, t1, t2):
    """The signal at these tissue properties (s), relative to fluid that is fully relaxed."""
    recovery = 1 - 2 * np.exp(-sequence.inversion_time / t1) + np.exp(-sequence.repetition_time / t1)
    return np.abs(density * recovery * np.exp(-sequence.echo_time / t2))


def with_contrast(tissue: Tissue, concentration):
    """T1 in s of a tissue that holds this much contrast agent (mmol/L)."""
    return 1 / (1 / tissue.t1 + RELAXIVITY * concentration)


def t1_weighted(state: State, lesion: Lesion, contrast: bool) -> np.ndarray:
    """T1-weighted signal before or after contrast agent, float32 (k, j, i)."""
    signals = {}
    for name, tissue in TISSUES.items():
        t1 = with_contrast(tissue, tissue.contrast if contrast else 0.0)
        signals[name] = inversion_recovery(T1_WEIGHTED, tissue.density, t1, tissue.t2)
    if contrast:
        tissue = TISSUES["enhancing"]
        texture = state.blood_volume / weighted_mean(state.blood_volume, state.tissues["enhancing"])
        t1 = with_contrast(tissue, lesion.contrast * texture)
        signals["enhancing"] = inversion_recovery(T1_WEIGHTED, tissue.density, t1, tissue.t2)
    return _mixed(state, signals)


def flair(state: State) -> np.ndarray:
    """FLAIR signal without contrast agent, float32 (k, j, i)."""
    signals = {
        name: inversion_recovery(FLAIR, tissue.density, tissue.t1, tissue.t2) * FLOWING.get(name, 1.0)
        for name, tissue in TISSUES.items()
    }
    signals["fat"] *= 0.6
    return _mixed(state, signals)


def _mixed(state: State, signals: dict) -> np.ndarray:
    image = np.zeros_like(state.tissues["white"])
    for name, share in state.tissues.items():
        image += share * np.float32(signals[name]) if np.isscalar(signals[name]) else share * signals[name]
    return image
