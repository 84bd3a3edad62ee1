"""The table of events and the form of the chosen one."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace

import qt
from slicer.i18n import tr as _

from ..measures import EVENT_KINDS, Event, Patient
from ..patient import editing
from ..patient.event_fields import FIELDS, EventField, detail_words, parse_detail
from ..report.words import event_details, label
from .placeholder import when_empty
from .tab_order import tab_in_place
from .tables import give_last_the_rest
from .visits_table import MOST, Edit, no_date, parse_date


class EventsTable:
    """Widgets: ``table``, ``form`` (an empty QWidget with a form layout) and ``kinds`` (a combo box)."""

    def __init__(
        self,
        table: object,
        form: object,
        kinds: object,
        correct: Callable[[Edit], None],
        complain: Callable[[str], None],
    ):
        self.table = table
        self.form = form
        self.kinds = kinds
        self.correct = correct
        self.complain = complain
        self.events: list[Event] = []
        self.fields: dict[str, object] = {}
        kinds.addItems([label("event", kind) for kind in EVENT_KINDS])
        table.connect("itemSelectionChanged()", self._show_form)
        table.verticalHeader().setVisible(False)
        when_empty(table, _("Surgery, radiotherapy, drugs, clinical status: choose one below and press Add"))

    def fill(self, patient: Patient | None) -> None:
        """Shows the patient's events by their dates, those without one last; where they are as before, what is written
        in the form stays."""
        events = sorted(patient.events if patient else (), key=lambda event: event.date or datetime.date.max)
        if events == self.events and self.table.rowCount == len(events) and self.table.columnCount:
            return
        self.events = events
        header = [_("Event"), _("Date"), _("End"), _("Details")]
        self.table.setColumnCount(len(header))
        self.table.setHorizontalHeaderLabels(header)
        self.table.setRowCount(len(self.events))
        for number, event in enumerate(self.events):
            dates = [date.isoformat() if date else "" for date in (event.date, event.end)]
            for column, text in enumerate((label("event", event.kind), *dates, event_details(event))):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(number, column, item)
        give_last_the_rest(self.table, MOST)
        self._show_form()

    @property
    def chosen(self) -> int | None:
        """The number of the chosen event."""
        row = self.table.currentRow()
        return row if 0 <= row < len(self.events) else None

    def add(self) -> None:
        """A new event of the chosen kind, without a date yet."""
        new, before = Event(EVENT_KINDS[self.kinds.currentIndex], None), len(self.events)
        self.correct(lambda patient: editing.set_events(patient, [*patient.events, new]))
        if len(self.events) > before:  # else it was refused, and why stands there
            self._choose(new)
            self.complain(_("Write the date of the event in the form below the table, and press Apply."))

    def remove(self) -> None:
        """Without the chosen event."""
        number = self.chosen
        if number is not None:
            kept = [event for other, event in enumerate(self.events) if other != number]
            self.correct(lambda patient: editing.set_events(patient, kept))

    def apply(self) -> None:
        """Takes over what the form says of the chosen event."""
        number = self.chosen
        if number is None:
            return
        event = self.events[number]
        details = dict(event.details)
        for field in FIELDS[event.kind]:
            value = parse_detail(field, self._text(field.name))
            details.pop(field.name, None)
            if value is not None:
                details[field.name] = value
        dates = {}
        for name in ("date", "end"):
            try:
                dates[name] = parse_date(self._text(name))
            except ValueError:
                self.complain(no_date(self._text(name)))
                return
        changed = [*self.events]
        changed[number] = replace(event, **dates, details=details)
        self.correct(lambda patient: editing.set_events(patient, changed))
        self._choose(changed[number])

    def _choose(self, event: Event) -> None:
        """Chooses an event where it stands now; nothing where it was refused."""
        if event in self.events:
            self.table.setCurrentCell(self.events.index(event), 0)

    def _text(self, name: str) -> str:
        widget = self.fields[name]
        if not hasattr(widget, "currentIndex"):
            return widget.text
        return widget.itemData(widget.currentIndex) or ""

    def _show_form(self) -> None:
        layout = self.form.layout()
        while layout.rowCount():
            layout.removeRow(0)
        self.fields = {}
        number = self.chosen
        self.form.visible = number is not None
        if number is None:
            return
        event = self.events[number]
        for name, title, date in (("date", _("Date:"), event.date), ("end", _("End:"), event.end)):
            self._line(name, title, date.isoformat() if date else "", "YYYY-MM-DD")
        for field in FIELDS[event.kind]:
            value = event.details.get(field.name)
            shown = "" if value is None else detail_words(value)
            title = label("event_field", field.name)
            if field.form in ("yes_no", "choice"):
                self._choice(field, title, shown)
            else:
                self._line(field.name, f"{title}:", shown, field.unit)
        tab_in_place(self.form)

    def _line(self, name: str, title: str, text: str, hint: str) -> None:
        widget = qt.QLineEdit(text)
        widget.placeholderText = hint
        widget.setToolTip(_("Leave empty where it is not known"))
        self.form.layout().addRow(title, widget)
        self.fields[name] = widget

    def _choice(self, field: EventField, title: str, shown: str) -> None:
        widget = qt.QComboBox()
        widget.addItem(_("not known"), "")
        for word in field.choices or ("yes", "no"):
            widget.addItem(word, word)
        widget.setCurrentIndex(max(0, widget.findData(shown)))
        self.form.layout().addRow(f"{title}:", widget)
        self.fields[field.name] = widget
