"""The responses as a tree: visits, their criteria, and the reasons that open in place."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from .. import texts
from ..analysis import Analysis
from ..measures import Message
from ..report import words
from ..report.impression import heading_of_later, impression, references, with_other_baselines
from ..report.therapy_figure import short
from ..response import CRITERIA, Option, Response, Verdict

TREE = "BT_RADS"
CATEGORY = 140  # pixels of a column of categories at most: the whole words are in the tool tip
INDENT = 12  # pixels by which a line is moved in: the names of criteria stand beside their categories
NARROWEST, HIGHEST, MARGIN = 340, 2000, 8  # pixels: of the tree, of a sentence, around a text


def open_by_lines(tree: object) -> None:
    """A line opens and closes by a click anywhere on it and by Enter, not only by its small triangle. Of a double click
    Qt tells one click, so that it opens too."""

    def turn(item: object, _column: int = 0) -> None:
        if item is not None and item.childCount():
            item.setExpanded(not item.isExpanded())

    tree.setExpandsOnDoubleClick(False)
    tree.connect("itemClicked(QTreeWidgetItem*,int)", turn)
    for key in (qt.Qt.Key_Return, qt.Qt.Key_Enter):
        shortcut = qt.QShortcut(qt.QKeySequence(key), tree)
        shortcut.setContext(qt.Qt.WidgetShortcut)
        shortcut.connect("activated()", lambda: turn(tree.currentItem()))


def fill_responses(tree: object, analysis: Analysis | None) -> None:
    """Fills the tree; what was open stays open."""
    opened = {_path(item) for item in _items(tree) if item.isExpanded()}
    tree.clear()
    tree.setHeaderLabels([_("Visit and criterion"), _("By area"), _("By volume")])
    for visit in reversed(analysis.patient.visits if analysis else []):
        when = [words.date_words(visit), words.day_words(analysis.patient, visit)]
        top = _sentence(tree, ", ".join(text for text in when if text))
        for criterion in CRITERIA:
            response = analysis.response.of(visit.id, criterion)
            if response is not None:
                both = [response.area, response.volume]
                row = _item(top, [words.label("criterion", criterion), *(_both_times(one) for one in both)])
                _sentence(row, impression(analysis, response))
                for verdict, name in zip(both, (_("By area"), _("By volume")), strict=True):
                    _reasons(_sentence(row, name), analysis, verdict)
                _other_baselines(row, analysis, response)
        verdict = analysis.response.bt_rads_of(visit.id)
        if verdict is not None:
            _reasons(_item(top, [words.label("criterion", TREE), _both_times(verdict), ""]), analysis, verdict)
    for item in _items(tree):
        item.setExpanded(_path(item) in opened or (not opened and item.parent() is None))
    _fit(tree)


def _fit(tree: object) -> None:
    """Categories have the room that they need, up to a limit; criteria the rest; sentences wrap over all columns."""
    tree.setIndentation(INDENT)
    header = tree.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
    for column in (1, 2):
        header.setSectionResizeMode(column, qt.QHeaderView.Interactive)
        tree.resizeColumnToContents(column)
        tree.setColumnWidth(column, min(tree.columnWidth(column), CATEGORY))
    beside = tree.verticalScrollBar().sizeHint.width()  # which comes once the lines are open
    metrics, whole = tree.fontMetrics(), max(tree.width - beside - MARGIN // 2, NARROWEST)
    for item in _items(tree):
        if item.isFirstColumnSpanned():
            width = whole - tree.indentation * len(_path(item)) - MARGIN
            place = metrics.boundingRect(0, 0, width, HIGHEST, qt.Qt.TextWordWrap, item.text(0))
            item.setSizeHint(0, qt.QSize(width, place.height() + MARGIN // 2))


def _other_baselines(item: object, analysis: Analysis, response: Response) -> None:
    """What is possible with every other baseline, where it differs."""
    found = with_other_baselines(analysis, response)
    if found:
        below = _sentence(item, words.say("report_other_baselines"))
        for entry in found:
            _sentence(below, entry)


def _both_times(verdict: Verdict) -> str:
    now, later = short(verdict, False), short(verdict, True)
    return now if now == later else f"{now} \u2192 {later}"


def _reasons(item: object, analysis: Analysis, verdict: Verdict) -> None:
    """What is possible with its reasons, what is unknown, what sources dispute and what else must be said."""
    _options(item, words.say("report_then"), verdict.provisional)
    if {option.category for option in verdict.final} != {option.category for option in verdict.provisional}:
        heading = words.say(f"report_{heading_of_later(analysis.patient, verdict.visit)}")
        _options(item, heading, verdict.final)
    if verdict.baseline:
        _sentence(item, references(analysis.patient, verdict))
    said = [reason for option in (*verdict.provisional, *verdict.final) for reason in option.reasons]
    notes = [note for note in verdict.notes if note not in said]
    parts = ((_("Unknown"), verdict.unknowns), (_("Sources differ"), verdict.depends_on), (_("Beside it"), notes))
    for title, messages in parts:
        if messages:
            _messages(_sentence(item, title), messages)


def _options(item: object, title: str, options: Sequence[Option]) -> None:
    for option in options:
        below = _sentence(item, f"{title}: {words.label('category', option.category)}")
        _messages(below, option.reasons)


def _messages(item: object, messages: Sequence[Message]) -> None:
    for message in messages:
        _sentence(item, texts.sentence(message))


def _item(parent: object, cells: Sequence[str]) -> object:
    item = qt.QTreeWidgetItem(parent)
    for column, text in enumerate(cells):
        item.setText(column, text)
        item.setToolTip(column, text)
    return item


def _sentence(parent: object, text: str) -> object:
    """An entry over the whole width, with its whole text as tool tip."""
    item = _item(parent, [text])
    item.setFirstColumnSpanned(True)
    return item


def _items(tree: object) -> list[object]:
    found, waiting = [], [tree.topLevelItem(number) for number in range(tree.topLevelItemCount)]
    while waiting:
        item = waiting.pop()
        found.append(item)
        waiting += [item.child(number) for number in range(item.childCount())]
    return found


def _path(item: object) -> tuple[str, ...]:
    """The texts from the top down to an item, by which it is known again."""
    path = []
    while item is not None:
        path.append(item.text(0))
        item = item.parent()
    return tuple(reversed(path))
