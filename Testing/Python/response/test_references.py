"""Baseline and nadir by each criterion's policy, with what lies outside its window."""

import pytest

from PseudoProgressionAnalyzerLib.response import SteroidDose, what_if
from PseudoProgressionAnalyzerLib.response.references import (
    POST_OPERATIVE,
    POST_RADIOTHERAPY,
    Reference,
    references,
)

from .simple import course, final, lesion, of_area, on_day, postoperative, provisional, verdicts, visit


def of(patient, at, policy=POST_RADIOTHERAPY, stated=None):
    return references(patient, patient.visits, at, policy, stated)


def code(found):
    return [message.code for message in found.messages]


def test_baseline_after_radiotherapy():
    """2.1 (S11), 3.1 (S1): the scan 21 to 35 days after radiotherapy; scans before it are not scored."""
    patient = course(postoperative(), visit("early", 1), visit("window", 4), visit("later", 12))
    assert of(patient, 0).state == "before_baseline"
    assert of(patient, 3).candidates == (Reference(2, 2),)
    assert code(of(patient, 3)) == ["response_baseline_post_radiotherapy"]
    assert final(patient, "RANO_2.0")["early"] == ("before_baseline",)


@pytest.mark.parametrize(("day", "outside"), [(21, 0), (35, 0), (20, 1), (36, 1), (80, 45)])
def test_a_baseline_outside_the_window_says_by_how_much(day, outside):
    """10.9: by how many days."""
    patient = course(visit("baseline", day / 7), visit("later", 40))
    message = of(patient, 1).messages[0]
    assert message.parameters["outside"] == outside
    assert message.code == ("response_baseline_outside_window" if outside else "response_baseline_post_radiotherapy")


def test_baseline_after_the_operation():
    """1.7 (S7, S1), 5.5 (S1): within 72 hours of the operation, before radiotherapy."""
    patient = course(postoperative(), visit("first", 4), visit("later", 20))
    assert of(patient, 1, POST_OPERATIVE).candidates == (Reference(0, 0),)
    assert code(of(patient, 1, POST_OPERATIVE)) == ["response_baseline_post_operative"]
    late = course(postoperative(surgery=on_day(-80)), visit("first", 4))
    assert code(of(late, 1, POST_OPERATIVE)) == ["response_baseline_late_after_operation"]
    missing = course(visit("first", 4), visit("later", 20))
    assert code(of(missing, 1, POST_OPERATIVE)) == ["response_baseline_not_post_operative"]


def test_rano_2010_compares_late_growth_with_the_first_scan_after_radiotherapy():
    """1.36 (S3): from 12 weeks on, +25 % over the first scan after radiotherapy or a smaller later one."""
    patient = course(postoperative(), visit("first", 4), visit("11 weeks", 11), visit("12 weeks", 12))
    assert of(patient, 2, POST_OPERATIVE).candidates == (Reference(0, 0),)
    assert of(patient, 3, POST_OPERATIVE).candidates == (Reference(0, 1),)
    grown = course(
        postoperative(of_area("A", 200)), visit("first", 4, of_area("A", 400)), visit("later", 20, of_area("A", 480))
    )
    assert verdicts(grown, "RANO_2010")["later"].nadir == "first"
    assert provisional(grown, "RANO_2010")["later"] == ("SD",)


def test_baseline_before_another_treatment():
    """3.2, 3.3 (S1): the last scan, at most 14 days before the start."""
    patient = course(visit("old", 20), visit("before", 40), visit("after", 48), treatment_start=on_day(40 * 7 + 10))
    assert of(patient, 2).candidates == (Reference(1, 1),)
    assert code(of(patient, 2)) == ["response_baseline_before_treatment"]
    late = course(visit("before", 40), visit("after", 48), treatment_start=on_day(40 * 7 + 15))
    assert code(of(late, 1)) == ["response_baseline_not_before_treatment"]


def test_an_operation_after_radiotherapy_resets_both_references():
    """9.4 (S19): the first scan after it is the reference; a chosen baseline before it holds no longer."""
    patient = course(visit("baseline", 4), visit("reoperated", 30, surgery=on_day(205)), visit("later", 40))
    assert of(patient, 1).state == "baseline"
    assert of(patient, 2).candidates == (Reference(1, 1),)
    found = of(patient, 2, stated="baseline")
    assert found.candidates == (Reference(1, 1),)
    assert "response_baseline_void" in code(found)


def test_unknown_radiotherapy_tries_every_earlier_scan():
    """10.9, 10.20: the end of radiotherapy is unknown: results with each candidate, and it is listed as missing."""
    patient = course(
        visit("V0", 4, of_area("A", 1000)), visit("V1", 20, of_area("A", 400)), visit("V2", 30, of_area("A", 420)),
        radiotherapy_ends=None,
    )  # fmt: skip
    assert {entry.baseline for entry in of(patient, 2).candidates} == {0, 1}
    found = verdicts(patient, "RANO_2.0")["V2"]
    assert set(found.possible) == {"PR", "SD"}
    assert "response_unknown_radiotherapy_end" in [message.code for message in found.unknowns]
    assert provisional(patient, "RANO_2.0", baseline="V1")["V2"] == ("SD",)


def test_what_if_over_baselines():
    """10.9: the result with each candidate."""
    patient = course(
        postoperative(of_area("A", 900)), visit("V1", 4, of_area("A", 300)), visit("V2", 20, of_area("A", 330))
    )
    found = {baseline: responses[2].area.possible for baseline, responses in what_if(patient, "RANO_2.0").items()}
    assert found == {"post-op": ("PR",), "V1": ("SD",)}


def test_no_radiotherapy_at_all():
    patient = course(visit("first", 4, lesion("A", 20)), visit("later", 8, lesion("A", 30)), radiotherapy_ends=())
    found = verdicts(patient, "RANO_2.0")["later"]
    assert (found.baseline, found.category) == ("first", "PD")


def test_an_undated_visit_is_not_placed():
    """It gets no category, and as it may be the nadir growth is only known where it is certain."""
    hidden = course(
        visit("V0", 4, of_area("A", 1000)), visit("V1", 20, of_area("A", 1000)), visit("V2", 30, of_area("A", 1000))
    )
    visits = (hidden.visits[0], type(hidden.visits[1])("V1", None), hidden.visits[2])
    patient = type(hidden)(visits, radiotherapy_ends=hidden.radiotherapy_ends)
    found = provisional(patient, "RANO_2.0")
    assert found["V1"] == ("undated",)
    assert set(found["V2"]) == {"SD", "PD"}


def test_the_reference_dose_is_that_of_the_baseline():
    """1.11 (S4): the dose at the scan is compared with that of the baseline scan."""
    patient = course(
        visit("baseline", 4, of_area("A", 1000), steroid=SteroidDose(4)),
        visit("less", 20, of_area("A", 400), steroid=SteroidDose(4)),
        visit("more", 30, of_area("A", 400), steroid=SteroidDose(6)),
    )
    found = provisional(patient, "RANO_2.0")
    assert (found["less"], found["more"]) == (("PR",), ("not_assignable_steroid",))
