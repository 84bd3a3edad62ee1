"""Only what was known by a visit: later data never change an earlier assessment."""

import datetime
import random
from dataclasses import replace

import pytest

from PseudoProgressionAnalyzerLib.assessment import assess_visit, why_not_assessed
from PseudoProgressionAnalyzerLib.assessment.as_of import known_by
from PseudoProgressionAnalyzerLib.measures import Event, InputError, Patient, Region, Series, Visit, goes_on

from .simple import BEFORE, DATES, EARLY, LATE, as_bytes, codes, measured, patient, said

DAY = datetime.timedelta(days=1)
ROWS = [
    measured("volume", 20.0, "mL"),
    measured("volume_percent", 80.0, "%", compared_to=BEFORE),
    measured("rCBV_ratio_mean", 1.1),
    measured("Cho_NAA_molar", 0.8),
]
EVENTS = [Event("dexamethasone", datetime.date(2020, 3, 1), details={"dose_mg_per_day": 4})]


def assessed(events=EVENTS, rows=ROWS, **changes):
    return as_bytes(assess_visit(patient(events, **changes), EARLY, rows))


LATER_EVENTS = [
    Event("biopsy", DATES[EARLY] + DAY, details={"viable_tumour_percent": 90}),
    Event("surgery", DATES[LATE]),
    Event("bevacizumab", DATES[EARLY] + DAY),
    Event("radiotherapy", DATES[LATE], DATES[LATE] + DAY),
    Event("dexamethasone", DATES[EARLY] + 20 * DAY, details={"dose_mg_per_day": 16}),
    Event("MGMT", DATES[LATE], details={"methylated": True}),
    Event("clinical_status", DATES[LATE], details={"status": "worse"}),
]
LATER_ROWS = [
    measured("volume", 5.0, "mL", LATE),
    measured("rCBV_ratio_mean", 9.0, visit=LATE),
    measured("rCBV_ratio_mean", 9.0, kind="fixed", drawn_in=LATE),
    measured("CBF_ratio_mean", 9.0, kind="fixed", drawn_in=LATE),
    measured("volume_percent", 300.0, "%", compared_to=LATE),
]


@pytest.mark.parametrize("event", LATER_EVENTS, ids=lambda event: event.kind)
def test_a_later_event_changes_no_byte(event):
    assert assessed([*EVENTS, event]) == assessed()


@pytest.mark.parametrize("row", LATER_ROWS, ids=lambda row: f"{row.name}-{row.kind}-{row.visit}")
def test_a_later_measurement_changes_no_byte(row):
    assert assessed(rows=[row, *ROWS]) == assessed()


def test_a_later_visit_changes_no_byte():
    without = {visit: DATES[visit] for visit in (BEFORE, EARLY)}
    assert assessed(dates=without) == assessed()
    moved = DATES | {LATE: DATES[LATE] + 100 * DAY, "later_still": DATES[LATE] + 200 * DAY}
    assert assessed(dates=moved) == assessed()


def test_the_later_end_of_an_event_changes_no_byte():
    begun = Event("bevacizumab", DATES[EARLY] - DAY)
    assert assessed([replace(begun, end=DATES[LATE])]) == assessed([begun])


@pytest.mark.parametrize("event", [event for event in LATER_EVENTS if event.kind not in ("surgery", "radiotherapy")])
def test_the_same_event_in_time_changes_it(event):
    known = replace(event, date=DATES[EARLY] - DAY)
    assert assessed([*EVENTS, known]) != assessed()


def test_the_same_measurement_in_time_changes_it():
    assert assessed(rows=[*ROWS, measured("CBF_ratio_mean", 9.0, kind="fixed", drawn_in=BEFORE)]) != assessed()


def test_the_order_of_the_input_changes_no_byte():
    events = [*EVENTS, Event("MGMT", None, details={"methylated": True}), Event("immunotherapy", DATES[BEFORE])]
    expected = assessed(events)
    for seed in range(5):
        shuffle = random.Random(seed)
        assert assessed(shuffle.sample(events, len(events)), shuffle.sample(ROWS, len(ROWS))) == expected


def test_visits_before_and_during_radiotherapy_have_a_reason():
    assert why_not_assessed(patient(), BEFORE).code == "visit_before_radiotherapy"
    assert why_not_assessed(patient(), EARLY) is None
    during = DATES | {BEFORE: datetime.date(2020, 3, 1)}
    assert why_not_assessed(patient(dates=during), BEFORE).code == "visit_during_radiotherapy"
    last_day = DATES | {BEFORE: datetime.date(2020, 3, 25)}
    assert why_not_assessed(patient(dates=last_day), BEFORE) is None
    with pytest.raises(InputError) as error:
        assess_visit(patient(), BEFORE, ROWS)
    assert error.value.message.code == "visit_before_radiotherapy"


