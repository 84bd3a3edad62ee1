"""The tables of visits and of the series of one visit, in which they are corrected."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from .. import texts
from ..formats.dicom_pictures import is_picture
from ..measures import ROLES, Patient, Series, Visit
from ..patient import editing
from ..patient.choosing import OPEN, open_roles
from ..report.words import day_words
from .placeholder import when_empty
from .section import hold_again, offer
from .tables import explain, give_last_the_rest, narrow_choice

Edit = Callable[[Patient], Patient]
DATE = 1  # column
MOST = 190  # pixels of a table's height: longer ones scroll


def parse_date(text: str) -> datetime.date | None:
    """A date as typed (YYYY-MM-DD), None where the cell is empty or says that it is unknown. Raises ValueError."""
    return datetime.date.fromisoformat(text.strip()) if text.strip() not in ("", _("unknown")) else None


def no_date(text: str) -> str:
    """What is said of a text that cannot be read as a date."""
    return _("{text} is no date. A date is written as YYYY-MM-DD, or left empty.").format(text=text.strip())


class VisitsTable:
    """One row per visit: used or not, with a sign where there is something to know of it; date, days since
    radiotherapy, images.

    correct is called with an edit of the patient; complain with a sentence where a date cannot be read.
    """

    def __init__(self, table: object, correct: Callable[[Edit], None], complain: Callable[[str], None]):
        self.table = table
        self.correct = correct
        self.complain = complain
        self.visits: list[tuple[Visit, bool]] = []
        self.filling = False
        table.connect("cellChanged(int,int)", self._changed)
        table.verticalHeader().setVisible(False)
        when_empty(table, _("No patient is loaded. Choose where to load one from, above."))

    def fill(self, patient: Patient | None) -> None:
        """Shows the visits of the patient, those that are left out without a tick."""
        every = [(visit, True) for visit in patient.visits] if patient else []
        every += [(left.visit, False) for left in patient.left_out] if patient else []
        every.sort(key=lambda each: (each[0].date is None, each[0].date or datetime.date.max, each[0].id))
        self.visits, self.filling = every, True
        header = [_("Visit"), _("Date"), _("Day"), _("Images")]
        self.table.setColumnCount(len(header))
        self.table.setHorizontalHeaderLabels(header)
        self.table.setRowCount(len(every))
        for number, (visit, used) in enumerate(every):
            roles = [
                *dict.fromkeys(series.role for series in visit.series),
                *(f"{role}?" for role in open_roles(visit)),
            ]
            warnings = " ".join(texts.sentence(warning) for warning in visit.warnings)
            date = visit.date.isoformat() if visit.date else _("unknown")
            day = patient.day(visit)
            shown = (visit.id, date, _("unknown") if day is None else f"{day:+d}", ", ".join(roles))
            tips = (warnings or visit.id, date, day_words(patient, visit) or _("A date is not known"), shown[3])
            for column, (text, tip) in enumerate(zip(shown, tips, strict=True)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(tip)
                if column == 0 and warnings:
                    item.setIcon(self.table.style().standardIcon(qt.QStyle.SP_MessageBoxWarning))
                if column == DATE and used:
                    item.setToolTip(_("Double-click to correct the date (YYYY-MM-DD); empty where it is unknown"))
                flags = qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled
                if column == 0:
                    flags |= qt.Qt.ItemIsUserCheckable
                    item.setCheckState(qt.Qt.Checked if used else qt.Qt.Unchecked)
                if column == DATE and used:
                    flags |= qt.Qt.ItemIsEditable
                item.setFlags(flags)
                self.table.setItem(number, column, item)
        give_last_the_rest(self.table, MOST)
        explain(
            self.table,
            [
                _("The tick says whether the visit is used; the sign that there is something to know of it"),
                _("Double-click a date to correct it"),
                _("Days after the end of radiotherapy; before it with a minus"),
                _("What there is of the visit; with a question mark where you must choose a series below"),
            ],
        )
        self.filling = False

    def remarks(self) -> list[str]:
        """What should be known of the chosen visit, and in how many others there is something to know."""
        chosen = self.chosen()
        said = [texts.sentence(warning) for warning in chosen.warnings] if chosen else []
        others = [visit.id for visit, used in self.visits if used and visit.warnings and visit is not chosen]
        if others:
            said.append(_("Choose a visit with the sign to read of it: {visits}").format(visits=", ".join(others)))
        return said

    def chosen(self) -> Visit | None:
        """The visit of the current row, the first one where none is chosen."""
        used = [visit for visit, used in self.visits if used]
        row = self.table.currentRow()
        if 0 <= row < len(self.visits) and self.visits[row][1]:
            return self.visits[row][0]
        return used[0] if used else None

    def _changed(self, row: int, column: int) -> None:
        if self.filling or not 0 <= row < len(self.visits):
            return
        visit, used = self.visits[row]
        if column == 0:
            wanted = self.table.item(row, 0).checkState() == qt.Qt.Checked
            if wanted != used:
                change = editing.take_in if wanted else editing.leave_out
                self._later(lambda patient: change(patient, visit.id))
        elif column == DATE:
            try:
                date = parse_date(self.table.item(row, DATE).text())
            except ValueError:
                self.complain(no_date(self.table.item(row, DATE).text()))
                self.table.item(row, DATE).setText(visit.date.isoformat() if visit.date else _("unknown"))
                return
            if date != visit.date:
                self._later(lambda patient: editing.set_date(patient, visit.id, date))

    def _later(self, edit: Edit) -> None:
        """After the cell's own event: filling the table would delete the editor that still reports."""
        qt.QTimer.singleShot(0, lambda: self.correct(edit))


