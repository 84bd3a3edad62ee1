"""After a correction: what depends on it is computed again, and nothing else."""

import datetime
import itertools
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.correcting import correct
from PseudoProgressionAnalyzerLib.analysis.reading import read_visit
from PseudoProgressionAnalyzerLib.analysis.run import steps
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Event, Image, InputError, Map, Message, Patient, Region, Series, Visit
from PseudoProgressionAnalyzerLib.patient import editing

A, B, C = "2023-01-10", "2023-05-08", "2023-08-01"
ROLES = ("T1CE", "T1", "FLAIR", "rCBV")
GRID = np.diag([1.0, 1.0, 2.0, 1.0])


@pytest.fixture
def analysis():
    """Three visits whose steps are all done."""
    visits = [
        Visit(
            day, datetime.date.fromisoformat(day), [Series(role, Path(f"/{day}/{role}"), study=day) for role in ROLES]
        )
        for day in (A, B, C)
    ]
    regions = [Region("lesion", day, "lesion", Path(f"/{day}/lesion")) for day in (A, B, C)]
    made = Analysis(Patient("p", visits, [], regions), A)
    for day, role in itertools.product((A, B, C), ROLES[:3]):
        made.images[day, role] = Image(np.full((3, 4, 5), len(made.images)), GRID)
        made.series_to_visit[day, role] = np.eye(4)
    for day in (A, B, C):
        made.maps[day, "rCBV"] = Map(np.ones((3, 4, 5)), GRID, "rCBV")
        made.brains[day], made.visit_to_reference[day] = np.ones((3, 4, 5), bool), np.eye(4)
        made.alignment[day] = {"uncertainty": 0.2}
        made.regions[day, "lesion"] = Image(np.ones((3, 4, 5), bool), GRID)
    made.finished = {(step.code, step.visit) for step in steps(made)}
    return made


def again(analysis, edit):
    """Steps that a correction asks for, by code with their visits."""
    correct(analysis, edit(analysis.patient))
    asked = {}
    for step in steps(analysis):
        if (step.code, step.visit) not in analysis.finished:
            asked.setdefault(step.code, []).append(step.visit)
    return asked


def series(patient, day, role):
    return patient.visit(day).of_role(role)


def test_nothing_changed_asks_for_nothing(analysis):
    assert again(analysis, lambda patient: patient) == {}


def test_events_ask_for_the_assessment_alone(analysis):
    def edit(patient):
        return editing.set_events(patient, [Event("radiotherapy", datetime.date(2022, 11, 1))])

    assert set(again(analysis, edit)) == {"step_lesions", "step_responses", "step_assess"}


def test_a_date_that_changes_no_order_moves_no_number(analysis):
    asked = again(analysis, lambda p: editing.set_date(p, B, datetime.date(2023, 5, 9)))
    assert set(asked) == {"step_lesions", "step_responses", "step_assess"}


def test_an_anatomical_image_keeps_alignment_and_maps(analysis):
    asked = again(analysis, lambda p: editing.set_role(p, B, series(p, B, "FLAIR"), "T2"))
    assert {"step_brain", "step_align", "step_maps"}.isdisjoint(asked)
    assert asked["step_read"] == asked["step_reference_tissue"] == [B]
    assert "step_measure" in asked
    assert (B, "FLAIR") not in analysis.images
    assert (B, "T1CE") in analysis.images
    assert (A, "FLAIR") in analysis.images
    assert (B, "rCBV") in analysis.maps


def test_a_map_keeps_the_alignment(analysis):
    asked = again(analysis, lambda p: editing.set_role(p, B, series(p, B, "rCBV"), "CBF"))
    assert {"step_brain", "step_align"}.isdisjoint(asked)
    assert asked["step_maps"] == [B]
    assert (B, "rCBV") not in analysis.maps
    assert (A, "rCBV") in analysis.maps


def test_another_t1ce_asks_for_its_visit_and_no_other(analysis):
    asked = again(analysis, lambda p: editing.set_role(p, B, series(p, B, "T1"), "T1CE"))
    assert asked["step_align"] == asked["step_brain"] == asked["step_maps"] == [B]
    assert "step_reference_visit" not in asked
    assert B not in analysis.brains
    assert (B, "lesion") in analysis.regions


