"""The views of the timeline: what each shows, and what keeps it apart from the rest of Slicer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import slicer

from ..measures import Visit
from .application import Application
from .captures import overlay_of
from .display import OVERLAY_OPACITY
from .nodes import PREFIX, Kind, find, linked, marked
from .timeline_chosen import chosen_row, chosen_visit
from .timeline_layout import ACTIVE_COLOUR, BAR_COLOUR, TAG, VIEW_GROUP, is_ours
from .timeline_rows import Row, coming, page_of, state_of

OF_ONE_VISIT = (Kind.LESION, Kind.REFERENCE, Kind.PROPOSAL, Kind.LINE)
"""What is drawn in the column of its visit only."""
SINCE = ", since "  # before the earlier visit of a change
Views = dict[tuple[int, int], object]
"""The slice nodes of the timeline by column and row."""


def view_nodes(application: Application) -> list[object]:
    """The timeline's slice nodes."""
    scene = application.scene
    every = [
        scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
        for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode"))
    ]
    return [node for node in every if is_ours(node.GetLayoutName())]


def column_of(node: object) -> int:
    """The column that a view stands in."""
    return int(node.GetLayoutName().split("_")[1])


def row_of(node: object) -> int:
    """The row that a view stands in."""
    return int(node.GetLayoutName().split("_")[2])


def view_at(application: Application, column: int, row: int) -> object | None:
    """The slice node in a column and row, or None."""
    tag = TAG.format(column=column, row=row)
    return next((node for node in view_nodes(application) if node.GetLayoutName() == tag), None)


def chosen_view(application: Application, patient_node: object) -> object | None:
    """The view of the chosen visit and row."""
    shown = [visit.id for visit in page_of(patient_node)]
    visit = chosen_visit(patient_node)
    return view_at(application, shown.index(visit), chosen_row(patient_node)) if visit in shown else None


def mark_chosen(application: Application, patient_node: object) -> None:
    """The bar of the chosen view is amber, all others grey."""
    chosen = chosen_view(application, patient_node)
    for node in view_nodes(application):
        colour = ACTIVE_COLOUR if node is chosen else BAR_COLOUR
        if not np.allclose(node.GetLayoutColor(), colour):  # each change draws a view anew
            node.SetLayoutColor(*colour)


def slice_node(application: Application, tag: str) -> object:
    """The slice node of a view: the layout's where there is a layout, else one of our own."""
    node = next((node for node in view_nodes(application) if node.GetLayoutName() == tag), None)
    if node is None:
        node = application.scene.CreateNodeByClass("vtkMRMLSliceNode")  # with the orientations that the scene knows
        node.UnRegister(None)
        node.SetName(tag)
        node.SetLayoutName(tag)
        node = application.scene.AddNode(node)
    return node


def make_views(application: Application, tags: Iterable[str], pause: Callable[[], None]) -> None:
    """Makes the views that are not there yet, with a pause after each: a layout would make all of them at once."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(application.scene)  # closing a scene forgets them
    for tag in tags:
        slice_node(application, tag)
        pause()


def composite_of(application: Application, node: object) -> object:
    """The composite node of a view, added where no slice logic has made it."""
    composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node)
    if composite is None:
        composite = slicer.vtkMRMLSliceCompositeNode()
        composite.SetName(node.GetLayoutName())
        composite.SetLayoutName(node.GetLayoutName())
        composite = application.scene.AddNode(composite)
    return composite


def map_node(patient_node: object, visit: str, overlay: str) -> object | None:
    """The node of a visit's map, of the change that ends in this visit, or of a picture that lies over its T1CE."""
    found = find(patient_node, Kind.MAP, visit, overlay) or find(patient_node, Kind.CHANGE, visit, overlay)
    return found or overlay_of(patient_node, visit, overlay)


def images_of(patient_node: object, visit: str, row: Row) -> tuple[object | None, object | None]:
    """The nodes of image and map that a row shows of a visit. Without its map there is no image either: bare anatomy
    would look like a map without findings."""
    image = find(patient_node, Kind.IMAGE, visit, row.image)
    overlay = map_node(patient_node, visit, row.overlay) if image and row.overlay else None
    return (None, None) if row.overlay and overlay is None else (image, overlay)


def exchanged(patient_node: object, page: list[Visit], rows: list[Row], view: object) -> str:
    """What a view really shows, by the names of the volumes, where another module exchanged the images of its row;
    empty where it shows those."""
    composite, column, row = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view), column_of(view), row_of(view)
    if composite is None or column >= len(page) or row >= len(rows):
        return ""
    own = images_of(patient_node, page[column].id, rows[row])
    scene = view.GetScene()
    ids = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
    seen = tuple(scene.GetNodeByID(each) if each else None for each in ids)
    if seen == own:
        return ""
    under, over = (node.GetName() if node is not None else "" for node in seen)
    if over and composite.GetForegroundOpacity() > 0:
        return f"{over} over {under}" if under else over
    return under or "no image"


