"""Checking an alignment by eye: one visit over the reference visit in a view of the timeline, faded from one to the
other. The view stays linked with all others, so that scrolling and zooming go on."""

from __future__ import annotations

import slicer

from . import nodes, timeline
from .application import Application
from .build import ANATOMY
from .nodes import Kind, find, mark, marked


def show(application: Application, visit: str, reference: str, share: float) -> bool:
    """Shows the visit with an opacity (0 to 1) over the reference visit in the first view that shows its T1CE.

    Returns False where the timeline shows no such view.
    """
    patient = nodes.patient_node(application.scene)
    image = find(patient, Kind.IMAGE, visit, ANATOMY) if patient else None
    below = find(patient, Kind.IMAGE, reference, ANATOMY) if patient else None
    if image is None or below is None:
        return False
    for view in timeline.view_nodes(application):
        if marked(view, "check") not in ("", visit):
            hide(application)
    for view in timeline.view_nodes(application):
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        bare = composite is not None and not composite.GetForegroundVolumeID()
        if marked(view, "check") == visit or (bare and composite.GetBackgroundVolumeID() == image.GetID()):
            mark(view, check=visit)
            composite.SetBackgroundVolumeID(below.GetID())
            composite.SetForegroundVolumeID(image.GetID())
            composite.SetForegroundOpacity(share)
            return True
    return False


def hide(application: Application) -> None:
    """The view shows its visit alone again."""
    patient = nodes.patient_node(application.scene)
    for view in timeline.view_nodes(application):
        image = find(patient, Kind.IMAGE, marked(view, "check"), ANATOMY) if patient and marked(view, "check") else None
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        if image is not None and composite is not None:
            composite.SetForegroundVolumeID(None)
            composite.SetForegroundOpacity(0.0)
            composite.SetBackgroundVolumeID(image.GetID())
        view.RemoveAttribute(nodes.PREFIX + "check")
