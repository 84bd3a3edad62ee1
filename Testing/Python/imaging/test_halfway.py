"""The halfway space by hand, and its fairness: neither image is treated otherwise than the other."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging.halfway import halfway, meet
from PseudoProgressionAnalyzerLib.measures import Image


@pytest.mark.parametrize(
    ("degrees", "shift"),
    [((0, 0, 0), (4, -2, 6)), ((0, 0, 90), (1, 2, 3)), ((12, -30, 45), (9, -5, 3)), ((0, 0, 0), (0, 0, 0))],
)
def test_done_twice_it_is_the_whole(posed, degrees, shift):
    whole = posed(degrees, shift)
    half = halfway(whole)
    np.testing.assert_allclose(half @ half, whole, atol=1e-12)
    np.testing.assert_allclose(half[:3, :3] @ half[:3, :3].T, np.eye(3), atol=1e-12)


def test_by_hand(posed):
    np.testing.assert_allclose(halfway(posed((0, 0, 0), (4, -2, 6)))[:3, 3], [2, -1, 3])
    quarter = halfway(posed((0, 0, 90)))
    np.testing.assert_allclose(quarter[:2, :2], np.array([[1, -1], [1, 1]]) / np.sqrt(2), atol=1e-12)


def test_the_way_back_is_the_way_there(posed):
    whole = posed((5, -8, 11), (3, 9, -4))
    np.testing.assert_allclose(halfway(np.linalg.inv(whole)), np.linalg.inv(halfway(whole)), atol=1e-12)


def test_both_heads_meet_and_both_are_resampled(head, posed):
    """Two scans of one head, 4 mm and some degrees apart: halfway they agree to noise and interpolation, and noise is
    smoothed alike in both. In the space of one of them its own noise stays as it was."""
    pose = posed((3, -2, 4), (4, -3, 2))
    first, second = head(spacing=(3.0, 3.0, 3.0), seed=1), head(pose, spacing=(3.0, 3.0, 3.0), seed=2)
    one, other, to_halfway = meet(first.image, second.image, np.linalg.inv(pose))
    brought = meet(Image(first.brain.astype(float), first.image.affine), second.image, np.linalg.inv(pose))[0]
    inside = np.nan_to_num(brought.array) > 0.99
    assert np.corrcoef(one.array[inside], other.array[inside])[0, 1] > 0.9
    assert np.corrcoef(first.image.array[first.brain], second.image.array[first.brain])[0, 1] < 0.9
    np.testing.assert_allclose(halfway(np.linalg.inv(pose)) @ pose @ np.linalg.inv(to_halfway), np.eye(4), atol=1e-9)
    noise = [np.nanstd(image.array[:6, :6, :6]) for image in (one, other)]
    assert noise[0] == pytest.approx(noise[1], rel=0.25)


def test_where_one_does_not_reach_there_is_nothing(posed):
    box = Image(np.ones((10, 10, 10), np.int16), np.eye(4))
    one, other, _ = meet(box, box, posed((0, 0, 0), (8, 0, 0)))
    assert np.isfinite(one.array).any() and np.isnan(one.array).any()
    assert np.isfinite(other.array).any() and np.isnan(other.array).any()
    assert np.isfinite(one.array * other.array).sum() < 400
