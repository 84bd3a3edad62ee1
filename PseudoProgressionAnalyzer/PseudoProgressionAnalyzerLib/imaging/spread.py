"""How far a rigid registration can be trusted: how far other fits of the same two heads end from it, in mm.

A fit that is repeated with other random samples tells little more than its own noise: on simulated heads, whose poses
are known, the error was two to five times that. What tells more is another part of the head: growth of a lesion,
distortion and shading pull the left half another way than the right one. See Docs/methods.md for the calibration.
"""

from __future__ import annotations

import numpy as np

from .search import Level, Watch, apart, displacement, rigid

# Own choices; the calibration in Testing/Benchmarks/registration.py was made with them.
_SAMPLES, _HALF_SAMPLES = 20_000, 10_000
_STARTS = (((3.0, -3.0, 3.0), (3.0, -3.0, 3.0)), ((-3.0, 3.0, -3.0), (-3.0, 3.0, -3.0)))
"""Degrees about and mm along the axes by which starts are displaced: beyond the last level's steps, so that the way
back must be found."""
_SEED = 7
_STILL = 1e-6
"""mm: a fit that ends as near to its start never took a step, since its metric is flat there."""


def spread(level: Level, found: np.ndarray, centre: np.ndarray, points: np.ndarray, watch: Watch, begin, end) -> dict:
    """Mean displacements of the brain in mm between the result and other fits, the largest of each kind.

    level: both heads, fixed and moving; found: 4x4, RAS of fixed to moving; centre, points ``(n, 3)``: of the fixed
    brain. ``starts``: from two starts 3 mm and 3 degrees aside. ``metrics``: by the correlation of values instead of
    mutual information. ``halves``: half of the distance between the fits of two opposite halves of the brain, the
    largest of left and right, front and back, top and bottom. With halves that err independently this is the standard
    error of the whole (each has twice its variance, so their difference four times). Infinite where a fit failed,
    or did not move at all: that is no agreement.
    """
    whole = level.narrowed(_SAMPLES)
    jobs = [(whole, rigid(np.radians(turn), np.array(shift), centre), False) for turn, shift in _STARTS]
    jobs.append((whole, np.eye(4), True))
    jobs += [
        (level.narrowed(_HALF_SAMPLES, (centre, side * axis)), np.eye(4), False)
        for axis in np.eye(3)
        for side in (1, -1)
    ]

    def fit(job):
        looks, aside, correlate = job
        value, end = looks.register(found @ aside, centre, watch, _SEED, correlate=correlate)
        return (np.inf if displacement(end, found @ aside, points) < _STILL else value), end

    fits = watch.parallel(fit, jobs, begin, end)
    away = [apart(one, (0.0, found), points) for one in fits[:3]]
    halves = [apart(*fits[number : number + 2], points) / 2 for number in (3, 5, 7)]
    return {"starts": max(away[:2]), "metrics": away[2], "halves": max(halves)}
