"""The 46 edge cases, each with its expected answer and source; the published cases among them are S1 cases 1 to 8.

S1 is Sakata 2025 (Jpn J Radiol 43:1557, RANO 2.0), S2 Wen 2023, S3 Curr Oncol 2015, S4 CNS Oncol 2019, S7 AJNR review,
S8 the radiotherapy dictionary, S10 the AJNR comparison of measurement approaches, S12 Okada 2015, S15 steroid doses,
S17 and S18 BT-RADS, S19 the lumiere-rano rules, S20 RANO resect, S21 FDOPA segmentation.
"""

import dataclasses
import math

import pytest

from PseudoProgressionAnalyzerLib.response import Comparison, SteroidDose, judge, judge_bt_rads
from PseudoProgressionAnalyzerLib.response.extent import resection_classes
from PseudoProgressionAnalyzerLib.response.measurability import measurable_2010, measurable_on_pet, measurable_rano_2

from .simple import codes, course, final, lesion, of_area, on_day, postoperative, provisional, verdicts, visit

RANO_2010, MRANO, RANO_2, IRANO = "RANO_2010", "mRANO", "RANO_2.0", "iRANO"


def test_e01_nothing_measurable_at_baseline_is_at_best_stable():
    """E1 (S1 case 1; 3.28): unchanged or smaller, never CR, PR or MR."""
    patient = course(visit("baseline", 4, lesion("A", 8, 6)), visit("same", 16, lesion("A", 8, 6)), visit("gone", 28))
    for measure in ("area", "volume"):
        found = provisional(patient, RANO_2, measure)
        assert found == {"baseline": ("baseline",), "same": ("SD",), "gone": ("SD",)}
    measurable = course(visit("baseline", 4, lesion("A", 18, 16)), visit("gone", 28))
    assert provisional(measurable, RANO_2)["gone"] == ("CR",)


def test_e02_new_lesion_after_complete_resection():
    """E2 (S1 case 1): clean baseline at 4 weeks, 12 x 17 mm 4 months later: PD, a protocol may ask to confirm."""
    patient = course(visit("baseline", 4), visit("new", 21.5, lesion("A", 17, 12)))
    found = verdicts(patient, RANO_2)["new"]
    assert found.category == found.final_category == "PD"
    assert {"response_new_measurable_lesion", "response_protocol_may_confirm"} <= codes(found)
    asked = verdicts(patient, RANO_2, late_confirmation=True)["new"]
    assert asked.category == "preliminary_PD"


def test_e03_enhancement_that_vanishes_is_pseudoprogression():
    """E3 (S1 case 2): nodules at the 1-month baseline, smaller on the next scan, gone at 3 months: no PD."""
    patient = course(
        postoperative(), visit("month 1", 4, lesion("A", 14, 12)), visit("next", 8.5, lesion("A", 9, 7)),
        visit("month 3", 13),
    )  # fmt: skip
    found = verdicts(patient, RANO_2)
    assert found["month 1"].final_category == "pseudoprogression"
    assert found["month 1"].category == "baseline"
    assert not any("PD" in option.category for verdict in found.values() for option in verdict.final)
    larger = visit("next", 8.5, lesion("A", 22, 20, field="inside"))
    grown = final(dataclasses.replace(patient, visits=(*patient.visits[:2], larger)), RANO_2)
    assert grown["month 1"] == ("baseline",)
    assert grown["next"] == ("preliminary_PD",)


def test_e04_small_new_lesions_that_grow_late():
    """E4 (S1 case 3): not measurable 4 weeks after RT, stable to 12 weeks (SD), measurable at 24 weeks (PD)."""
    patient = course(
        postoperative(), visit("4 weeks", 4, lesion("A", 6, 5)), visit("8 weeks", 8, lesion("A", 6, 5)),
        visit("12 weeks", 12, lesion("A", 6, 5)), visit("24 weeks", 24, lesion("A", 15, 13)),
    )  # fmt: skip
    for measure in ("area", "volume"):
        found = provisional(patient, RANO_2, measure)
        assert [found[week] for week in ("8 weeks", "12 weeks", "24 weeks")] == [("SD",), ("SD",), ("PD",)]


