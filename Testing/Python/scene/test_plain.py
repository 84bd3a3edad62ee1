"""Words as JSON and back: equal in every number, for any text and any float."""

import datetime
import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.measures import (
    Assessment,
    Criterion,
    Event,
    Evidence,
    Measurement,
    Message,
    Patient,
    Region,
    Series,
    Visit,
)
from PseudoProgressionAnalyzerLib.scene.plain import from_plain, to_plain

numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.none() | st.booleans() | st.integers() | numbers | st.text()
messages = st.builds(Message, st.text(), st.dictionaries(st.text(), json_values))
dates = st.dates()
paths = st.sampled_from([Path("a/b.nii.gz"), Path("/c d/e.nrrd"), Path()])
details = st.dictionaries(st.text(), json_values | st.lists(json_values))
patients = st.builds(
    Patient,
    st.text(),
    st.lists(
        st.builds(
            Visit,
            st.text(),
            st.none() | dates,
            st.lists(st.builds(Series, st.text(), paths, details, numbers, st.none() | messages), max_size=2),
            st.lists(messages, max_size=2),
        ),
        max_size=2,
    ),
    st.lists(st.builds(Event, st.text(), st.none() | dates, st.none() | dates, details), max_size=2),
    st.lists(
        st.builds(Region, st.text(), st.text(), st.text(), paths, st.none() | st.integers(), st.booleans()), max_size=2
    ),
    st.lists(messages, max_size=1),
)
measurements = st.builds(
    Measurement,
    st.text(),
    st.text(),
    st.sampled_from(["own", "fixed"]),
    st.text(),
    st.text(),
    st.none() | numbers,
    st.text(),
    st.none() | numbers,
    st.none() | numbers,
    flags=st.lists(messages, max_size=2).map(tuple),
)


def through(kind, value):
    return from_plain(kind, json.loads(json.dumps(to_plain(value), allow_nan=False)))


@given(patients)
def test_patient(patient):
    assert through(Patient, patient) == patient


@given(st.lists(measurements, max_size=3))
def test_measurements(rows):
    assert through(list[Measurement], rows) == rows


@given(numbers, measurements)
def test_assessment(number, measurement):
    criterion = Criterion(
        "id", "perfusion", "rCBV_ratio_mean", "1", "mean", "high", number, 0.9, 0.8, (0.7, 1.0), None, 10, None,
        (None, 90), "p", "c", "d", "verified",
    )  # fmt: skip
    evidence = Evidence(criterion, measurement, number, None, -number, False, (Message("a"), Message("b", {"c": 1})))
    assessment = Assessment("v", "mixed", (0.1, number, 0.3), None, (evidence,), (), (Message("m"),), None, "set")
    assert through(Assessment, assessment) == assessment


def test_a_changed_number_is_seen():
    row = Measurement("v", "r", "own", "v", "volume", 0.1 + 0.2, "mL")
    assert through(Measurement, row).value == 0.1 + 0.2
    assert through(Measurement, row).value != 0.3


def test_dates_and_containers():
    assert through(dict[str, tuple[Message, ...]], {"v": (Message("a"),)}) == {"v": (Message("a"),)}
    assert through(datetime.date | None, datetime.date(2020, 2, 29)) == datetime.date(2020, 2, 29)


def test_numbers_that_are_not_finite_are_absent():
    values = to_plain({"curve": np.array([1.0, np.nan, np.inf]), "number": np.float32("nan")})
    assert values == {"curve": [1.0, None, None], "number": None}
    assert np.isnan(np.array(values["curve"], dtype=float)).tolist() == [False, True, True]
