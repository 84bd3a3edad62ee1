"""Corrections of roles, dates, visits and events: what changes, what must not, and that they come back from a file."""

import copy
import datetime
import json
import shutil
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Event, Image, InputError, Message
from PseudoProgressionAnalyzerLib.patient import editing, read
from PseudoProgressionAnalyzerLib.patient.export import folder_of, patient_file_of, write_patient_file

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
A, B, C = "2023-01-10", "2023-05-08", "2023-08-01"
SPECTRA = "2023-05-30"


def put(folder, study, name, shape=(4, 5, 6)):
    path = folder / study / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(Image(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), AFFINE), path)


@pytest.fixture
def folder(tmp_path):
    for study in (A, B, C):
        for name in ("T1CE", "T1", "FLAIR", "lesion"):
            put(tmp_path, study, f"{name}.nii.gz")
    put(tmp_path, B, "mystery.nii.gz")
    put(tmp_path, "2023-05-30_MRS", "Cho_Cr_area.nii.gz")
    (tmp_path / "patient.json").write_text(
        json.dumps({"events": [{"kind": "radiotherapy", "date": "2022-11-01", "end": "2022-12-12"}]})
    )
    return tmp_path


@pytest.fixture
def patient(folder):
    return read(folder)


def shape_of(patient):
    """What corrections are about, without the reasons."""
    return [
        (visit.id, visit.date, sorted((series.role, series.path.name) for series in visit.series))
        for visit in patient.visits
    ]


def series_called(visit, name):
    return next(series for series in (*visit.series, *visit.set_aside) if series.path.name == name)


def refused(code, work):
    with pytest.raises(InputError) as caught:
        work()
    assert caught.value.message.code == code
    return caught.value.message.parameters


def every_edit(patient):
    one = patient.visits[0]
    yield editing.set_role(patient, A, series_called(one, "T1.nii.gz"), "T2")
    yield editing.set_date(patient, A, datetime.date(2024, 1, 1))
    yield editing.move_study(patient, C, "new")
    yield editing.leave_out(patient, B)
    yield editing.take_in(editing.leave_out(patient, B), B)
    yield editing.set_events(patient, [Event("IDH", None, None, {"mutated": True})])


def test_the_earlier_patient_stays_as_it_was(patient):
    before = copy.deepcopy(patient)
    assert len(list(every_edit(patient))) == 6
    assert patient == before


def test_what_is_taken_in_again_is_as_before(patient):
    back = editing.take_in(editing.leave_out(patient, B), B)
    assert shape_of(back) == shape_of(patient)
    assert {(r.visit, r.name) for r in back.regions} == {(r.visit, r.name) for r in patient.regions}
    assert back.left_out == []


def test_a_role_is_stated_and_its_holder_set_aside(patient):
    visit = patient.visit(B)
    edited = editing.set_role(patient, B, series_called(visit, "T1.nii.gz"), "T1CE").visit(B)
    chosen = edited.of_role("T1CE")
    assert (chosen.path.name, chosen.confidence) == ("T1.nii.gz", 1.0)
    assert chosen.reason == Message("role_stated", {"role": "T1CE"})
    assert edited.of_role("T1") is None
    aside = series_called(edited, "T1CE.nii.gz")
    assert (aside.role, aside.reason.code) == ("", "series_another_chosen")
    assert len(edited.series) + len(edited.set_aside) == len(visit.series) + len(visit.set_aside)


def test_an_unknown_file_gets_a_role_and_its_warning_goes(patient):
    visit = patient.visit(B)
    assert "file_not_recognised" in [warning.code for warning in visit.warnings]
    edited = editing.set_role(patient, B, series_called(visit, "mystery.nii.gz"), "T2").visit(B)
    assert edited.of_role("T2").path.name == "mystery.nii.gz"
    assert "file_not_recognised" not in [warning.code for warning in edited.warnings]


def test_setting_the_t1ce_aside_says_so_at_once(patient):
    edited = editing.set_role(patient, A, patient.visit(A).of_role("T1CE"), editing.NOT_USED)
    assert [warning.code for warning in edited.visit(A).warnings] == ["no_t1ce"]
    again = editing.set_role(edited, A, series_called(edited.visit(A), "T1CE.nii.gz"), "T1CE")
    assert again.visit(A).warnings == []


