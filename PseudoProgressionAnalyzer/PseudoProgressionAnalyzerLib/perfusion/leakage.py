"""Contrast agent leakage as linear models of dR2*(t), written as weights on the frames.

One regressor is the reference curve, the other its integral, in the bidirectional model with a loss at the rate kep
(1/s); kep = 0 is the unidirectional model. For every kep the fit is linear, and its residual differs between rates only
by the part of the second regressor that is orthogonal to the first: one row of weights per rate decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.integrate import cumulative_trapezoid

from ..measures import InputError
from .blocks import blocks
from .bolus import Frames

AKAIKE_STEP = 2.0  # what one more parameter must gain in chi-squared (Akaike's criterion, noise variance known)
# Rates of return to the blood in 1/s, up to 2 1/min: this library's choice. Faster return looks like a bolus that is
# merely broader than the reference and would turn transit time into leakage.
EXCHANGE_RATES = np.concatenate([[0.0], np.geomspace(0.1 / 60, 2 / 60, 15)])


@dataclass(frozen=True)
class Leakage:
    """The fit of dR2*(t) with ``k1 regressors[:, 0] + k2 regressors[:, 1]`` at each rate, as weights.

    rates: kep in 1/s; regressors: ``(rates, 2, time)``; integral: weights of the integral of dR2* ``(time,)``;
    along: the direction of the first regressor ``(time,)``; across: what is left of the second one, as directions
    ``(rates, time)``.
    """

    rates: np.ndarray
    regressors: np.ndarray
    integral: np.ndarray
    along: np.ndarray
    across: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The weights ``(2 + rates, time)`` whose products with dR2* hold all that the fit needs."""
        return np.stack([self.integral, self.along, *self.across])

    def choose(self, across: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each voxel's product and the number of its rate ``(n,)``, from the products ``(rates, n)`` with ``across``.

        noise: standard deviation of dR2* per voxel ``(n,)``. The rate that fits best, or the first (0) where it does
        not fit better by what Akaike's criterion asks of a third parameter.
        """
        across = np.asarray(across)
        best = np.argmax(np.abs(across), axis=0)
        strongest = np.take_along_axis(across, best[None], axis=0)[0]
        better = strongest**2 - across[0] ** 2 > AKAIKE_STEP * noise**2
        return np.where(better, strongest, across[0]), np.where(better, best, 0)

    def weights(self) -> np.ndarray:
        """Weights ``(rates, 3, time)`` that turn dR2*(t) into k1, k2 and corrected CBV."""
        fit = np.linalg.pinv(self.regressors.transpose(0, 2, 1))
        cbv = self.integral - (self.regressors[:, 1] @ self.integral)[:, None] * fit[:, 1]
        return np.concatenate([fit, cbv[:, None]], axis=1)

    def solve(self, uncorrected, along, across, number, seen: Leakage) -> tuple[np.ndarray, ...]:
        """k1, k2 (1/s) and corrected CBV from the products with the rows of ``seen``, each ``(n,)``.

        number: of the rate, ``(n,)`` or 0 for all. seen: the fit whose products were taken, with a reference curve
        equal to this one's but for the noise of its mean. The curve that it fitted is fitted again with these
        regressors, which is exact but for the product of that noise and the voxel's.
        """
        weights = self.weights()[:, :2]
        turn = np.stack([weights @ seen.along, np.einsum("jkt,jt->jk", weights, seen.across)], axis=2)
        turn = turn.astype(np.float32)
        leaked = (self.regressors[:, 1] @ self.integral).astype(np.float32)
        k1, k2, cbv = np.empty((3, along.size), np.float32)
        for voxels in blocks(along.size):
            rate = number if np.ndim(number) == 0 else number[voxels]
            k1[voxels] = turn[rate, 0, 0] * along[voxels] + turn[rate, 0, 1] * across[voxels]
            k2[voxels] = turn[rate, 1, 0] * along[voxels] + turn[rate, 1, 1] * across[voxels]
            cbv[voxels] = uncorrected[voxels] - k2[voxels] * leaked[rate]
        return k1, k2, cbv


def leakage(reference_curve: np.ndarray, frames: Frames, spacing: float, last: int, rates: np.ndarray) -> Leakage:
    """The fit to a reference curve of dR2* in 1/s ``(time,)``, over the frames from bolus arrival on.

    spacing: s between frames; last: the frame after the last one that is integrated; rates: kep in 1/s, the first 0.
    Raises InputError ``dsc_reference_flat`` when the reference curve encloses no area.

    The model (Boxerman 2006, AJNR 27:859; with kep Leu 2016, AJNR; OSIPI CAPLEX M.LC1.001 and M.LC1.002)::

        dR2*(t) = k1 ref(t) - k2 Int_0^t ref(t') exp(-kep (t - t')) dt'
    """
    start = frames.bolus_arrival
    integral = np.zeros(frames.count)
    integral[start:last] = spacing
    integral[[start, last - 1]] /= 2
    if not integral @ reference_curve > 0:
        raise InputError("dsc_reference_flat")
    bolus = reference_curve[start:]
    time = spacing * np.arange(bolus.size)
    grown = np.exp(np.outer(rates, time))
    regressors = np.zeros((len(rates), 2, frames.count))
    regressors[:, 0, start:] = bolus
    regressors[:, 1, start:] = -cumulative_trapezoid(bolus * grown, time, initial=0) / grown
    along = regressors[0, 0] / np.linalg.norm(bolus)
    across = regressors[:, 1] - np.outer(regressors[:, 1] @ along, along)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return Leakage(rates, regressors, integral, along, across)
