"""Diameters against analytic ellipsoids and rectangles, plain search, and real lesions."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.distance import pdist

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.lesion.diameters import (
    RULES,
    _outlines_of,
    acquisition_axis,
    anatomical_axis,
    diameters,
)
from PseudoProgressionAnalyzerLib.measures import InputError

SHAPE = (40, 70, 74)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [(1, 1, 1.6), (0.9, 0.9, 5), (2.2, 0.8, 1.0), (0.8, 3, 1.1)])
@pytest.mark.parametrize("rule", RULES)
def test_ellipsoids_in_any_orientation_within_a_voxel(phantoms, seed, spacing, rule):
    rng = np.random.default_rng(seed)
    semi_axes, turn = rng.uniform(9, 22, 3), phantoms.rotation(rng)
    affine = phantoms.grid(spacing, phantoms.rotation(rng), SHAPE, mirrored=seed % 2 == 1)
    mask = phantoms.ellipsoid(semi_axes, turn, affine, SHAPE)
    axis = int(np.argmax(spacing))
    normal = np.linalg.inv(affine[:3, :3])[axis]
    long, short = phantoms.section(semi_axes, turn, normal / np.linalg.norm(normal))
    voxel = np.delete(spacing, axis).max()
    # The largest slice of thick ones misses the centre by up to half a slice.
    form = turn @ np.diag(semi_axes**2) @ turn.T
    height = np.sqrt(normal @ form @ normal) / np.linalg.norm(normal)
    missed = 1 - np.sqrt(1 - min(spacing[axis] / 2 / height, 1) ** 2)
    found = diameters(mask, affine, rule)
    assert found.slice_axis == axis
    if rule == "reader":
        assert -missed * long - voxel < found.longest - long < voxel
        assert -missed * short - 2 * voxel < found.perpendicular - short < voxel
    else:
        assert (
            -missed * 2 - voxel / long - voxel / short
            < found.product / (long * short) - 1
            < voxel / long + voxel / short
        )

    pairs = ((found.longest_ends, found.longest), (found.perpendicular_ends, found.perpendicular))
    for ends, length in pairs:
        assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(length)
        across = np.linalg.inv(affine) @ np.c_[ends, [1, 1]].T
        assert across[axis] == pytest.approx([found.slice_index] * 2)
        assert np.sqrt((((ends @ turn) / semi_axes) ** 2).sum(axis=1)).max() * min(semi_axes) < min(semi_axes) + voxel
    lines = [np.diff(ends, axis=0)[0] for ends in (found.longest_ends, found.perpendicular_ends)]
    assert lines[0] @ lines[1] == pytest.approx(0, abs=1e-6 * found.product)


def test_the_ellipsoid_check_fails_for_a_wrong_voxel_size_or_a_wrong_plane(phantoms):
    rng = np.random.default_rng(11)
    semi_axes, turn = np.array([20.0, 12, 9]), phantoms.rotation(rng)
    affine = phantoms.grid((0.9, 0.9, 3), np.eye(3), SHAPE)
    mask = phantoms.ellipsoid(semi_axes, turn, affine, SHAPE)
    long, _ = phantoms.section(semi_axes, turn, np.array([0, 0, 1.0]))
    assert diameters(mask, affine).longest == pytest.approx(long, abs=0.9)
    assert diameters(mask, affine @ np.diag([1.1, 1.1, 1, 1])).longest != pytest.approx(long, abs=0.9)
    other = phantoms.section(semi_axes, turn, np.array([1.0, 0, 0]))
    assert diameters(mask, affine, slice_axis=0).longest == pytest.approx(other[0], abs=3)
    assert abs(other[0] - long) > 3


@pytest.mark.parametrize("rule", RULES)
def test_rows_and_columns_that_are_not_at_right_angles(phantoms, rule):
    """Columns at 65 degrees to the rows: both diameters are those of the ellipsoid, and at right angles in mm."""
    semi_axes, turn = np.array([20.0, 12, 14]), np.eye(3)
    lean = np.eye(3)
    lean[:2, 1] = np.cos(np.radians(65)), np.sin(np.radians(65))
    affine = phantoms.grid((0.9, 0.9, 3), lean, (40, 90, 110))
    found = diameters(phantoms.ellipsoid(semi_axes, turn, affine, (40, 90, 110)), affine, rule)
    assert (found.longest, found.perpendicular) == pytest.approx((40, 24), abs=1.8)
    lines = [np.diff(ends, axis=0)[0] for ends in (found.longest_ends, found.perpendicular_ends)]
    assert lines[0] @ lines[1] == pytest.approx(0, abs=1e-6 * found.product)


def test_a_row_of_voxels_is_as_long_as_its_voxels():
    mask = np.zeros((3, 9, 30), bool)
    mask[1, 4, 5:25] = True
    found = diameters(mask, np.diag([0.5, 0.7, 4, 1.0]))
    assert (found.longest, found.perpendicular) == pytest.approx((10.0, 0.7))
    assert found.extents == pytest.approx([10.0, 0.7, 4.0])
    assert (found.slices, found.slice_spacing) == (1, 4.0)
    single = np.zeros((3, 3, 3), bool)
    single[1, 1, 1] = True
    assert diameters(single, np.eye(4)).longest == pytest.approx(1.0)


def test_both_rules_on_a_rectangle():
    """In a 60 x 20 mm rectangle the longest diameter is the diagonal; the longest line perpendicular to it ends on both
    long sides, 20 / cos(18.4 degrees). The largest product is found by a plain search over the angle."""
    mask = np.zeros((5, 150, 250), bool)
    mask[2, 50:90, 60:180] = True
    affine = np.diag([0.5, 0.5, 5, 1.0])
    reader, product = diameters(mask, affine, "reader"), diameters(mask, affine, "product")
    assert reader.longest == pytest.approx(np.hypot(60, 20), abs=0.5)
    assert reader.perpendicular == pytest.approx(20 / np.cos(np.arctan2(20, 60)), abs=0.5)

    angle = np.linspace(0, np.pi / 2, 20001)[1:-1]
    chord = lambda turn: np.minimum(60 / np.abs(np.cos(turn)), 20 / np.abs(np.sin(turn)))  # noqa: E731
    assert product.product == pytest.approx((chord(angle) * chord(angle + np.pi / 2)).max(), rel=0.02)
    assert product.product >= reader.product


def outline_points(plane):
    """Middles of the edges between voxels inside and outside, by plain loops."""
    points = []
    for (a, b), inside in np.ndenumerate(plane):
        for da, db in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            if inside and not plane[a + da, b + db]:
                points.append((a + da / 2, b + db / 2))
    return np.array(points)


def widest(plane, direction, steps=4000):
    """Longest chord of a plane in a direction by walking lines over finely resolved voxels."""
    points = outline_points(plane)
    across = np.array([-direction[1], direction[0]])
    best = 0.0
    for line in np.linspace((points @ across).min(), (points @ across).max(), 40):
        walk = np.linspace((points @ direction).min() - 1, (points @ direction).max() + 1, steps)
        where = line * across + walk[:, None] * direction
        # Bilinear values of the mask cross 0.5 at the outline, up to the corners that marching squares cuts.
        level = ndimage.map_coordinates(plane.astype(float), where.T, order=1)
        inside = walk[level >= 0.5]
        best = max(best, np.ptp(inside) if inside.size else 0.0)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_ragged_lesions_against_plain_search(seed):
    rng = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(rng.normal(size=(44, 44)), 3) > 0.01
    blobs[[0, -1]] = blobs[:, [0, -1]] = False
    labels, _ = ndimage.label(blobs, np.ones((3, 3)))
    plane = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    affine = np.diag([1.0, 1.0, 5.0, 1.0])
    reader, product = (diameters(plane[None], affine, rule) for rule in RULES)
    points = outline_points(plane)
    assert reader.longest == pytest.approx(pdist(points).max())
    line = np.diff(reader.longest_ends, axis=0)[0, :2] / reader.longest
    assert reader.perpendicular == pytest.approx(widest(plane, np.array([-line[1], line[0]])[::-1]), abs=0.8)
    searched = max(
        widest(plane, np.array([np.cos(turn), np.sin(turn)]), 600)
        * widest(plane, np.array([-np.sin(turn), np.cos(turn)]), 600)
        for turn in np.radians(np.arange(0, 90, 5))
    )
    assert product.product >= reader.product - 1e-9
    assert product.product > searched * 0.98
    assert product.product < (reader.longest + 1e-9) ** 2


def test_what_is_remembered_of_slices_changes_no_diameter():
    """Edits of a few slices, in turn with other voxel sizes, rules and obstacles: all as if nothing was remembered."""
    rng = np.random.default_rng(7)
    mask = np.zeros((9, 30, 32), bool)
    mask[2:7, 8:20, 7:22] = True
    seen = []
    for number in range(12):
        k, j, i = rng.integers((1, 4, 4), (6, 20, 20))
        mask[k : k + 2, j : j + 6, i : i + 7] = number % 3 > 0
        avoid = np.zeros_like(mask)
        avoid[:, 12:15, 10:16] = True
        affine = np.diag([*rng.choice([0.9, 1.0, 1.3], 3), 1.0])
        affine[:3, 3] = rng.normal(size=3)
        for rule in RULES:
            for obstacle in (None, avoid):
                seen.append((mask & ~avoid, affine, rule, None, obstacle))
    for _ in range(2):
        for arguments in seen:
            remembered = diameters(*arguments)
            _outlines_of.cache_clear()
            anew = diameters(*arguments)
            for name in ("longest", "perpendicular", "longest_ends", "perpendicular_ends", "slice_index"):
                assert np.array_equal(getattr(remembered, name), getattr(anew, name)), name


def test_pieces_that_do_not_touch_are_measured_apart():
    mask = np.zeros((3, 20, 40), bool)
    mask[1, 5:8, 3:13] = True
    mask[1, 5:8, 25:31] = True
    assert diameters(mask, np.diag([1, 1, 3, 1.0])).longest < 11
    mask[1, 6, 13:25] = True
    assert diameters(mask, np.diag([1, 1, 3, 1.0])).longest > 27


def test_a_ring_is_measured_across_its_centre():
    j, i = np.indices((50, 50)) - 25
    radius = np.hypot(i, j)
    ring = ((radius <= 20) & (radius > 16))[None]
    full = (radius <= 20)[None]
    for rule in RULES:
        measured, truth = (diameters(mask, np.diag([1, 1, 4, 1.0]), rule) for mask in (ring, full))
        assert (measured.longest, measured.perpendicular) == pytest.approx((truth.longest, truth.perpendicular))


@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_diameters_do_not_cross_a_cavity(turn):
    """In a wall from 16 to 20 mm around a cavity the longest line is the tangent to the cavity, 2 sqrt(20^2 - 16^2)
    or 24 mm. What crosses it at a right angle is longest at its end, 12 mm aside: 16 - sqrt(16^2 - 12^2) = 5.4 mm."""
    affine = np.eye(4)
    affine[:2, :2] = 0.5 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    affine[2, 2] = 4
    j, i = (np.indices((100, 100)) - 49.7) / 2
    cavity, lesion = (np.hypot(i, j) <= 16)[None], (np.hypot(i, j) <= 20)[None]
    ring = lesion & ~cavity
    assert diameters(ring, affine).longest == pytest.approx(40, abs=0.7)
    found = diameters(ring, affine, avoid=cavity)
    assert found.longest == pytest.approx(24, abs=1.2)
    assert found.perpendicular == pytest.approx(5.4, abs=0.8)
    product = diameters(ring, affine, "product", avoid=lesion)
    assert found.product - 1e-6 <= product.product < 24 * 12
    for ends in (found.longest_ends, found.perpendicular_ends, product.longest_ends, product.perpendicular_ends):
        walk = ends[0] + np.linspace(0.02, 0.98, 200)[:, None] * (ends[1] - ends[0])
        voxels = np.c_[walk, np.ones(200)] @ np.linalg.inv(affine).T
        assert np.hypot(*((voxels[:, :2] - 49.7) / 2).T).min() > 16 - 0.4
    small = diameters(ring, affine, avoid=np.zeros_like(cavity))
    assert small.longest == pytest.approx(40, abs=0.7)


def test_both_diameters_cross():
    """In an L the longest line perpendicular to the diagonal lies in its corner, not at the end of a limb."""
    mask = np.zeros((1, 44, 44), bool)
    mask[0, 2:42, 2:8] = mask[0, 36:42, 2:42] = True
    for rule in RULES:
        found = diameters(mask, np.diag([1, 1, 3, 1.0]), rule)
        first, second = np.diff(found.longest_ends, axis=0)[0, :2], np.diff(found.perpendicular_ends, axis=0)[0, :2]
        shares = np.linalg.solve(
            np.column_stack([first, -second]), (found.perpendicular_ends - found.longest_ends)[0, :2]
        )
        assert np.all((shares > -1e-6) & (shares < 1 + 1e-6))


@settings(max_examples=15, deadline=None)
@given(st.permutations([0, 1, 2]), st.lists(st.booleans(), min_size=3, max_size=3), st.sampled_from(RULES))
def test_storage_order_does_not_matter(phantoms, order, flips, rule):
    """The same lesion stored with axes exchanged and reversed has the same diameters at the same places."""
    shape = (12, 22, 26)
    affine = phantoms.grid((1.0, 1.1, 2.5), phantoms.rotation(np.random.default_rng(5)), shape)
    mask = phantoms.ellipsoid((9, 6, 7), np.eye(3), affine, shape)
    stored, placed = mask.transpose(order), affine.copy()
    placed[:3, :3] = affine[:3, :3][:, [2 - order[2 - axis] for axis in range(3)]]
    for axis, flip in enumerate(flips):
        if flip:
            length = stored.shape[2 - axis]
            stored = np.flip(stored, 2 - axis)
            placed[:3, 3] += placed[:3, axis] * (length - 1)
            placed[:3, axis] *= -1
    first, second = diameters(mask, affine, rule), diameters(stored, placed, rule)
    assert second.longest == pytest.approx(first.longest)
    assert second.product == pytest.approx(first.product)
    assert second.slices == first.slices


def test_the_acquisition_plane_is_across_the_largest_spacing_and_axial_without_one():
    sagittal = np.array([[0, 0, -5.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    assert acquisition_axis(sagittal) == 2
    isotropic = sagittal @ np.diag([1, 1, 0.2, 1])
    assert acquisition_axis(isotropic) == 1
    assert [anatomical_axis(isotropic, plane) for plane in ("sagittal", "coronal", "axial")] == [2, 0, 1]


def test_an_empty_region_is_refused():
    with pytest.raises(InputError) as error:
        diameters(np.zeros((4, 4, 4), bool), np.eye(4))
    assert error.value.message.code == "lesion_empty"


def test_longest_diameter_is_that_of_pyradiomics(reference_data):
    """Maximum2DDiameterSlice of the tumour that is in one piece on every slice. (The other tumour's lies half way
    between two slices, where the mesh of pyradiomics joins what both hold.)"""
    folder = reference_data("longitudinal/AIM-Harvard_pyradiomics")
    with (folder / "baseline_shape.csv").open(newline="") as file:
        rows = {row["featureName"]: row["brain2"] for row in csv.DictReader(file)}
    label = read_image(folder / "brain2_label.nrrd")
    found = diameters(label.array == 1, label.affine)
    assert found.longest == pytest.approx(float(rows["original_shape_Maximum2DDiameterSlice"]), rel=1e-6)
    assert found.slices == 3


@pytest.mark.parametrize(
    ("file", "label", "longest", "perpendicular"),
    [("BrainLesion_deep_quality_estimation/seg-BraTS23_1.nii.gz", 3, 50.6, 38.2)],
)
@pytest.mark.parametrize("rule", RULES)
def test_real_lesion_agrees_with_an_earlier_measurement(reference_data, file, label, longest, perpendicular, rule):
    """50.6 x 38.2 mm between voxel centres, by both rules: the outline adds a voxel of 1 mm at most."""
    image = read_image(reference_data(f"longitudinal/{file}"))
    found = diameters(image.array == label, image.affine, rule)
    assert longest <= found.longest <= longest + 1.5
    assert perpendicular <= found.perpendicular <= perpendicular + 1.5
