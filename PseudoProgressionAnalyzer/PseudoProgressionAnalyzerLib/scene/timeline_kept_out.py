"""Segmentations of the user's that regions of the patient were made from. The timeline draws those regions, each in its
visit's column; Slicer would draw the segmentations in every column, over the other visits."""

from __future__ import annotations

from collections.abc import Iterable

from .application import Application
from .nodes import PREFIX, linked, mark, marked
from .timeline_layout import is_ours

ROLE = "adopted"
MARK = "kept_out"
VIEWS = ("vtkMRMLSliceNode", "vtkMRMLViewNode")


def remember_drawn(patient_node: object, drawn: Iterable[object]) -> None:
    """Links the patient to the user's segmentations that its regions were made from."""
    for node in dict.fromkeys(drawn):
        if node.IsA("vtkMRMLSegmentationNode"):
            patient_node.AddNodeReferenceID(PREFIX + ROLE, node.GetID())


def keep_out(application: Application, patient_node: object) -> None:
    """Limits them to all views that are not the timeline's, until ``let_in``; what the user limited stays so."""
    scene = application.scene
    every = [scene.GetNthNodeByClass(n, kind) for kind in VIEWS for n in range(scene.GetNumberOfNodesByClass(kind))]
    others = [view.GetID() for view in every if not is_ours(view.GetLayoutName())]
    for display in _displays(patient_node):
        if marked(display, MARK) or not display.GetNumberOfViewNodeIDs():
            _limit(display, others)
            mark(display, **{MARK: "yes"})


def let_in(patient_node: object) -> None:
    """They show in all views again."""
    for display in _displays(patient_node):
        if marked(display, MARK):
            _limit(display, [])
            mark(display, **{MARK: ""})


def _displays(patient_node: object) -> list[object]:
    found = [node.GetDisplayNode() for node in linked(patient_node, ROLE)]
    return [display for display in found if display is not None]


def _limit(display: object, views: list[str]) -> None:
    change = display.StartModify()
    display.RemoveAllViewNodeIDs()
    for view in views:
        display.AddViewNodeID(view)
    display.EndModify(change)
