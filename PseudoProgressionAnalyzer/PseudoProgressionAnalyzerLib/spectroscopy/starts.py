"""Where a fit begins: frequency and phase from lines of which none has to be there, so that tumours without NAA have
one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .baseline import splines
from .model import GAUSS, LORENTZ, LOWER, PHASE, SHARED, SHIFT, UPPER, Model

LINES = ("NAA", "Cr", "PCh", "Ins", "Glu", "Lac", "Lip13a")
WIDTH = 0.05  # ppm: Gaussian width at half maximum of the lines that are tried
SHIFTS = np.arange(-25, 26) / 100  # ppm
LIKELY = 0.12  # ppm: standard deviation of the shifts that are met
PHASES = 24
APART = 0.07  # ppm between two starts
FIRST_LORENTZ, FIRST_GAUSS = 0.02, 0.03  # ppm: widths at half maximum that a fit begins with


class Templates(NamedTuple):
    """For every shift: what turns complex spectra into amplitudes of a few lines, and the size of these lines."""

    solvers: np.ndarray
    sizes: np.ndarray


def templates(model: Model) -> Templates:
    """The lines of a model over a smooth baseline: solvers ``(shifts, lines, window)``, sizes ``(shifts, lines)``."""
    frequency = model.protocol.frequency
    places = [model.names.index(name) for name in LINES if name in model.names]
    smooth = splines(LOWER, UPPER, len(model.ppm))
    solvers, sizes = [], []
    for shift in SHIFTS:
        turn = np.exp(-2j * np.pi * shift * frequency * model.time) * _narrow(model) ** 2
        lines = model.spectra((model.fids[places] * turn).astype(np.complex64))
        bare = (lines - (lines @ smooth.curves * smooth.kept[0]) @ smooth.curves.T).conj()
        gram = bare @ lines.T
        gram += 1e-3 * np.trace(gram).real / len(places) * np.eye(len(places))
        solvers.append(np.linalg.solve(gram, bare))
        sizes.append(np.sqrt(np.maximum(np.diagonal(gram).real, 0)))
    return Templates(np.array(solvers, np.complex64), np.array(sizes))


def starts(model: Model, prepared: Templates, fid: np.ndarray, count: int) -> np.ndarray:
    """Parameters to begin with, ``(voxels, count, parameters)``, the likeliest first. fid: ``(voxels, points)``.

    For every shift the complex data are fitted by a few lines over a smooth baseline; of every phase counts what lines
    of positive amplitude explain.
    """
    frequency = model.protocol.frequency
    data = model.spectra((fid * _narrow(model)).astype(np.complex64))
    size = np.maximum(np.linalg.norm(data, axis=1), 1e-30)
    angles = 2 * np.pi * np.arange(PHASES) / PHASES
    score = np.empty((len(fid), len(SHIFTS), PHASES))
    for number in range(len(SHIFTS)):
        amplitude = data @ prepared.solvers[number].T * (prepared.sizes[number] / size[:, None])
        turned = np.real(amplitude[:, None, :] * np.exp(1j * angles)[:, None])
        score[:, number] = (turned * np.abs(turned)).sum(axis=2)  # lines of negative amplitude count against
    score *= np.exp(-0.5 * (SHIFTS[:, None] / LIKELY) ** 2)
    result = np.tile(model.expected, (len(fid), count, 1))
    gaussian = (np.pi * FIRST_GAUSS * frequency) ** 2 / (4 * np.log(2))
    result[:, :, LORENTZ] = FIRST_LORENTZ * frequency
    result[:, :, GAUSS] = gaussian
    voxels = np.arange(len(fid))
    for number in range(count):
        best = score.reshape(len(fid), -1).argmax(axis=1)
        place, phase = np.unravel_index(best, score.shape[1:])
        result[:, number, SHIFT] = -SHIFTS[place] * frequency
        result[:, number, PHASE] = angles[phase]
        near = np.abs(SHIFTS[None] - SHIFTS[place][:, None]) < APART
        score[near] = -np.inf
        score[voxels, place] = -np.inf
    return result


def from_parameters(parameters: np.ndarray, model: Model) -> np.ndarray:
    """Starts from other voxels' parameters ``(voxels, parameters)``: what is shared, each metabolite as expected."""
    result = parameters.copy()
    result[:, SHARED:] = model.expected[SHARED:]
    return result


def _narrow(model: Model) -> np.ndarray:
    """The decay of a Gaussian line of the width that is tried ``(points,)``."""
    return np.exp(-((np.pi * WIDTH * model.protocol.frequency * model.time) ** 2) / (4 * np.log(2)))
