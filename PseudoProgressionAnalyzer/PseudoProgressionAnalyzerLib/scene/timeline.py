"""The timeline: columns are visits by date, rows what to compare, as state of view nodes alone.

Where a layout manager runs (the Slicer desktop), it follows the layout node and makes the views; nothing here needs
one. The views have a group of their own, are linked by position and zoom but never by volume, and are deaf to volumes
that other modules select.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

import slicer

from ..measures import Patient, Visit
from . import nodes
from .application import Application
from .display import OVERLAY_OPACITY
from .focus import ORIENTATION, head_bounds, lesion_focus, set_axial
from .hierarchy import visit_title
from .nodes import Kind, find, linked, mark, marked
from .plain import from_plain

OF_ONE_VISIT = (Kind.LESION, Kind.REFERENCE, Kind.PROPOSAL, Kind.LINE)
"""What is drawn in the column of its visit only."""

LAYOUT_ID = 730719
VIEW_GROUP = 7307
COLUMNS = 4  # as many as were measured to follow a scroll step together; further visits are paged
TAG = "PPA_{column}_{row}"
VIEW_COLOUR = "#8C8C8C"

_OVERLAYS = (
    ("rCBV_ratio", "rCBV"), ("CBF_ratio", "CBF"), ("Cho_NAA_molar", "Cho_NAA_area"), ("Cho_Cr_molar", "Cho_Cr_area"),
    ("APTw",),
)  # fmt: skip
"""Rows of maps over the T1CE; of each group the first that the patient has."""

_COMES_FROM = {"DSC": "rCBV_ratio", "rCBV": "rCBV_ratio", "CBF": "CBF_ratio"}
"""Maps that will be made from series of these roles: their rows stand from the start, so that no view moves later."""


@dataclass(frozen=True)
class Row:
    """What a row compares: an image by its role, with a map laid over it or none."""

    image: str
    overlay: str = ""

    @property
    def title(self) -> str:
        """The row's words: ``T1CE`` or ``rCBV_ratio over T1CE``."""
        return f"{self.overlay} over {self.image}" if self.overlay else self.image


def patient_of(patient_node: object) -> Patient:
    """The patient that the text node holds."""
    return from_plain(Patient, json.loads(patient_node.GetText())["patient"])


def visits_of(patient_node: object) -> list[Visit]:
    """The visits that have an image in the scene, in the patient's order: by date, unknown dates last."""
    with_image = {marked(node, "visit") for node in linked(patient_node, Kind.IMAGE)}
    return [visit for visit in patient_of(patient_node).visits if visit.id in with_image]


def default_rows(patient_node: object) -> list[Row]:
    """T1CE, FLAIR where there is one, and the maps that the patient has or will have over T1CE."""
    images = {marked(node, "name") for node in linked(patient_node, Kind.IMAGE)}
    maps = {marked(node, "name") for node in linked(patient_node, Kind.MAP)}
    for visit in visits_of(patient_node):
        maps |= {_COMES_FROM.get(series.role, series.role) for series in visit.series}
    rows = [Row(role) for role in ("T1CE", "FLAIR") if role in images]
    for group in _OVERLAYS:
        rows += [Row("T1CE", name) for name in group if name in maps][:1]
    return rows


def layout_description(columns: int, rows: list[Row]) -> str:
    """The layout's XML: columns side by side, each with the same rows."""

    def view(column: int, row: int) -> str:
        tag = TAG.format(column=column, row=row)
        properties = {
            "orientation": ORIENTATION,
            "viewlabel": escape(rows[row].title),
            "viewcolor": VIEW_COLOUR,
            "viewgroup": VIEW_GROUP,
        }
        inner = "".join(
            f'<property name="{name}" action="default">{text}</property>' for name, text in properties.items()
        )
        return f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">{inner}</view></item>'

    def stack(column: int) -> str:
        inner = "".join(view(column, row) for row in range(len(rows)))
        return f'<item><layout type="vertical" split="true">{inner}</layout></item>'

    return f'<layout type="horizontal" split="true">{"".join(stack(column) for column in range(columns))}</layout>'


