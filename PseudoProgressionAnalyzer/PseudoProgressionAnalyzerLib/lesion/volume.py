"""Volumes of regions in mL by voxel count, and how far such a volume can be trusted.

Two errors are known from published measurements and independent of each other, so that their squares add:

- the grid: one and the same lesion counted on differently placed voxels (``GRID_SPREAD``);
- the drawing: one and the same reader delineating enhancement again (``DRAWING_ERROR``).

What they leave out makes a real error larger, never smaller: several readers, changed scanners or sequences, and
surgery (between readers the enhancing volume has an intraclass correlation of 0.99 before but 0.92 after surgery and
0.91 at progression: Visser 2019, NeuroImage Clin 22:101727, PMC6396436).
"""

from __future__ import annotations

import math

import numpy as np

from ..measures import Message
from .estimate import Estimate, checked_mask

GRID_SPREAD = (
    # from mL, 10th to 90th percentile of the relative deviation: isotropic grid, grid of anisotropy 6 or more
    (0.2, 0.019, 0.366),
    (1.0, 0.009, 0.148),
    (5.0, 0.004, 0.053),
    (20.0, 0.002, 0.028),
    (60.0, 0.001, 0.015),
)
"""Deviation of lesion volumes between native grids and a 1 mm grid, by size: 591 time points of 90 patients with
treated glioblastoma (LUMIERE, doi 10.1038/s41597-022-01881-7), rigid transforms, nearest neighbour; n = 318, 682,
910, 1005, 434 per size on the anisotropic grids; median deviation 0.00 %. Source: prateekkarkare/lumiere-rano,
docs/volume_audit.html (commit 5cce42d), section 3. Nothing is published there below 0.2 mL."""

ANISOTROPIC = 6.0
"""Largest over smallest voxel edge from which the second column of ``GRID_SPREAD`` holds (same source)."""

DRAWING_ERROR = 0.082
"""Relative standard deviation of one reader's repeated semi-automatic enhancing volume on 3D T1: root mean square error
8.2 %, 320 segmentations (abstract of "Reliability of Semi-Automated Segmentations in Glioblastoma")."""

P10_TO_P90 = 2.5631031310892007  # standard deviations between these percentiles of a normal distribution
NORMAL_95 = 1.959963984540054


def volume(mask: np.ndarray, affine: np.ndarray) -> float:
    """Volume of a region in mL: voxels counted times the volume of one.

    mask: bool ``(k, j, i)``; affine: 4x4 to RAS mm. An empty mask has 0 mL. Raises InputError: ``lesion_mask_type``,
    ``lesion_mask_dimension``, ``lesion_affine``. Equals pyradiomics' VoxelVolume (there in mm3).
    """
    checked_mask(mask, affine)
    return int(np.count_nonzero(mask)) * abs(float(np.linalg.det(affine[:3, :3]))) / 1000.0


def volume_error(millilitres: float, spacing: np.ndarray, drawing_error: float = DRAWING_ERROR) -> float | None:
    """Relative standard deviation of a volume of this size on voxels of this spacing (mm, any order).

    None below the smallest size that was ever measured (0.2 mL) and for an empty region. Between an isotropic grid
    and anisotropy 6 the published spreads are interpolated geometrically in the anisotropy; both ends are the source's.
    """
    rows = [row for row in GRID_SPREAD if millilitres >= row[0]]
    if not rows:
        return None
    _, isotropic, anisotropic = rows[-1]
    anisotropy = float(np.max(spacing) / np.min(spacing))
    share = min(math.log(anisotropy) / math.log(ANISOTROPIC), 1.0)
    grid = isotropic * (anisotropic / isotropic) ** share / P10_TO_P90
    return math.hypot(grid, drawing_error)


def volume_estimate(mask: np.ndarray, affine: np.ndarray, drawing_error: float = DRAWING_ERROR) -> Estimate:
    """``volume`` in mL with the 95 % interval of ``banded``; errors as ``volume``."""
    return banded(volume(mask, affine), np.linalg.norm(affine[:3, :3], axis=0), drawing_error)


def banded(millilitres: float, spacing: np.ndarray, drawing_error: float = DRAWING_ERROR) -> Estimate:
    """A volume with its 95 % interval, from ``volume_error`` on the logarithmic scale (volumes are positive).

    Below the smallest size that was ever measured (0.2 mL) the interval reaches from nothing to the upper end of that
    size, with the flag ``lesion_volume_error_unknown``; an empty region has none.
    """
    if millilitres == 0:
        return Estimate(0.0, "mL")
    smallest = GRID_SPREAD[0][0]
    factor = math.exp(NORMAL_95 * volume_error(max(millilitres, smallest), spacing, drawing_error))
    if millilitres < smallest:
        flag = Message("lesion_volume_error_unknown", {"smallest": smallest})
        return Estimate(millilitres, "mL", 0.0, smallest * factor, (flag,))
    return Estimate(millilitres, "mL", millilitres / factor, millilitres * factor)
