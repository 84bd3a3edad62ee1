"""How much of a lesion is necrotic, and how it lies to ventricles, cavity and irradiated tissue."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .estimate import checked_mask


def necrotic_fraction(enhancement: np.ndarray, necrosis: np.ndarray) -> float | None:
    """Necrosis over enhancement and necrosis together (0 to 1), bool masks of one grid; None where both are empty."""
    dead = int(np.count_nonzero(necrosis))
    whole = int(np.count_nonzero(enhancement | necrosis))
    return dead / whole if whole else None


def share_inside(mask: np.ndarray, other: np.ndarray) -> float | None:
    """Share (0 to 1) of a region that lies in another, as in the high-dose region; None where the region is empty.

    mask: bool ``(k, j, i)``; other: bool, or the share of each voxel that is inside.
    """
    return float(np.mean(other[mask])) if mask.any() else None


def contact_area(mask: np.ndarray, structure: np.ndarray, affine: np.ndarray) -> float:
    """mm2 of voxel faces that a region shares with a structure, as with the ventricle wall; 0 where they do not touch.

    mask, structure: bool ``(k, j, i)`` of one grid, the structure without the region's own voxels; affine: 4x4 to RAS
    mm. Faces of oblique walls count as steps, so that the area is up to sqrt(3) times that of the wall. Errors as
    ``volume.volume``.
    """
    checked_mask(mask, affine)
    structure = checked_mask(structure, affine) & ~mask
    area = 0.0
    for axis in range(3):
        first, second = (np.delete(affine[:3, :3], 2 - axis, axis=1)).T
        face = float(np.linalg.norm(np.cross(first, second)))
        one, other = np.moveaxis(mask, axis, 0), np.moveaxis(structure, axis, 0)
        area += face * int(np.count_nonzero(one[1:] & other[:-1]) + np.count_nonzero(one[:-1] & other[1:]))
    return area


def distance(mask: np.ndarray, structure: np.ndarray, affine: np.ndarray) -> float | None:
    """Shortest mm between voxel centres of a region and a structure; 0 where they overlap, None where one is empty.

    Neighbouring voxels are one spacing apart. Arguments and errors as ``contact_area``; the grid's axes are taken as
    perpendicular.
    """
    checked_mask(mask, affine)
    checked_mask(structure, affine)
    if not (mask.any() and structure.any()):
        return None
    box = ndimage.find_objects((mask | structure).astype(np.uint8))[0]
    away = ndimage.distance_transform_edt(~structure[box], sampling=np.linalg.norm(affine[:3, :3], axis=0)[::-1])
    return float(away[mask[box]].min())
