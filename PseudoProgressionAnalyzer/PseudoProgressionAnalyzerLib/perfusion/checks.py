"""Checks of what comes into the perfusion functions: shapes, types, units."""

from __future__ import annotations

import numpy as np

from ..measures import InputError

# Limits that no DSC series comes near (echo times are 0.02 to 0.05 s: Boxerman 2020, Neuro-Oncology 22:1262), so that
# a time in milliseconds is noticed.
ECHO_TIMES = 0.001, 0.5  # s
FRAME_SPACINGS = 0.05, 20.0  # s


def check_series(signal: np.ndarray) -> np.ndarray:
    """A series ``(time, ...)`` of real numbers. Raises InputError ``dsc_signal_type``."""
    signal = np.asarray(signal)
    if signal.ndim < 2 or signal.size == 0 or signal.dtype.kind not in "iuf":
        raise InputError("dsc_signal_type", shape=str(signal.shape), type=str(signal.dtype))
    return signal


def check_echo_time(echo_time: float) -> None:
    """Raises InputError ``dsc_echo_time`` when it cannot be an echo time in seconds."""
    if not ECHO_TIMES[0] <= echo_time <= ECHO_TIMES[1]:
        raise InputError("dsc_echo_time", field="EchoTime", value=echo_time)


def check_frame_spacing(repetition_time: float) -> None:
    """Raises InputError ``dsc_repetition_time`` when it cannot be the time between two frames in seconds."""
    if not FRAME_SPACINGS[0] <= repetition_time <= FRAME_SPACINGS[1]:
        raise InputError("dsc_repetition_time", field="RepetitionTime", value=repetition_time)


def check_option(option: str, value: str, known) -> None:
    """Raises InputError ``perfusion_option`` when the value is not among the known ones."""
    if value not in known:
        raise InputError("perfusion_option", option=option, value=value, known=", ".join(known))


def flat_mask(mask: np.ndarray | None, shape: tuple[int, ...], name: str) -> np.ndarray:
    """A mask of this shape as bool ``(voxel,)``, all True for None. Raises InputError ``perfusion_mask_shape``."""
    if mask is None:
        return np.ones(int(np.prod(shape)), bool)
    mask = np.asarray(mask)
    if mask.shape != tuple(shape):
        raise InputError("perfusion_mask_shape", field=name, shape=str(mask.shape), expected=str(tuple(shape)))
    return mask.astype(bool).ravel()
