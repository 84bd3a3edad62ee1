"""Maps over the anatomy: one legend, one opacity and one range for all columns of a row."""

from __future__ import annotations

import slicer

from ..measures import Visit
from .application import Application
from .colours import CLASS_NAMES, class_colours
from .display import CLASSES, Scale, chosen_scale, keep_scale, show_range
from .nodes import Kind, linked, marked, patient_node
from .spectrum_plot import show_grid
from .timeline_change import set_change_range
from .timeline_rows import Row, keep_state, shown_rows, state_of
from .timeline_views import Views, label_of, map_node, opacity_of, view_at

LEGEND_PLACE, LEGEND_SIZE, LEGEND_LABELS = (0.98, 0.10), (0.15, 0.36), 5
"""In shares of a view: between the letter at its right side and the unit in its corner."""
LABEL_HEIGHT, UNIT_HEIGHT = 13, 22  # pixels that a number of a legend takes, and the unit below it
LOW_UNIT_HEIGHT = 14  # below two numbers, which keep off their legend's ends: the letter above must stay free
SMALL = 0.5  # of a scale: below it the legend's one decimal tells nothing


def set_opacity(application: Application, opacity: float, overlay: str = "") -> None:
    """Opacity (0 to 1) of a map in all columns of its row; of every map where none is named."""
    patient = patient_node(application.scene)
    if patient is None:
        return
    names = [overlay] if overlay else [row.overlay for row in shown_rows(patient) if row.overlay]
    chosen = state_of(patient).get("opacity", {}) | dict.fromkeys(names, round(opacity, 3))
    keep_state(patient, opacity=chosen)
    _apply_opacity(application, patient)


def set_range(application: Application, overlay: str, low: float, high: float) -> None:
    """The colour scale of a map in every visit, from low (below it nothing is shown) to high; kept when maps are
    computed again. Of a change, the end that is new, with as much at the other side."""
    patient = patient_node(application.scene)
    if patient is None or high <= low:
        return
    if any(marked(node, "name") == overlay for node in linked(patient, Kind.CHANGE)):
        before = range_of(application, overlay)
        set_change_range(patient, overlay, -low if high == before.high else high)
        return
    keep_scale(patient, overlay, Scale(low, high))
    for node in linked(patient, Kind.MAP):
        if marked(node, "name") == overlay and node.GetDisplayNode() is not None:
            show_range(node, Scale(low, high))
    show_grid(patient, overlay)


def range_of(application: Application, overlay: str) -> Scale | None:
    """The colour scale that a map is shown with; None where there is no such map."""
    patient = patient_node(application.scene)
    for kind in (Kind.MAP, Kind.CHANGE) if patient is not None else ():
        for node in linked(patient, kind):
            display = node.GetDisplayNode()
            if marked(node, "name") == overlay and display is not None:
                low = float(marked(node, "shown_from") or display.GetWindowLevelMin())  # also of a whole grid
                shown = Scale(low, display.GetWindowLevelMax())
                return chosen_scale(patient, overlay) or shown
    return None


def toggle_overlays(application: Application) -> bool:
    """Switches all maps off, so that the anatomy under them can be read, or on again. Returns whether they are on."""
    patient = patient_node(application.scene)
    if patient is None:
        return True
    on = not state_of(patient).get("overlays", True)
    keep_state(patient, overlays=on)
    _apply_opacity(application, patient)
    return on


def _apply_opacity(application: Application, patient: object) -> None:
    for number, row in enumerate(shown_rows(patient)):
        for column in range(state_of(patient).get("columns", 0)):
            node = view_at(application, column, number)
            composite = node and slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node)
            if composite is not None and composite.GetForegroundVolumeID():
                composite.SetForegroundOpacity(opacity_of(patient, row.overlay))
                shown = application.scene.GetNodeByID(composite.GetForegroundVolumeID())
                node.SetLayoutLabel(label_of(patient, node.GetLayoutLabel(), shown))
    for volume, legend in _legends(patient):
        legend.SetVisibility(opacity_of(patient, marked(volume, "name")) > 0)


