"""Spectroscopy in a drawn region: ratio of sums over its voxels, its mean spectrum, change between visits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..measures import InputError, Message, Spectra
from . import ratios
from .basis import Protocol
from .result import MOST_ERROR, Fit
from .water import correct_eddy_currents, early_points, remove_water

INSIDE, MOSTLY = 0.9, 0.5  # shares of a voxel that lie in the region
SAME_ECHO_TIME, SAME_FREQUENCY = 0.005, 0.05  # s, relative: up to which two protocols are alike
FATTY = 5.0  # lipids over NAA + Cr + 3 Cho above which the voxel holds scalp or necrosis (chosen)
DILUTE = 0.33  # of the grid's median NAA + Cr + 3 Cho, below which a voxel is mostly fluid or necrosis (chosen)
MANY_WITHOUT = 0.25
"""Share of voxels in which an amount came out as nothing, from which their sum is called too high: where normal errors
put a quarter of the values below zero (an amount of 0.7 errors) and these count as zero, their mean is a fifth too
high."""
UNDETECTED = ("spectra_not_detected", "spectra_numerator_not_detected")
"""Codes of a ratio that has a bound alone."""
LACTATE_COUPLING = 6.933  # Hz
# Echo times in s at which an amount says something (myo-inositol and Glx: the truth simulation; lipids decay).
SHORT = (0.0, 0.045)
MEANINGFUL = {"Ins": SHORT, "Glx": SHORT, "Glu": SHORT, "Gln": SHORT, "Lip13": SHORT, "LipLac": SHORT}


@dataclass(frozen=True)
class RegionRatio:
    """Ratio of the sums over a region, with 95 % interval; value is None where one of the two is not detected.

    voxels: how many count; weight: sum of their overlaps, in voxels; high is infinite where the denominator is not
    detected, low is 0 where the numerator is not; flags: what a reader should know.
    """

    value: float | None
    low: float
    high: float
    voxels: int
    weight: float
    flags: tuple[Message, ...]


class Change(NamedTuple):
    """Later over earlier ratio with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Sums:
    """Weighted means of all amplitudes over a region's voxels, from which every ratio follows.

    weight: of every voxel ``(k, j, i)``; least: share of a voxel that had to lie in the region to count; amplitudes
    ``(names,)`` with covariances ``(names, names)``; flags: what a reader should know of the region.
    """

    fit: Fit
    weight: np.ndarray
    least: float
    amplitudes: np.ndarray
    covariances: np.ndarray
    flags: tuple[Message, ...]

    @property
    def voxels(self) -> int:
        """How many count."""
        return int((self.weight > 0).sum())


def sums(fit: Fit, overlap: np.ndarray) -> Sums:
    """What the accepted voxels of a region hold together.

    overlap: share of each voxel ``(k, j, i)`` that lies in the region, 0 to 1. Voxels that reach out of the region hold
    the tissue around it: they count only where none lies inside, and are flagged. Of the voxels' errors the scatter by
    noise adds as squares; what they have in common does not average out and adds as it is. Raises InputError
    ``spectra_overlap_shape``, ``spectra_region_empty``.
    """
    if overlap.shape != fit.shape:
        raise InputError("spectra_overlap_shape", shape=str(overlap.shape), expected=str(fit.shape))
    weight = np.where(fit.accepted, overlap, 0.0)
    if not weight.any():
        raise InputError("spectra_region_empty", touched=int((overlap > 0).sum()))
    least = INSIDE if weight.max() >= INSIDE else MOSTLY if weight.max() >= MOSTLY else 0.0
    weight[weight < least] = 0
    counted = weight > 0
    share = weight[counted] / weight.sum()
    return Sums(
        fit,
        weight,
        least,
        share @ fit.amplitudes[counted],
        _together(fit, share, counted),
        _flags(fit, overlap > 0, counted, least),
    )


