"""Spectra in a patient folder: found by name, with what their own headers say, never read as images."""

import shutil

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import spectra
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.formats.series import read_series_header
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.patient import read
from PseudoProgressionAnalyzerLib.report.inspection import inspection, inspection_table

DATE = "2023-05-08"


@pytest.fixture
def folder(tmp_path):
    """A study with a T1CE and a grid of spectra with its water reference."""
    study = tmp_path / "patient" / DATE
    study.mkdir(parents=True)
    write_image(Image(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6), np.eye(4)), study / "T1CE.nii.gz")
    random = np.random.default_rng(1)
    time = spectra.SEQUENCE.time
    lines = sum(np.exp(2j * np.pi * (4.65 - ppm) * 123.25 * time - 15 * time) for ppm in (2.01, 3.03, 3.21, 3.92))
    fid = (lines + 0.01 * random.normal(size=(1, 3, 2, len(time)))).astype(np.complex64)
    affine = np.diag([6.0, 7.0, 10.0, 1.0])
    spectra.write(study / "MRSI.nii.gz", fid, affine, True)
    spectra.write(study / "MRSI_water.nii.gz", 100 * fid, affine, False)
    return tmp_path / "patient"


def test_a_grid_is_a_series_and_its_water_goes_with_it(folder):
    patient = read(folder)
    (visit,) = patient.visits
    assert not patient.problems and not visit.warnings and not visit.set_aside
    assert [series.role for series in visit.series] == ["MRSI", "T1CE"]
    series = visit.of_role("MRSI")
    assert series.acquisition["EchoTime"] == spectra.SEQUENCE.echo_time
    assert series.acquisition["PulseSequenceType"] == "PRESS"
    header = read_series_header(series)
    assert header.shape == (1, 3, 2) and header.spacing == pytest.approx([6, 7, 10])


def test_inspection_shows_it_and_misses_no_map(folder):
    found = inspection(read(folder), folder)
    assert {"role": "MRSI", "shape": [2, 3, 1]}.items() <= found["visits"][0]["series"][0].items()
    assert "MRSI" not in found["visits"][0]["missing"] and "DSC" in found["visits"][0]["missing"]
    assert "2x3x1" in inspection_table(found)
    (folder / DATE / "MRSI.nii.gz").unlink()
    assert "MRSI" in inspection(read(folder), folder)["visits"][0]["missing"]


def test_the_sidecar_counts_before_the_header(folder):
    (folder / DATE / "MRSI.json").write_text('{"EchoTime": 0.135}')
    assert read(folder).visits[0].of_role("MRSI").acquisition["EchoTime"] == 0.135


def test_an_image_called_spectra_is_a_problem_that_says_so(folder):
    shutil.copy(folder / DATE / "T1CE.nii.gz", folder / DATE / "MRSI.nii.gz")
    (problem,) = read(folder).problems
    assert problem.code == "spectra_nifti_kind"


def test_a_scanners_export_and_a_second_file_of_a_pair(folder, reference_data):
    for name in ("act.spar", "act.sdat"):
        source = reference_data("spectroscopy/osprey/sub-01/ses-01/mrs/sub-01_ses-01_press/sub-01_PRESS_35_" + name)
        shutil.copy(source, folder / DATE / f"MRS.{name[-4:]}")
    patient = read(folder)
    assert not patient.problems and patient.visits[0].of_role("MRS").path.suffix == ".spar"
    shutil.copy(reference_data("spectroscopy/suspect/SVS_30.rda"), folder / DATE / "MRS.rda")
    (visit,) = read(folder).visits
    assert visit.of_role("MRS") is None and "role_open" in [warning.code for warning in visit.warnings]


def test_dicom_spectra_take_their_role_and_water_is_set_aside(tmp_path, reference_data):
    source = reference_data("spectroscopy/gstt_dicom/siemens/pat_data_sv/LN")
    shutil.copytree(source, tmp_path / "dicom")
    (visit,) = read(tmp_path / "dicom").visits
    (series,) = [series for series in visit.series if series.role == "MRS"]
    assert series.acquisition["EchoTime"] == pytest.approx(0.030)
    assert "ref" not in series.description.lower()
    assert read_series_header(series).shape == (1, 1, 1)
    assert len(visit.set_aside) == 2


def test_half_a_pair_and_results_of_others_are_said(folder):
    """A SDAT without its SPAR, and a COORD of LCModel, are never passed over in silence."""
    (folder / DATE / "MRS.SDAT").write_bytes(bytes(64))
    (folder / DATE / "MRS.coord").write_text("a table")
    patient = read(folder)
    assert [(one.code, one.parameters["file"].endswith("MRS.SPAR")) for one in patient.problems] == [
        ("file_missing", True)
    ]
    (visit,) = patient.visits
    assert [(one.code, one.parameters["file"]) for one in visit.warnings] == [("spectra_results", f"{DATE}/MRS.coord")]


def test_spectra_without_an_echo_time_say_so_before_anything_is_computed(folder, monkeypatch):
    from PseudoProgressionAnalyzerLib.patient import folder as reader

    header = reader.read_spectra_header
    monkeypatch.setattr(reader, "read_spectra_header", lambda path: (header(path)[0], {}))
    (visit,) = read(folder).visits
    assert [one.code for one in visit.warnings] == ["spectra_echo_time_unknown"]
    (folder / DATE / "MRSI.json").write_text('{"EchoTime": 0.03}')
    (visit,) = read(folder).visits
    assert not visit.warnings


def test_spectroscopy_in_dicom_beside_images_is_used_and_not_called_unused(folder):
    (folder / DATE / "MRS.dcm").write_bytes(bytes(128) + b"DICM" + bytes(64))
    patient = read(folder)
    assert not any(one.code == "dicom_beside_images" for visit in patient.visits for one in visit.warnings)
    (folder / DATE / "T2.dcm").write_bytes(bytes(128) + b"DICM" + bytes(64))
    assert any(one.code == "dicom_beside_images" for visit in read(folder).visits for one in visit.warnings)
