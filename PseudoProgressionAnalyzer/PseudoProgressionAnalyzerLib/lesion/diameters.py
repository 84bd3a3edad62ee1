"""Two diameters of a lesion on its slices: the longest one and the longest one that crosses it at a right angle.

The outline of the lesion on a slice runs half way between voxels inside and outside (marching squares at 0.5, as the
surface meshes of pyradiomics), so that a row of n voxels is n voxels long. Diameters end on the outline and may cross
what the mask leaves out between its ends, as a necrotic centre, but never what is to be avoided, as a resection cavity
(RANO 2.0: "measurements exclude the cavity itself", Sakata 2025, Jpn J Radiol 43:1557). Pieces that do not touch on a
slice, not even by a corner, are measured apart. Two rules are in use:

- ``reader``: the longest diameter of all slices and the longest perpendicular to it on the same slice, as people
  measure (Macdonald 1990, J Clin Oncol 8:1277; RANO 2010, J Clin Oncol 28:1963);
- ``product``: the two perpendicular diameters of one slice whose product is the largest of all slices and directions,
  as automatic measurement often does (AutoRANO: Chang 2019, Neuro Oncol 21:1412).
"""

from __future__ import annotations

import functools
import heapq
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


def diameters(
    mask: np.ndarray,
    affine: np.ndarray,
    rule: str = "reader",
    slice_axis: int | None = None,
    avoid: np.ndarray | None = None,
) -> Diameters:
    """Both diameters of one lesion by a rule of ``RULES``.

    mask: bool ``(k, j, i)``; affine: 4x4 to RAS mm (oblique, mirrored or sheared is fine); slice_axis: axis of
    ``(i, j, k)`` across the slices to measure on, ``acquisition_axis`` where None; avoid: bool ``(k, j, i)``, what no
    diameter may cross (directions are then tried in steps of 3 degrees).

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
    kept_out = None
    if avoid is not None:
        kept_out = _same_box(checked_mask(avoid, affine), corner, box.shape).transpose(2 - axis, 2 - first, 2 - second)
        kept_out = kept_out & ~slices
    indices, pieces = [], []
    for index in range(len(slices)):
        obstacles = [] if kept_out is None else [_moved(*found) for found in _outlines(kept_out[index], to_plane)]
        obstacle = np.concatenate(obstacles) if obstacles else None
        for outline, place in _outlines(slices[index], to_plane):
            indices.append(index)
            pieces.append(_Piece(outline, place, obstacle))
    chosen, ends = _search(pieces, rule)
    index = indices[chosen]

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


class _Outline:
    """The outline ``(n, 2, 2)`` of a piece of a slice: segments, their ends, in mm in the plane, from the first voxel
    of what the slice holds; with what depends on its form alone, so that an edit of other slices costs nothing here."""

    def __init__(self, segments: np.ndarray):
        self.segments = segments
        self.limits = {rule: _size_limit(segments, rule) for rule in RULES}
        self._directions: dict[tuple[str, bool], list[tuple[float, float]]] = {}

    def directions(self, rule: str, free: bool) -> list[tuple[float, float]]:
        """Pairs (largest possible size, angle) for the directions in which diameters are tried. free: whether nothing
        is to be avoided."""
        if (rule, free) not in self._directions:
            self._directions[rule, free] = _directions(self.segments, rule, free)
        return self._directions[rule, free]


@dataclass(frozen=True)
class _Piece:
    """A piece of a slice: its outline, where that begins in mm, and the outline ``(n, 2, 2)`` in mm of what its
    diameters may not cross."""

    outline: _Outline
    place: np.ndarray
    obstacle: np.ndarray | None

    @functools.cached_property
    def segments(self) -> np.ndarray:
        """The outline ``(n, 2, 2)`` in mm where the piece lies."""
        return _moved(self.outline, self.place)

    def chords(self, along: np.ndarray) -> np.ndarray:
        """``_chords`` of it."""
        return _chords(self.segments, self.obstacle, along)


def _moved(outline: _Outline, place: np.ndarray) -> np.ndarray:
    return outline.segments + place


def _outlines(plane: np.ndarray, to_plane: np.ndarray) -> list[tuple[_Outline, np.ndarray]]:
    """The outline of each piece of a bool ``(first, second)`` plane, in any order, and where it begins in mm."""
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return []
    held = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    place = to_plane @ (rows[0], columns[0])
    return [(outline, place) for outline in _outlines_of(held.tobytes(), held.shape, to_plane.tobytes())]


@functools.lru_cache(maxsize=512)
def _outlines_of(plane: bytes, shape: tuple[int, int], to_plane: bytes) -> list[_Outline]:
    """``_outlines`` of a plane's voxels; those of slices that an edit does not touch are remembered."""
    labels, _ = ndimage.label(np.pad(np.frombuffer(plane, bool).reshape(shape), 1), structure=np.ones((3, 3)))
    outlines = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        piece = labels[rows.start - 1 : rows.stop + 1, columns.start - 1 : columns.stop + 1] == label
        pattern = piece[:-1, :-1] + 2 * piece[1:, :-1] + 4 * piece[1:, 1:] + 8 * piece[:-1, 1:]
        cells = np.argwhere((pattern > 0) & (pattern < 15))
        segments = (cells[:, None, None] + _SEGMENTS[pattern[tuple(cells.T)]]).reshape(-1, 2, 2)
        segments = segments[np.isfinite(segments[:, 0, 0])] + (rows.start - 2, columns.start - 2)
        outlines.append(_Outline(segments @ np.frombuffer(to_plane).reshape(2, 2).T))
    return outlines


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners ``(n, 2)`` of the convex hull of points, in order."""
    return points[ConvexHull(points).vertices]


def _same_box(mask: np.ndarray, corner: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The part of a mask in the box of ``cropped``, False where the box reaches beyond the grid."""
    padded = np.pad(mask, 1)
    return padded[tuple(slice(one + 1, one + 1 + length) for one, length in zip(corner, shape, strict=True))]


