"""The signal curve of one voxel of a DSC series as Slicer's own plot, beside lesion and brain that does not enhance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import slicer

from ..analysis import Analysis
from ..measures import Message
from . import nodes
from .build import checksum
from .nodes import Kind, find, marked, put, set_columns

SERIES = {
    "voxel": ((0.11, 0.13, 0.16), 2.5),
    "lesion": ((0.835, 0.369, 0.0), 1.8),
    "reference": ((0.0, 0.447, 0.698), 1.8),
    "baseline": ((0.55, 0.59, 0.64), 1.0),
    "bolus": ((0.55, 0.59, 0.64), 1.0),
}
"""Colour and width of each curve; blue and vermilion are told apart with any colour vision."""
FOR_LEGEND = 1.6  # times the series: the legend stands beside the curves, not on them
MARKS = ("baseline", "bolus")
"""Upright lines: where the baseline begins, and where it ends because the bolus arrives."""


def curves_of(analysis: Analysis, visit_id: str, voxel_signal: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Curves in per cent of their own baseline ``(time,)``: lesion and reference as the analysis has them, and the
    voxel's where its signal is given and has a baseline above zero."""
    kept = analysis.curves[visit_id, "DSC"]
    start, arrival = (int(frame) for frame in kept["frames"][:2])
    echo_time = analysis.patient.visit(visit_id).of_role("DSC").acquisition["EchoTime"]
    found = {"reference": 100 * np.exp(-echo_time * kept["reference_rate"])}
    for name, signal in (("lesion", kept.get("lesion_signal")), ("voxel", voxel_signal)):
        level = None if signal is None else float(np.mean(signal[start:arrival]))
        if level is not None and level > 0:
            found[name] = 100 * np.asarray(signal, dtype=float) / level
    return found


def file_entry(patient: object, visit_id: str) -> dict:
    """What the scene knows of the visit's DSC series on disk: ``files`` and ``sha256``; empty where nothing."""
    entries = json.loads(marked(patient, "files") or "[]")
    return next((entry for entry in entries if (entry["visit"], entry["role"]) == (visit_id, "DSC")), {})


def changed_file(entry: dict) -> Message | None:
    """What is wrong with a series on disk: gone, or not what it was when the scene was made."""
    if not entry:
        return None
    found = checksum(*map(Path, entry.get("files", [entry["path"]])))
    where = {"file": entry["path"], "visit": entry["visit"], "role": entry["role"]}
    if found is None:
        return Message("scene_file_missing", where)
    return Message("scene_file_changed", where) if entry["sha256"] and found != entry["sha256"] else None


def show_curves(
    patient: object, analysis: Analysis, visit_id: str, curves: dict[str, np.ndarray], title: str
) -> object:
    """Puts curves of ``curves_of`` into the patient's plot nodes, with baseline and bolus, and returns the chart."""
    kept = analysis.curves[visit_id, "DSC"]
    time, frames = kept["time"], kept["frames"].astype(int)
    chart = put(patient, "vtkMRMLPlotChartNode", "Signal chart", Kind.CURVE, name="chart")
    finite = np.concatenate([one[np.isfinite(one)] for one in curves.values()])
    ends = np.array([finite.min(), finite.max()])
    shown = {name: (time, curves[name]) for name in SERIES if name in curves}
    shown |= {name: (np.full(2, time[frames[number]]), ends) for number, name in enumerate(MARKS)}
    chart.RemoveAllPlotSeriesNodeIDs()
    for name, (x, y) in shown.items():
        table = put(patient, "vtkMRMLTableNode", f"Signal {name}", Kind.CURVE, name=f"{name} table")
        set_columns(table, {"s": x, "%": y}, np.float64)
        if find(patient, Kind.CURVE, name=name) is None:
            series = put(patient, "vtkMRMLPlotSeriesNode", name, Kind.CURVE, name=name)
            series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
            series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
            series.SetColor(*SERIES[name][0])
            series.SetLineWidth(SERIES[name][1])
            if name in MARKS:
                series.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleDash)
            series.SetAndObserveTableNodeID(table.GetID())
            series.SetXColumnName("s")
            series.SetYColumnName("%")
        chart.AddAndObservePlotSeriesNodeID(find(patient, Kind.CURVE, name=name).GetID())
    chart.SetTitle(title)
    chart.SetXAxisTitle("s")
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.0, FOR_LEGEND * float(time[-1]))
    chart.SetYAxisTitle("% of baseline")
    chart.SetLegendVisibility(True)
    for node in nodes.linked(patient, Kind.CURVE):
        node.SetSaveWithScene(False)  # made again with each click; the curves themselves stand with the patient
    return chart
