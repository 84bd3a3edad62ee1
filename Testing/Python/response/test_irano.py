"""iRANO, as far as it was read (section 5)."""

import dataclasses
import datetime

import pytest

from .simple import codes, course, final, lesion, of_area, on_day, postoperative, provisional, verdicts, visit

NAME = "iRANO"
START = 281


def treated(day, *lesions, **details):
    return course(
        postoperative(of_area("A", 400)), visit("first", 4, of_area("A", 400)), visit("before", 40, of_area("A", 400)),
        visit("later", day / 7, *lesions, **details), immunotherapy=True, immunotherapy_start=on_day(START),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lesions", "details", "expected"),
    [
        ([of_area("A", 600)], {}, "preliminary_PD"),  # 5.1 (S12)
        ([of_area("A", 400), lesion("B", 12)], {}, "preliminary_PD"),  # 5.3 (S12)
        ([of_area("A", 600)], {"clinical": "worse", "from_tumour": True}, "PD"),  # 5.2 (S12)
        ([of_area("A", 600)], {"clinical": "worse", "from_tumour": False}, "preliminary_PD"),
        ([of_area("A", 400)], {"failed_to_return": True}, "PD"),
        ([of_area("A", 400)], {}, "SD"),
        ([of_area("A", 100)], {}, "PR"),
    ],
)
def test_within_six_months(lesions, details, expected):
    assert provisional(treated(START + 90, *lesions, **details), NAME)["later"] == (expected,)


def test_six_months_are_counted_by_the_calendar():
    """5.1 (S12): within 6 months of the start."""
    end = (on_day(START) + datetime.timedelta(days=184)).month
    assert end != on_day(START).month
    last = next(
        day for day in range(START + 170, START + 200)
        if provisional(treated(day + 1, of_area("A", 600)), NAME)["later"] == ("not_verified",)
    )  # fmt: skip
    months = (on_day(last).year - on_day(START).year) * 12 + on_day(last).month - on_day(START).month
    assert (months, on_day(last).day) == (6, on_day(START).day)


def test_after_six_months_the_rule_is_recalled_and_off():
    """5.7 (recalled): not verified until the user switches it on."""
    patient = treated(START + 300, of_area("A", 600))
    assert provisional(patient, NAME)["later"] == ("not_verified",)
    assert provisional(patient, NAME, recalled=frozenset({"5.7"}))["later"] == ("PD",)


def test_confirmation_is_not_read():
    """5.6 (recalled): when and against what the follow-up scan is read stays open."""
    patient = treated(START + 60, of_area("A", 600))
    patient = dataclasses.replace(patient, visits=(*patient.visits, visit("follow-up", 56, of_area("A", 900))))
    verdict = verdicts(patient, NAME)["later"]
    assert final(patient, NAME)["later"] == ("preliminary_PD",)
    assert "response_confirmation_not_read" in codes(verdict)


def test_without_immunotherapy_it_does_not_apply():
    patient = treated(START + 60, of_area("A", 600))
    for given in (None, False):
        without = dataclasses.replace(patient, immunotherapy=given)
        assert provisional(without, NAME)["later"] == ("not_applicable",)
    assert provisional(patient, NAME)["before"] == ("not_applicable",)


def test_an_unknown_start_leaves_both_open():
    patient = dataclasses.replace(treated(START + 60, of_area("A", 600)), immunotherapy_start=None)
    assert provisional(patient, NAME)["later"] == ("preliminary_PD", "not_verified")


def test_the_baseline_is_post_operative():
    """5.5 (S1): as RANO 2010."""
    verdict = verdicts(treated(START + 60, of_area("A", 400)), NAME)["later"]
    assert (verdict.baseline, verdict.nadir) == ("post-op", "first")
