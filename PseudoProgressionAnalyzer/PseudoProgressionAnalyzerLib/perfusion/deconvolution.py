"""Cerebral blood flow by block-circulant deconvolution with an arterial input.

The circulant matrix of the arterial input is diagonal in the Fourier basis and its singular values are the magnitudes
of the input's spectrum, so that truncating singular values is dropping frequencies: one transform of the tissue curve
and one back for each threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft

from ..measures import InputError
from .blocks import as_frames, for_blocks
from .checks import check_frame_spacing, check_option, flat_mask

METHODS = ("osvd", "csvd")
OSCILLATION = 0.035  # largest oscillation index, gradient echo (FAIR DSC toolbox, after Wu 2003, doi 10.1002/mrm.10522)
STEPS = np.arange(0.05, 0.951, 0.05)  # thresholds that the oscillation index chooses from (FAIR DSC toolbox)
THRESHOLD = 0.1  # of the largest singular value, without oscillation index (FAIR DSC toolbox, after Wu 2003)
PER_MINUTE = 6000.0  # ml/100 ml/min in 1/s


@dataclass(frozen=True)
class BloodFlow:
    """Maps of shape ``concentration.shape[1:]`` (float32; NaN where the curve is not finite or outside the mask).

    cbf: ml/100 ml/min; cbv: ml/100 ml; mtt: mean transit time CBV/CBF in s; tmax: time of the largest residue in s,
    negative where the tissue is seen before the artery; oscillation: oscillation index of the residue; threshold: share
    of the largest singular value below which singular values were dropped. converged: False where no threshold brought
    the oscillation index down.
    """

    cbf: np.ndarray
    cbv: np.ndarray
    mtt: np.ndarray
    tmax: np.ndarray
    oscillation: np.ndarray
    threshold: np.ndarray
    converged: np.ndarray


def cbf(
    concentration: np.ndarray,
    arterial_input: np.ndarray,
    *,
    repetition_time: float,
    method: str = "osvd",
    mask: np.ndarray | None = None,
    factor: float = 1.0,
    oscillation: float = OSCILLATION,
    threshold: float = THRESHOLD,
    threads: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> BloodFlow:
    """Blood flow, volume and transit time of each voxel.

    concentration: ``(time, ...)``, in any unit that is proportional to the contrast agent, dR2* as well;
    arterial_input: ``(time,)`` in the same unit; repetition_time: s between two frames. method: ``osvd`` raises the
    threshold for each voxel until the oscillation index falls below ``oscillation``; ``csvd`` keeps ``threshold``.
    factor: of flow and volume; 1 gives ml/100 ml of tissue, kH/rho (hematocrit factor by density in g/ml) ml/100 g.

    C(t) = CBF Int AIF(t') R(t - t') dt' with the input weighted 1:4:1 between frames and both curves zero-padded to
    twice their length (Wu 2003, doi 10.1002/mrm.10522, as in the FAIR DSC toolbox); CBF is the largest value of
    CBF R(t), CBV = Int C / Int AIF, MTT = CBV / CBF. Oscillation index: mean absolute second difference of the residue
    over its largest value.

    Raises InputError: ``perfusion_option``, ``deconvolution_shape``, ``deconvolution_arterial_input``,
    ``dsc_repetition_time``, ``perfusion_mask_shape``; concurrent.futures.CancelledError when cancelled() is true.
    """
    concentration = np.asarray(concentration)
    arterial = np.asarray(arterial_input, dtype=float)
    check_option("method", method, METHODS)
    if concentration.ndim < 2 or arterial.shape != concentration.shape[:1] or arterial.size < 4:
        raise InputError("deconvolution_shape", curve=str(arterial.shape), tissue=str(concentration.shape))
    check_frame_spacing(repetition_time)
    shape = concentration.shape[1:]
    curves = as_frames(concentration)
    inside = flat_mask(mask, shape, "mask")
    frames = arterial.size
    area = float(np.sum((arterial[1:] + arterial[:-1]) / 2)) * repetition_time
    if not (np.all(np.isfinite(arterial)) and area > 0):
        raise InputError("deconvolution_arterial_input")
    spectrum, kept = _filters(arterial, STEPS if method == "osvd" else np.array([threshold]))
    limit = oscillation if method == "osvd" else np.inf
    maps = np.full((6, inside.size), np.nan, np.float32)
    converged = np.zeros(inside.size, bool)
    times = repetition_time * fft.fftfreq(2 * frames, 1 / (2 * frames)).astype(np.float32)

    def work(voxels: slice, scratch: np.ndarray) -> None:
        np.copyto(scratch, curves[:, voxels], casting="unsafe")
        columns = np.flatnonzero(inside[voxels] & np.isfinite(scratch.sum(axis=0)))
        block = scratch.T[columns]
        volume = repetition_time * (block.sum(axis=1) - (block[:, 0] + block[:, -1]) / 2) / area
        padded = np.concatenate([block, np.zeros_like(block)], axis=1)
        quotient = fft.rfft(padded, axis=1) / spectrum
        height, delay, index, share = np.zeros((4, columns.size), np.float32)
        going = np.arange(columns.size)
        for least, keep in kept:
            residue = fft.irfft(quotient[going] * keep, 2 * frames, axis=1)
            peak = residue.argmax(axis=1)
            height[going] = residue[np.arange(going.size), peak]
            delay[going] = times[peak]
            share[going] = least
            bend = np.abs(residue[:, 2:] - 2 * residue[:, 1:-1] + residue[:, :-2]).sum(axis=1)
            index[going] = bend / (2 * frames * height[going])
            going = going[~((height[going] > 0) & (index[going] < limit))]
            if going.size == 0:
                break
        flow = height / np.float32(repetition_time)
        transit = np.divide(volume, flow, out=np.full(flow.size, np.nan, np.float32), where=flow > 0)
        target = voxels.start + columns
        maps[:, target] = flow * (PER_MINUTE * factor), volume * (100 * factor), transit, delay, index, share
        converged[target] = ~np.isin(np.arange(columns.size), going)

    for_blocks(work, inside, frames, threads=threads, cancelled=cancelled, progress=progress)
    return BloodFlow(*(one.reshape(shape) for one in maps), converged.reshape(shape))


def _filters(arterial: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, list[tuple[float, np.ndarray]]]:
    """The spectrum of the padded arterial input and, for each threshold that drops other ones, the frequencies kept."""
    frames = arterial.size
    column = np.zeros(2 * frames)
    column[0] = arterial[0]
    column[1 : frames - 1] = (arterial[:-2] + 4 * arterial[1:-1] + arterial[2:]) / 6
    column[frames - 1] = (arterial[-2] + 4 * arterial[-1]) / 6
    column[frames] = arterial[-1] / 6
    spectrum = fft.rfft(column)
    size = np.abs(spectrum)
    kept: list[tuple[float, np.ndarray]] = []
    for threshold in thresholds:
        keep = size >= threshold * size.max()
        if not kept or np.any(kept[-1][1] != keep):
            kept.append((float(threshold), keep))
    return np.where(size > 0, spectrum, 1).astype(np.complex64), kept
