"""Overlaps of drawn regions with the grids of maps, kept from stroke to stroke, so that one costs what it changed."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np

from ..imaging.resampling import Overlap, held_block, overlap, transform_points
from ..measures import Image
from . import Analysis

TISSUE = ""
"""The reference tissue among the names of a visit's regions."""


class RegionOverlaps:
    """A drawn region with its overlaps with the grids that it was measured on.

    mask: bool image, cropped to its voxels. It is never changed: an edit makes another one (``edited``). change: the
    voxels that came by the last edit, and those that went.
    """

    def __init__(self, mask: Image):
        self.mask = _held(mask)
        self.change: tuple[RegionOverlaps, ...] = ()
        self._known: dict[tuple, tuple[Image, np.ndarray, Overlap]] = {}

    @functools.cached_property
    def volume(self) -> float:
        """Volume of the whole region in mL, wherever it lies."""
        return int(np.count_nonzero(self.mask.array)) * self.mask.voxel_volume

    def on(self, grid: Image, region_to_grid: np.ndarray) -> Overlap:
        """The overlap with a grid (its values are not read); region_to_grid: 4x4, RAS mm to RAS mm."""
        key = (grid.shape, grid.affine.tobytes(), region_to_grid.tobytes())
        if key not in self._known:
            empty = Image(np.broadcast_to(np.False_, grid.shape), grid.affine)
            self._known[key] = empty, region_to_grid, overlap(self.mask, empty, region_to_grid)
        return self._known[key][2]

    def edited(self, mask: Image, lately: Iterable[RegionOverlaps] = ()) -> RegionOverlaps:
        """The region as it is after an edit: its overlaps follow from the voxels that came and went, or are forgotten
        where that is most of them. lately: voxels that came to other regions or went from them, for a stroke may take
        from one what it gives to another."""
        after = RegionOverlaps(mask)
        if np.array_equal(self.mask.affine, after.mask.affine) and np.array_equal(self.mask.array, after.mask.array):
            return self
        change = _change(self.mask, after.mask)
        if change is None:
            return after
        lately = list(lately)
        after.change = tuple(
            next((one for one in lately if one._is(part)), None) or RegionOverlaps(part) for part in change
        )
        added, removed = after.change
        for key, (grid, to_grid, before) in list(self._known.items()):  # judging beside may add one
            there = before.changed(added.on(grid, to_grid), removed.on(grid, to_grid))
            after._known[key] = grid, to_grid, there
        return after

    def _is(self, mask: Image) -> bool:
        """Whether a cropped mask is of the same voxels."""
        return np.array_equal(self.mask.array, mask.array) and np.allclose(self.mask.affine, mask.affine, atol=1e-4)


def overlaps_of(analysis: Analysis, visit_id: str, name: str, mask: Image) -> RegionOverlaps:
    """The overlaps of a visit's region (or ``TISSUE``) as it is now; mask: bool image, cropped or not."""
    known = analysis.overlaps.get((visit_id, name))
    lately = (part for (visit, _), other in analysis.overlaps.items() if visit == visit_id for part in other.change)
    now = RegionOverlaps(mask) if known is None else known.edited(mask, lately)
    analysis.overlaps[visit_id, name] = now
    return now


def _held(mask: Image) -> Image:
    """A copy of a mask, cropped to its voxels; one voxel of an empty one."""
    block = held_block(mask.array) or (slice(0, 1),) * 3
    affine = mask.affine.copy()
    affine[:3, 3] = transform_points(affine, np.array([part.start for part in block[::-1]], dtype=float))
    return Image(mask.array[block].copy(), affine)


def _change(before: Image, after: Image) -> tuple[Image, Image] | None:
    """The voxels that came and those that went; None where most of them did, or where the voxels are others."""
    to_before = np.linalg.inv(before.affine) @ after.affine
    shift = np.rint(to_before[:3, 3])
    to_before[:3, 3] -= shift
    if not np.allclose(to_before, np.eye(4), atol=1e-4):
        return None
    shift = shift.astype(int)[::-1]
    first = np.minimum(shift, 0)
    shape = np.maximum(before.shape, shift + after.shape) - first
    there, now = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for whole, mask, start in ((there, before, -first), (now, after, shift - first)):
        whole[tuple(slice(a, a + n) for a, n in zip(start, mask.shape, strict=True))] = mask.array
    differ = there ^ now
    if np.count_nonzero(differ) > np.count_nonzero(now):
        return None
    affine = before.affine.copy()
    affine[:3, 3] = transform_points(affine, first[::-1].astype(float))
    return _held(Image(differ & now, affine)), _held(Image(differ & there, affine))
