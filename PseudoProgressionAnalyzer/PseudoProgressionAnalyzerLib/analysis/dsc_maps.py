"""Maps and curves of one DSC series: blood volume, leakage, signal recovery, and flow where an artery is trusted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.resampling import overlap_weights, resample
from ..measures import Image, InputError, Map, Message, Series
from ..patient.choosing import check_role
from ..perfusion.arterial import arterial_doubts, arterial_input
from ..perfusion.blocks import as_frames, blocks
from ..perfusion.curves import relaxation_change, signal_recovery, without_leakage
from ..perfusion.deconvolution import cbf
from ..perfusion.dsc import RelativeCBV, relative_cbv
from . import Analysis, DscChoices
from .reading import lesion_of, warn

NAMES = ("rCBV", "rCBV_uncorrected", "K1", "K2", "PSR", "PH", "rCBF", "MTT", "Tmax")
SHARES = ("trusted", "noise", "signal_loss", "baseline_drift", "without_signal")
"""What ``curves[visit, "DSC"]["shares"]`` holds: shares of the brain's voxels."""


def make_dsc_maps(
    analysis: Analysis,
    visit_id: str,
    dsc: Series,
    series: Image,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """The maps of ``NAMES`` that the series allows, and its curves, with what the user chose for it.

    series: the voxels of dsc ``(time, k, j, i)``, corrected for motion or not; ``series_to_visit[visit, "DSC"]`` says
    where it lies. Without a trustworthy arterial input there is no flow: ``absent`` then says why.

    curves[visit, "DSC"]: ``time`` in s; ``brain_signal``, ``lesion_signal`` (mean over the visit's own lesions; absent
    without one); ``reference_rate`` (dR2* of brain that does not enhance) and ``arterial_rate`` (absent without flow)
    in 1/s; ``frames``: steady state, bolus arrival, peak and end of the first pass; ``shares``: see ``SHARES``.

    Raises InputError ``edit_fields_missing`` without echo or repetition time, and as ``relative_cbv``, with the file.
    """
    check_role(dsc, "DSC", None)
    choices = analysis.dsc_choices.get(visit_id, DscChoices())
    to_visit = analysis.series_to_visit.setdefault((visit_id, "DSC"), np.eye(4))
    grid = Image(series.array[0], series.affine)
    anatomy = analysis.images[visit_id, "T1CE"]
    brain = Image(analysis.brains[visit_id].astype(np.uint8), anatomy.affine)
    inside = resample(brain, grid, np.linalg.inv(to_visit), interpolation="nearest").array > 0
    spacing = dsc.acquisition["RepetitionTime"]
    try:
        result = relative_cbv(
            series.array,
            echo_time=dsc.acquisition["EchoTime"],
            repetition_time=spacing,
            brain_mask=inside,
            model=choices.model,
            steady_state=choices.steady_state,
            bolus_arrival=choices.bolus_arrival,
            progress=None if progress is None else lambda share: progress(0.5 * share),
            cancelled=cancelled,
        )
    except InputError as error:
        raise InputError(error.message.code, **{"file": str(dsc.path), **error.message.parameters}) from error
    warn(analysis, visit_id, *result.flags)

    def put(
        name: str,
        values: np.ndarray,
        unit: str,
        method: str,
        trusted: np.ndarray = result.quality,
        flags: tuple[Message, ...] = (),
    ) -> None:
        analysis.maps[visit_id, name] = Map(
            values,
            series.affine,
            name=name,
            unit=unit,
            method=f"DSC, {method}",
            quality=trusted,
            flags=(*result.flags, *flags),
        )
        analysis.series_to_visit[visit_id, name] = to_visit

    source = "Boxerman 2006" if result.model == "unidirectional" else "Leu 2016"
    corrected = f"{result.model} leakage correction ({source})"
    put("rCBV", result.cbv, "relative", f"{corrected}, whole series after bolus arrival")
    put("rCBV_uncorrected", result.cbv_uncorrected, "relative", "whole series after bolus arrival, leakage left in")
    put("K2", result.k2, "1/s", f"K2 of the {corrected}: above zero where T1 leakage prevails, below where T2* does")
    if choices.with_k1:
        put("K1", result.k1, "1", f"K1 of the {corrected}: how much of the reference curve the voxel holds")
    curves = {
        "time": np.arange(len(series.array)) * float(spacing),
        "brain_signal": result.brain_curve,
        "reference_rate": result.reference_curve,
        "frames": np.array(
            [result.frames.steady_state, result.frames.bolus_arrival, result.frames.peak, result.frames.first_pass_end]
        ),
        "shares": _shares(result),
    }
    lesion = _lesion_weights(analysis, visit_id, grid, to_visit)
    seen = (lesion > 0) & np.isfinite(result.cbv)
    if seen.any():
        curves["lesion_signal"] = series.array[:, seen].astype(float) @ (lesion[seen] / lesion[seen].sum())
    analysis.curves[visit_id, "DSC"] = curves

    recovery, height = _recovery(series.array, result)
    put(
        "PSR",
        recovery,
        "%",
        "percent signal recovery of the uncorrected signal: 100 (S_tail - S_min) / (S_baseline - S_min)",
        result.quality & np.isfinite(recovery),
    )
    put(
        "PH",
        height,
        "relative",
        "peak height of the uncorrected signal: S_baseline - S_min",
        result.quality & np.isfinite(height),
    )
    _flow(analysis, visit_id, series.array, result, lesion, put, curves, progress, cancelled)


def _shares(result: RelativeCBV) -> np.ndarray:
    """Shares of the brain's voxels that are trusted, and that are not for each reason; see ``SHARES``."""
    brain = result.brain_mask
    lost = brain & ~np.isfinite(result.cbv)
    masks = (result.quality, *(result.untrusted[name] & brain & ~lost for name in SHARES[1:4]), lost)
    return np.array([np.count_nonzero(mask & brain) / np.count_nonzero(brain) for mask in masks])


def _lesion_weights(analysis: Analysis, visit_id: str, grid: Image, to_visit: np.ndarray) -> np.ndarray:
    """How much of each voxel of the series lies in the visit's own lesions ``(k, j, i)``."""
    lesion = lesion_of(analysis, visit_id)
    if lesion is None:
        return np.zeros(grid.shape)
    mask = Image(lesion, analysis.images[visit_id, "T1CE"].affine)
    return overlap_weights(mask, grid, np.linalg.inv(to_visit))


def _recovery(signal: np.ndarray, result: RelativeCBV) -> tuple[np.ndarray, np.ndarray]:
    """Percent signal recovery and peak height ``(k, j, i)``; NaN where no bolus stands out of the noise."""
    series = as_frames(signal)
    voxels = np.flatnonzero(np.isfinite(result.cbv))
    maps = np.full((2, series.shape[1]), np.nan, np.float32)
    for part in blocks(voxels.size):
        found = signal_recovery(series[:, voxels[part]], result.frames)
        maps[:, voxels[part]] = found.recovery, found.peak_height
    recovery, height = maps.reshape(2, *signal.shape[1:])
    return recovery, height


def _flow(analysis, visit_id, signal, result: RelativeCBV, lesion, put, curves, progress, cancelled) -> None:
    """rCBF, MTT and Tmax by deconvolution of the leakage-corrected curves, or the reason why not."""
    frames, spacing = result.frames, result.frame_spacing
    normal = result.brain_mask & (lesion == 0)
    try:
        artery = arterial_input(
            signal, echo_time=result.echo_time, frames=frames, brain_mask=normal, cancelled=cancelled
        )
        doubts = arterial_doubts(artery, result.reference_curve, frames)
    except InputError as error:
        doubts = (error.message,)
    if doubts:
        for name in ("rCBF_ratio", "MTT", "Tmax"):
            analysis.absent[visit_id, name] = doubts
        warn(analysis, visit_id, Message("flow_without_artery", {"visit": visit_id}), *doubts)
        return
    curves["arterial_rate"] = artery.curve
    series = as_frames(signal)
    voxels = np.flatnonzero(np.isfinite(result.cbv))
    change = np.empty((len(series), voxels.size), np.float32)
    k2, kep = result.k2.ravel(), result.kep.ravel()
    for part in blocks(voxels.size):
        some = voxels[part]
        measured = relaxation_change(series[:, some], frames, result.echo_time)
        change[:, part] = without_leakage(measured, k2[some], kep[some], result.reference_curve, frames, spacing)
    flow = cbf(
        change,
        artery.curve,
        repetition_time=spacing,
        progress=None if progress is None else lambda share: progress(0.5 + 0.5 * share),
        cancelled=cancelled,
    )
    method = "oscillation-index deconvolution (Wu 2003) of leakage-corrected curves with an automatic arterial input"
    shape = signal.shape[1:]
    for name, values, unit, what in (
        ("rCBF", flow.cbf, "relative", "blood flow"),
        ("MTT", flow.mtt, "s", "mean transit time, blood volume over blood flow"),
        ("Tmax", flow.tmax, "s", "time to the peak of the residue"),
    ):
        whole = np.full(shape, np.nan, np.float32)
        whole.ravel()[voxels] = values
        trusted = np.zeros(shape, bool)
        trusted.ravel()[voxels] = flow.converged & np.isfinite(values) & (flow.cbf > 0)
        flags = (Message("dsc_transit_time_long"),) if name == "MTT" else ()
        put(name, whole, unit, f"{what} by {method}", trusted & result.quality, flags)
