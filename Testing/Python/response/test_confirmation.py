"""Confirmation and back-dating: what later scans make of a category."""

import dataclasses

import pytest

from PseudoProgressionAnalyzerLib.response import SteroidDose

from .simple import codes, course, final, lesion, of_area, on_day, provisional, verdicts, visit

NAME = "RANO_2.0"


def inside(*later):
    """1000 mm2 inside the field at the baseline on day 28, then (name, day, area) or (name, day, area, details)."""

    def at_day(name, day, area, details=None):
        return visit(name, day / 7, *([of_area("A", area, field="inside")] if area else []), **(details or {}))

    return course(at_day("baseline", 28, 1000), *(at_day(*entry) for entry in later))


def test_further_growth_confirms_and_dates_back():
    """3.42, 3.44 (S1): a further 25 % over the preliminary scan; the date is that of the first scan."""
    found = verdicts(inside(("first", 60, 1300), ("second", 95, 1700)), NAME)
    assert found["first"].category == "preliminary_PD"
    assert (found["first"].final_category, found["first"].final[0].dated) == ("PD", "first")
    assert (found["second"].category, found["second"].final[0].dated) == ("PD", "second")


def test_without_further_growth_it_is_pseudoprogression():
    """3.43 (S1): smaller at the confirming scan; outcome of the earlier visit, which stays preliminary as of itself."""
    found = verdicts(inside(("first", 60, 1300), ("second", 95, 1100)), NAME)
    assert (found["first"].category, found["first"].final_category) == ("preliminary_PD", "pseudoprogression")
    assert found["second"].category == "SD"


def test_the_meaning_of_confirmed_is_shown_where_it_matters():
    """10.4: "further" growth is read (S1); "still above the limit" is recalled only, off, and shown with its result."""
    patient = inside(("first", 60, 1300), ("second", 90, 1350))
    verdict = verdicts(patient, NAME)["first"]
    assert verdict.final_category == "pseudoprogression"
    recalled = next(message for message in verdict.notes if message.code == "response_recalled")
    assert recalled.parameters == {"rule": "10.4", "categories": "PD"}
    assert final(patient, NAME, recalled=frozenset({"10.4"}))["first"] == ("PD",)


def test_growth_after_an_unconfirmed_progression_has_two_readings():
    """3.43 (S1) says that the trial continues, not against which scan growth counts then: both are shown."""
    patient = inside(("first", 60, 1300), ("second", 95, 1350))
    verdict = verdicts(patient, NAME)["second"]
    assert verdict.possible == ("SD", "PD")
    assert "response_depends_on_after_unconfirmed" in codes(verdict)
    assert provisional(patient, NAME, after_unconfirmed="nadir")["second"] == ("PD",)
    assert provisional(patient, NAME, after_unconfirmed="preliminary")["second"] == ("SD",)
    regrown = inside(("first", 60, 1300), ("second", 95, 1350), ("third", 150, 1700))
    assert provisional(regrown, NAME)["third"] == ("PD",)


@pytest.mark.parametrize(("gap", "expected"), [(27, "preliminary_PD"), (28, "PD"), (29, "PD")])
def test_a_confirming_scan_is_at_least_four_weeks_away(gap, expected):
    """3.41 (S1), 10.5: at least 28 days; exactly 28 are flagged."""
    verdict = verdicts(inside(("first", 50, 1300), ("second", 50 + gap, 1700)), NAME)["first"]
    assert verdict.final_category == expected
    assert ("response_exactly_four_weeks" in codes(verdict)) is (gap == 28)


def test_no_scan_after_an_operation_confirms():
    """9.4 (S19)."""
    patient = inside(("first", 60, 1300), ("second", 95, 1700, {"surgery": on_day(80)}))
    assert final(patient, NAME)["first"] == ("preliminary_PD",)
    response = inside(("first", 120, 300), ("second", 160, 300, {"surgery": on_day(130)}))
    assert final(response, NAME)["first"] == ("SD",)


def test_an_unknown_size_leaves_confirmation_open():
    patient = inside(("first", 60, 1300), ("second", 95, 1700))
    unmeasured = dataclasses.replace(
        patient.visits[2], lesions=(dataclasses.replace(patient.visits[2].lesions[0], longest=None, volume=None),)
    )
    patient = dataclasses.replace(patient, visits=(*patient.visits[:2], unmeasured))
    assert set(final(patient, NAME)["first"]) == {"PD", "pseudoprogression"}


def test_decline_speaks_against_pseudoprogression():
    """Not confirmed in size, but worse from the tumour: no source says which counts, so that both stay."""
    patient = inside(("first", 60, 1300), ("second", 95, 1100, {"clinical": "worse", "from_tumour": True}))
    verdict = verdicts(patient, NAME)["first"]
    assert {option.category for option in verdict.final} == {"PD", "pseudoprogression"}
    assert "response_not_confirmed_but_worse" in codes(verdict)


def test_a_response_is_confirmed_by_an_earlier_scan_too():
    """3.29 (S1): the last of two scans with response 4 weeks apart has held it."""
    patient = inside(("first", 120, 300), ("second", 150, 300))
    assert final(patient, NAME) == {"baseline": ("baseline",), "first": ("PR",), "second": ("PR",)}
    broken = inside(("first", 120, 300), ("between", 135, 700), ("second", 150, 300))
    assert final(broken, NAME)["first"] == ("SD",)


def test_a_complete_response_may_be_held_as_a_partial_one():
    patient = inside(("gone", 120, 0), ("back", 155, 100))
    assert provisional(patient, NAME)["gone"] == ("CR",)
    assert "CR" not in final(patient, NAME)["gone"]
    held = inside(("first", 120, 300), ("gone", 155, 0))
    assert final(held, NAME)["first"] == ("PR",)
    assert final(held, NAME)["gone"] == ("PR",)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ((), {"not_assignable_steroid"}),
        ((("still", 20, 6),), {"not_assignable_steroid"}),
        ((("unknown", 20, None),), {"not_assignable_steroid", "SD"}),
        ((("back", 20, 2),), {"SD"}),
        ((("lower", 20, 1),), {"SD"}),
    ],
)
def test_a_raised_steroid_dose_is_settled_by_what_follows(later, expected):
    """3.31, 3.32 (S2)."""

    def dosed(name, week, dose):
        return visit(name, week, lesion("A", 20), steroid=None if dose is None else SteroidDose(dose))

    patient = course(dosed("baseline", 4, 2), dosed("raised", 16, 6), *(dosed(*entry) for entry in later))
    assert set(final(patient, NAME)["raised"]) == expected


def test_progression_after_the_dose_was_lowered_is_not_dated_back():
    """3.33 (S2): only deterioration while the dose is still raised goes back to the first increase."""
    decline = {"clinical": "worse", "from_tumour": True}
    patient = course(
        visit("baseline", 4, lesion("A", 20), steroid=SteroidDose(2)),
        visit("raised", 16, lesion("A", 20), steroid=SteroidDose(6)),
        visit("back", 22, lesion("A", 20), steroid=SteroidDose(2)),
        visit("worse", 30, lesion("A", 20), steroid=SteroidDose(2), **decline),
    )
    assert final(patient, NAME)["raised"] == ("SD",)
