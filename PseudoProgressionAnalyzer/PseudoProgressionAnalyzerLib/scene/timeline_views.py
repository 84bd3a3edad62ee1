"""The views of the timeline: what each shows, where it looks, and what keeps it apart from the rest of Slicer."""

from __future__ import annotations

import numpy as np
import slicer

from ..measures import Visit
from . import nodes
from .application import Application
from .display import OVERLAY_OPACITY
from .focus import head_bounds, lesion_focus, native_axes, set_axial, visit_focus
from .nodes import Kind, find, linked, mark, marked
from .timeline_layout import BAR_COLOUR, TAG, VIEW_GROUP
from .timeline_rows import Row, state_of

OF_ONE_VISIT = (Kind.LESION, Kind.REFERENCE, Kind.PROPOSAL, Kind.LINE)
"""What is drawn in the column of its visit only."""
Views = dict[tuple[int, int], object]
"""The slice nodes of the timeline by column and row."""


def view_nodes(application: Application) -> list[object]:
    """The timeline's slice nodes."""
    scene = application.scene
    every = [
        scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
        for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode"))
    ]
    return [node for node in every if (node.GetLayoutName() or "").startswith("PPA_")]


def view_at(application: Application, column: int, row: int) -> object | None:
    """The slice node in a column and row, or None."""
    tag = TAG.format(column=column, row=row)
    return next((node for node in view_nodes(application) if node.GetLayoutName() == tag), None)


def slice_node(application: Application, tag: str) -> object:
    """The slice node of a view: the layout's where there is a layout, else one of our own."""
    node = next((node for node in view_nodes(application) if node.GetLayoutName() == tag), None)
    if node is None:
        node = slicer.vtkMRMLSliceNode()
        node.SetName(tag)
        node.SetLayoutName(tag)
        node = application.scene.AddNode(node)
    return node


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
    """The node of a visit's map, or of the change that ends in this visit."""
    return find(patient_node, Kind.MAP, visit, overlay) or find(patient_node, Kind.CHANGE, visit, overlay)


def configure(
    application: Application, node: object, patient_node: object, visit: Visit, row: Row, title: str, column: int
) -> None:
    """Images of a view, and everything that keeps it apart from the rest of Slicer.

    In native position every column has a view group of its own: its slices are cut along the voxels of its visit.
    """
    chosen = state_of(patient_node)
    application.slice_logic(node)
    node.SetViewGroup(VIEW_GROUP + 1 + column if chosen.get("native") else VIEW_GROUP)
    image = find(patient_node, Kind.IMAGE, visit.id, row.image)
    overlay = map_node(patient_node, visit.id, row.overlay) if row.overlay else None
    if image is None or (row.overlay and overlay is None):
        # A view without its map stays empty: bare anatomy would look like a map without findings.
        date = visit.date.isoformat() if visit.date else visit.id
        image, title = None, f"{date}: no {'map' if image else 'image'}"  # no longer than others: bars set the width
    elif overlay is not None and marked(overlay, "kind") == Kind.CHANGE:
        title = f"{title}, since {marked(overlay, 'since')}"
    node.SetLayoutLabel(title)
    node.SetLayoutColor(*BAR_COLOUR)
    composite = composite_of(application, node)
    composite.SetBackgroundVolumeID(image.GetID() if image else None)
    composite.SetForegroundVolumeID(overlay.GetID() if image and overlay else None)
    composite.SetForegroundOpacity(opacity_of(patient_node, row.overlay) if overlay else 0.0)
    composite.SetLabelVolumeID(None)
    composite.SetLinkedControl(True)
    composite.SetDoPropagateVolumeSelection(False)
    volumes = composite.BackgroundVolumeFlag | composite.ForegroundVolumeFlag | composite.LabelVolumeFlag
    composite.SetInteractionFlagsModifier(0xFFFFFFFF & ~volumes)


def chosen_opacity(patient_node: object, overlay: str) -> float:
    """The opacity of an overlay as chosen for its row."""
    return state_of(patient_node).get("opacity", {}).get(overlay, OVERLAY_OPACITY)


