"""Numbers, dates and messages as people read them."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import texts
from ..measures import Event, Measurement, Message, Patient, Visit
from ..patient.event_fields import detail_words
from ..patient.shown_path import shown_path

STORED_DIGITS = 6
"""Significant digits of numbers in tables and JSON: more than any measurement has, and no digit noise."""


def finite(value: float | None) -> float | None:
    """The number with ``STORED_DIGITS`` significant digits, or None where it is absent or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{STORED_DIGITS}g}")


def cleaned(measurement: Measurement) -> Measurement:
    """The measurement with nothing in it that is not finite: bounds become open, a value absent with its reason."""
    if all(value is None or math.isfinite(value) for value in (measurement.value, measurement.low, measurement.high)):
        return measurement
    bounds = {name: getattr(measurement, name) for name in ("value", "low", "high")}
    bounds = {name: value if value is None or math.isfinite(value) else None for name, value in bounds.items()}
    lost = measurement.value is not None and bounds["value"] is None
    flags = (*measurement.flags, Message("value_not_finite")) if lost else measurement.flags
    return dataclasses.replace(measurement, **bounds, flags=flags)


def number(value: float, digits: int = 3) -> str:
    """A number with this many significant digits and no exponent (``1215``, ``24.1``, ``0.0312``)."""
    return f"{value:.{_decimals(value, digits)}f}"


def quantity(
    value: float, low: float | None, high: float | None, unit: str, *, sign: bool = False,
    apart_from: Sequence[float] = (),
) -> str:  # fmt: skip
    """A number with its unit and, where known, its interval: ``24.1 mL (22.8 to 25.6)``.

    The bounds have the decimals of the value; an open end is left out (``at least``, ``at most``). The unit ``1`` of
    pure numbers is not written. sign: of a change, which has a sign, and in per cent one decimal at most. apart_from:
    limits in the same unit; the value has one more decimal where it would look equal to one and is not.
    """
    decimals = _decimals(value, 3)
    if any(limit != value and float(f"{value:.{decimals}f}") == limit for limit in apart_from):
        decimals += 1
    if sign and unit == "%":
        decimals = min(decimals, 1)
    shown = f"{round(value, decimals) + 0.0:{'+' if sign else ''}.{decimals}f} {'' if unit == '1' else unit}".rstrip()
    bounds = [None if bound is None else f"{round(bound, decimals) + 0.0:.{decimals}f}" for bound in (low, high)]
    if None not in bounds:
        return f"{shown} ({bounds[0]} to {bounds[1]})"
    if bounds[0] is not None:
        return f"{shown} (at least {bounds[0]})"
    if bounds[1] is not None:
        return f"{shown} (at most {bounds[1]})"
    return shown


def bound(row: Measurement) -> str:
    """What is known of a measurement without a value, ``> 0.412`` or ``< -12.0 %`` (a change has its sign); empty where
    nothing is."""
    ends = ((">", row.low), ("<", row.high))
    shown = (
        f"{sign} {quantity(end, None, None, row.unit, sign=bool(row.compared_to))}"
        for sign, end in ends
        if end is not None
    )
    return "" if row.value is not None else " ".join(shown)


def _decimals(value: float, digits: int) -> int:
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def say(code: str, language: str = "english", **parameters: Any) -> str:
    """A sentence or label of this part's own catalogue."""
    return texts.what(Message(code, parameters), language)


def label(group: str, name: str, language: str = "english") -> str:
    """What people call a measure, kind of event, conclusion ...; the name itself where the catalogue has no words."""
    code = f"report_{group}_{name}"
    return say(code, language) if code in texts.catalogue(language) else name


def not_used(patient: Patient, count: int, language: str = "english") -> str:
    """That there are this many visits beside those of the patient, which were not known by then; empty of none."""
    undated = "" if any(visit.date for visit in patient.visits) else "_beside_undated"
    code = f"report_not_used{undated}_{'one' if count == 1 else 'many'}"
    return say(code, language, count=count) if count else ""


