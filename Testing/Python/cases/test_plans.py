"""The built-in numbers: what the cases promise."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import grids, plans
from PseudoProgressionAnalyzerLib.measures import EVENT_KINDS


def angle(matrix):
    return np.degrees(np.arccos((np.trace(matrix[:3, :3]) - 1) / 2))


@pytest.mark.parametrize("case", plans.CASES.values(), ids=lambda case: case.name)
def test_poses_differ(case):
    poses = [grids.pose_matrix(visit.rotation, visit.shift) for visit in case.visits]
    for pose in poses:
        assert 5 <= angle(pose) <= 15 and 5 <= np.linalg.norm(pose[:3, 3]) <= 20
    for first, second in ((0, 1), (1, 2), (0, 2)):
        between = poses[second] @ np.linalg.inv(poses[first])
        assert angle(between) > 4 and np.linalg.norm(between[:3, 3]) > 4


@pytest.mark.parametrize("case", plans.CASES.values(), ids=lambda case: case.name)
def test_dates_are_those_of_the_story(case):
    dates = [visit.date for visit in case.visits]
    radiotherapy = next(event for event in case.events if event.kind == "radiotherapy")
    biopsy = next(event for event in case.events if event.kind == "biopsy")
    assert biopsy.date < dates[0] < radiotherapy.date
    assert (dates[1] - radiotherapy.end).days == (308 if case.name == "radiation_necrosis" else 7)
    assert 85 <= (dates[2] - dates[1]).days <= 100
    assert all(event.kind in EVENT_KINDS for event in case.events)


def test_numbers_lie_on_the_side_of_the_answer():
    judged = {name: case.visits[1].lesion for name, case in plans.CASES.items()}
    assert 0.8 <= judged["pseudoprogression"].blood_volume_ratio <= 1.1
    assert 0.5 <= judged["pseudoprogression"].cho_naa <= 0.8
    assert 2.5 <= judged["true_progression"].blood_volume_ratio <= 4
    assert judged["true_progression"].cho_naa >= 1.8
    assert 0.5 <= judged["radiation_necrosis"].blood_volume_ratio <= 1.0
    assert 0.5 <= judged["radiation_necrosis"].cho_naa <= 0.8
    radii = {name: [visit.lesion.radius for visit in case.visits] for name, case in plans.CASES.items()}
    first, second, third = radii["pseudoprogression"]
    assert third < first < second
    assert radii["true_progression"] == sorted(radii["true_progression"])
    first, second, third = radii["radiation_necrosis"]
    assert first < third < second


def test_signs_of_tumour_rise_with_true_progression():
    for name in ("blood_volume_ratio", "cho_naa"):
        values = [getattr(visit.lesion, name) for visit in plans.TRUE_PROGRESSION.visits]
        assert values == sorted(set(values)), name


def test_all_cases_begin_alike():
    cases = list(plans.CASES.values())
    assert all(case.visits[0] == cases[0].visits[0] and case.seed == cases[0].seed for case in cases)
    assert len({case.patient for case in cases}) == len(cases)