class SeriesTable:
    """The series of one visit, used ones first: role and visit can be chosen, the reason of the guess is shown."""

    def __init__(self, table: object, correct: Callable[[Edit], None], dimensions: Callable[[Series], int | None]):
        self.table = table
        self.correct = correct
        self.dimensions = dimensions
        self.series: list[Series] = []
        table.verticalHeader().setVisible(False)
        when_empty(table, _("The series of the visit that is chosen above"))

    def fill(self, patient: Patient | None, visit: Visit | None) -> None:
        """Shows the series of a visit, first those among which the user must choose."""
        series = [*visit.series, *visit.set_aside] if visit else []
        series.sort(key=lambda each: not _is_open(each))
        self.series = series
        header = [_("Role"), _("Series"), _("Visit"), _("Why")]
        self.table.setColumnCount(len(header))
        self.table.setHorizontalHeaderLabels(header)
        self.table.setRowCount(len(series))
        for number, each in enumerate(series):
            name = each.description or each.path.name
            reason = texts.sentence(each.reason) if each.reason else ""
            for column, text in ((1, name), (3, reason)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(f"{text}\n{each.path}" if column == 1 else text)
                item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                self.table.setItem(number, column, item)
            self.table.setCellWidget(number, 0, self._roles(visit, each))
            self.table.setCellWidget(number, 2, self._visits(patient, visit, each))
        give_last_the_rest(self.table, MOST)
        hold_again(self.table)

    @property
    def picture(self) -> Series | None:
        """The picture of the current row, else the only one of the table."""
        row, pictures = self.table.currentRow(), [each for each in self.series if is_picture(each)]
        if 0 <= row < len(self.series) and is_picture(self.series[row]):
            return self.series[row]
        return pictures[0] if len(pictures) == 1 else None

    def _roles(self, visit: Visit, series: Series) -> object:
        choice = qt.QComboBox()
        if _is_open(series):
            choice.addItem(_("choose: {role}?").format(role=_open_role(series)))
        choice.addItem(_("not used"), editing.NOT_USED)
        for role in ROLES:
            choice.addItem(role, role)
        choice.setCurrentIndex(0 if _is_open(series) else max(0, choice.findData(series.role)))
        narrow_choice(choice)
        choice.setToolTip(_("What this series is; the series that had the role before is set aside"))

        def chosen(index: int) -> None:
            role = choice.itemData(index)
            if role is not None and (role != series.role or _is_open(series)):
                dimensions = self.dimensions(series) if role else None
                edit = lambda patient: editing.set_role(patient, visit.id, series, role, dimensions)  # noqa: E731
                qt.QTimer.singleShot(0, lambda: self.correct(edit))

        choice.connect("activated(int)", chosen)
        return choice

    def _visits(self, patient: Patient, visit: Visit, series: Series) -> object:
        choice = qt.QComboBox()
        names = [each.id for each in patient.visits]
        choice.addItems([*names, _("a visit of its own")])
        choice.setCurrentIndex(names.index(visit.id))
        narrow_choice(choice)
        choice.setToolTip(_("The visit that the whole study of this series belongs to"))
        offer(choice, bool(series.study), _("It is not known which study this file belongs to: it stays in its visit"))

        def chosen(index: int) -> None:
            target = names[index] if index < len(names) else new_visit_name(patient, visit)
            if target != visit.id:
                edit = lambda patient: editing.move_study(patient, series.study, target)  # noqa: E731
                qt.QTimer.singleShot(0, lambda: self.correct(edit))

        choice.connect("activated(int)", chosen)
        return choice


def _is_open(series: Series) -> bool:
    """Whether the series waits for the user to say if it plays its role."""
    return series.reason is not None and series.reason.code == OPEN


def _open_role(series: Series) -> str:
    return str(series.reason.parameters["role"])


def new_visit_name(patient: Patient, beside: Visit) -> str:
    """A name for a new visit on the day of another one, that no visit has."""
    taken = {visit.id for visit in patient.visits} | {left.visit.id for left in patient.left_out}
    base = beside.date.isoformat() if beside.date else "visit"
    return next(name for name in (base, *(f"{base}_{n}" for n in range(2, 1000))) if name not in taken)
