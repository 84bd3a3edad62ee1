"""What comes off before a fit: eddy currents and the rest of the water."""

from __future__ import annotations

import numpy as np

BAND = 0.6  # ppm around the water that is looked at
REMOVED = 0.4  # ppm around the water in which lines are taken for water, and their greatest width at half maximum
LINES = 8  # decaying lines that describe the band
CHUNK = 256  # voxels at a time
FAINT = 1e-3  # of the water's first point: below it its phase is noise


def correct_eddy_currents(fid: np.ndarray, water: np.ndarray) -> np.ndarray:
    """Spectra without the phase that eddy currents gave to the water (Klose, Magn Reson Med 1990;14:26-30).

    fid, water: complex ``(..., points)``, of the same voxels. Where the water has decayed into noise its last certain
    phase is kept.
    """
    phase = np.unwrap(np.angle(water), axis=-1)
    size = np.abs(water)
    certain = np.minimum.accumulate(size, axis=-1) > FAINT * size[..., :1]
    last = np.maximum(certain.sum(axis=-1, keepdims=True) - 1, 0)
    phase = np.where(certain, phase, np.take_along_axis(phase, last, axis=-1))
    return (fid * np.exp(-1j * phase)).astype(fid.dtype)


def remove_water(fid: np.ndarray, dwell_time: float, frequency: float) -> np.ndarray:
    """Spectra without lines near the water, complex ``(..., points)``; dwell_time: s, frequency: MHz.

    The band around the water is described by a few decaying lines found by singular value decomposition (HSVD:
    Barkhuijsen et al., J Magn Reson 1987;73:553; Pijnappel et al., J Magn Reson 1992;97:122), those near the water are
    subtracted, but for those that are broader than what is taken for its surroundings: these describe the tails of the
    metabolites outside of the band, and subtracted they would bend the whole spectrum where there is little water.
    """
    points = fid.shape[-1]
    flat = fid.reshape(-1, points)
    half = max(2 * LINES, round(BAND * frequency * points * dwell_time))
    result = np.empty_like(flat)
    for start in range(0, len(flat), CHUNK):
        result[start : start + CHUNK] = _without(flat[start : start + CHUNK], half, dwell_time, frequency)
    return result.reshape(fid.shape)


def _without(fid: np.ndarray, half: int, dwell_time: float, frequency: float) -> np.ndarray:
    points = fid.shape[1]
    bins = np.r_[0 : half + 1, points - half : points]
    band = np.fft.fft(fid, axis=-1)[:, bins]
    slow = np.fft.ifft(band, axis=-1) * (len(bins) / points)  # the band alone, at a longer dwell time
    slow_dwell = dwell_time * points / len(bins)
    rows = len(bins) // 2
    hankel = slow[:, np.arange(rows)[:, None] + np.arange(len(bins) - rows + 1)].astype(np.complex128)
    # The eigenvectors of the product are the left singular vectors, and found much faster.
    left = np.linalg.eigh(hankel @ hankel.conj().transpose(0, 2, 1))[1][:, :, -LINES:]
    adjoint = left[:, :-1].conj().transpose(0, 2, 1)
    poles = np.linalg.eigvals(np.linalg.solve(adjoint @ left[:, :-1], adjoint @ left[:, 1:]))
    size = np.clip(np.abs(poles), 1e-6, 1.0)  # lines decay
    rate = np.log(size) / slow_dwell + 1j * np.angle(poles) / slow_dwell
    lines = np.exp(rate[:, :, None] * (np.arange(points) * dwell_time))
    basis = np.fft.fft(lines, axis=-1)[:, :, bins].transpose(0, 2, 1)
    adjoint = basis.conj().transpose(0, 2, 1)
    gram = adjoint @ basis
    ridge = 1e-9 * np.trace(gram, axis1=1, axis2=2).real / LINES
    amplitude = np.linalg.solve(gram + ridge[:, None, None] * np.eye(LINES), adjoint @ band[:, :, None])[:, :, 0]
    near = np.abs(rate.imag) < 2 * np.pi * REMOVED * frequency
    near &= -rate.real < np.pi * REMOVED * frequency  # a line decays with pi times its width
    return (fid - np.einsum("vk,vkt->vt", amplitude * near, lines)).astype(fid.dtype)


def early_points(fid: np.ndarray) -> np.ndarray:
    """How many of the last points of each decay belong before its first one ``(voxels,)``; fid: ``(voxels, points)``.

    Decimation on the scanner can shift a decay by a part of a dwell time and wrap it around: it then rises again at its
    end. Points count from where they leave the noise for good.
    """
    size = np.abs(fid)
    points = fid.shape[1]
    level = np.median(size[:, points // 2 : 3 * points // 4], axis=1)
    late = size[:, -points // 8 :]
    smooth = np.minimum(late[:, :-1], late[:, 1:])  # of two neighbours the smaller
    above = np.flip(np.minimum.accumulate(np.flip(smooth > 2 * level[:, None], axis=1), axis=1), axis=1)
    count = above.sum(axis=1)
    return np.where((count >= 4) & (late[:, -1] > 5 * level), np.minimum(2 * count, points // 4), 0)


def early_last(fid: np.ndarray, length: int) -> np.ndarray:
    """Decays filled with zeros up to a length ``(voxels, length)``, before the points that belong before the first."""
    points = fid.shape[1]
    result = np.zeros((len(fid), length), fid.dtype)
    result[:, :points] = fid
    for number, early in enumerate(early_points(fid)):
        if early:
            result[number, points - early : points] = 0
            result[number, -early:] = fid[number, -early:]
    return result
