"""measurements.csv as DESIGN.md promises it, and back."""

import datetime
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.measures import InputError, Measurement, Message, Patient, Visit
from PseudoProgressionAnalyzerLib.report import measurements_csv

PATIENT = Patient("P1", [Visit("v1", datetime.date(2020, 3, 2)), Visit("v2", None)])


def row(**fields):
    given = {
        "visit": "v1",
        "region": "lesion",
        "kind": "own",
        "drawn_in": "v1",
        "name": "volume",
        "value": 24.0,
        "unit": "mL",
    }
    return Measurement(**(given | fields))


def written(tmp_path, *rows):
    path = tmp_path / "measurements.csv"
    measurements_csv.write(PATIENT, list(rows), path)
    return path


def test_the_table_is_what_was_promised():
    flags = (Message("few", {"voxels": 3}), Message("dark"))
    rows = [
        row(value=24.06123456, low=22.5, high=None, method="voxels, counted", flags=flags),
        row(visit="v2", kind="fixed", value=None, compared_to="v1"),
    ]
    assert measurements_csv.text(PATIENT, rows) == (
        "# For research and teaching. Not for clinical use.\n"
        "patient,visit,date,day,compared_to,region,kind,drawn_in,name,value,low,high,unit,reference,method,flags\n"
        'P1,v1,2020-03-02,,,lesion,own,v1,volume,24.0612,22.5,,mL,,"voxels, counted",few;dark\n'
        "P1,v2,,,v1,lesion,fixed,v1,volume,,,,mL,,,\n"
    )


def test_what_is_not_finite_is_absent_with_a_flag(tmp_path):
    path = written(tmp_path, row(value=math.nan, low=-math.inf, high=math.inf))
    (back,) = measurements_csv.read(path)
    assert (back.value, back.low, back.high) == (None, None, None)
    assert [flag.code for flag in back.flags] == ["value_not_finite"]
    assert "nan" not in path.read_text().lower()


texts_ = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
numbers = st.none() | st.floats(-1e9, 1e9).map(lambda value: float(f"{value:.6g}"))
rows_ = st.builds(
    Measurement,
    visit=st.sampled_from(["v1", "v2"]), region=texts_, kind=st.sampled_from(["own", "fixed"]), drawn_in=texts_,
    name=texts_, value=numbers, unit=texts_, low=numbers, high=numbers, compared_to=texts_, reference=texts_,
    method=texts_, flags=st.lists(st.from_regex(r"[a-z_]{1,9}", fullmatch=True).map(Message), max_size=3).map(tuple),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(rows_, max_size=4))
def test_a_table_comes_back_as_it_was(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "measurements.csv"
    measurements_csv.write(PATIENT, rows, path)
    assert measurements_csv.read(path) == rows


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.split("\n", 1)[1], "table_not_measurements"),
        (lambda text: text.replace("drawn_in", "drawn"), "table_not_measurements"),
        (lambda text: text.replace("24", "24,5"), "table_row"),
        (lambda text: text.replace("24", "nan"), "table_row"),
        (lambda text: text.replace("24", "many"), "table_row"),
        (lambda text: text.replace(",own,", ",mine,"), "table_row"),
    ],
)
def test_another_table_is_refused_by_name_and_line(tmp_path, change, code):
    path = written(tmp_path, row())
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError) as refused:
        measurements_csv.read(path)
    assert refused.value.message.code == code
    if code == "table_row":
        assert refused.value.message.parameters["line"] == 3


def test_a_missing_file_and_other_bytes_are_named(tmp_path):
    path = tmp_path / "measurements.csv"
    with pytest.raises(InputError) as refused:
        measurements_csv.read(path)
    assert refused.value.message.code == "file_missing"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError) as refused:
        measurements_csv.read(path)
    assert refused.value.message.code == "table_not_text"