def test_roles_that_cannot_be(patient):
    one = patient.visit(A).of_role("T1")
    assert "T1CE" in refused("unknown_role", lambda: editing.set_role(patient, A, one, "T7"))["known"]
    fields = refused("edit_fields_missing", lambda: editing.set_role(patient, A, one, "DSC"))["fields"]
    assert fields == "EchoTime, RepetitionTime"
    refused("not_a_time_series", lambda: editing.set_role(patient, A, one, "DSC", dimensions=3))
    refused("unexpected_time_series", lambda: editing.set_role(patient, A, one, "T2", dimensions=4))
    refused("edit_series_gone", lambda: editing.set_role(patient, B, one, "T2"))
    refused("unknown_visit", lambda: editing.set_role(patient, "never", one, "T2"))


def test_a_date_moves_the_visit_and_not_its_name(patient):
    edited = editing.set_date(patient, A, datetime.date(2023, 6, 10))
    assert [visit.id for visit in edited.visits] == [B, SPECTRA, A, C]
    assert edited.day(edited.visit(A)) == 180  # from 2022-12-12, counted on a calendar
    unknown = editing.set_date(patient, A, None)
    assert [visit.id for visit in unknown.visits] == [B, SPECTRA, C, A]
    assert unknown.day(unknown.visit(A)) is None
    assert "study_date_unknown" in [warning.code for warning in unknown.visit(A).warnings]
    dated = editing.set_date(unknown, A, datetime.date(2023, 1, 10))
    assert shape_of(dated) == shape_of(patient)


def test_a_study_leaves_its_visit(patient):
    assert [visit.id for visit in patient.visits] == [A, B, SPECTRA, C]
    spectra = patient.visit(SPECTRA)
    assert editing.studies_of(spectra) == ["2023-05-30_MRS"]
    joined = editing.move_study(patient, "2023-05-30_MRS", B)
    assert [visit.id for visit in joined.visits] == [A, B, C]
    assert joined.visit(B).of_role("Cho_Cr_area") is not None
    apart = editing.move_study(joined, "2023-05-30_MRS", SPECTRA, datetime.date(2023, 5, 30))
    assert shape_of(apart) == shape_of(patient)


def test_regions_go_with_the_t1ce_that_they_were_drawn_on(patient):
    edited = editing.move_study(patient, C, SPECTRA)
    assert sorted(region.visit for region in edited.regions) == [A, B, SPECTRA]
    assert edited.visit(SPECTRA).of_role("T1CE") is not None


def test_moves_that_cannot_be(patient):
    assert refused("edit_role_taken", lambda: editing.move_study(patient, C, B))["role"] in ("T1CE", "T1", "FLAIR")
    refused("edit_study_unknown", lambda: editing.move_study(patient, "never", B))
    refused("edit_visit_id", lambda: editing.move_study(patient, C, ""))


def test_the_last_t1ce_cannot_be_left_out(patient):
    two = editing.leave_out(editing.leave_out(patient, A), B)
    assert [left.visit.id for left in two.left_out] == [A, B]
    assert [region.visit for region in two.regions] == [C]
    refused("edit_last_visit", lambda: editing.leave_out(two, C))


