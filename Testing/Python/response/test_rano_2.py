"""RANO 2.0, rule by rule (section 3); each test names the rule and its source."""

import dataclasses

import pytest

from PseudoProgressionAnalyzerLib.response import Lesion, SteroidDose

from .simple import codes, course, final, lesion, of_area, on_day, provisional, verdicts, visit

NAME = "RANO_2.0"


def at_week(week, area, *others, **details):
    """1000 mm2 at the baseline, another area later, all inside the field; others: further lesions later."""
    lesions = [of_area("A", area, field="inside"), *others] if area else others
    return course(visit("baseline", 4, of_area("A", 1000, field="inside")), visit("later", week, *lesions, **details))


def later(patient, measure="area", **settings):
    return provisional(patient, NAME, measure, **settings)["later"]


def volume_times(factor):
    """The area of a ball whose volume has changed by a factor from that of 1000 mm2."""
    return 1000 * factor ** (2 / 3)


@pytest.mark.parametrize(
    ("area", "expected"), [(0, "CR"), (490, "PR"), (510, "SD"), (1000, "SD"), (1240, "SD"), (1260, "PD")]
)
def test_area(area, expected):
    """3.20, 3.22, 3.23 (S1): 50 % from the baseline, 25 % from the nadir; no minor response of enhancement."""
    assert later(at_week(20, area)) == (expected,)


@pytest.mark.parametrize(("factor", "expected"), [(0.34, "PR"), (0.36, "SD"), (1.39, "SD"), (1.41, "PD")])
def test_volume(factor, expected):
    """3.20 (S1), 9.1 (S10): 65 % from the baseline, 40 % from the nadir; 3.5 (S1): either measure."""
    assert later(at_week(20, volume_times(factor)), "volume") == (expected,)


@pytest.mark.parametrize(
    ("area", "measure", "expected"),
    [
        (490, "area", "PR"), (740, "area", "MR"), (760, "area", "SD"),
        (volume_times(0.34), "volume", "PR"), (volume_times(0.59), "volume", "MR"),
        (volume_times(0.61), "volume", "SD"),
    ],
)  # fmt: skip
def test_minor_response_of_what_does_not_enhance(area, measure, expected):
    """3.22, 3.53 (S1): non-enhancing disease only, 25 to 50 % of area, 40 to 65 % of volume."""
    lesions = [of_area("A", size, component="non_enhancing") for size in (1000, area)]
    patient = course(visit("baseline", 4, lesions[0]), visit("later", 20, lesions[1]), tumour="non_enhancing")
    assert later(patient, measure) == (expected,)


@pytest.mark.parametrize(("area", "inclusive", "exclusive"), [(500, "PR", "MR"), (750, "MR", "SD"), (1250, "PD", "SD")])
def test_exactly_at_a_limit(area, inclusive, exclusive):
    """3.21 (S1, S24), 10.1, 10.2: both readings are shown only at the limit."""
    lesions = [of_area("A", size, component="non_enhancing") for size in (1000, area)]
    patient = course(visit("baseline", 4, lesions[0]), visit("later", 20, lesions[1]), tumour="non_enhancing")
    assert set(later(patient)) == {inclusive, exclusive}
    assert later(patient, limits="inclusive") == (inclusive,)
    assert later(patient, limits="exclusive") == (exclusive,)
    near = dataclasses.replace(
        patient, visits=(patient.visits[0], visit("later", 20, of_area("A", area + 1, component="non_enhancing")))
    )
    assert len(later(near)) == 1


