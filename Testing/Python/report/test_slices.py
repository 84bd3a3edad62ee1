"""Slices as pictures: sides, scale, contrast, overlays and outlines against a phantom whose true place is known."""

import numpy as np
import pytest
from scipy import ndimage

from PseudoProgressionAnalyzerLib.measures import Image, Map
from PseudoProgressionAnalyzerLib.report import slices

# Voxel axes of a grid as columns: how scanners and formats store a head.
GRIDS = {
    "RAS": np.eye(3),
    "LPS": np.diag([-1, -1, 1]),
    "left to right flipped": np.diag([-1, 1, 1]),
    "sagittal slices": np.array([[0, 0, -1], [-1, 0, 0], [0, -1, 0]]),
    "coronal slices": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
}
SHAPE = (70, 76, 72)


def grid(phantom, axes, spacing=(2.4, 2.5, 2.6), tilt=()):
    turn = np.eye(3)
    for axis, degrees in tilt:
        turn = phantom["rotation"](axis, degrees)[:3, :3] @ turn
    return phantom["centred"](turn @ axes, np.asarray(spacing), SHAPE)


SIDE = 180  # mm and pixels of the pictures here; the RAS origin lies in their middle


def cut_at(image, orientation, through):
    """The phantom in the plane that holds a point, 1 mm pixels, and the axes of the picture."""
    axes = slices.frame(image.affine, orientation)
    box = np.array([[-SIDE / 2, SIDE / 2]] * 2)
    return slices.cut(image, slices.planes(axes, box, [through @ axes[2]], 1.0), np.eye(4)), axes


def blobs(picture):
    """Middles (mm down, mm across from the picture's middle) of what is brighter than the brain."""
    labels, number = ndimage.label(picture > 200)
    return [
        np.array(middle) - (SIDE - 1) / 2 for middle in ndimage.center_of_mass(picture, labels, range(1, number + 1))
    ]


def holds(picture, down, across, within):
    return any(np.hypot(*(blob - (down, across))) < within for blob in blobs(picture))


@pytest.mark.parametrize("axes", GRIDS.values(), ids=GRIDS.keys())
def test_left_anterior_and_superior_come_out_where_radiologists_expect_them(phantom, axes):
    image = phantom["head_image"](grid(phantom, axes), SHAPE)
    # The balls: left (R -36, A -8, S 4), front (6, 52, 4), top (6, -8, 38). Right on the left, front and top upwards.
    picture, _ = cut_at(image, "axial", phantom["left"])
    assert len(blobs(picture)) == 2
    assert holds(picture, down=8, across=36, within=1.5)
    assert holds(picture, down=-52, across=-6, within=1.5)
    picture, _ = cut_at(image, "coronal", phantom["top"])
    assert holds(picture, down=-38, across=-6, within=1.5)
    assert holds(picture, down=-4, across=36, within=1.5)
    picture, _ = cut_at(image, "sagittal", phantom["top"])
    assert holds(picture, down=-38, across=8, within=1.5)
    assert holds(picture, down=-4, across=-52, within=1.5)


@pytest.mark.parametrize("axes", GRIDS.values(), ids=GRIDS.keys())
def test_an_oblique_acquisition_keeps_its_own_planes_and_its_sides(phantom, axes):
    image = phantom["head_image"](grid(phantom, axes, tilt=((2, 12), (0, -9))), SHAPE)
    for orientation, ball in (("axial", "left"), ("coronal", "top"), ("sagittal", "front")):
        picture, turned = cut_at(image, orientation, phantom[ball])
        straight = slices.frame(np.eye(4), orientation)
        assert np.all(np.sum(turned * straight, axis=1) > 0.95)
        # One axis of the picture's plane stands on the scanner's own slices or columns.
        assert np.abs(turned[2] @ image.affine[:3, :3] / image.spacing).max() == pytest.approx(1)
        assert holds(picture, phantom[ball] @ turned[1], phantom[ball] @ turned[0], within=1.5)