def test_e05_one_lesion_goes_and_another_stays():
    """E5 (S1 case 4): 8 weeks, gone at 12: pseudoprogression; another at 12 weeks, confirmed at 4 months: PD then."""
    patient = course(
        visit("baseline", 4), visit("8 weeks", 8, lesion("A", 14, 13, field="inside")),
        visit("12 weeks", 12, lesion("B", 12, 12, field="inside")),
        visit("4 months", 17.5, lesion("B", 18, 17, field="inside")),
    )  # fmt: skip
    for measure in ("area", "volume"):
        assert provisional(patient, RANO_2, measure) == {
            "baseline": ("baseline",), "8 weeks": ("preliminary_PD",), "12 weeks": ("preliminary_PD",),
            "4 months": ("PD",),
        }  # fmt: skip
        found = verdicts(patient, RANO_2, measure)
        assert found["8 weeks"].final_category == "pseudoprogression"
        assert (found["12 weeks"].final_category, found["12 weeks"].final[0].dated) == ("PD", "12 weeks")


def test_e06_bevacizumab_takes_enhancement_away_and_flair_grows():
    """E6 (S1 case 6): pseudoresponse and non-enhancing progression; no CR or PR."""
    patient = course(
        visit("baseline", 30, lesion("A", 30)), visit("month 1", 34, antiangiogenic=True, flair_worse=True),
        treatment_start=on_day(30 * 7 + 2),
    )  # fmt: skip
    found = verdicts(patient, RANO_2)["month 1"]
    assert found.category == "PD"
    assert "response_pseudoresponse" in codes(found)
    without = dataclasses.replace(patient.visits[1], flair_worse=False)
    found = verdicts(dataclasses.replace(patient, visits=(patient.visits[0], without)), RANO_2)["month 1"]
    assert found.category == "CR"
    assert "response_maybe_pseudoresponse" in codes(found)


def mixed(enhancing, other, later_enhancing, later_other, week=78, **details):
    """A mixed tumour at baseline and later, by diameters of its parts in mm."""

    def parts(one, two):
        return [
            *([lesion("CE", one)] if one else []),
            *([lesion("nCE", two, component="non_enhancing")] if two else []),
        ]

    return course(
        visit("baseline", 4, *parts(enhancing, other)),
        visit("later", week, *parts(later_enhancing, later_other), **details),
        tumour="mixed",
    )


def test_e07_mixed_tumour_with_a_larger_enhancing_part():
    """E7 (S1 case 7): CE larger at 18 months, nCE equivocal (here: not measured): PD."""
    patient = mixed(20, 40, 30, 40)
    equivocal = dataclasses.replace(patient.visits[1].lesions[1], longest=None, perpendicular=None, volume=None)
    open_visit = dataclasses.replace(patient.visits[1], lesions=(patient.visits[1].lesions[0], equivocal))
    patient = dataclasses.replace(patient, visits=(patient.visits[0], open_visit))
    assert provisional(patient, RANO_2)["later"] == ("PD",)


def test_e08_mixed_tumour_better_but_not_measurable():
    """E8 (S1 case 8): both parts not measurable and clearly better: SD with a note."""
    found = verdicts(mixed(8, 9, 4, 3), RANO_2)["later"]
    assert found.category == "SD"
    assert "response_not_measurable" in codes(found)


def test_e09_mixed_tumour_complete_and_stable_has_two_answers():
    """E9 (10.3): CE CR and nCE SD: SD by S2, PR/MR by S1; both are shown until the user chooses."""
    patient = mixed(20, 30, 0, 30)
    found = verdicts(patient, RANO_2)["later"]
    assert found.possible == ("PR/MR", "SD")
    assert [message.code for message in found.depends_on] == ["response_depends_on_mixed"]
    assert provisional(patient, RANO_2, mixed="stable")["later"] == ("SD",)
    assert provisional(patient, RANO_2, mixed="response")["later"] == ("PR/MR",)


def test_e10_mixed_tumour_with_progression_of_one_part():
    """E10 (S1 table 4; 3.56): CE PR and nCE PD: PD."""
    assert provisional(mixed(30, 20, 15, 30), RANO_2)["later"] == ("PD",)


def early(week=6, field="inside", factor=1.6, **details):
    """RANO 2010: a lesion that grew by a factor in area since the scan before radiotherapy."""
    return course(
        postoperative(of_area("A", 400)), visit("later", week, of_area("A", 400 * factor, field=field), **details)
    )


