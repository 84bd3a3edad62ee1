"""The evidence ledger as a tree: a row for each measure, the heaviest first, and in it the published cut-offs.

What stands behind the chosen cut-off (source, accuracy, reasons) is words of their own, that wrap and link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import qt
from slicer.i18n import tr as _

from ..report.statement import Line
from ..report.words import decibans

ARROW, ARROWS = 2, 5
"""Decibans that an arrow stands for, and how many the heaviest weight of one item has (10 decibans)."""
ADDRESSES = (
    (re.compile(r"\b(10\.\d{4,}/[^\s,;()]+)"), "https://doi.org/"),
    (re.compile(r"\b(PMC\d+)\b"), "https://pmc.ncbi.nlm.nih.gov/articles/"),
    (re.compile(r"\bPMID (\d+)\b"), "https://pubmed.ncbi.nlm.nih.gov/"),
)
"""How sources are named, and where they stand."""


def fill_ledger(tree: object, lines: Sequence[Line]) -> None:
    """Fills the tree: measures that weigh are open at first; later what was open stays so. Every row of a cut-off holds
    the number of its line."""
    known = {_key(row): row.isExpanded() for row in _rows(tree)}
    tree.clear()
    tree.setHeaderLabels([_("Measure, published cut-off"), _("Value, cut-off"), _("Weight")])
    tree.header().setStretchLastSection(False)
    tree.header().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    tree.header().setSectionResizeMode(0, qt.QHeaderView.Stretch)
    measures: dict[tuple[str, str], list[tuple[int, Line]]] = {}
    for number, line in enumerate(lines):
        measures.setdefault((line.measure, line.where), []).append((number, line))
    for (measure, where), found in measures.items():
        weights = [line.weight for _number, line in found if line.weight is not None]
        row = qt.QTreeWidgetItem(tree)
        _write(row, (measure, found[0][1].value.split(" (")[0], _weight(sum(weights) if weights else None)))
        row.setToolTip(0, f"{measure}\n{where}")
        row.setToolTip(1, found[0][1].value)
        for number, line in found:
            below = qt.QTreeWidgetItem(row)
            _write(below, (line.short_source, line.cut_off, _weight(line.weight)))
            below.setToolTip(0, line.source)
            below.setToolTip(2, "\n".join(line.reasons))
            below.setData(0, qt.Qt.UserRole, number)
        row.setExpanded(known.get(_key(row), bool(weights)))


def details(line: Line) -> str:
    """What stands behind a cut-off as rich text, with links to where the source stands."""
    parts = [f"<b>{escape(line.measure)}</b>, {escape(line.where)}: {escape(line.value)}", _linked(line.source)]
    speaks = _("Speaks for true progression: {cut_off}").format(cut_off=line.cut_off)
    ratio = _("likelihood ratio {ratio}").format(ratio=line.ratio) if line.ratio else ""
    parts.append(escape("; ".join(part for part in (speaks, line.accuracy, ratio, line.weight_words) if part)))
    return "".join(f"<p>{part}</p>" for part in parts) + "".join(f"<p>{escape(text)}</p>" for text in line.reasons)


def line_of(row: object) -> int | None:
    """The number of a row's line; None in the row of a measure."""
    return row.data(0, qt.Qt.UserRole) if row is not None else None


def arrows(weight: float) -> str:
    """One arrow for each two decibans, to the right for true progression, to the left for treatment effect."""
    count = min(round(abs(weight) / ARROW), ARROWS)
    return ("\u25b6" if weight > 0 else "\u25c0") * count


def _write(row: object, cells: Sequence[str]) -> None:
    for column, text in enumerate(cells):
        row.setText(column, text)
        row.setToolTip(column, text)


def _weight(weight: float | None) -> str:
    if weight is None:
        return _("no weight")
    return f"{decibans(weight)} {arrows(weight)}".rstrip()


def _linked(source: str) -> str:
    """The source as HTML, with the addresses that it names as links."""
    text = escape(source)
    for pattern, begin in ADDRESSES:
        text = pattern.sub(lambda found, begin=begin: f'<a href="{begin}{found[1]}">{found[0]}</a>', text)
    return text


def _rows(tree: object) -> list[object]:
    return [tree.topLevelItem(number) for number in range(tree.topLevelItemCount)]


def _key(row: object) -> str:
    return row.toolTip(0)
