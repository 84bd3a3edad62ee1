"""Patient folders: roles, visits, regions, and everything that people get wrong in them."""

import datetime
import json

import jsonschema
import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, Event, Image, InputError
from PseudoProgressionAnalyzerLib.patient.folder import read_patient
from PseudoProgressionAnalyzerLib.patient.roles import role_of_name
from PseudoProgressionAnalyzerLib.patient.visits import group_studies

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def put(folder, study, name, shape=(4, 5, 6), affine=AFFINE, array=None):
    path = folder / study / name
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape) if array is None else array
    write_image(Image(values, affine), path)
    return path


def put_dsc(folder, study, **fields):
    put(folder, study, "DSC.nii.gz", (6, 4, 5, 6))
    if fields:
        (folder / study / "DSC.json").write_text(json.dumps(fields))


@pytest.fixture
def folder(tmp_path):
    for study in ("2023-01-10", "2023-05-08"):
        put(tmp_path, study, "T1CE.nii.gz")
        put(tmp_path, study, "FLAIR.nii.gz")
        put(tmp_path, study, "lesion.nii.gz")
        put_dsc(tmp_path, study, EchoTime=0.03, RepetitionTime=1.5)
    return tmp_path


def state(folder, **content):
    (folder / "patient.json").write_text(json.dumps(content))


def codes(messages):
    return [message.code for message in messages]


def test_a_result_beside_the_studies_is_no_study(folder):
    """It may be written there, and the patient be read again with the next visit; others' folders stay a question."""
    (folder / "result").mkdir()
    mark = folder / "result" / "assessment.json"
    mark.write_text(json.dumps({"disclaimer": DISCLAIMER}))
    assert read_patient(folder).problems == []
    mark.write_text("{}")
    assert codes(read_patient(folder).problems) == ["folder_not_a_date"]


def test_a_plain_folder(folder):
    patient = read_patient(folder)
    assert patient.problems == []
    assert [(visit.id, visit.date) for visit in patient.visits] == [
        ("2023-01-10", datetime.date(2023, 1, 10)),
        ("2023-05-08", datetime.date(2023, 5, 8)),
    ]
    assert {series.role for series in patient.visits[0].series} == {"T1CE", "FLAIR", "DSC"}
    assert [(region.visit, region.purpose) for region in patient.regions] == [
        ("2023-01-10", "lesion"),
        ("2023-05-08", "lesion"),
    ]
    assert patient.visits[1].of_role("DSC").acquisition == {"EchoTime": 0.03, "RepetitionTime": 1.5}


def test_the_patient_is_anonymous_unless_stated(folder):
    assert read_patient(folder).id == "patient"
    state(folder, patient="case-7")
    assert read_patient(folder).id == "case-7"


def test_days_count_from_the_end_of_the_first_radiotherapy(folder):
    state(
        folder,
        events=[
            {"kind": "radiotherapy", "date": "2024-01-01", "end": "2024-01-20"},
            {"kind": "radiotherapy", "date": "2023-03-20", "end": "2023-05-01"},
        ],
    )
    patient = read_patient(folder)
    assert [patient.day(visit) for visit in patient.visits] == [-111, 7]


def test_what_patient_json_states_wins(folder):
    put(folder, "2023-05-08", "odd.nii.gz")
    put(folder, "2023-05-08", "other.nii.gz")
    state(
        folder,
        roles={"2023-05-08/odd.nii.gz": "T2", "2023-05-08/FLAIR.nii.gz": "ignore"},
        regions=[
            {"name": "lesion", "visit": "2023-05-08", "purpose": "lesion", "file": "2023-05-08/lesion.nii.gz",
             "label": 2, "carried": True},
        ],
    )  # fmt: skip
    patient = read_patient(folder)
    visit = patient.visits[1]
    assert {series.role for series in visit.series} == {"T1CE", "DSC", "T2"}
    assert codes(visit.warnings) == ["file_not_recognised"]
    odd = next(series for series in visit.set_aside if series.path.name == "other.nii.gz")
    assert odd.reason.parameters["name"] == "other"  # not a part of the date that the folder is called by
    second = [region for region in patient.regions if region.visit == "2023-05-08"]
    assert [(region.label, region.carried) for region in second] == [(2, True)]


def test_studies_some_days_apart_make_one_visit(folder):
    put(folder, "2023-05-12_MRS", "Cho_NAA_molar.nii.gz")
    patient = read_patient(folder)
    assert [visit.id for visit in patient.visits] == ["2023-01-10", "2023-05-08"]
    assert patient.visits[1].of_role("Cho_NAA_molar") is not None