def test_e11_growth_inside_the_field_within_twelve_weeks():
    """E11 (S3, S1; 1.33): RANO 2010, 6 weeks, +60 % inside, no histology: not PD, not decidable."""
    found = verdicts(early(), RANO_2010)["later"]
    assert found.category == found.final_category == "not_decidable_within_12_weeks"
    assert "response_within_twelve_weeks" in codes(found)


def test_e12_new_enhancement_outside_the_field():
    """E12 (S3; 1.30): the same beyond the 80 % isodose: PD allowed."""
    assert provisional(early(field="outside"), RANO_2010)["later"] == ("PD",)
    beyond = course(
        postoperative(lesion("A", 20, field="inside")),
        visit("later", 6, lesion("A", 20, field="inside"), lesion("B", 12, field="outside")),
    )
    assert provisional(beyond, RANO_2010)["later"] == ("PD",)


def test_e13_viable_tumour_on_histology():
    """E13 (S3; 1.31): the same with a biopsy of viable tumour: PD."""
    assert provisional(early(viable_tumour=True), RANO_2010)["later"] == ("PD",)


def test_e14_clinical_decline_alone_within_twelve_weeks():
    """E14 (S3; 1.34): RANO 2010, 6 weeks, stable images, clinical decline only: not PD."""
    found = provisional(early(factor=1.0, clinical="worse", from_tumour=True), RANO_2010)["later"]
    assert found == ("not_decidable_within_12_weeks",)


def test_e15_clinical_decline_alone_after_twelve_weeks():
    """E15 (S3; 1.37): RANO 2010, 20 weeks: PD for the current treatment, not enough to enter a recurrence trial."""
    patient = course(
        postoperative(of_area("A", 400)), visit("first", 4, of_area("A", 400)),
        visit("later", 20, of_area("A", 400), clinical="worse", from_tumour=True),
    )  # fmt: skip
    found = verdicts(patient, RANO_2010)["later"]
    assert found.category == "PD"
    assert "response_no_trial_entry" in codes(found)


def test_e16_end_of_radiotherapy_unknown():
    """E16 (10.6, 10.20): +30 %: PD, preliminary PD or not decidable by criterion; the date is listed as missing."""
    patient = course(
        visit("baseline", 4, of_area("A", 400, field="inside")), visit("later", 10, of_area("A", 520, field="inside")),
        radiotherapy_ends=None,
    )  # fmt: skip
    found = {name: verdicts(patient, name, baseline="baseline")["later"] for name in (RANO_2010, RANO_2)}
    assert found[RANO_2010].possible == ("PD", "not_decidable_within_12_weeks")
    assert found[RANO_2].possible == ("preliminary_PD", "PD")
    assert all("response_unknown_early" in codes(verdict) for verdict in found.values())


def steroid_course(*later):
    """A stable lesion with 2 mg of dexamethasone at the baseline and later visits (name, week, mg, details)."""
    return course(
        visit("baseline", 4, lesion("A", 20), steroid=SteroidDose(2)),
        *(
            visit(name, week, lesion("A", 20), steroid=SteroidDose(dose), **details)
            for name, week, dose, details in later
        ),
    )


def test_e17_steroid_raised_with_stable_images():
    """E17 (S2; 3.31): dexamethasone 2 to 6 mg, reason not tumour: neither SD nor PD, observe."""
    patient = steroid_course(("raised", 16, 6, {}))
    for criterion in (RANO_2, MRANO):
        found = verdicts(patient, criterion)["raised"]
        assert found.category == found.final_category == "not_assignable_steroid"


def test_e18_steroid_back_at_the_baseline_dose():
    """E18 (S2; 3.32): later back to 2 mg: SD."""
    found = verdicts(steroid_course(("raised", 16, 6, {}), ("back", 22, 2, {})), RANO_2)
    assert found["back"].category == "SD"
    assert (found["raised"].category, found["raised"].final_category) == ("not_assignable_steroid", "SD")


