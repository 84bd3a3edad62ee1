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
from PseudoProgressionAnalyzerLib.patient import editing, read
from PseudoProgressionAnalyzerLib.patient.choosing import open_roles
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


def uid(patient, number):
    return patient.visits[number].of_role("T1CE").uid


def test_a_dose_lies_in_the_visit_of_its_frame_with_its_prescription(folder):
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="second", ReferencedRTPlanSequence=of_plan())
    plan_file(folder / "rt" / "p.dcm", [60])
    patient = read(folder)
    ((visit, series),) = doses(patient)
    assert visit == "2023-05-08"
    assert series.acquisition == {"Units": "Gy", "DoseType": "PHYSICAL", PRESCRIBED: [60], ALIGNED: [uid(patient, 1)]}
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


def aside(patient, code):
    return [one for visit in patient.visits for one in visit.set_aside if one.reason and one.reason.code == code]


def warned(patient):
    return [warning.code for visit in patient.visits for warning in visit.warnings]


def open_t1ce(folder):
    """A second T1CE in the second visit, of a frame of reference of its own, that only its user can choose between."""
    tags = {"study": "second", "date": "20230508", "ContrastBolusAgent": "Gadobutrol", "AcquisitionTime": None}
    tags |= {"series": "again", "FrameOfReferenceUID": write.unique("frame", "again")}
    write.volume(folder / "again", VALUES + np.uint16(1), description="t1_space", **tags)


def test_a_dose_on_an_open_t1ce_waits_for_the_users_choice(folder, monkeypatch):
    open_t1ce(folder)
    monkeypatch.setattr("PseudoProgressionAnalyzerLib.patient.dicom.choose", lambda items: (
        (None, {}) if len(items) > 1 else (items[0][0], {})
    ))  # fmt: skip
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="again")
    patient = read(folder)
    visit = patient.visits[1]
    (other,) = [series for series in open_roles(visit)["T1CE"] if series.description == "t1_space"]
    ((where, dose),) = doses(patient)
    assert (where, dose.acquisition[ALIGNED]) == (visit.id, [other.uid])
    assert "dose_not_aligned" not in warned(patient)
    chosen = editing.set_role(patient, visit.id, other, "T1CE")
    assert doses(chosen) == [(visit.id, dose)]


def test_a_dose_on_a_t1ce_that_lost_is_not_said_to_lie_nowhere(folder):
    """It is placed there; the analysis says that its series is not used, until the user chooses it."""
    open_t1ce(folder)
    dose_file(folder / "one.dcm", GRAY, study="plan", frame="again")
    patient = read(folder)
    ((where, dose),) = doses(patient)
    assert where == patient.visits[1].id
    (uid_there,) = dose.acquisition[ALIGNED]
    every = (*patient.visits[1].series, *patient.visits[1].set_aside)
    assert [one.description for one in every if one.uid == uid_there] == ["t1_space"]


def test_a_dose_that_is_set_aside_keeps_what_it_says(folder):
    dose_file(folder / "d.dcm", GRAY, study="plan", frame="ct", ReferencedRTPlanSequence=of_plan())
    plan_file(folder / "p.dcm", [60])
    (dose,) = aside(read(folder), "dose_not_aligned")
    assert dose.acquisition == {"Units": "Gy", "DoseType": "PHYSICAL", PRESCRIBED: [60]}


def test_a_dose_goes_with_the_study_of_its_series(folder):
    dose_file(folder / "rt" / "d.dcm", GRAY, study="plan", frame="second")
    patient = read(folder)
    study = patient.visits[1].of_role("T1CE").study
    moved = editing.move_study(patient, study, "new")
    assert [visit.id for visit in moved.visits] == ["2023-01-10", "new"]
    assert doses(moved) == [("new", doses(patient)[0][1])]


@pytest.mark.parametrize(("shift", "used"), [(0.5, True), (2.0, False)])
def test_registrations_that_contradict_each_other(folder, shift, used):
    dose_file(folder / "d.dcm", GRAY, study="plan", frame="ct")
    for number, name in enumerate(("a", "b")):
        matrix = np.eye(4)
        matrix[0, 3] = 10 + number * shift
        registration_file(folder / f"{name}.dcm", {"ct": matrix, "first": np.eye(4)}, frame=f"elsewhere {name}")
    patient = read(folder)
    assert bool(doses(patient)) is used
    assert ("dose_registrations_differ" in warned(patient)) is not used
    assert len(aside(patient, "dose_registrations_differ")) == (0 if used else 1)


def test_a_damaged_plan_or_registration_stops_no_good_dose(folder):
    dose_file(folder / "d.dcm", GRAY, study="plan", frame="second", ReferencedRTPlanSequence=of_plan())
    plan_file(folder / "p.dcm", ["60", "1e400"])
    registration_file(folder / "r.dcm", {"ct": np.full((4, 4), np.nan)}, frame="elsewhere")
    patient = read(folder)
    ((visit, series),) = doses(patient)
    assert visit == "2023-05-08" and PRESCRIBED not in series.acquisition
    assert warned(patient).count("dicom_tag_wrong") == 2
    assert len(aside(patient, "dicom_tag_wrong")) == 2


def test_plans_and_registrations_are_listed(folder):
    plan_file(folder / "p.dcm", [60])
    registration_file(folder / "r.dcm", {"first": np.eye(4)}, frame="elsewhere")
    listed = aside(read(folder), "series_beside_dose")
    assert sorted(one.path.name for one in listed) == ["p.dcm", "r.dcm"]
    assert "RT Plan" in " ".join(texts.sentence(one.reason) for one in listed)