def _together(fit: Fit, share: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Covariances ``(names, names)`` of a mean over voxels with these shares."""
    if fit.common is None:
        return np.tensordot(share**2, fit.covariances[counted], 1)
    common = fit.common[counted]
    return np.tensordot(share**2, fit.covariances[counted] - common, 1) + np.tensordot(share, common, 1)


def ratio(fit: Fit, numerator: str, denominator: str, overlap: np.ndarray, kind: str = "molar") -> RegionRatio:
    """Ratio of the overlap-weighted sums of two amplitudes over the accepted voxels of a region.

    Never the mean of ratios, which voxels with little denominator would dominate. Raises InputError as ``sums`` and
    ``Fit.ratio``.
    """
    return ratio_of(sums(fit, overlap), numerator, denominator, kind)


def ratio_of(
    here: Sums, numerator: str, denominator: str, kind: str = "molar", there: Sums | None = None
) -> RegionRatio:
    """As ``ratio`` from sums; there: of the denominator, where it is that of another region of the same grid.

    Differences of the coil's sensitivity between two regions stay in. Raises InputError as ``Fit.ratio``.
    """
    factor = ratios.kind_factor(numerator, denominator, kind)
    below = here if there is None else there
    sides = ((numerator, here), (denominator, below))
    weights = [side.fit.weights(name) for name, side in sides]
    amounts = [own @ side.amplitudes for own, (_, side) in zip(weights, sides, strict=True)]
    variances = [own @ side.covariances @ own for own, (_, side) in zip(weights, sides, strict=True)]
    shared = weights[0] @ _shared(here, below) @ weights[1]
    value, low, high = (float(part) * factor for part in ratios.fieller(*amounts, *variances, shared))
    missing = [name for name, found in ((numerator, low > 0), (denominator, np.isfinite(high))) if not found]
    flags = [*here.flags, *([_not_detected(missing, numerator, denominator)] if missing else [])]
    for (name, side), amount, variance in zip(sides, amounts, variances, strict=True):
        if not missing and np.sqrt(variance) > MOST_ERROR * amount:
            percent = {"percent": round(100 * float(np.sqrt(variance) / amount)), "limit": round(100 * MOST_ERROR)}
            flags.append(Message("spectra_uncertain", {"name": name, **percent}))
        flags += _clamped(side, name)
        flags += unsuited(name, side.fit.protocol)
    weight = float(here.weight.sum())
    return RegionRatio(None if missing else value, low, high, here.voxels, weight, tuple(flags))


def _not_detected(missing: list[str], numerator: str, denominator: str) -> Message:
    """What is left of a ratio of which these parts were not detected."""
    if len(missing) == 2:
        return Message("spectra_neither_detected", {"name": numerator, "other": denominator})
    if missing == [numerator]:
        return Message("spectra_numerator_not_detected", {"name": numerator})
    return Message("spectra_not_detected", {"name": denominator})


def _clamped(part: Sums, name: str) -> list[Message]:
    """That an amount came out as nothing in many of the voxels: none can be negative, so that their sum is too high."""
    nothing = int((part.fit.amplitude(name, where=part.weight > 0) <= 0).sum())
    if part.voxels == 1 or nothing < MANY_WITHOUT * part.voxels:
        return []
    return [Message("spectra_clamped", {"name": name, "count": nothing, "voxels": part.voxels})]


def unsuited(name: str, protocol: Protocol) -> list[Message]:
    """Why an amount says little at this echo time; empty where it says something."""
    if meaningful(name, protocol.echo_time):
        return []
    return [Message("spectra_echo_time_unsuited", {"name": name, "echo_time": round(1000 * protocol.echo_time)})]


def _shared(here: Sums, there: Sums) -> np.ndarray:
    """Covariances ``(names, names)`` of the means of two regions, by the voxels that both count."""
    if here is there:
        return here.covariances
    both = (here.weight > 0) & (there.weight > 0)
    share = here.weight[both] / here.weight.sum() * there.weight[both] / there.weight.sum()
    return np.tensordot(share, here.fit.covariances[both], 1)


def share_of(here: Sums, name: str, other: str) -> RegionRatio:
    """The bounded index name / (name + other) of a region's sums, such as Cho/(Cho+NAA).

    It has a value wherever name is detected, whether other is or not. Raises InputError as ``ratio_of``.
    """
    over = ratio_of(here, other, name)
    flags = tuple(flag for flag in over.flags if flag.code not in UNDETECTED)
    found = replace(over, value=None, low=1 / (1 + over.high), high=1 / (1 + over.low), flags=flags)
    if np.isfinite(over.high):
        own, rest = (here.fit.weights(part) @ here.amplitudes for part in (name, other))
        return replace(found, value=float(own / (own + rest)))
    return replace(found, flags=(*flags, _not_detected([name], name, other))) if over.low > 0 else found


def _flags(fit: Fit, touched: np.ndarray, counted: np.ndarray, least: float) -> tuple[Message, ...]:
    """What a reader should know of a region's voxels."""
    flags = list(fit.flags)
    left_out, voxels = int((touched & ~fit.accepted).sum()), int(counted.sum())
    if left_out:
        flags.append(Message("spectra_voxels_left_out", {"count": left_out, "touched": int(touched.sum())}))
    singlets = fit.singlets[counted]
    if fit.holds("Lip13"):
        fatty = int((fit.amplitude("Lip13", where=counted) > FATTY * singlets).sum())
        if fatty:
            flags.append(Message("spectra_lipids", {"count": fatty, "voxels": voxels}))
    dilute = int((singlets < DILUTE * fit.usual).sum())
    if dilute:
        flags.append(Message("spectra_dilute", {"count": dilute, "voxels": voxels}))
    if least < INSIDE:
        flags.append(Message("spectra_partial_volume", {"voxels": voxels}))
    return tuple(flags)


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
    corrected and water is removed voxel by voxel, as each has its own; the voxels count as in ``sums``, errors too.
    """
    weight = sums(fit, overlap).weight
    places = np.nonzero(weight)
    decays = spectra.fid[places]
    if spectra.water is not None:
        decays = correct_eddy_currents(decays, np.broadcast_to(spectra.water, spectra.fid.shape)[places])
    decays = remove_water(decays, spectra.dwell_time, spectra.spectrometer_frequency)
    points = spectra.fid.shape[-1]
    index = np.arange(points)
    before = index >= points - early_points(decays)[:, None]  # the first one
    time = (index - points * before) * spectra.dwell_time
    turns = np.exp(1j * (fit.phase[places][:, None] - 2 * np.pi * fit.shift[places][:, None] * time))
    mean = np.average(decays * turns, axis=0, weights=weight[places])
    centre = np.array([np.average(axis, weights=weight[places]) for axis in places[::-1]] + [1.0])
    affine = spectra.affine.copy()
    affine[:, 3] = spectra.affine @ centre
    return replace(spectra, fid=mean[None, None, None].astype(np.complex64), water=None, affine=affine)


def change(earlier: RegionRatio, later: RegionRatio) -> Change | None:
    """Change of a ratio between two visits, or None where either has no value.

    On the logarithm, where the unequal arms of the two intervals join as squares (Zou and Donner, Stat Med
    2008;27:1693); the interval is that of the fits (noise, line, baseline), without the repeatability of scanner and
    placement. What both fits get wrong alike is not taken off.
    """
    if earlier.value is None or later.value is None:
        return None
    log = np.log(later.value / earlier.value)
    low = log - np.hypot(np.log(later.value / later.low), np.log(earlier.high / earlier.value))
    high = log + np.hypot(np.log(later.high / later.value), np.log(earlier.value / earlier.low))
    return Change(*(float(np.exp(one)) for one in (log, low, high)))


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
    if first.sequence and second.sequence and first.sequence != second.sequence:
        reasons.append(Message("spectra_sequences_differ", {"then": first.sequence, "now": second.sequence}))
    return reasons


def to_contralateral(lesion: RegionRatio, reference: RegionRatio) -> RegionRatio:
    """A region's ratio over that of the contralateral reference tissue.

    Where the region's has a bound alone so has this one: held against the far end of the reference's interval, it is
    cautious. Where the reference tissue's has no value there is none, and no bound.
    """
    if reference.value is None:
        flags = (*lesion.flags, Message("spectra_no_reference_ratio"))
        return replace(lesion, value=None, low=0.0, high=np.inf, flags=flags)
    found = change(reference, lesion)
    if found is None:
        return replace(lesion, low=lesion.low / reference.high, high=lesion.high / reference.low)
    return replace(lesion, value=found.value, low=found.low, high=found.high)
