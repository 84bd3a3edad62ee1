"""No folder that may be called after the patient is shown with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from PseudoProgressionAnalyzerLib.patient.shown_path import shown_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/data/Miller_Anna/2020-03-02/DSC.nii.gz", "2020-03-02/DSC.nii.gz"),
        ("/data/Miller_Anna/2020-03-02_Miller_Anna/DSC.nii.gz", "2020-03-02/DSC.nii.gz"),
        ("/data/Miller_Anna/03-02-2020-MILLER-12345/1-01.dcm", "2020-03-02/1-01.dcm"),
        ("/data/Miller_Anna/001.dcm", "001.dcm"),
        ("/data/sub-Miller/ses-1/perf/asl.nii.gz", "perf/asl.nii.gz"),
        ("/data/Miller_Anna/scan/001.dcm", "001.dcm"),
        ("001.dcm", "001.dcm"),
    ],
)
def test_a_folder_is_told_where_it_says_a_date_or_a_kind_of_image(path, shown):
    assert shown_path(Path(path)) == shown
