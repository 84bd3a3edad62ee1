"""Drawn lesions: where the lesion is, about as large, never the truth itself."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import drawing, grids, scans
from PseudoProgressionAnalyzerLib.measures import Image

GRID = scans.Prescription((80, 100, 100), (1.0, 1.0, 1.2), (33.0, -20.0, 33.0))


@pytest.fixture(scope="module")
def drawn(patient):
    affine = GRID.affine(patient.pose)
    true = grids.scanned(
        Image(patient.state.tissues["enhancing"], patient.state.affine), patient.pose, GRID.shape, affine, (1, 1, 1)
    )
    mask = drawing.drawn(patient.state, patient.pose, GRID.shape, affine, np.random.default_rng(7))
    return mask, true > 0.5, affine


def overlap(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def test_drawn_is_near_the_truth_and_never_on_it(drawn):
    mask, true, _ = drawn
    assert 0.85 < overlap(mask, true) < 0.98
    assert 0.001 < abs(mask.sum() / true.sum() - 1) < 0.12


def test_boundary_departs_by_a_voxel_or_so(drawn):
    mask, true, _ = drawn
    distance = grids.signed_distance(true, 1.0)
    assert distance[mask].max() < 2.5
    assert (distance[mask & ~true] > 0).all() and (mask & ~true).sum() > 200 and (true & ~mask).sum() > 200


def test_drawn_in_the_scans_own_space(drawn, patient):
    """The drawn lesion, taken back through affine and pose, lies at the lesion's centre: right stays right."""
    mask, _, affine = drawn
    mean = np.argwhere(mask).mean(axis=0)[::-1]
    in_head = np.linalg.inv(patient.pose) @ affine @ [*mean, 1.0]
    assert np.linalg.norm(in_head[:3] - patient.centre) < 9
    assert in_head[0] > 20


def test_same_hand_same_drawing(drawn, patient):
    mask, _, affine = drawn
    again = drawing.drawn(patient.state, patient.pose, GRID.shape, affine, np.random.default_rng(7))
    other = drawing.drawn(patient.state, patient.pose, GRID.shape, affine, np.random.default_rng(8))
    assert np.array_equal(mask, again) and not np.array_equal(mask, other)


def test_core_is_left_out(drawn, patient):
    mask, _, affine = drawn
    core = grids.scanned(
        Image(patient.state.tissues["necrosis"], patient.state.affine), patient.pose, GRID.shape, affine, (1, 1, 1)
    )
    deep = grids.signed_distance(core > 0.5, 1.0) < -2.5
    assert deep.sum() > 1000 and not mask[deep].any()
