"""Real serial glioblastoma pairs as patient folders (TCIA Brain-Tumor-Progression, CC BY 3.0, as reference data).

The voxel size of these files was lost (their headers say 1 mm): 0.94 x 0.94 x 6.5 mm is assumed, as stated with the
data. The first date lies within 90 days after chemoradiotherapy, whose own dates are not known.
"""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.formats.images import read_image, write_image
from PseudoProgressionAnalyzerLib.measures import Image

SOURCE = "longitudinal/SagaraBattousai_BrainTumorProgression"
PAIRS = ("01", "02", "05")
ASSUMED_SPACING = (0.94, 0.94, 6.5)


def dates(source: Path, pair: str) -> tuple[str, str]:
    """The two dates of a pair (ISO)."""
    with (source / "supplementary.csv").open(newline="") as file:
        for row in csv.DictReader(file, skipinitialspace=True, escapechar="\\"):
            if row["id"] == pair:
                return row["initialDate"], row["endDate"]
    raise KeyError(pair)


def with_assumed_spacing(path: Path) -> Image:
    """An image of a pair with the assumed voxel size, first voxel where it was."""
    image = read_image(path)
    scale = np.diag([*(np.array(ASSUMED_SPACING) / image.spacing), 1.0])
    return Image(image.array, image.affine @ scale)


def make_patient(source: Path, pair: str, folder: Path) -> Path:
    """Writes the pair as a patient folder; the lesion of the first date is also carried into the second."""
    folder.mkdir(parents=True)
    first, second = dates(source, pair)
    for date, name in ((first, "Pre"), (second, "Post")):
        (folder / date).mkdir()
        scan = with_assumed_spacing(source / pair / f"{name}_Scan_T1.nii.gz")
        write_image(Image(scan.array.astype(np.float32), scan.affine), folder / date / "T1CE.nii.gz")
        mask = with_assumed_spacing(source / pair / f"{name}_Mask.nii.gz")
        write_image(Image((mask.array > 0).astype(np.uint8), mask.affine), folder / date / "lesion.nii.gz")
    (folder / "patient.json").write_text(
        json.dumps(
            {
                "patient": f"pair-{pair}",
                "events": [{"kind": "radiotherapy", "date": None}],
                "regions": [
                    {
                        "name": "lesion",
                        "visit": first,
                        "purpose": "lesion",
                        "file": f"{first}/lesion.nii.gz",
                        "label": 1,
                        "carried": True,
                    }
                ],
            },
            indent=1,
        )
    )
    return folder


if __name__ == "__main__":  # python real_pairs.py PAIR FOLDER: a patient for the self-test in Slicer
    data = os.environ.get("PPA_REFERENCE_DATA", str(Path(__file__).parents[3] / "shared" / "data"))
    print(make_patient(Path(data) / SOURCE, sys.argv[1], Path(sys.argv[2])))
