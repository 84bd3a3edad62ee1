"""Where to look: the point and the field of view, in the reference visit's RAS, that show a patient's lesions."""

from __future__ import annotations

import itertools

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix3x3, vtkMatrix4x4

from ..imaging.resampling import transform_points, voxel_centres
from . import nodes
from .nodes import Kind, find, linked, marked
from .segments import held_block, regions_of, segment_mask

ORIENTATION = "Axial"
_NEAR = 5.0  # mm above and below the chosen level
_AROUND = 20.0  # mm: the brain with skull and scalp


def to_world(node: object) -> np.ndarray:
    """4x4 from a node's own RAS to the scene's, through the transforms that it stands under."""
    matrix = vtkMatrix4x4()
    parent = node.GetParentTransformNode()
    if parent is not None:
        parent.GetMatrixTransformToWorld(matrix)
    return nodes.from_vtk(matrix)


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
