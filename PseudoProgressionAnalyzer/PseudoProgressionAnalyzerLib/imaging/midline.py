"""The mid-sagittal plane of a brain, found by holding the brain against its own reflection."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, optimize

from ..measures import Image, InputError, Message
from . import resampling

# own choices, but for the search itself, which was measured on real skull-stripped brains turned by known angles
_SPACING = 3.0  # mm of the cubic voxels that are compared
_ANGLES = np.radians(np.arange(-20.0, 21.0, 5.0))  # of the coarse search, about the vertical and the front-back axis
_OFFSETS = (-8.0, 0.0, 8.0)  # mm from the brain's centre, in the coarse search
_COARSE_POINTS = 4000
_POINTS = 20_000
_REFINED = 3  # places of the coarse search that are refined
_LESION_MARGIN = 5.0  # mm
_ANGLE_LIMIT, _DISTANCE_LIMIT = 5.0, 3.0  # degrees, mm of spread from which the plane is called uncertain
_WEAK = 0.3  # correlation of the halves below which their symmetry says little


@dataclass(frozen=True)
class Plane:
    """The points p (RAS mm) with ``normal @ p == offset``.

    normal: unit vector ``(3,)`` towards the patient's right. angle_spread (degrees), distance_spread (mm, at the
    brain's centre): the largest difference to the planes found without one quarter of the brain. correlation: of the
    brain's values with those of its reflection.
    """

    normal: np.ndarray
    offset: float
    angle_spread: float = 0.0
    distance_spread: float = 0.0
    correlation: float = 1.0
    flags: tuple[Message, ...] = ()

    @property
    def mirror(self) -> np.ndarray:
        """4x4: RAS points to their reflections (I - 2 n n^T about the plane); its own inverse."""
        matrix = np.eye(4)
        matrix[:3, :3] -= 2 * np.outer(self.normal, self.normal)
        matrix[:3, 3] = 2 * self.offset * self.normal
        return matrix

    def reflect(self, points: np.ndarray) -> np.ndarray:
        """The reflections of points ``(n, 3)`` RAS mm."""
        return resampling.transform_points(self.mirror, points)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance ``(n,)`` in mm of points ``(n, 3)``: positive on the patient's right."""
        return points @ self.normal - self.offset


