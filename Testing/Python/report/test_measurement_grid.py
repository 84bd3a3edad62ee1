"""The grid of measures by visits: where each number stands, and that own and fixed never share a row."""

import datetime

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.measures import Measurement, Message, Patient, Visit
from PseudoProgressionAnalyzerLib.report.measurement_grid import SIZE, Column, Measure, as_text, measurement_grid, topic

A, B, C = "2023-01-10", "2023-03-01", "2023-06-05"


def row(visit, name, value, unit="1", kind="own", low=None, high=None, compared_to="", drawn_in=None, flags=()):
    drawn = drawn_in or visit
    return Measurement(visit, "lesion", kind, drawn, name, value, unit, low, high, compared_to, flags=flags)


@pytest.fixture
def grid():
    patient = Patient("p", [Visit(day, datetime.date.fromisoformat(day)) for day in (A, B, C)])
    few = (Message("region_few_voxels", {"voxels": 2, "fewest": 5}),)
    rows = [
        row(A, "volume", 10.0, "mL", low=9.0, high=11.0),
        row(B, "volume", 15.0, "mL", low=14.0, high=16.0, flags=(Message("x"),)),
        row(C, "volume", None, "mL", flags=few),
        row(B, "volume", 5.0, "mL", compared_to=A),
        row(B, "volume_percent", 50.0, "%", low=30.0, high=70.0, compared_to=A),
        row(A, "rCBV_ratio_mean", 2.0),
        row(B, "rCBV_ratio_mean", 1.0, kind="fixed", drawn_in=A),
        row(B, "rCBV_ratio_mean", -1.0, kind="fixed", drawn_in=A, compared_to=A),
        row(C, "rCBV_ratio_mean", float("nan"), kind="fixed", drawn_in=A),
    ]
    return measurement_grid(patient, rows)


def texts_of(grid, measure):
    return [cell.text for cell in grid.cells[grid.measures.index(measure)]]


def test_columns_are_visits_with_their_changes(grid):
    assert grid.columns == [
        Column(A, False), Column(B, False), Column(B, True), Column(C, False), Column(C, True)
    ]  # fmt: skip
    assert all(len(cells) == 5 for cells in grid.cells)


def test_values_changes_intervals_and_flags(grid):
    volume = Measure("lesion", "own", "", "volume", "mL")
    assert texts_of(grid, volume) == [
        "10.0 (9.0 to 11.0)", "15.0 (14.0 to 16.0) *", "+50.0 % (30.0 to 70.0)", "not measured", ""
    ]  # fmt: skip


def test_a_change_with_a_remark_carries_the_star():
    patient = Patient("p", [Visit(day, datetime.date.fromisoformat(day)) for day in (A, B)])
    within = (Message("change_within_repeatability", {"coefficient": 1.78, "source": "Prah 2015, AJNR"}),)
    rows = [
        row(A, "rCBV_ratio_mean", 2.0),
        row(B, "rCBV_ratio_mean", 1.0),
        row(B, "rCBV_ratio_mean_percent", -50.0, "%", compared_to=A, flags=within),
    ]
    change = measurement_grid(patient, rows).cells[0][2]
    assert (change.text, change.short) == ("-50.0 % *", "-50.0 % *")


def test_own_and_fixed_are_rows_of_their_own(grid):
    assert texts_of(grid, Measure("lesion", "own", "", "rCBV_ratio_mean", "1")) == ["2.00", "", "", "", ""]
    fixed = texts_of(grid, Measure("lesion", "fixed", A, "rCBV_ratio_mean", "1"))
    assert fixed == ["", "1.00", "-1.00", "not measured", ""]


def test_the_reason_of_what_is_absent_is_there(grid):
    cells = grid.cells[grid.measures.index(Measure("lesion", "own", "", "volume", "mL"))]
    assert [flag.code for flag in cells[3].rows[0].flags] == ["region_few_voxels"]


def test_text_for_a_spreadsheet():
    assert as_text(["a", "b"], [["1\t2", "x\ny"]]) == "a\tb\n1 2\tx y\n"


def test_short_cells_have_no_interval(grid):
    volume = [cell.short for cell in grid.cells[grid.measures.index(Measure("lesion", "own", "", "volume", "mL"))]]
    assert volume == ["10.0", "15.0 *", "+50.0 %", "-", ""]


def test_short_changes_fit_a_column():
    """Three digits; the unit stands with the measure."""
    patient = Patient("p", [Visit(day, datetime.date.fromisoformat(day)) for day in (A, B)])
    rows = [row(A, "K2_mean", 0.01, "1/s"), row(B, "K2_mean", 0.01676321, "1/s"),
            row(B, "K2_mean", 0.00676321, "1/s", compared_to=A)]  # fmt: skip
    ((_, _, change),) = measurement_grid(patient, rows).cells
    assert (change.short, change.text) == ("+0.00676", "+0.00676 1/s")


def test_every_measure_that_has_words_has_its_topic():
    names = [code.removeprefix("report_measure_") for code in texts.catalogue() if code.startswith("report_measure_")]
    size = {name for name in names if topic(name) == SIZE}
    assert not [name for name in size if any(part in name for part in ("CBV", "CBF", "Cho", "NAA", "ADC", "APT"))]
    assert {"volume", "longest_diameter", "sphericity", "sum_of_products"} <= size
    assert (topic("rCBV_ratio_mean"), topic("PRM_increased")) == ("perfusion", "perfusion")
    assert (topic("Cho_NAA_molar_mean_spectrum"), topic("ADC_mean")) == ("spectroscopy", "diffusion")


def test_bounds_stand_where_there_is_no_value():
    """NAA was lost at the second visit: at least so much, and at least that much more than before."""
    patient = Patient("p", [Visit(day, datetime.date.fromisoformat(day)) for day in (A, B)])
    rows = [
        row(A, "Cho_NAA_molar", 0.5, low=0.4, high=0.6),
        row(B, "Cho_NAA_molar", None, low=1.8),
        row(B, "Cho_NAA_molar", None, low=1.2, compared_to=A),
        row(B, "Cho_NAA_molar_percent", None, "%", low=200.0, compared_to=A),
    ]
    ((_, value, change),) = measurement_grid(patient, rows).cells
    assert (value.text, value.short, change.text, change.short) == ("> 1.80", "> 1.80", "> +200 %", "> +200 %")
