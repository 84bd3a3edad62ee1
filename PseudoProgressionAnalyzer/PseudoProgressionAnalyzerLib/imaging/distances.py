"""What lies near a mask, and how deep its voxels lie in it.

A distance transform of a whole image of the head takes a second and a hundred megabytes. Where only a limit is asked
for, the block that can hold the answer is enough, and gives the same.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from . import resampling


def near(mask: np.ndarray, distance: float, spacing: np.ndarray) -> np.ndarray:
    """Bool ``(k, j, i)``: the mask and what lies within the distance in mm of it.

    spacing: mm of the axes in the mask's order ``(k, j, i)``. Nothing lies near an empty mask.
    """
    found = np.zeros(mask.shape, dtype=bool)
    block = _block(mask, np.ceil(distance / np.asarray(spacing)).astype(int))
    if block is not None:
        found[block] = ndimage.distance_transform_edt(~mask[block], sampling=spacing) <= distance
    return found


def deep(mask: np.ndarray, distance: float, spacing: np.ndarray) -> np.ndarray:
    """Bool ``(k, j, i)``: voxels of the mask further than the distance in mm from the nearest voxel outside of it.

    spacing: as for ``near``. The image's border is no outside.
    """
    if mask.all():
        return mask.astype(bool)
    found = np.zeros(mask.shape, dtype=bool)
    block = _block(mask, np.ones(3, dtype=int))  # of the voxels outside, the nearest are those around the block
    if block is not None:
        found[block] = ndimage.distance_transform_edt(mask[block], sampling=spacing) > distance
    return found


def _block(mask: np.ndarray, margin: np.ndarray) -> tuple[slice, ...] | None:
    """The block that holds the mask, with a margin in voxels ``(k, j, i)``; None where the mask is empty."""
    held = resampling.held_block(mask)
    if held is None:
        return None
    return tuple(
        slice(max(axis.start - more, 0), min(axis.stop + more, size))
        for axis, more, size in zip(held, margin, mask.shape, strict=True)
    )
