"""The timeline as a picture, from the scene's own slice pipeline.

Reslicing, windows, colours and blending are those that Slicer shows, and no graphics library is needed.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import slicer
import vtkmodules.vtkRenderingFreeType  # noqa: F401  the text renderer's fonts
from scipy import ndimage
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkIOImage import vtkPNGWriter
from vtkmodules.vtkRenderingCore import vtkTextProperty, vtkTextRenderer

from ..imaging.resampling import transform_points
from ..measures import DISCLAIMER, InputError, Visit
from . import nodes
from .display import OVERLAY_OPACITY
from .focus import head_bounds, lesion_focus, set_axial, to_world
from .hierarchy import visit_title
from .nodes import Kind, find, linked, marked
from .segments import regions_of, segment_mask
from .timeline import Row, default_rows, patient_of, visits_of

CELL_WIDTH = 320
GAP = 4
MARGIN = 150
SCALE_WIDTH = 90
TEXT_SIZE = 15


def timeline_picture(scene: object, rows: list[Row] | None = None) -> np.ndarray:
    """All visits as columns and what is compared as rows, uint8 ``(lines, columns, 3)``, first line on top.

    Every cell is the same axial slice of the reference visit's space, seen from the feet (patient right on the left),
    with the visit's own regions outlined. A cell without its image or map is left black and says so. Raises InputError
    ``scene_without_patient``.
    """
    patient_node = nodes.patient_node(scene)
    visits = visits_of(patient_node) if patient_node else []
    if not visits:
        raise InputError("scene_without_patient")
    rows = rows or default_rows(patient_node)
    low, high = head_bounds(patient_node)
    size = (CELL_WIDTH, round(CELL_WIDTH * (high[1] - low[1]) / (high[0] - low[0])))
    line = 2 * TEXT_SIZE
    width = MARGIN + len(visits) * (size[0] + GAP) + SCALE_WIDTH
    canvas = np.zeros((line + len(rows) * (size[1] + GAP) + line, width, 3), dtype=np.uint8)
    left = [MARGIN + column * (size[0] + GAP) for column in range(len(visits))]
    patient = patient_of(patient_node)
    for column, visit in enumerate(visits):
        _write(canvas, visit_title(patient, visit), left[column], TEXT_SIZE // 2)
    view = _View(lesion_focus(patient_node), low, high, size)
    for number, row in enumerate(rows):
        top = line + number * (size[1] + GAP)
        for text_line, word in enumerate(row.title.split(" over ")):
            _write(
                canvas,
                ("over " if text_line else "") + word,
                8,
                top + size[1] // 2 + (2 * text_line - 1) * TEXT_SIZE,
            )
        for column, visit in enumerate(visits):
            cell = canvas[top : top + size[1], left[column] : left[column] + size[0]]
            cell[:] = _cell(view, patient_node, visit, row)
        _write_scale(canvas, patient_node, row, width - SCALE_WIDTH + GAP, top, size[1])
    _write(canvas, DISCLAIMER, left[0], canvas.shape[0] - line + TEXT_SIZE // 2)
    return canvas


def write_png(picture: np.ndarray, path: Path) -> None:
    """Writes a picture ``(lines, columns, 3)`` under a temporary name and renames it."""
    data = vtkImageData()
    data.SetDimensions(picture.shape[1], picture.shape[0], 1)
    scalars = numpy_to_vtk(np.ascontiguousarray(picture[::-1]).reshape(-1, 3), deep=True)
    data.GetPointData().SetScalars(scalars)
    writer = vtkPNGWriter()
    writer.SetInputData(data)
    writer.WriteToMemoryOn()
    writer.Write()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        temporary.write_bytes(vtk_to_numpy(writer.GetResult()).tobytes())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class _View:
    """One slice logic in a scene of its own: the patient's scene never knows, and a desktop makes no view for it.

    Volumes are shown where they lie, through their transforms; their voxels are shared, not copied.
    """

    def __init__(self, focus: np.ndarray, low: np.ndarray, high: np.ndarray, size: tuple[int, int]):
        self.scene = slicer.vtkMRMLScene()
        self.size = size
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLScene(self.scene)
        self.node = self.logic.AddSliceNode("picture")
        set_axial(self.node)
        for axis, position in enumerate(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, focus[2])):
            self.node.GetSliceToRAS().SetElement(axis, 3, position)
        self.node.UpdateMatrices()
        self.node.SetDimensions(*size, 1)
        self.node.SetFieldOfView(high[0] - low[0], (high[0] - low[0]) * size[1] / size[0], 1.0)

    @property
    def xy_to_world(self) -> np.ndarray:
        """4x4 from pixels (column from the left, line from below, 0) to RAS mm."""
        return nodes.from_vtk(self.node.GetXYToRAS())

    def slice_of(self, image: object, overlay: object | None) -> np.ndarray:
        """The blended slice of an image with a map over it, uint8 ``(lines, columns, 3)``, first line on top."""
        shown = [self._borrow(node) for node in (image, overlay) if node is not None]
        composite = self.logic.GetSliceCompositeNode()
        composite.SetBackgroundVolumeID(shown[0].GetID())
        composite.SetForegroundVolumeID(shown[1].GetID() if overlay else None)
        composite.SetForegroundOpacity(OVERLAY_OPACITY if overlay else 0.0)
        self.logic.UpdatePipeline()
        connection = self.logic.GetImageDataConnection()
        connection.GetProducer().Update()
        blended = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
        pixels = vtk_to_numpy(blended.GetPointData().GetScalars()).reshape(self.size[1], self.size[0], 4)[::-1]
        return (pixels[..., :3].astype(np.uint16) * pixels[..., 3:] // 255).astype(np.uint8)

    def _borrow(self, node: object) -> object:
        """A volume of the patient's scene as it looks there."""
        volume = self.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        volume.SetIJKToRASMatrix(nodes.to_vtk(to_world(node) @ nodes.get_image(node).affine))
        volume.SetAndObserveImageData(node.GetImageData())
        display = self.scene.CopyNode(node.GetDisplayNode())
        display.SetAndObserveColorNodeID(self.scene.CopyNode(node.GetDisplayNode().GetColorNode()).GetID())
        volume.SetAndObserveDisplayNodeID(display.GetID())
        return volume


