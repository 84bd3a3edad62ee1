"""From a stroke to its numbers in the scene, as ratios in one run.

Three visits on 256 x 256 x 160 voxels, a carried lesion of 12 mL, rCBV and Cho/NAA maps.

The yardstick is one look at the whole grid: the lesion's voxels found in it, and the mean of an image under them.
"""

import datetime
import itertools
import time
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits, measured_visits, region_values
from PseudoProgressionAnalyzerLib.measures import Event, Image, Map, Patient, Region, Series, Visit
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene, write_measurements
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.regions import remeasure
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_mask, segment_of

VISITS = ("2023-01-01", "2023-02-01", "2023-03-01")
SHAPE = (160, 256, 256)


def seconds(task, repeats=5):
    """The shortest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def centred(shape, spacing):
    """Affine of a grid centred at the origin."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape[::-1]) - 1) / 2 * spacing
    return affine


def ball(affine, centre, radius):
    """Bool ``(k, j, i)`` of an axis-aligned grid of SHAPE."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    x, y, z = (affine[a, a] * index + affine[a, 3] - centre[a] for a, index in enumerate((i, j, k)))
    return x**2 + y**2 + z**2 <= radius**2


def make():
    """The analysis; the later visits are turned by 6 degrees."""
    random = np.random.default_rng(0)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    visits = [Visit(v, datetime.date.fromisoformat(v), [Series("T1CE", Path(v))]) for v in VISITS]
    regions = [Region("lesion", v, "lesion", Path(v), None, carried=True) for v in VISITS]
    patient = Patient("benchmark", visits, [Event("radiotherapy", datetime.date(2022, 11, 1))], regions)
    analysis = Analysis(patient, VISITS[0])
    affine = centred(SHAPE, (1, 1, 1))
    maps = {"rCBV_ratio": ((30, 128, 128), (1.9, 1.9, 4)), "Cho_NAA_molar": ((8, 16, 16), (10, 10, 10))}
    for number, visit in enumerate(VISITS):
        analysis.images[visit, "T1CE"] = Image(random.random(SHAPE, dtype=np.float32), affine)
        analysis.visit_to_reference[visit] = turn if number else np.eye(4)
        analysis.regions[visit, "lesion"] = Image(ball(affine, (-30, 20, 10), 14), affine)
        analysis.references[visit] = Image(ball(affine, (30, 20, 10), 10), affine)
        for name, (shape, spacing) in maps.items():
            analysis.maps[visit, name] = Map(random.random(shape), centred(shape, spacing), name, "1", "random")
            analysis.series_to_visit[visit, name] = np.eye(4)
    measure_visits(analysis)
    return analysis


def main():
    """Prints seconds and their ratio to the yardstick."""
    analysis = make()
    app = application()
    patient = build_scene(app, analysis)
    live = read_scene(app.scene).analysis
    node = find(patient, Kind.LESION, VISITS[1])
    affine = live.images[VISITS[1], "T1CE"].affine
    put_segment(node, "lesion", "lesion", Image(ball(affine, (-30, 20, 10), 14.5), affine))
    segment = segment_of(node, "lesion")
    mask, region = segment_mask(node, segment), live.patient.regions[1]
    smaller = Image(mask.array.copy(), mask.affine)
    smaller.array[:, :, -6:] = False  # what a stroke adds or takes away
    turns = itertools.cycle((smaller, mask))
    whole, values = live.regions[VISITS[1], "lesion"].array, live.images[VISITS[1], "T1CE"].array
    yardstick = seconds(lambda: (whole.any(axis=(0, 1)), values[whole].mean()))
    print(f"lesion of {mask.array.sum()} voxels; yardstick {yardstick:.4f} s")
    for name, task in {
        "the stroke's mask": lambda: segment_mask(node, segment),
        "its rows": lambda: region_values(live, region, next(turns), measured_visits(live)),
        "the table": lambda: write_measurements(patient, live),
        "a stroke without change": lambda: remeasure(app.scene, live, node, segment),
        "the whole job's measuring": lambda: measure_visits(live),
    }.items():
        taken = seconds(task)
        print(f"  {name:26} {taken:.4f} s  {taken / yardstick:7.2f} x")


if __name__ == "__main__":
    main()
