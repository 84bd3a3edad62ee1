"""Ratios of spectroscopy between two visits: what forbids the comparison, what is left of a bound, and how far repeated
measurements differ without a true change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..assessment.published import NORMAL_95, log_spread, repeatability, table
from ..lesion.change import difference, percent_change
from ..lesion.estimate import Estimate, estimate_of, widened
from ..measures import Measurement, Message
from ..spectroscopy import Fit, regions
from ..spectroscopy.basis import Protocol
from . import Analysis
from .measuring_spectra import MEAN_SPECTRUM, NAMES, RATIOS

PROTON = 42.577478518  # MHz/T (CODATA 2018)


class Stated(NamedTuple):
    """What a sidecar says of the spectra that a map was made from elsewhere."""

    protocol: Protocol
    shape: tuple[int, int, int]


def protocols(analysis: Analysis) -> dict[tuple[str, str], Fit | Stated]:
    """How the spectra of each visit were acquired, by visit and role or name of the map: of the fits, and of maps made
    elsewhere whose sidecar says it."""
    found = {}
    for (visit_id, name), values in analysis.maps.items():
        visit = next((visit for visit in analysis.patient.visits if visit.id == visit_id), None)
        series = visit.of_role(name) if visit is not None and name in RATIOS else None
        said = series.acquisition if series is not None else {}
        field, echo_time = said.get("MagneticFieldStrength"), said.get("EchoTime")
        if isinstance(field, (int, float)) and isinstance(echo_time, (int, float)):  # of several values none is the one
            protocol = Protocol(PROTON * field, echo_time, sequence="")
            found[visit_id, name] = Stated(protocol, values.shape)
    return found | analysis.spectra_fits


def not_compared(
    known: dict[tuple[str, str], Fit | Stated], earlier: Measurement, later: Measurement
) -> tuple[Message, ...]:
    """Why a measure of spectroscopy differs between two visits for technical reasons; empty when it does not, or where
    it is not known how its spectra were acquired. known: as ``protocols``."""
    if earlier.name not in NAMES:
        return ()
    found = [
        next((known[row.visit, role] for role in ("MRSI", "MRS", row.name) if (row.visit, role) in known), None)
        for row in (earlier, later)
    ]
    if None in found:
        return ()
    return tuple(regions.comparable(*found))


REFUSED = ("spectra_echo_times_differ", "spectra_fields_differ")
"""Reasons for which a change is not given at all; others are warnings."""


def compared(rows: Sequence[Measurement]) -> list[tuple[Measurement, Measurement]]:
    """Earlier and later of the rows (one measure, in the order of the visits) that are compared besides those with
    values: a bound with the value before it, or, where there is none before, the next value with it."""
    known = [row for row in rows if row.value is not None or _bounded(row)]
    found, before = [], None
    for number, row in enumerate(known):
        if row.value is None and before is not None:
            found.append((before, row))
        elif row.value is not None:
            if before is None and number:
                found.append((known[number - 1], row))
            before = row
    return found


def _bounded(row: Measurement) -> bool:
    return row.name in NAMES and (row.low is not None or row.high is not None)


def change_of(earlier: Measurement, later: Measurement) -> tuple[Estimate, Estimate | None, str]:
    """The change of a ratio in its own unit, in per cent of the earlier value (None where the mean of a map made
    elsewhere is not above zero), and its logarithm in words.

    The interval is that of the fits (noise, line, baseline), but no narrower than what repeated measurements of the
    ratio differ by without a true change, where that was published (``repeat_band``): a change within it says so.
    Where nothing was published ``change_of_fit_alone`` says what the interval lacks. Of a bound there is a bound.
    """
    before, after = map(estimate_of, (earlier, later))
    if before.value is None or after.value is None:
        return *_bound(before, after), ""
    plain = difference(before, after)
    alone = Message("change_of_fit_alone")
    if before.value <= 0 or after.value <= 0:
        return _flagged(plain, alone), None, ""
    percent = percent_change(before, after)
    words = _log_words(before.value, after.value, percent)
    band = repeat_band(later.name)
    if band is None:
        return _flagged(plain, alone), _flagged(percent, alone), words
    log = math.log(after.value / before.value)
    shares = math.expm1(log - band.half), math.expm1(log + band.half)  # of the earlier value
    flags = ()
    if abs(log) <= band.half:
        around = f"{100 * math.expm1(-band.half):.0f} to +{100 * math.expm1(band.half):.0f} %"
        flags = (Message("change_within_repeatability", {"coefficient": around, "source": band.source}),)
    plain, percent = (
        _flagged(widened(one, *(scale * share for share in shares)), *flags)
        for one, scale in ((plain, before.value), (percent, 100))
    )
    return plain, percent, words


class Band(NamedTuple):
    """half: of the interval of the logarithm that 95 % of repeated measurements without a true change differ by."""

    half: float
    source: str


def repeat_band(name: str) -> Band | None:
    """How far a ratio of spectra differs between two measurements without a true change; None where not published.

    From within-subject coefficients of variation c of voxels of healthy brain (``assessment/tables``): a lower bound in
    tumour, whose spectra are poorer. On the logarithm c is sqrt(ln(1 + c^2)), and two measurements differ by 1.96
    sqrt(2) of it (Bland and Altman, Lancet 1986;327:307). Ratios to another region have none.
    """
    parts = name.removesuffix(MEAN_SPECTRUM).rsplit("_", 1)
    if name.removesuffix(MEAN_SPECTRUM) not in RATIOS or parts[0] not in repeatability():
        return None
    row = next(row for row in table("repeatability")["rows"] if row["fact"] == parts[0])
    half = NORMAL_95 * math.sqrt(2) * log_spread(repeatability()[parts[0]])
    return Band(half, row["source"].removesuffix(", abstract"))


def _bound(before: Estimate, after: Estimate) -> tuple[Estimate, Estimate]:
    """Bounds of the change where one of the two has a bound alone: held against the far end of the other's interval."""
    least = after.low is not None and before.high is not None
    most = after.high is not None and before.low is not None
    low, high = after.low - before.high if least else None, after.high - before.low if most else None
    low_percent = 100 * (after.low / before.high - 1) if least and before.high > 0 else None
    high_percent = 100 * (after.high / before.low - 1) if most and before.low > 0 else None
    flags = [
        flag for one in (before, after) if one.value is None for flag in one.flags if flag.code in regions.UNDETECTED
    ]
    flags = (*{flag.code: flag for flag in flags}.values(), Message("change_of_fit_alone"))
    return Estimate(None, after.unit, low, high, flags), Estimate(None, "%", low_percent, high_percent, flags)


def _flagged(estimate: Estimate, *flags: Message) -> Estimate:
    return replace(estimate, flags=(*estimate.flags, *flags))


def _log_words(before: float, after: float, percent: Estimate) -> str:
    """The change as logarithm of the ratio with its standard error, from the interval (per cent) of the fits."""
    log = np.log(after / before)
    if percent.low is None or percent.high is None or percent.low <= -100:
        return f"log ratio {log:+.3f}"
    error = (np.log1p(percent.high / 100) - np.log1p(percent.low / 100)) / (2 * NORMAL_95)
    return f"log ratio {log:+.3f}, standard error {error:.3f}"
