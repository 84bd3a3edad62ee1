"""Tables of the panel: filling them, and lesions over time."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ..analysis import Analysis
from ..report.words import date_words, label, quantity


def fill(
    table: object, header: list[str], rows: list[list[str]], tips: dict | None = None, keep_tips: bool = False
) -> None:
    """Writes the cells that changed; keeps selection and scroll position, and the widths of columns while rows and
    columns are the same in number. keep_tips: tool tips stay as they are, for the moment."""
    resized = (table.rowCount, table.columnCount) != (len(rows), len(header))
    table.setColumnCount(len(header))
    table.setHorizontalHeaderLabels(header)
    table.setRowCount(len(rows))
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            item = table.item(number, column)
            if item is None:
                item = qt.QTableWidgetItem()
                table.setItem(number, column, item)
            if item.text() != text:
                item.setText(text)
            if not keep_tips and item.toolTip() != (tip := (tips or {}).get((number, column), text)):
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
    fill(table, header, rows, tips)
