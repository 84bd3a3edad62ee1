"""Simulated spectroscopic imaging: read back as any NIfTI-MRS, in its place, with metabolites where the head is."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import folder, scans, spectra
from PseudoProgressionAnalyzerLib.formats.spectra import load, water_beside


@pytest.fixture(scope="module")
def written(patient, coarse, tmp_path_factory):
    directory = tmp_path_factory.mktemp("spectra")
    scan = folder.PRESCRIPTIONS["MRSI"]
    made = spectra.simulated(patient.state, patient.visit.lesion, patient.pose, scan, np.random.default_rng(3))
    spectra.write(directory / "MRSI.nii.gz", made[0], made[2], True)
    spectra.write(directory / "MRSI_water.nii.gz", made[1], made[2], False)
    return directory / "MRSI.nii.gz", made


def test_read_back(written):
    path, (fid, water, affine) = written
    found = load(path, water_beside(path))
    assert np.array_equal(found.fid, fid) and np.array_equal(found.water, water)
    assert np.allclose(found.affine, affine)
    assert (found.echo_time, found.sequence) == (spectra.SEQUENCE.echo_time, "PRESS")
    assert found.dwell_time == pytest.approx(spectra.SEQUENCE.dwell_time)
    assert not found.flags  # the frequency axis is the right way round, and clearly so


def test_the_box_lies_around_the_grid(written):
    path, (fid, _, affine) = written
    found = load(path)
    middle = affine @ [*((np.array(fid.shape[2::-1]) - 1) / 2), 1]
    assert np.allclose(found.excited[:3, 3], middle[:3], atol=1e-3)
    assert np.allclose(np.linalg.norm(found.excited[:3, :3], axis=0), spectra.BOX, atol=1e-3)


def test_the_box_ends_by_hand():
    """A box of 96 mm around the middle of voxels of 18 mm: of the outermost, 36 to 54 mm, 12 mm are in it."""
    scan = scans.Prescription((1, 5, 6), (18.0, 18.0, 30.0), (0.0, 0.0, 0.0))
    share = spectra.excited(scan, scan.affine(np.eye(4)))
    assert share[0, 2] == pytest.approx([12 / 18, 1, 1, 1, 1, 12 / 18], abs=0.02)


def test_noise_is_as_stated(written):
    fid, _, _ = written[1]
    assert np.abs(fid[..., -50:]).std() == pytest.approx(spectra.NOISE * np.sqrt(2 - np.pi / 2), rel=0.15)
