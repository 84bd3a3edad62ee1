"""Cerebral blood flow in ml/100 g/min from arterial spin labelling.

Two times describe every measurement. Pseudo-continuous labelling: the labelling duration and the delay from its end to
the image. Pulsed labelling (QUIPSS II, Q2TIPS): the bolus duration TI1 as labelling duration, and the inversion time TI
as post-labelling delay, as BIDS has them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import InputError, Message
from .blocks import BLOCK
from .checks import check_option, flat_mask

CONSENSUS = "Alsop 2015, Magnetic Resonance in Medicine 73:102 (consensus)"
PARTITION = 0.9  # ml/g
BLOOD_T1 = {1.5: 1.35, 3.0: 1.65}  # s by field in T
EFFICIENCY = {
    "PCASL": (0.85, CONSENSUS),
    "PASL": (0.98, CONSENSUS),
    "CASL": (0.68, "Wang 2005, by way of ASLPrep"),
}
PER_SUPPRESSION_PULSE = 0.95, "ASLPrep: widely used, in no paper"
LONG_REPETITION = 5.0  # s; an M0 with a shorter repetition time is corrected (Alsop 2015)
PER_MINUTE = 6000.0  # ml/100 g/min in ml/g/s
FIELD_TOLERANCE = 0.3  # T
LONGEST_T1 = 5.0  # s; above it T1 was given in ms
LONGEST_TIME = 20.0  # s; above it a time was given in ms
FAINTEST_M0 = 0.3  # of the median M0 inside the mask: below it the quotient is not trusted; this library's choice
PLAUSIBLE = 5.0, 200.0  # ml/100 g/min: outside it a median says that something is wrong; this library's choice
LATEST_ARRIVAL, TRANSIT_STEP = 4.0, 0.01  # s


@dataclass(frozen=True)
class Constant:
    """A constant that a flow map rests on."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class FlowMap:
    """cbf: ml/100 g/min, NaN where nothing could be measured; quality: bool, True = trustworthy; constants by name.

    From several delays only: transit_time, the arterial transit time in s, NaN where all label had arrived before the
    earliest image and the time cannot be known; cbf_error, standard error in ml/100 g/min.
    """

    cbf: np.ndarray
    quality: np.ndarray
    constants: dict[str, Constant]
    flags: tuple[Message, ...]
    transit_time: np.ndarray | None = None
    cbf_error: np.ndarray | None = None


def control_label_difference(series: np.ndarray, is_control: np.ndarray) -> np.ndarray:
    """Mean control minus mean label image ``(...)`` of a series ``(time, ...)``.

    is_control: bool ``(time,)``. Raises InputError ``asl_pairs`` without as many labels as controls.
    """
    series, is_control = np.asarray(series), np.asarray(is_control, dtype=bool)
    controls = int(np.count_nonzero(is_control))
    if is_control.shape != series.shape[:1] or controls == 0 or 2 * controls != is_control.size:
        raise InputError("asl_pairs", controls=controls, images=len(series))
    return series[is_control].mean(axis=0, dtype=float) - series[~is_control].mean(axis=0, dtype=float)