def event_details(event: Event, language: str = "english") -> str:
    """What is stated of an event: ``new lesion no; dose (mg per day) 4``."""

    def spoken(value: Any) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{name} ({label('taken_for', str(code), language)})" for name, code in value.items())
        return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else detail_words(value)

    return "; ".join(f"{label('event_field', name, language)} {spoken(value)}" for name, value in event.details.items())


def sentence(message: Message, language: str = "english") -> str:
    """A message as a sentence that names files as ``shown_path`` tells them: folders may name the patient."""
    return texts.sentence(Message(message.code, _spoken(message, language)), language)


def statement(message: Message, language: str = "english") -> str:
    """What a message says, without what can be done about it."""
    return texts.what(Message(message.code, _spoken(message, language)), language)


SPOKEN = {
    "fact": "fact",
    "facts": "fact",
    "progression": "fact",
    "effect": "fact",
    "measures": "measure",
    "test": "test",
    "event": "event",
}
"""Parameters that name things by their codes, and what kind of things; in a sentence their words stand."""


def _spoken(message: Message, language: str) -> dict[str, Any]:
    """The parameters as they are spoken: codes of facts and measures as words."""
    shown = shown_parameters(message)
    for name, group in SPOKEN.items():
        if isinstance(shown.get(name), str):
            between = "; " if group == "measure" else ", "  # names of measures have commas
            shown[name] = between.join(label(group, code, language) for code in shown[name].split(", "))
    return shown


def shown_parameters(message: Message) -> dict[str, Any]:
    """The message's parameters as values that JSON knows, with file paths as ``shown_path`` tells them."""
    return {name: plain(value) for name, value in message.parameters.items()}


def plain(value: Any) -> Any:
    """A value as one that JSON knows: numbers finite and rounded, dates ISO, paths as ``shown_path`` tells them."""
    if isinstance(value, (bool, type(None))):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, (str, Path)):
        path = Path(value)
        return shown_path(path) if path.is_absolute() and len(path.parts) > 2 else str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if hasattr(value, "__iter__"):
        return [plain(inner) for inner in value]
    return str(value)


def date_words(visit: Visit, language: str = "english") -> str:
    """The visit's date in ISO form, or its id and words that the date is unknown."""
    return visit.date.isoformat() if visit.date else say("report_date_unknown", language, visit=visit.id)


def day_words(patient: Patient, visit: Visit, language: str = "english") -> str:
    """The visit's days from the end of radiotherapy in words; empty when a date is unknown."""
    day = patient.day(visit)
    if day is None:
        return ""
    if day < 0:
        return say("report_day_before", language, days=-day)
    return say("report_day_after", language, days=day)


def short_day_words(patient: Patient, visit: Visit, language: str = "english") -> str:
    """As ``day_words``, ``day -49``."""
    day = patient.day(visit)
    return "" if day is None else say("report_day", language, days=day)


def visit_words(patient: Patient, visit_id: str, language: str = "english") -> str:
    """A visit by its date and day: ``2023-05-08, day 7 after radiotherapy``."""
    visit = patient.visit(visit_id)
    parts = (date_words(visit, language), day_words(patient, visit, language))
    return ", ".join(part for part in parts if part)


def decibans(weight: float) -> str:
    """A weight with its sign and unit; what rounds to zero has none (``0.0 dB``)."""
    rounded = round(weight, 1) + 0.0
    return f"{rounded:+.1f} dB" if rounded else f"{rounded:.1f} dB"


def own_values(measurements: Sequence[Measurement], visit: Visit, name: str) -> list[Measurement]:
    """The measured values of one name in a visit's own lesions."""
    wanted = (visit.id, name, "own", "")
    found = [row for row in measurements if (row.visit, row.name, row.kind, row.compared_to) == wanted]
    return [row for row in map(cleaned, found) if row.value is not None]
