"""Confounders: asked for, shown, and never taken as absent."""

import datetime

import pytest

from PseudoProgressionAnalyzerLib.assessment import assess_visit
from PseudoProgressionAnalyzerLib.measures import Event

from .simple import BEFORE, DATES, EARLY, LATE, codes, measured, patient, said

ALL = {
    "bevacizumab", "dexamethasone", "immunotherapy", "clinical_status", "MGMT", "IDH", "surgery_after_radiotherapy",
    "biopsy_after_radiotherapy", "reirradiation",
}  # fmt: skip


def judged(*events, visit=EARLY):
    return assess_visit(patient(events), visit, [measured("Cho_NAA_molar", 3.0, visit=visit)])


def asked(found):
    return {message.parameters["event"] for message in found.missing if message.code == "not_stated"}


def dose(date, milligrams, end=None):
    return Event("dexamethasone", date, end, {"dose_mg_per_day": milligrams})


def test_every_confounder_is_asked_for():
    assert asked(judged()) == ALL


@pytest.mark.parametrize(
    "event",
    [
        Event("bevacizumab", DATES[EARLY]),
        Event("immunotherapy", DATES[EARLY]),
        Event("surgery", DATES[EARLY]),
        Event("biopsy", DATES[EARLY]),
        Event("clinical_status", DATES[EARLY], details={"status": "stable"}),
        Event("MGMT", None),
        dose(DATES[EARLY], 4),
    ],
    ids=lambda event: event.kind,
)
def test_what_is_stated_is_shown_and_not_asked_for(event):
    found = judged(event)
    assert asked(found) == ALL - {event.kind, f"{event.kind}_after_radiotherapy"}
    assert len(found.context) > len(judged().context)


def test_what_came_before_radiotherapy_is_no_answer():
    assert "biopsy_after_radiotherapy" in asked(judged(Event("biopsy", DATES[BEFORE])))


def test_another_course_of_radiotherapy_is_said():
    found = judged(Event("radiotherapy", datetime.date(2020, 8, 1), datetime.date(2020, 8, 10)), visit=LATE)
    assert said(found.context, "reirradiation").parameters == {"date": "2020-08-01"}
    assert "reirradiation" not in asked(found)


@pytest.mark.parametrize(
    ("before", "now", "code"), [(4, 8, "steroid_rising"), (8, 2, "steroid_falling"), (4, 4, "steroid_steady")]
)
def test_a_change_of_steroids_is_told_between_visits(before, now, code):
    found = judged(dose(DATES[BEFORE], before), dose(DATES[EARLY], now))
    assert said(found.context, code).parameters == {"then": str(before), "now": str(now), "visit": BEFORE}
    assert ("early_decline" in codes(found.context)) == (now > before)
    assert "steroid_change_unknown" not in codes(found.missing)


def test_an_unknown_dose_is_not_a_dose_of_zero():
    found = judged(dose(DATES[EARLY], 8))
    assert said(found.context, "steroid_dose").parameters == {"now": "8"}
    assert said(found.missing, "steroid_change_unknown").parameters == {"visit": BEFORE}
    ended = judged(dose(DATES[BEFORE], 4, datetime.date(2020, 1, 20)))
    assert "given_dexamethasone" in codes(ended.context) and "steroid_dose" not in codes(ended.context)


def test_published_notes_stand_only_where_they_are_about_this_patient():
    worse = Event("clinical_status", DATES[EARLY], details={"status": "worse"})
    methylated = Event("MGMT", None, details={"methylated": True})
    early, late = judged(worse, methylated), judged(worse, methylated, visit=LATE)
    assert {"early_decline", "early_methylation"} <= set(codes(early.context))
    assert not {"early_decline", "early_methylation"} & set(codes(late.context))
    stable = Event("clinical_status", DATES[EARLY], details={"status": "stable"})
    assert "early_decline" not in codes(judged(stable).context)


@pytest.mark.parametrize(
    ("percent", "low", "high", "said_so"), [(-70, -75, -60, True), (-5, -15, 5, False), (80, 60, 99, False)]
)
def test_the_prior_of_growing_lesions_is_questioned_where_the_lesion_shrank(percent, low, high, said_so):
    row = measured("volume_percent", percent, "%", compared_to=BEFORE, low=low, high=high)
    found = assess_visit(patient(), EARLY, [measured("volume", 5.0, "mL"), row])
    assert ("prior_of_growing_lesions" in codes(found.context)) == said_so
