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
SPHERICITY = ("lesion", "own", "", "sphericity")
TITLED = {VOLUME: "Volume (mL)"}


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


def series_of(chart):
    return [chart.GetNthPlotSeriesNode(number) for number in range(chart.GetNumberOfPlotSeriesNodes())]


def test_points_stand_on_their_dates(app, patient, analysis):
    """Days from 2022-12-12 on a calendar: 29, 79 and 175, not 1, 2, 3."""
    (chart,) = plots.plot_measures(app, patient, analysis.measurements, TITLED)
    series = chart.GetNthPlotSeriesNode(0)
    assert series.GetPlotType() == slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter
    assert series.GetLineStyle() == slicer.vtkMRMLPlotSeriesNode.LineStyleSolid
    assert column(series.GetTableNode(), "day") == [29.0, 79.0, 175.0]
    assert chart.GetXAxisTitle() == "days"
    assert plots.origin(patient) == datetime.date(2022, 12, 12)
    assert chart.GetYAxisTitle() == "mL"
    assert (chart.GetTitle(), chart.GetLegendVisibility()) == ("Volume (mL)", False)
    assert column(series.GetTableNode(), "value") == [row.value for row in volumes(analysis)]
    low, high = chart.GetXAxisRange()
    assert low < 29 and high > 175


def test_the_axis_is_written_in_dates_that_do_not_overlap(patient):
    assert plots.date_ticks(patient) == [(29.0, "2023-01-10"), (79.0, "2023-03-01"), (175.0, "2023-06-05")]
    near = [Visit("a", datetime.date(2023, 1, 1)), Visit("b", datetime.date(2023, 1, 5)), Visit("c", None)]
    near += [Visit("d", datetime.date(2023, 12, 31)), Visit("e", datetime.date(2023, 6, 30))]
    assert plots.date_ticks(Patient("p", near)) == [
        (0.0, "2023-01-01"), (4.0, ""), (180.0, "2023-06-30"), (364.0, "2023-12-31")
    ]  # fmt: skip
    dates = [datetime.date(2023, 3, 13), datetime.date(2024, 3, 4), datetime.date(2024, 6, 10)]
    visits = [Visit(str(date), date) for date in dates]
    assert [text for _day, text in plots.date_ticks(Patient("p", visits))] == [str(date) for date in dates]
    close = Patient("p", [visits[0], Visit("b", dates[0] + datetime.timedelta(days=78)), visits[2]])  # 0.17 of it
    assert [text for _day, text in plots.date_ticks(close)] == [str(dates[0]), "", str(dates[2])]
    assert plots.date_ticks(Patient("p", [Visit("b", None)])) == []
    assert plots.date_ticks(Patient("p", [near[0]])) == [(0.0, "2023-01-01")]


def test_a_click_belongs_to_the_nearest_date_whatever_is_drawn_there(patient, phantom):
    assert [plots.visit_at(patient, day, 5) for day in (29, 79.4, 171)] == list(phantom.visits)
    assert plots.visit_at(patient, 54, 5) == ""  # between two visits
    assert plots.visit_at(patient, 54, 26) == phantom.visits[0] or plots.visit_at(patient, 54, 26) == phantom.visits[1]
    assert plots.visit_at(Patient("p", [Visit("b", None)]), 0, 100) == ""


def test_intervals_are_lines_of_their_own(app, patient, analysis):
    words = ("95 % low", "95 % high")
    (chart,) = plots.plot_measures(app, patient, analysis.measurements, TITLED, "days", words)
    assert [series.GetName() for series in series_of(chart)] == ["Volume (mL)", *words]
    rows = volumes(analysis)
    low, value, high = (column(chart.GetNthPlotSeriesNode(0).GetTableNode(), name) for name in ("low", "value", "high"))
    assert [low, value, high] == [[row.low for row in rows], [row.value for row in rows], [row.high for row in rows]]
    assert all(a < b < c for a, b, c in zip(low, value, high, strict=True))


