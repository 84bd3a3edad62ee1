"""Voxels under a round brush in a tilted grid: every point of the plane under it is covered, and nothing else."""

import math

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

from PseudoProgressionAnalyzerLib.desktop.brush_gaps import _held_in, cut_voxels
from PseudoProgressionAnalyzerLib.measures import Image

SHAPE, RADIUS = (60, 64, 50), 5.0
UP = np.array([0.0, 0.0, 1.0])


def tilted(degrees, spacing=(1.0, 1.0, 1.2)):
    """Voxel indices to mm: a grid around the origin, turned about x and a little about y."""
    grid = np.eye(4)
    a, b = math.radians(degrees), math.radians(degrees / 2)
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    grid[:3, :3] = about_x @ about_y @ np.diag(spacing)
    grid[:3, 3] = -grid[:3, :3] @ (np.array(SHAPE) / 2)
    return grid


def whole(found):
    """The voxels on the whole grid ``(i, j, k)``."""
    mask = np.zeros(SHAPE, dtype=bool)
    k, j, i = np.nonzero(found.array)
    index = np.stack([i, j, k]) + found.affine[:3, 3].astype(int)[:, np.newaxis]
    mask[tuple(index)] = True
    return mask


def in_plane(grid, mask, height, step=0.1):
    """Points ``(n, 2)`` of the plane, and whether the voxel that holds each is in the mask: by the nearest voxel."""
    x, y = np.meshgrid(np.arange(-14, 14, step), np.arange(-10, 10, step))
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, height), np.ones(x.size)])
    index = np.rint((np.linalg.inv(grid) @ points)[:3]).astype(int)
    return points[:2].T, mask[tuple(index)]


def from_line(points, ends):
    """Distance from the line between two ends, by hand."""
    along = ends[1] - ends[0]
    share = np.clip((points - ends[0]) @ along / (along @ along), 0, 1)
    return np.linalg.norm(points - ends[0] - share[:, np.newaxis] * along, axis=1)


@pytest.mark.parametrize("degrees", [2, 7, 12])
@pytest.mark.parametrize("height", [0.0, 0.37, -0.61, 2.2])
def test_the_plane_under_the_brush_is_covered_without_a_hole(degrees, height):
    grid = tilted(degrees)
    ends = np.array([[-6.0, -1.0], [6.3, 2.0]])
    path = np.column_stack([ends, np.full(2, height)])
    mask = whole(cut_voxels(grid, SHAPE, path, UP, RADIUS))
    points, covered = in_plane(grid, mask, height)
    distance = from_line(points, ends)
    edge = 1.0  # mm: a voxel belongs to the brush by its centre, which lies up to that far from its corners
    assert covered[distance < RADIUS - edge].all()
    assert not covered[distance > RADIUS + edge].any()


def stamped(grid, path, height):
    """What Slicer's effect does: the brush, a slab as thick as a voxel is along the normal, cut into voxels around the
    origin, and stamped at whole voxels."""
    extent = np.abs(UP @ grid[:3, :3]).sum()
    index = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    around = index @ grid[:3, :3].T
    brush = index[(np.abs(around[:, 2]) <= extent / 2) & (np.linalg.norm(around[:, :2], axis=1) <= RADIUS)]
    mask = np.zeros(SHAPE, dtype=bool)
    for x, y in path:
        place = np.rint((np.linalg.inv(grid) @ [x, y, height, 1])[:3]).astype(int)
        mask[tuple((brush + place).T)] = True
    return mask


def test_slicers_way_leaves_holes_and_these_are_closed():
    grid, height = tilted(7), 0.37
    ends = np.array([[-6.0, -1.0], [6.3, 2.0]])
    path = np.linspace(*ends, 6)
    mask = stamped(grid, path, height)
    points, covered = in_plane(grid, mask, height)
    inside = from_line(points, ends) < RADIUS - 1
    assert np.mean(~covered[inside]) > 0.01
    mask |= whole(cut_voxels(grid, SHAPE, np.column_stack([ends, [height] * 2]), UP, RADIUS))
    assert in_plane(grid, mask, height)[1][inside].all()


def test_as_many_voxels_as_the_plane_cuts():
    """A plane cuts as many voxels per mm2 as their extent along its normal over their volume."""
    grid = tilted(9)
    found = cut_voxels(grid, SHAPE, np.array([[0.0, 0, 0.2]]), UP, 20.0)
    expected = math.pi * 20**2 * np.abs(UP @ grid[:3, :3]).sum() / abs(np.linalg.det(grid[:3, :3]))
    assert np.count_nonzero(found.array) == pytest.approx(expected, rel=0.02)


def test_a_grid_along_the_view_is_left_to_slicer():
    assert cut_voxels(tilted(0), SHAPE, np.zeros((1, 3)), UP, RADIUS) is None
    turned = tilted(0)[:, [1, 0, 2, 3]]
    assert cut_voxels(turned, SHAPE, np.zeros((1, 3)), UP, RADIUS) is None
    about_the_normal = np.eye(4)
    about_the_normal[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    assert cut_voxels(about_the_normal, SHAPE, np.full((1, 3), 20.0), UP, RADIUS) is None


def test_a_stroke_outside_the_grid_or_over_its_edge():
    grid = tilted(7)
    assert cut_voxels(grid, SHAPE, np.array([[500.0, 0, 0]]), UP, RADIUS) is None
    corner = (grid @ [0, 30, 25, 1])[:3]
    found = cut_voxels(grid, SHAPE, corner[np.newaxis], UP, RADIUS)
    assert found.affine[0, 3] == 0
    assert found.array.any()


@pytest.mark.parametrize("first", [(0, 0, 0), (3, 4, 5), (-2, 1, 0), (20, 20, 20), (-30, 0, 0)])
def test_what_a_segment_holds_of_them(first):
    """A cropped mask anywhere beside or over the block, by hand."""
    grid = tilted(7)
    affine = np.eye(4)
    affine[:3, 3] = (10, 12, 14)
    under = Image(np.ones((6, 7, 8), dtype=bool), affine)
    place = grid.copy()
    place[:3, 3] = (grid @ [*(affine[:3, 3] + first), 1])[:3]
    mask = Image(np.random.default_rng(0).random((5, 4, 3)) > 0.5, place)
    expected = np.zeros(under.shape, dtype=bool)
    for k, j, i in np.argwhere(mask.array):
        at = (k + first[2], j + first[1], i + first[0])
        if all(0 <= index < size for index, size in zip(at, expected.shape, strict=True)):
            expected[at] = True
    assert np.array_equal(_held_in(under, mask, grid), expected)
