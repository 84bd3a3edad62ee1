"""Series of one visit upon its T1CE: the header stays where it is right, and does not where it is wrong."""

from concurrent.futures import CancelledError

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging import resampling
from PseudoProgressionAnalyzerLib.imaging.head import Head
from PseudoProgressionAnalyzerLib.imaging.within import place_series
from PseudoProgressionAnalyzerLib.measures import Image, InputError


@pytest.fixture(scope="module")
def anatomy(head):
    case = head(spacing=(1.5, 1.5, 1.5))
    return Head(case.image, case.brain)


def other_contrast(case):
    """The same head with dark white matter, bright fluid and a faint scalp, as in T2."""
    values = case.image.array
    return Image(np.where(values > 1500, 300, np.clip(1500 - values, 0, None) * (values > 60)), case.image.affine)


def largest_error(found, pose, anatomy):
    points = anatomy.brain_points()
    there = resampling.transform_points(pose, points)
    return np.linalg.norm(resampling.transform_points(found, there) - points, axis=1).max()


def test_a_right_header_stays_exactly(head, anatomy):
    series = other_contrast(head(spacing=(1.2, 1.2, 4.0), seed=2))
    placed = place_series(anatomy, series, name="T2")
    np.testing.assert_array_equal(placed.series_to_visit, np.eye(4))
    assert placed.flags == () and placed.moved == 0


def test_the_header_of_a_thin_slab_stays(head, anatomy):
    """A third of the brain, as perfusion series may have it: not taken for a header that is wrong."""
    whole = other_contrast(head(spacing=(1.6, 1.6, 5.0), seed=3))
    affine = whole.affine.copy()
    affine[:3, 3] += 16 * affine[:3, 2]
    placed = place_series(anatomy, Image(whole.array[16:25], affine), name="DSC")
    np.testing.assert_array_equal(placed.series_to_visit, np.eye(4))
    assert placed.flags == ()


@pytest.mark.parametrize(
    ("degrees", "shift"), [((2, -3, 4), (3, -4, 2)), ((9, 4, -12), (90, -60, 120))], ids=["moved", "header_far_off"]
)
def test_a_wrong_header_is_corrected(head, posed, anatomy, degrees, shift):
    case = head(posed(degrees), spacing=(1.2, 1.2, 4.0), seed=2)
    series = other_contrast(case)
    series.affine[:3, 3] += shift
    pose = posed(degrees, shift)
    placed = place_series(anatomy, series, name="T2")
    assert largest_error(placed.series_to_visit, pose, anatomy) < 1.0
    assert largest_error(np.eye(4), pose, anatomy) > 4.0  # the header fails the same check
    assert [flag.code for flag in placed.flags] == ["series_moved"]
    assert placed.edge_distance_before is None or placed.edge_distance_after < placed.edge_distance_before


def test_what_is_no_such_head_is_not_believed(head, anatomy):
    """Noise in a distant box: nothing to find, so the header stays and it is said."""
    values = np.random.default_rng(0).normal(500, 100, (30, 60, 60)).astype(np.float32)
    affine = np.diag([3.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = 400, 0, 0
    placed = place_series(anatomy, Image(values, affine), name="ADC")
    np.testing.assert_array_equal(placed.series_to_visit, np.eye(4))
    assert [flag.code for flag in placed.flags] == ["series_misplaced"]


def test_stopped_and_refused(head, anatomy):
    series = other_contrast(head(spacing=(2.0, 2.0, 4.0)))
    with pytest.raises(CancelledError):
        place_series(anatomy, series, cancelled=lambda: True)
    with pytest.raises(InputError) as caught:
        place_series(anatomy, Image(series.array[np.newaxis], series.affine))
    assert caught.value.message.code == "registration_not_3d"
