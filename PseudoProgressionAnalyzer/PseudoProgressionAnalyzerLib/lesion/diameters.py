"""Two diameters of a lesion on its slices: the longest one and the longest one perpendicular to it.

The outline of the lesion on a slice runs half way between voxels inside and outside (marching squares at 0.5, as the
surface meshes of pyradiomics), so that a row of n voxels is n voxels long. Diameters end on the outer outline and may
cross what the mask leaves out inside it, as a necrotic centre. Pieces that do not touch on a slice, not even by a
corner, are measured apart. Two rules are in use:

- ``reader``: the longest diameter of all slices and the longest perpendicular to it on the same slice, as people
  measure (Macdonald 1990, J Clin Oncol 8:1277; RANO 2010, J Clin Oncol 28:1963);
- ``product``: the two perpendicular diameters of one slice whose product is the largest of all slices and directions,
  as automatic measurement often does (AutoRANO: Chang 2019, Neuro Oncol 21:1412).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from .estimate import checked_mask, cropped

RULES = ("reader", "product")

ISOTROPIC = 1.01
"""Largest over smallest voxel edge up to which a grid has no slice direction of its own."""


@dataclass(frozen=True)
class Diameters:
    """The two diameters in mm, their product in mm2 and where they lie.

    longest_ends and perpendicular_ends: ``(2, 3)`` end points in RAS mm. slice_axis: axis of ``(i, j, k)`` across the
    measured slices, slice_index: the slice on it. slice_spacing: mm from slice to slice; slices: how many of them the
    lesion touches. extents: ``(3,)`` mm of the lesion along the voxel axes ``(i, j, k)``, whole voxels.
    """

    rule: str
    longest: float
    perpendicular: float
    longest_ends: np.ndarray
    perpendicular_ends: np.ndarray
    slice_axis: int
    slice_index: int
    slice_spacing: float
    slices: int
    extents: np.ndarray

    @property
    def product(self) -> float:
        """Product of both diameters in mm2."""
        return self.longest * self.perpendicular


def acquisition_axis(affine: np.ndarray) -> int:
    """The axis of ``(i, j, k)`` across the slices as acquired: the one with the largest spacing.

    Isotropic grids have none: there it is the axis closest to superior, so that the slices are axial.
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing.max() <= ISOTROPIC * spacing.min():
        return anatomical_axis(affine, "axial")
    return int(np.argmax(spacing))


def anatomical_axis(affine: np.ndarray, plane: str) -> int:
    """The axis of ``(i, j, k)`` across the slices closest to a plane: ``sagittal``, ``coronal`` or ``axial``."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return int(np.argmax(np.abs(directions[("sagittal", "coronal", "axial").index(plane)])))


def diameters(mask: np.ndarray, affine: np.ndarray, rule: str = "reader", slice_axis: int | None = None) -> Diameters:
    """Both diameters of one lesion by a rule of ``RULES``.

    mask: bool ``(k, j, i)``; affine: 4x4 to RAS mm (oblique, mirrored or sheared is fine); slice_axis: axis of
    ``(i, j, k)`` across the slices to measure on, ``acquisition_axis`` where None.

    Raises InputError: ``lesion_empty``, ``lesion_mask_type``, ``lesion_mask_dimension``, ``lesion_affine``;
    ValueError for an unknown rule or axis.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}, not {rule!r}")
    box, corner = cropped(checked_mask(mask, affine))
    axis = acquisition_axis(affine) if slice_axis is None else slice_axis
    if axis not in (0, 1, 2):
        raise ValueError(f"slice_axis must be 0, 1 or 2, not {axis!r}")
    first, second = (other for other in (0, 1, 2) if other != axis)
    to_plane = _plane_coordinates(affine, first, second)
    slices = box.transpose(2 - axis, 2 - first, 2 - second)
    pieces = [(index, outline @ to_plane.T) for index in range(len(slices)) for outline in _outlines(slices[index])]
    outlines = [outline for _, outline in pieces]
    hulls = [_hull(outline.reshape(-1, 2)) for outline in outlines]
    chosen, ends = (_by_reader if rule == "reader" else _by_product)(outlines, hulls)
    index, _ = pieces[chosen]

    in_plane = ends @ np.linalg.inv(to_plane).T  # (2 diameters, 2 ends, 2) voxel indices in the box
    voxels = np.empty((2, 2, 3))
    voxels[..., axis] = index
    voxels[..., [first, second]] = in_plane
    voxels += corner[::-1]
    points = voxels @ affine[:3, :3].T + affine[:3, 3]
    lengths = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    longer = int(np.argmax(lengths))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return Diameters(
        rule=rule,
        longest=float(lengths[longer]),
        perpendicular=float(lengths[1 - longer]),
        longest_ends=points[longer],
        perpendicular_ends=points[1 - longer],
        slice_axis=axis,
        slice_index=index + int(corner[2 - axis]),
        slice_spacing=float(spacing[axis]),
        slices=int(np.count_nonzero(slices.any(axis=(1, 2)))),
        extents=(np.array(box.shape[::-1]) - 2) * spacing,
    )


