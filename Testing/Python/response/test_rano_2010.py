"""RANO 2010, rule by rule (sections 1 and 1b); each test names the rule and its source."""

import dataclasses

import pytest

from PseudoProgressionAnalyzerLib.response import SteroidDose

from .simple import codes, course, final, lesion, of_area, postoperative, provisional, verdicts, visit

NAME = "RANO_2010"


def late(area, *others, **details):
    """400 mm2 after the operation and 4 weeks after radiotherapy, then another area at 20 weeks."""
    lesions = [of_area("A", area), *others] if area else others
    return course(
        postoperative(of_area("A", 400)), visit("first", 4, of_area("A", 400)), visit("later", 20, *lesions, **details)
    )


def later(patient, **settings):
    return provisional(patient, NAME, **settings)["later"]


@pytest.mark.parametrize(
    ("area", "expected"),
    [(0, "CR"), (190, "PR"), (210, "SD"), (400, "SD"), (490, "SD"), (510, "PD")],
)
def test_change_of_size(area, expected):
    """1.8, 1.10 (S4), 1.13 (S4), 1.15 (S5), 1.36 (S3): gone, -50 % from baseline, +25 % from nadir."""
    assert later(late(area)) == (expected,)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"flair_worse": True}, "PD"),  # 1.17 (S5), 1.38 (S3)
        ({"clinical": "worse", "from_tumour": True}, "PD"),  # 1.20 (S5)
        ({"nonmeasurable_progression": True}, "PD"),  # 1.16 (S5)
        ({"failed_to_return": True}, "PD"),  # 1.21 (S5)
        ({"clinical": "worse", "from_tumour": False}, "CR"),  # 1.20: from the tumour alone
        ({"clinical": "improved"}, "CR"),
        ({"steroid": SteroidDose(4)}, "not_assignable_steroid"),  # 1.9 (S4)
    ],
)
def test_any_condition_makes_progression_and_all_make_response(details, expected):
    """1.23 (S4): CR needs all conditions, PD any one."""
    assert later(late(0, **details)) == (expected,)


@pytest.mark.parametrize("field", ["flair_worse", "clinical", "steroid"])
def test_unknown_is_never_no(field):
    """10.20; 1.18 (S19): T2/FLAIR is the reader's word, and without it progression stays possible."""
    found = later(late(0, **{field: None}))
    assert "CR" in found
    assert len(found) > 1


def test_any_new_lesion():
    """1.19 (S5), 10.18: any new lesion, also a small one."""
    assert later(late(400, lesion("B", 6))) == ("PD",)
    assert later(late(400, lesion("B", 6), new_lesion=False)) == ("SD",)
    assert set(later(late(400, all_drawn=False))) == {"SD", "PD"}


def test_partial_response_needs_the_baseline_dose():
    """1.11 (S4): a dose not above that of the baseline."""
    assert later(late(150, steroid=SteroidDose(2))) == ("not_assignable_steroid",)


def test_growth_on_a_falling_dose_is_no_progression():
    """1.15 (S5): on a stable or increasing dose."""
    patient = late(520)
    dosed = [dataclasses.replace(seen, steroid=SteroidDose(4)) for seen in patient.visits[:2]]
    falling = dataclasses.replace(patient, visits=(*dosed, patient.visits[2]))
    assert later(falling) == ("SD",)
    assert "response_growth_on_lower_steroid" in codes(verdicts(falling, NAME)["later"])
    flair = dataclasses.replace(patient.visits[2], flair_worse=True)
    worse = dataclasses.replace(falling, visits=(*dosed, flair))
    assert later(worse) == ("not_assignable_steroid",)


def test_a_new_lesion_counts_on_any_dose():
    """1.35 (S3): outside the field on a declining, stable or increasing dose."""
    patient = late(400, lesion("B", 12, field="outside"))
    dosed = [dataclasses.replace(seen, steroid=SteroidDose(4)) for seen in patient.visits[:2]]
    assert later(dataclasses.replace(patient, visits=(*dosed, patient.visits[2]))) == ("PD",)


def test_nothing_measurable_is_at_best_stable():
    """1.12 (S4): with non-measurable disease only, the best is SD."""
    patient = course(
        postoperative(lesion("A", 8)), visit("first", 4, lesion("A", 8)), visit("later", 20),
    )  # fmt: skip
    assert later(patient) == ("SD",)


def test_confirmation_of_response():
    """1.8, 1.10, 1.24 (S4, S1): CR and PR are held over 4 weeks; PD stands at once."""
    patient = late(150)
    assert final(patient, NAME)["later"] == ("SD",)
    again = visit("again", 24, of_area("A", 150))
    assert final(dataclasses.replace(patient, visits=(*patient.visits, again)), NAME)["later"] == ("PR",)
    assert final(late(520), NAME)["later"] == ("PD",)


def test_a_raised_dose_is_not_settled_by_later_scans():
    """1.14 (S4): the scan with a raised dose is not the last stable one; RANO 2010 does not make it stable later."""
    patient = late(400, steroid=SteroidDose(4))
    back = visit("back", 26, of_area("A", 400))
    found = final(dataclasses.replace(patient, visits=(*patient.visits, back)), NAME)
    assert (found["later"], found["back"]) == (("not_assignable_steroid",), ("SD",))


@pytest.mark.parametrize(
    ("week", "field", "expected"),
    [
        (11.8, "inside", ("not_decidable_within_12_weeks",)),  # 1.33 (S1)
        (12, "inside", ("PD",)),  # 1.36 (S3): from 12 weeks on
        (8, "outside", ("PD",)),  # 1.30 (S3), 1.39 (S9)
        (8, "both", ("PD", "not_decidable_within_12_weeks")),  # 10.24: outside in part, 1.40 is recalled only
        (8, None, ("PD", "not_decidable_within_12_weeks")),  # 10.7
    ],
)
def test_the_first_twelve_weeks(week, field, expected):
    patient = course(
        postoperative(of_area("A", 400)), visit("first", 4, of_area("A", 400, field=field)),
        visit("later", week, of_area("A", 640, field=field)),
    )  # fmt: skip
    assert later(patient) == expected


@pytest.mark.parametrize(("viable", "expected"), [
    (True, ("PD",)), (False, ("not_decidable_within_12_weeks",)), (None, ("PD", "not_decidable_within_12_weeks")),
])  # fmt: skip
def test_histology_within_twelve_weeks(viable, expected):
    """1.31 (S3): unequivocal viable tumour."""
    patient = course(
        postoperative(of_area("A", 400)), visit("later", 6, of_area("A", 640, field="inside"), viable_tumour=viable)
    )
    assert later(patient) == expected


def test_response_within_twelve_weeks_is_scored():
    patient = course(postoperative(of_area("A", 400)), visit("later", 6, of_area("A", 100)))
    assert later(patient) == ("PR",)


def test_thick_slices_and_cysts_are_noted():
    """1.2 (S7, S8), 10.16: warn, do not reject; 10.23: the solid part is measured."""
    thick = {"slice_spacing": 6.0, "cystic": True}
    patient = course(postoperative(lesion("A", 20, **thick)), visit("later", 20, lesion("A", 20, **thick)))
    verdict = verdicts(patient, NAME)["later"]
    assert verdict.category == "SD"
    assert {"response_thick_slices", "response_solid_part"} <= codes(verdict)


def test_measuring_planes_that_differ_are_noted():
    """10.17: keep the plane over time."""
    patient = course(
        postoperative(lesion("A", 20, plane="axial")), visit("later", 20, lesion("A", 20, plane="sagittal"))
    )
    assert "response_plane_differs" in codes(verdicts(patient, NAME)["later"])
