"""Where a fit begins: frequency and phase from lines of which none has to be there, so that tumours without NAA have
one."""

from __future__ import annotations

import numpy as np

from .baseline import splines
from .model import GAUSS, LORENTZ, LOWER, PHASE, SHARED, SHIFT, UPPER, Model

GROUPS = (("NAA",), ("Cr",), ("PCh",), ("Ins",), ("Glu",), ("Lac",), ("Lip13a",))
WIDTH = 0.05  # ppm: Gaussian width at half maximum of the lines that are tried
FURTHEST, FINENESS = 0.25, 0.01  # ppm
LIKELY = 0.12  # ppm: standard deviation of the shifts that are met
PHASES = 24
APART = 0.07  # ppm between two starts
FIRST_LORENTZ, FIRST_GAUSS = 0.02, 0.03  # ppm: widths at half maximum that a fit begins with


def starts(model: Model, fid: np.ndarray, count: int) -> np.ndarray:
    """Parameters to begin with, ``(voxels, count, parameters)``, the likeliest first. fid: complex ``(voxels,
    points)``.

    For every shift the complex data are fitted by a few lines over a smooth baseline; of every phase counts what lines
    of positive amplitude explain.
    """
    frequency = model.protocol.frequency
    places = [model.names.index(name[0]) for name in GROUPS if name[0] in model.names]
    time = model.time
    width = np.exp(-((np.pi * WIDTH * frequency * time) ** 2) / (4 * np.log(2)))
    data = model.spectra((fid * width).astype(np.complex64))
    shifts = np.arange(-FURTHEST, FURTHEST + FINENESS / 2, FINENESS)
    smooth = splines(LOWER, UPPER, len(model.ppm))
    kept = smooth.kept[0]
    size = np.linalg.norm(data, axis=1, keepdims=True)
    score = np.empty((len(fid), len(shifts), PHASES))
    angles = 2 * np.pi * np.arange(PHASES) / PHASES
    for number, shift in enumerate(shifts):
        turn = np.exp(-2j * np.pi * shift * frequency * time) * width**2
        lines = model.spectra((model.fids[places] * turn).astype(np.complex64))
        bare = lines - (lines @ smooth.curves * kept) @ smooth.curves.T
        gram = bare.conj() @ lines.T
        gram += 1e-3 * np.trace(gram).real / len(places) * np.eye(len(places))
        amplitude = np.linalg.solve(gram, bare.conj() @ data.T).T
        seen = np.sqrt(np.maximum(np.diagonal(gram).real, 0))
        turned = np.real(amplitude[:, None, :] * np.exp(1j * angles)[:, None]) * seen / size[:, :, None]
        score[:, number] = (np.maximum(turned, 0) ** 2 - np.minimum(turned, 0) ** 2).sum(axis=2)
    score *= np.exp(-0.5 * (shifts[:, None] / LIKELY) ** 2)
    result = np.tile(model.expected, (len(fid), count, 1))
    gaussian = (np.pi * FIRST_GAUSS * frequency) ** 2 / (4 * np.log(2))
    result[:, :, LORENTZ] = FIRST_LORENTZ * frequency
    result[:, :, GAUSS] = gaussian
    voxels = np.arange(len(fid))
    for number in range(count):
        best = score.reshape(len(fid), -1).argmax(axis=1)
        place, phase = np.unravel_index(best, score.shape[1:])
        result[:, number, SHIFT] = -shifts[place] * frequency
        result[:, number, PHASE] = angles[phase]
        near = np.abs(shifts[None] - shifts[place][:, None]) < APART
        score[near] = -np.inf
        score[voxels, place] = -np.inf
    return result


def from_parameters(parameters: np.ndarray, model: Model) -> np.ndarray:
    """Starts from other voxels' parameters ``(voxels, parameters)``: what is shared, each metabolite as expected."""
    result = parameters.copy()
    result[:, SHARED:] = model.expected[SHARED:]
    return result
