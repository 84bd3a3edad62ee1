"""BIDS subjects and folders of The Cancer Imaging Archive that were converted to NIfTI."""

import json

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.patient import read
from PseudoProgressionAnalyzerLib.patient.choosing import open_roles


def put(path, shape=(4, 5, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(Image(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), np.eye(4)), path)


def codes(messages):
    return [message.code for message in messages]


@pytest.fixture
def subject(tmp_path):
    """Two sessions, the later one named first in the alphabet."""
    subject = tmp_path / "sub-07"
    for session in ("ses-early", "ses-a"):
        name = f"sub-07_{session}"
        put(subject / session / "anat" / f"{name}_T1w.nii.gz")
        put(subject / session / "anat" / f"{name}_ce-gadolinium_T1w.nii.gz")
        put(subject / session / "anat" / f"{name}_FLAIR.nii.gz")
        put(subject / session / "perf" / f"{name}_dsc.nii.gz", (6, 4, 5, 6))
        put(tmp_path / "derivatives" / "hand" / "sub-07" / session / "anat" / f"{name}_label-lesion_mask.nii.gz")
    (tmp_path / "sub-07" / "sub-07_sessions.tsv").write_text(
        "session_id\tacq_time\nses-early\t2023-01-10T10:00:00\nses-a\t2023-05-08\n"
    )
    (tmp_path / "dsc.json").write_text(json.dumps({"EchoTime": 0.03, "RepetitionTime": 1.5}))
    (subject / "ses-a" / "perf" / "sub-07_ses-a_dsc.json").write_text(json.dumps({"EchoTime": 0.045}))
    return tmp_path


@pytest.mark.parametrize("where", ["", "sub-07"])
def test_a_subject(subject, where):
    patient = read(subject / where)
    assert patient.problems == []
    assert [(visit.id, visit.date.isoformat()) for visit in patient.visits] == [
        ("ses-early", "2023-01-10"),
        ("ses-a", "2023-05-08"),
    ]
    for visit in patient.visits:
        assert {series.role for series in visit.series} == {"T1", "T1CE", "FLAIR", "DSC"}
        assert "ce-gadolinium" in visit.of_role("T1CE").path.name
    assert sorted((region.visit, region.purpose) for region in patient.regions) == [
        ("ses-a", "lesion"),
        ("ses-early", "lesion"),
    ]


def test_nearer_sidecars_win(subject):
    early, late = (visit.of_role("DSC").acquisition for visit in read(subject).visits)
    assert early == {"EchoTime": 0.03, "RepetitionTime": 1.5}
    assert late == {"EchoTime": 0.045, "RepetitionTime": 1.5}
    assert codes(read(subject).visits[1].warnings) == ["acquired_otherwise"]


def test_a_session_without_date(subject):
    (subject / "sub-07" / "sub-07_sessions.tsv").unlink()
    patient = read(subject)
    assert [visit.date for visit in patient.visits] == [None, None]
    assert "session_date_unknown" in codes(patient.visits[0].warnings)
    (subject / "sub-07" / "ses-a" / "sub-07_ses-a_scans.tsv").write_text(
        "filename\tacq_time\nanat/sub-07_ses-a_T1w.nii.gz\t2023-05-08T08:00:00\n"
    )
    assert [(visit.id, visit.date is None) for visit in read(subject).visits] == [("ses-a", False), ("ses-early", True)]


def test_several_subjects_are_refused(subject):
    put(subject / "sub-08" / "anat" / "sub-08_T1w.nii.gz")
    with pytest.raises(InputError) as error:
        read(subject)
    assert error.value.message.code == "subjects_several"
    assert {"sub-07", "sub-08"} <= set(error.value.message.parameters.values())
    assert read(subject / "sub-07").problems == []


@pytest.mark.parametrize(("rows", "problems"), [(4, []), (3, ["asl_context_length"])])
def test_label_and_control(subject, rows, problems):
    stem = subject / "sub-07" / "ses-a" / "perf" / "sub-07_ses-a"
    put(stem.with_name(stem.name + "_asl.nii.gz"), (4, 4, 5, 6))
    labels = ["control", "label", "control", "label"][:rows]
    stem.with_name(stem.name + "_aslcontext.tsv").write_text("volume_type\n" + "\n".join(labels) + "\n")
    patient = read(subject)
    assert codes(patient.problems) == problems
    context = patient.visits[1].of_role("ASL").acquisition.get("ASLContext")
    assert context == (labels if not problems else None)


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda s: (s / "dsc.json").unlink(), "fields_missing"),
        (lambda s: (s / "dsc.json").write_text('{"EchoTime": 30, "RepetitionTime": 1.5}'), "field_implausible"),
        (lambda s: (s / "dsc.json").write_text("{"), "json_syntax"),
        (lambda s: put(s / "sub-07/ses-a/anat/sub-07_ses-a_T2w.nii.gz", (3, 4, 5, 6)), "unexpected_time_series"),
        (lambda s: put(s / "sub-07/ses-a/perf/sub-07_ses-a_asl.nii.gz"), "not_a_time_series"),
    ],
)
def test_problems(subject, break_it, code):
    break_it(subject)
    assert set(codes(read(subject).problems)) == {code}