def find_midline(image: Image, brain: np.ndarray, *, exclude: np.ndarray | None = None) -> Plane:
    """The plane about which the brain is most like its reflection.

    image: 3D with RAS affine, the head within about 20 degrees of upright; brain: bool ``(k, j, i)``; exclude: bool,
    lesion and cavity, left out on both sides with a margin. Maximises correlation times overlap of the logarithm of the
    values over two angles and the offset: a grid of +-20 degrees in steps of 5 first, then the Nelder-Mead simplex
    (J. A. Nelder, R. Mead, Comput. J. 7:308, 1965) from the three best. Deterministic.

    Flags: ``midline_uncertain``, ``midline_weak``. Raises InputError ``brain_not_found`` when the mask is empty.
    """
    if not brain.any():
        raise InputError("brain_not_found")
    block = tuple(slice(low, high) for low, high in _bounds(brain))
    image, brain = resampling.cropped(image, block), brain[block]
    cubic = resampling.isotropic(image, _SPACING)
    inside = resampling.isotropic(Image(brain, image.affine), _SPACING, interpolation="nearest").array
    values = np.log(np.maximum(cubic.array, np.percentile(cubic.array[inside], 1)).clip(min=1e-6))
    values = np.clip(values, *np.percentile(values[inside], [1, 99]))
    values -= values[inside].mean()
    counted = inside
    if exclude is not None and exclude.any():
        lesion = resampling.isotropic(
            Image(exclude[block].astype(bool), image.affine), _SPACING, interpolation="nearest"
        )
        counted = inside & (ndimage.distance_transform_edt(~lesion.array, sampling=_SPACING) > _LESION_MARGIN)
    points = resampling.voxel_centres(counted, cubic.affine)
    centre = resampling.voxel_centres(inside, cubic.affine).mean(axis=0)
    known = values[counted]
    symmetry = _Symmetry(values, inside, counted, cubic.affine, centre)

    some = slice(None, None, max(len(points) // _COARSE_POINTS, 1))
    starts = list(itertools.product(_ANGLES, _ANGLES, _OFFSETS))
    scores = [symmetry.score(start, points[some], known[some]) for start in starts]
    more = slice(None, None, max(len(points) // _POINTS, 1))
    best = [starts[n] for n in np.argsort(scores)[::-1][:_REFINED]]
    refined = [symmetry.refine(start, points[more], known[more]) for start in best]
    found = max(refined, key=lambda place: symmetry.score(place, points[more], known[more]))

    normal = _normal(found)
    front = (points[more] - centre)[:, 1] > 0
    top = (points[more] - centre)[:, 2] > 0
    others = []
    for quarter in (front & top, front & ~top, ~front & top, ~front & ~top):
        others.append(symmetry.refine(found, points[more][~quarter], known[more][~quarter]))
    cosines = [np.clip(_normal(other) @ normal, -1, 1) for other in others]
    angle = float(np.degrees(np.arccos(min(cosines))))
    distance = float(max(abs(other[2] - found[2]) for other in others))
    correlation = symmetry.parts(found, points[more], known[more])[0]
    flags = []
    if angle > _ANGLE_LIMIT or distance > _DISTANCE_LIMIT:
        flags.append(Message("midline_uncertain", {"angle": angle, "distance": distance}))
    if correlation < _WEAK:
        flags.append(Message("midline_weak", {"correlation": correlation}))
    return Plane(normal, _plane(found, centre).offset, angle, distance, correlation, tuple(flags))


class _Symmetry:
    """How much a brain resembles its reflection about a place: (yaw, roll, mm from the centre)."""

    def __init__(self, values, inside, counted, affine, centre):
        self._values = values
        # a reflection outside the brain is missed; one in excluded tissue is neither seen nor missed
        self._counted, self._open = np.pad(counted, 1), np.pad(inside & ~counted, 1)
        self._last = np.array(self._open.shape)[:, np.newaxis] - 1
        self._to_index, self._centre = np.linalg.inv(affine), centre

    def parts(self, place, points, known) -> tuple[float, float]:
        """Correlation of the values with the reflected ones, and the share of the points reflected into the brain."""
        index = resampling.transform_points(self._to_index @ _plane(place, self._centre).mirror, points)[:, ::-1].T
        reached = tuple(np.clip(np.rint(index).astype(int) + 1, 0, self._last))
        seen, left_out = self._counted[reached], self._open[reached]
        if seen.sum() < 100:
            return 0.0, 0.0
        mirrored = ndimage.map_coordinates(self._values, index[:, seen], order=1, mode="nearest")
        a, b = known[seen] - known[seen].mean(), mirrored - mirrored.mean()
        scale = np.sqrt((a * a).sum() * (b * b).sum())
        return float((a * b).sum() / scale) if scale > 0 else 0.0, float(seen.sum() / max((~left_out).sum(), 1))

    def score(self, place, points, known) -> float:
        correlation, overlap = self.parts(place, points, known)
        return correlation * overlap

    def refine(self, place, points, known) -> np.ndarray:
        """The best place near this one; steps of 3 degrees and 3 mm to begin with."""
        scale = np.array([np.radians(3.0), np.radians(3.0), 3.0])
        start = np.asarray(place) / scale
        found = optimize.minimize(
            lambda scaled: -self.score(scaled * scale, points, known),
            start,
            method="Nelder-Mead",
            options={"initial_simplex": start + np.vstack([np.zeros(3), np.eye(3)]), "xatol": 0.01, "fatol": 1e-6},
        )
        return found.x * scale


def _normal(place) -> np.ndarray:
    yaw, roll = place[0], place[1]
    return np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])


def _plane(place, centre: np.ndarray) -> Plane:
    normal = _normal(place)
    return Plane(normal, float(normal @ centre + place[2]))


def _bounds(mask: np.ndarray) -> list[tuple[int, int]]:
    bounds = []
    for axis in range(3):  # plane by plane: a list of all voxels takes 0.3 s, in which Python lets no other thread work
        held = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        bounds.append((int(held[0]), int(held[-1]) + 1))
    return bounds