def test_events_are_checked_and_sorted(patient):
    day = datetime.date.fromisoformat
    good = [
        Event("MGMT", None, None, {"methylated": False}),
        Event("clinical_status", day("2023-05-01"), None, {"status": "worse"}),
        Event("biopsy", day("2023-02-01"), None, {"viable_tumour_percent": 30, "treatment_effect_percent": 70}),
    ]
    edited = editing.set_events(patient, good)
    assert [event.kind for event in edited.events] == ["biopsy", "clinical_status", "MGMT"]
    for field, bad in (
        ("kind", Event("magic", None)),
        ("end", Event("radiotherapy", day("2023-02-01"), day("2023-01-01"))),
        ("viable_tumour_percent", Event("biopsy", None, None, {"viable_tumour_percent": 130})),
        ("viable_tumour_percent", Event("biopsy", None, None, {"viable_tumour_percent": "much"})),
        ("viable_tumour_percent", Event("biopsy", None, None, {"viable_tumour_percent": True})),
        ("treatment_effect_percent",
         Event("biopsy", None, None, {"viable_tumour_percent": 60, "treatment_effect_percent": 70})),
        ("dose_mg_per_day", Event("dexamethasone", None, None, {"dose_mg_per_day": -1})),
        ("dose_mg_per_day", Event("dexamethasone", None, None, {"dose_mg_per_day": float("nan")})),
        ("status", Event("clinical_status", None, None, {"status": "well"})),
        ("mutated", Event("IDH", None, None, {"mutated": "yes"})),
    ):  # fmt: skip
        said = refused("event_field", lambda bad=bad: editing.set_events(patient, [bad]))
        assert said["field"] == field


def test_the_same_check_reads_the_file(folder):
    (folder / "patient.json").write_text(
        json.dumps({"events": [{"kind": "clinical_status", "details": {"status": "well"}}]})
    )
    assert refused("patient_file_field", lambda: read(folder))["field"] == "events[0].details.status"


# patient.json: the correction is repeatable


def corrected(patient):
    visit = patient.visit(B)
    edited = editing.set_role(patient, B, series_called(visit, "T1.nii.gz"), "T1CE")
    edited = editing.set_role(edited, A, patient.visit(A).of_role("FLAIR"), editing.NOT_USED)
    edited = editing.move_study(edited, "2023-05-30_MRS", B)
    edited = editing.set_date(edited, A, datetime.date(2023, 2, 2))
    edited = editing.leave_out(edited, C)
    events = [*edited.events, Event("dexamethasone", datetime.date(2023, 4, 1), None, {"dose_mg_per_day": 4})]
    return editing.set_events(edited, events)


def test_reading_again_gives_the_corrected_patient(patient, folder):
    edited = corrected(patient)
    write_patient_file(edited, folder)
    again = read(folder)
    assert shape_of(again) == shape_of(edited)
    assert again.events == edited.events
    assert again.problems == []
    assert {(r.visit, r.name) for r in again.regions} == {(r.visit, r.name) for r in edited.regions}
    write_patient_file(again, folder)  # what is not read any more is not forgotten
    assert shape_of(read(folder)) == shape_of(edited)


def state(folder, **content):
    (folder / "patient.json").write_text(json.dumps(content))


def stated(folder):
    return json.loads((folder / "patient.json").read_text())


def test_saving_keeps_what_it_cannot_read(folder):
    """A study whose folder is away, a region on other voxels, a region of a visit that is not there, the window."""
    put(folder, A, "coarse.nii.gz", (2, 3, 4))
    put(folder, A, "drawn.nii.gz")
    away = {"id": "elsewhere", "date": "2023-12-01", "studies": ["2023-12-01"]}
    far = {"name": "far", "visit": A, "purpose": "free", "file": f"{A}/coarse.nii.gz"}
    later = {"name": "later", "visit": "elsewhere", "purpose": "free", "file": f"{A}/drawn.nii.gz"}
    roles = {f"{A}/{name}.nii.gz": "ignore" for name in ("coarse", "drawn")}
    state(folder, visit_window_days=5, visits=[away], regions=[far, later], roles=roles)
    patient = read(folder)
    assert len(patient.problems) == 3
    for _ in range(2):
        write_patient_file(patient, folder)
        content = stated(folder)
        assert content["visit_window_days"] == 5
        assert away in content["visits"] and len(content["visits"]) == 5
        assert content["regions"] == [far, later]
        patient = read(folder)


