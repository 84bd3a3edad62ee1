"""What every tissue holds of each metabolite, and how much of it a voxel of spectroscopic imaging sees."""

from __future__ import annotations

import numpy as np

from ..measures import Image
from . import grids
from .disease import State
from .plans import Lesion
from .scans import Prescription
from .tissues import TISSUES

# mmol/L; choline and NAA of each tissue stand in ``tissues``. Lipid and macromolecule count CH3 groups. All chosen to
# look right, of the order of what is published for white matter, grey matter and glioma.
OTHERS: dict[str, dict[str, float]] = {
    "white": {"cr": 7.5, "Ins": 5.0, "Glu": 7.0, "Gln": 2.0, "Lac": 0.4, "macromolecule": 3.0},
    "grey": {"cr": 9.5, "Ins": 6.0, "Glu": 10.0, "Gln": 3.5, "Lac": 0.5, "macromolecule": 4.0},
    "oedema": {"cr": 5.8, "Ins": 5.0, "Glu": 5.0, "Gln": 2.5, "Lac": 1.5, "lipid": 0.5, "macromolecule": 2.5},
    "enhancing": {"cr": 4.2, "Ins": 4.5, "Glu": 3.5, "Gln": 3.5, "Lac": 4.0, "lipid": 3.0, "macromolecule": 3.0},
    "necrosis": {"cr": 0.4, "Ins": 0.4, "Glu": 0.4, "Gln": 0.5, "Lac": 5.0, "lipid": 9.0, "macromolecule": 1.0},
    "fluid": {"Lac": 1.0},
    "fat": {"lipid": 20.0},  # what saturation of the outer volume leaves
}
SPLIT = {
    "cho": {"GPC": 0.6, "PCh": 0.4},
    "naa": {"NAA": 0.87, "NAAG": 0.13},
    "cr": {"Cr": 0.55, "PCr": 0.45},
}
"""What the sums are made of."""


def amounts(lesion: Lesion) -> dict[str, dict[str, float]]:
    """mmol/L of every molecule by tissue: tissue to molecule to amount."""
    found = {}
    for name, tissue in TISSUES.items():
        sums = {"naa": tissue.naa, "cho": tissue.cho, **OTHERS.get(name, {})}
        if name == "enhancing":
            sums |= {"naa": lesion.naa, "cho": lesion.cho_naa * lesion.naa}
        found[name] = {
            part: amount * share
            for total, amount in sums.items()
            for part, share in SPLIT.get(total, {total: 1}).items()
        }
    return found


def cho_cr(lesion: Lesion) -> float:
    """Molar Cho/Cr of a lesion's enhancing tissue."""
    return lesion.cho_naa * lesion.naa / OTHERS["enhancing"]["cr"]


def seen(
    state: State, lesion: Lesion, scan: Prescription, affine: np.ndarray, pose: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """mmol per litre of voxel of every molecule, and the share of water (1 in pure fluid), all ``(k, j, i)``.

    affine: the scan's grid in scanner space; pose: 4x4 from head to scanner space.
    """
    shares = {
        name: grids.scanned(Image(share, state.affine), pose, scan.shape, affine, scan.parts)
        for name, share in state.tissues.items()
    }
    held: dict[str, np.ndarray] = {}
    for tissue, molecules in amounts(lesion).items():
        for molecule, amount in molecules.items():
            held[molecule] = held.get(molecule, 0.0) + amount * shares[tissue]
    return held, sum(TISSUES[name].density * share for name, share in shares.items())
