"""Plots of measures over the true dates of the visits, as Slicer's own table, series and chart nodes.

Each unit has a chart of its own. Slicer's line plots space points evenly whatever their dates: the series here are
scatter plots with lines. It draws no error bars: the two ends of the 95 % intervals are dotted lines without points.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence

import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..measures import Measurement, Patient
from . import nodes
from .application import Application
from .nodes import Kind, linked, put

COLOURS = ((0.00, 0.45, 0.70), (0.84, 0.37, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65), (0.35, 0.35, 0.35))
"""Blue, orange, green, purple and grey of Okabe and Ito (2008), told apart by every colour vision."""
BOUNDS = ("low", "high")
FONT = 9  # points: the plot stands in the panel
ROOM = 0.15  # of the time between first and last visit, beside them: a date is wide
LABEL = 0.21  # of that time, between two dates that are written: so wide is one in the narrowest panel


def plot_measures(
    application: Application,
    patient: Patient,
    measurements: Sequence[Measurement],
    chosen: Mapping[tuple[str, ...], str],
    axis: str = "days",
    bounds: tuple[str, str] = BOUNDS,
) -> list[object]:
    """The charts of measures over time, one for each unit, in the order of ``chosen``; none where no value has a date.

    chosen: (region, kind, drawn_in (empty for own), name) of each measure, and what people call it. x: days since
    ``origin``; axis: what people call them. bounds: what they call the lower and the upper end of the intervals.
    """
    patient_node = nodes.patient_node(application.scene)
    remove_plots(application)
    begin = origin(patient)
    if begin is None:
        return []
    visits = [visit for visit in patient.visits if visit.date is not None]
    charts: dict[str, object] = {}
    for number, (key, title) in enumerate(chosen.items()):
        values = _values(measurements, key)
        dated = [visit for visit in visits if visit.id in values]
        if not dated:
            continue
        alone = len(dated) == 1
        dated *= 2 if alone else 1  # VTK warns of a line through one point, also where it draws none
        rows = [values[visit.id] for visit in dated]
        unit = rows[0].unit
        if unit not in charts:
            charts[unit] = _chart(patient_node, patient, unit, axis, len(charts))
        table = put(patient_node, "vtkMRMLTableNode", f"plot {title}", Kind.PLOT, name=f"table {number}")
        _fill(table, [visit.id for visit in dated], [(visit.date - begin).days for visit in dated], rows)
        names = {"value": title}
        names |= dict(zip(BOUNDS, bounds, strict=True)) if all(_bounded(row) for row in rows) else {}
        for column, name in names.items():
            series = _series(patient_node, table, name, column, number, alone)
            charts[unit].AddAndObservePlotSeriesNodeID(series.GetID())
    for chart in charts.values():
        titles = [chart.GetNthPlotSeriesNode(n).GetName() for n in range(chart.GetNumberOfPlotSeriesNodes())]
        chart.SetTitle(titles[0] if len(titles) in (1, 3) else "")
        chart.SetLegendVisibility(len(titles) > 3)
    return list(charts.values())


def undated(patient: Patient, measurements: Sequence[Measurement], chosen: Mapping[tuple[str, ...], str]) -> list[str]:
    """The visits with a value to plot that have no date to plot it at."""
    found = {visit for key in chosen for visit in _values(measurements, key)}
    return [visit.id for visit in patient.visits if visit.id in found and visit.date is None]


def origin(patient: Patient) -> datetime.date | None:
    """The date that the days of a plot are counted from; None where no visit is dated."""
    dates = [visit.date for visit in patient.visits if visit.date is not None]
    return (patient.radiotherapy_end or min(dates)) if dates else None


def date_ticks(patient: Patient) -> list[tuple[float, str]]:
    """(day, date) of each dated visit; the text is empty where it would lie on that of the visit before."""
    begin = origin(patient)
    days = sorted({(visit.date - begin).days for visit in patient.visits if visit.date is not None}) if begin else []
    ticks: list[tuple[float, str]] = []
    shown = -math.inf
    for day in days:
        room = day - shown >= (days[-1] - days[0]) * LABEL
        shown = day if room else shown
        ticks.append((float(day), (begin + datetime.timedelta(days=day)).isoformat() if room else ""))
    return ticks


def visit_at(patient: Patient, day: float, within: float) -> str:
    """The visit nearest to a day of a plot, whatever is drawn there; empty where none is ``within`` so many days."""
    begin = origin(patient)
    dated = [(abs((visit.date - begin).days - day), visit.id) for visit in patient.visits if visit.date is not None]
    distance, found = min(dated, default=(math.inf, ""))
    return found if distance <= within else ""


def remove_plots(application: Application) -> None:
    """Removes our charts, series and their tables."""
    patient_node = nodes.patient_node(application.scene)
    for node in linked(patient_node, Kind.PLOT) if patient_node is not None else []:
        application.scene.RemoveNode(node)


def plot_view(application: Application, number: int = 0) -> object:
    """A plot view node of our own that is not saved with the scene; each has its number."""
    node = slicer.vtkMRMLPlotViewNode()
    node.SetName("PseudoProgressionAnalyzer plot")
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node.SetLayoutName(f"PPA_plot_{number}")
    return application.scene.AddNode(node)


def show_chart(view: object, chart: object | None) -> None:
    """Shows a chart in a plot view node, and nothing else: never the function of Slicer that changes the layout."""
    view.SetPlotChartNodeID(chart.GetID() if chart is not None else None)


def _values(measurements: Sequence[Measurement], key: tuple[str, ...]) -> dict[str, Measurement]:
    """The rows of a measure that have a value, by visit."""
    rows = (row for row in measurements if _key(row) == tuple(key) and not row.compared_to)
    return {row.visit: row for row in rows if row.value is not None}


def _key(row: Measurement) -> tuple[str, ...]:
    return row.region, row.kind, row.drawn_in if row.kind == "fixed" else "", row.name


def _bounded(row: Measurement) -> bool:
    return row.low is not None and row.high is not None


def _chart(patient_node: object, patient: Patient, unit: str, axis: str, number: int) -> object:
    chart = put(patient_node, "vtkMRMLPlotChartNode", f"{patient.id} over time", Kind.PLOT, name=f"chart {number}")
    chart.SetXAxisTitle(axis)
    chart.SetYAxisTitle("" if unit == "1" else unit)
    days = [day for day, _date in date_ticks(patient)]
    room = ROOM * (days[-1] - days[0]) or 1.0
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(days[0] - room, days[-1] + room)
    chart.SetTitleFontSize(FONT + 2)
    for set_size in (chart.SetLegendFontSize, chart.SetAxisTitleFontSize, chart.SetAxisLabelFontSize):
        set_size(FONT)
    chart.SetGridVisibility(True)
    return chart


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


def _series(patient_node: object, table: object, title: str, column: str, number: int, alone: bool) -> object:
    value = column == "value"
    node = put(patient_node, "vtkMRMLPlotSeriesNode", title, Kind.PLOT, name=f"{column} {number}")
    node.SetName(title)
    node.SetAndObserveTableNodeID(table.GetID())
    node.SetXColumnName("day")
    node.SetYColumnName(column)
    node.SetLabelColumnName("visit")
    node.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    styles = slicer.vtkMRMLPlotSeriesNode
    node.SetLineStyle(styles.LineStyleSolid if value else styles.LineStyleDot)
    bound = styles.MarkerStylePlus if alone else styles.MarkerStyleNone  # no line is seen there
    node.SetMarkerStyle(styles.MarkerStyleCircle if value else bound)
    node.SetColor(*COLOURS[number % len(COLOURS)])
    return node
