"""Measurements as people compare them: a row per measure, a column per visit, and one for each change."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from ..measures import Measurement, Patient
from . import words

FLAGGED = "*"
"""Behind a value with flags: what they say stands in the cell's words."""

TOPICS = {
    "perfusion": ("rCBV_", "sRCBV_", "rCBF_", "CBF_", "ATT_", "MTT_", "Tmax_", "K2_", "PSR_", "rPSR_", "rPH_", "FTB_",
                  "PRM_"),
    "spectroscopy": ("Cho_", "NAA_", "Ins_", "Glx_", "Lac_", "Lip13Lac_"),
    "diffusion": ("ADC_", "APTw_"),
}  # fmt: skip
"""What a measure is about, by how its name begins; all others are about size and shape."""
SIZE = "size"


@dataclass(frozen=True)
class Measure:
    """What a row of the grid shows. kind: ``own`` or ``fixed``; drawn_in: the visit of a fixed region, else empty."""

    region: str
    kind: str
    drawn_in: str
    name: str
    unit: str


@dataclass(frozen=True)
class Cell:
    """A value, or the change since the visit before that has one. rows: what it shows, empty where there is nothing.
    short: without interval, for narrow columns."""

    text: str
    rows: tuple[Measurement, ...] = ()
    short: str = ""


@dataclass(frozen=True)
class Column:
    """A visit's values, or the changes (``change``) that end in it."""

    visit: str
    change: bool


@dataclass(frozen=True)
class Grid:
    """measures: of the rows; columns; cells: one list for each row, as long as columns."""

    measures: list[Measure]
    columns: list[Column]
    cells: list[list[Cell]]


def measurement_grid(patient: Patient, measurements: Sequence[Measurement]) -> Grid:
    """All measures in the order of the measurements; a change column stands after each visit but the first.

    A change is in per cent of the earlier value, and in the measure's unit where there is no percentage.
    """
    columns = [Column(visit.id, False) for visit in patient.visits[:1]]
    for visit in patient.visits[1:]:
        columns += [Column(visit.id, False), Column(visit.id, True)]
    known: dict[tuple[str, Measure, bool], list[Measurement]] = {}
    measures: dict[Measure, None] = {}
    for row in measurements:
        name = row.name.removesuffix("_percent") if row.compared_to else row.name
        measure = (row.region, row.kind, row.drawn_in if row.kind == "fixed" else "", name)
        if not row.compared_to:
            measures[Measure(*measure, row.unit)] = None
        known.setdefault((row.visit, measure, bool(row.compared_to)), []).append(row)
    cells = []
    for measure in measures:
        key = (measure.region, measure.kind, measure.drawn_in, measure.name)
        found = [known.get((column.visit, key, column.change), []) for column in columns]
        cells.append([_change(rows) if c.change else _value(rows) for c, rows in zip(columns, found, strict=True)])
    return Grid(list(measures), columns, cells)


@functools.cache
def topic(name: str) -> str:
    """What a measure is about: a key of ``TOPICS``, or ``size``."""
    return next((found for found, begins in TOPICS.items() if name.startswith(begins)), SIZE)


def _value(rows: list[Measurement]) -> Cell:
    if not rows:
        return Cell("")
    row = words.cleaned(rows[0])
    if row.value is None:
        shown = words.bound(row)
        return Cell(shown or words.say("report_not_measured"), (row,), shown or "-")
    flagged = f" {FLAGGED}" if row.flags else ""
    shown = words.quantity(row.value, row.low, row.high, "1")
    return Cell(shown + flagged, (row,), words.quantity(row.value, None, None, "1") + flagged)


def _change(rows: list[Measurement]) -> Cell:
    rows = [words.cleaned(row) for row in rows]
    measured = [row for row in rows if row.value is not None]
    percent = [row for row in measured if row.name.endswith("_percent")]
    if not measured:
        bounds = {row.name.endswith("_percent"): words.bound(row) for row in rows}
        shown = bounds.get(True) or bounds.get(False) or ""
        return Cell(shown, tuple(rows), shown)
    row = (percent or measured)[0]
    shown = words.quantity(row.value, row.low, row.high, row.unit, sign=True)
    unit = "%" if row.unit == "%" else "1"  # else as long as a column is wide; the unit stands with the measure
    flagged = f" {FLAGGED}" if row.flags else ""
    return Cell(shown + flagged, tuple(rows), words.quantity(row.value, None, None, unit, sign=True) + flagged)


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as text that spreadsheets take from the clipboard: tabs between cells, one line for each row."""
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in [header, *rows])