def _search(pieces: list[_Piece], rule: str) -> tuple[int, np.ndarray]:
    """The number of the piece and the ends ``(2, 2, 2)`` of its two diameters that a rule chooses.

    No chord of an outline is longer than that of its convex hull, so that directions are tried in the order of the
    hulls' chords, or products of chords, until these fall below the best found. Pieces whose extents say that they
    cannot be better are never looked at. Between two corners of the difference body the chord of a hull is log-convex
    in the angle: its largest chord and product lie at one of them. The other directions are for outlines with hollows
    and obstacles.
    """
    tries = [(-piece.outline.limits[rule], 1.0, -number) for number, piece in enumerate(pieces)]
    heapq.heapify(tries)
    best, chosen, ends = 0.0, 0, np.zeros((2, 2, 2))
    while tries:
        bound, turn, number = (-value for value in heapq.heappop(tries))
        if bound <= best * (1 + 1e-9):
            break
        if turn < 0:  # a piece that was not looked at
            for size, angle in pieces[number].outline.directions(rule, pieces[number].obstacle is None):
                heapq.heappush(tries, (-size, -angle, -number))
            continue
        along = np.array([np.cos(turn), np.sin(turn)])
        across = np.array([-along[1], along[0]])
        firsts = pieces[number].chords(along)
        if rule == "reader":
            firsts = firsts[[np.argmax(firsts[:, 2] - firsts[:, 1])]]
            if firsts[0, 2] - firsts[0, 1] <= best:
                continue
        seconds = pieces[number].chords(across) * (-1, 1, 1)  # their place, along the first ones
        if rule == "product":  # chords too short to make a larger product than the best with any other
            longest, widest = ((chords[:, 2] - chords[:, 1]).max() for chords in (firsts, seconds))
            firsts = firsts[(firsts[:, 2] - firsts[:, 1]) * widest > best]
            seconds = seconds[(seconds[:, 2] - seconds[:, 1]) * longest > best]
            if len(firsts) == 0 or len(seconds) == 0:
                continue
        first, second = _largest_cross(firsts, seconds)
        size = first[2] - first[1] if rule == "reader" else (first[2] - first[1]) * (second[2] - second[1])
        if size > best:
            best, chosen = float(size), number
            ends = np.array(
                [
                    [first[0] * across + end * along for end in first[1:]],
                    [second[0] * along + end * across for end in second[1:]],
                ]
            )
    return chosen, ends


_LOOKS = np.pi / 16 * np.arange(16)
"""Directions, a quarter turn of them eight apart, in which the extent of an outline is taken."""


