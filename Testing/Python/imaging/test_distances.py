"""What lies near a mask and deep in it, against the distance from every voxel to every other."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging import distances, resampling

SPACING = np.array([3.0, 1.0, 1.5])  # mm, (k, j, i)


def _nearest(of, to):
    """mm from each True voxel of one mask to the nearest True voxel of the other, pair by pair."""
    first, second = (np.argwhere(mask) * SPACING for mask in (of, to))
    return np.linalg.norm(first[:, np.newaxis] - second, axis=2).min(axis=1)


@pytest.fixture(params=["ball", "at the border", "specks"])
def mask(request):
    k, j, i = np.indices((7, 12, 10))
    if request.param == "specks":
        return np.random.default_rng(1).random((7, 12, 10)) > 0.97
    centre = (3, 6, 4) if request.param == "ball" else (0, 11, 9)
    offsets = [(index - middle) * step for index, middle, step in zip((k, j, i), centre, SPACING, strict=True)]
    return np.linalg.norm(offsets, axis=0) <= 4.0


@pytest.mark.parametrize("distance", [0.5, 1.5, 3.0, 4.6])
def test_near_and_deep_are_what_their_distances_say(mask, distance):
    everything = np.ones_like(mask)
    near = distances.near(mask, distance, SPACING)
    np.testing.assert_array_equal(near[everything], _nearest(everything, mask) <= distance)
    deep = distances.deep(mask, distance, SPACING)
    np.testing.assert_array_equal(deep[mask], _nearest(mask, ~mask) > distance)
    assert not deep[~mask].any()


def test_nothing_is_near_nothing_and_all_is_deep_in_all():
    empty = np.zeros((3, 4, 5), dtype=bool)
    assert not distances.near(empty, 100.0, SPACING).any()
    assert not distances.deep(empty, 0.1, SPACING).any()
    assert distances.deep(~empty, 100.0, SPACING).all()


def test_centres_by_planes_are_the_centres(mask):
    affine = np.array([[0.9, 0.1, 0.2, 5.0], [-0.2, 1.4, 0.1, -7.0], [0.3, -0.2, 2.9, 11.0], [0, 0, 0, 1]])
    by_planes = np.concatenate(list(resampling.planes_of_centres(mask, affine)))
    np.testing.assert_allclose(by_planes, resampling.voxel_centres(mask, affine), atol=1e-12)
    k, j, i = np.argwhere(mask)[0]
    np.testing.assert_allclose(by_planes[0], (affine @ [i, j, k, 1])[:3])
