"""Several coils and repetitions of one spectrum into one."""

from __future__ import annotations

import numpy as np

STEADY = 5  # first points of a decay that coil weights are taken from
ROUNDS = 3


def combine_coils(fid: np.ndarray, water: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Coils ``(..., coil, points)`` into ``(..., points)``, weighted by their first points and phased; water alike.

    The weights are the complex conjugate of the mean of the first points (of the water reference where there is one):
    those of greatest signal for coils of equal noise (Roemer et al., Magn Reson Med 1990;16:192).
    """
    source = fid if water is None else water
    weights = source[..., :STEADY].mean(axis=-1).conj()
    weights = weights / np.maximum(np.linalg.norm(weights, axis=-1, keepdims=True), np.finfo(float).tiny)

    def sum_up(coils: np.ndarray) -> np.ndarray:
        return np.einsum("...c,...ct->...t", weights, coils)

    return sum_up(fid), None if water is None else sum_up(water)


def combine_repetitions(fid: np.ndarray, dwell_time: float) -> np.ndarray:
    """Mean of repetitions ``(..., repetition, points)`` after aligning frequency and phase of each to the mean.

    Aligned in the time domain over the first part of the decay that stands above noise (Near et al., Magn Reson Med
    2015;73:44: spectral registration). dwell_time: s.
    """
    points = fid.shape[-1]
    kept = min(points, max(64, round(0.2 / dwell_time)))
    time = np.arange(kept) * dwell_time
    aligned = fid
    for _ in range(ROUNDS):
        mean = aligned.mean(axis=-2, keepdims=True)
        product = aligned[..., :kept] * mean[..., :kept].conj()
        padded = np.fft.fft(product, 8 * kept, axis=-1)
        place = np.abs(padded).argmax(axis=-1)
        frequency = np.fft.fftfreq(8 * kept, dwell_time)[place]
        turned = product * np.exp(-2j * np.pi * frequency[..., None] * time)
        phase = np.angle(turned.sum(axis=-1))
        whole = np.exp(-1j * (2 * np.pi * frequency[..., None] * np.arange(points) * dwell_time + phase[..., None]))
        aligned = aligned * whole
    return aligned.mean(axis=-2)
