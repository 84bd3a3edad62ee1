"""Post minus pre contrast T1, so that what was bright before contrast (blood, protein) does not count as enhancement.

Subtraction maps are what modified RANO suggests for enhancing volumes (Ellingson 2017, Neurotherapeutics 14:307,
abstract). The two images differ in scale and offset even where nothing enhances; both are taken from reference tissue
by a straight line that leaves out its outliers, such as vessels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import InputError
from .volume import NORMAL_95

MAD_TO_SD = 1.482602218505602  # median absolute deviation to standard deviation of a normal distribution
ENOUGH_VOXELS = 100  # of reference tissue for a line and its scatter


@dataclass(frozen=True)
class Subtraction:
    """What contrast added.

    delta: float32 ``(k, j, i)``, post minus what the pre-contrast image predicts, in % of the reference tissue's signal
    after contrast; NaN where an image has no number. noise: standard deviation of delta in reference tissue (%).
    """

    delta: np.ndarray
    noise: float

    @property
    def limit(self) -> float:
        """delta (%) that 2.5 % of reference tissue exceeds: brighter voxels are brighter than scatter explains."""
        return NORMAL_95 * self.noise


def subtract(pre: np.ndarray, post: np.ndarray, reference: np.ndarray) -> Subtraction:
    """Contrast uptake from two T1 images on one grid.

    pre, post: ``(k, j, i)``, registered, any unit; reference: bool ``(k, j, i)``, brain that does not enhance (white
    and grey matter together give the line its span).

    Raises InputError: ``lesion_subtraction_grids`` (shapes differ), ``lesion_subtraction_reference`` (fewer than 100
    usable voxels of reference tissue), ``lesion_subtraction_unlike`` (the images do not rise together: not registered,
    or one of them is no T1).
    """
    if not pre.shape == post.shape == reference.shape:
        raise InputError("lesion_subtraction_grids", field="pre", pre=pre.shape, post=post.shape)
    usable = reference & np.isfinite(pre) & np.isfinite(post)
    if (count := int(np.count_nonzero(usable))) < ENOUGH_VOXELS:
        raise InputError("lesion_subtraction_reference", field="reference", voxels=count, needed=ENOUGH_VOXELS)
    before, after = pre[usable].astype(float), post[usable].astype(float)
    slope, offset, noise = _robust_line(before, after)
    signal = float(np.median(after))
    if not (slope > 0 and signal > 0):
        raise InputError("lesion_subtraction_unlike", field="pre")
    delta = (post - (slope * pre + offset)) * (100 / signal)
    delta = np.where(np.isfinite(delta), delta, np.nan).astype(np.float32)
    return Subtraction(delta, 100 * noise / signal)


def supported_fraction(mask: np.ndarray, subtraction: Subtraction) -> float | None:
    """Share (0 to 1) of a region drawn as enhancing whose uptake exceeds the limit; None where nothing can be told."""
    delta = subtraction.delta[mask]
    delta = delta[np.isfinite(delta)]
    return float(np.mean(delta > subtraction.limit)) if delta.size else None


def _robust_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Slope, offset and scatter of y over x: least squares, repeated without points beyond 1.96 scatters."""
    kept = np.ones(x.size, bool)
    slope = offset = scatter = 0.0
    for _ in range(10):
        spread = x[kept].var()
        slope = float(((x[kept] - x[kept].mean()) * y[kept]).mean() / spread) if spread > 0 else 0.0
        offset = float(y[kept].mean() - slope * x[kept].mean())
        residual = y - slope * x - offset
        centre = float(np.median(residual))
        offset += centre
        scatter = MAD_TO_SD * float(np.median(np.abs(residual - centre)))
        now = np.abs(residual - centre) <= NORMAL_95 * scatter
        if np.array_equal(now, kept) or now.sum() < 2:
            break
        kept = now
    return slope, offset, scatter
