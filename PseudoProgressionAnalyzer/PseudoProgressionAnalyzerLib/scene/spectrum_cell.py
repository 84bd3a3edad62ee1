"""The outline of the voxel whose spectrum is plotted, as a box that every slice view cuts."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

from ..analysis import Analysis
from .nodes import Kind, find, mark, put

CELL = "cell"
COLOUR = (1.0, 1.0, 0.0)  # as a chosen row of Slicer's own markups stands out; on every map of ours
LINE_WIDTH = 3.0  # pixels
CORNERS = np.array([[i, j, k] for k in (-0.5, 0.5) for j in (-0.5, 0.5) for i in (-0.5, 0.5)])
FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))


def corners(affine: np.ndarray, voxel: tuple[int, int, int]) -> np.ndarray:
    """The eight corners (RAS mm) of a voxel ``(k, j, i)`` of a grid, ``(8, 3)``; affine: index to RAS mm."""
    return (CORNERS + np.array(voxel[::-1])) @ affine[:3, :3].T + affine[:3, 3]


def mark_cell(patient: object, analysis: Analysis, visit_id: str, role: str, voxel: tuple[int, int, int]) -> object:
    """Outlines a voxel of a visit's spectra in all slice views; one at a time. Returns the model node.

    The box hangs under the visit's transform, as its images do.
    """
    found = analysis.spectra_fits[visit_id, role]
    node = put(patient, "vtkMRMLModelNode", "Voxel of the spectrum", Kind.SPECTRUM, name=CELL)
    node.SetAndObservePolyData(_box(corners(analysis.series_to_visit[visit_id, role] @ found.affine, voxel)))
    parent = find(patient, Kind.VISIT_TO_REFERENCE, visit_id)
    node.SetAndObserveTransformNodeID(parent.GetID() if parent is not None else None)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetColor(*COLOUR)
        display.SetRepresentation(slicer.vtkMRMLModelDisplayNode.WireframeRepresentation)
        display.SetSliceIntersectionThickness(round(LINE_WIDTH))
        display.SetBackfaceCulling(False)
    display = node.GetDisplayNode()
    display.SetVisibility(True)
    display.SetVisibility2D(True)
    mark(node, shows=visit_id)
    node.SetSelectable(False)
    node.SetHideFromEditors(True)
    for part in (node, display):
        part.SetSaveWithScene(False)  # it goes with the plot, which is made again with each click
    return node


def hide_cell(patient: object | None) -> None:
    """No voxel is outlined any more."""
    node = find(patient, Kind.SPECTRUM, name=CELL) if patient is not None else None
    if node is not None and node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetVisibility(False)


def _box(points: np.ndarray) -> vtkPolyData:
    """Eight corners, the first index fastest, as a closed surface."""
    made, faces = vtkPoints(), vtkCellArray()
    for point in points:
        made.InsertNextPoint(*map(float, point))
    for face in FACES:
        faces.InsertNextCell(len(face), face)
    surface = vtkPolyData()
    surface.SetPoints(made)
    surface.SetPolys(faces)
    return surface
