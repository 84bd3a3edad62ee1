"""Tables of the panel: filling them."""

from __future__ import annotations

import qt


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