def test_exactly_ten_millimetres():
    """10.11 (S1 table 3 and case 1): 4 x 4 to 10 x 10 mm: both at equality."""
    patient = course(visit("baseline", 4, lesion("A", 4)), visit("later", 20, lesion("A", 10)))
    assert later(patient) == ("SD", "PD")
    assert later(patient, limits="exclusive") == ("SD",)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"leptomeningeal": True}, "PD"),  # 3.24
        ({"clinical": "worse", "from_tumour": True}, "PD"),  # 3.20
        ({"flair_worse": True}, "SD"),  # 3.50: omitted for enhancing tumours
        ({"flair_worse": True, "antiangiogenic": True}, "PD"),  # 3.51, 3.52
        ({"steroid": SteroidDose(4)}, "not_assignable_steroid"),  # 3.31 (S2), 10.14
        ({"nonmeasurable_progression": True}, "SD"),  # 3.25 is a matter of diameters where these are known
    ],
)
def test_other_conditions(details, expected):
    """S1 table 3 and text."""
    assert later(at_week(20, 1000, **details)) == (expected,)


def test_progression_on_any_dose():
    """3.20 (S1 table 3): the steroid row does not apply to PD."""
    patient = at_week(20, 1300)
    dosed = dataclasses.replace(patient.visits[0], steroid=SteroidDose(8))
    assert later(dataclasses.replace(patient, visits=(dosed, patient.visits[1]))) == ("PD",)


@pytest.mark.parametrize(
    ("diameter", "expected"), [(8, ("SD",)), (12, ("PD",))]
)  # fmt: skip
def test_new_lesions_must_be_measurable(diameter, expected):
    """3.20, 3.27 (S1): a new small lesion is listed and no progression."""
    patient = at_week(20, 1000, lesion("B", diameter))
    assert later(patient) == expected
    listed = "response_new_not_measurable" in codes(verdicts(patient, NAME)["later"])
    assert listed is (diameter < 10)


def test_a_new_lesion_of_unknown_size_leaves_both_open():
    """10.20."""
    assert set(later(at_week(20, 1000, Lesion("B"), new_lesion=True))) == {"SD", "PD"}
    assert set(later(at_week(20, 1000, all_drawn=False, new_lesion=True))) == {"SD", "PD"}


def test_nothing_measurable_at_the_baseline():
    """3.28 (S1), 9.10 (S19): best is SD; whether it is measurable is asked of the baseline."""
    grown = course(visit("baseline", 4, lesion("A", 9)), visit("later", 20, lesion("A", 11)))
    assert later(grown) == ("SD",)
    shrunk = course(visit("baseline", 4, lesion("A", 30)), visit("later", 20, lesion("A", 8)))
    assert later(shrunk) == ("PR",)


def test_a_lesion_that_came_later_is_followed_too():
    """3.26 (S1): what grows beside the targets joins the sum, also a lesion that the baseline did not have."""
    patient = course(
        visit("baseline", 4), visit("8 weeks", 8, lesion("A", 14, field="inside")),
        visit("12 weeks", 12, lesion("A", 14, field="inside")), visit("later", 30, lesion("A", 30, field="inside")),
    )  # fmt: skip
    found = verdicts(patient, NAME)
    assert found["8 weeks"].final_category == "pseudoprogression"
    assert found["12 weeks"].category == "SD"
    assert found["later"].category == "PD"


@pytest.mark.parametrize(
    ("week", "field", "expected"),
    [
        (8, "inside", ("preliminary_PD",)),  # 3.40, 3.41
        (12, "inside", ("preliminary_PD",)),  # 3.40: within 12 weeks
        (12.2, "inside", ("PD",)),  # 3.45: after 12 weeks without confirmation
        (8, "outside", ("PD",)),  # 3.46: outside the field optional
        (8, None, ("preliminary_PD", "PD")),  # 10.7
    ],
)
def test_timing_of_progression(week, field, expected):
    """S1."""
    patient = course(
        visit("baseline", 4, of_area("A", 1000, field=field)), visit("later", week, of_area("A", 1300, field=field))
    )
    assert later(patient) == expected


def test_decline_within_twelve_weeks_was_not_read():
    """3.48 (recalled), 10.21: the table says PD, and that the rule was not read is said."""
    patient = at_week(8, 1300, clinical="worse", from_tumour=True)
    verdict = verdicts(patient, NAME)["later"]
    assert verdict.category == "PD"
    assert "response_early_decline_not_read" in codes(verdict)
    assert later(at_week(8, 1300, clinical="worse")) == ("preliminary_PD", "PD")