def test_e19_decline_after_a_raised_dose_is_dated_back():
    """E19 (S2; 3.33): later tumour-related decline: PD dated at the first dose increase."""
    decline = {"clinical": "worse", "from_tumour": True}
    found = verdicts(steroid_course(("raised", 16, 6, {}), ("still", 20, 6, {}), ("worse", 24, 8, decline)), RANO_2)
    for name in ("raised", "still"):
        assert found[name].category == "not_assignable_steroid"
        assert (found[name].final_category, found[name].final[0].dated) == ("PD", "raised")


@pytest.mark.parametrize("criterion", [RANO_2010, MRANO, RANO_2])
def test_e20_gone_under_steroids_is_not_complete_response(criterion):
    """E20 (S4, S1; 1.9, 10.15): all enhancement gone, dexamethasone 4 mg: not CR; what instead, no source says."""
    patient = course(
        postoperative(lesion("A", 20), steroid=SteroidDose(4)),
        visit("baseline", 4, lesion("A", 20), steroid=SteroidDose(4)), visit("gone", 16, steroid=SteroidDose(4)),
    )  # fmt: skip
    found = verdicts(patient, criterion)["gone"]
    assert "CR" not in found.possible
    assert "response_gone_under_steroid" in codes(found)


@pytest.mark.parametrize("criterion", [RANO_2010, MRANO, RANO_2])
def test_e21_gone_under_replacement_may_be_complete_response(criterion):
    """E21 (S4, S15; 8.12): all enhancement gone, hydrocortisone 20 mg: CR possible, needs confirmation."""
    replacement = SteroidDose(20, "hydrocortisone")
    patient = course(
        postoperative(lesion("A", 20)), visit("baseline", 4, lesion("A", 20)),
        visit("gone", 16, steroid=replacement), visit("still", 20, steroid=replacement),
    )  # fmt: skip
    found = verdicts(patient, criterion)["gone"]
    assert found.category == found.final_category == "CR"
    alone = dataclasses.replace(patient, visits=patient.visits[:-1])
    assert verdicts(alone, criterion)["gone"].final_category == "SD"


def test_e22_progression_outranks_response():
    """E22 (1.10, 1.15; order 9.6, S19): -55 % from baseline and +30 % from nadir: PD."""
    patient = course(
        visit("baseline", 4, of_area("A", 1000)), visit("nadir", 12, of_area("A", 450 / 1.3)),
        visit("later", 20, of_area("A", 450)),
    )  # fmt: skip
    found = verdicts(patient, RANO_2)["later"]
    assert found.category == "PD"
    assert found.from_baseline["enhancing"].value == pytest.approx(-55)
    assert found.from_nadir["enhancing"].value == pytest.approx(30)
    assert (found.baseline, found.nadir) == ("baseline", "nadir")


def spheres(area, **details):
    """A ball whose section changes from 1000 mm2 to an area; 2D and 3D see the same ball."""
    return course(
        visit("baseline", 4, of_area("A", 1000, **details)), visit("later", 20, of_area("A", area, **details))
    )


def test_e23_half_the_area_is_not_65_percent_of_the_volume():
    """E23 (9.2): SPD exactly -50.0 %, volume -64.6 %: 2D PR by the inclusive reading, 3D not PR."""
    patient = spheres(500)
    assert verdicts(patient, RANO_2, "volume")["later"].from_baseline["enhancing"].value == pytest.approx(
        -64.6, abs=0.1
    )
    assert provisional(patient, RANO_2, limits="inclusive")["later"] == ("PR",)
    assert provisional(patient, RANO_2, limits="exclusive")["later"] == ("SD",)
    assert provisional(patient, RANO_2)["later"] == ("PR", "SD")
    assert provisional(patient, RANO_2, "volume")["later"] == ("SD",)


def test_e24_a_quarter_more_area_is_not_40_percent_more_volume():
    """E24 (9.2): SPD exactly +25.0 %, volume +39.8 %: 2D PD by the inclusive reading, 3D not PD."""
    patient = spheres(1250)
    assert verdicts(patient, RANO_2, "volume")["later"].from_nadir["enhancing"].value == pytest.approx(39.8, abs=0.1)
    assert provisional(patient, RANO_2, limits="inclusive")["later"] == ("PD",)
    assert provisional(patient, RANO_2, limits="exclusive")["later"] == ("SD",)
    assert provisional(patient, RANO_2, "volume")["later"] == ("SD",)
    response = judge(patient, RANO_2)[1]
    assert response.agreement is None  # by area it depends on the reading


