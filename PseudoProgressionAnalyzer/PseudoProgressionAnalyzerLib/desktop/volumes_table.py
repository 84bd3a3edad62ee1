"""The table in which volumes and segments of the scene are given their visit and role before they become a patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import qt
from slicer.i18n import tr as _

from .. import texts
from ..formats.sidecars import PLAUSIBLE
from ..measures import ROLES
from ..scene.candidates import REGIONS, Candidate
from .visits_table import no_date, parse_date

VISIT, DATE, WHY = 2, 3, 6  # columns
TIMES = {4: "EchoTime", 5: "RepetitionTime"}
"""Columns of what a time series must be known of, in ms."""


class VolumesTable:
    """One row per candidate. complain is called with a sentence where something typed cannot be read."""

    def __init__(self, table: object, complain: Callable[[str], None]):
        self.table = table
        self.complain = complain
        self.candidates: list[Candidate] = []
        self.roles: list[object] = []
        table.verticalHeader().setVisible(False)

    def fill(self, candidates: list[Candidate]) -> None:
        """Shows what was found with its guesses, by visit."""
        order = sorted(candidates, key=lambda each: (each.visit, each.drawn))
        self.candidates, self.roles = order, []
        header = [_("Name"), _("Role"), _("Visit"), _("Date"), _("TE (ms)"), _("TR (ms)"), _("Why")]
        self.table.setColumnCount(len(header))
        self.table.setHorizontalHeaderLabels(header)
        self.table.setRowCount(len(order))
        for number, each in enumerate(order):
            date = each.date.isoformat() if each.date else ""
            cells = {0: each.name, VISIT: each.visit, DATE: date, WHY: texts.sentence(each.reason)}
            for column in TIMES:
                cells[column] = _milliseconds(each, TIMES[column])
            for column, text in cells.items():
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
                if column in TIMES:
                    item.setToolTip(_("Of a time series; of DSC, TR is the time from one volume to the next"))
                editable = column in (VISIT, DATE) or (column in TIMES and each.dimensions == 4)
                item.setFlags(flags | qt.Qt.ItemIsEditable if editable else flags)
                self.table.setItem(number, column, item)
            self.table.setCellWidget(number, 1, self._choice(each))
        self.table.resizeColumnsToContents()

    def _choice(self, each: Candidate) -> object:
        choice = qt.QComboBox()
        choice.addItem(_("not used"), "")
        for role in REGIONS if each.drawn else ROLES:
            choice.addItem(role, role)
        choice.setCurrentIndex(max(0, choice.findData(each.role)))
        self.roles.append(choice)
        return choice

    def chosen(self) -> list[Candidate] | None:
        """The candidates as corrected; None where something cannot be read. A date holds for its whole visit."""
        found = []
        for number, each in enumerate(self.candidates):
            try:
                date = parse_date(self.table.item(number, DATE).text())
            except ValueError:
                self.complain(no_date(self.table.item(number, DATE).text()))
                return None
            acquisition = self._acquisition(number, each)
            if acquisition is None:
                return None
            role = self.roles[number].itemData(self.roles[number].currentIndex) or ""
            visit = self.table.item(number, VISIT).text().strip()
            found.append(replace(each, role=role, visit=visit, date=date, acquisition=acquisition))
        return found

    def _acquisition(self, number: int, each: Candidate) -> dict | None:
        """What is known of the acquisition, with the times as typed; None where one cannot be."""
        acquisition = dict(each.acquisition)
        for column, name in TIMES.items():
            text = self.table.item(number, column).text().strip()
            if text == _milliseconds(each, name):
                continue
            acquisition.pop(name, None)
            if not text:
                continue
            low, high, _unit = PLAUSIBLE[name]
            try:
                value = float(text) / 1000
            except ValueError:
                value = 0.0
            if not low <= value <= high:
                words = _("{text} is no {field} in milliseconds: {low:g} to {high:g} can be.")
                self.complain(words.format(text=text, field=name, low=1000 * low, high=1000 * high))
                return None
            acquisition[name] = value
        return acquisition


def _milliseconds(each: Candidate, name: str) -> str:
    value = each.acquisition.get(name)
    return f"{1000 * value:g}" if isinstance(value, (int, float)) else ""
