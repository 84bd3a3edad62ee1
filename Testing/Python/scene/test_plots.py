"""Plots over time: true dates, intervals, points that know their visit, and no layout switched."""

import datetime

import pytest
import slicer

from PseudoProgressionAnalyzerLib.measures import Measurement, Patient, Visit
from PseudoProgressionAnalyzerLib.scene import plots
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, linked, patient_node
from PseudoProgressionAnalyzerLib.scene.read import read_scene

VOLUME = ("lesion", "own", "", "volume")


@pytest.fixture
def patient(app, analysis):
    build_scene(app, analysis)
    return analysis.patient


def column(table, name):
    values = table.GetTable().GetColumnByName(name)
    return [values.GetValue(number) for number in range(values.GetNumberOfValues())]


def volumes(analysis):
    wanted = ("lesion", "own", "volume", "")
    return [row for row in analysis.measurements if (row.region, row.kind, row.name, row.compared_to) == wanted]


def test_points_stand_on_their_dates(app, patient, analysis):
    """Days from 2022-12-12 on a calendar: 29, 79 and 175, not 1, 2, 3."""
    chart = plots.plot_measures(app, patient, analysis.measurements, [VOLUME])
    series = chart.GetNthPlotSeriesNode(0)
    assert series.GetPlotType() == slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter
    assert series.GetLineStyle() == slicer.vtkMRMLPlotSeriesNode.LineStyleSolid
    assert column(series.GetTableNode(), "day") == [29.0, 79.0, 175.0]
    assert chart.GetXAxisTitle() == "days since the end of radiotherapy"
    assert chart.GetYAxisTitle() == "mL"
    assert (chart.GetTitle(), chart.GetLegendVisibility()) == ("volume [mL] (lesion)", False)
    assert column(series.GetTableNode(), "value") == [row.value for row in volumes(analysis)]


def test_a_point_knows_its_visit(app, patient, analysis, phantom):
    series = plots.plot_measures(app, patient, analysis.measurements, [VOLUME]).GetNthPlotSeriesNode(0)
    assert [plots.visit_of_point(series, point) for point in range(3)] == list(phantom.visits)
    assert plots.visit_of_point(series, 3) == ""
    assert plots.visit_of_point(None, 0) == ""
    other = app.scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")
    assert plots.visit_of_point(other, 0) == ""


def test_intervals_are_lines_of_their_own(app, patient, analysis):
    chart = plots.plot_measures(app, patient, analysis.measurements, [VOLUME])
    names = [chart.GetNthPlotSeriesNode(number).GetName() for number in range(chart.GetNumberOfPlotSeriesNodes())]
    assert names == ["volume [mL] (lesion)", "95 % low", "95 % high"]
    rows = volumes(analysis)
    low, value, high = (column(chart.GetNthPlotSeriesNode(0).GetTableNode(), name) for name in ("low", "value", "high"))
    assert [low, value, high] == [[row.low for row in rows], [row.value for row in rows], [row.high for row in rows]]
    assert all(a < b < c for a, b, c in zip(low, value, high, strict=True))


def test_absent_values_and_dates_make_no_points(app, patient, analysis):
    day = datetime.date(2023, 1, 1)
    visits = [Visit("a", day), Visit("b", None), Visit("c", day.replace(month=2)), Visit("d", day.replace(month=3))]
    values = {"a": 1.0, "b": 2.0, "c": None, "d": 4.0}
    rows = [Measurement(visit, "lesion", "own", visit, "volume", value, "mL") for visit, value in values.items()]
    chart = plots.plot_measures(app, Patient("p", visits), rows, [VOLUME])
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    assert (column(table, "day"), column(table, "value")) == ([0.0, 59.0], [1.0, 4.0])
    assert chart.GetXAxisTitle() == "days since the first visit"
    assert chart.GetNumberOfPlotSeriesNodes() == 1  # no interval is known
    assert plots.plot_measures(app, Patient("p", [Visit("b", None)]), rows, [VOLUME]) is None


def test_own_and_fixed_are_two_lines_and_units_are_not_mixed(app, patient, analysis):
    fixed = next(row for row in analysis.measurements if row.kind == "fixed" and not row.compared_to)
    keys = [("lesion", "own", "", fixed.name), (fixed.region, "fixed", fixed.drawn_in, fixed.name), VOLUME]
    chart = plots.plot_measures(app, patient, analysis.measurements, keys)
    titles = {chart.GetNthPlotSeriesNode(number).GetName() for number in range(chart.GetNumberOfPlotSeriesNodes())}
    assert f"{fixed.name} ({fixed.region}, fixed from {fixed.drawn_in})" in titles
    assert chart.GetYAxisTitle() == ""


def test_plotting_again_leaves_one_chart_and_no_waste(app, patient, analysis, phantom):
    before = phantom.node_ids(app.scene)
    plots.plot_measures(app, patient, analysis.measurements, [VOLUME, ("lesion", "own", "", "sphericity")])
    chart = plots.plot_measures(app, patient, analysis.measurements, [VOLUME])
    assert len(linked(patient_node(app.scene), Kind.PLOT)) == 5  # chart, table, three lines
    assert plots.chart_of(app) is chart
    plots.remove_plots(app)
    assert phantom.node_ids(app.scene) == before
    assert read_scene(app.scene).messages == []


def test_no_layout_is_switched(app, patient, analysis):
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(app.scene)
    layout = logic.GetLayoutNode()
    layout.SetViewArrangement(layout.SlicerLayoutOneUpRedSliceView)
    view = app.scene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    chart = plots.plot_measures(app, patient, analysis.measurements, [VOLUME])
    plots.show_chart(view, chart)
    assert view.GetPlotChartNodeID() == chart.GetID()
    assert layout.GetViewArrangement() == layout.SlicerLayoutOneUpRedSliceView
    plots.show_chart(view, None)
    assert not view.GetPlotChartNodeID()
    logic.SetMRMLScene(None)
