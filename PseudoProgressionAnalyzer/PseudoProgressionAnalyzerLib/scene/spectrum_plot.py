"""One voxel's spectrum as Slicer's own plot: which voxel a point lies in, table, series and chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from ..analysis import Analysis
from ..analysis.fitting_spectra import INDEX, RATIO_MAPS, overlap_with
from ..measures import Image
from ..spectroscopy.result import Curves
from . import nodes
from .display import EVERYTHING, Scale, show_map
from .nodes import Kind, find, mark, marked, put, set_columns
from .timeline_rows import keep_state, state_of

OVERLAP = "spectra_in_lesion"
"""Name of the map that shows how much of each accepted voxel counts in the visit's lesions."""
GRIDS = (*RATIO_MAPS, INDEX)
"""Metabolite maps, which can be shown as a whole grid."""
AXIS = "Chemical shift (ppm)"
SIGNAL = "Signal (scanner units)"
ROOM = 0.05  # of the height of the curves, free above and below them
LOWEST = 5.0  # percentile at which the colours of a whole grid begin: display only
SERIES = {
    "data": ((0.25, 0.27, 0.30), 2.0),
    "fit": ((0.835, 0.369, 0.0), 1.5),
    "baseline": ((0.0, 0.447, 0.698), 1.5),
    "rest": ((0.0, 0.62, 0.45), 1.0),
}
"""Colour and width of each curve, told apart with any colour vision (Okabe and Ito, Color universal design, 2008)."""


def lesion_overlap(analysis: Analysis, visit_id: str, role: str) -> np.ndarray:
    """Share of each voxel of a visit's spectra ``(k, j, i)`` that lies in the lesions drawn in that visit."""
    total = np.zeros(analysis.spectra_fits[visit_id, role].shape)
    for region in analysis.patient.regions:
        mask = analysis.regions.get((region.visit, region.name))
        if mask is not None and (region.visit, region.purpose) == (visit_id, "lesion"):
            total = np.maximum(total, overlap_with(analysis, visit_id, role, mask, visit_id))
    return total


def write_overlaps(patient: object, analysis: Analysis) -> None:
    """Brings the maps of what counts in the lesions up to date: share of each accepted voxel, nothing elsewhere."""
    for visit_id, role in analysis.spectra_fits:
        if role != "MRSI":
            continue
        found = analysis.spectra_fits[visit_id, role]
        share = lesion_overlap(analysis, visit_id, role)
        share = np.where(found.accepted & (share > 0), share, np.nan).astype(np.float32)
        node = put(patient, "vtkMRMLScalarVolumeNode", f"{visit_id} {OVERLAP}", Kind.MAP, visit_id, OVERLAP)
        nodes.set_image(node, Image(share, found.affine))
        other = find(patient, Kind.MAP, visit_id, "Cho_NAA_molar")
        node.SetAndObserveTransformNodeID(other.GetTransformNodeID() if other is not None else None)
        mark(node, unit="share of voxel")
        show_map(node, patient, OVERLAP, Scale(0.0, 1.0))
        node.GetDisplayNode().SetInterpolate(False)


def whole_grid(patient: object) -> bool | None:
    """Whether every voxel of metabolite maps is coloured; None where nobody chose."""
    return state_of(patient).get("whole_grid")


def choose_whole_grid(patient: object, whole: bool) -> None:
    """Colours every voxel of the metabolite maps, or only those from the low end of their scale up; stays with the
    patient."""
    keep_state(patient, whole_grid=whole)
    for name in GRIDS:
        show_grid(patient, name)


def show_grid(patient: object, name: str) -> None:
    """Shows a metabolite map in all visits as it was chosen; does nothing with other maps.

    For the whole grid the colours begin at what the lowest twentieth of its voxels has; the scale itself stays.
    """
    shown = [node for node in nodes.linked(patient, Kind.MAP) if marked(node, "name") == name]
    shown = [node for node in shown if name in GRIDS and node.GetDisplayNode() is not None]
    values = [image.array[np.isfinite(image.array)] for image in map(nodes.get_image, shown) if image is not None]
    values = np.concatenate(values) if values else np.zeros(0)
    whole = bool(whole_grid(patient)) and values.size > 0
    for node in shown:
        display = node.GetDisplayNode()
        low = from_threshold = float(marked(node, "shown_from") or display.GetWindowLevelMin())
        if whole:
            low, from_threshold = min(low, float(f"{np.percentile(values, LOWEST):.2g}")), -EVERYTHING
        display.SetWindowLevelMinMax(low, display.GetWindowLevelMax())
        display.SetThreshold(from_threshold, EVERYTHING)


def show_spectrum(patient: object, curves: Curves, title: str, lines: Sequence[tuple[str, float]] = ()) -> object:
    """Puts a voxel's curves into the patient's plot nodes and returns the chart: high ppm on the left, what is left of
    the data above. lines: names and places (ppm) of what is measured, said with the axis."""
    table = put(patient, "vtkMRMLTableNode", "Spectrum", Kind.SPECTRUM, name="table")
    rest = curves.data - curves.fit
    above = max(curves.data.max(), curves.fit.max()) - 1.2 * min(rest.min(), 0)
    shown = {"data": curves.data, "fit": curves.fit, "baseline": curves.baseline, "rest": rest + above}
    set_columns(table, {"ppm": curves.ppm} | shown, np.float32)
    chart = put(patient, "vtkMRMLPlotChartNode", "Spectrum chart", Kind.SPECTRUM, name="chart")
    for name, (colour, width) in SERIES.items():
        if find(patient, Kind.SPECTRUM, name=name) is None:
            title_of = "data - fit" if name == "rest" else name
            series = put(patient, "vtkMRMLPlotSeriesNode", title_of, Kind.SPECTRUM, name=name)
            series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
            series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
            series.SetColor(*colour)
            series.SetLineWidth(width)
            series.SetAndObserveTableNodeID(table.GetID())
            series.SetXColumnName("ppm")
            series.SetYColumnName(name)
            chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle(title)
    places = ", ".join(f"{name} {place:.1f}" for name, place in lines)
    chart.SetXAxisTitle(f"{AXIS}: {places}" if places else AXIS)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(float(curves.ppm.max()), float(curves.ppm.min()))
    chart.SetYAxisTitle(SIGNAL)
    low, high = (float(end([end(values) for values in shown.values()])) for end in (np.min, np.max))
    room = ROOM * (high - low) or 1.0
    chart.SetYAxisRangeAuto(False)  # left to itself, Slicer keeps the height of the voxel before
    chart.SetYAxisRange(low - room, high + room)
    chart.SetLegendVisibility(True)
    chart.SetTitleFontSize(12)
    chart.SetLegendFontSize(10)  # small: it lies over the curves
    chart.SetAxisTitleFontSize(11)
    for node in nodes.linked(patient, Kind.SPECTRUM):
        node.SetSaveWithScene(False)  # made again with each click
    return chart
