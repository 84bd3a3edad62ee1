"""Lesions proposed from clicks against drawn masks: Dice, clicks and seconds.

Run it from the project's root: ``python Testing/Benchmarks/proposals.py``. The settings of ``lesion/proposal.py`` were
chosen on the eight real masks listed first (development): what they score says how well they fit, not how well they
work. The others were never looked at for that: the simulated cases with their truth, a real tumour of another source,
and the development cases with noise, blur and another shading added.

A click falls where a person would put it: on the brightest tissue well inside the lesion; each further one, up to five,
into the largest piece that is still missing. Accepted: Dice of 0.8.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))
import real_pairs

from PseudoProgressionAnalyzerLib import cases
from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.imaging.brain import brain_mask
from PseudoProgressionAnalyzerLib.lesion.proposal import brightness, propose
from PseudoProgressionAnalyzerLib.lesion.subtraction import subtract
from PseudoProgressionAnalyzerLib.measures import Image

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / "longitudinal"
ACCEPTED, MOST_CLICKS = 0.8, 5


def dice(one, other):
    """Overlap of two masks, 0 to 1."""
    whole = np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * np.count_nonzero(one & other) / whole if whole else 0.0


def click(image, missing):
    """RAS mm inside the largest missing piece: among its deeper half, the brightest after a little smoothing."""
    pieces, count = ndimage.label(missing)
    if count == 0:
        return None
    piece = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    depth = ndimage.distance_transform_edt(piece, sampling=image.spacing[::-1])
    deep = piece & (depth >= np.median(depth[piece]))
    smooth = ndimage.gaussian_filter(image.array.astype(np.float32), 0.7)
    voxel = np.unravel_index(np.argmax(np.where(deep, smooth, -np.inf)), deep.shape)
    return (image.affine @ [*voxel[::-1], 1.0])[:3]


def tried(image, drawn, brain, pre=None):
    """(Dice after one click, best Dice, clicks to it or to acceptance, CPU seconds once and per click)."""
    began = time.process_time()
    bright = brightness(image.array, image.affine, brain | drawn)
    once = time.process_time() - began
    excluded = None
    if pre is not None:
        inside = ndimage.binary_erosion(brain, iterations=4) & ~ndimage.binary_dilation(drawn, iterations=3)
        uptake = subtract(pre.array, image.array, inside)
        with np.errstate(invalid="ignore"):
            excluded = uptake.delta <= uptake.limit
    points, scores, seconds, mask = [], [], 0.0, np.zeros(drawn.shape, bool)
    while len(points) < MOST_CLICKS and (not scores or scores[-1] < ACCEPTED):
        point = click(image, drawn & ~mask)
        if point is None:
            break
        points.append(point)
        began = time.process_time()
        mask = propose(bright, image.affine, points, excluded=excluded).mask
        seconds = max(seconds, time.process_time() - began)
        scores.append(dice(mask, drawn))
    best = int(np.argmax(scores))
    return scores[0], scores[best], best + 1, once, seconds


def show(name, found):
    """One line."""
    first, best, clicks, once, seconds = found
    word = "accepted" if best >= ACCEPTED else "to be corrected by hand"
    print(
        f"  {name:44} Dice {first:.2f} after one click, {best:.2f} after {clicks}; "
        f"{once:.2f} s once and {seconds:.2f} s per click of CPU; {word}"
    )
    return first, best


def development():
    """(name, image, drawn, brain) of the eight masks that the settings were chosen on."""
    source = DATA / "SagaraBattousai_BrainTumorProgression"
    for pair in real_pairs.PAIRS:
        for date in ("Pre", "Post"):
            scan = real_pairs.with_assumed_spacing(source / pair / f"{date}_Scan_T1.nii.gz")
            mask = real_pairs.with_assumed_spacing(source / pair / f"{date}_Mask.nii.gz").array > 0
            yield f"pair {pair} {date}", scan, mask, brain_mask(scan)
    for folder, file in (
        ("BrainLesion_BraTS", "segmentation"),
        ("BrainLesion_deep_quality_estimation", "seg-BraTS23_1"),
    ):
        scan = read_image(DATA / folder / "t1c.nii.gz")
        drawn = read_image(DATA / folder / f"{file}.nii.gz").array == 3
        yield folder, scan, drawn, scan.array > 0


def simulated():
    """(name, image, drawn, brain, T1 before contrast) of the built-in cases' visits."""
    for name in cases.names():
        folder = cases.cached(name)
        for visit in sorted(path for path in folder.iterdir() if (path / "T1CE.nii.gz").is_file()):
            scan = read_image(visit / "T1CE.nii.gz")
            drawn = read_image(visit / "lesion.nii.gz").array > 0
            yield f"{name} {visit.name}", scan, drawn, brain_mask(scan), read_image(visit / "T1.nii.gz")


def other_real():
    """(name, image, drawn, brain) of tumours of another source."""
    for name in ("brain1", "brain2"):
        folder = DATA / "AIM-Harvard_pyradiomics"
        scan, label = read_image(folder / f"{name}_image.nrrd"), read_image(folder / f"{name}_label.nrrd")
        yield f"AIM-Harvard {name}", scan, label.array > 0, brain_mask(scan)


def perturbed(image, brain, seed):
    """The image with noise of 3 % of the brain's signal, a blur of 0.6 voxels and shading of up to 40 % added."""
    random = np.random.default_rng(seed)
    signal = float(np.median(image.array[brain]))
    values = ndimage.gaussian_filter(image.array.astype(np.float32), 0.6)
    places = [np.linspace(-1, 1, size) for size in image.shape]
    field = sum(random.uniform(-0.2, 0.2) * place.reshape([-1 if n == axis else 1 for n in range(3)])
                for axis, place in enumerate(places))  # fmt: skip
    values = values * (1 + field) + random.normal(0, 0.03 * signal, image.shape)
    return Image(np.where(brain | (image.array != 0), values, 0).astype(np.float32), image.affine)


def main():
    """Prints everything whose data are there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=("development", "simulated", "other", "perturbed"))
    wanted = parser.parse_args().only
    there = DATA.is_dir()
    if wanted in (None, "simulated"):
        print("Held out: simulated cases, truth as drawn, with T1 before contrast and without")
        for name, image, drawn, brain, pre in simulated():
            show(name, tried(image, drawn, brain, pre))
            show(f"{name}, without T1", tried(image, drawn, brain))
    if not there:
        print(f"skipped: reference data missing: {DATA} (set PPA_REFERENCE_DATA)")
        return
    if wanted in (None, "other"):
        print("Held out: real tumours of another source")
        for name, image, drawn, brain in other_real():
            show(name, tried(image, drawn, brain))
    if wanted in (None, "development", "perturbed"):
        rows = list(development())
    if wanted in (None, "development"):
        print("Development: the settings were chosen on these")
        for row in rows:
            show(row[0], tried(*row[1:]))
    if wanted in (None, "perturbed"):
        print("The same with noise, blur and another shading")
        for number, (name, image, drawn, brain) in enumerate(rows):
            show(name, tried(perturbed(image, brain, number), drawn, brain))


if __name__ == "__main__":
    main()
