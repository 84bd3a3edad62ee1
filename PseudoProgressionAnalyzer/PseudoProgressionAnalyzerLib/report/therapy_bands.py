"""What every figure over time shows of treatment: the windows after radiotherapy, and tracks of events."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..measures import Event, Patient
from ..response import BANDS
from . import words
from .svg import FAINT, INK, DateAxis, band, event_marks, lasts, text

TRACK = 20  # pixels of a track's height
GIVEN = "#c9ced6"
COLOURS = ("#e6eef6", "#f7eee3")
CODES = ("report_band_pseudoprogression", "report_band_necrosis")


def bands(
    patient: Patient,
    windows: Sequence[tuple[int, int]],
    days: DateAxis,
    top: float,
    bottom: float,
    language: str = "english",
    *,
    given: bool = False,
) -> list[str]:
    """The windows after radiotherapy (first and last day) as far as they are shown, with their words where they are the
    usual ones (``response.BANDS``). given: also radiotherapy itself. For orientation, never evidence."""
    parts, end = [], patient.radiotherapy_end
    for event in patient.events if given else ():
        last = days.last if lasts(event) else event.end
        if event.kind == "radiotherapy" and event.date and last and (span := days.clipped(event.date, last)):
            parts.append(band(*span, top, bottom, GIVEN))
    for number, (first, last) in enumerate(windows if end else ()):
        span = days.clipped(end + datetime.timedelta(days=first), end + datetime.timedelta(days=last))
        if span:
            usual = number < len(BANDS) and (first, last) == BANDS[number]
            named = words.say(CODES[number], language) if usual else ""
            named = named or words.say("report_band_days", language, first=first, last=last)
            parts.append(band(*span, top, bottom, COLOURS[number % 2]))
            parts.append(text(span[0] + 3, 16, named, FAINT, size=11))
    return parts


def track(kind: str, events: Sequence[Event], days: DateAxis, top: float, language: str = "english") -> list[str]:
    """One kind of event: bars for spans, with a tip where they go on, diamonds for single dates."""
    middle = top + TRACK / 2
    parts = [text(days.left - 10, middle + 4, words.label("event", kind, language), INK, "end")]
    return parts + event_marks([event for event in events if event.kind == kind], days, middle)