def test_histology_is_no_substitute_for_a_scan():
    """3.49 (recalled for RANO 2.0): histology does not decide here."""
    assert later(at_week(8, 1300, viable_tumour=True)) == ("preliminary_PD",)


@pytest.mark.parametrize(
    ("details", "rule"),
    [({"immunotherapy": True, "immunotherapy_start": on_day(90)}, "3.46"), ({"idh_mutant": True}, "3.47")],
)
def test_optional_confirmation(details, rule):
    """3.46, 3.47 (S1)."""
    patient = dataclasses.replace(at_week(20, 1300), **details)
    reasons = verdicts(patient, NAME)["later"].provisional[0].reasons
    assert [m.parameters["rule"] for m in reasons if m.code == "response_optional_confirmation"] == [rule]


def test_a_protocol_may_ask_to_confirm_late_progression():
    """3.45 (S1), 10.19 (S10)."""
    assert later(at_week(20, 1300), late_confirmation=True) == ("preliminary_PD",)
    assert "response_protocol_may_confirm" in codes(verdicts(at_week(20, 1300), NAME)["later"])


@pytest.mark.parametrize(
    ("enhancing", "other", "expected"),
    [
        (1000, 1000, {"SD"}), (0, 0, {"CR"}), (400, 1000, {"PR/MR"}), (1000, 700, {"PR/MR"}), (400, 700, {"PR/MR"}),
        (1300, 400, {"PD"}), (400, 1300, {"PD"}), (0, 1000, {"SD", "PR/MR"}), (1000, 0, {"SD", "PR/MR"}),
        (0, 400, {"PR/MR"}),
    ],
)  # fmt: skip
def test_mixed_tumours(enhancing, other, expected):
    """3.56, 3.57, 3.58 (S1 table 4), 3.59 (S1, S2; 10.3)."""

    def parts(one, two):
        return [
            *([of_area("CE", one)] if one else []), *([of_area("nCE", two, component="non_enhancing")] if two else []),
        ]  # fmt: skip

    patient = course(
        visit("baseline", 4, *parts(1000, 1000)), visit("later", 20, *parts(enhancing, other)), tumour="mixed"
    )
    assert set(later(patient)) == expected


def test_enhancement_that_fades_under_bevacizumab_is_noted():
    """3.54, 3.55 (S1)."""
    assert "response_maybe_pseudoresponse" in codes(verdicts(at_week(20, 300, antiangiogenic=True), NAME)["later"])
    assert "response_maybe_pseudoresponse" not in codes(verdicts(at_week(20, 300), NAME)["later"])


def test_thick_slices_are_noted():
    """3.9 (S1), 10.16: at most 1.5 mm for enhancement."""
    patient = course(
        visit("baseline", 4, lesion("A", 20, slice_spacing=3.0)), visit("later", 20, lesion("A", 20, slice_spacing=3.0))
    )
    assert "response_thick_slices" in codes(verdicts(patient, NAME)["later"])
    assert "response_thick_slices" not in codes(verdicts(at_week(20, 1000), NAME)["later"])


def test_final_categories_of_a_plain_course():
    """3.29 (S1), 9.8 (S19): response is held over 4 weeks, progression stands."""
    patient = course(
        *(visit(f"V{place}", week, of_area("A", area, field="inside"))
          for place, (week, area) in enumerate([(4, 1000), (14, 400), (20, 420), (30, 700)])),
    )  # fmt: skip
    assert provisional(patient, NAME) == {"V0": ("baseline",), "V1": ("PR",), "V2": ("PR",), "V3": ("PD",)}
    assert final(patient, NAME) == {"V0": ("baseline",), "V1": ("PR",), "V2": ("PR",), "V3": ("PD",)}
