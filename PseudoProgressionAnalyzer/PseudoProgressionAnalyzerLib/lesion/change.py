"""Changes of a measurement between two visits: differences, ratios, rates and doubling times with 95 % intervals.

The intervals of the two values are combined by the method of variance estimates recovery (MOVER: Zou and Donner 2008,
Stat Med 27:1693, doi 10.1002/sim.3095), which keeps unequal arms; ratios are combined on the logarithmic scale. The
errors of the two visits are taken as independent. An open or unknown end of either value leaves that end open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ..measures import InputError, Message
from .estimate import Estimate

DAYS_PER_MONTH = 365.25 / 12


def total(parts: Sequence[Estimate]) -> Estimate:
    """The sum of measures with one unit, as of volumes or products of the target lesions.

    Raises InputError ``lesion_units_differ``; ValueError without parts. Flags: ``lesion_value_missing`` where a part
    has no value: a sum without it would be too small.
    """
    if not parts:
        raise ValueError("a sum needs at least one part")
    for part in parts:
        _check_units(parts[0], part)
    flags = tuple({flag.code: flag for part in parts for flag in part.flags}.values())
    if any(part.value is None for part in parts):
        return Estimate(None, parts[0].unit, flags=(Message("lesion_value_missing"), *flags))
    value, low, high = sum(part.value for part in parts), None, None
    if all(part.low is not None for part in parts):
        low = value - math.hypot(*(part.value - part.low for part in parts))
    if all(part.high is not None for part in parts):
        high = value + math.hypot(*(part.high - part.value for part in parts))
    return Estimate(value, parts[0].unit, low, high, flags)


def difference(earlier: Estimate, later: Estimate) -> Estimate:
    """later - earlier in their own unit. Raises InputError ``lesion_units_differ``; flags ``lesion_value_missing``."""
    if (missing := _missing(earlier, later)) is not None:
        return missing
    value, low, high = _mover(earlier, later)
    return Estimate(value, earlier.unit, low, high)


def percent_change(reference: Estimate, later: Estimate) -> Estimate:
    """100 (later / reference - 1) in %.

    Flags: ``lesion_value_missing``; ``lesion_reference_zero`` (a percentage of nothing is undefined: a later value
    above zero is then a new lesion, not a growth). A later value of zero is -100 % without an interval. Raises
    InputError ``lesion_units_differ``, ``lesion_value_negative``.
    """
    if (missing := _missing(reference, later)) is not None:
        return Estimate(None, "%", flags=missing.flags)
    if (unusable := _not_positive(reference, later)) is not None:
        return Estimate(None, "%", flags=(unusable,))
    if later.value == 0:
        return Estimate(-100.0, "%")
    ratio, low, high = (None if log is None else math.exp(log) for log in _mover(_log(reference), _log(later)))
    return Estimate(100 * (ratio - 1), "%", *(None if bound is None else 100 * (bound - 1) for bound in (low, high)))


def within_error(change: Estimate) -> Estimate:
    """The change with the flag ``lesion_change_within_error`` where its interval holds zero."""
    if change.value is None or None in (change.low, change.high) or not change.low <= 0 <= change.high:
        return change
    return replace(change, flags=(*change.flags, Message("lesion_change_within_error")))


def change_per_month(earlier: Estimate, later: Estimate, days: float) -> Estimate:
    """(later - earlier) per month of 365.25 / 12 days.

    Flags as ``difference``. Raises InputError ``lesion_days``: the visits must be at least one day apart.
    """
    _check_days(days)
    total = difference(earlier, later)
    unit = f"{total.unit}/month"
    if total.value is None:
        return Estimate(None, unit, flags=total.flags)
    months = days / DAYS_PER_MONTH
    return Estimate(
        total.value / months, unit, *(None if end is None else end / months for end in (total.low, total.high))
    )


def doubling_time(earlier: Estimate, later: Estimate, days: float) -> Estimate:
    """ln 2 days / ln(later / earlier): the days in which the measure doubles if it grows exponentially.

    Absent with a flag where it does not grow: ``lesion_not_growing``. The interval comes from that of the growth rate
    (both ends swap); where the growth rate may be zero the doubling time has no upper end and
    ``lesion_growth_within_error`` says so. Other flags and errors as ``percent_change`` and ``change_per_month``.
    """
    _check_days(days)
    if (missing := _missing(earlier, later)) is not None:
        return Estimate(None, "days", flags=missing.flags)
    if (unusable := _not_positive(earlier, later)) is not None:
        return Estimate(None, "days", flags=(unusable,))
    if later.value <= earlier.value:
        return Estimate(None, "days", flags=(Message("lesion_not_growing"),))
    growth, slowest, fastest = _mover(_log(earlier), _log(later))
    low = None if fastest is None else math.log(2) * days / fastest
    if slowest is None:
        return Estimate(math.log(2) * days / growth, "days", low)
    if slowest <= 0:
        return Estimate(math.log(2) * days / growth, "days", low, flags=(Message("lesion_growth_within_error"),))
    return Estimate(math.log(2) * days / growth, "days", low, math.log(2) * days / slowest)


def _mover(earlier: Estimate, later: Estimate) -> tuple[float, float | None, float | None]:
    """later - earlier with its interval (Zou and Donner 2008, equation for a difference)."""
    value = later.value - earlier.value
    low = high = None
    if later.low is not None and earlier.high is not None:
        low = value - math.hypot(later.value - later.low, earlier.high - earlier.value)
    if later.high is not None and earlier.low is not None:
        high = value + math.hypot(later.high - later.value, earlier.value - earlier.low)
    return value, low, high


def _log(estimate: Estimate) -> Estimate:
    """The estimate on the logarithmic scale; an end at or below zero becomes open."""
    low, high = (None if end is None or end <= 0 else math.log(end) for end in (estimate.low, estimate.high))
    return Estimate(math.log(estimate.value), "", low, high)


def _missing(earlier: Estimate, later: Estimate) -> Estimate | None:
    _check_units(earlier, later)
    if earlier.value is None or later.value is None:
        return Estimate(None, earlier.unit, flags=(Message("lesion_value_missing"), *earlier.flags, *later.flags))
    return None


def _check_units(earlier: Estimate, later: Estimate) -> None:
    if earlier.unit != later.unit:
        raise InputError("lesion_units_differ", field="unit", earlier=earlier.unit, later=later.unit)


def _not_positive(reference: Estimate, later: Estimate) -> Message | None:
    if reference.value < 0 or later.value < 0:
        raise InputError("lesion_value_negative", field="value", value=min(reference.value, later.value))
    return Message("lesion_reference_zero") if reference.value == 0 else None


def _check_days(days: float) -> None:
    if not (math.isfinite(days) and days > 0):
        raise InputError("lesion_days", field="days", days=days)