def test_e25_minor_response_differs_between_area_and_volume():
    """E25 (9.3): nCE tumour, area -27 % is volume -37.6 %: 2D minor response, 3D SD."""
    patient = dataclasses.replace(spheres(730, component="non_enhancing"), tumour="non_enhancing")
    found = verdicts(patient, RANO_2, "volume")["later"]
    assert found.from_baseline["non_enhancing"].value == pytest.approx(-37.6, abs=0.1)
    assert provisional(patient, RANO_2)["later"] == ("MR",)
    assert found.category == "SD"
    assert judge(patient, RANO_2)[1].agreement is False


def test_e26_a_flat_lesion_is_measurable_in_two_dimensions_only():
    """E26 (3.6, 3.8; S1): 30 x 30 x 3 mm on 2 slices: measurable by area, not by volume."""
    pancake = lesion("A", 30, 30, slices=2, slice_spacing=1.5, extents=(30.0, 30.0, 3.0))
    assert measurable_rano_2(pancake, "area") is True
    assert measurable_rano_2(pancake, "volume") is False
    assert measurable_rano_2(dataclasses.replace(pancake, slices=1), "area") is False


def test_e27_thick_slices_raise_the_smallest_diameter():
    """E27 (S8; 1.3): 11 x 11 mm on 6 mm slices: not measurable in RANO 2010 (12 mm are needed)."""
    assert measurable_2010(lesion("A", 11, slices=2, slice_spacing=6.0), "area") is False
    assert measurable_2010(lesion("A", 12, slices=2, slice_spacing=6.0), "area") is True
    assert measurable_2010(lesion("A", 11, slices=2, slice_spacing=5.0), "area") is True


def test_e28_one_short_diameter():
    """E28 (S7, S1; 1.1, 3.6): 9 x 14 mm: not measurable."""
    assert measurable_2010(lesion("A", 14, 9), "area") is False
    assert measurable_rano_2(lesion("A", 14, 9), "area") is False


def test_e29_a_small_lesion_that_grows_past_ten_millimetres():
    """E29 (3.25; S1): 4 x 5 mm to 11 x 11 mm, RANO 2.0: PD; so is growth by 5 x 5 mm, and not by 4.9 mm."""
    for before, category in (((5, 4), "PD"), ((6, 6), "PD"), ((6.1, 6), "SD"), ((6.1, 6.1), "SD")):
        patient = course(visit("baseline", 4, lesion("A", *before)), visit("later", 20, lesion("A", 11, 11)))
        found = verdicts(patient, RANO_2)["later"]
        assert found.category == category, before
        assert ("response_nonmeasurable_growth" in codes(found)) == (category == "PD")


def test_e30_a_small_lesion_that_grows_by_too_little():
    """E30 (3.25; S1): 8 x 8 to 11 x 11 mm: not PD by 3.25; shown as now measurable."""
    patient = course(visit("baseline", 4, lesion("A", 8)), visit("later", 20, lesion("A", 11)))
    found = verdicts(patient, RANO_2)["later"]
    assert found.category == "SD"
    assert "response_now_measurable" in codes(found)


def responses(*later):
    """A lesion of 1000 mm2 at the baseline, then visits (name, day, area)."""
    return course(
        visit("baseline", 4, of_area("A", 1000)),
        *(visit(name, day / 7, of_area("A", area)) for name, day, area in later),
    )


def test_e31_response_without_a_later_scan():
    """E31 (S1 table 1, S19; 9.8): PR at one scan: unconfirmed, officially SD."""
    found = verdicts(responses(("response", 120, 300)), RANO_2)["response"]
    assert (found.category, found.final_category) == ("PR", "SD")
    assert "response_not_held" in codes(found)


def test_e32_response_confirmed_too_soon():
    """E32 (S4; 1.10): PR and a scan 20 days later: not confirmed."""
    assert final(responses(("response", 120, 300), ("soon", 140, 300)), RANO_2)["response"] == ("SD",)
    assert final(responses(("response", 120, 300), ("later", 149, 300)), RANO_2)["response"] == ("PR",)