def _size_limit(outline: np.ndarray, rule: str) -> float:
    """What no longest chord, or product of perpendicular chords, of an outline exceeds.

    A chord of length L that makes an angle d with a direction has the extent L cos d in it, and to the nearest of
    ``_LOOKS`` no chord makes more than half their distance.
    """
    extents = np.ptp(outline.reshape(-1, 2) @ np.array([np.cos(_LOOKS), np.sin(_LOOKS)]), axis=0)
    most = np.cos(_LOOKS[1] / 2)
    if rule == "reader":
        return float(extents.max() / most)
    return float((extents * np.roll(extents, len(_LOOKS) // 2)).max() / most**2)


def _directions(outline: np.ndarray, rule: str, free: bool) -> list[tuple[float, float]]:
    """``_Outline.directions`` of an outline ``(n, 2, 2)``."""
    period = np.pi if rule == "reader" else np.pi / 2
    angles, radii = _difference_body(_hull(outline.reshape(-1, 2)))
    turns = np.radians(np.arange(0, np.degrees(period), 1 if free else 3))
    if free:
        turns = np.concatenate([angles % period, turns])
    bounds = _radius(angles, radii, turns)
    if rule == "product":
        bounds = bounds * _radius(angles, radii, turns + np.pi / 2)
    return list(zip(bounds.tolist(), turns.tolist(), strict=True))


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


def _largest_cross(firsts: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the second chord with the largest product that cross.

    Rows (place, low, high): firsts run along x at y = place from low to high, seconds along y at x = place.
    """
    products = np.outer(firsts[:, 2] - firsts[:, 1], seconds[:, 2] - seconds[:, 1])
    slack = 1e-9 * np.abs(firsts).max()
    crossing = (firsts[:, 1, None] - slack <= seconds[:, 0]) & (seconds[:, 0] <= firsts[:, 2, None] + slack)
    crossing &= (seconds[:, 1] - slack <= firsts[:, 0, None]) & (firsts[:, 0, None] <= seconds[:, 2] + slack)
    one, other = np.unravel_index(np.argmax(np.where(crossing, products, -1.0)), products.shape)
    return firsts[one], seconds[other]


def _chords(outline: np.ndarray, obstacle: np.ndarray | None, along: np.ndarray) -> np.ndarray:
    """Chords of an outline ``(n, 2, 2)`` in the direction of a unit vector, rows (place across, low, high along).

    A chord reaches from the first to the last crossing of a line with the outline, or as far as no obstacle lies
    between. The longest passes through a corner, so that there is a line for each.
    """
    across = np.array([-along[1], along[0]])
    corners = outline if obstacle is None else np.concatenate([outline, obstacle])
    lines = np.unique(corners @ across)
    line, height = _crossings(outline, lines, across, along, closed=True)
    blocked = np.zeros(len(line), bool)
    if obstacle is not None:
        wall, start = _crossings(obstacle, lines, across, along, closed=False)
        order = np.lexsort((start, wall))
        wall, start = wall[order], start[order]
        # Where lesion and obstacle touch, the lesion ends before the obstacle begins.
        inwards = np.where(np.arange(len(wall)) % 2 == 0, 1e-6, -1e-6)
        line, height = np.concatenate([line, wall]), np.concatenate([height, start + inwards])
        blocked = np.concatenate([blocked, np.ones(len(wall), bool)])
    order = np.lexsort((height, line))
    line, height, blocked = line[order], height[order], blocked[order]
    stretch = np.cumsum(blocked)[~blocked]
    line, height = line[~blocked], height[~blocked]
    begins = np.flatnonzero(np.r_[True, (np.diff(line) > 0) | (np.diff(stretch) > 0)])
    ends = np.r_[begins[1:], len(line)] - 1
    return np.column_stack([lines[line[begins]], height[begins], height[ends]])


def _crossings(
    outline: np.ndarray, lines: np.ndarray, across: np.ndarray, along: np.ndarray, closed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Which line is crossed at which height by each segment of an outline.

    closed: a segment crosses the lines through both of its ends, else only through its first: then a closed outline
    crosses each line an even number of times.
    """
    position, height = outline @ across, outline @ along
    order = np.argsort(position, axis=1)
    position, height = np.take_along_axis(position, order, 1), np.take_along_axis(height, order, 1)
    start = np.searchsorted(lines, position[:, 0])
    stop = np.searchsorted(lines, position[:, 1], side="right" if closed else "left")
    crossed = stop - start
    segment = np.repeat(np.arange(len(outline)), crossed)
    line = np.arange(crossed.sum()) - np.repeat(np.cumsum(crossed) - crossed - start, crossed)
    width = position[:, 1] - position[:, 0]
    share = (lines[line] - position[segment, 0]) / np.where(width > 0, width, 1)[segment]
    crossing = height[segment, 0] + share * (height[segment, 1] - height[segment, 0])
    if closed:  # a segment along the line counts with both ends
        flat = np.flatnonzero(width == 0)
        line = np.concatenate([line, start[flat]])
        crossing = np.concatenate([crossing, height[flat, 1]])
    return line, crossing
