"""Which voxels of a DSC series can be trusted, and which frames the head moved in.

All limits in this file are this library's definitions: no published ones exist.
"""

from __future__ import annotations

import numpy as np

from .blocks import project
from .bolus import Frames

LARGEST_ERROR = 0.5  # standard error of the corrected CBV, in units of the reference tissue's CBV
FAINTEST = 0.3  # baseline signal in units of the brain's median: below it, dropout near air, bone or blood
LARGEST_DRIFT = 5.0  # slope of the baseline in units of its standard error
MOVED = 1.5  # residual of a frame in units of the quieter frames' residual
REASONS = ("noise", "signal_loss", "baseline_drift")


def untrusted_voxels(relative_error: np.ndarray, level: np.ndarray, drift: np.ndarray) -> dict[str, np.ndarray]:
    """Why voxels are not to be trusted: a bool map per reason; false where the arguments are NaN.

    relative_error: standard error of the CBV in units of the reference tissue's CBV; level: mean of ln S over the
    baseline; drift: slope of ln S over the baseline in units of its standard error. All ``(voxel,)``.
    """
    brightness = np.nanmedian(level[:: max(1, level.size // 16384)])  # a limit needs no more voxels than that
    return {
        "noise": relative_error > LARGEST_ERROR,
        "signal_loss": level < brightness + np.log(FAINTEST),
        "baseline_drift": np.abs(drift) > LARGEST_DRIFT,
    }


def moved_frames(logs: np.ndarray, frames: Frames) -> np.ndarray:
    """Numbers of the frames outside the first pass in which the head lay elsewhere.

    logs: ln S of a sample of brain voxels, float32 ``(time, voxel)``. Each voxel's curve is fitted with a constant, the
    mean curve, its slope and its integral; a frame has moved where the residual over all voxels is more than 1.5 times
    that of the quieter quarter of the frames.
    """
    mean = logs.mean(axis=1, dtype=np.float64)
    shapes = np.stack([np.ones(frames.count), mean, np.gradient(mean), np.cumsum(mean - mean[0])], axis=1)
    basis = np.linalg.qr(shapes)[0]
    rest = project((np.eye(frames.count) - basis @ basis.T).astype(np.float32), logs)
    residual = np.sqrt(np.einsum("tv,tv->t", rest, rest))
    outside = np.ones(frames.count, bool)
    outside[: frames.steady_state] = False
    outside[frames.bolus_arrival : frames.first_pass_end] = False
    return np.flatnonzero(outside & (residual > MOVED * np.percentile(residual[outside], 25)))