def show(
    application: Application,
    rows: list[Row] | None = None,
    first: int | None = None,
    columns: int = COLUMNS,
    pause: Callable[[], None] = lambda: None,
) -> None:
    """Shows the patient's visits from the first on, as many as there are columns; does nothing without visits.

    rows: by default those shown last, else ``default_rows``; first: number of the first visit of the page, by default
    the one shown last. Views that are there already keep position and zoom. The earlier layout is remembered for
    ``hide``. Call it also after a scene was opened: how views are linked is not saved with the scene. pause is called
    after each view, so that an interface can stay alive.
    """
    patient_node = nodes.patient_node(application.scene)
    visits = visits_of(patient_node) if patient_node else []
    if not visits:
        return
    last = _shown_last(patient_node)
    if rows is None:
        rows = [Row(*row) for row in last.get("rows", [])] or default_rows(patient_node)
    columns = min(columns, len(visits))
    first = max(0, min(last.get("first", 0) if first is None else first, len(visits) - columns))
    mark(
        patient_node,
        timeline=json.dumps({"rows": [[row.image, row.overlay] for row in rows], "first": first, "columns": columns}),
    )
    _set_layout(application, columns, rows)
    page = visits[first : first + columns]
    patient = patient_of(patient_node)
    titles = [visit_title(patient, visit) for visit in page]
    wanted = {TAG.format(column=column, row=row) for column in range(columns) for row in range(len(rows))}
    _remove_views(application, keep=wanted)
    views = {}
    for column, visit in enumerate(page):
        for number, row in enumerate(rows):
            slice_node = _slice_node(application, TAG.format(column=column, row=number))
            _configure(application, slice_node, patient_node, visit, row, titles[column])
            views[column, number] = slice_node
            pause()
    _place(patient_node, list(views.values()))
    pause()
    _show_regions(patient_node, page, views)
    pause()
    _show_legends(patient_node, rows, page, views)


def turn_page(application: Application, by: int) -> None:
    """Shows the visits that stand by this many columns later (or earlier, by < 0)."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None and is_shown(application):
        last = _shown_last(patient_node)
        show(application, first=last.get("first", 0) + by, columns=last.get("columns", COLUMNS))


def hide(application: Application) -> None:
    """Restores the layout from before, then removes our views; also when the scene is about to close.

    A layout that the user chose meanwhile stays.
    """
    layout = _layout_node(application)
    if layout is not None:
        earlier = marked(layout, "earlier_layout")
        if layout.GetViewArrangement() == LAYOUT_ID:
            known = earlier.isdigit() and layout.IsLayoutDescription(int(earlier))
            layout.SetViewArrangement(int(earlier) if known else layout.SlicerLayoutFourUpView)
        layout.RemoveAttribute(nodes.PREFIX + "earlier_layout")
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None:
        for kind in OF_ONE_VISIT:
            for node in linked(patient_node, kind):
                _show_in(node, None)
        _remove_legends(patient_node)
    _remove_views(application, keep=set())


def is_shown(application: Application) -> bool:
    """Whether the timeline's views are there and, where there is a layout, in it."""
    layout = _layout_node(application)
    return bool(view_nodes(application)) and (layout is None or layout.GetViewArrangement() == LAYOUT_ID)


def view_nodes(application: Application) -> list[object]:
    """The timeline's slice nodes."""
    scene = application.scene
    every = [
        scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
        for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode"))
    ]
    return [node for node in every if (node.GetLayoutName() or "").startswith("PPA_")]


def fit(application: Application) -> None:
    """Brings all views back to the lesions and to the whole head."""
    patient_node = nodes.patient_node(application.scene)
    if patient_node is not None:
        views = view_nodes(application)
        for node in views:
            mark(node, placed="")
        _place(patient_node, views)


def _shown_last(patient_node: object) -> dict:
    return json.loads(marked(patient_node, "timeline") or "{}")


def _layout_node(application: Application) -> object | None:
    return application.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def _set_layout(application: Application, columns: int, rows: list[Row]) -> None:
    layout = _layout_node(application)
    if layout is None:
        return
    if layout.GetViewArrangement() != LAYOUT_ID:
        mark(layout, earlier_layout=str(layout.GetViewArrangement()))
    description = layout_description(columns, rows)
    if layout.GetViewArrangement() == LAYOUT_ID and layout.GetLayoutDescription(LAYOUT_ID) == description:
        return
    if not layout.AddLayoutDescription(LAYOUT_ID, description):
        layout.SetLayoutDescription(LAYOUT_ID, description)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(application.scene)  # closing a scene forgets them
    layout.SetViewArrangement(LAYOUT_ID)


def _slice_node(application: Application, tag: str) -> object:
    """The slice node of a view: the layout's where there is a layout, else one of our own."""
    node = next((node for node in view_nodes(application) if node.GetLayoutName() == tag), None)
    if node is None:
        node = slicer.vtkMRMLSliceNode()
        node.SetName(tag)
        node.SetLayoutName(tag)
        node = application.scene.AddNode(node)
    return node


def _composite_node(application: Application, slice_node: object) -> object:
    """The composite node of a view, added where no slice logic has made it."""
    node = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(slice_node)
    if node is None:
        node = slicer.vtkMRMLSliceCompositeNode()
        node.SetName(slice_node.GetLayoutName())
        node.SetLayoutName(slice_node.GetLayoutName())
        node = application.scene.AddNode(node)
    return node


