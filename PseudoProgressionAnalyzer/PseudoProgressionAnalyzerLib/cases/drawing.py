"""Lesions as a person would draw them: near the truth, never on it."""

from __future__ import annotations

import numpy as np

from ..measures import Image
from . import grids
from .disease import State

WANDER = 0.55
SLICE_WANDER = 0.25
LIMIT = 1.0
"""Standard deviation of the drawn boundary about the true one along it and from slice to slice, and the most that it
departs, in voxels (chosen)."""
FAR = 1000.0


def drawn(
    state: State, pose: np.ndarray, shape: tuple[int, int, int], affine: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The enhancing lesion without its core as drawn on a scan's grid, bool (k, j, i).

    pose: 4x4 from head to scanner space; affine: the scan's grid.
    """
    outer, core = (
        _distance(share, pose, state.affine, shape, affine) for share in (state.core_and_rim, state.tissues["necrosis"])
    )
    return (outer + _wandering(shape, affine, rng) < 0) & (core + _wandering(shape, affine, rng) > 0)


def _distance(share: np.ndarray, pose: np.ndarray, fine_affine: np.ndarray, shape, affine: np.ndarray) -> np.ndarray:
    """Distance in mm to the surface of a share on the scan's grid; large everywhere where there is none."""
    inside = share > 0.5
    if not inside.any():
        return np.full(shape, FAR, np.float32)
    ends = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))[[0, -1]] for axis in range(3)]
    box = tuple(slice(max(first - 6, 0), last + 7) for first, last in ends)
    affine_of_box = grids.box_affine(fine_affine, box)
    half = affine_of_box @ np.diag([0.5, 0.5, 0.5, 1.0])  # half voxels, as the surface lies within voxels
    size = tuple(2 * length - 1 for length in share[box].shape)
    finer = grids.resampled(Image(share[box], affine_of_box), size, half)
    return grids.resampled(Image(grids.signed_distance(finer > 0.5, 0.5), pose @ half), shape, affine, outside=FAR)


def _wandering(shape: tuple[int, int, int], affine: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far (mm) the drawn boundary lies inside the true one, smooth in the slice, float32 (k, j, i)."""
    voxel = np.linalg.norm(affine[:3, :3], axis=0)
    upright = np.diag([*voxel, 1.0])
    along = grids.resampled(grids.smooth_field(rng, Image(np.empty(shape, np.bool_), upright), 5.0), shape, upright)
    steps = rng.standard_normal((shape[0], 1, 1)).astype(np.float32)
    return voxel[:2].mean() * np.clip(WANDER * along + SLICE_WANDER * steps, -LIMIT, LIMIT)
