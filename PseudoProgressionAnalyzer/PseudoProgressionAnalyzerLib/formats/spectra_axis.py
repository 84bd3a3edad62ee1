"""Which way round the frequency axis of a spectrum is: every vendor conjugates differently, and files differ again.

The magnitude spectrum without its broad parts is compared with lines of the brain at both signs of the axis.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter, uniform_filter1d

CENTRE = 4.65  # ppm of zero frequency
LINES = (3.92, 3.21, 3.03, 2.01, 1.30)  # ppm: creatine twice, choline, NAA, lactate and lipids
WINDOW = (0.5, 4.3)  # ppm
BROAD = 0.35  # ppm: width of the median that is taken off
FURTHEST = 0.25  # ppm that the lines may be off
WIDTH = 0.04  # ppm: standard deviation of a line
STRONGEST = 16  # voxels of a grid that are looked at
CLEAR = 1.2  # ratio of the two scores above which the sign of the file is confirmed
TURN = 1.5  # ratio above which the file is taken to be the other way round than its format says
SPECTRUM_LIKE = 0.5  # score below which it is no spectrum of a brain (water or another phantom)


def scores(fid: np.ndarray, dwell_time: float, frequency: float) -> tuple[float, float]:
    """Likeness with a brain's spectrum (up to 1) as the axis is, and the other way round.

    fid: complex ``(..., points)``; dwell_time: s; frequency: MHz.
    """
    flat = fid.reshape(-1, fid.shape[-1])
    energy = np.einsum("vt,vt->v", flat, flat.conj()).real
    flat = flat[np.argsort(-energy)[:STRONGEST]]
    spectrum = np.abs(np.fft.fft(flat, axis=-1))
    ppm = CENTRE - np.fft.fftfreq(flat.shape[-1], dwell_time) / frequency
    return _likeness(spectrum, ppm), _likeness(spectrum, 2 * CENTRE - ppm)


def _likeness(spectrum: np.ndarray, ppm: np.ndarray) -> float:
    order = np.argsort(ppm)
    axis = np.arange(WINDOW[0], WINDOW[1], 0.01)
    values = np.array([np.interp(axis, ppm[order], one[order]) for one in spectrum])
    values = values - median_filter(values, (1, round(BROAD / 0.01) | 1), mode="nearest")
    values = np.maximum(uniform_filter1d(values, 3, axis=-1), 0)
    values /= np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-30)
    best = 0.0
    for shift in np.arange(-FURTHEST, FURTHEST + 0.005, 0.01):
        lines = np.exp(-0.5 * ((axis[:, None] - np.add(LINES, shift)) / WIDTH) ** 2).sum(axis=1)
        best = max(best, float(np.mean(values @ lines) / np.linalg.norm(lines)))
    return best
