"""Where to look: the point and the field of view, in the reference visit's RAS, that show a patient's lesions."""

from __future__ import annotations

import itertools

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix3x3

from ..imaging.resampling import held_block, transform_points, voxel_centres
from . import nodes
from .nodes import Kind, find, linked, marked, to_world
from .segments import regions_of, segment_mask

ORIENTATION = "Axial"
_NEAR = 5.0  # mm above and below the chosen level
_AROUND = 20.0  # mm: the brain with skull and scalp


def set_axial(slice_node: object) -> None:
    """Turns a slice view to axial, as Slicer is set to show it; seen from the feet where no setting is known."""
    if not slice_node.HasSliceOrientationPreset(ORIENTATION):
        directions = vtkMatrix3x3()
        slicer.vtkMRMLSliceNode.GetAxialSliceToRASMatrix(directions, True)
        slice_node.AddSliceOrientationPreset(ORIENTATION, directions)
    slice_node.SetOrientation(ORIENTATION)


def lesion_focus(patient_node: object) -> np.ndarray:
    """RAS mm (3,) in the middle of all lesions of all visits; the middle of the head where nothing is drawn.

    The axial level is the median of the lesions' voxels, weighted by volume, so that it cuts a lesion.
    """
    found, weights = [], []
    for node in linked(patient_node, Kind.LESION):
        for segment_id in regions_of(node):
            mask = segment_mask(node, segment_id)
            points = transform_points(to_world(node), voxel_centres(mask.array, mask.affine))
            found.append(points)
            weights.append(np.full(len(points), mask.voxel_volume))
    points = np.concatenate(found) if found else np.empty((0, 3))
    if len(points) == 0:
        low, high = head_bounds(patient_node)
        return (low + high) / 2
    weight = np.concatenate(weights)
    order = np.argsort(points[:, 2])
    level = points[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2), 2]
    near = np.abs(points[:, 2] - level) <= _NEAR
    return np.array([*np.average(points[near, :2], axis=0, weights=weight[near]), level])


def visit_focus(patient_node: object, visit_id: str) -> np.ndarray:
    """RAS mm (3,) in the middle of a visit's own largest lesion; of all lesions where it has none."""
    found = [
        (segment_mask(node, segment_id).array.sum(), node, segment_id)
        for node in linked(patient_node, Kind.LESION)
        if marked(node, "visit") == visit_id
        for segment_id in regions_of(node)
    ]
    largest = max(found, key=lambda each: each[0], default=(0, None, ""))
    return region_focus(*largest[1:]) if largest[0] else lesion_focus(patient_node)


def region_focus(node: object, segment_id: str) -> np.ndarray:
    """RAS mm (3,) of the voxel of a region that lies nearest to its centre of mass, as in the scene: never outside of a
    ring."""
    mask = segment_mask(node, segment_id)
    points = transform_points(to_world(node), voxel_centres(mask.array, mask.affine))
    return points[np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1))]


def native_axes(image: object) -> np.ndarray:
    """3x3 rotation of the slice whose pixels are the voxels of an image where it lies in the scene: the plane nearest
    to axial, seen from the feet. Columns are right on the screen, up on the screen and across, in RAS."""
    axes = (to_world(image) @ nodes.get_image(image).affine)[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    seen = np.diag([-1.0, 1.0, 1.0])
    order = max(itertools.permutations(range(3)), key=lambda order: np.abs(np.diag(seen.T @ axes[:, order])).sum())
    turned = axes[:, order]
    return turned * np.sign(np.diag(seen.T @ turned))


def head_bounds(patient_node: object) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS mm (3,) of the brain and what lies around it, as in the scene; of the whole image where
    the brain was not found."""
    images = [node for node in linked(patient_node, Kind.IMAGE) if nodes.get_image(node) is not None]
    images.sort(key=lambda node: not np.array_equal(to_world(node), np.eye(4)))  # the reference visit before others
    if not images:
        return np.full(3, -100.0), np.full(3, 100.0)
    image = nodes.get_image(images[0])
    low, high = _box(np.zeros(3), np.array(image.shape[::-1]), to_world(images[0]) @ image.affine)
    brain = find(patient_node, Kind.BRAIN, marked(images[0], "visit"))
    held = held_block(nodes.get_image(brain).array) if brain and nodes.get_image(brain) else None
    if held is not None:
        affine = to_world(brain) @ nodes.get_image(brain).affine
        first, last = (np.array(ends)[::-1] for ends in zip(*((part.start, part.stop) for part in held), strict=True))
        near_low, near_high = _box(first, last, affine)
        low, high = np.maximum(low, near_low - _AROUND), np.minimum(high, near_high + _AROUND)
    return low, high


def _box(first: np.ndarray, last: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS mm of the voxels from index ``(i, j, k)`` first to before last."""
    ends = zip(first - 0.5, last - 0.5, strict=True)
    corners = transform_points(affine, np.array(list(itertools.product(*ends))))
    return corners.min(axis=0), corners.max(axis=0)
