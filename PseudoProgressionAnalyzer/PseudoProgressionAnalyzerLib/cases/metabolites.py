"""A molar Cho/NAA map as a spectroscopic imaging study would give it."""

from __future__ import annotations

import numpy as np

from .disease import State
from .plans import Lesion
from .tissues import TISSUES

NOISE = {"cho": 0.10, "naa": 0.30}
"""Standard deviation of a fitted concentration in one voxel, mmol/L (chosen)."""
DETECTION = 3.0
"""NAA below this many standard deviations counts as not measured."""


def concentrations(state: State, lesion: Lesion) -> dict[str, np.ndarray]:
    """Choline and NAA in mmol per litre of voxel, ``cho`` and ``naa``, float32 (k, j, i) on the fine grid."""
    enhancing = {"cho": lesion.cho_naa * lesion.naa, "naa": lesion.naa}
    maps = {}
    for metabolite in ("cho", "naa"):
        maps[metabolite] = np.zeros_like(state.tissues["white"])
        for name, share in state.tissues.items():
            amount = enhancing[metabolite] if name == "enhancing" else getattr(TISSUES[name], metabolite)
            if amount:
                maps[metabolite] += np.float32(amount) * share
    return maps


def ratio_map(cho: np.ndarray, naa: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cho/NAA float32 (k, j, i) of noisy concentrations (mmol/L); 0 where it was not measured.

    inside: bool, voxels far enough within the brain to be free of scalp lipids.
    """
    cho = cho + NOISE["cho"] * rng.standard_normal(cho.shape)
    naa = naa + NOISE["naa"] * rng.standard_normal(naa.shape)
    measured = inside & (naa > DETECTION * NOISE["naa"]) & (cho > 0)
    return np.where(measured, cho / np.where(measured, naa, 1.0), 0.0).astype(np.float32)
