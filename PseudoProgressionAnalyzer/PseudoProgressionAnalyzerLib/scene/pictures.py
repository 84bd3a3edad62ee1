"""Pictures of the patient in a scene, from the scene's own slice pipeline.

Reslicing, windows and colours are those that Slicer shows, and no graphics library is needed.
"""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.util.numpy_support import vtk_to_numpy

from ..measures import Image, InputError
from . import nodes
from .nodes import Kind, find, to_world


class ScenePictures:
    """The slices of the patient in a scene, as they look there now.

    The scene's Application must live as long as this: its logics hold the colours. Raises InputError
    ``scene_without_patient``.
    """

    def __init__(self, scene: object):
        self._patient = nodes.patient_node(scene)
        if self._patient is None:
            raise InputError("scene_without_patient")

    def cell(self, visit: str, image: str, plane: Image) -> np.ndarray | None:
        """A visit's image in a plane, float ``(rows, columns, 3)`` from 0 to 1; None when the scene lacks it.

        plane: ``(1, rows, columns)`` with orthogonal axes in the scene's RAS, first row on top: each pixel shows what
        lies at its voxel centre. Maps and regions are not drawn.
        """
        wanted = find(self._patient, Kind.IMAGE, visit, image)
        if wanted is None or nodes.get_image(wanted) is None:
            return None
        return _View(plane).picture(wanted)


class _View:
    """One slice logic in a scene of its own: the patient's scene never knows, and a desktop makes no view for it.

    Volumes are shown where they lie, through their transforms; their voxels are shared, not copied.
    """

    def __init__(self, plane: Image):
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLScene(self.scene)
        self.node = self.logic.AddSliceNode("picture")
        _, self.rows, self.columns = plane.shape
        width, height = plane.spacing[:2] * (self.columns, self.rows)
        # A slice node counts lines from below, and its pixel 0 lies at half its field of view from its middle: the
        # middle is half a picture away from the pixel in the lower left corner, not from that pixel's edge.
        slice_to_world = np.eye(4)
        slice_to_world[:3, :3] = plane.affine[:3, :3] / plane.spacing * (1, -1, 1)
        slice_to_world[:3, 3] = (plane.affine @ (self.columns / 2, self.rows / 2 - 1, 0, 1))[:3]
        self.node.GetSliceToRAS().DeepCopy(nodes.to_vtk(slice_to_world))
        self.node.UpdateMatrices()
        self.node.SetDimensions(self.columns, self.rows, 1)
        self.node.SetFieldOfView(width, height, 1.0)

    @property
    def pixel_to_world(self) -> np.ndarray:
        """4x4 from pixels (column, row from the top, 0) to RAS mm."""
        upside_down = np.diag([1.0, -1.0, 1.0, 1.0])
        upside_down[1, 3] = self.rows - 1
        return nodes.from_vtk(self.node.GetXYToRAS()) @ upside_down

    def picture(self, image: object) -> np.ndarray:
        """The slice of an image through its window, float ``(rows, columns, 3)`` from 0 to 1."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(self._borrow(image).GetID())
        self.logic.UpdatePipeline()
        connection = self.logic.GetImageDataConnection()
        connection.GetProducer().Update()
        blended = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
        pixels = vtk_to_numpy(blended.GetPointData().GetScalars()).reshape(self.rows, self.columns, 4)[::-1] / 255.0
        return pixels[..., :3] * pixels[..., 3:]

    def _borrow(self, node: object) -> object:
        """A volume of the patient's scene as it looks there."""
        volume = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        volume.SetIJKToRASMatrix(nodes.to_vtk(to_world(node) @ nodes.get_image(node).affine))
        volume.SetAndObserveImageData(node.GetImageData())
        display = self.scene.CopyNode(node.GetDisplayNode())
        display.SetAndObserveColorNodeID(self.scene.CopyNode(node.GetDisplayNode().GetColorNode()).GetID())
        volume.SetAndObserveDisplayNodeID(display.GetID())
        return volume
