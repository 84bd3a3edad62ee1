"""Two images as one: squares of each in turn, to see by eye whether edges go on from one to the other."""

from __future__ import annotations

import numpy as np

from ..measures import Image
from .resampling import resample

Window = tuple[float, float]
"""The values that are shown as black and as white."""


def checkerboard(
    fixed: Image, moving: Image, moving_to_fixed: np.ndarray, edge: float, windows: tuple[Window, Window]
) -> Image:
    """Cubes of fixed and moving in turn as uint8 ``(k, j, i)``, 0 black and 255 white, on the grid of fixed; the cube
    at its first voxel is fixed's.

    edge: of the cubes in mm. moving_to_fixed: 4x4, RAS mm. windows: of fixed and of moving.
    """
    brought = resample(moving, fixed, moving_to_fixed)
    steps = zip(fixed.shape, fixed.spacing[::-1], strict=True)
    cubes = [np.floor(np.arange(count) * step / edge) for count, step in steps]
    second = (cubes[0][:, None, None] + cubes[1][:, None] + cubes[2]) % 2 == 1
    shown = _shown(fixed.array, windows[0])
    shown[second] = _shown(brought.array, windows[1])[second]
    return Image(shown, fixed.affine)


def _shown(values: np.ndarray, window: Window) -> np.ndarray:
    low, high = window
    share = (np.nan_to_num(values, nan=low).astype(np.float32) - low) / max(high - low, 1e-12)
    return (255 * np.clip(share, 0, 1)).round().astype(np.uint8)
