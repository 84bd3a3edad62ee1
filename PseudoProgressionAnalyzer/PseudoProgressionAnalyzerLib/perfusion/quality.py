"""Which voxels of a DSC series can be trusted, and which frames the head moved in.

All limits in this file are this library's definitions: no published ones exist.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from .bolus import Frames

LARGEST_ERROR = 0.5  # standard error of the corrected CBV, in units of the reference tissue's CBV
FAINTEST = 0.3  # baseline signal in units of the brain's median: below it, dropout near air, bone or blood
DRIFT_CHANCE = 1e-5  # of a slope as steep as the baseline's without any drift
MOVED = 1.5  # change from one frame to the next in units of the quieter frames' change
LEAST_CHANGE = 0.01  # of the signal


def steepest_slope(length: int) -> float:
    """The steepest slope of a baseline without drift, in units of its standard deviation, for a unit slope vector.

    From Student's t of a regression line over ``length`` frames.
    """
    t = stdtrit(length - 2, 1 - DRIFT_CHANCE / 2)
    return float(np.sqrt((length - 1) * t**2 / (length - 2 + t**2)))


def untrusted_voxels(relative_error: np.ndarray, level: np.ndarray, drifting: np.ndarray) -> dict[str, np.ndarray]:
    """Why voxels are not to be trusted: a bool map per reason; False where the arguments are NaN.

    relative_error: standard error of the CBV in units of the reference tissue's CBV; level: mean of ln S over the
    baseline; drifting: bool, whether the baseline has a slope. All ``(voxel,)``.
    """
    brightness = np.nanmedian(level[:: max(1, level.size // 16384)])  # a limit needs no more voxels than that
    return {
        "noise": relative_error > LARGEST_ERROR,
        "signal_loss": level < brightness + np.log(FAINTEST),
        "baseline_drift": drifting,
    }


def moved_frames(logs: np.ndarray, frames: Frames) -> np.ndarray:
    """Numbers of the frames before which the head moved; the first pass is left out, where contrast moves everything.

    logs: ln S of a sample of brain voxels ``(time, voxel)``. From one frame to the next all voxels change by noise; a
    frame has moved where the change that 95 % of the voxels stay below is more than 1.5 times that of the quieter
    quarter of the frames, and more than 1 % of the signal.
    """
    changes = np.abs(np.diff(logs[:, :: max(1, logs.shape[1] // 512)], axis=0))
    spread = np.percentile(changes, 95, axis=1)  # spread[n] is the change into frame n + 1
    into = np.arange(1, frames.count)
    outside = (into > frames.steady_state) & ((into < frames.bolus_arrival) | (into > frames.first_pass_end))
    limit = max(MOVED * np.percentile(spread[outside], 25), LEAST_CHANGE)
    return into[outside & (spread > limit)]
