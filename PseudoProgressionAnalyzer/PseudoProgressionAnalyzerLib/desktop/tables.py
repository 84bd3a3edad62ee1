"""Tables of the panel: visits, and measures by visits with their changes."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .. import texts
from ..analysis import Analysis
from ..measures import Measurement, Patient
from ..report.words import date_words, day_words, label, quantity


def fill_visits(table: object, patient: Patient | None) -> None:
    """One row per visit: date, days since radiotherapy, roles, warnings."""
    header = [_("Date"), _("Since radiotherapy"), _("Images"), _("Warnings")]
    rows = []
    for visit in patient.visits if patient else []:
        roles = ", ".join(dict.fromkeys(series.role for series in visit.series))
        warnings = " ".join(texts.sentence(warning) for warning in visit.warnings)
        rows.append([date_words(visit), day_words(patient, visit), roles, warnings])
    _fill(table, header, rows)


def fill_measurements(table: object, analysis: Analysis | None) -> None:
    """One row per region, kind and measure, one column per visit; the change since the visit before stands in brackets.

    The tool tip of a cell says interval, method, reference tissue and flags.
    """
    if analysis is None:
        _fill(table, [], [])
        return
    visits = analysis.patient.visits
    header = [_("Region"), _("Measure"), *(date_words(visit) for visit in visits)]
    keys = list(
        dict.fromkeys(
            (row.region, row.kind, row.drawn_in if row.kind == "fixed" else "", row.name, row.unit)
            for row in analysis.measurements
            if not row.compared_to
        )
    )
    cells_of = _by_cell(analysis.measurements)
    rows, tips = [], {}
    for number, (region, kind, drawn_in, name, unit) in enumerate(keys):
        where = _("own") if kind == "own" else _("fixed, drawn in {visit}").format(visit=drawn_in)
        cells = [f"{region} ({where})", f"{name} [{unit}]" if unit not in ("1", "") else name]
        for column, visit in enumerate(visits):
            value, change = cells_of.get((visit.id, region, kind, drawn_in, name), (None, None))
            cells.append(_text(value, change))
            if value is not None:
                tips[number, column + 2] = _tip(value, change)
        rows.append(cells)
    _fill(table, header, rows, tips)


def _by_cell(measurements: list[Measurement]) -> dict[tuple, tuple[Measurement, Measurement | None]]:
    """The value and its change in per cent (or None) by visit, region, kind, where it was drawn (fixed regions) and
    name."""

    def place(row: Measurement) -> tuple:
        return row.visit, row.region, row.kind, row.drawn_in if row.kind == "fixed" else ""

    changes = {(*place(row), row.name): row for row in measurements if row.compared_to}
    return {
        (*place(row), row.name): (row, changes.get((*place(row), f"{row.name}_percent")))
        for row in measurements
        if not row.compared_to
    }


def _text(value: Measurement | None, change: Measurement | None) -> str:
    if value is None:
        return ""
    if value.value is None:
        return _("not measured")
    shown = quantity(value.value, None, None, "")
    return f"{shown} ({change.value:+.0f} %)" if change is not None and change.value is not None else shown


def _tip(value: Measurement, change: Measurement | None) -> str:
    lines = []
    if value.value is not None:
        lines.append(quantity(value.value, value.low, value.high, value.unit if value.unit != "1" else ""))
    lines.append(value.method)
    if value.reference:
        lines.append(_("against {tissue}").format(tissue=value.reference))
    if change is not None and change.value is not None:
        since = _("since {visit}:").format(visit=change.compared_to)
        lines.append(f"{since} {quantity(change.value, change.low, change.high, '%', sign=True)}")
    lines += [texts.sentence(flag) for flag in value.flags]
    return "\n".join(line for line in lines if line)


def _fill(table: object, header: list[str], rows: list[list[str]], tips: dict | None = None) -> None:
    """Writes the cells that changed; keeps selection and scroll position, and the widths of columns while rows and
    columns are the same in number."""
    resized = (table.rowCount, table.columnCount) != (len(rows), len(header))
    table.setColumnCount(len(header))
    table.setHorizontalHeaderLabels(header)
    table.setRowCount(len(rows))
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            tip = (tips or {}).get((number, column), text)
            item = table.item(number, column)
            if item is None:
                item = qt.QTableWidgetItem()
                table.setItem(number, column, item)
            if item.text() != text:
                item.setText(text)
            if item.toolTip() != tip:
                item.setToolTip(tip)
    if resized:
        table.resizeColumnsToContents()


def fill_lesions(table: object, analysis: Analysis | None) -> None:
    """One row per lesion and visit, by identity: what became of it, volume, diameters, roundness beside a sphere's."""
    header = [_("Lesion"), _("Date"), _("What became of it"), _("Volume"), _("Diameters"), _("Sphericity (sphere)")]
    rows, tips = [], {}
    names = dict.fromkeys(lesion.lesion for lesion in analysis.lesions) if analysis else ()
    ordered = [lesion for name in names for lesion in analysis.lesions if lesion.lesion == name]
    for number, lesion in enumerate(ordered):
        tracked, outline = lesion.tracked, lesion.outline
        happened = [label("happened", event) for event in tracked.events]
        happened += [label("happened", tracked.growth)] if tracked.growth is not None else []
        cells = [lesion.lesion, date_words(analysis.patient.visit(lesion.visit)), ", ".join(happened)]
        cells.append(quantity(tracked.volume.value, None, None, "mL"))
        tips[number, 3] = quantity(tracked.volume.value, tracked.volume.low, tracked.volume.high, "mL")
        if outline is not None:
            lines = outline.lines[analysis.choices.rule]
            drawn = _(", drawn by the reader") if analysis.choices.rule in lesion.by_reader else ""
            cells.append(f"{lines.longest:.1f} x {lines.perpendicular:.1f} mm{drawn}")
            cells.append(f"{outline.shape.sphericity:.2f} ({outline.sphere.sphericity:.2f})")
        if tracked.change is not None and tracked.change.value is not None:
            tips[number, 2] = quantity(tracked.change.value, tracked.change.low, tracked.change.high, "%", sign=True)
        rows.append([*cells, *[""] * (len(header) - len(cells))])
    _fill(table, header, rows, tips)
