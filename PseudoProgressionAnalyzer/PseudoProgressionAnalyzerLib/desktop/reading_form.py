"""Questions about one visit that only a reader can answer; "not stated" stays unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from ..patient.event_fields import FIELDS
from .tab_order import tab_in_place

UNKNOWN = None
QUESTIONS = [("reading", field) for field in FIELDS["reading"]]
QUESTIONS += [("clinical_status", field) for field in FIELDS["clinical_status"]]
HIGHEST_DOSE = 64.0


def words_of(name: str) -> str:
    """The question about a detail of an event."""
    return {
        "all_lesions_drawn": _("Every lesion of this visit is drawn"),
        "new_lesion": _("There is a new lesion"),
        "nonmeasurable_progression": _("Lesions too small to measure clearly progress"),
        "leptomeningeal": _("There is definite leptomeningeal disease"),
        "flair_worse": _("T2/FLAIR increased significantly without another cause"),
        "outside_field": _("Growth or new enhancement lies outside the high-dose region"),
        "enhancement": _("Enhancement against the visit before"),
        "flair": _("T2/FLAIR against the visit before"),
        "major": _("Both are much worse"),
        "progressive": _("Both have worsened over several studies"),
        "steroid_effect_likely": _("The rising steroid dose explains the improvement"),
        "status": _("Clinical status"),
        "from_tumour": _("A worse status comes from the tumour alone"),
        "dose_mg_per_day": _("Dexamethasone on this day (mg per day)"),
    }[name]


class ReadingForm:
    """Combo boxes in a form layout, one for each question; ``answered(kind, name, value)`` tells of each change."""

    def __init__(self, layout: object, answered: Callable[[str, str, Any], None]):
        self._answered = answered
        self._boxes: dict[tuple[str, str], tuple[object, list[Any]]] = {}
        self._filling = False
        for kind, field in QUESTIONS:
            box = qt.QComboBox()
            values = [UNKNOWN, True, False] if field.form == "yes_no" else [UNKNOWN, *field.choices]
            shown = {UNKNOWN: _("not stated"), True: _("yes"), False: _("no")}
            for value in values:
                box.addItem(shown.get(value, value))
            box.connect("activated(int)", lambda index, key=(kind, field.name): self._chosen(key, index))
            layout.addRow(words_of(field.name), box)
            self._boxes[kind, field.name] = box, values
        self._dose = qt.QDoubleSpinBox()
        self._dose.minimum, self._dose.maximum, self._dose.decimals = -1.0, HIGHEST_DOSE, 1
        self._dose.specialValueText = _("not stated")
        self._dose.keyboardTracking = False
        self._dose.connect("valueChanged(double)", self._dosed)
        layout.addRow(words_of("dose_mg_per_day"), self._dose)
        tab_in_place(layout.parentWidget())

    def fill(self, stated: Callable[[str, str], Any]) -> None:
        """Shows what is stated; ``stated(kind, name)`` says it."""
        self._filling = True
        for (kind, name), (box, values) in self._boxes.items():
            value = stated(kind, name)
            box.currentIndex = values.index(value) if value in values else 0
        dose = stated("dexamethasone", "dose_mg_per_day")
        self._dose.value = -1.0 if dose is None else float(dose)
        self._filling = False

    def _chosen(self, key: tuple[str, str], index: int) -> None:
        if not self._filling:
            self._answered(*key, self._boxes[key][1][index])

    def _dosed(self, dose: float) -> None:
        if not self._filling:
            self._answered("dexamethasone", "dose_mg_per_day", None if dose < 0 else dose)
