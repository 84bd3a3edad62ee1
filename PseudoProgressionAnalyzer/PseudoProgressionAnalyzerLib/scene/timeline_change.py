"""The row of changes: what a later visit has more or less than an earlier one, over its T1CE."""

from __future__ import annotations

import numpy as np

from ..measures import Image, Map
from . import nodes
from .colours import change_colours
from .display import EVERYTHING, Scale, chosen_scale, keep_scale, scale_of_change
from .nodes import Kind, find, linked, mark, marked, put
from .timeline_rows import Row

_SPREAD = 1.96 * 1.4826
"""Times the median of the absolute change: 95 % of a normal distribution lie within (1.4826 makes the median absolute
deviation a standard deviation: Rousseeuw PJ, Croux C, J Am Stat Assoc 1993;88:1273). Display only."""


def unchanged(values: np.ndarray) -> float:
    """The change below which nothing is shown, in the unit of the values: the spread of most of the brain, which a
    lesion does not widen as long as it fills less than half of it. NaN does not count."""
    finite = np.abs(values[np.isfinite(values)])
    return float(_SPREAD * np.median(finite)) if finite.size else 0.0


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
    mark(node, unchanged=f"{unchanged(change.array):.3g}")
    _show(patient_node, node, chosen_scale(patient_node, change.name) or scale_of_change(change.array))
    return Row("T1CE", change.name)


def set_change_range(patient_node: object, name: str, high: float) -> None:
    """The colour scale of a change, from as much less to as much more; kept when another change is shown."""
    scale = Scale(-abs(high), abs(high))
    keep_scale(patient_node, name, scale)
    for node in linked(patient_node, Kind.CHANGE):
        if marked(node, "name") == name:
            _show(patient_node, node, scale)


def _show(patient_node: object, node: object, scale: Scale) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    hidden = min(float(marked(node, "unchanged") or 0) / scale.high, 0.9)  # something of the scale is always shown
    display.SetAndObserveColorNodeID(change_colours(patient_node, marked(node, "name"), hidden).GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(scale.low, scale.high)
    display.SetAutoThreshold(False)
    display.SetThreshold(-EVERYTHING, EVERYTHING)  # hides NaN, which has the lowest colour else
    display.SetApplyThreshold(True)
    display.SetInterpolate(not marked(node, "name").startswith("Cho_"))
