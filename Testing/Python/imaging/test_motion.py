"""Motion between frames against poses that are known: a head given by formulas while a bolus passes."""

from concurrent.futures import CancelledError
from types import SimpleNamespace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging import motion, resampling
from PseudoProgressionAnalyzerLib.measures import Image, InputError

SPACING = (4.0, 4.0, 5.0)
SIGNAL = (1.0, 1.0, 1.0, 1.0, 0.95, 0.7, 0.55, 0.7, 0.85, 0.92, 0.94, 0.95)  # of grey matter while the bolus passes
POSES = {
    3: ((3, 0, 0), (0, 1, 0)),
    6: ((0, -4, 2), (2, 0, -3)),
    9: ((-2, 1, 6), (-4, 3, 1)),
    10: ((0, 0, 0), (0, 0, 5)),
}


@pytest.fixture(scope="module")
def moved(head, posed):
    """Twelve frames; grey and white matter and the lesion darken differently, four frames are turned and shifted."""
    frames, truth = [], []
    for number, grey in enumerate(SIGNAL):
        pose = posed(*POSES.get(number, ((0, 0, 0),)))
        case = head(pose, spacing=SPACING, seed=number)
        values = case.image.array
        drop = np.where(values < 850, 1 - grey, 0.4 * (1 - grey))  # white matter holds less blood
        drop[case.lesion] = 1.5 * (1 - grey)
        frames.append(np.where(case.brain, values * (1 - drop), values))
        truth.append(pose)
    still = head(spacing=SPACING)
    series = Image(np.stack(frames).astype(np.float32), still.image.affine)
    return SimpleNamespace(series=series, brain=still.brain, truth=np.array(truth))


@pytest.fixture(scope="module")
def found(moved):
    return motion.find_motion(moved.series, moved.brain)


def errors(found, truth):
    """Mean distance (mm) in the brain, frame by frame, between where frames are brought and where they belong; the
    mean position is free."""
    ends = np.array(
        [
            resampling.transform_points(to_reference @ pose, found.points)
            for to_reference, pose in zip(found.frame_to_reference, truth, strict=True)
        ]
    )
    return np.linalg.norm(ends - np.median(ends, axis=0), axis=2).mean(axis=1)


def test_known_motion_is_found_while_a_bolus_passes(moved, found):
    error = errors(found, moved.truth)
    assert error.max() < 0.6
    assert np.median(error) < 0.2
    nothing = motion.Motion(np.tile(np.eye(4), (12, 1, 1)), found.centre, found.points)
    assert errors(nothing, moved.truth).max() > 4  # the frames as they are fail the same check


def test_what_is_plotted_is_the_heads_own_motion(found):
    """Frame 10 shifted by 5 mm to the top, frame 3 turned by 3 degrees about the right axis, as they were made."""
    assert found.shifts[10] - found.shifts[0] == pytest.approx([0, 0, 5], abs=0.5)
    assert found.turns[3] - found.turns[0] == pytest.approx([3, 0, 0], abs=0.5)
    assert found.displacement[10] == pytest.approx(5, abs=0.6)


def test_motion_from_its_own_curve_is_the_same(found):
    again = motion.Motion.of(found.shifts, found.turns, found.centre, found.points)
    np.testing.assert_allclose(again.frame_to_reference, found.frame_to_reference, atol=1e-9)


def test_frames_are_brought_back(moved, found):
    still = motion.without_motion(moved.series, found)
    deep = motion.ndimage.distance_transform_edt(moved.brain, sampling=SPACING[::-1]) > 10

    def difference(series, one, other):
        return np.abs(series.array[one] - series.array[other])[deep].mean()

    noise = difference(moved.series, 0, 1)  # of two frames that lie still
    assert difference(still, 10, 11) < 1.4 * noise
    assert difference(moved.series, 10, 11) > 1.8 * noise  # without correction the same check fails
    np.testing.assert_array_equal(still.array[0], moved.series.array[0])  # it lay still: not resampled
    assert still.array.dtype == np.float32


def test_a_head_that_lies_still_is_left_alone(head):
    case = head(spacing=SPACING)
    rng = np.random.default_rng(1)
    frames = [case.image.array * factor + rng.normal(0, 20, case.brain.shape) for factor in SIGNAL]
    series = Image(np.stack(frames).astype(np.int16), case.image.affine)
    found = motion.find_motion(series, case.brain)
    assert found.displacement.max() < motion.LEAST
    assert motion.without_motion(series, found) is series


def test_stopped_and_refused(moved):
    with pytest.raises(CancelledError):
        motion.find_motion(moved.series, moved.brain, cancelled=lambda: True)
    for series, brain, code in (
        (Image(moved.series.array[0], moved.series.affine), moved.brain, "motion_not_a_series"),
        (moved.series, moved.brain[1:], "registration_mask_grid"),
        (moved.series, np.zeros_like(moved.brain), "brain_not_found"),
    ):
        with pytest.raises(InputError) as caught:
            motion.find_motion(series, brain)
        assert caught.value.message.code == code
