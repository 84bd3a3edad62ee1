"""Where the views of the timeline look: one place, orientation and zoom for all; in native position one per column."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from ..measures import Visit
from . import nodes
from .application import Application
from .focus import head_bounds, lesion_focus, native_axes, set_axial, visit_focus
from .nodes import ANATOMY, Kind, find, linked, mark, marked, to_world
from .timeline_layout import enlarged_view
from .timeline_rows import keep_state, state_of, visits_of
from .timeline_views import Views, column_of, row_of, view_nodes

FROM_THE_FEET = np.diag([-1.0, 1.0, 1.0])
"""Axes of an axial slice as radiologists read it: the patient's right on the left of the screen."""
_ENDS = ("RL", "AP", "SI")
"""Letters at the positive and negative ends of R, A and S."""


@dataclass(frozen=True)
class Look:
    """Where a view looks.

    matrix: 4x4, slice to RAS in mm; origin: what the slice is shifted by in its own plane (Slicer's XYZOrigin), mm;
    side: mm along the shorter side of the view, so that what is seen does not depend on how much room the view has.
    """

    matrix: np.ndarray
    origin: tuple[float, float, float]
    side: float

    @property
    def middle(self) -> np.ndarray:
        """RAS mm (3,) of the middle of the view."""
        return (self.matrix @ [*self.origin[:2], 0, 1])[:3]

    def turned(self, axes: np.ndarray) -> Look:
        """The same place and zoom along other axes (3x3, columns are right on the screen, up and across, in RAS)."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = axes, self.middle
        return Look(matrix, (0.0, 0.0, 0.0), self.side)

    def along(self, motion: np.ndarray, turns: bool) -> Look:
        """The same place of a head that was moved (4x4, RAS mm); the view turns with it, or stays as it stands."""
        if np.allclose(motion, np.eye(4), atol=1e-6):
            return self
        moved = Look(motion @ self.matrix, self.origin, self.side)
        return moved if turns else moved.turned(self.matrix[:3, :3])


def look_of(application: Application, leading: object | None = None) -> dict[int, Look]:
    """Where each column looks; the same for all but in native position. leading: the view that counts for all that look
    where it looks, by default the one that is shown alone."""
    alone = leading or enlarged_view(application)
    views = sorted(view_nodes(application), key=lambda node: (node is alone, -row_of(node)))
    look = {column_of(node): _look(node) for node in views if marked(node, "placed")}
    patient_node = nodes.patient_node(application.scene)
    if patient_node is None or state_of(patient_node).get("native") or not look:
        return look
    return dict.fromkeys(look, look[column_of(alone) if alone is not None else min(look)])


def keep_look(application: Application, patient_node: object) -> None:
    """Remembers where the views look, for the next time that the timeline is shown: by visit in native position."""
    look, state = look_of(application), state_of(patient_node)
    page = visits_of(patient_node)[state.get("first", 0) :]
    if state.get("native"):
        kept = {page[column].id: _plain(patient_node, each) for column, each in look.items() if column < len(page)}
    else:
        kept = {"": _plain(patient_node, look[min(look)])} if look else {}
    if kept:
        keep_state(patient_node, left=kept)


def kept_look(patient_node: object) -> dict[int, Look]:
    """Where the columns of the page looked when the timeline was last put away, as ``look_of``; empty where it was not,
    in another position, or along another reference visit."""
    state = state_of(patient_node)
    page = visits_of(patient_node)[state.get("first", 0) :][: state.get("columns", 0)]
    keys = [visit.id if state.get("native") else "" for visit in page]
    left = state.get("left", {})
    found = {column: _of_plain(patient_node, left.get(key)) for column, key in enumerate(keys)}
    return {column: look for column, look in found.items() if look is not None}


def _plain(patient_node: object, look: Look) -> list:
    """With the reference visit, whose RAS it is in."""
    return [look.matrix.tolist(), list(look.origin), look.side, _reference_visit(patient_node)]


def _of_plain(patient_node: object, kept: list | None) -> Look | None:
    """None where it was kept in the RAS of another reference visit, where it is another place of the head."""
    if kept is None or kept[3:] not in ([], [_reference_visit(patient_node)]):  # older scenes do not say
        return None
    return Look(np.array(kept[0]), tuple(kept[1]), kept[2])


def _reference_visit(patient_node: object) -> str:
    return json.loads(patient_node.GetText() or "{}").get("reference_visit", "")


@dataclass(frozen=True)
class Heads:
    """Where the heads of the patient lie in the scene: the reference visit, and 4x4 of each visit's T1CE by visit."""

    reference: str
    poses: dict[str, np.ndarray]


