"""The timeline: columns are visits by date, rows what to compare, as state of view nodes alone.

Where a layout manager runs (the Slicer desktop), it follows the layout node and makes the views; nothing here needs
one. The views have a group of their own, are linked by position and zoom but never by volume, and are deaf to volumes
that other modules select. Rows stand in ``timeline_rows``, the layout in ``timeline_layout``, single views in
``timeline_views``, where they look in ``timeline_look``, overlays in ``timeline_overlays``, changes between visits in
``timeline_change``, and going through it in ``timeline_steps``.
"""

from __future__ import annotations

from collections.abc import Callable

import slicer

from ..measures import Visit
from . import nodes
from .application import Application
from .hierarchy import visit_title
from .nodes import Kind, linked, mark, marked
from .timeline_chosen import choose, chosen_visit
from .timeline_kept_out import keep_out, let_in
from .timeline_layout import (
    LAYOUT_ID,
    TAG,
    VIEW_GROUP,
    enlarged_view,
    enter_layout,
    in_layout,
    layout_description,
    leave_layout,
)  # fmt: skip
from .timeline_look import Look, keep_look, kept_look, look_again, look_of, place, prescribe_spacing, turn
from .timeline_overlays import remove_legends, show_legends
from .timeline_rows import (
    Row,
    available_rows,
    default_rows,
    keep_state,
    page_of,
    patient_of,
    rows_after_work,
    shown_rows,
    state_of,
    visits_of,
)  # fmt: skip
from .timeline_views import (
    OF_ONE_VISIT,
    column_of,
    configure,
    images_of,
    make_views,
    mark_chosen,
    remove_views,
    row_of,
    show_in,
    show_regions,
    slice_node,
    unlinked,
    view_nodes,
)  # fmt: skip

COLUMNS = 4  # as many as were measured to follow a scroll step together; further visits are paged

__all__ = [
    "COLUMNS", "LAYOUT_ID", "VIEW_GROUP", "Row", "available_rows", "choose_rows", "default_rows", "fit", "hide",
    "is_shown", "keep_place", "layout_description", "look_as_left", "patient_of", "rows_after_work", "show",
    "show_drawn", "show_legends_of", "show_own_images", "shown_rows", "turn_page", "view_nodes", "visits_of",
]  # fmt: skip


def show(
    application: Application,
    rows: list[Row] | None = None,
    first: int | None = None,
    columns: int = COLUMNS,
    pause: Callable[[], None] = lambda: None,
    native: bool | None = None,
) -> None:
    """Shows the patient's visits from the first on, as many as there are columns; does nothing without visits.

    rows: by default those shown last, else ``default_rows``; first: number of the first visit of the page, by default
    that of the page that was shown last, or of the nearest one with the chosen visit. Where the chosen visit is not on
    a page that is asked for, the nearest one becomes the chosen one. native: each visit along the voxels of its own
    T1CE instead of all in the reference visit's position; by default as shown last. Views that are there already keep
    position and zoom. The earlier layout is remembered for ``hide``. Call it also after a scene was opened: how views
    are linked is not saved with the scene. Switching between native and common position keeps place and zoom. pause is
    called after each view, so that an interface can stay alive.
    """
    patient_node = nodes.patient_node(application.scene)
    visits = visits_of(patient_node) if patient_node else []
    if not visits:
        return
    last = state_of(patient_node)
    rows = shown_rows(patient_node) if rows is None else rows
    columns = min(columns, len(visits))
    chosen = [visit.id for visit in visits].index(chosen_visit(patient_node))
    if first is None:
        first = min(max(last.get("first", 0), chosen - columns + 1), chosen)
    first = max(0, min(first, len(visits) - columns))
    turned = native is not None and native != last.get("native", False)
    native = last.get("native", False) if native is None else native
    shown = [[row.image, row.overlay] for row in rows]
    with unlinked(application):
        look = look_of(application)
        keep_state(patient_node, rows=shown, first=first, columns=columns, native=native)
        tags = [TAG.format(column=column, row=row) for column in range(columns) for row in range(len(rows))]
        make_views(application, tags, pause)
        enter_layout(application, columns, rows)
        pause()
        page = visits[first : first + columns]
        patient = patient_of(patient_node)
        titles = [visit_title(patient, visit) for visit in page]
        remove_views(application, keep=set(tags), pause=pause)
        views = {}
        for column, visit in enumerate(page):
            for number, row in enumerate(rows):
                node = slice_node(application, TAG.format(column=column, row=number))
                configure(application, node, patient_node, visit, row, titles[column], column)
                views[column, number] = node
                pause()
        place(patient_node, page, views)
        if turned or (native and first != last.get("first", 0)):
            turn(patient_node, page, views, look)
        prescribe_spacing(patient_node, page, views)
        pause()
        show_regions(patient_node, page, views)
        choose(patient_node, visits[min(max(chosen, first), first + columns - 1)].id)
        keep_out(application, patient_node)
        mark_chosen(application, patient_node)
        pause()
        show_legends_of(application, enlarged_view(application))


