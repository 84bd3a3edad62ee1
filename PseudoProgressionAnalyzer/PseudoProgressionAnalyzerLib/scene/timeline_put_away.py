"""What Slicer's own views show once the timeline is put away: never black views beside a patient that is there."""

from __future__ import annotations

import slicer

from ..measures import Visit
from . import nodes
from .application import Application
from .focus import visit_focus
from .nodes import ANATOMY, Kind, find
from .timeline_chosen import chosen_visit
from .timeline_layout import is_ours
from .timeline_look import kept_look
from .timeline_rows import visits_of
from .timeline_views import show_regions


def fill_empty_views(application: Application) -> None:
    """Gives Slicer's own slice views that show nothing the T1CE of the chosen visit with what is drawn in it, through
    its lesion and at the level where the timeline looked. Views that show something stay as they are."""
    scene, patient = application.scene, nodes.patient_node(application.scene)
    visit = _visit_to_show(patient) if patient is not None else None
    if visit is None:
        return
    image = find(patient, Kind.IMAGE, visit.id, ANATOMY)
    number = scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")
    views = [scene.GetNthNodeByClass(each, "vtkMRMLSliceNode") for each in range(number)]
    look, middle = kept_look(patient), visit_focus(patient, visit.id)
    if look:
        middle[2] = look[min(look)].middle[2]
    filled = {}
    for view in views:
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        if composite is None or is_ours(view.GetLayoutName()) or composite.GetBackgroundVolumeID():
            continue
        composite.SetBackgroundVolumeID(image.GetID())
        logic = application.slice_logic(view)
        if logic is not None:
            logic.FitSliceToBackground()
        view.JumpSliceByOffsetting(*middle)
        filled[0, len(filled)] = view
    if filled:
        show_regions(patient, [visit], filled)


def _visit_to_show(patient: object) -> Visit | None:
    """The chosen visit; the first one that has a T1CE, where that has none."""
    visits, chosen = visits_of(patient), chosen_visit(patient)
    ordered = sorted(visits, key=lambda visit: visit.id != chosen)
    return next((visit for visit in ordered if find(patient, Kind.IMAGE, visit.id, ANATOMY) is not None), None)