def heads(patient_node: object) -> Heads:
    """As they lie now."""
    images = [node for node in linked(patient_node, Kind.IMAGE) if marked(node, "name") == ANATOMY]
    return Heads(_reference_visit(patient_node), {marked(node, "visit"): to_world(node) for node in images})


def go_along(patient_node: object, look: dict[int, Look], before: Heads) -> dict[int, Look]:
    """Where the columns are to look after visits were aligned anew, so that they show the place of the head that they
    showed ``before``: all along the visit that the others lay on; in native position each along its own."""
    now, state = heads(patient_node).poses, state_of(patient_node)
    page, native = visits_of(patient_node)[state.get("first", 0) :], bool(state.get("native"))
    found = {}
    for column, each in look.items():
        visit = before.reference if not native else page[column].id if column < len(page) else ""
        known = visit in now and visit in before.poses
        motion = now[visit] @ np.linalg.inv(before.poses[visit]) if known else np.eye(4)
        found[column] = each.along(motion, turns=native)
    return found


def look_again(application: Application, look: dict[int, Look]) -> None:
    """Brings every view to where its column looked; a layout that makes views anew pulls them to 0. Columns that are
    new look where all do; in native position each has its own place."""
    patient_node = nodes.patient_node(application.scene)
    native = patient_node is not None and state_of(patient_node).get("native")
    together = look[min(look)] if look and not native else None
    for node in view_nodes(application):
        found = look.get(column_of(node), together)
        if found is not None:
            _set(node, found)


def place(patient_node: object, page: list[Visit], views: Views) -> None:
    """Gives new views the orientation, position and zoom of those that are there; all of them the first time. In native
    position each column has its own."""
    if not state_of(patient_node).get("native"):
        _place_together(patient_node, list(views.values()), FROM_THE_FEET, lesion_focus(patient_node))
        return
    for column, visit in enumerate(page):
        together = [node for (number, _), node in views.items() if number == column]
        image = find(patient_node, Kind.IMAGE, visit.id, "T1CE")
        if image is not None:
            _place_together(patient_node, together, native_axes(image), visit_focus(patient_node, visit.id))


def turn(patient_node: object, page: list[Visit], views: Views, look: dict[int, Look]) -> None:
    """Turns the columns to native position, or back, at the place and zoom where they looked.

    Where all columns looked together is kept meanwhile, and they come back to exactly that.
    """
    native = state_of(patient_node).get("native")
    kept = _of_plain(patient_node, state_of(patient_node).get("look"))
    if native and kept is None and look:
        keep_state(patient_node, look=_plain(patient_node, look[min(look)]))
    together = None
    if not native and kept is not None:
        together = kept
        keep_state(patient_node, look=None)
    elif not native and look:
        together = look[min(look)].turned(FROM_THE_FEET)
    for (column, _), node in views.items():
        image = find(patient_node, Kind.IMAGE, page[column].id, "T1CE") if native else None
        if together is not None:
            _set(node, together)
        elif image is not None and column in look:
            _set(node, look[column].turned(native_axes(image)))


def prescribe_spacing(patient_node: object, page: list[Visit], views: Views) -> None:
    """Gives each view the thickness of what it cuts through, so that a stroke is as solid as it is drawn.

    Slicer's brushes are as thick as a view's spacing, and take the voxels whose centres lie within. Its own spacing is
    that of the voxel axis nearest to the view: where the voxels are tilted, the slice also cuts voxels whose centres
    lie further away, and a stroke is left with stripes.
    """
    for (column, _), node in views.items():
        image = find(patient_node, Kind.IMAGE, page[column].id, "T1CE")
        if image is not None:
            matrix = nodes.from_vtk(node.GetSliceToRAS())[:3, :3]
            axes = (to_world(image) @ nodes.get_image(image).affine)[:3, :3]
            node.SetSliceSpacingModeToPrescribed()
            node.SetPrescribedSliceSpacing(*(cut_through(axes, matrix[:, axis]) for axis in range(3)))