def test_a_stated_region_of_a_visit_that_is_left_out_waits_with_it(folder):
    put(folder, B, "hollow.nii.gz")
    hollow = {"name": "hollow", "visit": B, "purpose": "cavity", "file": f"{B}/hollow.nii.gz"}
    state(folder, regions=[hollow], roles={f"{B}/hollow.nii.gz": "ignore"})
    write_patient_file(editing.leave_out(read(folder), B), folder)
    without = read(folder)
    assert without.problems == [] and B not in [visit.id for visit in without.visits]
    write_patient_file(without, folder)
    assert stated(folder)["regions"] == [hollow]
    content = stated(folder)
    del next(entry for entry in content["visits"] if entry["id"] == B)["include"]
    state(folder, **content)
    again = read(folder)
    assert again.problems == [] and (B, "hollow") in [(region.visit, region.name) for region in again.regions]


def test_a_study_of_masks_alone_stays_in_its_visit(tmp_path):
    """Joined by the window; after saving, visits are stated and the window joins nothing any more."""
    put(tmp_path, A, "T1CE.nii.gz")
    put(tmp_path, "2023-01-12", "lesion.nii.gz")
    for _ in range(2):
        patient = read(tmp_path)
        assert [(region.name, region.visit) for region in patient.regions] == [("lesion", A)]
        assert [visit.id for visit in patient.visits] == [A]
        write_patient_file(patient, tmp_path)


def test_a_date_that_nobody_knows_stays_unknown(patient, folder):
    write_patient_file(editing.set_date(patient, A, None), folder)
    assert read(folder).visit(A).date is None
    content = stated(folder)
    del next(entry for entry in content["visits"] if entry["id"] == A)["date"]
    state(folder, **content)
    assert read(folder).visit(A).date == datetime.date.fromisoformat(A), "not stated: by its folder"


def test_an_interrupted_save_leaves_the_file_of_before(patient, folder, monkeypatch):
    before = (folder / "patient.json").read_text()
    replace = Path.replace

    def interrupted(self, target):
        if Path(target).name == "patient.json":
            raise OSError("the disk is gone")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(OSError, match="gone"):
        write_patient_file(corrected(patient), folder)
    assert (folder / "patient.json").read_text() == before
    assert not (folder / "patient.json.partial").exists()


def test_the_file_follows_its_schema(patient, folder):
    schema_file = Path(editing.__file__).parent / "schemas" / "patient.schema.json"
    content = patient_file_of(corrected(patient), folder)
    jsonschema.validate(content, json.loads(schema_file.read_text()), format_checker=jsonschema.FormatChecker())


def test_the_earlier_file_is_kept_and_a_broken_one_is_not_built_on(patient, folder):
    before = (folder / "patient.json").read_text()
    write_patient_file(corrected(patient), folder)
    assert (folder / "patient.json.before").read_text() == before
    (folder / "patient.json").write_text("{")
    refused("json_syntax", lambda: write_patient_file(patient, folder))
    assert (folder / "patient.json").read_text() == "{"


def test_a_patient_without_a_folder_has_no_such_file(patient, tmp_path):
    for visit in patient.visits:
        for series in (*visit.series, *visit.set_aside):
            series.study = ""
    refused("edit_no_folder", lambda: patient_file_of(patient, tmp_path))


def test_what_is_known_of_a_patient_is_not_written_over_another_ones(patient, folder, tmp_path):
    """Their study folders may have the same names: dates."""
    other = tmp_path / "other"
    put(other, A, "T1CE.nii.gz")
    (other / "patient.json").write_text('{"patient": "somebody else"}')
    refused("edit_other_folder", lambda: write_patient_file(patient, other))
    assert (other / "patient.json").read_text() == '{"patient": "somebody else"}'
    assert [path.name for path in other.iterdir() if path.is_file()] == ["patient.json"]
    assert folder_of(patient) == folder
    assert folder_of(read(other)) == other


