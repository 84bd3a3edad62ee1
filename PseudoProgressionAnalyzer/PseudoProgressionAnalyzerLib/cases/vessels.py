"""Large vessels, choroid plexus and the air-filled and fluid-filled spaces of the face, as paths in template space.

Positions are in mm (R, A, S) of the template's space, read off the template's own fissures and cisterns; ``mirrored``
paths are drawn on both sides, a little different on each.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Tube:
    """A path of a tissue: points (n, 3) in mm, radius in mm."""

    tissue: str
    radius: float
    points: tuple[tuple[float, float, float], ...]
    mirrored: bool = True


TUBES = (
    Tube("artery", 2.4, ((20, -2, -60), (15, -2, -42), (13, 6, -32), (12, 2, -22), (15, 1, -14))),
    Tube("artery", 1.6, ((15, 1, -14), (24, 3, -18), (34, 3, -19), (40, 0, -16))),
    Tube("artery", 1.2, ((40, 0, -16), (42, -4, -4), (41, -14, 6), (43, -26, 15), (52, -34, 18), (60, -40, 22))),
    Tube("artery", 1.2, ((40, 0, -16), (41, 9, -6), (40, 20, 2), (46, 24, 8), (52, 22, 14))),
    Tube("artery", 1.3, ((15, 1, -14), (8, 6, -16), (3, 14, -13), (2, 26, -9), (2, 37, 4), (2, 30, 20))),
    Tube("artery", 1.0, ((2, 30, 20), (2, 14, 32), (2, -6, 37), (2, -24, 40), (2, -40, 48))),
    Tube("artery", 1.6, ((9, -36, -68), (5, -30, -58), (0, -27, -50))),
    Tube("artery", 1.8, ((0, -27, -50), (0, -18, -40), (0, -13, -30), (0, -15, -19)), mirrored=False),
    Tube("artery", 1.2, ((0, -15, -19), (10, -16, -17), (18, -24, -13), (22, -34, -7), (20, -52, -1), (14, -70, 4))),
    Tube("vein", 3.4, ((0, -98, -14), (20, -94, -22), (42, -78, -28), (55, -62, -32), (56, -48, -40), (44, -42, -55))),
    Tube("vein", 2.2, ((0, -96, -12), (0, -72, 0), (0, -48, 8)), mirrored=False),
    Tube("vein", 1.6, ((0, -48, 8), (0, -40, 9), (1.5, -30, 12), (1.5, -14, 17), (2, 0, 17))),
    Tube("mucosa", 2.0, ((22, -40, 6), (19, -42, 12), (14, -34, 18), (8, -22, 20))),
    Tube("mucosa", 2.6, ((0, 4, -33), (0, 2, -28)), mirrored=False),
)
"""Carotid, middle, anterior and posterior cerebral, vertebral and basilar arteries; transverse and sigmoid, straight
sinus and internal cerebral veins; choroid plexus and pituitary."""


@dataclass(frozen=True)
class Space:
    """An ellipsoid of one tissue, "air" included: centre and radii in mm (R, A, S)."""

    tissue: str
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    mirrored: bool = True


SPACES = (
    Space("fat", (31, 48, -38), (18, 28, 16)),
    Space("muscle", (23, 42, -38), (2, 20, 3)),
    Space("muscle", (40, 44, -38), (2, 20, 3)),
    Space("muscle", (31, 42, -27), (4, 20, 2)),
    Space("mucosa", (28, 40, -38), (2, 18, 2)),
    Space("muscle", (32, 62, -38), (12.8, 12.8, 12.8)),
    Space("fluid", (32, 62, -38), (11.8, 11.8, 11.8)),
    Space("muscle", (32, 70, -38), (4.5, 2.5, 4.5)),
    Space("air", (8, 47, -42), (8, 22, 14)),
    Space("air", (8, 20, -42), (9, 13, 10)),
    Space("air", (9, 75, -14), (9, 5, 10)),
    Space("air", (30, 46, -74), (14, 19, 17)),
    Space("mucosa", (8, 55, -70), (3, 26, 11)),
    Space("air", (4, 55, -70), (3, 28, 16)),
    Space("air", (52, -34, -48), (9, 11, 11)),
    Space("air", (72, -18, -42), (14, 4, 4)),
    Space("air", (0, 5, -82), (13, 16, 22), mirrored=False),
)
"""Orbit with muscles, nerve, eye and lens; ethmoid, sphenoid, frontal and maxillary sinus, nasal cavity, mastoid, ear
canal and pharynx. Later ones cover earlier ones."""


def both_sides(shape: Tube | Space, rng: np.random.Generator, jitter: float) -> list[np.ndarray]:
    """The points (n, 3) or centre (1, 3) of a shape on each of its sides, moved by jitter (SD, mm)."""
    points = np.atleast_2d(np.array(shape.points if isinstance(shape, Tube) else shape.centre, dtype=float))
    sides = [points, points * (-1, 1, 1)] if shape.mirrored else [points]
    return [side + jitter * rng.standard_normal(side.shape) for side in sides]


def along(points: np.ndarray, step: float) -> np.ndarray:
    """Points (m, 3) at most a step (mm) apart along a path of straight pieces."""
    pieces = [points[:1]]
    for start, end in pairwise(points):
        count = max(int(np.ceil(np.linalg.norm(end - start) / step)), 1)
        pieces.append(start + (end - start) * np.arange(1, count + 1)[:, None] / count)
    return np.concatenate(pieces)
