"""The gaps that Slicer's brush leaves where voxels are tilted against the view.

Slicer cuts its round brush into voxels once, around the centre of a voxel, and stamps it at whole voxels along the
stroke. In a grid that is tilted against the view, as that of a visit that was turned onto another, a stamp therefore
lies up to half a voxel before or behind the plane, and some voxels that the plane cuts are left out: small holes and
slits. Here the voxels under the brush are found where the stroke was, and those that are missing are given to the
segment by Slicer's effect itself, with its masks; they belong to the same step of undo.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import slicer
from scipy.spatial import cKDTree

from ..imaging.resampling import transform_points
from ..measures import Image
from ..scene.nodes import from_vtk, get_image, to_world
from ..scene.segments import oriented, segment_mask

BEFORE_EFFECTS = 10.0
"""Priority of an observer that Segment Editor effects come after."""
TILTED = 1e-3
"""Sine of the angle between the view's normal and the voxels from which a grid counts as tilted: across a brush of 100
mm that is a tenth of a millimetre."""
STEP = 0.2  # mm between points of a path: its round edge is then known within a thousandth of a mm
MODIFIERS = ("GetShiftKey", "GetControlKey", "GetAltKey")
EFFECTS = ("Paint", "Erase")
ROUND = ("BrushSphere", "BrushPixelMode", "ColorSmudge")
"""Kinds of brush that have no such gaps, or choose another segment."""


@dataclass
class Stroke:
    """Where the brush was between press and release of the left button: points in pixels of a view."""

    view: object
    points: list[tuple[float, float]] = field(default_factory=list)


class StrokeWatch:
    """Hears strokes in one view after the other, before Slicer's effect does. ``on_press()`` is called at the beginning
    of each, ``on_release()`` at the end; ``take()`` then gives it."""

    def __init__(self, on_press: Callable[[], None], on_release: Callable[[], None]):
        self.on_press = on_press
        self.on_release = on_release
        self.view: object | None = None
        self._interactor: object | None = None
        self._heard: list[int] = []
        self._moves = 0
        self._stroke: Stroke | None = None
        self._ended: list[Stroke] = []

    def follow(self, view: object | None) -> None:
        """Watches this view (its node) and no other; None: no view."""
        if view is self.view:
            return
        self._still()
        for number in self._heard:
            self._interactor.RemoveObserver(number)
        manager = slicer.app.layoutManager()
        widget = manager.sliceWidget(view.GetLayoutName()) if view is not None and manager is not None else None
        self.view, self._heard, self._stroke = view, [], None
        self._interactor = widget.sliceView().interactor() if widget is not None else None
        if self._interactor is not None:
            for event, heard in (("LeftButtonPressEvent", self._pressed), ("LeftButtonReleaseEvent", self._released)):
                self._heard.append(self._interactor.AddObserver(event, heard, BEFORE_EFFECTS))

    @property
    def drawing(self) -> bool:
        """Whether the button is down."""
        return self._stroke is not None

    def end(self) -> bool:
        """Ends a stroke that is being drawn, as if the button were released; says whether there was one."""
        drawing = self.drawing
        if drawing:
            self._interactor.InvokeEvent("LeftButtonReleaseEvent")
        return drawing

    def take(self) -> list[Stroke]:
        """The strokes that ended and were not taken yet."""
        ended, self._ended = self._ended, []
        return ended

    def _pressed(self, interactor: object, event: str) -> None:
        self._still()
        if not any(getattr(interactor, key)() for key in MODIFIERS):
            self._stroke = Stroke(self.view, [interactor.GetEventPosition()])
            self._moves = interactor.AddObserver("MouseMoveEvent", self._moved, BEFORE_EFFECTS)
            self.on_press()

    def _moved(self, interactor: object, event: str) -> None:
        if self._stroke is not None:
            self._stroke.points.append(interactor.GetEventPosition())

    def _released(self, interactor: object, event: str) -> None:
        self._moved(interactor, event)
        self._still()
        if self._stroke is not None:
            self._ended.append(self._stroke)
            self._stroke = None
        self.on_release()

    def _still(self) -> None:
        if self._moves:
            self._interactor.RemoveObserver(self._moves)
            self._moves = 0


def close_gaps(editor: object, strokes: list[Stroke]) -> None:
    """Gives the segment that was drawn in by Slicer's round brush the voxels that it left out, or takes those from it
    that its eraser left."""
    effect = editor.activeEffect()
    if effect is None or effect.name not in EFFECTS or any(effect.integerParameter(kind) for kind in ROUND):
        return
    node, segment_id = editor.segmentationNode(), editor.currentSegmentID()
    anatomy = node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())
    if anatomy is None or node.GetSegmentation().GetSegment(segment_id) is None:
        return
    own = get_image(anatomy).affine
    grid = to_world(node) @ own
    add, remove = effect.ModificationModeAdd, effect.ModificationModeRemove
    radius = effect.doubleParameter("BrushAbsoluteDiameter") / 2
    for stroke in strokes:
        view_to_world = from_vtk(stroke.view.GetXYToRAS())
        path = transform_points(view_to_world, np.array([(x, y, 0.0) for x, y in stroke.points]))
        under = cut_voxels(grid, anatomy.GetImageData().GetDimensions(), path, view_to_world[:3, 2], radius)
        if under is None:
            continue
        there = _held_in(under, segment_mask(node, segment_id), own)
        wrong = under.array & (there if effect.name == "Erase" else ~there)
        if wrong.any():
            first = np.rint(under.affine[:3, 3]).astype(int)
            labelmap = oriented(wrong, first, own)
            effect.modifySelectedSegmentByLabelmap(labelmap, remove if effect.name == "Erase" else add)


def cut_voxels(
    grid: np.ndarray, shape: tuple[int, int, int], path: np.ndarray, normal: np.ndarray, radius: float
) -> Image | None:
    """The voxels of a tilted grid that a plane cuts, under a round brush that moved in it.

    grid: 4x4, voxel indices ``(i, j, k)`` to mm; shape: number of voxels along ``(i, j, k)``; path: ``(n, 3)`` mm;
    normal: of the plane, in which path lies; radius: mm. Returns a bool image ``(k, j, i)``, cropped, whose affine is
    that from its own voxels to those of the grid; None where the grid is not tilted or nothing lies in it.

    A plane cuts the box of a voxel where its centre lies no further from it than half of what the box extends along the
    normal.
    """
    normal = normal / np.linalg.norm(normal)
    extents = np.abs(normal @ grid[:3, :3])  # mm along the normal of one step along each axis
    steps = np.linalg.norm(grid[:3, :3], axis=0)
    if np.sort(extents / steps)[1] < TILTED:
        return None
    reach = radius + extents.sum()
    to_grid = np.linalg.inv(grid)
    corners = np.abs(to_grid[:3, :3]) @ np.full(3, reach)
    at = transform_points(to_grid, path)
    low = np.maximum(np.ceil(at.min(axis=0) - corners), 0).astype(int)
    high = np.minimum(np.floor(at.max(axis=0) + corners), np.array(shape) - 1).astype(int)
    if np.any(high < low):
        return None
    size = high - low + 1
    height = _heights(grid, low, size, normal) - normal @ path[0]
    found = np.abs(height) <= extents.sum() / 2
    k, j, i = np.nonzero(found)
    centres = transform_points(grid, np.stack([i, j, k], axis=1) + low)
    centres -= height[found][:, np.newaxis] * normal
    found[k, j, i] = cKDTree(_along_path(path)).query(centres, distance_upper_bound=radius)[0] <= radius
    affine = np.eye(4)
    affine[:3, 3] = low
    return Image(found, affine) if found.any() else None


def _heights(grid: np.ndarray, low: np.ndarray, size: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The place of voxels along a normal in mm, ``(k, j, i)``."""
    first = normal @ (grid[:3, :3] @ low + grid[:3, 3])
    steps = normal @ grid[:3, :3]
    i, j, k = (step * np.arange(count) for step, count in zip(steps, size, strict=True))
    return first + k[:, np.newaxis, np.newaxis] + j[:, np.newaxis] + i


def _along_path(path: np.ndarray) -> np.ndarray:
    """Points ``(n, 3)`` on the line through the points of a path, ``STEP`` apart at most."""
    walked = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    places = np.linspace(0, walked[-1], int(np.ceil(walked[-1] / STEP)) + 1)
    return np.stack([np.interp(places, walked, path[:, axis]) for axis in range(3)], axis=1)


def _held_in(under: Image, mask: Image, grid: np.ndarray) -> np.ndarray:
    """What of the voxels under the brush a segment holds: its cropped mask on the block of ``under``."""
    there = np.zeros_like(under.array)
    first = np.rint(transform_points(np.linalg.inv(grid), mask.affine[:3, 3][np.newaxis])[0] - under.affine[:3, 3])
    source, target = [], []
    for begin, length, room in zip(first.astype(int)[::-1], mask.shape, under.shape, strict=True):
        low, high = max(begin, 0), min(begin + length, room)
        source.append(slice(low - begin, max(high, low) - begin))
        target.append(slice(low, max(high, low)))
    there[tuple(target)] = mask.array[tuple(source)]
    return there
