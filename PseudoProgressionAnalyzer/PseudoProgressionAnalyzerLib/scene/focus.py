"""Where to look: the point and the field of view, in the reference visit's RAS, that show a patient's lesions."""

from __future__ import annotations

import itertools

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix3x3, vtkMatrix4x4

from ..imaging.resampling import transform_points, voxel_centres
from . import nodes
from .nodes import Kind, linked
from .segments import regions_of, segment_mask

ORIENTATION = "Axial"
_NEAR = 5.0  # mm above and below the chosen level


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
    """RAS mm (3,) in the middle of all lesions of all visits; the middle of the first image where nothing is drawn.

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
        low, high = image_bounds(patient_node)
        return (low + high) / 2
    weight = np.concatenate(weights)
    order = np.argsort(points[:, 2])
    level = points[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2), 2]
    near = np.abs(points[:, 2] - level) <= _NEAR
    return np.array([*np.average(points[near, :2], axis=0, weights=weight[near]), level])


def image_bounds(patient_node: object) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest RAS mm (3,) of the box around the patient's first image, as it lies in the scene."""
    for node in linked(patient_node, Kind.IMAGE):
        image = nodes.get_image(node)
        if image is not None:
            ends = ((-0.5, n - 0.5) for n in image.shape[::-1])
            corners = transform_points(to_world(node) @ image.affine, np.array(list(itertools.product(*ends))))
            return corners.min(axis=0), corners.max(axis=0)
    return np.full(3, -100.0), np.full(3, 100.0)
