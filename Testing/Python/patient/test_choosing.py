"""Several series for one role: the clearly better one with the reason, else none until somebody chooses."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.analysis.correcting import correct
from PseudoProgressionAnalyzerLib.analysis.run import run, start
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Series
from PseudoProgressionAnalyzerLib.patient import editing, read
from PseudoProgressionAnalyzerLib.patient.choosing import Facts, choose, open_roles
from PseudoProgressionAnalyzerLib.patient.export import write_patient_file
from PseudoProgressionAnalyzerLib.patient.folder import _times

A, B = "2023-01-10", "2023-05-08"


def put(folder, study, name, shape=(40, 50, 60), spacing=(3.0, 3.0, 3.0), **fields):
    path = folder / study / f"{name}.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    write_image(Image(values, np.diag([*spacing, 1.0])), path)
    if fields:
        (folder / study / f"{name}.json").write_text(json.dumps(fields))


@pytest.fixture
def folder(tmp_path):
    for study in (A, B):
        put(tmp_path, study, "T1CE")
    return tmp_path


def codes(messages):
    return [message.code for message in messages]


def names(several):
    return sorted(series.path.name for series in several)


def chosen_and_why(folder, role="T1CE", visit=B):
    visit = read(folder).visit(visit)
    return visit.of_role(role).path.name, [series.reason.code for series in visit.set_aside]


def test_two_of_the_same_kind_stay_open_and_only_that_visit_waits(folder):
    put(folder, B, "t1_post")
    patient = read(folder)
    visit = patient.visit(B)
    assert patient.problems == [] and visit.of_role("T1CE") is None
    assert names(open_roles(visit)["T1CE"]) == ["T1CE.nii.gz", "t1_post.nii.gz"]
    assert codes(visit.warnings) == ["role_open"]
    assert "t1_post.nii.gz" in texts.sentence(visit.warnings[0]) and texts.remedy(visit.warnings[0])
    analysis = run(start(patient), last_step="step_read")
    assert set(analysis.images) == {(A, "T1CE")}


def test_one_is_chosen_in_the_table_and_stays_chosen_in_the_file(folder):
    put(folder, B, "t1_post")
    patient = read(folder)
    analysis = run(start(patient), last_step="step_read")
    second = next(series for series in open_roles(patient.visit(B))["T1CE"] if series.path.name == "t1_post.nii.gz")
    edited = editing.set_role(patient, B, second, "T1CE")
    visit = edited.visit(B)
    assert visit.of_role("T1CE").path.name == "t1_post.nii.gz"
    assert codes(series.reason for series in visit.set_aside) == ["series_another_chosen"]
    assert visit.warnings == [] and open_roles(visit) == {}
    correct(analysis, edited)
    run(analysis, last_step="step_read")
    assert (B, "T1CE") in analysis.images
    write_patient_file(edited, folder)
    again = read(folder).visit(B)
    assert again.of_role("T1CE").path.name == "t1_post.nii.gz" and again.warnings == []
    assert codes(patient.visit(B).warnings) == ["role_open"], "the patient before stays as it was"


def test_when_one_is_set_aside_the_other_plays_the_role(folder):
    put(folder, B, "t1_post")
    patient = read(folder)
    visit = editing.set_role(patient, B, open_roles(patient.visit(B))["T1CE"][0], editing.NOT_USED).visit(B)
    assert visit.of_role("T1CE") is not None and visit.warnings == []
    assert visit.of_role("T1CE").reason.code == "role_alone"


def test_patient_json_settles_it(folder):
    put(folder, B, "t1_post")
    (folder / "patient.json").write_text(json.dumps({"roles": {f"{B}/t1_post.nii.gz": "T1CE"}}))
    assert chosen_and_why(folder) == ("t1_post.nii.gz", ["series_another_stated"])


def test_a_single_visit_that_waits_can_be_loaded_and_not_computed(tmp_path):
    put(tmp_path, A, "T1CE")
    put(tmp_path, A, "t1_post")
    analysis = run(start(read(tmp_path)), last_step="step_read")
    assert analysis.images == {}
    with pytest.raises(InputError) as caught:
        run(analysis)
    assert caught.value.message.code == "nothing_to_measure"


def test_an_open_role_beside_the_t1ce_blocks_nothing_else(folder):
    put(folder, B, "FLAIR")
    put(folder, B, "t2_flair")
    visit = read(folder).visit(B)
    assert list(open_roles(visit)) == ["FLAIR"] and visit.of_role("T1CE") is not None


@pytest.mark.parametrize(
    ("shape", "spacing", "fields", "code"),
    [
        ((40, 50, 60), (3.0, 3.0, 3.0), {"ImageType": ["DERIVED", "SECONDARY"]}, "original"),
        ((12, 50, 60), (3.0, 3.0, 3.0), {}, "coverage"),
        ((20, 50, 60), (3.0, 3.0, 6.0), {}, "finer"),
    ],
)
def test_the_clearly_better_one_is_chosen_with_the_reason(folder, shape, spacing, fields, code):
    put(folder, B, "t1_post", shape, spacing, **fields)
    assert chosen_and_why(folder) == ("T1CE.nii.gz", [f"series_another_{code}"])


def test_coverage_counts_before_fine_voxels(folder):
    put(folder, B, "t1_post", (30, 200, 240), (0.75, 0.75, 1.5))  # a slab of 45 mm
    assert chosen_and_why(folder) == ("T1CE.nii.gz", ["series_another_coverage"])


def test_what_the_lesion_was_drawn_on(folder):
    put(folder, B, "t1_post", (39, 50, 60))
    put(folder, B, "lesion", (39, 50, 60))
    assert chosen_and_why(folder) == ("t1_post.nii.gz", ["series_another_drawn_on"])


def test_the_later_one_where_both_say_when(folder):
    put(folder, A, "FLAIR", AcquisitionTime="10:01:00")
    put(folder, A, "t2_flair", AcquisitionTime="10:09:00")
    assert chosen_and_why(folder, "FLAIR", A) == ("t2_flair.nii.gz", ["series_another_later"])


def test_runs_of_bids(tmp_path):
    for name in ("run-1_FLAIR", "run-2_FLAIR", "ce-gd_T1w"):
        put(tmp_path, "sub-07/ses-a/anat", f"sub-07_ses-a_{name}")
    (visit,) = read(tmp_path).visits
    assert visit.of_role("FLAIR").path.name == "sub-07_ses-a_run-2_FLAIR.nii.gz"
    assert codes(series.reason for series in visit.set_aside) == ["series_another_later"]


def test_two_looks_on_one_day_are_never_mixed(folder):
    for study in (A, f"{A}_b"):
        put(folder, study, "FLAIR")
    put(folder, f"{A}_b", "T1CE", (40, 50, 60), (2.0, 2.0, 2.0))  # finer, but it may be another day's
    patient = read(folder)
    assert set(open_roles(patient.visit(A))) == {"T1CE", "FLAIR"}
    apart = editing.move_study(patient, f"{A}_b", "later")
    for visit_id in (A, "later"):
        visit = apart.visit(visit_id)
        assert {series.role for series in visit.series} == {"T1CE", "FLAIR"}
        assert open_roles(visit) == {} and visit.warnings == []


def test_the_study_with_the_t1ce_counts(folder):
    put(folder, A, "FLAIR")
    put(folder, f"{A}_b", "FLAIR")
    visit = read(folder).visit(A)
    assert visit.of_role("FLAIR").study == A
    assert codes(series.reason for series in visit.set_aside) == ["series_another_with_t1ce"]


def test_a_segmentation_says_which_t1ce_it_was_drawn_on(tmp_path):
    values = np.random.default_rng(1).integers(0, 900, (5, 6, 8)).astype(np.uint16)
    write.volume(tmp_path / "one", values, description="t1 post", AcquisitionTime="100000")
    write.volume(tmp_path / "two", values, description="t1 post km", AcquisitionTime="110000", PixelSpacing=[0.9, 0.9])
    patient = read(tmp_path)
    assert patient.visits[0].of_role("T1CE").description == "t1 post km"
    write.segmentation(
        tmp_path / "seg.dcm", np.ones((1, 6, 8), bool), [(1, (0, 0, 2))], labels=["lesion"],
        reference=write.unique("P1", "A", "t1 post"),
    )  # fmt: skip
    patient = read(tmp_path)
    assert patient.visits[0].of_role("T1CE").description == "t1 post"
    assert [region.purpose for region in patient.regions] == ["lesion"]


def test_order_of_the_list_does_not_matter():
    fine, coarse = (Image(np.zeros((40, 50, 60)), np.diag([edge] * 3 + [1.0])) for edge in (2.0, 3.0))
    items = [("fine", Facts(fine, surer=False)), ("coarse", Facts(coarse)), ("second", Facts(coarse, surer=False))]
    for order in (items, items[::-1]):
        chosen, why = choose(order)
        assert chosen == "coarse" and set(why.values()) == {"surer"}
    assert choose([("one", Facts(fine)), ("same", Facts(fine))])[0] is None
    assert choose([("alone", Facts(fine))]) == ("alone", {})


@pytest.mark.parametrize(
    ("first", "second"), [("14:33:3.45", "14:33:21.0"), ("9:59:59", "10:00:00"), ("8:05:00.5", "8:05:00.75")]
)
def test_times_of_day_are_numbers(folder, first, second):
    """dcm2niix writes seconds without a leading zero."""
    put(folder, A, "FLAIR", AcquisitionTime=first)
    put(folder, A, "t2_flair", AcquisitionTime=second)
    assert chosen_and_why(folder, "FLAIR", A) == ("t2_flair.nii.gz", ["series_another_later"])


def test_days_of_studies_are_dates_and_unlike_kinds_are_not_compared():
    def times(*of):
        named = [Series("T1", Path(name), {"AcquisitionTime": clock}, study=study) for study, name, clock in of]
        return _times(named)

    old, new = times(("12-20-2023-MR-1", "a", "10:00:00"), ("01-05-2024-MR-2", "b", "09:00:00"))
    assert new > old
    for other in (("ses-a", "x_run-2_T1w", "11:00:00"), ("ses-b", "b", "11:00:00"), ("ses-a", "b", None)):
        assert times(("ses-a", "a", "10:00:00"), other) == [None, None]


def test_a_series_that_cannot_play_its_open_role_is_not_given_it(folder):
    for name in ("DSC", "perfusion_dsc"):
        put(folder, B, name, (6, 5, 6, 7))
    patient = read(folder)
    first, _ = open_roles(patient.visit(B))["DSC"]
    visit = editing.set_role(patient, B, first, editing.NOT_USED).visit(B)
    assert visit.of_role("DSC") is None and len(open_roles(visit)["DSC"]) == 1
    assert codes(visit.warnings) == ["edit_fields_missing", "role_open"]


def test_a_choice_that_is_taken_back_leaves_the_role_open(folder):
    for name in ("t1_post", "t1_gd"):
        put(folder, B, name)
    patient = read(folder)
    three = open_roles(patient.visit(B))["T1CE"]
    chosen = editing.set_role(patient, B, three[0], "T1CE")
    back = editing.set_role(chosen, B, chosen.visit(B).of_role("T1CE"), editing.NOT_USED)
    assert names(open_roles(back.visit(B))["T1CE"]) == names(three[1:])
    assert codes(back.visit(B).warnings) == ["role_open"]


@pytest.mark.parametrize("leaving", [A, f"{A}_b"])
def test_a_mask_goes_with_the_open_t1ce_of_its_study(folder, leaving):
    put(folder, f"{A}_b", "T1CE", (40, 50, 60), (2.0, 2.0, 2.0))
    put(folder, f"{A}_b", "lesion", (40, 50, 60), (2.0, 2.0, 2.0))
    patient = read(folder)
    assert "T1CE" in open_roles(patient.visit(A))
    (region,) = editing.move_study(patient, leaving, "later").regions
    assert region.visit == ("later" if leaving == f"{A}_b" else A)
