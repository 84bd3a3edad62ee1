"""Checking an alignment by eye: one visit and the reference visit in one view of the timeline, faded from one to the
other or as a checkerboard. The view stays linked with all others, so that scrolling and zooming go on."""

from __future__ import annotations

import numpy as np
import slicer

from ..imaging.checkerboard import Window, checkerboard
from . import nodes, timeline
from .application import Application
from .build import ANATOMY
from .display import show_anatomy
from .nodes import Kind, find, mark, marked, put, to_world

EDGE = 25.0  # mm of the squares: a few across the ventricles
FULL: Window = (0.0, 255.0)


def show(application: Application, visit: str, reference: str, share: float) -> bool:
    """Shows the visit with an opacity (0 to 1) over the reference visit in the first view that shows its T1CE.

    Returns False where the timeline shows no such view.
    """
    composite = _composite(application, visit, reference)
    if composite is None:
        return False
    patient = nodes.patient_node(application.scene)
    composite.SetBackgroundVolumeID(find(patient, Kind.IMAGE, reference, ANATOMY).GetID())
    composite.SetForegroundVolumeID(find(patient, Kind.IMAGE, visit, ANATOMY).GetID())
    composite.SetForegroundOpacity(share)
    return True


def show_checkerboard(application: Application, visit: str, reference: str) -> bool:
    """Shows squares of the visit and of the reference visit in turn in the same view; False as ``show``."""
    composite = _composite(application, visit, reference)
    if composite is None:
        return False
    patient = nodes.patient_node(application.scene)
    moving, fixed = (find(patient, Kind.IMAGE, each, ANATOMY) for each in (visit, reference))
    there = find(patient, Kind.CHECK, visit, reference)
    if there is None or marked(there, "made_with") != _transforms(fixed, moving):
        there = put(patient, "vtkMRMLScalarVolumeNode", f"{visit} and {reference}", Kind.CHECK, visit, reference)
        there.SetHideFromEditors(True)  # looked at here alone, never measured, and made again where it is needed
        there.SetSaveWithScene(False)
        to_fixed = np.linalg.inv(to_world(fixed)) @ to_world(moving)
        images, windows = (nodes.get_image(fixed), nodes.get_image(moving)), (_window(fixed), _window(moving))
        nodes.set_image(there, checkerboard(*images, to_fixed, EDGE, windows))
        there.SetAndObserveTransformNodeID(fixed.GetTransformNodeID())
        show_anatomy(there, FULL)
        there.GetDisplayNode().SetSaveWithScene(False)
        mark(there, made_with=_transforms(fixed, moving))
    composite.SetBackgroundVolumeID(there.GetID())
    composite.SetForegroundVolumeID(None)
    composite.SetForegroundOpacity(0.0)
    return True


def is_shown(application: Application, visit: str) -> bool:
    """Whether a view of the timeline shows the visit with the reference visit."""
    patient = nodes.patient_node(application.scene)
    return bool(patient and visit) and any(
        _checked(patient, view) == visit for view in timeline.view_nodes(application)
    )


def hide(application: Application) -> None:
    """The view shows its visit alone again."""
    patient = nodes.patient_node(application.scene)
    for view in timeline.view_nodes(application):
        visit = _checked(patient, view) if patient else ""
        if visit:
            composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
            composite.SetForegroundVolumeID(None)
            composite.SetForegroundOpacity(0.0)
            composite.SetBackgroundVolumeID(find(patient, Kind.IMAGE, visit, ANATOMY).GetID())
        view.RemoveAttribute(nodes.PREFIX + "check")
    for node in nodes.linked(patient, Kind.CHECK) if patient else []:
        application.scene.RemoveNode(node.GetDisplayNode())
        application.scene.RemoveNode(node)


def _composite(application: Application, visit: str, reference: str) -> object | None:
    """The composite node of the view to check in, which is marked; None where there is none."""
    patient = nodes.patient_node(application.scene)
    image = find(patient, Kind.IMAGE, visit, ANATOMY) if patient else None
    if image is None or find(patient, Kind.IMAGE, reference, ANATOMY) is None:
        return None
    views = timeline.view_nodes(application)
    if any(_checked(patient, view) not in ("", visit) for view in views):
        hide(application)
    for view in views:
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        bare = composite is not None and not composite.GetForegroundVolumeID()
        if _checked(patient, view) == visit or (bare and composite.GetBackgroundVolumeID() == image.GetID()):
            mark(view, check=visit)
            return composite
    return None


def _checked(patient: object, view: object) -> str:
    """The visit that is checked in a view; empty where none is, or where the view was given something else since."""
    visit, composite = marked(view, "check"), slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
    image = find(patient, Kind.IMAGE, visit, ANATOMY) if visit else None
    if image is None or composite is None:
        return ""
    under, over = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()
    boards = [board.GetID() for board in nodes.linked(patient, Kind.CHECK) if marked(board, "visit") == visit]
    fixed = [other.GetID() for other in nodes.linked(patient, Kind.IMAGE) if marked(other, "name") == ANATOMY]
    shown = (under in boards and not over) or (under in fixed and over == image.GetID())
    return visit if shown else ""


def beside(patient: object, view: object) -> str:
    """The reference visit that a view shows with its own while an alignment is checked; empty where it does not."""
    if not _checked(patient, view):
        return ""
    composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
    under = view.GetScene().GetNodeByID(composite.GetBackgroundVolumeID())
    return marked(under, "name") if marked(under, "kind") == Kind.CHECK else marked(under, "visit")


def _transforms(fixed: object, moving: object) -> str:
    """What the checkerboard depends on beside the images: where they lie, and how they are shown."""
    placed = np.round(np.linalg.inv(to_world(fixed)) @ to_world(moving), 6) + 0.0
    return f"{placed.tolist()} {_window(fixed)} {_window(moving)}"


def _window(node: object) -> Window:
    display = node.GetDisplayNode()
    if display is None:
        return node.GetImageData().GetScalarRange()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()
