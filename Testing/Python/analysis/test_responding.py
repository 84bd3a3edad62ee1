"""Responses of a followed patient: what was drawn and said decides, what came later is outcome, unknown stays so."""

import dataclasses
import datetime
import sys
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.responding import context, course, judge_responses, outcome, update_lesions
from PseudoProgressionAnalyzerLib.measures import Event, Image, InputError, Region
from PseudoProgressionAnalyzerLib.response import Choices, Settings

sys.path.insert(0, str(Path(__file__).resolve().parent))
from followed import LEFT, RIGHT, balls, followed_patient, grid, reading

BENIGN = {"all_lesions_drawn": True, "new_lesion": False, "leptomeningeal": False, "flair_worse": False}


def said_benign(analysis, *events, **said):
    """Everything benign is said of all visits."""
    visits = analysis.patient.visits
    first = visits[0].date
    analysis.patient.events += [
        Event("dexamethasone", first, details={"dose_mg_per_day": 0.0}),
        Event("bevacizumab", first, details={"given": False}),
        Event("immunotherapy", first, details={"given": False}),
        *(Event("clinical_status", visit.date, details={"status": "stable"}) for visit in visits),
        *(reading(analysis, visit.id, **{**BENIGN, "outside_field": False, **said}) for visit in visits),
        *events,
    ]
    update_lesions(analysis)
    return analysis


def patient(radii, *events, **said):
    """One ball of these radii (mm) at the visits."""
    return said_benign(followed_patient([[(RIGHT, radius)] for radius in radii]), *events, **said)


def found(analysis, visit, criterion="RANO_2.0", final=False, measure="volume"):
    verdict = getattr(analysis.response.of(visit, criterion), measure)
    return tuple(option.category for option in (verdict.final if final else verdict.provisional))


def test_growth_that_goes_on_and_growth_that_does_not():
    """12 mm at 4 weeks (baseline), 16 mm at 10 weeks: preliminary; at 16 weeks larger again, or back."""
    on, back = patient((12, 16, 20)), patient((12, 16, 12))
    for analysis in (on, back):
        assert found(analysis, "v0") == ("baseline",)
        assert found(analysis, "v1") == ("preliminary_PD",)
    assert found(on, "v1", final=True) == ("PD",)
    assert found(back, "v1", final=True) == ("pseudoprogression",)
    assert "response_as_of_both" in {message.code for message in context(back, "v1")}
    assert "pseudoprogression" not in str(context(back, "v1")), "what came later is no context of the visit"
    assert "pseudoprogression" in str(outcome(back, "v1"))
    assert outcome(back, "v2") == (), "nothing came after the last visit"


def test_later_visits_never_change_what_was_said_before():
    on, back = patient((12, 16, 20)), patient((12, 16, 12))
    for visit in ("v0", "v1"):
        assert context(on, visit) == context(back, visit)


def test_area_and_volume_stand_side_by_side():
    analysis = patient((12, 16, 20))
    response = analysis.response.of("v1", "RANO_2.0")
    ratio = (16 / 12) ** 3
    assert response.volume.from_nadir["enhancing"].value == pytest.approx(100 * (ratio - 1), rel=0.1)
    assert response.area.from_nadir["enhancing"].value == pytest.approx(100 * (ratio ** (2 / 3) - 1), rel=0.15)
    assert response.agreement is True
    assert (response.volume.baseline, response.volume.nadir) == ("v0", "v0")


def test_unsaid_is_unknown_and_lists_what_is_possible():
    analysis = patient((12, 12, 12))
    assert found(analysis, "v2") == ("SD",)
    analysis.patient.events = [event for event in analysis.patient.events if event.kind != "reading"]
    update_lesions(analysis)
    assert set(found(analysis, "v2")) > {"SD"}
    assert analysis.response.of("v2", "RANO_2.0").volume.unknowns


def test_a_new_lesion_is_found_by_its_identity():
    analysis = followed_patient([[(RIGHT, 12.0)], [(RIGHT, 12.0)], [(RIGHT, 12.0), (LEFT, 9.0)]], weeks=8)
    first = analysis.patient.visits[0].date
    analysis.patient.events.append(Event("dexamethasone", first, details={"dose_mg_per_day": 0.0}))
    for visit in analysis.patient.visits:
        analysis.patient.events.append(reading(analysis, visit.id, all_lesions_drawn=True, leptomeningeal=False))
    update_lesions(analysis)
    assert found(analysis, "v2") == ("PD",)
    reasons = analysis.response.of("v2", "RANO_2.0").volume.provisional[0].reasons
    assert "response_new_measurable_lesion" in {reason.code for reason in reasons}


def test_what_splits_is_not_new():
    merged = [(RIGHT, 9.0), (LEFT, 9.0), *[((x, 1.0, 0.0), 6.0) for x in range(-12, 13, 3)]]
    analysis = followed_patient([merged, merged, [(RIGHT, 9.0), (LEFT, 9.0)]], weeks=8)
    said_benign(analysis, new_lesion=None)
    last = next(visit for visit in course(analysis).visits if visit.visit == "v2")
    assert {lesion.name for lesion in last.lesions} == {"L1", "L2"}
    assert "PD" not in found(analysis, "v2")
    for visit in analysis.lesions:
        assert "new" not in visit.tracked.events


