"""Measurements as tables: visits side by side, changes below the values, own and fixed regions never in one table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..measures import Measurement, Visit
from . import words
from .markup import Markup, Notes, row, table

COLUMNS = 5  # visits side by side in one table


def measurement_tables(markup: Markup, measurements: Sequence[Measurement]) -> str:
    """One table for each region and kind, own lesions first; more visits than fit are continued below."""
    regions: dict[tuple[str, str, str], list[Measurement]] = {}
    for measurement in sorted(measurements, key=lambda measurement: measurement.kind != "own"):
        drawn_in = measurement.drawn_in if measurement.kind == "fixed" else ""
        regions.setdefault((measurement.kind, measurement.region, drawn_in), []).append(measurement)
    parts = []
    for (kind, region, drawn_in), found in regions.items():
        drawn = {"visit": markup.visit(drawn_in)} if drawn_in else {}
        parts.append(f"<h3>{markup.say(f'measurements_{kind}', region=region, **drawn)}</h3>")
        visits = [visit for visit in markup.patient.visits if any(visit.id == entry.visit for entry in found)]
        for first in range(0, len(visits), COLUMNS):
            parts.append(_region_table(markup, found, visits[first : first + COLUMNS]))
    return "".join(parts)


def value_cell(markup: Markup, measurement: Measurement, notes: Notes) -> str:
    """A value with unit and interval, or that it is absent, with the numbers of its flags."""
    if bound := words.bound(measurement):
        return escape(bound) + notes.marks(measurement.flags)
    if measurement.value is None:
        return f'<span class="absent">{markup.say("not_measured")}</span>{notes.marks(measurement.flags)}'
    shown = words.quantity(measurement.value, measurement.low, measurement.high, measurement.unit)
    return escape(shown) + notes.marks(measurement.flags)


def _region_table(markup: Markup, measurements: Sequence[Measurement], visits: Sequence[Visit]) -> str:
    notes, lines = Notes(markup), []
    for name in dict.fromkeys(entry.name for entry in measurements if not entry.compared_to):
        cells = []
        for visit in visits:
            here = [entry for entry in measurements if entry.visit == visit.id]
            values = [
                value_cell(markup, entry, notes) for entry in here if entry.name == name and not entry.compared_to
            ]
            # The percentage first: it is what thresholds of growth are given in.
            changes = [
                _change_line(markup, entry, notes)
                for wanted in (f"{name}_percent", name)
                for entry in here
                if entry.name == wanted and entry.compared_to and (entry.value is not None or words.bound(entry))
            ]
            cells.append("".join(values + changes))
        references = dict.fromkeys(entry.reference for entry in measurements if entry.name == name and entry.reference)
        detail = f"<small>{escape(', '.join(references))}</small>" if references else ""
        lines.append(row(markup.label("measure", name) + detail, cells))
    heads = [markup.say("head_measure"), *(markup.date(visit) for visit in visits)]
    return table(heads, lines) + notes.text()


def _change_line(markup: Markup, change: Measurement, notes: Notes) -> str:
    value = words.bound(change) or words.quantity(change.value, change.low, change.high, change.unit, sign=True)
    since = words.date_words(markup.patient.visit(change.compared_to), markup.language)
    said = markup.say("change_since", change=value, visit=since)
    said = said.replace(escape(since), markup.date(markup.patient.visit(change.compared_to)))  # never broken
    return f"<small>{said}{notes.marks(change.flags)}</small>"
