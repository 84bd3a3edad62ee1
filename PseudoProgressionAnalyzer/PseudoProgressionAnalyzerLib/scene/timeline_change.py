"""The row of changes: what a later visit has more or less than an earlier one, over its T1CE."""

from __future__ import annotations

import numpy as np
from vtkmodules.vtkRenderingCore import vtkColorTransferFunction

from ..measures import Image, Map
from . import nodes
from .display import EVERYTHING, Scale, chosen_scale
from .nodes import Kind, find, linked, mark, marked, put
from .timeline_rows import Row

_LESS, _MORE = (33, 102, 172), (230, 97, 1)
"""Blue and orange, told apart by every colour vision, of like lightness; more opaque the greater the change."""
_STEPS = 256
_OPAQUE = 0.5  # share of the scale from which colours are opaque
_HIGHEST = 99.0  # percentile of the absolute change at which the scale ends


def put_change(patient_node: object, later: str, earlier: str, change: Map, name: str) -> Row:
    """Writes the change of an image or map (``name``) that ends in a visit into the scene, in place of the one that was
    shown before. Returns the row that shows it."""
    for node in linked(patient_node, Kind.CHANGE):
        if marked(node, "name") == change.name and marked(node, "visit") != later:
            patient_node.GetScene().RemoveNode(node)
    title = f"{later} {change.name} since {earlier}"
    node = put(patient_node, "vtkMRMLScalarVolumeNode", title, Kind.CHANGE, later, change.name)
    node.SetName(title)
    nodes.set_image(node, Image(change.array, change.affine))
    mark(node, since=earlier, unit=change.unit, method=change.method)
    like = find(patient_node, Kind.MAP, later, name) or find(patient_node, Kind.IMAGE, later, "T1CE")
    node.SetAndObserveTransformNodeID(like.GetTransformNodeID())
    _show(patient_node, node, chosen_scale(patient_node, change.name) or scale_of_change(change.array))
    return Row("T1CE", change.name)


def scale_of_change(values: np.ndarray) -> Scale:
    """From as much less to as much more: the middle of the scale is no change."""
    finite = np.abs(values[np.isfinite(values)])
    end = float(np.percentile(finite, _HIGHEST)) if finite.size else 1.0
    end = float(f"{end:.2g}") or 1.0
    return Scale(-end, end)


def _show(patient_node: object, node: object, scale: Scale) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(change_colours(patient_node).GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(scale.low, scale.high)
    display.SetAutoThreshold(False)
    display.SetThreshold(-EVERYTHING, EVERYTHING)  # hides NaN, which has the lowest colour else
    display.SetApplyThreshold(True)
    display.SetInterpolate(not marked(node, "name").startswith("Cho_"))


def change_colours(patient_node: object) -> object:
    """The scene's colour table of changes: blue for less, orange for more, nothing at all in the middle."""
    node = put(patient_node, "vtkMRMLColorTableNode", "PseudoProgressionAnalyzer change", Kind.COLOURS, name="change")
    if node.GetNumberOfColors() == 0:
        function = vtkColorTransferFunction()
        function.SetColorSpaceToLab()
        for position, colour in ((-1.0, _LESS), (0.0, (247, 247, 247)), (1.0, _MORE)):
            function.AddRGBPoint(position, *(channel / 255 for channel in colour))
        node.SetHideFromEditors(False)
        node.SetTypeToUser()
        node.SetNumberOfColors(_STEPS)
        for step in range(_STEPS):
            position = 2 * step / (_STEPS - 1) - 1
            opacity = round(min(1.0, abs(position) / _OPAQUE) * 255) / 255
            colour = function.GetColor(position)
            node.SetColor(step, str(step), *(round(channel * 255) / 255 for channel in colour), opacity)
    return node
