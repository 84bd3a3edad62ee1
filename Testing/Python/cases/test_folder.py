"""A written visit: read as a patient folder without a complaint, the same bytes every time."""

import filecmp
import json

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import folder, grids, plans, spectra
from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.patient.folder import read_patient

FILES = {"T1", "T1CE", "FLAIR", "DSC", "MRSI"}


def write(patient, directory, seed=11):
    target = directory / str(patient.visit.date)
    target.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    shares = list(folder.write_visit(patient.visit, patient.state, patient.head, target, rng))
    assert shares == sorted(shares) and shares[-1] == 1.0
    return target


@pytest.fixture(scope="module")
def written(patient, coarse, tmp_path_factory):
    directory = tmp_path_factory.mktemp("case") / "patient"
    write(patient, directory)
    (directory / "patient.json").write_text(json.dumps(folder.patient_record(plans.PSEUDOPROGRESSION)))
    return directory


def test_folder_is_read_without_a_complaint(written, patient):
    found = read_patient(written)
    assert found.problems == []
    (visit,) = found.visits
    assert visit.warnings == [] and visit.date == patient.visit.date
    assert {series.role for series in visit.series} == FILES
    assert found.day(visit) == 7
    assert [event.kind for event in found.events] == [event.kind for event in plans.PSEUDOPROGRESSION.events]
    assert any(region.carried and region.label == 1 for region in found.regions)
    dsc = visit.of_role("DSC").acquisition
    assert (dsc["EchoTime"], dsc["RepetitionTime"], dsc["MagneticFieldStrength"]) == (0.030, 1.5, 3.0)


def test_same_seed_same_bytes(written, patient, coarse, tmp_path):
    first, again = written / str(patient.visit.date), write(patient, tmp_path)
    names = sorted(path.name for path in first.iterdir())
    others = {"lesion.nii.gz", "MRSI_water.nii.gz"}
    assert set(names) == {f"{name}{end}" for name in FILES for end in (".nii.gz", ".json")} | others
    match, mismatch, errors = filecmp.cmpfiles(first, again, names, shallow=False)
    assert sorted(match) == names and not mismatch and not errors


def test_another_seed_is_another_scan(written, patient, coarse):
    scan = patient.state, patient.visit.lesion, patient.pose, folder.PRESCRIPTIONS["MRSI"]
    first, again, other = (spectra.simulated(*scan, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_written_images_have_signal_where_the_head_is(written, patient):
    visit = written / str(patient.visit.date)
    grid = read_image(visit / "T1CE.nii.gz")
    brain = grids.scanned(
        Image((patient.head.depth < -3).astype(np.float32), patient.head.affine),
        patient.pose, grid.shape, grid.affine, (1, 1, 1),
    )  # fmt: skip
    assert grid.array[brain > 0.9].mean() > 10 * grid.array[:3, :3].mean()
    lesion = read_image(visit / "lesion.nii.gz")
    assert set(np.unique(lesion.array)) == {0, 1} and np.allclose(lesion.affine, grid.affine, atol=1e-4)


def test_dsc_shows_the_bolus(written, patient):
    dsc = read_image(written / str(patient.visit.date) / "DSC.nii.gz")
    white = grids.scanned(
        Image(patient.state.tissues["white"], patient.state.affine), patient.pose, dsc.shape, dsc.affine, (2, 2, 2)
    )
    curve = dsc.array[:, white > 0.7].mean(axis=1)
    assert dsc.array.shape[0] == 60
    assert curve[2:13].std() / curve[2:13].mean() < 0.01
    assert 0.12 < 1 - curve.min() / curve[2:13].mean() < 0.4
    assert 14 <= np.argmin(curve) <= 22
    assert curve[-5:].mean() > 0.9 * curve[2:13].mean()


def test_truth_record():
    record = folder.truth_record(plans.TRUE_PROGRESSION, [{"id": "x", "volume": 1.0}])
    assert record["answer"] == "true_progression" and record["visits"][0]["id"] == "x"
    assert record["units"]["volume"] == "mL"


def test_patient_record_does_not_tell_the_answer():
    for case in plans.CASES.values():
        assert "progression" not in json.dumps(folder.patient_record(case)).lower()
