"""A synthetic patient of three visits, small enough to draw in a moment, with nothing in it that is symmetric.

The head is an ellipsoid in RAS millimetres with three balls: one on the left, one in front, one on top. Every image
is that formula at its own voxel centres, so that its true place is known whatever the grid.
"""

import dataclasses
import datetime
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.measures import (
    Assessment,
    Criterion,
    Event,
    Evidence,
    Image,
    Map,
    Measurement,
    Message,
    Patient,
    Region,
    Series,
    Visit,
)

BRAIN = np.array([62.0, 78.0, 55.0])  # half axes in mm
LEFT, FRONT, TOP = np.array([-36.0, -8.0, 4.0]), np.array([6.0, 52.0, 4.0]), np.array([6.0, -8.0, 38.0])
BALL = 11.0


def rotation(axis: int, degrees: float) -> np.ndarray:
    """4x4 rotation about an axis (0 R, 1 A, 2 S)."""
    matrix = np.eye(4)
    first, second = [other for other in range(3) if other != axis]
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix[[first, first, second, second], [first, second, first, second]] = cosine, -sine, sine, cosine
    return matrix


def centred(axes: np.ndarray, spacing, shape) -> np.ndarray:
    """Affine of a grid (k, j, i) whose middle lies at the origin; axes: columns are the voxel axes' directions."""
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(axes, dtype=float) * spacing
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return affine


