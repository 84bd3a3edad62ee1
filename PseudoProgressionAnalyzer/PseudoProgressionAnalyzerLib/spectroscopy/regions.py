"""Spectroscopy in a drawn region: ratio of sums over its voxels, its mean spectrum, change between visits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..measures import InputError, Message, Spectra
from . import ratios
from .result import Fit

INSIDE, MOSTLY = 0.9, 0.5  # shares of a voxel that lie in the region
SAME_ECHO_TIME, SAME_FREQUENCY = 0.005, 0.05  # s, relative: up to which two protocols are alike
FATTY = 5.0  # lipids over NAA + Cr + 3 Cho above which the voxel holds scalp or necrosis (chosen)
# Echo times in s at which an amount says something; others lie under neighbours or have decayed.
SHORT = (0.0, 0.045)
MEANINGFUL = {"Ins": SHORT, "Glx": SHORT, "Glu": SHORT, "Gln": SHORT, "Lip13a": (0.0, 0.1), "Lip13b": (0.0, 0.1)}


@dataclass(frozen=True)
class RegionRatio:
    """Ratio of the sums over a region, with 95 % interval; value is None where the denominator is not detected.

    voxels: how many count; weight: sum of their overlaps, in voxels; high may be infinite; log_error: standard error of
    the ratio's logarithm, None without a value; flags: what a reader should know.
    """

    value: float | None
    low: float
    high: float
    log_error: float | None
    voxels: int
    weight: float
    flags: tuple[Message, ...]


class Change(NamedTuple):
    """Later over earlier ratio with its 95 % interval, and the logarithm with its standard error."""

    value: float
    low: float
    high: float
    log: float
    log_error: float


def ratio(fit: Fit, numerator: str, denominator: str, overlap: np.ndarray, kind: str = "molar") -> RegionRatio:
    """Ratio of the overlap-weighted sums of two amplitudes over the accepted voxels of a region.

    overlap: share of each voxel ``(k, j, i)`` that lies in the region, 0 to 1. Voxels that reach out of the region hold
    the tissue around it: they count only where none lies inside, and are flagged. The sums' errors add the Cramer-Rao
    bounds of the voxels, as their noise is independent. Never the mean of ratios, which voxels with little denominator
    would dominate. Raises InputError ``spectra_overlap_shape``, ``spectra_region_empty`` and as ``Fit.ratio``.
    """
    factor = ratios.kind_factor(numerator, denominator, kind)
    if overlap.shape != fit.shape:
        raise InputError("spectra_overlap_shape", shape=str(overlap.shape), expected=str(fit.shape))
    touched = overlap > 0
    weight = np.where(touched & fit.accepted, overlap, 0.0)
    if not weight.any():
        raise InputError("spectra_region_empty", touched=int(touched.sum()))
    least = INSIDE if weight.max() >= INSIDE else MOSTLY if weight.max() >= MOSTLY else 0.0
    weight[weight < least] = 0
    counted = weight > 0

    def total(values: np.ndarray, power: int) -> float:
        return float((weight[counted] ** power * values[counted]).sum())

    sums = [total(fit.amplitude(name), 1) for name in (numerator, denominator)]
    pairs = ((numerator, numerator), (denominator, denominator), (numerator, denominator))
    covariances = [total(fit.covariance(*pair), 2) for pair in pairs]
    found = ratios.fieller(*sums, *covariances)
    value, low, high = (float(part) * factor for part in found)
    seen = np.isfinite(value)
    log_error = None
    if seen and sums[0] > 0:
        relative = (
            covariances[0] / sums[0] ** 2 + covariances[1] / sums[1] ** 2 - 2 * covariances[2] / (sums[0] * sums[1])
        )
        log_error = float(np.sqrt(max(relative, 0.0)))
    return RegionRatio(
        value if seen else None,
        low,
        high,
        log_error,
        int(counted.sum()),
        float(weight.sum()),
        (
            *_flags(fit, numerator, denominator, touched, counted, seen),
            *([] if least == INSIDE else [Message("spectra_partial_volume", {"voxels": int(counted.sum())})]),
        ),
    )


def _flags(
    fit: Fit, numerator: str, denominator: str, touched: np.ndarray, counted: np.ndarray, seen: bool
) -> list[Message]:
    flags = list(fit.flags)
    left_out = int((touched & ~fit.accepted).sum())
    if left_out:
        flags.append(Message("spectra_voxels_left_out", {"count": left_out, "touched": int(touched.sum())}))
    if not seen:
        flags.append(Message("spectra_not_detected", {"name": denominator}))
    lipids = [name for name in ("Lip13a", "Lip13b") if name in fit.names]
    if lipids:
        fat = sum(fit.amplitude(name) for name in lipids)
        others = fit.amplitude("tNAA") + fit.amplitude("tCr") + 3 * fit.amplitude("tCho")
        fatty = int((counted & (fat > FATTY * others)).sum())
        if fatty:
            flags.append(Message("spectra_lipids", {"count": fatty, "voxels": int(counted.sum())}))
    echo_time = fit.model.protocol.echo_time
    for name in (numerator, denominator):
        low, high = MEANINGFUL.get(name, (0.0, np.inf))
        if not low <= echo_time <= high:
            flags.append(Message("spectra_echo_time_unsuited", {"name": name, "echo_time": round(1000 * echo_time)}))
    return flags


def mean_spectrum(spectra: Spectra, fit: Fit, overlap: np.ndarray) -> Spectra:
    """The mean spectrum of a region as a single voxel, each voxel at the frequency and phase that its fit found.

    To be fitted itself: its noise is that of one voxel over the square root of their number. Water must have been
    removed or be small. Raises InputError ``spectra_region_empty``, ``spectra_overlap_shape``.
    """
    if overlap.shape != fit.shape:
        raise InputError("spectra_overlap_shape", shape=str(overlap.shape), expected=str(fit.shape))
    weight = np.where(fit.accepted, overlap, 0.0)
    if not weight.any():
        raise InputError("spectra_region_empty", touched=int((overlap > 0).sum()))
    places = np.nonzero(weight)
    time = np.arange(spectra.fid.shape[-1]) * spectra.dwell_time
    turns = np.exp(1j * (fit.phase[places][:, None] - 2 * np.pi * fit.shift[places][:, None] * time))

    def together(decays: np.ndarray) -> np.ndarray:
        mean = (weight[places][:, None] * decays[places] * turns).sum(axis=0) / weight.sum()
        return mean[None, None, None].astype(np.complex64)

    water = None if spectra.water is None else np.broadcast_to(spectra.water, spectra.fid.shape)
    centre = np.array([np.average(axis, weights=weight[places]) for axis in places[::-1]] + [1.0])
    affine = spectra.affine.copy()
    affine[:, 3] = spectra.affine @ centre
    return replace(spectra, fid=together(spectra.fid), water=None if water is None else together(water), affine=affine)


def change(earlier: RegionRatio, later: RegionRatio) -> Change | None:
    """Change of a ratio between two visits, or None where either has no value.

    On the logarithm, whose standard errors add as squares; the interval is that of noise alone, without the
    repeatability of scanner and placement.
    """
    if earlier.value is None or later.value is None or earlier.log_error is None or later.log_error is None:
        return None
    log = float(np.log(later.value / earlier.value))
    error = float(np.hypot(earlier.log_error, later.log_error))
    low, high = np.exp(log - ratios.Z * error), np.exp(log + ratios.Z * error)
    return Change(float(np.exp(log)), float(low), float(high), log, error)


def comparable(earlier: Fit, later: Fit) -> list[Message]:
    """Why the ratios of two visits differ for technical reasons alone: echo time, field, sequence. Empty when alike."""
    first, second = earlier.model.protocol, later.model.protocol
    reasons = []
    if abs(first.echo_time - second.echo_time) > SAME_ECHO_TIME:
        times = {"then": round(1000 * first.echo_time), "now": round(1000 * second.echo_time)}
        reasons.append(Message("spectra_echo_times_differ", times))
    if abs(first.frequency / second.frequency - 1) > SAME_FREQUENCY:
        reasons.append(
            Message("spectra_fields_differ", {"then": round(first.frequency), "now": round(second.frequency)})
        )
    if first.sequence != second.sequence:
        reasons.append(Message("spectra_sequences_differ", {"then": first.sequence, "now": second.sequence}))
    return reasons


def to_contralateral(lesion: RegionRatio, reference: RegionRatio) -> Change | None:
    """A region's ratio over that of the contralateral reference tissue, as ``change``."""
    return change(reference, lesion)