@pytest.mark.parametrize(
    ("break_it", "code", "named"),
    [
        (lambda f: put(f, "8 May", "T1CE.nii.gz"), "folder_not_a_date", "8 May"),
        (lambda f: put(f, "2023-13-40", "T1CE.nii.gz"), "folder_not_a_date", "2023-13-40"),
        (lambda f: put(f, ".", "T1CE.nii.gz"), "image_outside_study", "T1CE.nii.gz"),
        (lambda f: (f / "2023-05-08" / "DSC.json").unlink(), "fields_missing", "RepetitionTime"),
        (lambda f: put(f, "2023-05-08", "ASL.nii.gz"), "not_a_time_series", "ASL.nii.gz"),
        (lambda f: put(f, "2023-05-08", "T2.nii.gz", (3, 4, 5, 6)), "unexpected_time_series", "T2.nii.gz"),
        (lambda f: put(f, "2023-05-08_b", "lesion.nii.gz"), "mask_twice", "2023-05-08_b"),
        (lambda f: put(f, "2023-05-08", "reference.nii.gz", (4, 5, 7)), "mask_on_other_grid", "reference.nii.gz"),
        (lambda f: (f / "2023-05-08" / "T2.nii.gz").write_bytes(b"no"), "file_unreadable", "T2.nii.gz"),
        (lambda f: (f / "2023-05-08" / "DSC.json").write_text("{"), "json_syntax", "DSC.json"),
        (
            lambda f: (f / "2023-05-08" / "DSC.json").write_text('{"EchoTime": 30, "RepetitionTime": 1.5}'),
            "field_implausible",
            "EchoTime",
        ),
    ],
)  # fmt: skip
def test_a_problem_names_the_file(folder, break_it, code, named):
    break_it(folder)
    problems = read_patient(folder).problems
    assert codes(problems) == [code]
    sentence = texts.sentence(problems[0])
    assert named in sentence
    assert texts.remedy(problems[0])
    assert "{" not in sentence


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"patinet": "x"}, "patinet"),
        ({"patient": 3}, "patient"),
        ({"visit_window_days": 400}, "visit_window_days"),
        ({"visits": {}}, "visits"),
        ({"visits": [{"date": "2023-01-10"}]}, "visits[0].id"),
        ({"visits": [{"id": "a", "date": "10.1.2023"}]}, "visits[0].date"),
        ({"events": [{"kind": "radiation"}]}, "events[0].kind"),
        ({"events": [{"kind": "surgery", "date": "2023-02-30"}]}, "events[0].date"),
        ({"events": [{"kind": "radiotherapy", "date": "2023-05-01", "end": "2023-03-01"}]}, "events[0].end"),
        ({"roles": {"2023-05-08/FLAIR.nii.gz": "FLARE"}}, "roles['2023-05-08/FLAIR.nii.gz']"),
        ({"roles": {"../secret.nii.gz": "FLAIR"}}, "roles['../secret.nii.gz']"),
        ({"roles": {"/etc/passwd": "FLAIR"}}, "roles['/etc/passwd']"),
        ({"roles": {"2023-05-08/absent.nii.gz": "FLAIR"}}, "roles['2023-05-08/absent.nii.gz']"),
        ({"regions": [{"name": "x", "visit": "2023-05-08", "purpose": "tumor", "file": "a"}]}, "regions[0].purpose"),
        (
            {"regions": [{"name": "x", "visit": "2023-05-08", "purpose": "lesion", "file": "../a.nii.gz"}]},
            "regions[0].file",
        ),
        (
            {
                "regions": [
                    {"name": "x", "visit": "a", "purpose": "free", "file": "2023-05-08/lesion.nii.gz", "label": 0}
                ]
            },
            "regions[0].label",
        ),
    ],
)
def test_patient_json_names_the_field(folder, content, field):
    state(folder, **content)
    with pytest.raises(InputError) as error:
        read_patient(folder)
    assert error.value.message.code == "patient_file_field"
    assert error.value.message.parameters["field"] == field