def cbf_single_delay(
    difference: np.ndarray,
    m0: np.ndarray,
    *,
    labeling: str,
    labeling_duration: float,
    post_labeling_delay: float,
    field_strength: float | None = None,
    blood_t1: float | None = None,
    labeling_efficiency: float | None = None,
    suppression_pulses: int = 0,
    partition_coefficient: float = PARTITION,
    m0_repetition_time: float | None = None,
    tissue_t1: float | None = None,
    slice_times: np.ndarray | None = None,
    slice_axis: int = 0,
    mask: np.ndarray | None = None,
) -> FlowMap:
    """Blood flow from one delay.

    difference: control minus label, m0: equilibrium image, ``(...)`` in the same scanner units. labeling: ``PCASL``,
    ``CASL`` or ``PASL``; labeling_duration, post_labeling_delay: s, see the top of this file. blood_t1 (s) or
    field_strength (T, 1.5 or 3) that it follows from. labeling_efficiency: without background suppression, each of
    whose pulses takes 5 %. m0_repetition_time: s; below 5 s M0 is divided by 1 - exp(-TR/tissue_t1), for which
    tissue_t1 (s, of grey matter) must be given, as the consensus names no value. slice_times: s after the first slice
    of a 2D readout, one per position along slice_axis. mask: bool ``(...)``.

    With delay w, duration tau, partition coefficient lambda (ml/g) and efficiency alpha (Alsop 2015)::

        PCASL  6000 lambda dM exp(w/T1b) / (2 alpha T1b M0 (1 - exp(-tau/T1b)))
        PASL   6000 lambda dM exp(TI/T1b) / (2 alpha TI1 M0)

    Raises InputError: ``perfusion_option``, ``asl_shape``, ``asl_time``, ``asl_field``, ``asl_constant``,
    ``asl_m0_repetition_time``, ``asl_tissue_t1``, ``asl_no_m0``, ``asl_slice_times``, ``perfusion_mask_shape``.
    """
    difference, m0 = _images(difference, m0, 0)
    check_option("labelling", labeling, EFFICIENCY)
    _check_times(LabelingDuration=labeling_duration, PostLabelingDelay=post_labeling_delay)
    constants = _constants(
        labeling, field_strength, blood_t1, labeling_efficiency, suppression_pulses, partition_coefficient
    )
    delay = post_labeling_delay + _slice_delays(slice_times, slice_axis, m0.shape)
    t1 = constants["blood_t1"].value
    if labeling == "PASL":
        decay = np.exp(delay / t1) / labeling_duration
    else:
        decay = np.exp(delay / t1) / (t1 * (1 - np.exp(-labeling_duration / t1)))
    m0, flags = _equilibrium(m0, m0_repetition_time, tissue_t1, constants)
    usable, trusted = _usable(m0, np.isfinite(difference), mask)
    scale = PER_MINUTE * constants["partition_coefficient"].value / (2 * constants["labeling_efficiency"].value)
    cbf = np.full(m0.shape, np.nan, np.float32)
    cbf[usable] = (scale * difference * decay / np.where(usable, m0, 1))[usable]
    return FlowMap(cbf, trusted, constants, (*flags, *_plausible(cbf, trusted)))


def cbf_multi_delay(
    differences: np.ndarray,
    m0: np.ndarray,
    *,
    labeling: str,
    labeling_durations: np.ndarray,
    post_labeling_delays: np.ndarray,
    field_strength: float | None = None,
    blood_t1: float | None = None,
    labeling_efficiency: float | None = None,
    suppression_pulses: int = 0,
    partition_coefficient: float = PARTITION,
    m0_repetition_time: float | None = None,
    tissue_t1: float | None = None,
    slice_times: np.ndarray | None = None,
    slice_axis: int = 0,
    mask: np.ndarray | None = None,
) -> FlowMap:
    """Blood flow and arterial transit time from several delays.

    differences: control minus label ``(delay, ...)``; labeling_durations, post_labeling_delays: s, one per delay; the
    rest as ``cbf_single_delay``. tissue_t1 (s): T1 of the label once it reached the tissue; without it that of blood,
    which is the consensus' simplification and makes late delays agree with ``cbf_single_delay``.

    General kinetic model (Buxton 1998, MRM 40:383; Woods 2024, doi 10.1002/mrm.30091): the label that arrives between
    the transit time and the end of the bolus after it, decayed with T1 of blood until then and of tissue afterwards;
    outflow is neglected. For a given transit time the flow is linear: least squares over a grid of transit times.
    quality is False too where the transit time lies at the grid's end, where fewer than two delays lie after it, and
    where the flow is not larger than zero.

    Raises InputError as ``cbf_single_delay``, and ``asl_delays`` (fewer than 3 delays, or not one time for each).
    """
    differences, m0 = _images(differences, m0, 1)
    check_option("labelling", labeling, EFFICIENCY)
    durations = np.broadcast_to(np.asarray(labeling_durations, dtype=float), differences.shape[:1])
    delays = np.asarray(post_labeling_delays, dtype=float)
    if delays.shape != differences.shape[:1] or np.unique(delays + durations).size < 3:
        raise InputError("asl_delays", delays=delays.size, images=len(differences))
    _check_times(LabelingDuration=durations, PostLabelingDelay=delays)
    constants = _constants(
        labeling, field_strength, blood_t1, labeling_efficiency, suppression_pulses, partition_coefficient
    )
    t1 = constants["blood_t1"].value
    m0, flags = _equilibrium(m0, m0_repetition_time, tissue_t1, constants)
    usable, trusted = _usable(m0, np.isfinite(differences).all(axis=0), mask)
    later = np.broadcast_to(_slice_delays(slice_times, slice_axis, m0.shape), m0.shape)
    scale = 2 * constants["labeling_efficiency"].value / constants["partition_coefficient"].value
    cbf, transit, error = np.full((3, *m0.shape), np.nan, np.float32)
    for shift in np.unique(later[usable]):
        times = delays + shift + (0 if labeling == "PASL" else durations)
        grid = np.arange(max((times - durations).min(), 0.0), LATEST_ARRIVAL, TRANSIT_STEP)  # earlier ones look alike
        model = scale * delivered(labeling, times, durations, grid[:, None], t1, tissue_t1 or t1)
        voxels = np.flatnonzero(usable & (later == shift))
        for at in range(0, voxels.size, BLOCK):
            some = np.unravel_index(voxels[at : at + BLOCK], m0.shape)
            flow, place, rest = _fit(differences[(slice(None), *some)] / m0[some], model)
            cbf[some], error[some] = PER_MINUTE * flow, PER_MINUTE * rest
            transit[some] = np.where(place > 0, grid[place], np.nan)
            seen = (times[:, None] > grid[place]).sum(axis=0)
            trusted[some] &= (place < grid.size - 1) & (seen >= 2) & (flow > 0)
    return FlowMap(cbf, trusted, constants, (*flags, *_plausible(cbf, trusted)), transit, error)


