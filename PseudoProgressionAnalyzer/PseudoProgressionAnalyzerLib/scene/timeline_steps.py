"""Going through the timeline step by step: the next visit, the next row, the next lesion. For keys and buttons."""

from __future__ import annotations

from .application import Application
from .focus import region_focus
from .nodes import Kind, linked, marked, patient_node
from .segments import regions_of, segment_mask
from .timeline import COLUMNS, is_shown, show
from .timeline_look import centre_on
from .timeline_rows import keep_state, shown_rows, state_of, visits_of
from .timeline_views import chosen_view, column_of, mark_chosen, row_of, view_at, view_nodes


def active_view(application: Application) -> object | None:
    """The view that keys and *Enlarge* act on: the first one until another was chosen."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application):
        return None
    return chosen_view(application, patient)


def choose_view(application: Application, view: object) -> bool:
    """Makes a view the one that keys and *Enlarge* act on; says whether it was another one before."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application) or active_view(application) is view:
        return False
    _activate(application, patient, column_of(view), row_of(view))
    return True


def next_visit(application: Application, by: int = 1) -> object | None:
    """Goes to the visit that stands by this many columns later (earlier, by < 0) and turns the page where it must.
    Returns the view."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application):
        return None
    chosen = state_of(patient)
    columns, first = chosen.get("columns", COLUMNS), chosen.get("first", 0)
    column, row = chosen.get("active", (0, 0))
    wanted = max(0, min(first + column + by, len(visits_of(patient)) - 1))
    page = min(max(first, wanted - columns + 1), wanted)
    if page != first:
        show(application, first=page, columns=columns)
    return _activate(application, patient, wanted - page, row)


def next_row(application: Application, by: int = 1) -> object | None:
    """Goes to the row below (above, by < 0), from the last to the first. Returns the view."""
    patient = patient_node(application.scene)
    if patient is None or not is_shown(application):
        return None
    column, row = state_of(patient).get("active", (0, 0))
    return _activate(application, patient, column, (row + by) % len(shown_rows(patient)))


def go_to_visit(application: Application, visit_id: str) -> object | None:
    """Goes to a visit by its id, for clicks on plots and tables. Returns the view; None where the timeline is off or
    shows no image of the visit."""
    patient = patient_node(application.scene)
    order = [visit.id for visit in visits_of(patient)] if patient is not None else []
    if visit_id not in order or not is_shown(application):
        return None
    chosen = state_of(patient)
    return next_visit(application, order.index(visit_id) - chosen.get("first", 0) - chosen.get("active", (0, 0))[0])


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


def _activate(application: Application, patient: object, column: int, row: int) -> object | None:
    keep_state(patient, active=[column, row])
    mark_chosen(application, patient)
    return view_at(application, column, row)