def test_absent_values_and_dates_make_no_points(app, patient, analysis):
    day = datetime.date(2023, 1, 1)
    visits = [Visit("a", day), Visit("b", None), Visit("c", day.replace(month=2)), Visit("d", day.replace(month=3))]
    values = {"a": 1.0, "b": 2.0, "c": None, "d": 4.0}
    rows = [Measurement(visit, "lesion", "own", visit, "volume", value, "mL") for visit, value in values.items()]
    (chart,) = plots.plot_measures(app, Patient("p", visits), rows, TITLED)
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    assert (column(table, "day"), column(table, "value")) == ([0.0, 59.0], [1.0, 4.0])
    assert plots.origin(Patient("p", visits)) == day
    assert plots.undated(Patient("p", visits), rows, TITLED) == ["b"]
    assert plots.undated(Patient("p", visits[2:]), rows, TITLED) == []
    assert plots.undated(Patient("p", visits), rows, {SPHERICITY: "Sphericity"}) == []
    assert chart.GetNumberOfPlotSeriesNodes() == 1  # no interval is known
    assert plots.plot_measures(app, Patient("p", [Visit("b", None)]), rows, TITLED) == []


@pytest.mark.parametrize("number", [1, 2])
def test_of_one_visit_the_interval_is_seen_too(app, patient, analysis, number):
    """No line is seen through a point that is alone."""
    visits = patient.visits[:number]
    (chart,) = plots.plot_measures(app, Patient("p", visits), analysis.measurements, TITLED)
    seen = [each.GetMarkerStyle() != slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone for each in series_of(chart)]
    assert seen == [True, number == 1, number == 1]
    low, high = chart.GetXAxisRange()
    days = [(visit.date - visits[0].date).days for visit in visits]
    assert low < days[0] and high > days[-1]
    found = column(series_of(chart)[0].GetTableNode(), "day")
    assert len(found) == 2 and set(found) == set(days), "VTK warns of a line through one point"


def test_own_and_fixed_are_two_lines_and_units_never_share_an_axis(app, patient, analysis):
    fixed = next(
        row for row in analysis.measurements if row.kind == "fixed" and row.unit == "1" and not row.compared_to
    )
    keys = {
        ("lesion", "own", "", fixed.name): "own",
        VOLUME: "Volume (mL)",
        (fixed.region, "fixed", fixed.drawn_in, fixed.name): "fixed",
    }
    pure, volume = plots.plot_measures(app, patient, analysis.measurements, keys)
    assert (pure.GetYAxisTitle(), volume.GetYAxisTitle()) == ("", "mL")
    names = {series.GetName() for series in series_of(pure)}
    assert {"own", "fixed"} <= names and "Volume (mL)" not in names
    assert {series.GetName() for series in series_of(volume)} == {"Volume (mL)", "low", "high"}


def test_plotting_again_leaves_one_chart_and_no_waste(app, patient, analysis, phantom):
    before = phantom.node_ids(app.scene)
    plots.plot_measures(app, patient, analysis.measurements, TITLED | {SPHERICITY: "Sphericity"})
    plots.plot_measures(app, patient, analysis.measurements, TITLED)
    assert len(linked(patient_node(app.scene), Kind.PLOT)) == 5  # chart, table, three lines
    plots.remove_plots(app)
    assert phantom.node_ids(app.scene) == before
    assert read_scene(app.scene).messages == []


def test_no_layout_is_switched(app, patient, analysis):
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(app.scene)
    layout = logic.GetLayoutNode()
    layout.SetViewArrangement(layout.SlicerLayoutOneUpRedSliceView)
    view = app.scene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    (chart,) = plots.plot_measures(app, patient, analysis.measurements, TITLED)
    plots.show_chart(view, chart)
    assert view.GetPlotChartNodeID() == chart.GetID()
    assert layout.GetViewArrangement() == layout.SlicerLayoutOneUpRedSliceView
    plots.show_chart(view, None)
    assert not view.GetPlotChartNodeID()
    logic.SetMRMLScene(None)
