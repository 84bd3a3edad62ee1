"""Treatment, size of the tumour and its response on one axis of true dates, as inline SVG.

Readable without colour: bars, steps, shapes and words carry the meaning.
"""

from __future__ import annotations

import datetime
import itertools
import textwrap
from collections.abc import Sequence

from ..analysis import Analysis
from ..analysis.lesion_rows import ALL, lesion_rows
from ..analysis.responding import SILENT, product_band
from ..lesion.estimate import Estimate
from ..measures import Event, Measurement
from ..response import CRITERIA, Verdict
from . import words
from .impression import heading_of_later
from .scales import nice_ticks, nice_top
from .svg import FAINT, GRID, INK, DateAxis, document, line, text
from .therapy_bands import TRACK, bands, track

WIDTH, LEFT, RIGHT = 880, 176, 20
STEROID, PANEL, GAP, STRIP = 40, 104, 26, 34
DRUGS = ("surgery", "biopsy", "radiotherapy", "temozolomide", "bevacizumab", "immunotherapy")
NARROWEST, WIDEST = 46, 92  # pixels of a box with categories
SHOWN = ("volume", "area")
LEGEND = 110  # characters of a line of the legend


def therapy_figure(analysis: Analysis, language: str = "english") -> str:
    """The figure; empty where no visit has a date or nothing was followed.

    Tracks of treatment, the dose of dexamethasone as steps, volume with its 95 % interval and the sum of products with
    the band of one voxel, and under each visit its category by every criterion.
    """
    visits = sorted((visit for visit in analysis.patient.visits if visit.date), key=lambda visit: visit.date)
    if not visits or not analysis.lesions:
        return ""
    stated = (event for event in analysis.patient.events if event.details.get("given") is not False)
    events = [event for event in stated if event.date is not None]
    dates = [visit.date for visit in visits]
    drawn = [event for event in events if event.kind in (*DRUGS, "dexamethasone")]
    spans = [day for event in drawn for day in (event.date, event.end or event.date)]
    pad = datetime.timedelta(days=max((max(dates + spans) - min(dates + spans)).days // 25, 7))
    days = DateAxis(min(dates + spans) - pad, max(dates + spans) + pad, LEFT, WIDTH - RIGHT)
    kinds = [kind for kind in DRUGS if any(event.kind == kind for event in events)]
    top = 24.0
    steroid_top = top + TRACK * len(kinds) + 8
    steroids = sorted((event for event in events if event.kind == "dexamethasone"), key=lambda event: event.date)
    panels_top = steroid_top + (STEROID + 22 if steroids else 0) + 12
    panels = [
        (_measure("volume", "mL", language), _volumes(analysis)),
        (_measure("sum_of_products", "mm\u00b2", language), _areas(analysis)),
    ]
    panels = [(names, found) for names, found in panels if found]
    bottom = panels_top + len(panels) * (PANEL + GAP)
    parts = [*bands(analysis.patient, analysis.choices.bands, days, top, bottom, language)]
    parts += [line(days.x(date), top, days.x(date), bottom, GRID) for date in dates]
    for row, kind in enumerate(kinds):
        parts += track(kind, events, days, top + TRACK * row, language)
    if steroids:
        parts += _steroid(steroids, days, steroid_top, max(dates), language)
    for number, (names, found) in enumerate(panels):
        parts += _panel(analysis, names, found, days, panels_top + number * (PANEL + GAP))
    strip, height = _categories(analysis, visits, days, bottom, language)
    parts += strip
    label = words.say("report_therapy_label", language, count=len(visits))
    return document(WIDTH, bottom + height, label, parts)


def short(verdict: Verdict, final: bool, language: str = "english") -> str:
    """A verdict in few letters: its category, two with a question mark, or how many are possible."""
    options = verdict.final if final else verdict.provisional
    shown = [_label(option.category, language) for option in options]
    if len(shown) == 1:
        return shown[0]
    return f"{shown[0]} / {shown[1]}?" if len(shown) == 2 else words.say("report_open", language, count=len(shown))


def visit_lines(analysis: Analysis, visit: str, language: str = "english") -> list[str]:
    """A visit's diameters and categories in few words, for a picture; empty where nothing was followed."""
    here = [lesion for lesion in analysis.lesions if lesion.visit == visit and lesion.outline is not None]
    if not here:
        return []
    found = []
    if len(here) == 1:
        lines = here[0].outline.lines[analysis.choices.rule]
        found.append(f"{lines.longest:.1f} x {lines.perpendicular:.1f} mm")
    else:
        names = ", ".join(lesion.lesion for lesion in here)
        area = dict(_areas(analysis).get("", [])).get(visit)
        found.append(names if area is None else f"{names}: {area.value:.0f} mm\u00b2")
    for criterion in filter(lambda name: applies(analysis, name), CRITERIA):
        now, later = _of_criterion(analysis, visit, criterion, language)
        if now:
            # These words are also drawn into pictures, whose font has no arrow.
            code = f"report_then_{heading_of_later(analysis.patient, visit)}"
            both = words.say(code, language, now=now, later=later) if later else now
            found.append(f"{words.label('criterion', criterion, language)}: {both}")
    return found


def applies(analysis: Analysis, criterion: str) -> bool:
    """Whether a criterion says more of this patient than that it does not apply."""
    found = [response.area.possible for response in analysis.response.responses if response.criterion == criterion]
    return any(not set(possible) <= set(SILENT) for possible in found)


def _label(category: str, language: str) -> str:
    return words.label("short", category, language)


def _measure(name: str, unit: str, language: str) -> tuple[str, str]:
    return words.label("measure", name, language).partition(", ")[0], unit


def _volumes(analysis: Analysis) -> dict[str, list[tuple[str, Estimate]]]:
    """Visit and volume of all lesions together, and of each where there are several."""
    total = [(visit, parts["enhancement"]) for visit, parts in analysis.parts.items() if "enhancement" in parts]
    single: dict[str, list[tuple[str, Estimate]]] = {}
    for lesion in analysis.lesions:
        if lesion.outline is not None and lesion.outline.component == "enhancing":
            single.setdefault(lesion.lesion, []).append((lesion.visit, lesion.tracked.volume))
    return ({"": total} if total else {}) | (single if len(single) > 1 else {})


def _areas(analysis: Analysis) -> dict[str, list[tuple[str, Estimate]]]:
    """Visit and sum of products, with the bands of its lesions added."""
    rows: list[Measurement] = [
        row for row in lesion_rows(analysis) if (row.region, row.name) == (ALL, "sum_of_products")
    ]
    found = []
    for row in rows:
        if row.value is None:
            continue
        drawn = [lesion for lesion in analysis.lesions if lesion.visit == row.visit and lesion.outline is not None]
        here = [lesion for lesion in drawn if lesion.outline.component == "enhancing"]
        spacing = tuple(analysis.images[row.visit, "T1CE"].spacing)
        bands = [product_band(lesion, analysis.choices.rule, spacing) for lesion in here]
        down = sum(one.value - one.low for one in bands)
        up = sum(one.high - one.value for one in bands)
        found.append((row.visit, Estimate(row.value, "mm2", max(row.value - down, 0.0), row.value + up)))
    return {"": found} if found else {}


def _steroid(events: Sequence[Event], days: DateAxis, top: float, last: datetime.date, language: str) -> list[str]:
    """The dose as steps with its number; unknown between an end and the next beginning, where nothing is drawn."""
    doses = [(event, event.details.get("dose_mg_per_day")) for event in events]
    known = [dose for _, dose in doses if dose is not None]
    if not known:
        return []
    highest, base = max(max(known), 1), top + STEROID
    unit = words.say("report_steroid_unit", language)
    parts = [
        text(LEFT - 10, base - 14, words.label("event", "dexamethasone", language), INK, "end"),
        text(LEFT - 10, base, unit, FAINT, "end", size=11),
        line(LEFT, base, WIDTH - RIGHT, base, GRID),
    ]
    begins = [event.date for event, _ in doses[1:]] + [None]
    for (event, dose), following in zip(doses, begins, strict=True):
        if dose is None:
            continue
        stops = [day for day in (event.end, following) if day is not None]
        end = min(stops) if stops else max(last, event.date)
        left, right = days.x(event.date), days.x(end)
        height = (STEROID - 12) * dose / highest
        parts.append(
            f'<rect x="{left:.1f}" y="{base - height:.1f}" width="{max(right - left, 1):.1f}" height="{height:.1f}" '
            f'fill="#c9ced6" stroke="{FAINT}"/>'
        )
        drug = event.details.get("drug", "dexamethasone")
        named = f"{dose:g}" if drug == "dexamethasone" else f"{dose:g} ({drug})"
        parts.append(text(left + 3, base - height - 3, named, INK, size=11))
    return parts


def _panel(
    analysis: Analysis,
    names: tuple[str, str],
    series: dict[str, list[tuple[str, Estimate]]],
    days: DateAxis,
    top: float,
) -> list[str]:
    """One measure over time: all lesions together as discs on a line, single lesions as thin lines with their name."""
    dates = {visit.id: visit.date for visit in analysis.patient.visits}
    everything = [entry for found in series.values() for _, entry in found]
    end = nice_top(max(max(entry.value, entry.high or entry.value) for entry in everything))

    def y(value: float) -> float:
        return top + PANEL * (1 - max(value, 0.0) / end)

    parts = [text(4, top + 12, names[0], INK, weight="bold"), text(4, top + 28, names[1], FAINT)]
    for tick in nice_ticks(end):
        parts.append(line(LEFT, y(tick), WIDTH - RIGHT, y(tick), GRID))
        parts.append(text(LEFT - 8, y(tick) + 4, f"{tick:g}", FAINT, "end", size=11))
    for name, found in series.items():
        drawn = sorted(
            ((dates[visit], entry) for visit, entry in found if dates[visit] is not None), key=lambda pair: pair[0]
        )
        points = [(days.x(date), y(entry.value)) for date, entry in drawn]
        path = " ".join(f"{x:.1f},{height:.1f}" for x, height in points)
        look = f'stroke="{INK}" stroke-width="1.6"'
        if name:
            look = f'stroke="{FAINT}" stroke-width="1" stroke-dasharray="4 3"'
        parts.append(f'<polyline points="{path}" fill="none" {look}/>')
        for (_, entry), (x, height) in zip(drawn, points, strict=True):
            if name:
                parts.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="2.5" fill="{FAINT}"/>')
                continue
            if entry.low is not None and entry.high is not None:
                parts.append(line(x, y(entry.low), x, y(entry.high), INK, 1.4))
            parts.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="4.5" fill="{INK}"/>')
        if name and points:
            parts.append(text(points[-1][0] + 6, points[-1][1] + 4, name, FAINT, size=11))
    return parts


def _categories(
    analysis: Analysis, visits: Sequence, days: DateAxis, bottom: float, language: str
) -> tuple[list[str], float]:
    """Dates, and below each visit a box by every criterion with what was said then and what later scans made of it."""
    room = (WIDTH - LEFT - RIGHT + 40) / len(visits)
    width = min(WIDEST, max(NARROWEST, room - 4))
    places = _spread([days.x(visit.date) for visit in visits], width + 4, LEFT - 6 + width / 2, WIDTH - 4 - width / 2)
    head = bottom + 24
    parts = []
    for visit, place in zip(visits, places, strict=True):
        parts.append(line(days.x(visit.date), bottom, place, head - 2, FAINT))
        size = 11 if width >= 62 else 9
        parts.append(text(place, head + 10, visit.date.isoformat(), INK, "middle", size=size))
        shown = words.short_day_words(analysis.patient, visit, language)
        parts.append(text(place, head + 24, shown, FAINT, "middle", size=size))
    top = head + 34
    shown = [name for name in CRITERIA if applies(analysis, name)]
    rows = [(name, lambda visit, name=name: _of_criterion(analysis, visit, name, language)) for name in shown]
    rows.append(("BT_RADS", lambda visit: _of_tree(analysis, visit, language)))
    for name, cell in rows:
        cells = [cell(visit.id) for visit in visits]
        parts.append(text(LEFT - 36, top + STRIP / 2 + 4, words.label("criterion", name, language), INK, "end"))
        for place, (now, later) in zip(places, cells, strict=True):
            parts += _box(place, top, width, now, later)
        top += STRIP + 3
    legend = [
        said
        for code in ("report_therapy_legend", "report_therapy_arrow")
        for said in textwrap.wrap(words.say(code, language), LEGEND)
    ]
    for number, said in enumerate(legend):
        parts.append(text(LEFT, top + 14 + 15 * number, said, FAINT, size=11))
    return parts, top + 9 + 15 * len(legend) - bottom


def _box(place: float, top: float, width: float, now: str, later: str) -> list[str]:
    parts = [
        f'<rect x="{place - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{STRIP}" rx="3" fill="#fff" '
        f'stroke="{GRID}"/>'
    ]
    size = 11 if width >= 62 else 9
    if len(now) > width / 7.5:
        size -= 2
    middle = top + STRIP / 2 + 4
    parts.append(text(place, middle - (7 if later else 0), now, INK, "middle", size=size, weight="bold"))
    if later:
        parts.append(text(place, middle + 9, f"\u2192 {later}", FAINT, "middle", size=min(size, 10)))
    return parts


def _of_criterion(analysis: Analysis, visit: str, criterion: str, language: str) -> tuple[str, str]:
    response = analysis.response.of(visit, criterion)
    if response is None:
        return "", ""
    now, later = (
        _both(*(short(getattr(response, measure), final, language) for measure in SHOWN)) for final in (False, True)
    )
    return now, "" if now == later else later


def _of_tree(analysis: Analysis, visit: str, language: str) -> tuple[str, str]:
    verdict = analysis.response.bt_rads_of(visit)
    return (short(verdict, False, language), "") if verdict is not None else ("", "")


def _both(volume: str, area: str) -> str:
    return volume if volume == area else f"{volume} | {area}"


def _spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places in order that are at least so far apart and lie near those wanted, between low and high."""
    places = list(wanted)
    for _ in range(200):
        moved = False
        for one, other in itertools.pairwise(range(len(places))):
            short_of = apart - (places[other] - places[one])
            if short_of > 0.01:
                places[one] -= short_of / 2
                places[other] += short_of / 2
                moved = True
        bounded = [min(max(place, low), high) for place in places]
        moved, places = moved or bounded != places, bounded
        if not moved:
            break
    return places
