"""Labels of real segmentations: which convention the contrast uptake leaves, as they are and with two labels swapped.

Run ``python Testing/Benchmarks/labels.py``. Of each label: volume and the median of T1CE over T1, scaled so that brain
outside every label has 1. With the labels of enhancement and oedema swapped nothing may be taken as it then stands.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.labelling import read_labels
from PseudoProgressionAnalyzerLib.analysis.run import run, start
from PseudoProgressionAnalyzerLib.formats.images import read_image, write_image
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.patient import read

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "longitudinal"
CASES = (
    ("BrainLesion_BraTS", "segmentation.nii.gz", 3),
    ("BrainLesion_deep_quality_estimation", "seg-BraTS23_1.nii.gz", 3),
    ("BrainLesion_deep_quality_estimation", "seg-bratstoolkit_isen.nii.gz", 4),
)  # the last is the label of enhancement, by the data's description
OEDEMA = 2
VISIT = "2023-01-01"


def analysed(case: str, labels: Image) -> Analysis:
    """The case with this segmentation, up to the reading of its labels; its images are skull-stripped and aligned."""
    with tempfile.TemporaryDirectory() as name:
        study = Path(name) / VISIT
        study.mkdir()
        for role in ("t1c", "t1n"):
            shutil.copy(DATA / case / f"{role}.nii.gz", study)
        write_image(labels, study / "seg.nii.gz")
        analysis = run(start(read(Path(name))), last_step="step_read")
        analysis.brains[VISIT] = analysis.images[VISIT, "T1CE"].array != 0
        read_labels(analysis, VISIT)
    return analysis


def show(said: str, analysis: Analysis, labels: np.ndarray) -> None:
    """One line for the outcome, one for each label."""
    codes = [one for one in analysis.messages.get(VISIT, []) if one.code.startswith("labels_")]
    regions = ", ".join(f"{region.label} {region.purpose}" for region in analysis.patient.regions)
    conventions = [one.parameters.get("convention") or one.parameters.get("conventions", "") for one in codes]
    print(f"{said}: {' '.join(one.code for one in codes)} {'; '.join(conventions)}   regions: {regions or 'none'}")
    before, after = (analysis.images[VISIT, role].array.astype(float) for role in ("T1", "T1CE"))
    normal = analysis.brains[VISIT] & (labels == 0)
    ratio = after / np.maximum(before * np.median(after[normal]) / np.median(before[normal]), 1e-6)
    for label in np.unique(labels[labels > 0]):
        print(f"   label {label}: {np.median(ratio[labels == label]):.2f} times as bright after contrast", flush=True)


def main() -> None:
    if not DATA.is_dir():
        print("The real cases are missing; set PPA_REFERENCE_DATA to the reference data.")
        return
    for case, name, enhancing in CASES:
        given = read_image(DATA / case / name)
        labels = np.rint(given.array).astype(np.uint8)
        show(f"{case}/{name}", analysed(case, Image(labels, given.affine)), labels)
        swapped = labels.copy()
        swapped[labels == enhancing], swapped[labels == OEDEMA] = OEDEMA, enhancing
        show("   swapped", analysed(case, Image(swapped, given.affine)), swapped)


if __name__ == "__main__":
    main()