def choose_rows(application: Application, rows: list[Row], pause: Callable[[], None] = lambda: None) -> None:
    """Shows the rows that the user chose; they stay when maps are made later. At least one stays. pause: as ``show``
    calls it."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None and rows:
        keep_state(patient_node, chosen=True, rows=[[row.image, row.overlay] for row in rows])
        if is_shown(application):
            last = state_of(patient_node)
            show(application, rows, columns=last.get("columns", COLUMNS), pause=pause)


def turn_page(application: Application, by: int) -> None:
    """Shows the visits that stand by this many columns later (or earlier, by < 0)."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None and is_shown(application):
        last = state_of(patient_node)
        show(application, first=last.get("first", 0) + by, columns=last.get("columns", COLUMNS))


def hide(application: Application, pause: Callable[[], None] = lambda: None) -> None:
    """Restores the layout from before, then removes our views; also when the scene is about to close. Where they
    looked is kept for the next time (``timeline_look.kept_look``).

    A layout that the user chose meanwhile stays. What was drawn in the columns is hidden, for all visits' regions lie
    over each other in other views; it can be made visible there by hand as anything else. pause is called after each
    view.
    """
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None:
        keep_look(application, patient_node)
    leave_layout(application)
    if patient_node is not None:
        for kind in OF_ONE_VISIT:
            for node in linked(patient_node, kind):
                show_in(node, [])
        let_in(patient_node)
        remove_legends(patient_node)
    remove_views(application, keep=set(), pause=pause)


def is_shown(application: Application) -> bool:
    """Whether the timeline's views are there and, where there is a layout, in it."""
    return bool(view_nodes(application)) and in_layout(application)


def fit(application: Application) -> None:
    """Brings all views back to the lesions and to the whole head."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is None:
        return
    page, views = _page_and_views(application, patient_node)
    for node in views.values():
        mark(node, placed="")
    place(patient_node, page, views)


def look_as_left(application: Application, look: dict[int, Look]) -> None:
    """Brings the views to where they looked before they were made again (``look_of``), else to where they looked when
    the timeline was put away; to the lesions the first time."""
    patient_node = nodes.patient_node(application.scene)
    look = look or (kept_look(patient_node) if patient_node is not None else {})
    if look:
        look_again(application, look)
    else:
        fit(application)


def keep_place(application: Application) -> None:
    """Remembers where the views look, for a scene that is saved later: Slicer pulls them to 0 while it opens one."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None:
        keep_look(application, patient_node)


def show_drawn(application: Application) -> None:
    """Shows what came into the scene since (proposals, lines) in the column of its visit only; no lines elsewhere."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None and is_shown(application):
        show_regions(patient_node, *_page_and_views(application, patient_node))
    elif patient_node is not None:
        for node in linked(patient_node, Kind.LINE):
            show_in(node, [])


def show_own_images(application: Application) -> None:
    """Views whose images another module exchanged show those of their row again: Slicer's Segment Editor shows the
    volume that it draws on. Views in which an alignment is checked stay as they are."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is None or not is_shown(application):
        return
    page, views = _page_and_views(application, patient_node)
    rows = shown_rows(patient_node)
    for (column, row), view in views.items():
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        if composite is None or marked(view, "check") or column >= len(page) or row >= len(rows):
            continue
        image, overlay = images_of(patient_node, page[column].id, rows[row])
        change = composite.StartModify()
        composite.SetBackgroundVolumeID(image.GetID() if image else None)
        composite.SetForegroundVolumeID(overlay.GetID() if overlay else None)
        composite.SetLabelVolumeID(None)
        composite.EndModify(change)


def _page_and_views(
    application: Application, patient_node: object
) -> tuple[list[Visit], dict[tuple[int, int], object]]:
    """The visits that are shown, and the views by column and row."""
    return page_of(patient_node), {(column_of(node), row_of(node)): node for node in view_nodes(application)}


def show_legends_of(application: Application, alone: object | None) -> None:
    """Colour legends in a view that is shown alone, or (None) as all views have them together."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None:
        page, views = _page_and_views(application, patient_node)
        views = views if alone is None else {(column_of(alone), row_of(alone)): alone}
        show_legends(patient_node, shown_rows(patient_node), page, views)