def _configure(
    application: Application, slice_node: object, patient_node: object, visit: Visit, row: Row, title: str
) -> None:
    """Images of a view, and everything that keeps it apart from the rest of Slicer."""
    application.slice_logic(slice_node)
    slice_node.SetViewGroup(VIEW_GROUP)
    image = find(patient_node, Kind.IMAGE, visit.id, row.image)
    overlay = find(patient_node, Kind.MAP, visit.id, row.overlay) if row.overlay else None
    if image is None or (row.overlay and overlay is None):
        # A view without its map stays empty: bare anatomy would look like a map without findings.
        date = visit.date.isoformat() if visit.date else visit.id
        image, title = None, f"{date}: no {'map' if image else 'image'}"  # no longer than others: bars set the width
    slice_node.SetLayoutLabel(title)
    composite = _composite_node(application, slice_node)
    composite.SetBackgroundVolumeID(image.GetID() if image else None)
    composite.SetForegroundVolumeID(overlay.GetID() if image and overlay else None)
    composite.SetForegroundOpacity(OVERLAY_OPACITY if overlay else 0.0)
    composite.SetLabelVolumeID(None)
    composite.SetLinkedControl(True)
    composite.SetDoPropagateVolumeSelection(False)
    volumes = composite.BackgroundVolumeFlag | composite.ForegroundVolumeFlag | composite.LabelVolumeFlag
    composite.SetInteractionFlagsModifier(0xFFFFFFFF & ~volumes)


def _place(patient_node: object, views: list[object]) -> None:
    """Gives new views the orientation, position and zoom of those that are there; all of them the first time."""
    placed = next((node for node in views if marked(node, "placed")), None)
    focus = lesion_focus(patient_node)
    low, high = head_bounds(patient_node)
    for node in views:
        if marked(node, "placed"):
            continue
        mark(node, placed="1")
        if placed is not None:
            node.GetSliceToRAS().DeepCopy(placed.GetSliceToRAS())
            node.SetXYZOrigin(*placed.GetXYZOrigin())
            width = placed.GetFieldOfView()[0]
        else:
            set_axial(node)
            matrix = node.GetSliceToRAS()
            for axis, position in enumerate(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, focus[2])):
                matrix.SetElement(axis, 3, position)
            node.SetXYZOrigin(0, 0, 0)
            columns, lines = node.GetDimensions()[:2]
            width = max(high[0] - low[0], (high[1] - low[1]) * columns / max(lines, 1))
        node.UpdateMatrices()
        columns, lines, _ = node.GetDimensions()
        node.SetFieldOfView(width, width * lines / max(columns, 1), node.GetFieldOfView()[2])


def _show_regions(patient_node: object, page: list[Visit], views: dict[tuple[int, int], object]) -> None:
    """Draws the regions of a visit in its own column only."""
    column_of = {visit.id: column for column, visit in enumerate(page)}
    for kind in OF_ONE_VISIT:
        for node in linked(patient_node, kind):
            column = column_of.get(marked(node, "visit"))
            _show_in(node, [view for (number, _), view in views.items() if number == column])


def _show_in(node: object, views: list[object] | None) -> None:
    """Limits a segmentation to views; an empty list hides it, None shows it everywhere."""
    display = node.GetDisplayNode()
    if display is None:
        return
    change = display.StartModify()
    display.RemoveAllViewNodeIDs()
    for view in views or []:
        display.AddViewNodeID(view.GetID())
    display.SetVisibility((views is None or bool(views)) and not marked(node, "hidden"))
    display.EndModify(change)


def _show_legends(patient_node: object, rows: list[Row], page: list[Visit], views: dict) -> None:
    """One colour legend per map, in the last column that shows it."""
    _remove_legends(patient_node)
    for number, row in enumerate(rows):
        for column in reversed(range(len(page))):
            volume = find(patient_node, Kind.MAP, page[column].id, row.overlay) if row.overlay else None
            if volume is not None and volume.GetDisplayNode() is not None:
                legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(volume)
                unit = marked(volume, "unit")
                legend.SetTitleText(row.overlay if unit in ("", "1") else f"{row.overlay} ({unit})")
                legend.RemoveAllViewNodeIDs()
                legend.AddViewNodeID(views[column, number].GetID())
                legend.SetVisibility(True)
                break


def _remove_legends(patient_node: object) -> None:
    for volume in linked(patient_node, Kind.MAP):
        legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
        if legend is not None:
            patient_node.GetScene().RemoveNode(legend)


def _remove_views(application: Application, keep: set[str]) -> None:
    for node in view_nodes(application):
        if node.GetLayoutName() not in keep:
            application.remove_view(node)