def test_doubts_of_the_alignment_stay_with_it(analysis):
    doubt, lost = Message("registration_ambiguous", {"distance": 9}), Message("dsc_something")
    analysis.messages[B] = [doubt, lost]
    again(analysis, lambda p: editing.set_role(p, B, series(p, B, "rCBV"), "CBF"))
    assert analysis.messages[B] == [doubt]
    again(analysis, lambda p: editing.set_role(p, B, series(p, B, "T1"), "T1CE"))
    assert B not in analysis.messages


def test_what_is_left_out_comes_back_as_it_was(analysis):
    images = dict(analysis.images)
    asked = again(analysis, lambda p: editing.leave_out(p, B))
    over_all = {"step_response_maps", "step_measure", "step_lesions", "step_responses", "step_assess"}
    assert set(asked) == over_all
    assert [region.visit for region in analysis.patient.regions] == [A, C]
    analysis.finished |= {(step, "") for step in over_all}
    assert set(again(analysis, lambda p: editing.take_in(p, B))) == over_all
    assert all(analysis.images[key] is image for key, image in images.items())
    assert (B, "lesion") in analysis.regions


def test_a_reference_visit_that_is_left_out_or_no_longer_first_is_chosen_anew(analysis):
    asked = again(analysis, lambda p: editing.leave_out(p, A))
    assert asked["step_reference_visit"] == [""]
    assert asked["step_align"] == [B, C]
    assert (analysis.reference_visit, analysis.visit_to_reference) == ("", {})


def test_a_date_before_the_reference_visit_chooses_it_anew(analysis):
    asked = again(analysis, lambda p: editing.set_date(p, C, datetime.date(2022, 12, 30)))
    assert asked["step_align"] == [C, A, B]
    assert "step_brain" not in asked


def test_a_reference_visit_that_the_user_chose_stays(analysis):
    analysis.reference_visit = B
    asked = again(analysis, lambda p: editing.set_date(p, C, datetime.date(2022, 12, 30)))
    assert analysis.reference_visit == B
    assert "step_align" not in asked


def test_a_moved_study_takes_its_regions_along(analysis):
    mask = analysis.regions[C, "lesion"]
    asked = again(analysis, lambda p: editing.move_study(p, C, "new"))
    assert analysis.regions["new", "lesion"] is mask
    assert (C, "lesion") not in analysis.regions
    assert (C, "T1CE") not in analysis.images
    assert asked["step_read"] == ["new"]


def test_a_region_of_the_user_is_kept_and_brought_to_another_t1ce(tmp_path):
    """The T1CE becomes one of other voxels: the drawn region goes along and says so; its file is not read again."""
    coarse, fine = np.diag([2.0, 2.0, 2.0, 1.0]), np.diag([1.0, 1.0, 1.0, 1.0])
    write_image(Image(np.arange(1000, dtype=np.int16).reshape(10, 10, 10), coarse), tmp_path / "T1CE.nii.gz")
    write_image(Image(np.arange(8000, dtype=np.int16).reshape(20, 20, 20), fine), tmp_path / "T1.nii.gz")
    chosen = [Series(role, tmp_path / f"{role}.nii.gz", study="s") for role in ("T1CE", "T1")]
    patient = Patient("p", [Visit("v", None, chosen)], [], [Region("lesion", "v", "lesion", tmp_path / "never.nii")])
    analysis = Analysis(patient)
    drawn = np.zeros((10, 10, 10), bool)
    drawn[2:5, 3:6, 4:7] = True
    analysis.regions["v", "lesion"] = Image(drawn, coarse)
    read_visit(analysis, "v")
    assert analysis.regions["v", "lesion"].array is drawn
    correct(analysis, editing.set_role(patient, "v", chosen[1], "T1CE"))
    read_visit(analysis, "v")
    mask = analysis.regions["v", "lesion"]
    assert mask.array.sum() == 27 * 8
    assert [message.code for message in analysis.messages["v"]] == ["region_brought"]
    analysis.regions["v", "lesion"] = Image(drawn, coarse @ np.diag([1, 1, -1, 1.0]) - np.eye(4, 4, 3) * 50)
    with pytest.raises(InputError) as caught:
        read_visit(analysis, "v")
    assert caught.value.message.code == "region_outside"
