"""An image of a head with what registration and agreement must know about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from ..measures import Image, InputError
from . import distances, resampling
from .brain import brain_mask

LESION_MARGIN = 5.0
"""mm around what may have changed that is left out too: enhancement and swelling fade out. Own choice."""


class Head:
    """An image without its padding: values, brain, and what is left out.

    image: what was seen. brain: bool image on its grid. excluded: bool ``(k, j, i)`` or None, with its margin.
    """

    def __init__(self, image: Image, mask: np.ndarray | None = None, exclude: np.ndarray | None = None):
        """image: 3D. mask: bool ``(k, j, i)``, the brain, found when None. exclude: bool, what may have changed.

        Raises InputError ``registration_not_3d``, ``registration_mask_grid``, ``image_is_blank``, ``brain_not_found``.
        """
        if image.array.ndim != 3:
            raise InputError("registration_not_3d", dimension=image.array.ndim)
        for name, given in (("mask", mask), ("exclude", exclude)):
            if given is not None and given.shape != image.shape:
                raise InputError("registration_mask_grid", mask=name, shape=given.shape, expected=image.shape)
        block = resampling.observed_block(image)
        self.image = resampling.cropped(image, block)
        brain = brain_mask(image) if mask is None else mask.astype(bool)
        self.brain = Image(brain[block], self.image.affine)
        if not self.brain.array.any():
            raise InputError("brain_not_found")
        self.excluded = None
        if exclude is not None and exclude[block].any():
            self.excluded = distances.near(exclude[block].astype(bool), LESION_MARGIN, self.image.spacing[::-1])
        self._known: dict[tuple, object] = {}

    def mirrored(self) -> Head:
        """The head with its voxels in reverse order along their first axis: a mirror image on the same grid."""
        side = object.__new__(Head)
        side._known = {}
        side.image = Image(self.image.array[..., ::-1], self.image.affine)
        side.brain = Image(self.brain.array[..., ::-1], self.brain.affine)
        side.excluded = None if self.excluded is None else self.excluded[..., ::-1]
        return side

    @property
    def mirroring(self) -> np.ndarray:
        """4x4: where ``mirrored`` puts a RAS point; its own inverse."""
        reverse = np.eye(4)
        reverse[0, 0], reverse[0, 3] = -1.0, self.image.shape[-1] - 1
        return self.image.affine @ reverse @ np.linalg.inv(self.image.affine)

    def brain_points(self) -> np.ndarray:
        """At most about 1000 RAS points ``(n, 3)`` of the brain, evenly from all of it."""
        inside = np.flatnonzero(self.brain.array)
        some = np.unravel_index(inside[:: max(len(inside) // 1000, 1)], self.brain.shape)
        return resampling.transform_points(self.image.affine, np.stack(some[::-1], axis=1).astype(float))

    def cubic(self, spacing: float) -> Head:
        """The same on cubic voxels of this many mm, made once."""
        return self.once(("cubic", spacing), lambda: self._cubic(spacing))

    def _cubic(self, spacing: float) -> Head:
        side = object.__new__(Head)
        side._known = {}
        side.image = resampling.isotropic(self.image, spacing)
        side.brain = resampling.isotropic(self.brain, spacing, interpolation="nearest")
        side.excluded = None
        if self.excluded is not None:
            excluded = Image(self.excluded, self.image.affine)
            side.excluded = resampling.isotropic(excluded, spacing, interpolation="nearest").array
        return side

    def included(self) -> np.ndarray:
        """Bool ``(k, j, i)``: neither excluded nor padding that an earlier resampling left around the head.

        Air may be exactly zero too: around the head that is no loss to the levels that use this.
        """
        return self.once(("included",), self._included)

    def _included(self) -> np.ndarray:
        array = self.image.array
        border = np.ones(array.shape, dtype=bool)
        border[1:-1, 1:-1, 1:-1] = False
        empty = array == array.min()
        padding = ndimage.binary_dilation(ndimage.binary_propagation(border & empty, mask=empty))
        return ~padding if self.excluded is None else ~padding & ~self.excluded

    def near_brain(self, distance: float) -> np.ndarray:
        """Bool ``(k, j, i)``: the brain and what lies within the distance in mm."""
        return self.once(
            ("near_brain", distance), lambda: distances.near(self.brain.array, distance, self.image.spacing[::-1])
        )

    def bounded(self) -> Image:
        """The image without the brightest values of its scalp and vessels, so that a histogram serves the brain."""
        return self.once(("bounded",), self._bounded)

    def _bounded(self) -> Image:
        array = self.image.array.astype(np.float32)
        low, high = np.percentile(array[self.brain.array], [0.5, 99.5])
        return Image(np.clip(array, min(low, array.min()), high), self.image.affine)

    def once(self, what: tuple, make: Callable[[], Any]) -> Any:
        """What was made before, or made now: a reference visit is held against each of the others."""
        if what not in self._known:
            self._known[what] = make()
        return self._known[what]
