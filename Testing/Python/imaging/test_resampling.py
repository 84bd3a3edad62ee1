"""Resampling and overlap weights against geometry worked out by hand."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging import resampling
from PseudoProgressionAnalyzerLib.measures import Image, InputError


def grid(shape, spacing, origin=(0, 0, 0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Image(np.zeros(shape, dtype=np.uint8), affine)


def ball(spacing, radius, centre):
    shape = [int(np.ceil(2 * (radius + 6) / step)) for step in spacing]
    image = grid(shape[::-1], spacing, np.array(centre) - (np.array(shape) - 1) * spacing / 2)
    points = resampling.voxel_centres(np.ones(image.shape, dtype=bool), image.affine)
    image.array = (np.linalg.norm(points - centre, axis=1) < radius).reshape(image.shape)
    return image


def test_a_marked_voxel_goes_where_the_transform_says():
    image = grid((20, 24, 28), (1, 1, 1), (-3, 4, 5))
    image.array = image.array.astype(float)
    image.array[5, 7, 11] = 1  # RAS (8, 11, 10)
    quarter = np.array([[0, -1, 0, 30], [1, 0, 0, 2], [0, 0, 1, 1], [0, 0, 0, 1]], dtype=float)  # -> RAS (19, 10, 11)
    moved = resampling.resample(image, grid((30, 30, 30), (1, 1, 1)), quarter)
    assert np.unravel_index(moved.array.argmax(), moved.shape) == (11, 10, 19)
    assert moved.array[11, 10, 19] == pytest.approx(1)
    inverse = resampling.resample(image, grid((30, 30, 30), (1, 1, 1)), np.linalg.inv(quarter))
    assert inverse.array[11, 10, 19] == 0  # the other direction fails the same check


def test_time_series_and_masks_keep_their_kind():
    series = Image(np.arange(2)[:, None, None, None] * np.ones((2, 4, 4, 4)), np.eye(4))
    assert resampling.resample(series, grid((4, 4, 4), (1, 1, 1)), np.eye(4)).array[1].min() == 1
    mask = Image(np.ones((4, 4, 4), dtype=bool), np.eye(4))
    assert resampling.resample(mask, grid((4, 4, 4), (1, 1, 1)), np.eye(4), interpolation="nearest").array.dtype == bool


def test_half_covered_voxel_of_parallel_grids_is_exact():
    mask = Image(np.ones((1, 1, 1), dtype=bool), np.diag([2.0, 2.0, 2.0, 1.0]))  # x, y, z from -1 to 1
    weights = resampling.overlap_weights(mask, grid((1, 1, 3), (2, 2, 2), (-1.5, 0, 0)), np.eye(4))
    # voxels along x cover -2.5..-0.5, -0.5..1.5 and 1.5..3.5: a quarter, three quarters, nothing
    np.testing.assert_allclose(weights[0, 0], [0.25, 0.75, 0])


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.94, 0.94, 6.5), (3, 3, 5), (0.5, 0.5, 1)])
@pytest.mark.parametrize("target", [(1.8, 1.8, 5), (0.9, 0.9, 0.9), (10, 10, 15)])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (7, -11, 15)])
def test_covered_volume_is_conserved(spacing, target, degrees, posed):
    mask = ball(np.array(spacing, dtype=float), 9, np.array([3.3, -2.1, 1.7]))
    shape = [int(90 / step) for step in target]
    image = grid(shape[::-1], target, -(np.array(shape) - 1) * target / 2)
    matrix = posed(degrees, (4, 3, -2))
    weights = resampling.overlap_weights(mask, image, matrix)
    assert weights.min() >= 0 and weights.max() <= 1
    truth = mask.array.sum() * mask.voxel_volume
    assert weights.sum() * image.voxel_volume == pytest.approx(truth, rel=0.02)
    points = resampling.voxel_centres(np.ones(image.shape, dtype=bool), image.affine)
    centre = (points * weights.ravel()[:, None]).sum(axis=0) / weights.sum()
    middle = resampling.voxel_centres(mask.array, mask.affine).mean(axis=0, keepdims=True)
    np.testing.assert_allclose(centre, resampling.transform_points(matrix, middle)[0], atol=0.3)


def test_oblique_fractions_against_dense_sampling(posed):
    mask = ball(np.array([1.0, 1.0, 1.0]), 8, np.zeros(3))
    image = grid((8, 14, 14), (1.8, 1.8, 5), (-12, -12, -17))
    matrix = posed((9, -6, 20), (1, 2, -1))
    weights = resampling.overlap_weights(mask, image, matrix)
    steps = (np.arange(20) + 0.5) / 20 - 0.5
    offsets = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    to_mask = np.linalg.inv(matrix @ mask.affine) @ image.affine
    worst = 0.0
    for k, j, i in np.argwhere((weights > 0) & (weights < 1))[::7]:
        index = np.rint(resampling.transform_points(to_mask, offsets + [i, j, k])).astype(int)[:, ::-1]
        seen = np.all((index >= 0) & (index < mask.shape), axis=1)
        dense = mask.array[tuple(index[seen].T)].sum() / len(offsets)
        worst = max(worst, abs(dense - weights[k, j, i]))
    assert 0 < worst < 0.1


def test_oblique_fractions_do_not_depend_on_how_many_are_made_at_once(posed, monkeypatch):
    mask = ball(np.array([1.0, 1.0, 1.0]), 8, np.zeros(3))
    image = grid((8, 14, 14), (1.8, 1.8, 5), (-12, -12, -17))
    matrix = posed((9, -6, 20), (1, 2, -1))
    weights = resampling.overlap_weights(mask, image, matrix)
    monkeypatch.setattr(resampling, "_SAMPLES_AT_ONCE", 700)
    np.testing.assert_array_equal(resampling.overlap_weights(mask, image, matrix), weights)


def test_thick_slices_are_never_averaged_with_each_other():
    """One bright slice of 6.5 mm among dark ones: on cubic voxels of 4 and 1.5 mm its value is still there, and only
    the fine axes were smoothed."""
    array = np.zeros((9, 40, 40), np.float32)
    array[4] = 100.0
    image = Image(array, np.diag([1.0, 1.0, 6.5, 1.0]))
    for spacing in (4.0, 1.5):
        cubic = resampling.isotropic(image, spacing)
        assert cubic.shape[0] * spacing >= 9 * 6.5 - 1e-6
        assert cubic.array.max() > 100 * (1 - spacing / 2 / 6.5)  # a voxel's centre misses the slice's by half at most
        assert np.ptp(cubic.array[:, 2:-2, 2:-2].max(axis=0)) < 1e-3
    fine = np.zeros((9, 40, 40), np.float32)
    fine[:, :, 20] = 100.0
    assert resampling.isotropic(Image(fine, image.affine), 4.0).array.max() < 60  # where voxels are fine they are


def test_padding_is_cut_and_a_blank_image_refused():
    image = grid((6, 5, 4), (1, 2, 3))
    image.array[1:4, 2:4, 1:3] = np.arange(12).reshape(3, 2, 2) + 1
    block = resampling.observed_block(image)
    assert block == (slice(1, 4), slice(2, 4), slice(1, 3))
    np.testing.assert_allclose(
        resampling.cropped(image, block).affine[:3, 3], [1, 4, 3]
    )  # i 1 x 1 mm, j 2 x 2 mm, k 1 x 3 mm
    with pytest.raises(InputError) as caught:
        resampling.observed_block(grid((4, 4, 4), (1, 1, 1)))
    assert caught.value.message.code == "image_is_blank"
