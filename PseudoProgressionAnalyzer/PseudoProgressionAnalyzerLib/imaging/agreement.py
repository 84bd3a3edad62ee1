"""How well two aligned images agree: the distance between their edges, in mm.

Edges are the inner table of the skull, the ventricles, the falx and large vessels: what stays where it is while a
lesion grows or shrinks. Registration optimises intensities and never sees them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..measures import Image
from . import resampling
from .head import Head

LIMIT = 1.6
"""Edge distance in mm above which two images are not held to be aligned. Own choice between what was measured on three
real serial pairs: 1.1 to 1.2 mm aligned, 2.0 to 2.3 mm when 5 mm out of place; see Testing/Benchmarks/registration.py.
Images with different distortions (echo-planar ones) may exceed it although no rigid transform does better."""
THICK = 40.0
"""mm that must have been imaged in every direction. Own choice: twenty of the voxels on which edges are found. A real
pair whose voxel size was lost, with 24 slices of 1 mm, had 0.0 mm before and after."""

# own choices, by eye on the same pairs
_SPACING = 2.0  # mm of the cubic voxels on which edges are found
_SMOOTHING = 2.0  # mm, standard deviation of the Gaussian before the gradient: noise goes, the inner table stays
_STRONG, _WEAK = 92.0, 80.0  # percentiles of the gradient around the brain: an edge starts and goes on
_MARGIN = 6.0  # mm around the brain in which edges count
_SHARE = 0.5  # of the edges that must lie in the other image's field of view


@dataclass(frozen=True)
class Edges:
    """points: ``(n, 3)`` RAS mm of the edges that count. distance: mm from every place to the nearest edge of all."""

    points: np.ndarray
    distance: Image


def edges(head: Head) -> Edges:
    """The edges in and around the brain, outside what is excluded and off the border of padding.

    Canny's detector (J. Canny, IEEE PAMI 8:679, 1986) as SimpleITK has it, thresholds from the image itself.
    """
    return head.once(("edges",), lambda: _edges(head))


def _edges(head: Head) -> Edges:
    cubic = head.cubic(_SPACING)
    where = cubic.near_brain(_MARGIN) & cubic.included()
    array = cubic.bounded().array
    sigma = _SMOOTHING / _SPACING
    weak, strong = np.percentile(ndimage.gaussian_gradient_magnitude(array, sigma)[where], [_WEAK, _STRONG])
    found = sitk.CannyEdgeDetection(sitk.GetImageFromArray(array), float(weak), float(strong), [sigma**2] * 3)
    edge = sitk.GetArrayFromImage(found) > 0
    distance = ndimage.distance_transform_edt(~edge, sampling=_SPACING)
    affine = cubic.image.affine
    return Edges(resampling.voxel_centres(edge & where, affine), Image(distance, affine))


def edge_distance(fixed: Edges, moving: Edges, moving_to_fixed: np.ndarray) -> float | None:
    """The median distance in mm from the edges of one image to those of the other, the larger of both directions.

    Half of the edges lie closer: edges that only one image has do not count. None where less than half of either
    image's edges lie within the other's field of view, or there are none.
    """
    there = _median_distance(fixed.points, np.linalg.inv(moving_to_fixed), moving.distance)
    back = _median_distance(moving.points, moving_to_fixed, fixed.distance)
    return None if there is None or back is None else max(there, back)


def head_distance(fixed: Head, moving: Head, moving_to_fixed: np.ndarray) -> float | None:
    """``edge_distance`` of two heads; None also where either was imaged less than ``THICK`` thick: edges lie so close
    in a thin slab, or in a head whose voxel size is lost, that some other edge is always near."""
    sides = [(np.array(head.image.shape)[::-1] * head.image.spacing).min() for head in (fixed, moving)]
    if min(sides) < THICK:
        return None
    return edge_distance(edges(fixed), edges(moving), moving_to_fixed)


def _median_distance(points: np.ndarray, matrix: np.ndarray, distance: Image) -> float | None:
    index = resampling.transform_points(np.linalg.inv(distance.affine) @ matrix, points)[:, ::-1]
    seen = np.all((index >= -0.5) & (index <= np.array(distance.shape) - 0.5), axis=1)
    if seen.sum() == 0 or seen.mean() < _SHARE:
        return None
    return float(np.median(ndimage.map_coordinates(distance.array, index[seen].T, order=1, mode="nearest")))