def show_legends(patient: object, rows: list[Row], page: list[Visit], views: Views) -> None:
    """One colour legend per map, in the last of these views that shows it. It has no title: Slicer's would leave no
    room for numbers; the view names the map and its unit (``legend_units``). A view that is shown alone is given alone,
    and its legend is as large as where all rows share the window: Slicer's letters grow with a view."""
    remove_legends(patient)
    share = len(rows) if len(views) == 1 else 1
    for number, row in enumerate(rows):
        for column in sorted((column for column, at in views if at == number), reverse=True):
            volume = map_node(patient, page[column].id, row.overlay) if row.overlay else None
            if volume is not None and volume.GetDisplayNode() is not None and marked(volume, "kind") != Kind.PICTURE:
                _put_legend(patient, volume, views[column, number], share)
                break
    fit_legends(patient)


def fit_legends(patient: object) -> None:
    """As many numbers in each legend as its view has room for, above the unit in the corner; names of classes all."""
    for _volume, legend in _legends(patient):
        view = patient.GetScene().GetNodeByID(legend.GetNthViewNodeID(0) or "")
        height = view.GetDimensions()[1] if view is not None else 0
        if height <= 0 or legend.GetUseColorNamesForLabels():
            continue
        share = legend.GetSize()[1]
        numbers = next((n for n in (LEGEND_LABELS, 3) if n * LABEL_HEIGHT <= share * height), 2)
        unit = UNIT_HEIGHT if numbers > 2 else LOW_UNIT_HEIGHT
        lowest = max(LEGEND_PLACE[1] * share / LEGEND_SIZE[1], min(unit / height / (1 - share), 1.0))
        if legend.GetNumberOfLabels() != numbers:
            legend.SetNumberOfLabels(numbers)
        if abs(legend.GetPosition()[1] - lowest) > 1e-6:
            legend.SetPosition(legend.GetPosition()[0], lowest)


def unit_words(name: str, unit: str) -> str:
    """The unit of a map as people say it: ``1`` is a ratio to something."""
    if unit == "1" and name in CLASSES:
        return ""
    if unit == "1" and (name.removesuffix("_change").endswith("_ratio") or name.startswith("rPH")):
        return "ratio to reference tissue"
    if unit == "1":
        return "" if "_index_" in name else "ratio"
    return f"{unit} of reference tissue" if name.startswith("rPSR") else unit


def legend_units(patient: object) -> dict[str, str]:
    """The unit of each colour legend that is seen, by the id of its view."""
    return {
        legend.GetNthViewNodeID(0): unit_words(marked(volume, "name"), marked(volume, "unit"))
        for volume, legend in _legends(patient)
        if legend.GetVisibility() and legend.GetNumberOfViewNodeIDs()
    }


def _put_legend(patient: object, volume: object, view: object, share: int) -> None:
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(volume)
    display, name = volume.GetDisplayNode(), marked(volume, "name")
    legend.SetTitleText("")
    legend.SetPosition(LEGEND_PLACE[0], LEGEND_PLACE[1] / share)
    legend.SetSize(*(side / share for side in LEGEND_SIZE))
    legend.SetNumberOfLabels(LEGEND_LABELS)
    if name in CLASSES:
        display.SetAndObserveColorNodeID(class_colours(patient).GetID())  # scenes of before had colours without words
        legend.SetUseColorNamesForLabels(True)
        legend.SetLabelFormat("%s")
        legend.SetMaxNumberOfColors(len(CLASS_NAMES))
        legend.SetNumberOfLabels(len(CLASS_NAMES))
    elif display.GetWindowLevelMax() - display.GetWindowLevelMin() < SMALL:
        legend.SetLabelFormat("%.3f")
    legend.RemoveAllViewNodeIDs()
    legend.AddViewNodeID(view.GetID())
    legend.SetVisibility(opacity_of(patient, name) > 0)


def remove_legends(patient: object) -> None:
    """Removes the legends of our maps."""
    for _volume, legend in _legends(patient):
        patient.GetScene().RemoveNode(legend)


def _legends(patient: object) -> list[tuple[object, object]]:
    """(volume, legend) of each of our maps that has one."""
    volumes = [*linked(patient, Kind.MAP), *linked(patient, Kind.CHANGE)]
    found = [(volume, slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)) for volume in volumes]
    return [(volume, legend) for volume, legend in found if legend is not None]
