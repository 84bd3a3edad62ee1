"""Volumes against hand calculation, their error band against published spreads and a simulated lesion."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.lesion.volume import DRAWING_ERROR, volume, volume_error, volume_estimate
from PseudoProgressionAnalyzerLib.measures import InputError

THICK = np.array([0.94, 0.94, 6.5])


def oblique(spacing, mirrored=True):
    """A grid turned by 30 degrees about z and 20 about x, its first axis reversed where mirrored."""
    c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
    d, t = np.cos(np.radians(20)), np.sin(np.radians(20))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, d, -t], [0, t, d]])
    affine[:3, :3] *= np.asarray(spacing) * ((-1, 1, 1) if mirrored else (1, 1, 1))
    affine[:3, 3] = (12, -34, 56)
    return affine


def test_volume_is_voxels_times_voxel_volume_on_an_oblique_mirrored_grid():
    mask = np.zeros((5, 6, 7), bool)
    mask[1:3, 2:5, 3:7] = True  # 2 x 3 x 4 voxels of 0.5 x 2 x 6 mm = 24 x 6 mm3
    assert volume(mask, oblique((0.5, 2, 6))) == pytest.approx(0.144, rel=1e-12)
    assert volume(mask, oblique((0.5, 2, 3))) != pytest.approx(0.144, rel=1e-3)


def test_nothing_drawn_is_zero_and_has_no_interval():
    estimate = volume_estimate(np.zeros((3, 3, 3), bool), np.eye(4))
    assert (estimate.value, estimate.low, estimate.high) == (0.0, None, None)


def test_a_volume_below_all_measured_ones_is_only_known_to_be_small():
    estimate = volume_estimate(np.ones((3, 3, 3), bool), np.eye(4))
    spread = np.exp(1.96 * np.hypot(0.019 / 2.563, 0.082))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.027, 0, 0.2 * spread), rel=1e-3)
    assert estimate.flags[0].code == "lesion_volume_error_unknown"


@pytest.mark.parametrize(
    ("mask", "affine", "code"),
    [
        (np.ones((3, 3, 3), np.uint8), np.eye(4), "lesion_mask_type"),
        (np.ones((3, 3), bool), np.eye(4), "lesion_mask_dimension"),
        (np.ones((3, 3, 3), bool), np.diag([1.0, 0, 1, 1]), "lesion_affine"),
        (np.ones((3, 3, 3), bool), np.full((4, 4), np.nan), "lesion_affine"),
        (np.ones((3, 3, 3), bool), np.eye(3), "lesion_affine"),
    ],
)
def test_unusable_regions_are_named(mask, affine, code):
    with pytest.raises(InputError) as error:
        volume(mask, affine)
    assert error.value.message.code == code


@pytest.mark.parametrize(("millilitres", "published"), [(0.5, 36.6), (3, 14.8), (10, 5.3), (40, 2.8), (100, 1.5)])
def test_grid_error_on_thick_slices_is_the_published_spread(millilitres, published):
    """Percentage points from the 10th to the 90th percentile, LUMIERE volume audit, grids of anisotropy 6 or more."""
    error = volume_error(millilitres, THICK, drawing_error=0.0)
    assert np.diff(np.percentile(np.random.default_rng(0).normal(0, error, 100_000), [10, 90]))[
        0
    ] * 100 == pytest.approx(published, rel=0.02)


def sphere_volumes(millilitres, spacing, trials=300):
    """Voxel-counted volumes, over the true one, of a sphere that falls anywhere between the voxels."""
    rng = np.random.default_rng(1)
    radius = (3000 * millilitres / 4 / np.pi) ** (1 / 3)
    axes = [step * np.arange(-np.ceil(radius / step) - 1, np.ceil(radius / step) + 2) for step in spacing]
    ratios = []
    for shift in rng.uniform(-0.5, 0.5, (trials, 3)) * spacing:
        x, y, z = (axis - offset for axis, offset in zip(axes, shift, strict=True))
        inside = x[:, None, None] ** 2 + y[:, None] ** 2 + z**2 <= radius**2
        ratios.append(inside.sum() * np.prod(spacing) / 1000 / millilitres)
    return np.array(ratios)


@pytest.mark.parametrize("millilitres", [0.5, 3, 10])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0), (0.94, 0.94, 6.5)])
def test_grid_error_is_of_the_order_of_a_simulated_lesion_and_never_below_half_of_it(millilitres, spacing):
    """Lesions have more surface than a sphere, so that their error is larger; it must not be larger without bound."""
    simulated = sphere_volumes(millilitres, np.array(spacing)).std()
    banded = volume_error(millilitres, np.array(spacing), drawing_error=0.0)
    assert 0.5 * simulated < banded < 15 * simulated


def test_the_band_holds_both_errors_and_narrows_with_size():
    small, large = (volume_error(size, THICK) for size in (0.5, 50))
    assert small == pytest.approx(np.hypot(0.366 / 2.563, DRAWING_ERROR), rel=1e-3)
    assert DRAWING_ERROR < large < small
    assert volume_error(0.1, THICK) is None
    assert volume_error(3, np.array([1, 1, 3.0])) == pytest.approx(
        np.hypot(0.009 * (0.148 / 0.009) ** (np.log(3) / np.log(6)) / 2.563, DRAWING_ERROR), rel=1e-3
    )


def test_the_interval_is_that_of_a_repeated_drawing():
    mask = np.ones((10, 10, 10), bool)  # 1 mL
    estimate = volume_estimate(mask, np.eye(4))
    spread = np.exp(1.96 * np.hypot(0.009 / 2.563, 0.082))
    assert (estimate.low, estimate.high) == pytest.approx((1 / spread, spread), rel=1e-3)
