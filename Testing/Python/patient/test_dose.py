"""Doses of a patient's DICOM files: in the visit that they lie on, or set aside with the reason."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write
from dose_writing import dose_file, of_plan, plan_file, registration_file

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.formats.series import read_series, read_series_header
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.patient import read
from PseudoProgressionAnalyzerLib.patient.dose import ALIGNED, PRESCRIBED, TRANSFORM
from PseudoProgressionAnalyzerLib.patient.export import patient_file_of

VALUES = (np.arange(3 * 4 * 5).reshape(3, 4, 5) % 50).astype(np.uint16)
GRAY = np.full((3, 4, 5), 60.0)


@pytest.fixture
def folder(tmp_path):
    """Two visits with a T1CE each, of their own frames of reference."""
    for date, name in (("20230110", "first"), ("20230508", "second")):
        frame = write.unique("frame", name)
        tags = {"study": name, "date": date, "ContrastBolusAgent": "Gadobutrol", "FrameOfReferenceUID": frame}
        write.volume(tmp_path / name, VALUES, description="t1_mprage", **tags)
    return tmp_path


def doses(patient):
    return [(visit.id, series) for visit in patient.visits for series in visit.series if series.role == "RTDOSE"]


def test_a_dose_lies_in_the_visit_of_its_frame_with_its_prescription(folder):
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="second", ReferencedRTPlanSequence=of_plan())
    plan_file(folder / "rt" / "p.dcm", [60])
    patient = read(folder)
    ((visit, series),) = doses(patient)
    assert visit == "2023-05-08"
    assert series.acquisition == {"Units": "Gy", "DoseType": "PHYSICAL", PRESCRIBED: [60], ALIGNED: "T1CE"}
    assert "T1CE" in texts.sentence(series.reason)
    np.testing.assert_allclose(read_series(series).array, GRAY, atol=1e-3)
    assert read_series_header(series).shape == GRAY.shape
    assert [one.id for one in patient.visits] == ["2023-01-10", "2023-05-08"]  # the planning study is no visit
    assert patient.problems == []


def test_a_dose_on_another_frame_is_set_aside_with_the_reason(folder):
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="ct", date="20230501")
    patient = read(folder)
    assert doses(patient) == []
    (aside,) = [series for series in patient.visits[1].set_aside if "dose" in series.description]
    assert aside.reason.code == "dose_not_aligned"
    assert "dose_not_aligned" in [warning.code for warning in patient.visits[1].warnings]


def test_a_registration_leads_to_the_visit(folder):
    """CT to the registered frame by A, the T1CE by B: a point of the CT is inv(B) A of it (LPS, here shifts)."""
    a, b = np.eye(4), np.eye(4)
    a[:3, 3], b[:3, 3] = (10, 0, 0), (0, 4, 0)
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="ct")
    registration_file(folder / "rt" / "r.dcm", {"ct": a, "first": b}, frame="elsewhere")
    ((visit, series),) = doses(read(folder))
    assert visit == "2023-01-10"
    np.testing.assert_allclose(np.array(series.acquisition[TRANSFORM])[:3, 3], [-10, 4, 0])


def test_several_doses_are_used_only_by_the_users_word(folder):
    for name in ("one", "two"):
        dose_file(folder / "rt" / f"{name}.dcm", GRAY, study="plan", frame="first", series=name, number=ord(name[0]))
    patient = read(folder)
    assert doses(patient) == []
    assert [warning.code for warning in patient.visits[0].warnings].count("dose_several") == 1
    (folder / "patient.json").write_text(json.dumps({"roles": {"rt/two.dcm": "RTDOSE"}}))
    ((_, series),) = doses(read(folder))
    assert series.path.name == "two.dcm"
    (folder / "patient.json").write_text(json.dumps({"roles": {"rt/one.dcm": "ignore"}}))
    ((_, series),) = doses(read(folder))
    assert series.path.name == "two.dcm"


@pytest.mark.parametrize("tags", [{"DoseUnits": "RELATIVE"}, {"DoseSummationType": "FRACTION"}, {"frame": None}])
def test_a_dose_that_cannot_be_used_stops_nothing(folder, tags):
    if "frame" in tags:
        tags = {"FrameOfReferenceUID": None}
    dose_file(folder / "rt" / "d.dcm", GRAY, **{"frame": "first", "study": "plan", **tags})
    patient = read(folder)
    assert doses(patient) == []
    assert patient.problems == []
    assert any(warning.code.startswith("dose_") for visit in patient.visits for warning in visit.warnings)


def test_another_persons_dose_is_refused(folder):
    dose_file(folder / "rt" / "d.dcm", GRAY, patient="P2", frame="first")
    with pytest.raises(InputError) as raised:
        read(folder)
    assert raised.value.message.code == "patients_mixed"


def test_patient_json_of_a_patient_with_dose_reads_back(folder):
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="second")
    before = read(folder)
    (folder / "patient.json").write_text(json.dumps(patient_file_of(before, folder)))
    after = read(folder)
    assert after.problems == []
    assert [series for _, series in doses(after)] == [series for _, series in doses(before)]


@pytest.mark.parametrize("name", ["RTDOSE", "dose"])
def test_a_nifti_dose_by_its_name(tmp_path, name):
    image = Image(np.ones((4, 5, 6), np.float32), np.eye(4))
    (tmp_path / "2023-01-10").mkdir()
    write_image(image, tmp_path / "2023-01-10" / "T1CE.nii.gz")
    write_image(image, tmp_path / "2023-01-10" / f"{name}.nii.gz")
    (tmp_path / "2023-01-10" / f"{name}.json").write_text('{"Units": "Gy"}')
    ((_, series),) = doses(read(tmp_path))
    assert series.acquisition == {"Units": "Gy"}