def opacity_of(patient_node: object, overlay: str) -> float:
    """The opacity of an overlay as it is shown: 0 while overlays are switched off."""
    return chosen_opacity(patient_node, overlay) if state_of(patient_node).get("overlays", True) else 0.0


def place(patient_node: object, page: list[Visit], views: Views) -> None:
    """Gives new views the orientation, position and zoom of those that are there; all of them the first time. In native
    position each column has its own."""
    if not state_of(patient_node).get("native"):
        focus = lesion_focus(patient_node)
        _place_together(patient_node, list(views.values()), np.diag([-1.0, 1.0, 1.0]), focus)
        return
    for column, visit in enumerate(page):
        together = [node for (number, _), node in views.items() if number == column]
        image = find(patient_node, Kind.IMAGE, visit.id, "T1CE")
        if image is not None:
            _place_together(patient_node, together, native_axes(image), visit_focus(patient_node, visit.id))


def _place_together(patient_node: object, views: list[object], axes: np.ndarray, focus: np.ndarray) -> None:
    """axes: 3x3, columns are right on the screen, up on the screen and towards the reader, in RAS."""
    placed = next((node for node in views if marked(node, "placed")), None)
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
            middle = (low + high) / 2
            matrix = nodes.from_vtk(node.GetSliceToRAS())
            if not np.allclose(axes, np.diag([-1.0, 1.0, 1.0])):
                matrix[:3, :3] = axes
            across = matrix[:3, 2]
            matrix[:3, 3] = middle + across * float(across @ (focus - middle))
            node.GetSliceToRAS().DeepCopy(nodes.to_vtk(matrix))
            node.SetXYZOrigin(0, 0, 0)
            columns, lines = node.GetDimensions()[:2]
            reach = np.abs(matrix[:3, :2].T) @ (high - low)
            width = max(reach[0], reach[1] * columns / max(lines, 1))
        node.UpdateMatrices()
        columns, lines, _ = node.GetDimensions()
        node.SetFieldOfView(width, width * lines / max(columns, 1), node.GetFieldOfView()[2])


def look_of(application: Application) -> dict[int, tuple[np.ndarray, tuple[float, ...], float]]:
    """Where each column looks: 4x4 slice to RAS, origin, and width of the field of view in mm. One place for all but
    in native position."""
    look = {
        int(node.GetLayoutName().split("_")[1]): (
            nodes.from_vtk(node.GetSliceToRAS()),
            node.GetXYZOrigin(),
            node.GetFieldOfView()[0],
        )
        for node in reversed(view_nodes(application))
        if marked(node, "placed")
    }
    patient_node = nodes.patient_node(application.scene)
    if patient_node is None or state_of(patient_node).get("native") or not look:
        return look
    return dict.fromkeys(look, look[min(look)])


def look_again(application: Application, look: dict[int, tuple[np.ndarray, tuple[float, ...], float]]) -> None:
    """Brings every view back to where its column looked; a layout that made its views anew pulls them to 0."""
    for node in view_nodes(application):
        column = int(node.GetLayoutName().split("_")[1])
        if column in look:
            matrix, origin, width = look[column]
            node.GetSliceToRAS().DeepCopy(nodes.to_vtk(matrix))
            node.SetXYZOrigin(*origin)
            node.UpdateMatrices()
            columns, lines, _ = node.GetDimensions()
            node.SetFieldOfView(width, width * lines / max(columns, 1), node.GetFieldOfView()[2])


def show_regions(patient_node: object, page: list[Visit], views: Views) -> None:
    """Draws the regions of a visit in its own column only."""
    column_of = {visit.id: column for column, visit in enumerate(page)}
    for kind in OF_ONE_VISIT:
        for node in linked(patient_node, kind):
            column = column_of.get(marked(node, "visit"))
            show_in(node, [view for (number, _), view in views.items() if number == column])


def show_in(node: object, views: list[object] | None) -> None:
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


def remove_views(application: Application, keep: set[str]) -> None:
    """Removes our views, but those of these tags."""
    for node in view_nodes(application):
        if node.GetLayoutName() not in keep:
            application.remove_view(node)