def cut_through(axes: np.ndarray, across: np.ndarray) -> float:
    """mm between the two planes square to ``across`` (unit vector (3,)) that just hold one voxel, whose edges are the
    columns of ``axes`` (3x3, mm): a plane cuts the voxels whose centres lie within half of it, and no others."""
    return float(np.abs(axes.T @ across).sum())


def centre_on(views: list[object], point: np.ndarray) -> None:
    """Brings a point (RAS mm, (3,)) to the middle of every view, with the zoom as it is."""
    for node in views:
        matrix = nodes.from_vtk(node.GetSliceToRAS())
        matrix[:3, 3] = point
        _set_matrix(node, matrix, (0.0, 0.0, 0.0))


def move_across(logic: object, steps: int) -> None:
    """Moves a view across its slices, and all that are linked to it, by as many steps at once as Slicer makes one by
    one for a wheel; it stays within what is shown. logic: vtkMRMLSliceLogic; steps: below 0 is downwards."""
    node, ends, offset = logic.GetSliceNode(), [0.0] * 6, logic.GetSliceOffset()
    prescribed = node.GetSliceSpacingMode() == node.PrescribedSliceSpacingMode
    spacing = (node.GetPrescribedSliceSpacing() if prescribed else logic.GetLowestVolumeSliceSpacing())[2]
    logic.GetSliceBounds(ends)
    room = ends[5] - offset if steps > 0 else offset - ends[4]
    made = min(abs(steps), int(room / spacing + 1e-6))
    if made > 0:
        logic.StartSliceNodeInteraction(node.SliceToRASFlag)
        logic.SetSliceOffset(offset + np.sign(steps) * made * spacing)
        logic.EndSliceNodeInteraction()


def letters(node: object) -> tuple[str, str]:
    """What lies on the left and on the right of a view: ``R``, ``L``, ``A``, ``P``, ``S`` or ``I`` of the patient, by
    the axis of RAS that the screen is nearest to."""
    across = [node.GetSliceToRAS().GetElement(row, 0) for row in range(3)]
    axis = max(range(3), key=lambda row: abs(across[row]))
    ends = _ENDS[axis]
    return (ends[1], ends[0]) if across[axis] > 0 else (ends[0], ends[1])


def _look(node: object) -> Look:
    shorter = int(np.argmin(node.GetDimensions()[:2]))
    return Look(nodes.from_vtk(node.GetSliceToRAS()), tuple(node.GetXYZOrigin()), node.GetFieldOfView()[shorter])


def _set(node: object, look: Look) -> None:
    change = node.StartModify()  # who listens to views hears of all this once
    _set_matrix(node, look.matrix, look.origin)
    columns, lines, _ = (max(size, 1) for size in node.GetDimensions())
    pixel = look.side / min(columns, lines)
    node.SetFieldOfView(pixel * columns, pixel * lines, node.GetFieldOfView()[2])
    node.EndModify(change)


def _set_matrix(node: object, matrix: np.ndarray, origin: tuple[float, float, float]) -> None:
    change = node.StartModify()
    node.GetSliceToRAS().DeepCopy(nodes.to_vtk(matrix))
    node.SetXYZOrigin(*origin)
    node.UpdateMatrices()
    node.EndModify(change)


def _place_together(patient_node: object, views: list[object], axes: np.ndarray, focus: np.ndarray) -> None:
    """axes: as ``Look.turned``; focus: RAS mm (3,) that the slice goes through."""
    placed = next((node for node in views if marked(node, "placed")), None)
    low, high = head_bounds(patient_node)
    for node in views:
        if marked(node, "placed"):
            continue
        mark(node, placed="1")
        if placed is not None:
            _set(node, _look(placed))
            continue
        set_axial(node)
        middle = (low + high) / 2
        matrix = nodes.from_vtk(node.GetSliceToRAS())
        if not np.allclose(axes, FROM_THE_FEET):
            matrix[:3, :3] = axes
        across = matrix[:3, 2]
        matrix[:3, 3] = middle + across * float(across @ (focus - middle))
        columns, lines, _ = (max(size, 1) for size in node.GetDimensions())
        reach = np.abs(matrix[:3, :2].T) @ (high - low)
        pixel = max(reach[0] / columns, reach[1] / lines)
        _set(node, Look(matrix, (0.0, 0.0, 0.0), pixel * min(columns, lines)))