def configure(
    application: Application, node: object, patient_node: object, visit: Visit, row: Row, title: str, column: int
) -> None:
    """Images of a view, and everything that keeps it apart from the rest of Slicer.

    In native position every column has a view group of its own: its slices are cut along the voxels of its visit.
    """
    chosen = state_of(patient_node)
    application.slice_logic(node)
    node.SetViewGroup(VIEW_GROUP + 1 + column if chosen.get("native") else VIEW_GROUP)
    image, overlay = images_of(patient_node, visit.id, row)
    if image is None:
        date = visit.date.isoformat() if visit.date else visit.id
        missing = "not computed yet" if row.overlay in coming(patient_node, visit) else "no map"
        there = find(patient_node, Kind.IMAGE, visit.id, row.image)
        title = f"{date}: {missing if there else 'no image'}"  # not much longer than others are
    node.RemoveAttribute(PREFIX + "check")  # what is shown now was not put here to be checked by eye
    node.SetLayoutLabel(label_of(patient_node, title, overlay))
    composite = composite_of(application, node)
    change = composite.StartModify()  # who listens to views hears of all this once
    composite.SetBackgroundVolumeID(image.GetID() if image else None)
    composite.SetForegroundVolumeID(overlay.GetID() if overlay else None)
    composite.SetForegroundOpacity(opacity_of(patient_node, row.overlay) if overlay else 0.0)
    composite.SetLabelVolumeID(None)
    composite.SetDoPropagateVolumeSelection(False)
    # Neither volumes nor opacities: a row has its own, and Slicer's bars send on what they are only told.
    composite.SetInteractionFlagsModifier(0)
    composite.EndModify(change)


def link(application: Application, linked: bool) -> None:
    """Whether a view that is moved moves all others. Off while a layout makes views: their bars pull them to 0."""
    for node in view_nodes(application):
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node)
        if composite is not None:
            composite.SetLinkedControl(linked)


@contextlib.contextmanager
def unlinked(application: Application) -> Iterator[None]:
    """No view moves another inside; all are linked afterwards, also where an error ends it."""
    link(application, False)
    try:
        yield
    finally:
        link(application, True)


def chosen_opacity(patient_node: object, overlay: str) -> float:
    """The opacity of an overlay as chosen for its row."""
    return state_of(patient_node).get("opacity", {}).get(overlay, OVERLAY_OPACITY)


def opacity_of(patient_node: object, overlay: str) -> float:
    """The opacity of an overlay as it is shown: 0 while overlays are switched off."""
    return chosen_opacity(patient_node, overlay) if state_of(patient_node).get("overlays", True) else 0.0


def title_of(patient_node: object, row: Row) -> str:
    """The words of a row as it is seen: without its map where that is switched off."""
    seen = not row.overlay or opacity_of(patient_node, row.overlay) > 0
    return row.title if seen else Row(row.image).title


def label_of(patient_node: object, title: str, overlay: object | None) -> str:
    """The title of a view (with or without these words), and since when a change is that is seen in it."""
    title = title.partition(SINCE)[0]
    change = overlay is not None and marked(overlay, "kind") == Kind.CHANGE
    seen = change and opacity_of(patient_node, marked(overlay, "name")) > 0
    return f"{title}{SINCE}{marked(overlay, 'since')}" if seen else title


def show_regions(patient_node: object, page: list[Visit], views: Views) -> None:
    """Draws the regions of a visit in its own column only, and in no view without an image."""
    column_of = {visit.id: column for column, visit in enumerate(page)}
    with_image = {place: view for place, view in views.items() if _has_image(view)}
    for kind in OF_ONE_VISIT:
        for node in linked(patient_node, kind):
            column = column_of.get(marked(node, "visit"))
            show_in(node, [view for (number, _), view in with_image.items() if number == column])


def _has_image(view: object) -> bool:
    composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
    return composite is not None and bool(composite.GetBackgroundVolumeID())


def show_in(node: object, views: list[object]) -> None:
    """Limits what is drawn to views; without any it is hidden, and when it is made visible again, in all views."""
    display = node.GetDisplayNode()
    if display is None:
        return
    change = display.StartModify()
    display.RemoveAllViewNodeIDs()
    for view in views:
        display.AddViewNodeID(view.GetID())
    display.SetVisibility(bool(views) and not marked(node, "hidden"))
    display.EndModify(change)


def remove_views(application: Application, keep: set[str], pause: Callable[[], None] = lambda: None) -> None:
    """Removes our views, but those of these tags; pause is called after each."""
    for node in view_nodes(application):
        if node.GetLayoutName() not in keep:
            application.remove_view(node)
            pause()
