"""A simulated patient: balls that merge, split, shrink, vanish and regrow over eight visits, each in its own pose."""

import datetime
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.measures import Event, Image, Patient, Region, Series, Visit

RADIOTHERAPY = Event("radiotherapy", datetime.date(2022, 11, 21), datetime.date(2023, 1, 1))
RIGHT, LEFT, TOP = (18.0, 0.0, 0.0), (-18.0, 2.0, 0.0), (0.0, 4.0, 26.0)
BRIDGE = [((x, 1.0, 0.0), 5.0) for x in range(-12, 13, 4)]
BALLS = (  # centre in the reference visit and radius in mm
    [(RIGHT, 9.0), (LEFT, 7.0)],
    [(RIGHT, 11.0), (LEFT, 7.1)],
    [(RIGHT, 11.0), (LEFT, 8.0), *BRIDGE],
    [(RIGHT, 10.0), (LEFT, 7.0)],
    [(RIGHT, 7.0)],
    [(RIGHT, 7.0)],
    [(RIGHT, 9.0), (LEFT, 6.0), (TOP, 5.0)],
    [(RIGHT, 6.0), (TOP, 7.0)],
)
IDENTITIES = (  # and what became of each
    {"L1": ("first",), "L2": ("first",)},
    {"L1": (), "L2": ()},
    {"L1": ("merged",), "L2": ("merged",)},
    {"L1": ("split",), "L2": ("split", "reappeared")},
    {"L1": (), "L2": ("vanished",)},
    {"L1": ()},
    {"L1": (), "L2": ("reappeared",), "L3": ("new",)},
    {"L1": (), "L2": ("vanished",), "L3": ()},
)


def pose(number: int) -> np.ndarray:
    """4x4 from the visit's RAS mm to those of the first visit."""
    matrix = np.eye(4)
    if number:
        angle = np.radians(7.0 * number - 20)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        matrix[:3, 3] = 3.0 - number, number - 2.0, 1.5
    return matrix


def grid(number: int) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape (k, j, i) and affine of a visit's images: every other one has thick slices."""
    spacing, shape = (((1.0, 1.0, 1.0), (84, 90, 90)), ((0.9, 0.9, 4.0), (24, 100, 100)))[number % 2]
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape[::-1]) - 1) / 2 * spacing
    return shape, affine


def balls(spheres, number: int) -> np.ndarray:
    """Bool (k, j, i) of balls (centre and radius in the first visit) in a visit."""
    shape, affine = grid(number)
    k, j, i = np.indices(shape)
    points = np.stack([i, j, k], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    inside = np.zeros(shape, bool)
    for centre, radius in spheres:
        there = (np.linalg.inv(pose(number)) @ [*centre, 1.0])[:3]
        inside |= ((points - there) ** 2).sum(axis=-1) <= radius**2
    return inside


def followed_patient(visits=BALLS, *events: Event, weeks: int = 6) -> Analysis:
    """The patient with everything drawn and aligned, nothing measured; first visit four weeks after radiotherapy."""
    first = RADIOTHERAPY.end + datetime.timedelta(weeks=4)
    dates = [first + datetime.timedelta(weeks=weeks * number) for number in range(len(visits))]
    patient = Patient("p", [Visit(f"v{n}", date, [Series("T1CE", Path("none"))]) for n, date in enumerate(dates)])
    patient.events = [RADIOTHERAPY, *events]
    analysis = Analysis(patient, "v0")
    for number, spheres in enumerate(visits):
        visit = f"v{number}"
        shape, affine = grid(number)
        mask = balls(spheres, number)
        random = np.random.default_rng(number)
        analysis.images[visit, "T1CE"] = Image(
            (100 + random.normal(0, 3, shape) + 60 * mask).astype(np.float32), affine
        )
        analysis.brains[visit] = np.ones(shape, bool)
        analysis.visit_to_reference[visit] = pose(number)
        analysis.regions[visit, "lesion"] = Image(mask, affine)
        patient.regions.append(Region("lesion", visit, "lesion", Path()))
    return analysis


def reading(analysis: Analysis, visit: str, **details) -> Event:
    """What a reader says of a visit."""
    return Event("reading", analysis.patient.visit(visit).date, details=details)
