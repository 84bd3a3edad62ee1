"""The evidence ledger as a tree: the heaviest item first, its reasons and source open in place."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from ..report.statement import Line

ARROWS = 10
"""Arrows of the heaviest weight that one item can have (10 decibans): one for each."""


def fill_ledger(tree: object, lines: Sequence[Line]) -> None:
    """Fills the tree; rows that were open stay open."""
    opened = {_key(item) for item in _rows(tree) if item.isExpanded()}
    tree.clear()
    tree.setHeaderLabels([_("Measure"), _("Value"), _("Speaks for progression"), _("Weight"), _("Source")])
    for line in lines:
        weight = f"{line.weight_words} {arrows(line.weight)}" if line.weight is not None else _("no weight")
        row = qt.QTreeWidgetItem(tree)
        for column, text in enumerate((line.measure, line.value, line.cut_off, weight, line.source)):
            row.setText(column, text)
            row.setToolTip(column, text)
        details = [line.where, line.accuracy]
        if line.ratio:
            details.append(_("Likelihood ratio {ratio}").format(ratio=line.ratio))
        for text in (*details, *line.reasons):
            if text:
                below = qt.QTreeWidgetItem(row)
                below.setText(0, text)
                below.setToolTip(0, text)
                below.setFirstColumnSpanned(True)
        row.setExpanded(_key(row) in opened)
    for column in range(4):
        tree.resizeColumnToContents(column)


def arrows(weight: float) -> str:
    """One arrow for each deciban, to the right for true progression, to the left for treatment effect."""
    count = min(round(abs(weight)), ARROWS)
    return ("\u25b6" if weight > 0 else "\u25c0") * count


def _rows(tree: object) -> list[object]:
    return [tree.topLevelItem(number) for number in range(tree.topLevelItemCount)]


def _key(row: object) -> tuple[str, str]:
    return row.text(0), row.text(4)
