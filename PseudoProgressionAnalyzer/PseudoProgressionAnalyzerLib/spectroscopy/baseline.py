"""The smooth baseline under a spectrum: penalised cubic splines that are taken out of the fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import BSpline
from scipy.optimize import brentq

KNOTS = 15.0  # splines per ppm
FLEXIBILITIES = (1.0, 1.6, 2.5, 4.0, 7.0)
"""Effective dimensions per ppm that are tried. Knots and largest flexibility are those of ABfit (Wilson, Magn Reson Med
2021;85:13; defaults of the program): where the largest is not among them, spectra over a rough baseline are fitted with
metabolites in place of it (choline over creatine of one real spectrum by a sixth more than LCModel's)."""


@dataclass(frozen=True)
class Baseline:
    """Splines turned so that a stiffness only scales them.

    curves: orthonormal ``(points, splines)``; kept: share of each curve that the baseline takes up, one row for each
    of the flexibilities ``(flexibilities, splines)``. What is left of a spectrum y is y - curves (kept * curves' y).
    """

    curves: np.ndarray
    kept: np.ndarray

    @property
    def dimensions(self) -> np.ndarray:
        """Effective dimension of the baseline at each flexibility."""
        return self.kept.sum(axis=1)


@lru_cache(maxsize=8)
def splines(low: float, high: float, points: int) -> Baseline:
    """Cubic B-splines with a second-difference penalty (Eilers and Marx, Stat Sci 1996;11:89) over low to high ppm."""
    count = round(KNOTS * (high - low)) + 3
    step = (high - low) / (count - 3)
    knots = low + step * np.arange(-3, count + 1)
    inside = np.linspace(low, high, points, endpoint=False) + 0.5 * (high - low) / points
    design = BSpline.design_matrix(inside, knots, 3).toarray()
    penalty = np.diff(np.eye(count), 2, axis=0)
    stiffness, vectors = _together(penalty.T @ penalty, design.T @ design)
    stiffness = np.maximum(stiffness, 0)
    kept = []
    for flexibility in FLEXIBILITIES:
        wanted = max(flexibility * (high - low), 2.05)  # two dimensions, a line, are never penalised
        strength = brentq(lambda log, w=wanted: (1 / (1 + np.exp(log) * stiffness)).sum() - w, -40, 60)
        kept.append(1 / (1 + np.exp(strength) * stiffness))
    return Baseline(design @ vectors, np.array(kept))


def _together(penalty: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending values w and vectors V with ``penalty V = gram V diag(w)`` and ``V' gram V = 1``, by Cholesky's factor.

    As scipy.linalg.eigh, which keeps the interpreter for itself meanwhile: where all cores are busy that is 0.3 s, in
    which nothing else in the process is heard.
    """
    factor = np.linalg.cholesky(gram)
    values, vectors = np.linalg.eigh(np.linalg.solve(factor, np.linalg.solve(factor, penalty).T))
    return values, np.linalg.solve(factor.T, vectors)
