"""The row of changes: what a later visit has more or less than an earlier one, over its T1CE."""

from __future__ import annotations

from ..measures import Image, Map
from . import nodes
from .display import EVERYTHING, Scale, change_colours, chosen_scale, scale_of_change
from .nodes import Kind, find, linked, mark, marked, put
from .timeline_rows import Row


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
