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
