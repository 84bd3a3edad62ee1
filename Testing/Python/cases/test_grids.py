"""Geometry and random fields of the simulator, on shapes whose answers are known."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import grids
from PseudoProgressionAnalyzerLib.measures import Image


def ball(centre, radius, shape=(40, 44, 48), origin=(-24.0, -22.0, -20.0)):
    """A ball (share of every voxel) on an axis-aligned grid of 1 mm."""
    affine = np.eye(4)
    affine[:3, 3] = origin
    x, y, z = grids.axes(shape, affine)
    distance = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return Image(grids.soft_step(radius - distance).astype(np.float32), affine)


def centre_of_mass(image):
    index = np.array([(grid * image.array).sum() / image.array.sum() for grid in np.indices(image.shape)])
    return (image.affine @ [*index[::-1], 1.0])[:3]


@pytest.mark.parametrize(
    ("angles", "point", "turned"),
    [
        ((0, 0, 90), (1, 0, 0), (0, 1, 0)),  # yaw to the left: right goes to anterior
        ((90, 0, 0), (0, 1, 0), (0, 0, 1)),  # nose up: anterior goes to superior
        ((0, 90, 0), (0, 0, 1), (1, 0, 0)),  # roll to the right: superior goes to right
        ((90, 0, 90), (0, 1, 0), (0, 0, 1)),  # pitch first
    ],
)
def test_rotations_turn_the_right_way(angles, point, turned):
    assert np.allclose(grids.rotation_matrix(*angles) @ point, turned, atol=1e-12)


def test_scanned_puts_things_where_the_pose_says():
    centre = np.array([7.0, -5.0, 4.0])
    source = ball(centre, 5.0)
    pose = grids.pose_matrix((8.0, -6.0, 11.0), (4.0, -3.0, 6.0))
    shape, spacing = (16, 30, 32), (2.0, 2.0, 4.0)
    turned = np.diag([-1.0, -1.0, 1.0]) @ grids.rotation_matrix(5.0, 0.0, 0.0)
    affine = grids.grid_affine(shape, spacing, turned, pose[:3, 3])
    seen = Image(grids.scanned(source, pose, shape, affine, (2, 2, 4)), affine)
    expected = (pose @ [*centre, 1.0])[:3]
    assert np.linalg.norm(centre_of_mass(seen) - expected) < 0.1
    assert np.linalg.norm(centre_of_mass(seen) - expected * (-1, 1, 1)) > 5  # a mirrored one would be seen
    assert seen.array.sum() * 16.0 == pytest.approx(4 / 3 * np.pi * 5**3, rel=0.02)  # nothing lost, nothing gained


def test_signed_distance_to_a_ball():
    image = ball((0.3, -0.2, 0.4), 12.0)
    x, y, z = grids.axes(image.shape, image.affine)
    exact = np.sqrt((x - 0.3) ** 2 + (y + 0.2) ** 2 + (z - 0.4) ** 2) - 12.0
    error = grids.signed_distance(image.array > 0.5, 1.0) - exact
    assert abs(error.mean()) < 0.1 and np.abs(error)[np.abs(exact) < 6].max() < 0.75
    assert abs((grids.signed_distance(image.array > 0.99, 1.0) - exact).mean()) > 0.3  # a smaller ball is noticed


def test_smooth_field_is_smooth_standardised_and_covers_the_box():
    like = Image(np.empty((60, 70, 80), np.bool_), np.diag([1.0, 1.0, 1.0, 1.0]))
    field = grids.smooth_field(np.random.default_rng(3), like, 12.0)
    assert field.array.mean() == pytest.approx(0, abs=1e-6) and field.array.std() == pytest.approx(1, abs=1e-6)
    on_box = grids.resampled(field, like.shape, like.affine, outside=np.nan)
    assert np.isfinite(on_box).all()
    step = np.abs(np.diff(on_box, axis=2)).mean()
    rough = grids.resampled(grids.smooth_field(np.random.default_rng(3), like, 4.0), like.shape, like.affine)
    assert step < 0.08 < np.abs(np.diff(rough, axis=2)).mean()  # per mm, of SD 1


def test_displacement_moves_by_what_it_says():
    source = ball((0.0, 0.0, 0.0), 6.0)
    shape, affine = grids.node_grid(source)
    field = [Image(np.full(shape, value), affine) for value in (3.0, -2.0, 1.0)]
    moved = grids.resampled(source, source.shape, source.affine, grids.displacement(field))
    # Values come from where the displacement points to, so the ball appears on the other side.
    assert np.allclose(centre_of_mass(Image(moved, source.affine)), (-3.0, 2.0, -1.0), atol=0.05)


def test_box_is_cut_at_the_edge():
    image = ball((0, 0, 0), 5.0)
    box = grids.box_of(image.shape, image.affine, np.array([-100, -5, -5]), np.array([0, 5, 5]))
    assert box == (slice(15, 26), slice(17, 28), slice(0, 25))
    assert np.array_equal(grids.box_affine(image.affine, box)[:3, 3], (-24.0, -5.0, -5.0))
