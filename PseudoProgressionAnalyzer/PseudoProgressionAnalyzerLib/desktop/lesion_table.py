"""The table of lesions over time, with what the reader chose: target lesions, and what is no tumour."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from .. import texts
from ..analysis import Analysis
from ..lesion.following import FollowedLesion
from ..report.words import date_words, label, quantity
from .placeholder import when_empty
from .section import hold_again, offer
from .tables import fill, fit_rows, narrow_choice

TARGET, TAKEN, ROUNDNESS = 5, 6, 7
MOST = 230  # pixels of the table's height: longer ones scroll
MIMICS = ("postoperative_blood", "ischaemia", "infection", "vessel", "other")
"""What a reader takes a lesion for instead of tumour: its code in the event, empty for tumour."""


class LesionTable:
    """One row per lesion and visit. ``looked(visit, lesion)``, ``chosen(visit, lesion, is target)`` and
    ``taken(visit, lesion, code)`` tell of the reader's clicks: on a row, its check box, its combo box."""

    def __init__(
        self,
        table: object,
        looked: Callable[[str, str], None],
        chosen: Callable[[str, str, bool], None],
        taken: Callable[[str, str, str], None],
    ):
        self._table, self._chosen, self._taken = table, chosen, taken
        self._rows: list[tuple[str, str]] = []
        table.verticalHeader().setVisible(False)
        when_empty(table, _("Lesions of all visits, once they are drawn and measured"))
        table.connect("itemChanged(QTableWidgetItem*)", self._changed)
        table.connect("cellClicked(int,int)", lambda row, column: column < TARGET and looked(*self._rows[row]))

    def fill(self, analysis: Analysis | None, stated: Callable[[str, str], object]) -> None:
        """Shows the lesions by identity; stated: of a visit and a detail of its reading, None where nothing was."""
        header = [
            _("Lesion"), _("Date"), _("Change"), _("Volume"), _("Diameters"), _("Target"),
            _("Taken for"), _("Sphericity (sphere)"),
        ]  # fmt: skip
        blocked = self._table.blockSignals(True)
        names = dict.fromkeys(lesion.lesion for lesion in analysis.lesions) if analysis else ()
        ordered = [lesion for name in names for lesion in analysis.lesions if lesion.lesion == name]
        tips: dict[tuple[int, int], str] = {}
        rows = [_cells(analysis, lesion, number, tips) for number, lesion in enumerate(ordered)]
        self._rows = [(lesion.visit, lesion.lesion) for lesion in ordered]
        fill(self._table, header, rows, tips)
        for number, lesion in enumerate(ordered):
            self._show_choice(number, lesion, stated)
        self._table.blockSignals(blocked)
        self._table.resizeColumnsToContents()
        fit_rows(self._table, MOST)
        hold_again(self._table)

    def _show_choice(self, number: int, lesion: FollowedLesion, stated: Callable[[str, str], object]) -> None:
        there = lesion.outline is not None
        item = self._table.item(number, TARGET)
        item.setFlags(qt.Qt.ItemIsEnabled | (qt.Qt.ItemIsUserCheckable if there else qt.Qt.NoItemFlags))
        targets = stated(lesion.visit, "targets") or []
        item.setCheckState(qt.Qt.Checked if lesion.lesion in targets else qt.Qt.Unchecked)
        item.setText("" if targets or not there else _("auto"))
        item.setToolTip(
            _("Tick the target lesions of this visit; where none is ticked, each criterion chooses its own")
            if there
            else _("The lesion is not there in this visit")
        )
        choice = self._table.cellWidget(number, TAKEN)
        if choice is None:
            choice = qt.QComboBox()
            narrow_choice(choice)
            choice.addItem(_("tumour"))
            for code in MIMICS:
                choice.addItem(label("taken_for", code))
            choice.connect("activated(int)", lambda index, number=number: self._take(number, index))
            choice.toolTip = _("What is not tumour counts in no criterion")
            self._table.setCellWidget(number, TAKEN, choice)
        instead = (stated(lesion.visit, "not_tumour") or {}).get(lesion.lesion, "")
        if instead and instead not in MIMICS and choice.findText(instead) < 0:
            choice.addItem(instead)  # in the words of patient.json
        place = 1 + MIMICS.index(instead) if instead in MIMICS else choice.findText(instead) if instead else 0
        choice.currentIndex = place
        offer(choice, there, _("The lesion is not there in this visit"))

    def _changed(self, item: object) -> None:
        if item.column() == TARGET and item.row() < len(self._rows):
            visit, lesion = self._rows[item.row()]
            on = item.checkState() == qt.Qt.Checked
            qt.QTimer.singleShot(0, lambda: self._chosen(visit, lesion, on))  # the table is filled anew by it

    def _take(self, number: int, index: int) -> None:
        visit, lesion = self._rows[number]
        text = self._table.cellWidget(number, TAKEN).itemText(index)
        code = "" if index == 0 else MIMICS[index - 1] if index <= len(MIMICS) else text
        qt.QTimer.singleShot(0, lambda: self._taken(visit, lesion, code))


def _cells(analysis: Analysis, lesion: FollowedLesion, number: int, tips: dict) -> list[str]:
    """The words of one row: what became of it, volume, diameters, roundness beside a sphere's."""
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
        cells += ["", "", f"{outline.shape.sphericity:.2f} ({outline.sphere.sphericity:.2f})"]
    if tracked.change is not None and tracked.change.value is not None:
        change = quantity(tracked.change.value, tracked.change.low, tracked.change.high, "%", sign=True)
        tips[number, 2] = "\n".join([change, *(texts.sentence(flag) for flag in tracked.change.flags)])
    return [*cells, *[""] * (ROUNDNESS + 1 - len(cells))]
