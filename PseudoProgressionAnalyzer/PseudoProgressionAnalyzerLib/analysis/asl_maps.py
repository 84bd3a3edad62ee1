"""Blood flow from one ASL series, calibrated with its M0 image; every constant stands in the map's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..formats.images import same_grid
from ..formats.series import read_series
from ..imaging.resampling import resample
from ..measures import Image, InputError, Map, Message, Series
from ..perfusion.asl import LONG_REPETITION, FlowMap, cbf_multi_delay, cbf_single_delay, control_label_difference
from . import Analysis
from .reading import warn

NAMES = ("CBF", "ATT")
SLICE_AXES = {"k": 0, "j": 1, "i": 2}
NEEDED = ("ArterialSpinLabelingType", "PostLabelingDelay", "MagneticFieldStrength", "ASLContext")


def make_asl_maps(
    analysis: Analysis,
    visit_id: str,
    asl: Series,
    series: Image,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """CBF in ml/100 g/min, and the arterial transit time ATT in s where there are several delays.

    series: the voxels of asl ``(time, k, j, i)``, corrected for motion or not. The acquisition has BIDS names:
    ``ASLContext`` says what each image is, ``PostLabelingDelay`` and ``LabelingDuration`` (of pulsed labelling
    ``BolusCutOffDelayTime``) hold one time or one for each image. M0 is part of the series, a series of its own, or
    ``M0Estimate``; ``TissueT1`` (s, of grey matter) corrects one with a short repetition time.

    Raises InputError ``asl_fields_missing``, ``asl_context``, ``asl_no_m0_image`` and as ``cbf_multi_delay``, with the
    file.
    """
    to_visit = analysis.series_to_visit.setdefault((visit_id, "ASL"), np.eye(4))
    grid = Image(series.array[0], series.affine)
    anatomy = analysis.images[visit_id, "T1CE"]
    brain = Image(analysis.brains[visit_id].astype(np.uint8), anatomy.affine)
    inside = resample(brain, grid, np.linalg.inv(to_visit), interpolation="nearest").array > 0
    m0_series = analysis.patient.visit(visit_id).of_role("M0")
    try:
        flow = asl_flow(asl.acquisition, series, m0_series, inside)
    except InputError as error:
        raise InputError(error.message.code, **{"file": str(asl.path), **error.message.parameters}) from error
    warn(analysis, visit_id, *flow.flags)
    constants = "; ".join(
        f"{name.replace('_', ' ')} {one.value:.3g} {one.unit}".strip() + f" ({one.source})"
        for name, one in flow.constants.items()
    )
    labelling = _labelling(asl.acquisition)
    model = "single delay (Alsop 2015)" if flow.transit_time is None else "several delays (Buxton 1998)"
    times = "; ".join(
        f"{name} {', '.join(f'{time:g}' for time in dict.fromkeys(_each(asl.acquisition, name, len(series.array))))} s"
        for name in ("PostLabelingDelay", _duration_field(asl.acquisition))
    )
    for name, values, unit in (("CBF", flow.cbf, "ml/100 g/min"), ("ATT", flow.transit_time, "s")):
        if values is None:
            continue
        analysis.maps[visit_id, name] = Map(
            values.astype(np.float32),
            series.affine,
            name=name,
            unit=unit,
            method=f"ASL {labelling}, {model}; {times}; {constants}",
            quality=flow.quality & np.isfinite(values),
            flags=flow.flags,
        )
        analysis.series_to_visit[visit_id, name] = to_visit


def asl_flow(fields: dict[str, Any], series: Image, m0_series: Series | None, inside: np.ndarray) -> FlowMap:
    """Flow of a series ``(time, k, j, i)`` with this acquisition; inside: bool ``(k, j, i)``, where it is wanted.

    Errors as ``make_asl_maps``, without the file.
    """
    duration_field = _duration_field(fields)
    missing = [name for name in (*NEEDED, duration_field) if name not in fields]
    if missing:
        raise InputError("asl_fields_missing", fields=", ".join(missing))
    context = [str(one).lower() for one in fields["ASLContext"]]
    images = series.array
    kinds = set(context) - {"m0scan", "n/a"}
    if len(context) != len(images) or kinds not in ({"control", "label"}, {"deltam"}):
        raise InputError("asl_context", images=len(images), rows=len(context), kinds=", ".join(sorted(kinds)) or "-")
    delays = _each(fields, "PostLabelingDelay", len(images))
    durations = _each(fields, duration_field, len(images))
    used = [number for number, one in enumerate(context) if one in kinds]
    differences = {}
    for times in sorted({(delays[number], durations[number]) for number in used}):
        chosen = [number for number in used if (delays[number], durations[number]) == times]
        if kinds == {"deltam"}:
            differences[times] = images[chosen].mean(axis=0, dtype=float)
        else:
            controls = [context[number] == "control" for number in chosen]
            differences[times] = control_label_difference(images[chosen], controls)
    m0, m0_fields = _m0(fields, series, m0_series, [one == "m0scan" for one in context])
    options, flags = _options(fields, m0_fields)
    options["mask"] = inside
    if len(differences) > 1:
        flow = cbf_multi_delay(
            np.stack(list(differences.values())),
            m0,
            labeling_durations=np.array([duration for _, duration in differences]),
            post_labeling_delays=np.array([delay for delay, _ in differences]),
            **options,
        )
    else:
        (((delay, duration), difference),) = differences.items()
        flow = cbf_single_delay(difference, m0, labeling_duration=duration, post_labeling_delay=delay, **options)
    return replace(flow, flags=(*flow.flags, *flags))


def _labelling(fields: dict[str, Any]) -> str:
    return str(fields.get("ArterialSpinLabelingType", "")).upper()


def _duration_field(fields: dict[str, Any]) -> str:
    """Which BIDS field says how long the bolus is."""
    return "BolusCutOffDelayTime" if _labelling(fields) == "PASL" else "LabelingDuration"


def _each(fields: dict[str, Any], name: str, images: int) -> list[float]:
    """A time in s for each image. Raises InputError ``asl_times_count``."""
    times = fields[name] if isinstance(fields[name], (list, tuple)) else [fields[name]]
    if len(times) == 1 or (name == "BolusCutOffDelayTime" and len(times) != images):
        return [float(times[0])] * images  # of Q2TIPS the first cut-off is the bolus duration
    if len(times) != images:
        raise InputError("asl_times_count", field=name, times=len(times), images=images)
    return [float(time) for time in times]


def _m0(
    fields: dict[str, Any], series: Image, m0_series: Series | None, included: list[bool]
) -> tuple[np.ndarray, dict[str, Any]]:
    """The equilibrium image on the series' grid, and the acquisition that it was made with."""
    if any(included):
        preparation = fields.get("RepetitionTimePreparation")
        if isinstance(preparation, (list, tuple)) and len(preparation) == len(included):  # one of each image
            fields = fields | {"RepetitionTimePreparation": preparation[included.index(True)]}
        return series.array[np.array(included)].mean(axis=0, dtype=float), fields
    if m0_series is not None:
        image = read_series(m0_series)
        values = image.array.astype(np.float32)
        image = Image(values.mean(axis=0) if values.ndim == 4 else values, image.affine)
        grid = Image(series.array[0], series.affine)
        if not same_grid(image, grid):
            image = resample(image, grid, np.eye(4))
        return image.array.astype(float), m0_series.acquisition
    if isinstance(fields.get("M0Estimate"), (int, float)):
        return np.full(series.shape, float(fields["M0Estimate"])), {"RepetitionTimePreparation": LONG_REPETITION}
    raise InputError("asl_no_m0_image")