def test_a_wrong_affine_fails_the_same_check(phantom):
    affine = grid(phantom, np.eye(3))
    image = phantom["head_image"](affine, SHAPE)
    mirrored = Image(image.array, np.diag([-1, 1, 1, 1]) @ affine)
    picture, _ = cut_at(mirrored, "axial", phantom["left"])
    assert not holds(picture, down=8, across=36, within=10)
    assert holds(picture, down=8, across=-36, within=1.5)


@pytest.mark.parametrize("tilt", [0, 44, 46, 91])
def test_the_frame_is_a_right_handed_rotation(phantom, tilt):
    affine = grid(phantom, GRIDS["LPS"], tilt=((2, tilt), (1, 20)))
    for orientation in slices.ORIENTATIONS:
        axes = slices.frame(affine, orientation)
        assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(axes) == pytest.approx(1)


def test_a_moved_visit_is_shown_where_it_belongs(phantom):
    moved = phantom["rotation"](2, 15)
    moved[:3, 3] = (8, -5, 6)
    affine = grid(phantom, GRIDS["LPS"])
    still = phantom["head_image"](affine, SHAPE)
    image = phantom["head_image"](affine, SHAPE, to_reference=moved)
    plane = slices.planes(slices.frame(affine), np.array([[-SIDE / 2, SIDE / 2]] * 2), [4.0], 1.0)
    for picture in (slices.cut(still, plane, np.eye(4)), slices.cut(image, plane, moved)):
        assert holds(picture, down=8, across=36, within=1.0)
        assert holds(picture, down=-52, across=-6, within=1.0)
    wrong = slices.cut(image, plane, np.eye(4))
    assert not holds(wrong, down=8, across=36, within=3.0)


def test_slice_offsets_are_those_of_the_scanner(phantom):
    affine = phantom["centred"](GRIDS["LPS"], (1, 1, 6.5), (24, 10, 10))
    offsets = slices.slice_offsets(Image(np.zeros((24, 10, 10)), affine), np.array([0.0, 0, 1]))
    assert np.allclose(offsets, (np.arange(24) - 11.5) * 6.5)


def test_the_reference_visit_is_shown_as_it_was_acquired():
    """A plane at the scanner's own slice mixes nothing of its neighbours in."""
    array = np.zeros((5, 30, 30), dtype=np.float32)
    array[2], array[1], array[3] = 7, 100, -100
    image = Image(array, np.diag([-1.0, -1.0, 6.0, 1.0]))
    axes = slices.frame(image.affine)
    offsets = slices.slice_offsets(image, axes[2])
    box = slices.bounds(Image(np.ones(array.shape), image.affine), axes, 0.0)
    picture = slices.cut(image, slices.planes(axes, box, offsets[2:3], 0.5), np.eye(4))
    assert picture.shape == (58, 58)
    assert np.allclose(picture, 7, atol=1e-4)


def test_bounds_are_those_of_every_voxel(phantom):
    """Scattered voxels, runs with holes and runs up to the border, on a tilted grid, against all their centres."""
    random = np.random.default_rng(4)
    for density in (0.002, 0.5, 1.0):
        mask = random.random((9, 12, 15)) < density
        affine = phantom["centred"](phantom["rotation"](0, 25)[:3, :3] @ GRIDS["LPS"], (1.0, 1.2, 3.0), mask.shape)
        axes = slices.frame(np.eye(4))
        k, j, i = np.nonzero(mask)
        along = (np.stack([i, j, k, np.ones(len(i))], axis=1) @ affine.T)[:, :3] @ axes[:2].T
        found = slices.bounds(Image(mask, affine), axes, 2.0)
        np.testing.assert_allclose(found, np.stack([along.min(axis=0) - 2, along.max(axis=0) + 2], axis=1))


