"""The table in which volumes and segments of the scene are given their visit and role before they become a patient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import qt
from slicer.i18n import tr as _

from .. import texts
from ..measures import ROLES
from ..scene.adopting import REGIONS, Candidate
from .visits_table import parse_date


class VolumesTable:
    """One row per candidate. complain is called with a sentence where a date cannot be read."""

    def __init__(self, table: object, complain: Callable[[str], None]):
        self.table = table
        self.complain = complain
        self.candidates: list[Candidate] = []
        self.roles: list[object] = []

    def fill(self, candidates: list[Candidate]) -> None:
        """Shows what was found with its guesses."""
        self.candidates, self.roles = candidates, []
        header = [_("Name"), _("Role"), _("Visit"), _("Date"), _("Why")]
        self.table.setColumnCount(len(header))
        self.table.setHorizontalHeaderLabels(header)
        self.table.setRowCount(len(candidates))
        for number, each in enumerate(candidates):
            date = each.date.isoformat() if each.date else ""
            why = texts.sentence(each.reason)
            for column, text in ((0, each.name), (2, each.visit), (3, date), (4, why)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
                item.setFlags(flags | qt.Qt.ItemIsEditable if column in (2, 3) else flags)
                self.table.setItem(number, column, item)
            choice = qt.QComboBox()
            choice.addItem(_("not used"), "")
            for role in REGIONS if each.drawn else ROLES:
                choice.addItem(role, role)
            choice.setCurrentIndex(max(0, choice.findData(each.role)))
            self.table.setCellWidget(number, 1, choice)
            self.roles.append(choice)
        self.table.resizeColumnsToContents()

    def chosen(self) -> list[Candidate] | None:
        """The candidates as corrected; None where a date cannot be read. A date holds for its whole visit."""
        found = []
        for number, each in enumerate(self.candidates):
            try:
                date = parse_date(self.table.item(number, 3).text())
            except ValueError:
                self.complain(_("A date is written as YYYY-MM-DD."))
                return None
            role = self.roles[number].itemData(self.roles[number].currentIndex) or ""
            found.append(replace(each, role=role, visit=self.table.item(number, 2).text().strip(), date=date))
        return found
