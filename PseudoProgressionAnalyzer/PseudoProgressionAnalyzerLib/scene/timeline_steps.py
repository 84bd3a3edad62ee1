"""Going through the timeline step by step: the next visit, the next row, the next lesion. For keys and buttons."""

from __future__ import annotations

import slicer

from .application import Application
from .focus import region_focus
from .nodes import Kind, linked, marked, patient_node
from .segments import regions_of, segment_mask
from .timeline import COLUMNS, is_shown, show
from .timeline_chosen import choose, chosen_row, chosen_visit
from .timeline_layout import is_ours
from .timeline_look import centre_on
from .timeline_rows import keep_state, page_of, shown_rows, state_of, visits_of
from .timeline_views import chosen_view, column_of, mark_chosen, row_of, view_nodes


def active_view(application: Application) -> object | None:
    """The view that keys and *Enlarge* act on: the first one until another was chosen."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application):
        return None
    return chosen_view(application, patient)


def choose_view(application: Application, view: object) -> None:
    """Chooses the visit that a view shows, and of the timeline's views the row. What shows no visit chooses none."""
    patient = patient_node(application.scene)
    if patient is None:
        return
    if is_ours(view.GetLayoutName()):
        page, rows = page_of(patient), shown_rows(patient)
        column, row = column_of(view), row_of(view)
        if column < len(page) and row < len(rows):
            choose(patient, page[column].id, rows[row])
            mark_chosen(application, patient)
    else:
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        image = application.scene.GetNodeByID(composite.GetBackgroundVolumeID() or "") if composite else None
        go_to_visit(application, marked(image, "visit") if image is not None else "")


def next_visit(application: Application, by: int = 1) -> object | None:
    """Goes to the visit that stands by this many columns later (earlier, by < 0) and turns the page where it must.
    Returns the view."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application):
        return None
    order = [visit.id for visit in visits_of(patient)]
    if not order:
        return None
    wanted = order.index(chosen_visit(patient)) + by
    return go_to_visit(application, order[max(0, min(wanted, len(order) - 1))])


def next_row(application: Application, by: int = 1) -> object | None:
    """Goes to the row below (above, by < 0), from the last to the first. Returns the view."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application):
        return None
    rows = shown_rows(patient)
    choose(patient, row=rows[(chosen_row(patient) + by) % len(rows)])
    mark_chosen(application, patient)
    return chosen_view(application, patient)


def go_to_visit(application: Application, visit_id: str) -> object | None:
    """Chooses a visit by its id and turns the page where it must, for keys and for clicks on plots and tables. Returns
    the view; None where the timeline is off or the visit has no image."""
    patient = patient_node(application.scene)
    if patient is None or visit_id not in [visit.id for visit in visits_of(patient)]:
        return None
    choose(patient, visit_id)
    if not is_shown(application):
        return None
    if visit_id not in [visit.id for visit in page_of(patient)]:
        show(application, columns=state_of(patient).get("columns", COLUMNS))
    mark_chosen(application, patient)
    return chosen_view(application, patient)


def lesions(application: Application) -> list[tuple[str, str]]:
    """(visit, name) of every lesion that holds a voxel, in the order of visits."""
    patient = patient_node(application.scene)
    found = {
        (marked(node, "visit"), name): None
        for node in (linked(patient, Kind.LESION) if patient is not None else [])
        for segment, name in regions_of(node).items()
        if segment_mask(node, segment).array.any()
    }
    order = [visit.id for visit in visits_of(patient)] if patient is not None else []
    return sorted((key for key in found if key[0] in order), key=lambda key: order.index(key[0]))


def next_lesion(application: Application, by: int = 1) -> tuple[str, str] | None:
    """Brings the next lesion (after the last comes the first) to the middle of all views, and its visit to the front.
    Returns (visit, name), None where nothing is drawn."""
    patient, listed = patient_node(application.scene), lesions(application)
    if not listed or not is_shown(application):
        return None
    last = tuple(state_of(patient).get("lesion", ()))
    number = (listed.index(last) + by) % len(listed) if last in listed else 0
    visit, name = listed[number]
    keep_state(patient, lesion=[visit, name])
    go_to_visit(application, visit)
    node = next(node for node in linked(patient, Kind.LESION) if marked(node, "visit") == visit)
    segment = next(segment for segment, region in regions_of(node).items() if region == name)
    point = region_focus(node, segment)
    centre_on(view_nodes(application), point)
    return visit, name
