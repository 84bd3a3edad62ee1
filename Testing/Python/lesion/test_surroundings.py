"""Necrosis, contact and distances of boxes by hand."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.lesion.surroundings import contact_area, distance, necrotic_fraction, share_inside

AFFINE = np.array([[0, -2.0, 0, 5], [0.5, 0, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])  # spacing 0.5, 2, 3 mm


def box(*slices):
    mask = np.zeros((8, 12, 16), bool)
    mask[slices] = True
    return mask


def test_contact_is_the_area_of_shared_faces():
    lesion = box(slice(2, 5), slice(3, 7), slice(4, 10))
    beside = box(slice(0, 8), slice(0, 12), slice(10, 14))  # meets 3 x 4 faces of 2 x 3 mm
    below = box(slice(0, 2), slice(4, 6), slice(0, 16))  # meets 2 x 6 faces of 0.5 x 2 mm
    assert contact_area(lesion, beside, AFFINE) == pytest.approx(3 * 4 * 6)
    assert contact_area(lesion, below, AFFINE) == pytest.approx(2 * 6 * 1)
    assert contact_area(lesion, beside | lesion, AFFINE) == pytest.approx(3 * 4 * 6)
    assert contact_area(lesion, box(slice(2, 5), slice(3, 7), slice(11, 14)), AFFINE) == 0


def test_distance_between_voxel_centres():
    lesion = box(slice(1, 2), slice(1, 2), slice(1, 2))
    other = box(slice(3, 4), slice(4, 5), slice(9, 10))
    assert distance(lesion, other, AFFINE) == pytest.approx(np.sqrt((2 * 3) ** 2 + (3 * 2) ** 2 + (8 * 0.5) ** 2))
    assert distance(lesion, lesion | other, AFFINE) == 0
    assert distance(lesion, np.zeros_like(lesion), AFFINE) is None


def test_shares():
    enhancement, necrosis = box(slice(0, 3), slice(0, 2), slice(0, 2)), box(slice(3, 4), slice(0, 2), slice(0, 2))
    assert necrotic_fraction(enhancement, necrosis) == pytest.approx(0.25)
    assert necrotic_fraction(enhancement & False, necrosis & False) is None
    assert share_inside(enhancement, box(slice(0, 1))) == pytest.approx(1 / 3)
    assert share_inside(enhancement, np.full(enhancement.shape, 0.3)) == pytest.approx(0.3)
    assert share_inside(enhancement & False, necrosis) is None
