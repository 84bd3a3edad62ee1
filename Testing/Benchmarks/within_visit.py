"""Series on their visit's T1CE, and motion within a DSC series: known displacements of a simulated visit.

Run ``python Testing/Benchmarks/within_visit.py [placing] [motion] [speed]`` (all three by default). Nothing moves in
the simulated visits, so what a series is turned and shifted by is all that must be found. ``placing``: mean error over
the brain in mm, with the edge distances that decide. ``motion``: what a series that lies still looks like, and the
error for a walk with a jump, frame by frame. ``speed``: 128 x 128 x 30 voxels, 100 frames, in CPU seconds and in
relation to one Gaussian smoothing of all frames.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from PseudoProgressionAnalyzerLib import cases
from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.imaging import motion, resampling
from PseudoProgressionAnalyzerLib.imaging.brain import brain_mask
from PseudoProgressionAnalyzerLib.imaging.head import Head
from PseudoProgressionAnalyzerLib.imaging.within import place_series
from PseudoProgressionAnalyzerLib.measures import Image

VISIT = "2023-05-08"
SIZES = ((0, 0), (4, 4), (8, 8), (16, 24), (16, 100))  # most degrees about, most mm along each axis


def pose(rng: np.random.Generator, degrees: float, shift: float, centre: np.ndarray) -> np.ndarray:
    """4x4: turns and shifts of random size about a centre."""
    return placed(rng.uniform(-shift, shift, 3), np.radians(rng.uniform(-degrees, degrees, 3)), centre)


def placed(shift: np.ndarray, turn: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """4x4: a rotation vector (radians) about a centre, then a shift in mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def distance(first: np.ndarray, second: np.ndarray, points: np.ndarray) -> float:
    """Mean distance in mm between where two matrices take the points."""
    difference = resampling.transform_points(first, points) - resampling.transform_points(second, points)
    return float(np.linalg.norm(difference, axis=1).mean())


def placing(folder, t1ce: Image, brain: np.ndarray) -> None:
    """One row for every series and size of displacement."""
    anatomy = Head(t1ce, brain)
    points = anatomy.brain_points()
    centre = points.mean(axis=0)
    for role in ("T1", "FLAIR", "DSC"):
        image = read_image(folder / f"{role}.nii.gz")
        if image.array.ndim == 4:
            image = Image(image.array.astype(np.float32).mean(axis=0), image.affine)
        rng = np.random.default_rng(3)
        for degrees, shift in SIZES:
            turned = pose(rng, degrees, shift, centre)
            began = time.process_time()
            found = place_series(anatomy, Image(image.array, turned @ image.affine), name=role)
            edges = [found.edge_distance_before, found.edge_distance_after]
            shown = [f"{edge:.2f}" if edge is not None else "-" for edge in edges]
            error = distance(found.series_to_visit @ turned, np.eye(4), points)
            size, seconds = distance(turned, np.eye(4), points), time.process_time() - began
            print(
                f"{role:6s} displaced by {size:6.1f} mm: error {error:6.2f} mm   edges {shown[0]} to {shown[1]} mm   "
                f"{' '.join(flag.code for flag in found.flags)}   {seconds:.1f} CPU s",
                flush=True,
            )


def still_and_moved(dsc: Image, inside: np.ndarray) -> None:
    """A series as it is, and after a walk with a jump in its middle that is known frame by frame."""
    found = motion.find_motion(dsc, inside)
    moved = found.displacement
    print(f"lies still: looks like {moved.mean():.2f} mm on the average, {moved.max():.2f} at most", flush=True)
    rng = np.random.default_rng(0)
    frames = len(dsc.array)
    for jump in (1.0, 4.0):
        walk = np.cumsum(rng.normal(0, 0.15, (frames, 6)), axis=0)
        walk[frames // 2 :] += jump * np.array([1.5, -1.0, 2.0, 2.0, -1.5, 1.0])
        walk -= np.median(walk, axis=0)
        truth = [placed(step[:3], np.radians(step[3:]), found.centre) for step in walk]
        array = np.empty(dsc.array.shape, np.float32)
        for number, matrix in enumerate(truth):
            back = np.linalg.inv(dsc.affine) @ np.linalg.inv(matrix) @ dsc.affine
            frame, turn = dsc.array[number].astype(np.float32), back[:3, :3][::-1, ::-1]
            array[number] = ndimage.affine_transform(frame, turn, back[:3, 3][::-1], order=3, mode="nearest")
        again = motion.find_motion(Image(array, dsc.affine), inside)
        ends = np.array(
            [
                resampling.transform_points(there @ moved, again.points)
                for there, moved in zip(again.frame_to_reference, truth, strict=True)
            ]
        )
        error = np.linalg.norm(ends - np.median(ends, axis=0), axis=2).mean(axis=1)
        size = max(distance(matrix, np.eye(4), again.points) for matrix in truth)
        print(f"moved by up to {size:.1f} mm: error {error.mean():.2f} mm on the average, {error.max():.2f} at most")


def speed(dsc: Image, inside: np.ndarray) -> None:
    """CPU seconds of a series of usual size, made of the simulated one."""
    shape, frames = (30, 128, 128), 100
    zoom = [new / old for new, old in zip(shape, dsc.shape, strict=True)]
    every = (dsc.array[number % len(dsc.array)].astype(np.float32) for number in range(frames))
    large = np.stack([ndimage.zoom(frame, zoom, order=1) for frame in every])
    affine = dsc.affine.copy()
    affine[:3, :3] /= zoom[::-1]
    brain = ndimage.zoom(inside.astype(np.uint8), zoom, order=0) > 0
    began, wall = time.process_time(), time.perf_counter()
    motion.find_motion(Image(large, affine), brain)
    seconds, wall = time.process_time() - began, time.perf_counter() - wall
    began = time.process_time()
    for frame in large:
        ndimage.gaussian_filter(frame, 1.5)
    floor = time.process_time() - began
    ratio = f"{seconds / floor:.0f} times smoothing every frame once"
    print(f"{frames} frames of {shape}: {seconds:.1f} CPU s ({wall:.0f} s), {ratio}")


def main() -> None:
    wanted = sys.argv[1:] or ["placing", "motion", "speed"]
    folder = cases.cached("pseudoprogression") / VISIT
    t1ce, dsc = read_image(folder / "T1CE.nii.gz"), read_image(folder / "DSC.nii.gz")
    brain = brain_mask(t1ce)
    grid = Image(dsc.array[0], dsc.affine)
    inside = resampling.resample(Image(brain, t1ce.affine), grid, np.eye(4), interpolation="nearest").array
    if "placing" in wanted:
        placing(folder, t1ce, brain)
    if "motion" in wanted:
        still_and_moved(dsc, inside)
    if "speed" in wanted:
        speed(dsc, inside)


if __name__ == "__main__":
    main()
