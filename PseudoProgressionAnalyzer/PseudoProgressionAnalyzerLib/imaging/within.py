"""A series of one visit brought to the visit's anatomy: the head may have moved between two series of one session.

The scanner's own coordinates are nearly right as a rule, so they are the start, and they stay unless something better
is found: a series is moved only by what can be told from the registration's own error.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..measures import Image, InputError, Message
from . import agreement, resampling
from .head import Head
from .search import Level, Look, Watch, apart, displacement, rigid

# All own choices, held against simulated visits, whose series lie where their headers say.
_LOOKS = (Look(4.0, 10_000, 2.0, 0.05, 60), Look(2.0, 20_000, 0.5, 0.01, 60))
_FAR = Look(4.0, 20_000, 4.0, 0.1, 60, whole=True)  # where the header does not lead there
_ANGLES = (-15.0, 0.0, 15.0)  # degrees about the left-right and the head-foot axis
_KEPT = 3  # of the starts from afar
_SEEDS = (1, 2)  # of the samples
_LEAST = 0.3
"""Of the longest voxel edge that the head must have moved. On the simulated visits, in which nothing moved, the search
ends 0.3 mm (T1, 1.2 mm voxels), 0.5 mm (FLAIR, 3 mm slices) and 1.2 mm (DSC, 5 mm slices) from the truth at most."""
_USUAL = 10.0  # mm: a result further from the header is held against other starts
_REPRODUCED = 1.0  # mm within which two samples must agree, else other starts are tried
_UNCERTAIN = 2.0  # mm apart: not believed
_ASIDE, _SHARPER = 10.0, 0.8
"""mm to each side of a result at which edges must lie further apart than in it, and the share of their distance there
that it may have at most: by chance edges are as far apart everywhere. On simulated visits the share is below 0.6."""
_SEEN = 0.5  # of the series' head that must lie about the brain by its header, else the header is not believed
_ABOUT = 30.0  # mm around the brain's box: face, skull and neck
_BRIGHT = 0.2  # of the 98th percentile: what counts as head when the header does not say where the brain is


@dataclass(frozen=True)
class Placed:
    """Where a series lies in its visit.

    series_to_visit: 4x4, RAS mm of the series to RAS mm of the visit's anatomy, the identity where the header stays.
    moved: mm that the brain lies from where the header has it. edge_distance_before, edge_distance_after: mm, of the
    header and of the result (``agreement.edge_distance``), None where the header stayed without doubt or it could not
    be told.
    """

    series_to_visit: np.ndarray
    moved: float = 0.0
    edge_distance_before: float | None = None
    edge_distance_after: float | None = None
    flags: tuple[Message, ...] = ()


def place_series(
    anatomy: Head,
    series: Image,
    *,
    name: str = "",
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Placed:
    """Moves a 3D series rigidly onto the anatomy of its visit.

    anatomy: the visit's T1CE with its brain; series: any contrast of the same head (of a time series its mean); name:
    for the messages. Mattes mutual information on cubic voxels of 4 and 2 mm in and around the brain, from the header.
    Where that ends far away, or two samples of voxels do not agree, or the header hardly shows the brain, nine
    rotations about the centre are tried too. The result is taken when it moves the brain by more than 0.3 of the
    series' longest voxel edge, two samples agree on it, and edges agree no less than by the header; else the header
    stays. Deterministic on any number of cores.

    Flags: ``series_moved`` (by how much), ``series_header_kept`` (something else was found, but not believed),
    ``series_misplaced`` (the header hardly shows the brain, and nothing better was found). Raises InputError
    ``registration_not_3d``, ``image_is_blank``, and CancelledError.
    """
    watch = Watch(progress or (lambda share: None), cancelled or (lambda: False))
    points = anatomy.brain_points()
    centre = points.mean(axis=0)
    if series.array.ndim != 3:
        raise InputError("registration_not_3d", dimension=series.array.ndim)
    inside = _brain_on(anatomy, series, np.eye(4))
    bright = _bright(series)
    by_header = _share_about(anatomy, series, bright) >= _SEEN and inside.any()
    found, spread = None, np.inf
    watch.step(0.1)
    if by_header:
        moving = Head(series, inside)
        coarse, fine = (Level(anatomy, moving, look) for look in _LOOKS)

        def once(level: Level, start: np.ndarray, seed: int, begin: float, end: float):
            return watch.parallel(lambda one: level.register(one, centre, watch, seed), [start], begin, end)[0]

        start = once(coarse, np.eye(4), _SEEDS[0], 0.1, 0.2)[1]
        found = once(fine, start, _SEEDS[0], 0.2, 0.3)
        moved = displacement(found[1], np.eye(4), points)
        if np.isfinite(found[0]) and moved < _LEAST * float(series.spacing.max()):
            return Placed(np.eye(4))
        spread = apart(once(fine, start, _SEEDS[1], 0.3, 0.4), found, points)
    if found is None or spread > _REPRODUCED or displacement(found[1], np.eye(4), points) > _USUAL:
        found, spread = _from_afar(anatomy, Head(series, bright), found, centre, watch)
    return _judged(anatomy, series, np.linalg.inv(found[1]), spread, by_header, name, watch)


def _from_afar(anatomy, moving, found, centre, watch):
    """The best of nine rotations, brightness laid upon brain, and of what was found before; and its spread in mm."""
    fine = Level(anatomy, moving, _LOOKS[1])
    points = anatomy.brain_points()
    shift = moving.brain_points().mean(axis=0) - centre
    starts = [rigid(np.radians([x, 0.0, z]), shift, centre) for x, z in itertools.product(_ANGLES, _ANGLES)]
    far = Level(anatomy, moving, _FAR)
    results = watch.parallel(lambda start: far.register(start, centre, watch, _SEEDS[0]), starts, 0.4, 0.6)
    kept = [matrix for _, matrix in sorted(results, key=lambda pair: pair[0])[:_KEPT]]
    if found is not None:  # judged by the same look as the others
        kept.append(found[1])
    results = watch.parallel(lambda start: fine.register(start, centre, watch, _SEEDS[0]), kept, 0.6, 0.8)
    best = min(results, key=lambda pair: pair[0])
    again = watch.parallel(lambda start: fine.register(start, centre, watch, _SEEDS[1]), [best[1]], 0.8, 0.9)[0]
    return best, apart(again, best, points)


def _judged(anatomy, series, series_to_visit, spread, by_header, name, watch) -> Placed:
    """The result, or the header where the result is not to be believed."""
    misplaced = Placed(np.eye(4), flags=(Message("series_misplaced", {"series": name}),))
    brain = _brain_on(anatomy, series, series_to_visit)
    if not brain.any():
        return misplaced
    moving = Head(series, brain)
    moved = displacement(np.linalg.inv(series_to_visit), np.eye(4), anatomy.brain_points())
    fixed_edges, moving_edges = agreement.edges(anatomy), agreement.edges(moving)
    before = agreement.edge_distance(fixed_edges, moving_edges, np.eye(4)) if by_header else None
    after = agreement.edge_distance(fixed_edges, moving_edges, series_to_visit)
    watch.step(1.0)
    told = {"series": name, "moved": moved}
    worse = after is None or (before is not None and after > before)
    if not worse:
        aside = [rigid(np.zeros(3), way * shift, np.zeros(3)) for shift in _ASIDE * np.eye(3) for way in (1, -1)]
        there = [agreement.edge_distance(fixed_edges, moving_edges, step @ series_to_visit) for step in aside]
        there = [distance for distance in there if distance is not None]
        worse = not there or after > _SHARPER * np.median(there)
    if not by_header and (worse or spread > _UNCERTAIN):
        return misplaced
    if worse or spread > _UNCERTAIN:
        return Placed(np.eye(4), 0.0, before, before, (Message("series_header_kept", told),))
    return Placed(series_to_visit, moved, before, after, (Message("series_moved", told),))


def _brain_on(anatomy: Head, series: Image, series_to_visit: np.ndarray) -> np.ndarray:
    """The anatomy's brain on the grid of the series ``(k, j, i)``."""
    return resampling.resample(anatomy.brain, series, np.linalg.inv(series_to_visit), interpolation="nearest").array


def _share_about(anatomy: Head, series: Image, bright: np.ndarray) -> float:
    """Share of what is no air in the series that its header places about the brain: most of it, also of a thin slab."""
    ends = [
        (points.min(axis=0), points.max(axis=0))
        for points in resampling.planes_of_centres(anatomy.brain.array, anatomy.brain.affine)
    ]
    low = np.min([first for first, _ in ends], axis=0) - _ABOUT
    high = np.max([last for _, last in ends], axis=0) + _ABOUT
    near = [
        int(((points >= low) & (points <= high)).all(axis=1).sum())
        for points in resampling.planes_of_centres(bright, series.affine)
    ]
    return sum(near) / int(bright.sum())


def _bright(series: Image) -> np.ndarray:
    """What is no air, in one piece."""
    array = np.nan_to_num(series.array)
    labels, number = ndimage.label(ndimage.binary_opening(array > _BRIGHT * np.percentile(array, 98)))
    if number == 0:
        raise InputError("image_is_blank")
    return labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
