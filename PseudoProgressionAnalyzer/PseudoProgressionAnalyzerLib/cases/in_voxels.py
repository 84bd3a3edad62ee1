"""The truth as voxels of a scan see it: what an ideal scanner and an ideal outline would measure.

A voxel over the lesion's edge holds its surroundings too, whatever is done afterwards. Here are the lesion's outline
without an error, maps without noise or leakage, and amplitudes without a fit: what a measurement departs from these by
is its own.
"""

from __future__ import annotations

import numpy as np

from ..measures import Image
from . import disease, grids, metabolites, spectra
from .disease import State
from .plans import Lesion
from .scans import Prescription
from .tissues import TISSUES

OUTLINED = 0.5
"""Share of enhancing tissue from which a fine voxel lies within the outline."""
INSIDE = (0.9, 0.5, 0.0)
"""Shares of a spectroscopic voxel within the outline: those of the first that any voxel reaches count, as
Docs/methods.md says of regions."""


def rcbv_ratio(state: State, contralateral: np.ndarray, pose: np.ndarray, scan: Prescription) -> float:
    """Mean blood volume in the voxels of a scan, each by its share within the lesion's outline, over that of
    normal-appearing white matter. contralateral: as ``disease.truth``; pose: 4x4 from head to scanner space."""
    perfusion = grids.resampled(state.perfusion, contralateral.shape, state.affine, outside=1.0)
    volume = np.zeros(contralateral.shape, np.float32)
    for name, share in state.tissues.items():
        own = state.blood_volume if name == "enhancing" else TISSUES[name].blood_volume
        volume += share * own * (perfusion if name in ("white", "grey", "oedema") else 1)
    mean = disease.weighted_mean(_averaged(volume, state, pose, scan), _outline(state, pose, scan))
    return mean / disease.normal_blood_volume(state, contralateral)


def metabolite_ratios(state: State, lesion: Lesion, pose: np.ndarray, scan: Prescription) -> dict[str, float]:
    """Cho/NAA and Cho/Cr of the voxels of a scan that lie within the lesion's outline, at the sequence's echo time
    (nothing corrects for relaxation)."""
    affine = scan.affine(pose)
    held, _ = metabolites.seen(state, lesion, scan, affine, pose)
    share = np.where(spectra.excited(scan, affine) > OUTLINED, _outline(state, pose, scan), 0)
    least = next(limit for limit in INSIDE if share.max() >= limit)
    weight = np.where(share >= least, share, 0)

    def amount(*molecules: str) -> float:
        decays = {name: np.exp(-spectra.SEQUENCE.echo_time / spectra.T2[name]) for name in molecules}
        return float(sum((held[name] * weight).sum() * decay for name, decay in decays.items()))

    choline = amount("GPC", "PCh")
    return {"Cho_NAA": choline / amount("NAA", "NAAG"), "Cho_Cr": choline / amount("Cr", "PCr")}


def _outline(state: State, pose: np.ndarray, scan: Prescription) -> np.ndarray:
    """Share of each voxel ``(k, j, i)`` of a scan that lies within the lesion's outline."""
    return _averaged((state.tissues["enhancing"] > OUTLINED).astype(np.float32), state, pose, scan)


def _averaged(array: np.ndarray, state: State, pose: np.ndarray, scan: Prescription) -> np.ndarray:
    return grids.scanned(Image(array, state.affine), pose, scan.shape, scan.affine(pose), scan.parts)
