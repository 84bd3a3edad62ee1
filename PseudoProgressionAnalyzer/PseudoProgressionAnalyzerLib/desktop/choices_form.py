"""What sources dispute or leave open, as the user's choices; until one is chosen every reading is computed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from ..response import Choices
from ..response.published import published, readings, switchable
from .tab_order import tab_in_place

NUMBERS = {  # setting: highest value, step
    "steroid_tolerance": (16.0, 0.5), "longest_confirmation": (730.0, 7.0), "bt_rads_unchanged": (100.0, 5.0),
    "bt_rads_major": (200.0, 5.0),
}  # fmt: skip


def words_of(name: str) -> str:
    """What a choice is about."""
    return {
        "limits": _("A change that equals a limit"),
        "mixed": _("Complete response of one part, the other stable"),
        "steroid_factors": _("Conversion of steroid doses"),
        "after_unconfirmed": _("Growth after an unconfirmed progression counts from"),
        "late_confirmation": _("The protocol confirms progression after 12 weeks too"),
        "steroid_tolerance": _("Doses within this are the same (mg dexamethasone per day)"),
        "longest_confirmation": _("Days after which a scan no longer confirms (0: open)"),
        "bt_rads_unchanged": _("BT-RADS: unchanged up to % of volume (0: reader only)"),
        "bt_rads_major": _("BT-RADS: major from % of volume (0: reader only)"),
        "bands": _("Bands in the figure, days after radiotherapy"),
    }[name]


class ChoicesForm:
    """Widgets in a form layout; ``chosen(name, value)`` tells of each change."""

    def __init__(self, layout: object, chosen: Callable[[str, Any], None]):
        self._chosen = chosen
        self._filling = False
        self._boxes = {}
        for name in published()["disputed"]:
            self._boxes[name] = self._box(layout, words_of(name), [None, *readings(name)], name)
        self._boxes["late_confirmation"] = self._box(layout, words_of("late_confirmation"), [False, True],
                                                     "late_confirmation")  # fmt: skip
        self._rules = {}
        for rule in switchable():
            what = published()["recalled"][rule]["what"]
            box = qt.QCheckBox(_("Rule {rule}, not verified").format(rule=rule))
            box.toolTip = what
            box.connect("clicked(bool)", lambda on: self._switched())
            layout.addRow(box)
            self._rules[rule] = box
        self._numbers = {}
        for name, (highest, step) in NUMBERS.items():
            number = qt.QDoubleSpinBox()
            number.maximum, number.singleStep, number.decimals, number.keyboardTracking = highest, step, 1, False
            number.connect("valueChanged(double)", lambda value, name=name: self._number(name, value))
            layout.addRow(words_of(name), number)
            self._numbers[name] = number
        self._bands = qt.QLineEdit()
        self._bands.connect("editingFinished()", self._banded)
        layout.addRow(words_of("bands"), self._bands)
        tab_in_place(layout.parentWidget())

    def fill(self, choices: Choices) -> None:
        """Shows what is chosen."""
        self._filling = True
        settings = choices.settings
        for name, (box, values) in self._boxes.items():
            box.currentIndex = values.index(getattr(settings, name))
        for rule, box in self._rules.items():
            box.checked = rule in settings.recalled
        for name, number in self._numbers.items():
            number.value = float(getattr(settings, name) or 0.0)
        self._bands.text = ", ".join(f"{first}-{last}" for first, last in choices.bands)
        self._filling = False

    def _box(self, layout: object, label: str, values: list[Any], name: str) -> tuple[object, list[Any]]:
        box = qt.QComboBox()
        shown = {None: _("every reading"), True: _("yes"), False: _("no")}
        for value in values:
            box.addItem(shown.get(value, str(value).replace("_", " ")))
        box.connect("activated(int)", lambda index: self._tell(name, values[index]))
        layout.addRow(label, box)
        return box, values

    def _switched(self) -> None:
        self._tell("recalled", frozenset(rule for rule, box in self._rules.items() if box.checked))

    def _number(self, name: str, value: float) -> None:
        if name == "steroid_tolerance":
            self._tell(name, value)
        else:
            whole = int(value) if name == "longest_confirmation" else value
            self._tell(name, whole if value > 0 else None)

    def _banded(self) -> None:
        found = parse_bands(self._bands.text)
        if found is not None:
            self._tell("bands", found)

    def _tell(self, name: str, value: Any) -> None:
        if not self._filling:
            self._chosen(name, value)


def parse_bands(text: str) -> tuple[tuple[int, int], ...] | None:
    """Spans of days as ``0-84, 183-548``; None where the text is no such list."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(\d{1,4})\s*-\s*(\d{1,4})", part)
        if match is None or int(match[1]) >= int(match[2]):
            return None
        found.append((int(match[1]), int(match[2])))
    return tuple(found[:2])