def _cell(view: _View, patient_node: object, visit: Visit, row: Row) -> np.ndarray:
    """The picture of one visit and row."""
    image = find(patient_node, Kind.IMAGE, visit.id, row.image)
    overlay = find(patient_node, Kind.MAP, visit.id, row.overlay) if row.overlay else None
    if image is None or (row.overlay and overlay is None):
        cell = np.zeros((view.size[1], view.size[0], 3), dtype=np.uint8)
        _write(cell, f"no {row.overlay if image else row.image}", 2 * GAP, view.size[1] // 2)
        return cell
    cell = view.slice_of(image, overlay)
    for kind in (Kind.REFERENCE, Kind.LESION):
        for node in linked(patient_node, kind):
            if marked(node, "visit") == visit.id:
                _outline(cell, view, node)
    sides = "RL" if view.xy_to_world[0, 0] < 0 else "LR"
    middle = (view.size[1] - TEXT_SIZE) // 2
    _write(cell, sides[0], GAP, middle)
    _write(cell, sides[1], view.size[0] - TEXT_SIZE, middle)
    return cell


def _outline(cell: np.ndarray, view: _View, node: object) -> None:
    """Draws the outlines of a segmentation's segments in their colours."""
    lines, columns = np.mgrid[: view.size[1], : view.size[0]]
    pixels = np.stack([columns, view.size[1] - 1 - lines, np.zeros_like(lines)], axis=-1).astype(float)
    for segment_id in regions_of(node):
        mask = segment_mask(node, segment_id)
        to_mask = np.linalg.inv(to_world(node) @ mask.affine) @ view.xy_to_world
        index = np.rint(transform_points(to_mask, pixels)).astype(int)[..., ::-1]
        within = np.all((index >= 0) & (index < mask.shape), axis=-1)
        inside = np.zeros(within.shape, dtype=bool)
        inside[within] = mask.array[tuple(index[within].T)]
        edge = inside & ~ndimage.binary_erosion(inside)
        colour = node.GetSegmentation().GetSegment(segment_id).GetColor()
        cell[edge] = np.round(np.array(colour) * 255)


def _write_scale(canvas: np.ndarray, patient_node: object, row: Row, left: int, top: int, height: int) -> None:
    """The row's colour scale beside it, once for all columns."""
    maps = [node for node in linked(patient_node, Kind.MAP) if marked(node, "name") == row.overlay]
    if not maps:
        return
    display = maps[0].GetDisplayNode()
    colours = display.GetColorNode()
    bar, first = height // 2, top + height // 4
    steps = np.round(np.linspace(colours.GetNumberOfColors() - 1, 0, bar)).astype(int)
    colour = [0.0, 0.0, 0.0, 0.0]
    for line, step in enumerate(steps):
        colours.GetColor(int(step), colour)
        canvas[first + line, left : left + TEXT_SIZE] = np.round(np.array(colour[:3]) * 255)
    _write(canvas, f"{display.GetWindowLevelMax():g}", left + TEXT_SIZE + GAP, first - TEXT_SIZE // 2)
    _write(canvas, f"{display.GetWindowLevelMin():g}", left + TEXT_SIZE + GAP, first + bar - TEXT_SIZE)
    unit = marked(maps[0], "unit")
    if unit not in ("", "1"):
        _write(canvas, unit, left, first + bar + TEXT_SIZE // 2)


def _write(canvas: np.ndarray, text: str, left: int, top: int) -> None:
    """White text into a picture, dimmed where it stands; what does not fit is cut."""
    style = vtkTextProperty()
    style.SetFontSize(TEXT_SIZE)
    style.SetColor(1, 1, 1)
    drawn, extent = vtkImageData(), [0, 0]
    vtkTextRenderer.GetInstance().RenderString(style, text, drawn, extent, 72)
    pixels = vtk_to_numpy(drawn.GetPointData().GetScalars()).reshape(
        drawn.GetDimensions()[1], drawn.GetDimensions()[0], 4
    )
    opacity = pixels[: extent[1], : extent[0], 3][::-1]
    part = canvas[top : top + opacity.shape[0], left : left + opacity.shape[1]]
    opacity = opacity[: part.shape[0], : part.shape[1], np.newaxis].astype(np.uint16)
    part[:] = (part // 3 * (255 - opacity) + 255 * opacity) // 255
