"""Numbers, dates and messages as people read them, against what was written by hand."""

import datetime
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.measures import Event, Measurement, Message, Patient, Visit
from PseudoProgressionAnalyzerLib.report import words


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1215.4, "1215"), (24.06, "24.1"), (0.03124, "0.0312"), (-2.345, "-2.35"), (0, "0"), (1e-5, "0.0000100")],
)
def test_three_digits_and_no_exponent(value, shown):
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ((24.06, 22.81, 25.64, "mL"), "24.1 mL (22.8 to 25.6)"),
        ((1.5, None, None, "1"), "1.50"),
        ((1.5, 1.234, None, "1"), "1.50 (at least 1.23)"),
        ((1.5, None, 2.0, "1"), "1.50 (at most 2.00)"),
    ],
)
def test_a_quantity_has_its_unit_and_interval(given, shown):
    assert words.quantity(*given) == shown


def test_a_change_has_its_sign():
    assert words.quantity(37.5, 12.0, 60.0, "%", sign=True) == "+37.5 % (12.0 to 60.0)"
    assert words.quantity(0.00676321, -4.0, 4.2, "%", sign=True) == "+0.0 % (-4.0 to 4.2)"
    assert words.quantity(-0.04, None, None, "%", sign=True) == "+0.0 %"
    assert words.quantity(0.00676321, None, None, "%") == "0.00676 %"  # of a value all digits count


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_stored_numbers_are_finite_and_right_to_six_digits(value):
    stored = words.finite(value)
    if math.isfinite(value):
        assert stored == pytest.approx(value, rel=1e-5)
    else:
        assert stored is None


def test_a_cleaned_measurement_holds_nothing_that_is_not_finite():
    row = Measurement("v", "lesion", "own", "v", "volume", 2.0, "mL", math.nan, math.inf)
    assert words.cleaned(row) == Measurement("v", "lesion", "own", "v", "volume", 2.0, "mL")
    lost = words.cleaned(Measurement("v", "lesion", "own", "v", "volume", math.nan, "mL", 1.0, 3.0))
    assert lost.value is None and [flag.code for flag in lost.flags] == ["value_not_finite"]


def test_days_are_told_from_the_end_of_radiotherapy():
    end = datetime.date(2020, 2, 24)
    patient = Patient("p", [], [Event("radiotherapy", datetime.date(2020, 1, 13), end)])
    assert words.day_words(patient, Visit("a", datetime.date(2020, 3, 2))) == "day 7 after radiotherapy"
    assert words.day_words(patient, Visit("a", datetime.date(2020, 2, 14))) == "10 days before the end of radiotherapy"
    assert words.day_words(patient, Visit("a", None)) == ""
    assert words.day_words(Patient("p", []), Visit("a", end)) == ""


def test_a_path_is_cut_to_study_and_file():
    message = Message("file_missing", {"file": str(Path("/data/Miller_Anna/2020-03-02/DSC.nii.gz"))})
    assert words.sentence(message).startswith("2020-03-02/DSC.nii.gz: there is no such file")
    assert words.shown_parameters(Message("file_missing", {"file": "/Miller_Anna/1.dcm"})) == {"file": "1.dcm"}


def test_parameters_become_what_json_knows():
    given = {
        "a": np.float32(1.5), "b": math.nan, "c": datetime.date(2020, 1, 2), "d": (1, np.int64(2)), "e": {"f": True},
        "g": Path("x/y"), "h": None, "i": "1/month",
    }  # fmt: skip
    assert words.shown_parameters(Message("code", given)) == {
        "a": 1.5, "b": None, "c": "2020-01-02", "d": [1, 2], "e": {"f": True}, "g": "x/y", "h": None, "i": "1/month",
    }  # fmt: skip


def test_a_label_falls_back_to_the_name():
    assert words.label("measure", "volume") == "Volume"
    assert words.label("measure", "something_new") == "something_new"


def test_a_visit_without_a_date_is_told_by_its_id():
    assert words.date_words(Visit("second", None)) == "second (date unknown)"
    assert words.date_words(Visit("second", datetime.date(2020, 3, 2))) == "2020-03-02"


def test_a_value_next_to_a_limit_has_one_more_decimal():
    assert words.quantity(1.052, None, None, "1", apart_from=[1.05]) == "1.052"
    assert words.quantity(1.052, 1.03, 1.07, "1", apart_from=[1.05, 2.0]) == "1.052 (1.030 to 1.070)"
    assert words.quantity(1.05, None, None, "1", apart_from=[1.05]) == "1.05"
    assert words.quantity(1.052, None, None, "1", apart_from=[1.06]) == "1.05"


def test_what_is_left_of_a_number_that_is_absent():
    def row(value, low, high, unit="1", compared_to=""):
        return Measurement("v", "lesion", "own", "v", "Cho_NAA_molar", value, unit, low, high, compared_to)

    assert words.bound(row(None, 0.4123, None)) == "> 0.412"
    assert words.bound(row(None, None, -12.04, "%", "a")) == "< -12.0 %"
    assert words.bound(row(None, 200.0, None, "%", "a")) == "> +200 %"
    assert words.bound(row(None, None, None)) == words.bound(row(1.0, 0.5, None)) == ""


def test_names_of_measures_that_hold_commas_are_told_apart():
    said = words.sentence(Message("no_criterion", {"measures": "Cho_Cr_molar, rCBV_ratio_p75"}))
    assert "for it: Cho/Cr, molar; rCBV ratio, 75th percentile." in said