def test_dicom_corrections_come_back_by_uid(tmp_path):
    values = (np.arange(3 * 4 * 5).reshape(3, 4, 5) % 50).astype(np.uint16)
    for name, date in (("one", "20230110"), ("two", "20230508"), ("three", "20230801")):
        common = {"study": name, "date": date}
        write.volume(tmp_path / name / "a", values, description="t1_mprage_sag", series="a", **common)
        agent = {"ContrastBolusAgent": "Gadobutrol", "series": "b"}
        write.volume(tmp_path / name / "b", values, description="t1_mprage_tra", **agent, **common)
    patient = read(tmp_path)
    assert [visit.id for visit in patient.visits] == [A, B, C]
    first = patient.visit(A)
    assert {series.role for series in first.series} == {"T1", "T1CE"}
    edited = editing.set_role(patient, A, first.of_role("T1"), "T1CE")
    edited = editing.leave_out(editing.set_date(edited, B, datetime.date(2023, 5, 9)), C)
    write_patient_file(edited, tmp_path)
    again = read(tmp_path)
    assert [(visit.id, visit.date) for visit in again.visits] == [(v.id, v.date) for v in edited.visits]
    assert again.visit(A).of_role("T1CE").uid == first.of_role("T1").uid
    assert again.visit(A).of_role("T1") is None


def t1ce_of(folder):
    """Description and part of the T1CE that reading the folder finds; None without one."""
    (visit,) = read(folder).visits
    found = visit.of_role("T1CE")
    return None if found is None else (found.description, found.part)


def choose(folder, description, part="", role="T1CE"):
    """The user gives a series of the folder's one visit a role, and saves."""
    patient = read(folder)
    (visit,) = patient.visits
    every = (*visit.series, *visit.set_aside)
    (series,) = [one for one in every if one.description == description and part in one.part]
    edited = editing.set_role(patient, visit.id, series, role)
    write_patient_file(edited, folder)
    return edited.visits[0]


def test_of_dicom_series_the_last_choice_comes_back(tmp_path):
    """Three T1 that nothing tells apart; also where a path in patient.json had named one."""
    values = (np.arange(3 * 4 * 5).reshape(3, 4, 5) % 50).astype(np.uint16)
    for number, name in enumerate(("one", "two", "three")):
        write.volume(tmp_path / name, values + np.uint16(number), description=f"t1 post {name}", study="s")
    assert t1ce_of(tmp_path) is None
    for name in ("one", "two", "three", "one"):
        choose(tmp_path, f"t1 post {name}")
        assert t1ce_of(tmp_path)[0] == f"t1 post {name}"
    (tmp_path / "patient.json").write_text(json.dumps({"roles": {"two": "T1CE"}}))
    choose(tmp_path, "t1 post three")
    assert t1ce_of(tmp_path)[0] == "t1 post three"


def test_a_part_of_a_dicom_series_is_chosen_or_set_aside_alone(tmp_path):
    """One series with an original and a derived image, as some scanners save them."""
    values = (np.arange(3 * 4 * 5).reshape(3, 4, 5) % 50).astype(np.uint16)
    common = {"description": "t1 post", "series": "s", "study": "s"}
    write.volume(tmp_path / "a", values, **common)
    derived = ["DERIVED", "PRIMARY", "MPR", "ND"]
    write.volume(tmp_path / "b", values + np.uint16(1), ImageType=derived, EchoTime=3.5, **common)
    assert "ORIGINAL" in t1ce_of(tmp_path)[1]
    choose(tmp_path, "t1 post", "DERIVED", "")
    assert "ORIGINAL" in t1ce_of(tmp_path)[1]
    choose(tmp_path, "t1 post", "DERIVED")
    assert "DERIVED" in t1ce_of(tmp_path)[1]
    choose(tmp_path, "t1 post", "DERIVED", "")
    assert t1ce_of(tmp_path) is None or "ORIGINAL" in t1ce_of(tmp_path)[1]


def test_dicom_spectra_that_were_set_aside_stay_so(tmp_path, reference_data):
    shutil.copytree(reference_data("spectroscopy/gstt_dicom/siemens/pat_data_sv/LN"), tmp_path / "dicom")
    (visit,) = read(tmp_path / "dicom").visits
    first, others = visit.of_role("MRS"), [one for one in visit.set_aside if "ref" not in one.description]
    choose(tmp_path / "dicom", first.description, role="")
    (visit,) = read(tmp_path / "dicom").visits
    assert visit.of_role("MRS").description == others[0].description
    choose(tmp_path / "dicom", first.description, role="MRS")
    (visit,) = read(tmp_path / "dicom").visits
    assert visit.of_role("MRS").description == first.description
