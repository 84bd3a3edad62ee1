"""Figures of the report as inline SVG: measures over true dates, weights of evidence, a probability with its interval.

Readable without colour: sides, shapes, dashes and words carry the meaning; the two colours (blue, vermilion) are told
apart with any colour vision. Lengths in the SVG are its own pixels.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..measures import Measurement, Patient
from ..response import BANDS
from . import words
from .scales import nice_ticks, nice_top
from .svg import FAINT, GRID, INK, DateAxis, document, line, text
from .therapy_bands import TRACK, bands, track

PROGRESSION = "#d55e00"
TREATMENT = "#0072b2"
BAND = "#748090"  # three times as light as ink, three times as dark as the grounds that it lies on

WIDTH, LEFT, RIGHT = 760, 150, 24
PANEL, PANEL_GAP = 108, 30
DATE_GAP = 68  # pixels that a date label takes


def over_time(
    patient: Patient,
    measurements: Sequence[Measurement],
    names: Sequence[str],
    language: str = "english",
    windows: Sequence[tuple[int, int]] = BANDS,
) -> str:
    """Therapy and measures on one axis of true dates; empty where no visit has a date, or there is nothing to show.

    names: measures, one panel each; filled discs with a full line are each visit's own lesion, open squares with a
    dashed line a fixed region; bars are 95 % intervals. windows: first and last day after radiotherapy that are marked.
    """
    dates = [visit.date for visit in patient.visits if visit.date is not None]
    if not dates:
        return ""
    taken = [event for event in patient.events if event.details.get("given") is not False]
    events = [event for event in taken if event.date is not None and event.kind != "reading"]
    ends = [date for event in events for date in (event.date, event.end or event.date)]
    pad = datetime.timedelta(days=max((max(dates + ends) - min(dates + ends)).days // 25, 7))
    days = DateAxis(min(dates + ends) - pad, max(dates + ends) + pad, LEFT, WIDTH - RIGHT)
    kinds = list(dict.fromkeys(event.kind for event in events))
    panels = [(name, rows) for name in names if (rows := _plotted(patient, measurements, name))]
    if not (panels or events):
        return ""
    top = 24
    panels_top = top + TRACK * len(kinds) + 16
    bottom = panels_top + len(panels) * (PANEL + PANEL_GAP)
    parts = [
        *bands(patient, windows, days, top, bottom, language, given=True),
        *(part for row, kind in enumerate(kinds) for part in track(kind, events, days, top + TRACK * row, language)),
        *(line(days.x(date), top, days.x(date), bottom, GRID) for date in dates),
        *(
            part
            for number, (name, rows) in enumerate(panels)
            for part in _panel(patient, name, rows, days, panels_top + number * (PANEL + PANEL_GAP), language)
        ),
        *_dates(patient, days, bottom, language),
    ]
    label = words.say("report_course_label", language, measures=", ".join(_name(name, language) for name, _ in panels))
    return document(WIDTH, bottom + 44, label, parts)


def weight_bar(weight: float, largest: float) -> str:
    """One weight in decibans as a bar from a middle line: to the right for true progression, to the left for
    treatment effect."""
    half, height = 75, 16
    length = half * min(abs(weight) / largest, 1.0) if largest > 0 else 0.0
    left, colour = (half, PROGRESSION) if weight > 0 else (half - length, TREATMENT)
    bar = f'<rect x="{left:.1f}" y="2" width="{length:.1f}" height="{height - 4}" fill="{colour}"/>'
    return document(2 * half, height, f"{weight:+.1f} dB", [bar, line(half, 0, half, height, INK)], fixed=True)


def probability_bar(
    probability: tuple[float, float, float], prior: tuple[float, float, float], language: str = "english"
) -> str:
    """The probability of true progression from 0 to 100 %: interval as a box, median as a line, the prior below."""
    left, right, top, height = 20, 580, 34, 26

    def x(share: float) -> float:
        return left + (right - left) * share

    median, low, high = probability
    before, before_low, before_high = prior
    say = words.say
    axis = top + height + 30
    parts = [
        text(left, 16, f"\u2190 {say('report_treatment_effect', language)}", TREATMENT, weight="bold"),
        text(right, 16, f"{say('report_true_progression', language)} \u2192", PROGRESSION, "end", weight="bold"),
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{height}" fill="#f1f3f5" stroke="{GRID}"/>',
        f'<rect x="{x(low):.1f}" y="{top}" width="{x(high) - x(low):.1f}" height="{height}" fill="{BAND}"/>',
        f'<rect x="{x(median) - 2:.1f}" y="{top - 5}" width="4" height="{height + 10}" fill="{INK}"/>',
        line(x(before_low), axis - 14, x(before_high), axis - 14, FAINT, 2, dash="4 3"),
        f'<path d="M{x(before):.1f} {axis - 19} l5 5 l-5 5 l-5 -5 z" fill="#fff" stroke="{FAINT}" stroke-width="1.5"/>',
    ]
    for percent in range(0, 101, 25):
        parts.append(line(x(percent / 100), axis, x(percent / 100), axis + 5, FAINT))
        parts.append(text(x(percent / 100), axis + 18, f"{percent} %", FAINT, "middle"))
    label = say(
        "report_probability_label",
        language,
        median=f"{100 * median:.0f}",
        low=f"{100 * low:.0f}",
        high=f"{100 * high:.0f}",
        prior=f"{100 * before:.0f}",
    )
    return document(600, axis + 26, label, parts)


def hundred_patients(probability: float, language: str = "english") -> str:
    """A hundred patients as discs: filled for true progression, open for treatment effect."""
    count = round(100 * probability)
    radius, pitch = 5, 15
    parts = []
    for number in range(100):
        row, column = divmod(number, 20)
        fill = PROGRESSION if number < count else "#fff"
        stroke = PROGRESSION if number < count else TREATMENT
        parts.append(
            f'<circle cx="{column * pitch + 8}" cy="{row * pitch + 8}" r="{radius}" fill="{fill}" stroke="{stroke}" '
            'stroke-width="1.5"/>'
        )
    label = words.say("report_hundred_label", language, count=count, others=100 - count)
    return document(20 * pitch + 1, 5 * pitch + 1, label, parts, fixed=True)


def _plotted(patient: Patient, measurements: Sequence[Measurement], name: str) -> list[Measurement]:
    """The values of a measure whose visit has a date, in date order."""
    dates = {visit.id: visit.date for visit in patient.visits}
    rows = [row for row in measurements if row.name == name and not row.compared_to and row.value is not None]
    return sorted((row for row in rows if dates[row.visit] is not None), key=lambda row: dates[row.visit])


def _panel(
    patient: Patient, name: str, rows: list[Measurement], days: DateAxis, top: float, language: str
) -> list[str]:
    """One measure over time."""
    dates = {visit.id: visit.date for visit in patient.visits}
    end = nice_top(max(max(row.value, row.high or row.value) for row in rows))

    def y(value: float) -> float:
        return top + PANEL * (1 - max(value, 0.0) / end)

    measure, _, statistic = _name(name, language).partition(", ")
    below = ", ".join(part for part in (statistic, rows[0].unit) if part not in ("", "1"))
    parts = [text(10, top + 12, measure, INK, weight="bold"), text(10, top + 28, below, FAINT)]
    for tick in nice_ticks(end):
        parts.append(line(LEFT, y(tick), WIDTH - RIGHT, y(tick), GRID))
        parts.append(text(LEFT - 8, y(tick) + 4, f"{tick:g}", FAINT, "end", size=11))
    series: dict[tuple[str, str, str], list[Measurement]] = {}
    for row in rows:
        drawn = row.drawn_in if row.kind == "fixed" else ""
        series.setdefault((row.kind, row.region, drawn), []).append(row)
    for (kind, _, _), found in series.items():
        shift = 0 if kind == "own" else 5  # a fixed region's marks stand beside those of the own lesion, not on them
        points = [(days.x(dates[row.visit]) + shift, y(row.value)) for row in found]
        path = " ".join(f"{x:.1f},{height:.1f}" for x, height in points)
        dash = "" if kind == "own" else ' stroke-dasharray="5 4"'
        parts.append(f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.6"{dash}/>')
        for row, (x, height) in zip(found, points, strict=True):
            if row.low is not None and row.high is not None:
                parts.append(line(x, y(row.low), x, y(row.high), INK, 1.4))
            if kind == "own":
                parts.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="4.5" fill="{INK}"/>')
            else:
                parts.append(
                    f'<rect x="{x - 4:.1f}" y="{height - 4:.1f}" width="8" height="8" fill="#fff" stroke="{INK}" '
                    'stroke-width="1.5"/>'
                )
    return parts


def _dates(patient: Patient, days: DateAxis, bottom: float, language: str) -> list[str]:
    """Dates of the visits and their days from the end of radiotherapy, as far as they do not overlap."""
    parts, shown = [], -DATE_GAP
    for visit in sorted((visit for visit in patient.visits if visit.date), key=lambda visit: visit.date):
        x = days.x(visit.date)
        parts.append(line(x, bottom, x, bottom + 5, INK))
        if x - shown < DATE_GAP:
            continue
        shown = x
        parts.append(text(x, bottom + 18, visit.date.isoformat(), INK, "middle", size=11))
        parts.append(text(x, bottom + 33, words.short_day_words(patient, visit, language), FAINT, "middle", size=11))
    return parts


def _name(name: str, language: str) -> str:
    return words.label("measure", name, language)