def points(affine: np.ndarray, shape) -> np.ndarray:
    """RAS mm (k, j, i, 3) of voxel centres."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)[..., ::-1]
    return index @ affine[:3, :3].T + affine[:3, 3]


def in_brain(where: np.ndarray) -> np.ndarray:
    return np.sum((where / BRAIN) ** 2, axis=-1) < 1


def in_ball(where: np.ndarray, centre: np.ndarray, radius: float = BALL) -> np.ndarray:
    return np.sum((where - centre) ** 2, axis=-1) < radius**2


def head(where: np.ndarray) -> np.ndarray:
    """T1CE of the phantom at RAS points: brain 90 to 110, balls 300, air 0."""
    brain = 100 + 10 * np.sin(where[..., 0] / 9) * np.cos(where[..., 1] / 7)
    balls = in_ball(where, LEFT) | in_ball(where, FRONT) | in_ball(where, TOP)
    return np.where(balls, 300.0, np.where(in_brain(where), brain, 0.0))


def head_image(affine: np.ndarray, shape, to_reference: np.ndarray | None = None, scale: float = 1.0) -> Image:
    """The head as a visit sees it that moved: to_reference maps its RAS to that of the phantom."""
    where = points(affine if to_reference is None else to_reference @ affine, shape)
    return Image((scale * head(where)).astype(np.float32), affine)


@pytest.fixture
def phantom():
    """The functions above, for tests that build images of their own."""
    return {
        "rotation": rotation, "centred": centred, "points": points, "head": head, "head_image": head_image,
        "in_ball": in_ball, "in_brain": in_brain, "left": LEFT, "front": FRONT, "top": TOP,
    }  # fmt: skip


DATES = (datetime.date(2020, 1, 10), datetime.date(2020, 3, 2), datetime.date(2021, 1, 15))
RADII = (11.0, 14.0, 8.0)  # of the lesion around the left ball
MOVED = (np.eye(4), rotation(2, 7), rotation(0, -6))
SHAPE, SPACING = (30, 44, 36), (3.6, 3.9, 4.1)
SECRET = "Example^Secret"


def make_analysis() -> Analysis:
    """Three visits: before radiotherapy, shortly after it with a larger lesion, a year later with a smaller one."""
    events = [
        Event("surgery", datetime.date(2019, 12, 28)),
        Event("radiotherapy", datetime.date(2020, 1, 13), datetime.date(2020, 2, 24)),
        Event("MGMT", None, details={"methylated": True}),
    ]
    names = [date.isoformat() for date in DATES]
    visits = [
        Visit(name, date, [Series("T1CE", Path("T1CE.nii.gz")), Series("DSC", Path("DSC.nii.gz"))])
        for name, date in zip(names, DATES, strict=True)
    ]
    regions = [
        Region("lesion", name, "lesion", Path("lesion.nii.gz"), carried=number == 0)
        for number, name in enumerate(names)
    ]
    analysis = Analysis(Patient(SECRET, visits, events, regions), reference_visit=names[0])
    affine = centred(np.eye(3), SPACING, SHAPE)
    for number, name in enumerate(names):
        moved = MOVED[number]
        analysis.images[name, "T1CE"] = head_image(affine, SHAPE, moved, scale=(1.0, 7.0, 0.2)[number])
        analysis.visit_to_reference[name] = moved
        analysis.alignment[name] = {"uncertainty": 0.0 if number == 0 else 1.25}
        analysis.series_to_visit[name, "T1CE"] = np.eye(4)
        where = points(moved @ affine, SHAPE)
        analysis.brains[name] = in_brain(where)
        analysis.regions[name, "lesion"] = Image(in_ball(where, LEFT, RADII[number]), affine)
        analysis.references[name] = Image(in_ball(where, LEFT * [-1, 1, 1], 8.0), affine)
        if number:
            add_map(analysis, name, "rCBV_ratio", 6.0, moved)
            add_map(analysis, name, "Cho_NAA_molar", 13.0, moved)
    analysis.measurements = make_measurements(names)
    analysis.assessments = make_assessments(names, analysis.measurements)
    analysis.outcome = {names[1]: (Message("value_not_finite"),)}
    analysis.messages = {names[1]: [Message("file_missing", {"file": "/home/secret/2020-03-02/DSC.nii.gz"})]}
    return analysis


def add_map(analysis: Analysis, visit: str, name: str, spacing: float, moved: np.ndarray) -> None:
    """A map that is 1 in the brain and 3 in the left ball; its back is not to be trusted and holds nonsense."""
    shape = tuple(int(length) for length in np.ceil(2 * BRAIN[::-1] / spacing) + 2)
    affine = centred(np.eye(3), spacing, shape)
    where = points(moved @ affine, shape)
    trusted = where[..., 1] > -50
    values = np.where(in_ball(where, LEFT, 16.0), 3.0, 1.0)
    values = np.where(trusted, values, 1e6).astype(np.float32)
    analysis.maps[visit, name] = Map(values, affine, name=name, unit="1", method="made up", quality=trusted)
    analysis.series_to_visit[visit, name] = np.eye(4)


def make_measurements(names) -> list[Measurement]:
    """Values, changes, an absent value with its reason; own and fixed."""
    few = Message("region_few_voxels", {"voxels": 2.5, "fewest": 5})

    def own(visit, name, value, unit, low=None, high=None, **more):
        return Measurement(visit, "lesion", "own", visit, name, value, unit, low, high, **more)

    volumes = [4.1, 9.7, 2.2]
    rows = [
        own(visit, "volume", value, "mL", 0.9 * value, 1.1 * value, method="voxels counted")
        for visit, value in zip(names, volumes, strict=True)
    ]
    rows += [
        own(names[1], "rCBV_ratio_mean", 1.23456789, "1", 1.1, 1.4, reference="contralateral", method="DSC"),
        own(names[2], "rCBV_ratio_mean", 0.8, "1", None, 0.9, reference="contralateral", method="DSC"),
        own(names[1], "Cho_NAA_molar", None, "1", method="MRSI", flags=(few,)),
        own(names[1], "volume", 5.6, "mL", compared_to=names[0]),
        own(names[1], "volume_percent", 136.585, "%", 90.0, 190.0, compared_to=names[0]),
        own(names[2], "volume_percent", -77.3, "%", compared_to=names[1]),
    ]
    fixed = Measurement(names[1], "lesion", "fixed", names[0], "rCBV_ratio_mean", 1.9, "1", 1.7, 2.1, method="DSC")
    return [*rows, fixed, dataclasses.replace(fixed, visit=names[2], value=2.4, low=2.2, high=2.6)]


def make_assessments(names, measurements) -> list[Assessment]:
    """One that favours treatment effect with two pieces of evidence, one without enough."""
    cbv = next(row for row in measurements if row.name == "rCBV_ratio_mean")
    absent = next(row for row in measurements if row.name == "Cho_NAA_molar")
    criterion = Criterion(
        id="DSC-90", group="perfusion", measure="rCBV_ratio_mean", unit="1", statistic="mean", direction="high",
        cut_off=1.8, sensitivity=0.9, specificity=0.8, sensitivity_interval=None, specificity_interval=None,
        positives=30, negatives=20, window=None, population="glioblastoma", citation="Nobody 1900 <invented>",
        doi="10.0000/none", verified="invented for tests",
    )  # fmt: skip
    unread = dataclasses.replace(
        criterion, id="MRS-90", group="metabolism", measure="Cho_NAA_molar", cut_off=None, cut_off_printed="about 2",
        sensitivity=None, specificity=None, positives=None, negatives=None,
    )  # fmt: skip
    late = dataclasses.replace(criterion, id="DSC-91", cut_off=1.1)
    evidence = (
        Evidence(unread, absent, None, None, 0.0, False, (Message("value_not_finite"),)),
        Evidence(late, cbv, 0.8, 2.51, 1.5, True),
        Evidence(criterion, cbv, 0.04, 0.16, -6.02, True),
    )
    return [
        Assessment(
            names[1], "favours_treatment_effect", (0.6, 0.3, 0.8), (0.346, 0.15, 0.6), evidence,
            (Message("value_not_finite"),), (Message("value_not_finite"),), Message("value_not_finite"), "invented",
        ),
        Assessment(names[2], "insufficient", (0.7, 0.5, 0.9), None, (), (), (), None, "invented"),
    ]  # fmt: skip


@pytest.fixture
def analysis() -> Analysis:
    """The three visits, made anew for each test."""
    return make_analysis()


@pytest.fixture
def secret() -> str:
    """The patient's id, which pictures and page must not hold."""
    return SECRET
