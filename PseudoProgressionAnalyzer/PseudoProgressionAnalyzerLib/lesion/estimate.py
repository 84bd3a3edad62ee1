"""A number with its 95 % interval and what must be said about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..imaging.resampling import held_block
from ..measures import InputError, Measurement, Message


@dataclass(frozen=True)
class Estimate:
    """A number with the bounds of its 95 % interval; None where it cannot be given, the flags then say why.

    low or high alone is None where the interval is open at that end or not known.
    """

    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    flags: tuple[Message, ...] = ()


def estimate_of(row: Measurement) -> Estimate:
    """A row of measurements as an estimate."""
    return Estimate(row.value, row.unit, row.low, row.high, row.flags)


def widened(estimate: Estimate, low: float, high: float) -> Estimate:
    """The estimate with an interval that also holds low to high; an end that was not known becomes the one given."""
    low = low if estimate.low is None else min(estimate.low, low)
    return replace(estimate, low=low, high=high if estimate.high is None else max(estimate.high, high))


def checked_mask(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The mask itself: bool ``(k, j, i)`` on a grid that spans space.

    Raises InputError: ``lesion_mask_type`` (not bool), ``lesion_mask_dimension`` (not three axes),
    ``lesion_affine`` (not 4x4, not finite, or voxels without volume).
    """
    if mask.dtype != bool:
        raise InputError("lesion_mask_type", field="mask", type=str(mask.dtype))
    if mask.ndim != 3:
        raise InputError("lesion_mask_dimension", field="mask", dimension=mask.ndim)
    if affine.shape != (4, 4) or not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError("lesion_affine", field="affine")
    return mask


def cropped(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mask's bounding box with one empty voxel on every side, and the index ``(k, j, i)`` of its first voxel.

    The index is -1 along an axis where the mask touches the start of the grid. Raises InputError ``lesion_empty``.
    """
    box = held_block(mask)
    if box is None:
        raise InputError("lesion_empty", field="mask")
    return np.pad(mask[box], 1), np.array([part.start for part in box]) - 1