def delivered(labeling, time, duration, transit, blood_t1: float, tissue_t1: float) -> np.ndarray:
    """Label in the tissue at a time after labelling began, per flow (1/s) and blood magnetisation, in s.

    All times in s; time, duration and transit broadcast.
    """
    end = np.minimum(time, transit + duration)
    arrived = np.maximum(end - transit, 0)
    if labeling == "PASL":  # decays with T1 of blood until it arrives at s, then with T1 of tissue
        rate = 1 / blood_t1 - 1 / tissue_t1
        inflow = arrived if abs(rate) < 1e-9 else np.exp(-rate * transit) * -np.expm1(-rate * arrived) / rate
        return np.exp(-time / tissue_t1) * inflow
    after = np.maximum(time - transit - arrived, 0)
    return np.exp(-transit / blood_t1) * tissue_t1 * np.exp(-after / tissue_t1) * -np.expm1(-arrived / tissue_t1)


def _fit(curves: np.ndarray, model: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flow in 1/s, index of the transit time and standard error of the flow for curves ``(delay, n)``."""
    length = np.linalg.norm(model, axis=1)
    unit = model / np.where(length > 0, length, 1)[:, None]
    amplitude = unit @ curves
    place = amplitude.argmax(axis=0)
    along = amplitude[place, np.arange(place.size)]
    rest = np.maximum((curves**2).sum(axis=0) - along**2, 0) / max(len(curves) - 2, 1)
    length = np.where(length[place] > 0, length[place], np.inf)
    return along / length, place, np.sqrt(rest) / length


def _images(difference, m0, leading: int) -> tuple[np.ndarray, np.ndarray]:
    difference, m0 = np.asarray(difference, dtype=float), np.asarray(m0, dtype=float)
    if difference.shape[leading:] != m0.shape or m0.size == 0:
        raise InputError("asl_shape", difference=str(difference.shape), m0=str(m0.shape))
    return difference, m0


def _check_times(**times) -> None:
    """Raises InputError ``asl_time`` for a time that is not above zero or cannot be in seconds."""
    for name, value in times.items():
        values = np.atleast_1d(np.asarray(value, dtype=float))
        wrong = values[~((values > 0) & (values <= LONGEST_TIME))]
        if wrong.size:
            raise InputError("asl_time", field=name, value=float(wrong[0]))


def _constants(labeling, field, blood_t1, efficiency, pulses, partition) -> dict[str, Constant]:
    """Every constant of the quantification with its source."""
    if blood_t1 is None:
        near = [known for known in BLOOD_T1 if field is not None and abs(known - field) <= FIELD_TOLERANCE]
        if not near:
            raise InputError("asl_field", value=field, known=", ".join(map(str, BLOOD_T1)))
        blood = Constant(BLOOD_T1[near[0]], "s", CONSENSUS)
    else:
        blood = Constant(float(blood_t1), "s", "given")
    value, source = EFFICIENCY[labeling] if efficiency is None else (float(efficiency), "given")
    if pulses:
        value *= PER_SUPPRESSION_PULSE[0] ** pulses
        source += f"; {pulses} background suppression pulses: {PER_SUPPRESSION_PULSE[1]}"
    constants = {
        "blood_t1": blood,
        "labeling_efficiency": Constant(value, "", source),
        "partition_coefficient": Constant(float(partition), "ml/g", CONSENSUS if partition == PARTITION else "given"),
    }
    for name, high in (("blood_t1", LONGEST_T1), ("labeling_efficiency", 1.0), ("partition_coefficient", 1.5)):
        if not 0 < constants[name].value <= high:
            raise InputError("asl_constant", field=name, value=constants[name].value)
    return constants


def _equilibrium(m0, repetition_time, tissue_t1, constants) -> tuple[np.ndarray, list[Message]]:
    """M0 at full relaxation; adds its constants. Raises InputError ``asl_m0_repetition_time``, ``asl_tissue_t1``."""
    if tissue_t1 is not None:
        if not 0 < tissue_t1 <= LONGEST_T1:
            raise InputError("asl_constant", field="tissue_t1", value=tissue_t1)
        constants["tissue_t1"] = Constant(float(tissue_t1), "s", "given")
    if repetition_time is None:
        return m0, [Message("asl_m0_repetition_time_unknown")]
    if not 0 < repetition_time <= LONGEST_TIME:
        raise InputError("asl_m0_repetition_time", value=repetition_time)
    if repetition_time >= LONG_REPETITION:
        return m0, []
    if tissue_t1 is None:
        raise InputError("asl_tissue_t1", value=repetition_time)
    recovered = float(1 - np.exp(-repetition_time / tissue_t1))
    constants["m0_recovery"] = Constant(recovered, "", CONSENSUS)
    return m0 / recovered, []


def _slice_delays(slice_times, axis: int, shape: tuple[int, ...]) -> np.ndarray | float:
    """Seconds after the first slice, to broadcast with the image. Raises InputError ``asl_slice_times``."""
    if slice_times is None:
        return 0.0
    times = np.asarray(slice_times, dtype=float)
    if times.shape != (shape[axis],) or not np.all((times >= 0) & (times <= LONGEST_TIME)):
        raise InputError("asl_slice_times", slices=shape[axis], times=times.size)
    return times.reshape([-1 if number == axis % len(shape) else 1 for number in range(len(shape))])


def _usable(m0, finite, mask) -> tuple[np.ndarray, np.ndarray]:
    """Where there is a quotient, and where it can be trusted. Raises InputError ``asl_no_m0``."""
    usable = flat_mask(mask, m0.shape, "mask").reshape(m0.shape) & finite & np.isfinite(m0) & (m0 > 0)
    if not usable.any():
        raise InputError("asl_no_m0")
    return usable, usable & (m0 >= FAINTEST_M0 * np.median(m0[usable]))


def _plausible(cbf: np.ndarray, trusted: np.ndarray) -> list[Message]:
    """What the median flow says about order and scale of the images."""
    median = float(np.median(cbf[trusted])) if trusted.any() else 0.0
    if median < 0:
        return [Message("asl_reversed", {"value": round(median, 1)})]
    if not PLAUSIBLE[0] <= median <= PLAUSIBLE[1]:
        return [Message("asl_implausible", {"value": round(median, 1)})]
    return []