def test_an_unknown_visit_is_an_error():
    with pytest.raises(InputError) as error:
        assess_visit(patient(), "no_such_visit", ROWS)
    assert error.value.message.code == "unknown_visit"


def test_days_count_from_the_first_course():
    again = Event("radiotherapy", DATES[EARLY] + 10 * DAY, DATES[EARLY] + 20 * DAY)
    known = known_by(patient([again]), LATE, [])
    assert known.day == 187
    assert "reirradiation" in codes(assess_visit(patient([again]), LATE, []).context)


def test_a_visit_without_a_date_knows_only_itself():
    dates = DATES | {EARLY: None}
    found = assess_visit(
        patient(EVENTS, dates=dates), EARLY, [*ROWS, measured("ADC_mean", 1.0, kind="fixed", drawn_in=BEFORE)]
    )
    assert "visit_undated" in codes(found.context)
    assert said(found.context, "prior_unknown")
    assert "given_dexamethasone" not in codes(found.context) and "lesion_growth" not in codes(found.context)
    assert {line.measurement.name for line in found.evidence} == {"rCBV_ratio_mean", "Cho_NAA_molar"}


def test_an_event_without_a_date_is_left_out_and_said():
    found = assess_visit(
        patient([Event("bevacizumab", None), Event("MGMT", None, details={"methylated": False})]), EARLY, ROWS
    )
    assert said(found.context, "event_undated").parameters == {"event": "bevacizumab"}
    assert said(found.context, "given_MGMT").parameters == {"state": "not methylated"}
    assert "given_bevacizumab" not in codes(found.context)


def test_unknown_radiotherapy_is_said_and_not_guessed():
    unknown = Patient("P", [Visit(EARLY, DATES[EARLY])], [], [Region("lesion", EARLY, "lesion", None)])
    found = assess_visit(unknown, EARLY, ROWS)
    assert {"radiotherapy_unknown", "prior_unknown"} <= set(codes(found.context))
    unended = Patient("P", unknown.visits, [Event("radiotherapy", datetime.date(2020, 2, 10))], unknown.regions)
    found = assess_visit(unended, EARLY, ROWS)
    assert {"radiotherapy_end_unknown", "prior_unknown"} <= set(codes(found.context))
    assert unended.radiotherapy_end is None and unended.day(unended.visits[0]) is None


def test_the_beginning_of_a_course_is_never_its_end():
    """Days count from the end of the first course alone: an unknown one is not that of the second."""
    begun = Event("radiotherapy", datetime.date(2020, 2, 10))
    again = Event("radiotherapy", datetime.date(2020, 8, 1), datetime.date(2020, 8, 20))
    events = [again, begun]
    unknown = Patient("P", [Visit(LATE, DATES[LATE])], events)
    assert unknown.radiotherapy_end is None and known_by(unknown, LATE, []).day is None
    single = Patient("P", unknown.visits, [again, replace(begun, end=begun.date)])
    assert single.day(single.visits[0]) == (DATES[LATE] - begun.date).days == known_by(single, LATE, []).day


def test_what_a_visit_during_radiotherapy_knows_is_that_it_had_not_ended():
    during = patient(dates=DATES | {BEFORE: datetime.date(2020, 3, 1)})
    known = known_by(during, BEFORE, [])
    (course,) = known.of_kind("radiotherapy")
    assert known.day is None and course.end is None and goes_on(course)
    of_then = replace(during, visits=[known.visit], events=list(known.events))
    assert of_then.radiotherapy_end is None and of_then.day(known.visit) is None
    assert why_not_assessed(of_then, BEFORE).code == "visit_radiotherapy_goes_on"
    assert not goes_on(replace(course, details={}))  # not stated: unknown


def test_a_changed_scanner_is_said():
    before, now, later = (
        Visit(name, DATES[name], [Series("DSC", None, {"MagneticFieldStrength": field, "EchoTime": 0.03})])
        for name, field in ((BEFORE, 1.5), (EARLY, 3.0), (LATE, 7.0))
    )
    found = assess_visit(replace(patient(), visits=[before, now, later]), EARLY, ROWS)
    changed = said(found.context, "acquired_otherwise").parameters
    assert changed == {
        "role": "DSC",
        "visit": EARLY,
        "since": BEFORE,
        "changes": "MagneticFieldStrength 1.5 to 3 T",
    }
