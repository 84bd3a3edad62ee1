"""Tables of the panel: filling them."""

from __future__ import annotations

import qt

EMPTY = 64  # pixels without rows: three lines
MARGIN = 6  # pixels around the name of a row
LAST = 78  # pixels of the last column at least
CHOICE = 7  # characters of a list of choices in a table
FOLLOWS = "ppaFollows"
"""Property of tables whose height follows the width of their columns already."""


def change(table: object, before: list[list[str]], rows: list[list[str]]) -> qt.QRegion:
    """Writes the cells of a filled table whose text is another than before; returns where they are on the screen."""
    places = qt.QRegion()
    for number, (old, new) in enumerate(zip(before, rows, strict=True)):
        for column in range(len(new)) if old != new else ():
            if old[column] != new[column]:
                item = table.item(number, column)
                item.setText(new[column])
                places = places.united(table.visualItemRect(item))
    return places


def fill(
    table: object,
    header: list[str],
    rows: list[list[str]],
    tips: dict | None = None,
    names: list[str] | None = None,
    width: int = 0,
) -> None:
    """Writes the cells that changed; keeps selection and scroll position, and the widths of columns while rows and
    columns are the same in number. names: of the rows, which stay in place when the columns are scrolled; width: of
    every column in pixels, 0 as its content asks."""
    resized = (table.rowCount, table.columnCount) != (len(rows), len(header))
    table.setColumnCount(len(header))
    table.setHorizontalHeaderLabels(header)
    table.setRowCount(len(rows))
    for number, name in enumerate(names or ()):
        item = table.verticalHeaderItem(number)
        if item is None:
            item = qt.QTableWidgetItem()
            table.setVerticalHeaderItem(number, item)
        if item.text() != name:
            item.setText(name)
            item.setToolTip(name)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            item = table.item(number, column)
            if item is None:
                item = qt.QTableWidgetItem()
                table.setItem(number, column, item)
            if item.text() != text:
                item.setText(text)
            if item.toolTip() != (tip := (tips or {}).get((number, column), text)):
                item.setToolTip(tip)
    if resized:
        table.resizeColumnsToContents()
        for column in range(len(header) if width else 0):
            table.setColumnWidth(column, max(width, table.columnWidth(column)))


def fit_names(table: object, width: int) -> None:
    """Gives the names of the rows this width in pixels, and each row the height that its wrapped name needs."""
    names = table.verticalHeader()
    names.setFixedWidth(width)
    room = qt.QRect(0, 0, width - 2 * MARGIN, 0)
    for row in range(table.rowCount):
        words = names.fontMetrics().boundingRect(room, qt.Qt.TextWordWrap, table.verticalHeaderItem(row).text())
        table.setRowHeight(row, max(names.defaultSectionSize, words.height() + MARGIN))


def explain(table: object, tips: list[str]) -> None:
    """Tool tips of the header, column by column."""
    for column, tip in enumerate(tips):
        item = table.horizontalHeaderItem(column)
        if item is not None:
            item.setToolTip(tip)


def give_last_the_rest(table: object, most: int) -> None:
    """The last column has the room that the others leave, also where the panel was made narrower; rows, and the table
    up to ``most`` pixels, are as high as its words then need."""
    header = table.horizontalHeader()
    header.setStretchLastSection(False)
    table.resizeColumnsToContents()
    table.setColumnWidth(table.columnCount - 1, LAST)
    header.setStretchLastSection(True)  # from then on: Qt never makes it narrower than it was before
    _fit_height(table, most)
    if not table.property(FOLLOWS):
        table.setProperty(FOLLOWS, True)
        soon = qt.QTimer(table)
        soon.setSingleShot(True)
        soon.connect("timeout()", lambda: _fit_height(table, most))
        header.connect("sectionResized(int,int,int)", lambda *sizes: soon.start(0))


def _fit_height(table: object, most: int) -> None:
    if table.wordWrap:
        table.resizeRowsToContents()
    fit_rows(table, most)


def narrow_choice(choice: object) -> None:
    """A list of choices in a table: as wide as its column, not as its longest entry."""
    choice.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(CHOICE)


def fit_rows(table: object, most: int) -> None:
    """Makes the table as high as its rows, up to ``most`` pixels; an empty one as high as the words in their place."""
    names = table.verticalHeader().width if table.verticalHeader().visible else 0
    wide = table.horizontalHeader().length() + names > table.width - 2 * table.frameWidth  # the bar itself comes later
    room = table.horizontalScrollBar().sizeHint.height() if wide else 0
    rows = table.verticalHeader().length() or EMPTY
    height = table.horizontalHeader().sizeHint.height() + rows + 2 * table.frameWidth + room
    height = min(height, most)
    if table.minimumHeight != height:
        table.setFixedHeight(height)


def fill_selector(selector: object, entries: dict[str, str]) -> None:
    """Gives a selector these entries (data to text) where they differ from what it has; keeps the choice, without a
    signal."""
    if [selector.itemData(index) or "" for index in range(selector.count)] != list(entries):
        chosen = selector.currentData
        blocked = selector.blockSignals(True)
        selector.clear()
        for data, text in entries.items():
            selector.addItem(text, data)
        if chosen in entries:
            selector.setCurrentIndex(list(entries).index(chosen))
        selector.blockSignals(blocked)
