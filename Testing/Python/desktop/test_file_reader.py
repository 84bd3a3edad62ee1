"""Which files Slicer opens with this module."""

import json

import nibabel
import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

SLICERS_OWN = 0.5  # qSlicerFileReader::canLoadFileConfidence of a file whose ending is known


def confidence(folder, name, shape, sidecar=None):
    """Of a NIfTI file with a sidecar."""
    from PseudoProgressionAnalyzerLib.desktop.file_reader import confidence as of

    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.float32), np.eye(4)), folder / f"{name}.nii.gz")
    if sidecar is not None:
        (folder / f"{name}.json").write_text(json.dumps(sidecar))
    return of(folder / f"{name}.nii.gz")


def test_a_time_series_is_ours_where_it_says_so(tmp_path):
    four = (4, 4, 4, 3)
    assert confidence(tmp_path, "DSC", four) > SLICERS_OWN
    assert confidence(tmp_path, "sub-01_asl", four) > SLICERS_OWN
    assert confidence(tmp_path, "series7", four, {"ArterialSpinLabelingType": "PCASL"}) > SLICERS_OWN
    assert 0 < confidence(tmp_path, "sub-01_task-rest_bold", four, {"RepetitionTime": 2.0}) < SLICERS_OWN
    assert 0 < confidence(tmp_path, "sub-01_dwi", four) < SLICERS_OWN
    assert confidence(tmp_path, "T1", four[:3]) == 0


def test_spectra_that_cannot_be_used_are_ours_so_that_the_reason_is_told(tmp_path):
    from PseudoProgressionAnalyzerLib.desktop.file_reader import confidence as of

    cut = tmp_path / "cut.rda"
    cut.write_bytes(b">>> Begin of header <<<\r\nVectorSize: 1024\r\n>>> End of header <<<\r\n")
    other = tmp_path / "other.rda"
    other.write_bytes(b"something else" * 500)
    assert of(cut) > SLICERS_OWN and of(other) == 0


def test_tables_of_others_stay_theirs(tmp_path):
    from PseudoProgressionAnalyzerLib.desktop.file_reader import confidence as of

    (tmp_path / "plain.csv").write_text("a,b\n1,2\n")
    (tmp_path / "lcmodel.csv").write_text("Row, Col, NAA, NAA %SD, NAA/Cr\n1, 1, 8.5, 4, 1.4\n")
    (tmp_path / "broken.csv").write_text("Row, Col, NAA, NAA %SD, NAA/Cr\n1, 1, 8.5\n")
    assert of(tmp_path / "plain.csv") == of(tmp_path / "broken.csv") == 0 and of(tmp_path / "lcmodel.csv") > SLICERS_OWN
    (tmp_path / "picture.dcm").write_bytes(b"not DICOM" * 100)
    assert of(tmp_path / "picture.dcm") == 0