def _plane_coordinates(affine: np.ndarray, first: int, second: int) -> np.ndarray:
    """2x2 matrix from the voxel indices of both in-plane axes to mm on an orthonormal basis of the plane."""
    return np.linalg.qr(affine[:3, [first, second]])[1]


# Marching squares: pieces of the outline, as pairs of edges, for each of the 16 patterns of four corners. Corners are
# numbered 1, 2, 4, 8 at (0, 0), (1, 0), (1, 1), (0, 1); edges 0 to 3 run from each corner to the next.
_EDGE_MIDDLES = np.array([[0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]])
_EDGES = (
    (), ((3, 0),), ((0, 1),), ((3, 1),), ((1, 2),), ((3, 0), (1, 2)), ((0, 2),), ((3, 2),),
    ((2, 3),), ((2, 0),), ((0, 1), (2, 3)), ((2, 1),), ((1, 3),), ((1, 0),), ((0, 3),), (),
)  # fmt: skip
_SEGMENTS = np.full((16, 2, 2, 2), np.nan)
for _pattern, _pairs in enumerate(_EDGES):
    for _number, _pair in enumerate(_pairs):
        _SEGMENTS[_pattern, _number] = _EDGE_MIDDLES[list(_pair)]


def _outlines(plane: np.ndarray) -> list[np.ndarray]:
    """The outline of each piece of a bool ``(first, second)`` plane with an empty border, in any order.

    Each outline is ``(n, 2, 2)``: segments, their ends, voxel indices along (first, second).
    """
    labels, count = ndimage.label(plane, structure=np.ones((3, 3)))
    outlines = []
    for label in range(1, count + 1):
        piece = labels == label
        pattern = piece[:-1, :-1] + 2 * piece[1:, :-1] + 4 * piece[1:, 1:] + 8 * piece[:-1, 1:]
        cells = np.argwhere((pattern > 0) & (pattern < 15))
        segments = (cells[:, None, None] + _SEGMENTS[pattern[tuple(cells.T)]]).reshape(-1, 2, 2)
        outlines.append(segments[np.isfinite(segments[:, 0, 0])])
    return outlines


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners ``(n, 2)`` of the convex hull of points, in order."""
    return points[ConvexHull(points).vertices]


def _by_reader(outlines: list[np.ndarray], hulls: list[np.ndarray]) -> tuple[int, np.ndarray]:
    """The outline with the longest diameter, and the ends ``(2, 2, 2)`` of that diameter and its perpendicular."""
    best, chosen, ends = -1.0, 0, np.zeros((2, 2))
    for number, hull in enumerate(hulls):
        lengths = np.linalg.norm(hull[:, None] - hull, axis=2)
        if lengths.max() > best:
            best, chosen = float(lengths.max()), number
            ends = hull[list(np.unravel_index(np.argmax(lengths), lengths.shape))]
    direction = (ends[1] - ends[0]) / best
    return chosen, np.stack([ends, _longest_chord(outlines[chosen], np.array([-direction[1], direction[0]]))])


def _by_product(outlines: list[np.ndarray], hulls: list[np.ndarray]) -> tuple[int, np.ndarray]:
    """The outline and the ends ``(2, 2, 2)`` of its two perpendicular diameters with the largest product of all.

    No chord of an outline is longer than that of its convex hull, so the pairs of directions are tried in the order of
    the hulls' products until these fall below the best product found. Between two corners of the difference body both
    chords of a hull are log-convex in the angle: its largest product lies at one of them. The whole degrees are for
    outlines with hollows.
    """
    tries = []
    for number, hull in enumerate(hulls):
        angles, radii = _difference_body(hull)
        turns = np.concatenate([angles % (np.pi / 2), np.radians(np.arange(90.0))])
        bounds = _radius(angles, radii, turns) * _radius(angles, radii, turns + np.pi / 2)
        tries += zip(bounds.tolist(), turns.tolist(), [number] * len(turns), strict=True)
    best, chosen, ends = 0.0, 0, np.zeros((2, 2, 2))
    for bound, turn, number in sorted(tries, reverse=True):
        if bound <= best:
            break
        direction = np.array([np.cos(turn), np.sin(turn)])
        pair = [_longest_chord(outlines[number], along) for along in (direction, direction[::-1] * (-1, 1))]
        product = float(np.prod([np.linalg.norm(chord[1] - chord[0]) for chord in pair]))
        if product > best:
            best, chosen, ends = product, number, np.stack(pair)
    return chosen, ends


def _difference_body(hull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (angle, distance) of the difference body of a convex polygon, by angle in -pi to pi.

    Its radius in a direction is the polygon's longest chord in that direction (Schneider, Convex Bodies, section 3.1).
    """
    corners = _hull((hull[:, None] - hull).reshape(-1, 2))
    angles = np.arctan2(corners[:, 1], corners[:, 0])
    order = np.argsort(angles)
    return angles[order], np.linalg.norm(corners, axis=1)[order]