def _options(fields: dict[str, Any], m0_fields: dict[str, Any]) -> tuple[dict[str, Any], list[Message]]:
    """What the quantification takes from the acquisition, and what is to be known about it."""
    flags = []
    repetition = m0_fields.get("RepetitionTimePreparation", m0_fields.get("RepetitionTime"))
    if isinstance(repetition, (list, tuple)):
        repetition = repetition[0]
    options = {
        "labeling": _labelling(fields),
        "field_strength": float(fields["MagneticFieldStrength"]),
        "labeling_efficiency": fields.get("LabelingEfficiency"),
        "m0_repetition_time": repetition,
        "tissue_t1": fields.get("TissueT1"),
    }
    pulses = fields.get("BackgroundSuppressionNumberPulses")
    if fields.get("BackgroundSuppression") and pulses is None:
        flags.append(Message("asl_suppression_unknown"))
    options["suppression_pulses"] = int(pulses or 0) if fields.get("BackgroundSuppression", True) else 0
    times = fields.get("SliceTiming")
    if times is not None and str(fields.get("MRAcquisitionType", "2D")).upper() == "2D":
        # BIDS: along this axis, a minus counts from its end
        direction = str(fields.get("SliceEncodingDirection", "k"))
        options["slice_times"] = times[::-1] if direction.endswith("-") else times
        options["slice_axis"] = SLICE_AXES.get(direction[:1], 0)
    elif str(fields.get("MRAcquisitionType", "")).upper() == "2D":
        flags.append(Message("asl_slice_times_unknown"))
    return options, flags
