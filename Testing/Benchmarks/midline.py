"""The mid-sagittal plane under known rotations: of real skull-stripped brains, and of simulated heads that are known.

Run ``python Testing/Benchmarks/midline.py``. A brain is turned and shifted by a known amount and its plane found again.
Real brains: how far the plane follows the plane found unturned. Simulated heads: how far it lies from the plane that
the simulator made, in the head as it was, with a lesion that pushes the tissue aside (mass effect), with the same
lesion without pushing, and without excluding the lesion from the search. Angles in degrees between the normals,
distances in mm at the brain's centre. The last columns hold what the scanner's own plane x = 0 would have missed.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from PseudoProgressionAnalyzerLib.cases import disease, grids, plans, scans, structural
from PseudoProgressionAnalyzerLib.cases.anatomy import make_head
from PseudoProgressionAnalyzerLib.cases.folder import PRESCRIPTIONS, T1_NOISE, T1_SCALE
from PseudoProgressionAnalyzerLib.cases.template import read_template
from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.imaging import resampling
from PseudoProgressionAnalyzerLib.imaging.brain import brain_mask
from PseudoProgressionAnalyzerLib.imaging.midline import Plane, find_midline
from PseudoProgressionAnalyzerLib.measures import Image

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "longitudinal"
REAL = (
    ("BrainLesion_deep_quality_estimation", "seg-BraTS23_1.nii.gz"),
    ("BrainLesion_BraTS", "segmentation.nii.gz"),
)
TURNS = ((0, 0, 0), (5, -8, 6), (-10, 12, -9), (12, 10, 14), (-6, -15, 15))  # degrees about x, y, z


def turned(image: Image, degrees: tuple[float, float, float], centre: np.ndarray) -> tuple[Image, np.ndarray]:
    """The image in another pose about the centre, without resampling, and the pose, 4x4."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    pose[:3, 3] = centre - pose[:3, :3] @ centre + [8.0, -5.0, 6.0]
    return Image(image.array, pose @ image.affine), pose


def apart(found: Plane, normal: np.ndarray, point: np.ndarray, centre: np.ndarray) -> tuple[float, float]:
    """Angle in degrees to a plane's normal, and distance in mm of the two planes at the centre of the brain."""
    angle = np.degrees(np.arccos(np.clip(abs(found.normal @ normal), 0, 1)))
    return float(angle), float(abs(found.distance(centre[np.newaxis])[0] - (centre - point) @ normal))


def show(name: str, image: Image, brain: np.ndarray, exclude: np.ndarray | None, truth: Plane | None) -> None:
    """One row for every rotation; truth: the plane of the unturned head, the one found there when None."""
    centre = resampling.voxel_centres(brain, image.affine).mean(axis=0)
    plain = truth or find_midline(image, brain, exclude=exclude)
    foot = plain.normal * plain.offset
    for degrees in TURNS:
        other, pose = turned(image, degrees, centre)
        began = time.perf_counter()
        found = find_midline(other, brain, exclude=exclude)
        seconds = time.perf_counter() - began
        normal, point = pose[:3, :3] @ plain.normal, pose[:3, :3] @ foot + pose[:3, 3]
        middle = pose[:3, :3] @ centre + pose[:3, 3]
        angle, distance = apart(found, normal, point, middle)
        own = apart(Plane(np.array([1.0, 0, 0]), 0.0), normal, point, middle)
        print(
            f"{name:54s} {degrees!s:14s} {angle:5.2f} deg {distance:5.2f} mm   spread {found.angle_spread:4.1f} deg "
            f"{found.distance_spread:4.1f} mm   correlation {found.correlation:.2f} {seconds:5.1f} s   scanner's own "
            f"{own[0]:5.1f} deg {own[1]:5.1f} mm {' '.join(flag.code for flag in found.flags)}",
            flush=True,
        )


def simulated(mass_effect: bool) -> tuple[Image, np.ndarray, Plane]:
    """T1 after contrast of the second visit of a built-in case in head space, its lesion, and its mid-plane: the plane
    through where the simulator has the middle, which is a little bent as in every head."""
    case = plans.PSEUDOPROGRESSION
    rng = np.random.default_rng([case.seed, 0])
    head = make_head(read_template(), rng)
    centre = head.head_point(case.centre)
    disease.biopsied(head, centre)
    pattern = disease.make_pattern(rng, Image(head.depth, head.affine))
    lesion = case.visits[1].lesion
    lesion = lesion if mass_effect else replace(lesion, mass_effect=0.0)
    state = disease.diseased(head, centre, lesion, pattern)
    pose = grids.pose_matrix((0, 0, 0), (0, 0, 0))
    signal = Image(structural.t1_weighted(state, lesion, True), state.affine)
    scan = PRESCRIPTIONS["T1"]
    image = scans.acquired(signal, pose, scan, T1_SCALE, T1_NOISE, rng)
    ill = state.tissues["enhancing"] + state.tissues.get("necrosis", 0) + state.tissues["oedema"]
    share = grids.scanned(Image(ill.astype(np.float32), state.affine), pose, scan.shape, image.affine, (1, 1, 1))
    middle = (head.depth < -6) & (np.abs(head.lateral) < 5)
    points = resampling.voxel_centres(middle, head.affine)
    *slope, offset = np.linalg.lstsq(np.column_stack([points, np.ones(len(points))]), head.lateral[middle], rcond=None)[
        0
    ]
    size = np.linalg.norm(slope)
    return image, share > 0.5, Plane(np.array(slope) / size, -offset / size)


def main() -> None:
    for folder, labels in REAL:
        if not (DATA / folder).is_dir():
            print(f"{folder} is missing; set PPA_REFERENCE_DATA to the reference data.")
            continue
        image = read_image(DATA / folder / "t1c.nii.gz")
        lesion = read_image(DATA / folder / labels).array > 0
        show(f"real, {folder[11:30]}", image, brain_mask(image), lesion, None)
    for mass_effect in (True, False):
        image, lesion, truth = simulated(mass_effect)
        brain = brain_mask(image)
        name = f"simulated, {'with' if mass_effect else 'without'} mass effect"
        show(name, image, brain, lesion, truth)
        show(f"{name}, lesion not excluded", image, brain, None, truth)


if __name__ == "__main__":
    main()
