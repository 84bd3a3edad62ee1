"""Measurements in a table node: exact after saving, typed for plots, and safe for any text."""

import datetime
import math

import pytest

from PseudoProgressionAnalyzerLib.measures import Event, Measurement, Message, Patient, Visit
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.table import COLUMNS, NUMBERS, read_table, write_table

ODD = 'quote" comma, tab\tline\nhash# back\\slash percent% \u00e4'
PATIENT = Patient(
    "case",
    [Visit("a", datetime.date(2020, 1, 2)), Visit(ODD, None)],
    [Event("radiotherapy", None, datetime.date(2019, 12, 1))],
)
ROWS = [
    Measurement("a", ODD, "own", "a", "volume", 0.1 + 0.2, "mL", 1 / 3, None, flags=(Message(ODD, {"n": 1 / 7}),)),
    Measurement(ODD, "r", "fixed", "a", "rCBV_ratio_mean", None, "1", compared_to="a", method=ODD, reference=ODD),
    Measurement("a", "r", "fixed", "a", "volume", 123456.789012345, "mL"),
]


@pytest.fixture
def saved(app, tmp_path):
    node = app.scene.AddNewNodeByClass("vtkMRMLTableNode", "measurements")
    write_table(node, PATIENT, ROWS)
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    return other.scene.GetFirstNodeByName("measurements")


def test_every_number_and_text_survives_saving(saved):
    assert read_table(saved) == ROWS


def test_columns_are_those_of_the_csv_file_and_typed(saved):
    table = saved.GetTable()
    assert tuple(table.GetColumnName(n) for n in range(table.GetNumberOfColumns())) == COLUMNS
    for name in COLUMNS:
        assert ("Float64" in table.GetColumnByName(name).GetClassName()) == (name in NUMBERS)
    assert table.GetNumberOfRows() == len(ROWS)


def test_what_people_see_in_the_table(saved):
    table = saved.GetTable()
    assert table.GetColumnByName("day").GetValue(0) == 32
    assert math.isnan(table.GetColumnByName("day").GetValue(1))
    assert math.isnan(table.GetColumnByName("value").GetValue(1))
    # Slicer's text has six digits: that is why the exact numbers stand elsewhere
    assert table.GetColumnByName("value").GetValue(2) == pytest.approx(123456.789, rel=1e-5)
    assert table.GetColumnByName("value").GetValue(2) != 123456.789012345


def test_columns_are_those_of_the_report():
    report = pytest.importorskip("PseudoProgressionAnalyzerLib.report.measurements_csv")
    assert report.COLUMNS == COLUMNS


def test_writing_again_replaces(app):
    node = app.scene.AddNewNodeByClass("vtkMRMLTableNode", "measurements")
    write_table(node, PATIENT, ROWS)
    write_table(node, PATIENT, ROWS[:1])
    assert read_table(node) == ROWS[:1]
    assert node.GetTable().GetNumberOfRows() == 1
    write_table(node, PATIENT, [])
    assert read_table(node) == []