def test_e33_response_confirmed_very_late():
    """E33 (9.9; S19): PR, next scan after 40 weeks: neither confirmed nor refuted, flagged; a setting decides."""
    patient = responses(("response", 120, 300), ("late", 400, 300))
    found = verdicts(patient, RANO_2)["response"]
    assert tuple(option.category for option in found.final) == ("PR", "SD")
    assert "response_confirmed_late" in codes(found)
    assert final(patient, RANO_2, longest_confirmation=365)["response"] == ("PR",)
    assert final(patient, RANO_2, longest_confirmation=112)["response"] == ("SD",)


@pytest.mark.parametrize("criterion", [RANO_2010, MRANO, RANO_2])
def test_e34_another_operation_voids_earlier_references(criterion):
    """E34 (9.4; S19): percentages across a re-operation are void; the first scan after it is the reference."""
    patient = course(
        postoperative(of_area("A", 400)), visit("baseline", 4, of_area("A", 400)),
        visit("reoperated", 30, of_area("A", 100), surgery=on_day(200)), visit("later", 40, of_area("A", 130)),
    )  # fmt: skip
    found = verdicts(patient, criterion, "volume")
    assert found["reoperated"].category == "baseline"
    assert found["reoperated"].from_baseline == {}
    assert (found["later"].baseline, found["later"].nadir) == ("reoperated", "reoperated")
    assert found["later"].from_nadir["enhancing"].value == pytest.approx(100 * (1.3**1.5 - 1))


def test_e35_nothing_left_and_then_a_small_nodule():
    """E35 (9.7, 10.18; S19): nadir 0, 8 mm nodule: RANO 2.0 no percentage and no PD; RANO 2010 new lesion, PD."""
    patient = course(
        postoperative(lesion("A", 20)), visit("baseline", 4, lesion("A", 20)), visit("gone", 16),
        visit("nodule", 24, lesion("A", 8)),
    )  # fmt: skip
    found = verdicts(patient, RANO_2)["nodule"]
    assert "PD" not in found.possible
    assert found.from_nadir["enhancing"].value is None
    assert "response_nadir_zero" in codes(found)
    assert provisional(patient, RANO_2010)["nodule"] == ("PD",)
    larger = visit("nodule", 24, lesion("A", 14))
    assert provisional(dataclasses.replace(patient, visits=(*patient.visits[:-1], larger)), RANO_2)["nodule"] == ("PD",)


def immunotherapy(**details):
    """A new lesion in month 3 of an immunotherapy that began 40 weeks after radiotherapy."""
    return course(
        postoperative(lesion("A", 20)), visit("first", 4, lesion("A", 20)), visit("before", 40, lesion("A", 20)),
        visit("month 3", 53, lesion("A", 20), lesion("B", 12), **details),
        immunotherapy=True, immunotherapy_start=on_day(281),
    )  # fmt: skip


def test_e36_new_lesion_early_in_immunotherapy():
    """E36 (S12; 5.1, 5.3): month 3, new lesion, clinically stable, iRANO: confirm on follow-up, not PD yet."""
    found = verdicts(immunotherapy(), IRANO)["month 3"]
    assert found.category == "preliminary_PD"
    assert provisional(immunotherapy(), RANO_2010)["month 3"] == ("PD",)


def test_e37_new_lesion_early_in_immunotherapy_and_worse():
    """E37 (S12; 5.2): the same but significantly worse: no waiting, PD."""
    assert provisional(immunotherapy(clinical="worse", from_tumour=True), IRANO)["month 3"] == ("PD",)


def test_e38_leptomeningeal_disease():
    """E38 (3.24; S1): definite leptomeningeal disease with stable targets, RANO 2.0: PD."""
    patient = course(visit("baseline", 4, lesion("A", 20)), visit("later", 20, lesion("A", 20), leptomeningeal=True))
    assert provisional(patient, RANO_2)["later"] == ("PD",)


def test_e39_a_growing_lesion_that_is_no_target():
    """E39 (3.26; S1): +30 % alone, +10 % in the sum with the targets: both shown, the sum decides."""
    others = {"target": False}
    patient = course(
        visit("baseline", 4, of_area("T", 800, target=True), of_area("N", 400, **others)),
        visit("later", 20, of_area("T", 800, target=True), of_area("N", 520, **others)),
    )
    found = verdicts(patient, RANO_2)["later"]
    assert found.category == "SD"
    assert found.from_nadir["enhancing"].value == pytest.approx(10)
    other = next(message for message in found.notes if message.code == "response_other_lesion")
    assert other.parameters == {"lesion": "N", "percent": 30.0}
    large = dataclasses.replace(
        patient, visits=(patient.visits[0], visit("later", 20, of_area("T", 800), of_area("N", 720)))
    )
    assert provisional(large, RANO_2)["later"] == ("PD",)


