"""Times of the lesion measurements on a 256 x 256 x 160 grid with a ragged lesion of 50 mm, as ratios in one run.

The yardstick is one pass of ``numpy.count_nonzero`` and one bounding box over the whole grid.
"""

import os
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.lesion import diameters, matching, proposal, shape, statistics, volume

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "longitudinal"
REAL = {"BrainLesion_BraTS": "segmentation", "BrainLesion_deep_quality_estimation": "seg-BraTS23_1"}


def seconds(task, repeats=5):
    """The shortest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def lesion(spacing):
    """A sphere of 50 mm with a ragged surface and holes."""
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[:160, :256, :256]
    sphere = (k - 80) ** 2 + (j - 128) ** 2 + (i - 128) ** 2 <= (25 / spacing) ** 2
    labels, _ = ndimage.label(sphere & (ndimage.gaussian_filter(rng.normal(size=sphere.shape), 4) > -0.01))
    return labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1


def measure(spacing):
    """Prints seconds and their ratio to the yardstick on isotropic voxels of this many mm."""
    mask, affine = lesion(spacing), np.diag([spacing, spacing, spacing, 1.0])
    values = np.random.default_rng(1).normal(size=mask.shape)
    brain = ndimage.binary_dilation(mask[::4, ::4, ::4], iterations=6).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    post = 100 + 40.0 * mask + values
    click = affine[:3, :3] @ np.argwhere(mask)[0][::-1]
    bright = proposal.brightness(post, affine, brain)
    yardstick = seconds(lambda: (np.count_nonzero(mask), mask.any(axis=(0, 1))))
    tasks = {
        "volume": lambda: volume.volume(mask, affine),
        "diameters, reader": lambda: diameters.diameters(mask, affine, "reader"),
        "diameters, product": lambda: diameters.diameters(mask, affine, "product"),
        "shape": lambda: shape.shape(mask, affine),
        "map statistics": lambda: statistics.region_statistics(values, mask, 0.001),
        "proposal, once": lambda: proposal.brightness(post, affine, brain),
        "proposal, click": lambda: proposal.propose(bright, affine, [click]),
    }
    print(f"voxels of {spacing} mm, lesion of {mask.sum()} voxels; yardstick {yardstick:.4f} s")
    for name, task in tasks.items():
        taken = seconds(task)
        print(f"  {name:20} {taken:.4f} s  {taken / yardstick:7.1f} x")


def real():
    """Prints both rules on the largest enhancing lesions of real BraTS-format cases, with CPU seconds."""
    for folder, file in REAL.items():
        if not DATA.is_dir():
            print(f"skipped: reference data missing: {DATA} (set PPA_REFERENCE_DATA)")
            return
        drawn = read_image(DATA / folder / f"{file}.nii.gz")
        labels = matching.label_lesions(drawn.array == 3, drawn.affine)
        for number in range(1, min(int(labels.max()), 3) + 1):
            mask = labels == number
            for rule in diameters.RULES:
                began = time.process_time()
                lines = diameters.diameters(mask, drawn.affine, rule)
                taken = time.process_time() - began
                print(
                    f"  {folder} lesion {number}, {volume.volume(mask, drawn.affine):.1f} mL, {rule:8}"
                    f"{lines.longest:5.1f} x {lines.perpendicular:4.1f} mm, {lines.product:6.0f} mm2, {taken:.3f} s"
                )


if __name__ == "__main__":
    real()
    measure(1.0)
    measure(0.5)