def _radius(angles: np.ndarray, radii: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Distance from the centre to the edge of a convex polygon in the directions ``turns``."""
    after = np.searchsorted(angles, turns) % len(angles)
    first, second = angles[after - 1], angles[after]
    area = radii[after - 1] * radii[after] * np.sin(second - first)
    return area / (radii[after - 1] * np.sin(turns - first) + radii[after] * np.sin(second - turns))


def _longest_chord(outline: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Ends ``(2, 2)`` of the longest chord of an outline ``(n, 2, 2)`` in the direction of a unit vector.

    A chord reaches from the first to the last crossing of a line with the outline; the longest passes through a corner.
    """
    across = np.array([-along[1], along[0]])
    position, height = outline @ across, outline @ along
    order = np.argsort(position, axis=1)
    position, height = np.take_along_axis(position, order, 1), np.take_along_axis(height, order, 1)
    lines = np.unique(position)
    start, stop = np.searchsorted(lines, position[:, 0]), np.searchsorted(lines, position[:, 1], side="right")
    crossed = stop - start
    segment = np.repeat(np.arange(len(outline)), crossed)
    line = np.arange(crossed.sum()) - np.repeat(np.cumsum(crossed) - crossed - start, crossed)
    width = position[:, 1] - position[:, 0]
    share = (lines[line] - position[segment, 0]) / np.where(width > 0, width, 1)[segment]
    crossing = height[segment, 0] + share * (height[segment, 1] - height[segment, 0])
    low, high = np.full(len(lines), np.inf), np.full(len(lines), -np.inf)
    # A segment along the line counts with both ends.
    np.minimum.at(low, line, np.where(width[segment] > 0, crossing, height[segment].min(axis=1)))
    np.maximum.at(high, line, np.where(width[segment] > 0, crossing, height[segment].max(axis=1)))
    longest = int(np.argmax(high - low))
    return np.array([lines[longest] * across + end * along for end in (low[longest], high[longest])])