def test_e40_idh_mutant_with_late_new_enhancement():
    """E40 (3.47; S1): IDH-mutant, new enhancement 5 months after RT: PD, confirmation optional."""
    patient = course(visit("baseline", 4), visit("later", 22, lesion("A", 15)), idh_mutant=True)
    found = verdicts(patient, RANO_2)["later"]
    assert found.category == "PD"
    reason = next(m for m in found.provisional[0].reasons if m.code == "response_optional_confirmation")
    assert reason.parameters["rule"] == "3.47"


def test_e41_bt_rads_first_study_on_bevacizumab():
    """E41 (S18, S17; 7.9): first scan on bevacizumab, only enhancement better: 1b."""
    seen = Comparison(enhancement="better", flair="same")
    patient = course(visit("before", 20), visit("after", 28, antiangiogenic=True, comparison=seen))
    assert judge_bt_rads(patient)[1].possible == ("1b",)


def test_e42_bt_rads_worse_with_radiotherapy_unknown():
    """E42 (10.20): worse, RT date unknown: 3a, 3b, 3c or 4 still possible."""
    patient = course(visit("before", 20), visit("after", 28), radiotherapy_ends=None)
    both = visit("after", 28, comparison=Comparison(enhancement="worse", flair=None))
    found = judge_bt_rads(dataclasses.replace(patient, visits=(patient.visits[0], both)))[1]
    assert {"3a", "3b", "3c", "4"} <= set(found.possible)
    seen = Comparison(enhancement="worse", flair="worse")
    found = judge_bt_rads(dataclasses.replace(patient, visits=(patient.visits[0], visit("after", 28, comparison=seen))))
    assert found[1].possible == ("3a", "3c", "4")


def test_e43_supramaximal_resection():
    """E43 (S20; 9.14): residual CE 0 cm3, residual nCE 4 cm3: class 1."""
    assert resection_classes(0.0, 4.0) == (1,)


def test_e44_maximal_resection():
    """E44 (S20; 9.13): residual CE 0 cm3, residual nCE 20 cm3: class 2."""
    assert resection_classes(0.0, 20.0) == (2,)


def test_e45_postoperative_blood_is_no_tumour():
    """E45 (S1 fig. 2): a thin bright rim after surgery that goes away is no tumour: neither new nor a response."""
    rim = lesion("rim", 25, 12, not_tumour="postoperative blood")
    patient = course(
        visit("baseline", 4, lesion("A", 20), rim), visit("later", 20, lesion("A", 20)),
        visit("again", 30, lesion("A", 20), lesion("rim 2", 20, not_tumour="blood")),
    )  # fmt: skip
    found = provisional(patient, RANO_2)
    assert (found["later"], found["again"]) == (("SD",), ("SD",))
    taken_for_tumour = dataclasses.replace(rim, not_tumour="")
    visits = (visit("baseline", 4, lesion("A", 20), taken_for_tumour), *patient.visits[1:])
    change = verdicts(dataclasses.replace(patient, visits=visits), RANO_2)["later"].from_baseline["enhancing"]
    assert change.value == pytest.approx(-100 * 300 / 700)


def test_e46_small_lesion_on_amino_acid_pet():
    """E46 (S21; 6.3): FDOPA lesion 0.4 mL at 1.6 x background: not measurable; exactly 0.5 mL is open (10.22)."""
    assert measurable_on_pet(0.4) is False
    assert measurable_on_pet(0.6) is True
    assert measurable_on_pet(0.5) is None


def test_the_balls_of_these_cases_are_balls():
    """9.2: +25 % area is +39.8 % volume, -50 % is -64.6 %, -25 % is -35.0 %."""
    ball = of_area("A", 400)
    assert ball.size("area").value == pytest.approx(400)
    assert ball.size("volume").value == pytest.approx(4 / 3 * math.pi * 10**3 / 1000)