def test_archive_folders_of_images(tmp_path):
    for date in ("08-13-1996", "01-17-1997"):
        study = tmp_path / f"{date}-Mr Rcbv Sequence-46313"
        for name in ("T1post", "T1prereg", "FLAIRreg", "T2reg", "ADCreg", "nRCBVreg", "MaskTumor", "sRCBVreg", "dT1"):
            put(study / f"11.000000-{name}-73420" / "image.nii.gz")
    patient = read(tmp_path)
    assert patient.problems == []
    assert [visit.date.isoformat() for visit in patient.visits] == ["1996-08-13", "1997-01-17"]
    found = {"T1CE", "T1", "FLAIR", "T2", "ADC", "rCBV", "sRCBV"}
    assert {series.role for series in patient.visits[0].series} == found
    assert [region.purpose for region in patient.regions] == ["lesion", "lesion"]
    assert codes(patient.visits[0].warnings) == ["file_not_recognised"]


def test_what_time_points_of_asl_are_is_known_before_one_is_chosen(subject):
    for name in ("acq-a", "acq-b"):
        file = subject / "sub-07" / "ses-a" / "perf" / f"sub-07_ses-a_{name}_asl.nii.gz"
        put(file, (2, 4, 5, 6))
        file.with_name(f"sub-07_ses-a_{name}_aslcontext.tsv").write_text("volume_type\ncontrol\nlabel\n")
    visit = read(subject).visits[1]
    assert visit.of_role("ASL") is None
    found = [series.acquisition.get("ASLContext") for series in open_roles(visit)["ASL"]]
    assert found == [["control", "label"]] * 2


@pytest.mark.parametrize(
    ("label", "purpose"),
    [
        ("label-lesion", "lesion"), ("label-enhancingtumor", "lesion"), ("desc-nawm", "reference"),
        ("label-nonenhancing", None), ("label-peritumoraledema", None), ("label-tumorcavity", None),
        ("label-tumornecrosis", None), ("desc-wholetumor", None), ("label-brain", None),
    ],
)  # fmt: skip
def test_what_is_named_after_the_tumour_is_not_the_lesion(subject, label, purpose):
    folder = subject / "derivatives" / "hand" / "sub-07" / "ses-a" / "anat"
    (folder / "sub-07_ses-a_label-lesion_mask.nii.gz").unlink()
    put(folder / f"sub-07_ses-a_{label}_mask.nii.gz")
    patient = read(subject)
    assert [region.purpose for region in patient.regions if region.visit == "ses-a"] == ([purpose] if purpose else [])
    assert ("file_not_recognised" in codes(patient.visits[1].warnings)) == (purpose is None)
