"""Plots of measures over the true dates of the visits, as Slicer's own table, series and chart nodes.

Slicer's line plots space points evenly whatever their dates: the series here are scatter plots with lines. It draws no
error bars: the two ends of the 95 % intervals are dotted lines without points.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..measures import Measurement, Patient
from . import nodes
from .application import Application
from .nodes import Kind, find, linked, put

COLOURS = ((0.00, 0.45, 0.70), (0.84, 0.37, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65), (0.35, 0.35, 0.35))
"""Blue, orange, green, purple and grey of Okabe and Ito (2008), told apart by every colour vision."""
BOUNDS = ("low", "high")
FONT = 9  # points: the plot stands in the panel


def plot_measures(
    application: Application, patient: Patient, measurements: Sequence[Measurement], chosen: Sequence[tuple[str, ...]]
) -> object | None:
    """The chart of measures over time; None where none has two dated values.

    chosen: (region, kind, drawn_in (empty for own), name) of each. x: days since the end of radiotherapy, else since
    the first dated visit. A measure's unit stands in its title; the vertical axis has one where all agree.
    """
    patient_node = nodes.patient_node(application.scene)
    remove_plots(application)
    origin, title = _origin(patient)
    if origin is None:
        return None
    visits = [visit for visit in patient.visits if visit.date is not None]
    chart, units, titles = None, {}, []
    for number, key in enumerate(chosen):
        values = {row.visit: row for row in measurements if _key(row) == tuple(key) and not row.compared_to}
        dated = [visit for visit in visits if visit.id in values and values[visit.id].value is not None]
        if not dated:
            continue
        rows = [values[visit.id] for visit in dated]
        units[rows[0].unit] = None
        titles.append(_title(key, rows[0].unit))
        if chart is None:
            chart = put(patient_node, "vtkMRMLPlotChartNode", f"{patient.id} over time", Kind.PLOT, name="chart")
        table = put(patient_node, "vtkMRMLTableNode", f"plot {_title(key, '1')}", Kind.PLOT, name=f"table {number}")
        _fill(table, [visit.id for visit in dated], [(visit.date - origin).days for visit in dated], rows)
        for column in ("value", *(BOUNDS if all(_bounded(row) for row in rows) else ())):
            series = _series(patient_node, table, key, rows[0].unit, column, number)
            chart.AddAndObservePlotSeriesNodeID(series.GetID())
    if chart is None:
        return None
    chart.SetTitle(titles[0] if len(titles) == 1 else "")
    chart.SetTitleFontSize(FONT + 2)
    chart.SetXAxisTitle(title)
    only = next(iter(units)) if len(units) == 1 else ""
    chart.SetYAxisTitle("" if only == "1" else only)
    chart.SetLegendVisibility(len(titles) > 1)
    for set_size in (chart.SetLegendFontSize, chart.SetAxisTitleFontSize, chart.SetAxisLabelFontSize):
        set_size(FONT)
    chart.SetGridVisibility(True)
    return chart


def visit_of_point(series_node: object, point: int) -> str:
    """The visit that a point of one of our series stands for; empty where it is none."""
    table = series_node.GetTableNode() if series_node is not None else None
    column = table.GetTable().GetColumnByName("visit") if table is not None else None
    return column.GetValue(point) if column is not None and 0 <= point < column.GetNumberOfValues() else ""


def remove_plots(application: Application) -> None:
    """Removes our charts, series and their tables."""
    patient_node = nodes.patient_node(application.scene)
    for node in linked(patient_node, Kind.PLOT) if patient_node is not None else []:
        application.scene.RemoveNode(node)


def plot_view(application: Application) -> object:
    """A plot view node of our own that is not saved with the scene."""
    node = slicer.vtkMRMLPlotViewNode()
    node.SetName("PseudoProgressionAnalyzer plot")
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node.SetLayoutName("PPA_plot")
    return application.scene.AddNode(node)


def show_chart(view: object, chart: object | None) -> None:
    """Shows a chart in a plot view node, and nothing else: never the function of Slicer that changes the layout."""
    view.SetPlotChartNodeID(chart.GetID() if chart is not None else None)


def chart_of(application: Application) -> object | None:
    """The chart that was made last, or None."""
    patient_node = nodes.patient_node(application.scene)
    return find(patient_node, Kind.PLOT, name="chart") if patient_node is not None else None


def _key(row: Measurement) -> tuple[str, ...]:
    return row.region, row.kind, row.drawn_in if row.kind == "fixed" else "", row.name


def _origin(patient: Patient) -> tuple[datetime.date | None, str]:
    if patient.radiotherapy_end is not None:
        return patient.radiotherapy_end, "days since the end of radiotherapy"
    dates = [visit.date for visit in patient.visits if visit.date is not None]
    return min(dates, default=None), "days since the first visit"


def _bounded(row: Measurement) -> bool:
    return row.low is not None and row.high is not None


def _title(key: Sequence[str], unit: str) -> str:
    region, kind, drawn_in, name = key
    where = f"{region}, fixed from {drawn_in}" if kind == "fixed" else region
    return f"{name} ({where})" if unit == "1" else f"{name} [{unit}] ({where})"


def _fill(node: object, visits: list[str], days: list[int], rows: list[Measurement]) -> None:
    table = vtkTable()
    names = vtkStringArray()
    names.SetName("visit")
    for visit in visits:
        names.InsertNextValue(visit)
    table.AddColumn(names)
    bounded = all(_bounded(row) for row in rows)
    columns = {"day": days, "value": [row.value for row in rows]}
    columns |= {bound: [getattr(row, bound) for row in rows] for bound in BOUNDS} if bounded else {}
    for name, values in columns.items():
        column = vtkDoubleArray()
        column.SetName(name)
        for value in values:
            column.InsertNextValue(value)
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    node.SetHideFromEditors(True)


def _series(patient_node: object, table: object, key: Sequence[str], unit: str, column: str, number: int) -> object:
    title = _title(key, unit) if column == "value" else f"95 % {column}"  # short: legends cover what they explain
    node = put(patient_node, "vtkMRMLPlotSeriesNode", title, Kind.PLOT, name=f"{column} {number}")
    node.SetName(title)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName("day")
    node.SetYColumnName(column)
    node.SetLabelColumnName("visit")
    node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    value = column == "value"
    styles = slicer.vtkMRMLPlotSeriesNode
    node.SetLineStyle(styles.LineStyleSolid if value else styles.LineStyleDot)
    node.SetMarkerStyle(styles.MarkerStyleCircle if value else styles.MarkerStyleNone)
    node.SetColor(*COLOURS[number % len(COLOURS)])
    return node