def test_the_schema_agrees_with_the_reader(project, folder):
    schema = json.loads(
        (
            project / "PseudoProgressionAnalyzer/PseudoProgressionAnalyzerLib/patient/schemas/patient.schema.json"
        ).read_text()
    )
    content = {
        "patient": "case-7",
        "visits": [{"id": "first", "date": "2023-01-10", "studies": ["2023-01-10"]}],
        "roles": {"2023-05-08/FLAIR.nii.gz": "ignore"},
        "events": [{"kind": "radiotherapy", "date": "2023-03-20", "end": "2023-05-01", "details": {"dose_gray": 60}}],
        "regions": [
            {"name": "l", "visit": "2023-05-08", "purpose": "lesion", "file": "2023-05-08/lesion.nii.gz", "label": 1}
        ],
    }
    jsonschema.validate(content, schema)
    state(folder, **content)
    assert [visit.id for visit in read_patient(folder).visits] == ["first", "2023-05-08"]
    for wrong in ({"patinet": "x"}, {"events": [{"kind": "radiation"}]}, {"visits": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_an_unknown_region_visit_is_a_problem(folder):
    state(
        folder,
        regions=[{"name": "l", "visit": "2022-01-01", "purpose": "free", "file": "2023-05-08/lesion.nii.gz"}],
    )
    assert codes(read_patient(folder).problems) == ["region_visit_unknown"]


def test_no_folder_and_an_empty_folder(tmp_path):
    for path, code in ((tmp_path / "absent", "folder_missing"), (tmp_path, "folder_empty")):
        with pytest.raises(InputError) as error:
            read_patient(path)
        assert error.value.message.code == code


def test_a_visit_without_t1ce_is_listed_with_a_warning(tmp_path):
    put(tmp_path, "2023-01-10", "FLAIR.nii.gz")
    assert codes(read_patient(tmp_path).visits[0].warnings) == ["no_t1ce"]


def day(number):
    return datetime.date(2023, 1, 1) + datetime.timedelta(days=number)


def test_surgery_in_between_separates_visits():
    studies = [("a", day(0), frozenset({"T1CE"})), ("b", day(3), frozenset({"FLAIR"}))]
    assert group_studies(studies, []) == [["a", "b"]]
    assert group_studies(studies, [Event("surgery", day(1))]) == [["a"], ["b"]]
    assert group_studies(studies, [], window_days=2) == [["a"], ["b"]]


def test_a_second_t1ce_is_a_new_visit():
    studies = [("a", day(0), frozenset({"T1CE"})), ("b", day(3), frozenset({"T1CE"}))]
    assert group_studies(studies, []) == [["a"], ["b"]]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_visits_partition_the_studies_and_keep_the_window(days):
    studies = [(f"s{n}", day(number), frozenset()) for n, number in enumerate(days)]
    dates = {name: date for name, date, _ in studies}
    visits = group_studies(studies, [])
    assert sorted(name for visit in visits for name in visit) == sorted(dates)
    flat = [dates[name] for visit in visits for name in visit]
    assert flat == sorted(flat)
    for visit in visits:
        assert (dates[visit[-1]] - dates[visit[0]]).days <= 14


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("BraTS-GLI-00001-000-t1c", "T1CE"),
        ("BraTS20_Training_001_t1ce", "T1CE"),
        ("BraTS20_Training_001_flair", "FLAIR"),
        ("BraTS-GLI-00001-000-t2f", "FLAIR"),
        ("BraTS-GLI-00001-000-seg", "segmentation"),
        ("PatientID_0003_Timepoint_1_brain_t1n", "T1"),
        ("PatientID_0003_Timepoint_1_tumorMask", "segmentation"),
        ("CT1", "T1CE"),
        ("Pre_Scan_T1", None),
        ("brats_readme", None),
    ],
)
def test_names_of_public_data_sets(name, role):
    assert role_of_name(name)[0] == role


def test_a_header_without_orientation_is_said(folder):
    assert not any("orientation_unsaid" in codes(visit.warnings) for visit in read_patient(folder).visits)
    image = nibabel.Nifti1Image(np.arange(120, dtype=np.int16).reshape(6, 5, 4), None)
    image.header.set_zooms((1, 1, 2))
    nibabel.save(image, folder / "2023-05-08" / "FLAIR.nii.gz")
    first, second = read_patient(folder).visits
    assert "orientation_unsaid" not in codes(first.warnings)
    (warning,) = [one for one in second.warnings if one.code == "orientation_unsaid"]
    assert warning.parameters["file"].endswith("FLAIR.nii.gz")


def test_a_header_that_says_two_places_is_said(folder):
    image = nibabel.Nifti1Image(np.arange(120, dtype=np.int16).reshape(6, 5, 4), AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE + np.array([[0, 0, 0, 8], [0] * 4, [0] * 4, [0] * 4]), 2)
    nibabel.save(image, folder / "2023-05-08" / "FLAIR.nii.gz")
    first, second = read_patient(folder).visits
    assert "header_places_differ" not in codes(first.warnings)
    (warning,) = [one for one in second.warnings if one.code == "header_places_differ"]
    assert warning.parameters["file"].endswith("FLAIR.nii.gz") and warning.parameters["apart"] == 8


@pytest.mark.parametrize(("header", "said"), [(1.5, False), (1.52, False), (0.02, True), (3.0, True)])
def test_two_times_between_frames_are_said(folder, header, said):
    image = nibabel.Nifti1Image(np.arange(720, dtype=np.int16).reshape(6, 5, 4, 6), AFFINE)
    image.header.set_zooms((1, 1, 2, header))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, folder / "2023-01-10" / "DSC.nii.gz")
    assert ("frame_time_differs" in codes(read_patient(folder).visits[0].warnings)) == said


@pytest.mark.parametrize(("thickness", "said"), [(1.0, True), (6.5, False)])
def test_a_head_of_24_mm_has_lost_its_voxel_size(tmp_path, thickness, said):
    """A real pair as published: 256 x 256 x 24 voxels whose header says 1 mm, of slices of about 6.5 mm."""
    affine = np.diag([1.0, 1.0, thickness, 1.0])
    put(tmp_path, "2023-01-10", "T1CE.nii.gz", array=np.zeros((24, 256, 256), np.uint8), affine=affine)
    assert ("slab_or_voxel_size" in codes(read_patient(tmp_path).visits[0].warnings)) == said