def test_steroids_of_the_visit_enter():
    raised = Event("dexamethasone", datetime.date(2023, 4, 1), details={"dose_mg_per_day": 8.0})
    assert found(patient((12, 12, 12), raised), "v2") == ("not_assignable_steroid",)


def test_the_chosen_baseline_and_what_others_would_make_of_it():
    analysis = patient((16, 12, 16))
    automatic = found(analysis, "v2")
    assert automatic == ("PD",), "since the nadir"
    analysis.choices = Choices(Settings(baseline="v1"))
    judge_responses(analysis)
    assert analysis.response.of("v2", "RANO_2.0").volume.baseline == "v1"
    others = {other.baseline for other in analysis.response.what_if if other.visit == "v2"}
    assert others == {"v0", "v1"}
    analysis.choices = Choices(Settings(baseline="nobody"))
    with pytest.raises(InputError) as error:
        judge_responses(analysis)
    assert error.value.message.code == "response_baseline"


def test_the_high_dose_region_decides_the_field():
    analysis = patient((12, 16, 16))
    analysis.patient.events = [
        dataclasses.replace(event, details={**event.details, "outside_field": None})
        for event in analysis.patient.events
    ]
    update_lesions(analysis)
    assert set(found(analysis, "v1", "RANO_2010")) == {"PD", "not_decidable_within_12_weeks"}
    shape, affine = grid(0)
    analysis.regions["v0", "dose"] = Image(balls([(RIGHT, 30.0)], 0), affine)
    analysis.patient.regions.append(Region("dose", "v0", "high_dose", Path()))
    update_lesions(analysis)
    assert course(analysis).visits[1].lesions[0].field == "inside"
    assert found(analysis, "v1", "RANO_2010") == ("not_decidable_within_12_weeks",)
    analysis.regions["v0", "dose"] = Image(balls([(LEFT, 10.0)], 0), affine)
    update_lesions(analysis)
    assert found(analysis, "v1", "RANO_2010") == ("PD",)
    assert np.any(analysis.regions["v0", "dose"].array)
    assert shape == analysis.regions["v0", "dose"].shape


def test_the_readers_lines_decide_the_area_alone():
    analysis = patient((12, 12, 12))
    lines = next(lesion for lesion in analysis.lesions if lesion.visit == "v2").outline.lines["reader"]
    ends = np.array([lines.longest_ends, lines.perpendicular_ends])
    middle = ends.mean(axis=1, keepdims=True)
    analysis.reader_lines["v2", "L1", "reader"] = middle + 1.3 * (ends - middle)
    update_lesions(analysis)
    assert found(analysis, "v2", measure="area") == ("PD",)
    assert found(analysis, "v2", measure="volume") == ("SD",)
    assert analysis.response.of("v2", "RANO_2.0").agreement is False


def test_targets_and_what_is_no_tumour_are_the_readers_words():
    analysis = followed_patient([[(RIGHT, 12.0), (LEFT, 9.0)]])
    analysis.patient.events.append(reading(analysis, "v0", targets=["L2"], not_tumour={"L1": "postoperative blood"}))
    update_lesions(analysis)
    lesions = {lesion.name: lesion for lesion in course(analysis).visits[0].lesions}
    assert (lesions["L1"].target, lesions["L2"].target) == (False, True)
    assert lesions["L1"].not_tumour == "postoperative blood"
    analysis.patient.events.append(reading(analysis, "v0", enhancement="bigger"))
    with pytest.raises(InputError) as error:
        judge_responses(analysis)
    assert error.value.message.code == "response_reading"


def test_a_reading_on_a_day_without_a_visit_is_named():
    analysis = patient((12, 12, 12), Event("reading", datetime.date(2023, 2, 2), details={"new_lesion": True}))
    assert "response_reading_without_visit" in {message.code for message in course(analysis).messages}


def test_a_detail_that_nobody_asks_for_is_named_and_harms_nothing():
    analysis = patient((12, 12, 12))
    analysis.patient.events.append(reading(analysis, "v2", quality="poor"))
    update_lesions(analysis)
    assert found(analysis, "v2") == ("SD",)
    assert "response_reading_unknown" in {message.code for message in course(analysis).messages}


def test_lines_of_another_lesion_do_not_count():
    """An edit gave the identity to another lesion: the lines that the reader drew lie elsewhere."""
    analysis = patient((12, 12, 12))
    ends = np.array([[[90.0, 0, 0], [120.0, 0, 0]], [[105.0, -10, 0], [105.0, 10, 0]]])
    analysis.reader_lines["v2", "L1", "reader"] = ends
    update_lesions(analysis)
    assert next(lesion for lesion in analysis.lesions if lesion.visit == "v2").by_reader == ()


def test_bt_rads_from_what_the_reader_compares():
    analysis = patient((12, 16, 12), enhancement="worse", flair="worse")
    assert analysis.response.bt_rads_of("v0").possible == ("0",)
    assert analysis.response.bt_rads_of("v1").possible == ("3a",), "ten weeks after radiotherapy"
    assert set(analysis.response.bt_rads_of("v2").possible) == {"3c", "4"}, "whether it is major was not said"
    assert any(message.code == "response_bt_rads_share" for message in context(analysis, "v1"))
    assert not any(message.code == "response_bt_rads_share" for message in context(analysis, "v2"))