def test_untrusted_voxels_never_mix_into_their_neighbours():
    values = np.ones((3, 10, 10), dtype=np.float32)
    values[:, :, 5:] = np.nan
    values[:, 5:, :5] = 1e9
    trusted = np.ones(values.shape, dtype=bool)
    trusted[:, 5:, :] = False
    map_ = Map(values, np.diag([3.0, 3, 3, 1]), quality=trusted)
    plane = slices.planes(slices.frame(map_.affine), np.array([[-30.0, 3.0], [-30.0, 3.0]]), [3.0], 0.5)
    for interpolation in ("linear", "nearest"):
        found, shown = slices.cut_map(map_, plane, np.eye(4), interpolation)
        assert np.allclose(found[shown], 1)
        assert np.all(found[~shown] == 0)
        # Trusted: 5 x 5 voxels of 3 mm in 0.5 mm pixels, up to the outer half voxels of linear interpolation.
        assert shown.sum() == pytest.approx(30 * 30, rel=0.12)


def test_metabolite_maps_keep_their_voxels():
    map_ = Map(np.random.default_rng(2).random((3, 4, 4)), np.diag([10.0, 10, 10, 1]))
    plane = slices.planes(slices.frame(map_.affine), np.array([[-34.0, 4.0], [-34.0, 4.0]]), [10.0], 0.5)
    found, shown = slices.cut_map(map_, plane, np.eye(4), "nearest")
    assert len(np.unique(found[shown])) == 16


def test_the_window_is_common_and_no_outlier_moves_it():
    rng = np.random.default_rng(3)
    tissue = np.ones((80, 80), dtype=bool)
    first = rng.normal(100, 5, (80, 80))
    excluded = np.zeros((80, 80), dtype=bool)
    levels, low, high = slices.common_window([first, 40 * first], [tissue, tissue], excluded)
    assert levels[1] == pytest.approx(40 * levels[0])
    spoilt = first.copy()
    spoilt[0, :20] = 1e7
    assert slices.common_window([spoilt, 40 * first], [tissue, tissue], excluded)[1:] == pytest.approx(
        (low, high), rel=0.02
    )
    assert np.allclose(slices.grey(first, levels[0], low, high), slices.grey(40 * first, levels[1], low, high))


def test_a_lesion_is_left_out_of_the_grey_level_but_not_of_the_window():
    tissue = np.ones((50, 50), dtype=bool)
    picture = np.full((50, 50), 100.0)
    picture[:30] = 400.0
    lesion = np.zeros((50, 50), dtype=bool)
    lesion[:30] = True
    levels, _, high = slices.common_window([picture], [tissue], lesion)
    assert levels == [100.0]
    assert high == pytest.approx(4.0)


def polygon_area(line):
    """Shoelace formula."""
    row, column = line.T
    return abs(np.sum(row * np.roll(column, 1) - column * np.roll(row, 1))) / 2


@pytest.mark.parametrize("radius", [3.0, 20.0])
def test_an_outline_encloses_its_region(radius):
    rows, columns = np.mgrid[:60, :60]
    coverage = np.clip(radius + 0.5 - np.hypot(rows - 30, columns - 28), 0, 1)
    (line,) = slices.outlines(coverage)
    assert polygon_area(line) == pytest.approx(np.pi * radius**2, rel=0.05)
    assert np.allclose(line.mean(axis=0), (30, 28), atol=0.5)


def test_a_region_at_the_edge_is_closed_and_nothing_has_no_outline():
    coverage = np.zeros((20, 20))
    assert slices.outlines(coverage) == []
    coverage[:5, :5] = 1
    (line,) = slices.outlines(coverage)
    assert np.allclose(line[0], line[-1])
    assert polygon_area(line) == pytest.approx(25, rel=0.15)
    assert len(slices.outlines(np.eye(20) * (np.arange(20) % 6 == 3))) == 3


def test_a_map_colours_only_where_it_is_shown():
    pixels = np.full((4, 4, 3), 0.5)
    shown = np.zeros((4, 4), dtype=bool)
    shown[1, 2] = True
    slices.lay_over(pixels, np.full((4, 4), 2.0), shown, 2.0)
    changed = np.any(pixels != 0.5, axis=-1)
    assert np.array_equal(changed, shown)
