"""Two images of one head where they meet halfway, so that both are resampled once and neither more than the other.

A comparison in the space of one of the two would blur the other alone, and show that as change.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..measures import Image
from . import resampling


def halfway(rigid: np.ndarray) -> np.ndarray:
    """The rigid 4x4 that does half of a rigid one: done twice, it is the whole.

    Half of the rotation about its axis; the shift t of the half with rotation H of the whole (R, T) solves
    ``(H + I) t = T``, as ``H t + t = T``. Unique but for turns by 180 degrees.
    """
    half = np.eye(4)
    half[:3, :3] = Rotation.from_rotvec(Rotation.from_matrix(rigid[:3, :3]).as_rotvec() / 2).as_matrix()
    half[:3, 3] = np.linalg.solve(half[:3, :3] + np.eye(3), rigid[:3, 3])
    return half


def meet(
    fixed: Image, moving: Image, moving_to_fixed: np.ndarray, *, interpolation: str = "linear"
) -> tuple[Image, Image, np.ndarray]:
    """Both 3D images on one grid in the halfway space, each resampled once; NaN where an image does not reach.

    moving_to_fixed: 4x4, RAS mm. The grid has the shape, spacing and directions of the coarser image, about the middle
    between both images' centres in the halfway space: so neither is spared the resampling that the other one gets. Also
    returns ``fixed_to_halfway``, 4x4 RAS mm; moving to halfway is ``halfway(moving_to_fixed)``.
    """
    to_halfway = halfway(moving_to_fixed)
    fixed_to_halfway = to_halfway @ np.linalg.inv(moving_to_fixed)
    coarser = fixed if fixed.voxel_volume >= moving.voxel_volume else moving
    centres = [
        resampling.transform_points(matrix @ image.affine, _middle(image))
        for image, matrix in ((fixed, fixed_to_halfway), (moving, to_halfway))
    ]
    affine = coarser.affine.copy()
    affine[:3, 3] = np.mean(centres, axis=0) - affine[:3, :3] @ _middle(coarser)
    grid = Image(np.broadcast_to(np.zeros((), np.uint8), coarser.shape), affine)

    def brought(image: Image, matrix: np.ndarray) -> Image:
        values = Image(image.array.astype(np.float32), image.affine)
        return resampling.resample(values, grid, matrix, interpolation=interpolation, outside=np.nan)

    return brought(fixed, fixed_to_halfway), brought(moving, to_halfway), fixed_to_halfway


def _middle(image: Image) -> np.ndarray:
    """Index (i, j, k) of the middle of an image."""
    return (np.array(image.shape)[::-1] - 1) / 2
