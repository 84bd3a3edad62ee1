"""Round numbers for the ends and ticks of scales."""

from __future__ import annotations

import math

import numpy as np

_STEPS = ((1, 0.5), (1.5, 0.5), (2, 0.5), (2.5, 0.5), (3, 1), (4, 1), (5, 1), (6, 2), (8, 2), (10, 2))
"""Ends of a scale between 1 and 10, and the distance of its ticks."""


def nice_top(value: float) -> float:
    """The smallest round end of a scale from 0 that is not below the value; 1 where there is no positive value."""
    end, power = _nice(value)
    return end[0] * power


def nice_ticks(top: float) -> list[float]:
    """The ticks from 0 to an end from ``nice_top``, both included."""
    (end, step), power = _nice(top)
    return [float(f"{tick * power:.6g}") for tick in np.arange(0, end + step / 2, step)]


def _nice(value: float) -> tuple[tuple[float, float], float]:
    if not (math.isfinite(value) and value > 0):
        return _STEPS[0], 1.0
    power = 10.0 ** math.floor(math.log10(value))
    # The margin is for rounding: 3 is its own end although 3 / 1e-3 * 1e-3 is not quite 3.
    return next(step for step in _STEPS if step[0] * power >= value * (1 - 1e-9)), power
