"""Spectroscopy in a drawn region: ratio of sums over its voxels, its mean spectrum, change between visits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..measures import InputError, Message, Spectra
from . import ratios
from .result import Fit
from .water import correct_eddy_currents, remove_water

INSIDE, MOSTLY = 0.9, 0.5  # shares of a voxel that lie in the region
SAME_ECHO_TIME, SAME_FREQUENCY = 0.005, 0.05  # s, relative: up to which two protocols are alike
FATTY = 5.0  # lipids over NAA + Cr + 3 Cho above which the voxel holds scalp or necrosis (chosen)
DILUTE = 0.33  # of the grid's median NAA + Cr + 3 Cho, below which a voxel is mostly fluid or necrosis (chosen)
LACTATE_COUPLING = 6.933  # Hz
# Echo times in s at which an amount says something (myo-inositol and Glx: the truth simulation; lipids decay).
SHORT = (0.0, 0.045)
MEANINGFUL = {"Ins": SHORT, "Glx": SHORT, "Glu": SHORT, "Gln": SHORT, "Lip13": SHORT, "LipLac": SHORT}


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
    return ratio_between(fit, numerator, overlap, denominator, None, kind)


def ratio_between(
    fit: Fit,
    numerator: str,
    overlap: np.ndarray,
    denominator: str,
    other: np.ndarray | None,
    kind: str = "molar",
) -> RegionRatio:
    """As ``ratio`` with the denominator from another region: its mean over the overlap other, None for the same region.

    Different places of one grid: differences of the coil's sensitivity between them stay in.
    """
    factor = ratios.kind_factor(numerator, denominator, kind)
    weight, least = weights(fit, overlap)
    below = weight if other is None else weights(fit, other)[0]
    above_share, below_share = weight / weight.sum(), below / below.sum()

    def total(share: np.ndarray, values: Callable[..., np.ndarray], *names: str) -> float:
        counted = share > 0
        return float(share[counted] @ values(*names, where=counted))

    sums = total(above_share, fit.amplitude, numerator), total(below_share, fit.amplitude, denominator)
    covariances = (
        total(above_share**2, fit.covariance, numerator, numerator),
        total(below_share**2, fit.covariance, denominator, denominator),
        total(above_share * below_share, fit.covariance, numerator, denominator),
    )
    found = ratios.fieller(*sums, *covariances)
    value, low, high = (float(part) * factor for part in found)
    seen = np.isfinite(value)
    log_error = None
    if seen and sums[0] > 0:
        relative = (
            covariances[0] / sums[0] ** 2 + covariances[1] / sums[1] ** 2 - 2 * covariances[2] / (sums[0] * sums[1])
        )
        log_error = float(np.sqrt(max(relative, 0.0)))
    voxels = int((weight > 0).sum())
    return RegionRatio(
        value if seen else None,
        low,
        high,
        log_error,
        voxels,
        float(weight.sum()),
        (
            *_flags(fit, numerator, denominator, overlap > 0, weight > 0, seen),
            *([] if least == INSIDE else [Message("spectra_partial_volume", {"voxels": voxels})]),
        ),
    )


def share(fit: Fit, name: str, other: str, overlap: np.ndarray) -> RegionRatio:
    """The bounded index name / (name + other) of the sums over a region, such as Cho/(Cho+NAA): from ``ratio``.

    It has a value wherever either is there. Raises InputError as ``ratio``.
    """
    found = ratio(fit, other, name, overlap)
    low, high = 1 / (1 + found.high), 1 / (1 + found.low)
    if found.value is None:
        return replace(found, low=low, high=high)
    value = 1 / (1 + found.value)
    # d ln(1 / (1 + r)) = -r / (1 + r) d ln r
    error = None if found.log_error is None else found.log_error * (1 - value)
    return replace(found, value=value, low=low, high=high, log_error=error)


def weights(fit: Fit, overlap: np.ndarray) -> tuple[np.ndarray, float]:
    """How much each voxel ``(k, j, i)`` counts in a region, and the least share that lies in it.

    overlap: as in ``ratio``. Raises InputError ``spectra_overlap_shape``, ``spectra_region_empty``.
    """
    if overlap.shape != fit.shape:
        raise InputError("spectra_overlap_shape", shape=str(overlap.shape), expected=str(fit.shape))
    weight = np.where(fit.accepted, overlap, 0.0)
    if not weight.any():
        raise InputError("spectra_region_empty", touched=int((overlap > 0).sum()))
    least = INSIDE if weight.max() >= INSIDE else MOSTLY if weight.max() >= MOSTLY else 0.0
    weight[weight < least] = 0
    return weight, least


def _flags(
    fit: Fit, numerator: str, denominator: str, touched: np.ndarray, counted: np.ndarray, seen: bool
) -> list[Message]:
    flags = list(fit.flags)
    left_out = int((touched & ~fit.accepted).sum())
    if left_out:
        flags.append(Message("spectra_voxels_left_out", {"count": left_out, "touched": int(touched.sum())}))
    if not seen:
        flags.append(Message("spectra_not_detected", {"name": denominator}))
    singlets = fit.singlets[counted]
    if {"Lip13a", "Lip13b"} <= set(fit.names):
        fatty = int((fit.amplitude("Lip13", where=counted) > FATTY * singlets).sum())
        if fatty:
            flags.append(Message("spectra_lipids", {"count": fatty, "voxels": len(singlets)}))
    dilute = int((singlets < DILUTE * fit.usual).sum())
    if dilute:
        flags.append(Message("spectra_dilute", {"count": dilute, "voxels": len(singlets)}))
    for name in (numerator, denominator):
        if not meaningful(name, fit.protocol.echo_time):
            milliseconds = round(1000 * fit.protocol.echo_time)
            flags.append(Message("spectra_echo_time_unsuited", {"name": name, "echo_time": milliseconds}))
    return flags


def meaningful(name: str, echo_time: float) -> bool:
    """Whether an amount says something at this echo time (s): others lie under neighbours or have decayed.

    The doublet of lactate (coupling 6.93 Hz) turns with cos(pi J TE): where less than half of it is seen, near 72 ms,
    it says nothing.
    """
    if name == "Lac":
        return abs(np.cos(np.pi * LACTATE_COUPLING * echo_time)) >= 0.5
    low, high = MEANINGFUL.get(name, (0.0, np.inf))
    return low <= echo_time <= high


def mean_spectrum(spectra: Spectra, fit: Fit, overlap: np.ndarray) -> Spectra:
    """The mean spectrum of a region as a single voxel, each voxel at the frequency and phase that its fit found.

    To be fitted itself: its noise is that of one voxel over the square root of their number. Eddy currents are
    corrected and water is removed voxel by voxel, as each has its own; the voxels count as in ``ratio``. Raises
    InputError as ``weights``.
    """
    weight, _ = weights(fit, overlap)
    places = np.nonzero(weight)
    decays = spectra.fid[places]
    if spectra.water is not None:
        decays = correct_eddy_currents(decays, np.broadcast_to(spectra.water, spectra.fid.shape)[places])
    decays = remove_water(decays, spectra.dwell_time, spectra.spectrometer_frequency)
    time = np.arange(spectra.fid.shape[-1]) * spectra.dwell_time
    turns = np.exp(1j * (fit.phase[places][:, None] - 2 * np.pi * fit.shift[places][:, None] * time))
    mean = np.average(decays * turns, axis=0, weights=weight[places])
    centre = np.array([np.average(axis, weights=weight[places]) for axis in places[::-1]] + [1.0])
    affine = spectra.affine.copy()
    affine[:, 3] = spectra.affine @ centre
    return replace(spectra, fid=mean[None, None, None].astype(np.complex64), water=None, affine=affine)


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
    first, second = earlier.protocol, later.protocol
    reasons = []
    if abs(first.echo_time - second.echo_time) > SAME_ECHO_TIME:
        times = {"then": round(1000 * first.echo_time), "now": round(1000 * second.echo_time)}
        reasons.append(Message("spectra_echo_times_differ", times))
    if abs(first.frequency / second.frequency - 1) > SAME_FREQUENCY:
        reasons.append(
            Message("spectra_fields_differ", {"then": round(first.frequency), "now": round(second.frequency)})
        )
    if (max(earlier.shape) == 1) != (max(later.shape) == 1):
        reasons.append(Message("spectra_kinds_differ"))
    if first.sequence != second.sequence:
        reasons.append(Message("spectra_sequences_differ", {"then": first.sequence, "now": second.sequence}))
    return reasons


def to_contralateral(lesion: RegionRatio, reference: RegionRatio) -> Change | None:
    """A region's ratio over that of the contralateral reference tissue, as ``change``."""
    return change(reference, lesion)
