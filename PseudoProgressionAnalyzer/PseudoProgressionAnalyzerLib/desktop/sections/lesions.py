"""Lesions and response: proposals, lesions with their identities, and how every criterion judges them."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ... import texts
from ...measures import InputError, Message
from ...report.therapy_figure import therapy_figure
from ..choices_form import ChoicesForm
from ..lesion_click import LesionClick, LineWatch
from ..lesion_table import LesionTable
from ..lesion_work import LesionWork
from ..placeholder import when_empty
from ..reading_form import ReadingForm
from ..response_tree import fill_responses, open_by_lines
from ..section import Section, offer

TUMOURS = ("enhancing", "non_enhancing", "mixed")
RULES = ("reader", "product")
NARROWEST_FIGURE = 340  # pixels
AGAIN = 500  # ms until it is looked again whether long work is done


class LesionsSection(Section):
    """Lesions of all visits and their response."""

    name = "lesions"
    changes = (
        "limitBox", "clickButton", "carryButton", "acceptButton", "rejectButton", "lesionsTable", "linesCheckBox",
        "ruleSelector", "takeLinesButton", "measuredLinesButton", "baselineSelector", "tumourSelector", "readingBox",
        "choicesBox",
    )  # fmt: skip

    def __init__(self, *parts):
        super().__init__(*parts)
        self.work = LesionWork(self.session)
        self.click = LesionClick(self.clicked)
        self.watched = LineWatch(self.line_moved)
        self.table = LesionTable(self.ui.lesionsTable, self.look_at, self.choose_target, self.take_for)
        when_empty(self.ui.responseTree, _("How each criterion judges each visit, once lesions are measured"))
        open_by_lines(self.ui.responseTree)
        self.form = ReadingForm(self.ui.readingBox.layout(), self.answered)
        self.choices = ChoicesForm(self.ui.choicesBox.layout(), lambda name, value: self._choose(**{name: value}))
        for words_, value in ((_("enhancing tumour"), 0), (_("non-enhancing tumour"), 1), (_("mixed tumour"), 2)):
            self.ui.tumourSelector.addItem(words_, value)
        for words_, value in ((_("longest, across"), 0), (_("largest product"), 1)):
            self.ui.ruleSelector.addItem(words_, value)
        self.ui.clickButton.connect("clicked(bool)", self.wait_for_click)
        self.ui.carryButton.connect("clicked()", self.carry)
        self.ui.limitBox.connect("valueChanged(double)", self.change_limit)
        self.ui.acceptButton.connect("clicked()", self.accept)
        self.ui.rejectButton.connect("clicked()", self.reject)
        self.ui.lesionVisitSelector.connect("activated(int)", lambda index: self.show_visit())
        self.ui.linesCheckBox.connect("clicked(bool)", lambda shown: self.show_lines())
        self.ui.ruleSelector.connect("activated(int)", lambda index: self.choose_rule())
        self.ui.takeLinesButton.connect("clicked()", self.take_lines)
        self.ui.measuredLinesButton.connect("clicked()", self.measured_lines)
        self.ui.baselineSelector.connect("activated(int)", lambda index: self.choose_baseline())
        self.ui.tumourSelector.connect("activated(int)", lambda index: self.choose_tumour())

    def close(self) -> None:
        """Lets go of the scene."""
        self.click.stop()
        self.watched.watch([])
        self.work.forget()

    def exit(self) -> None:
        """No click is waited for in another module."""
        self.click.stop()
        self.ui.clickButton.checked = False

    def refresh(self) -> None:
        """Everything as the analysis has it now."""
        analysis = self.session.analysis
        visits = [visit.id for visit in analysis.patient.visits] if analysis else []
        _offer_items(self.ui.lesionVisitSelector, visits)
        _offer_items(self.ui.baselineSelector, [_("automatic"), *visits])
        if analysis is not None:
            self.ui.tumourSelector.currentIndex = TUMOURS.index(analysis.choices.tumour)
            self.ui.ruleSelector.currentIndex = RULES.index(analysis.choices.rule)
            self.choices.fill(analysis.choices)
            baseline = analysis.choices.settings.baseline
            self.ui.baselineSelector.currentIndex = visits.index(baseline) + 1 if baseline in visits else 0
        self.table.fill(analysis, lambda visit, name: self.work.stated(visit, "reading", name))
        fill_responses(self.ui.responseTree, analysis)
        self.show_figure()
        self.show_visit()

    def settled(self) -> None:
        """Lesions and categories follow the pen; so do the lines."""
        self.show_lines()
        self.refresh()

    def enable(self, busy: bool) -> None:
        """Proposals need aligned visits, lines and categories measured ones. Lines are watched also while the section
        is folded."""
        self.watched.watch(self.work.line_nodes())
        analysis = self.session.analysis
        visit = self.ui.lesionVisitSelector.currentText
        aligned = analysis is not None and visit in analysis.visit_to_reference
        followed = analysis is not None and bool(analysis.lesions)
        waiting = aligned and self.work.proposed(visit)
        offer(self.ui.lesionVisitSelector, analysis is not None, _("Load a patient first"))
        for box in (self.ui.readingBox, self.ui.choicesBox):
            offer(box, analysis is not None, _("Load a patient first"))
        for button in (self.ui.clickButton, self.ui.carryButton, self.ui.limitBox):
            offer(button, aligned, _("Align and compute first"))
        for button in (self.ui.acceptButton, self.ui.rejectButton):
            offer(button, waiting, _("There is no proposal in this visit"))
        for widget in (self.ui.linesCheckBox, self.ui.takeLinesButton, self.ui.measuredLinesButton,
                       self.ui.baselineSelector, self.ui.tumourSelector, self.ui.ruleSelector):  # fmt: skip
            offer(widget, followed, _("Draw a lesion, align and compute first"))

    def wait_for_click(self, on: bool) -> None:
        """Switches waiting for a click on or off."""
        if on:
            self.click.start()
            waits = lambda: self.ui.clickButton.checked  # noqa: E731
            self.panel.say(_("Click into the lesion, in the column of its visit."), waits)
        else:
            self.click.stop()
            self.panel.freshen()

    def clicked(self, visit: str, point: list[float]) -> None:
        """A click fell: its lesion is proposed in the visit of the column, else in the chosen one."""
        self.ui.clickButton.checked = False
        visit = visit or self.ui.lesionVisitSelector.currentText
        self._propose(visit, lambda show, cancel: self.work.propose(visit, point, show, cancel))

    def carry(self) -> None:
        """Proposes what the lesion of the visit before has become."""
        visit = self.ui.lesionVisitSelector.currentText
        self._propose(visit, lambda show, cancel: self.work.propose_from_before(visit, show, cancel))

    def change_limit(self, limit: float) -> None:
        """The proposal with more or less faint tissue."""
        visit = self.ui.lesionVisitSelector.currentText
        if not self.panel.busy and self.session.analysis is not None and self.work.proposed(visit):
            self._propose(visit, lambda show, cancel: self.work.propose_again(visit, limit, show, cancel))
        else:
            self.work.limit = limit

    def accept(self) -> None:
        """The proposal becomes a lesion."""
        with self.panel.errors():
            visit = self.ui.lesionVisitSelector.currentText
            self.work.accept(visit)
            self.panel.refresh()
            self.panel.say(_("Accepted in {visit}: measured, and edited like any segment.").format(visit=visit))

    def reject(self) -> None:
        """The proposal goes away."""
        self.work.reject(self.ui.lesionVisitSelector.currentText)
        self.enable(self.panel.busy)
        self.panel.freshen()

    def show_lines(self) -> None:
        """Lines of the chosen rule, or none."""
        self.work.show_lines(RULES[self.ui.ruleSelector.currentIndex], self.ui.linesCheckBox.checked)

    def take_lines(self) -> None:
        """Moved lines decide from now on."""
        with self.panel.errors():
            taken = self.work.take_lines()
            self.panel.say(_("The moved lines count now.") if taken else _("No line was moved."))
            self.panel.refresh()

    def line_moved(self) -> None:
        """A line that was let go counts at once, or as soon as long work is done."""
        if self.panel.busy:
            qt.QTimer.singleShot(AGAIN, self.line_moved)
        elif self.session.analysis is not None:
            with self.panel.errors():
                if self.work.take_lines():
                    self.panel.say(_("The moved line counts now, as yours."))
                    self.panel.refresh()

    def measured_lines(self) -> None:
        """The measured lines of the chosen visit again."""
        with self.panel.errors():
            visit = self.ui.lesionVisitSelector.currentText
            self.work.measured_lines(visit)
            self.panel.refresh()
            self.panel.say(_("The measured lines of {visit} count.").format(visit=visit))

    def choose_rule(self) -> None:
        """Which diameters make the area."""
        self._choose(rule=RULES[self.ui.ruleSelector.currentIndex])
        self.show_lines()

    def choose_baseline(self) -> None:
        """Another baseline, or the automatic one."""
        index = self.ui.baselineSelector.currentIndex
        self._choose(baseline=self.ui.baselineSelector.currentText if index > 0 else None)

    def choose_tumour(self) -> None:
        """Which parts of the tumour are judged."""
        self._choose(tumour=TUMOURS[self.ui.tumourSelector.currentIndex])

    def answered(self, kind: str, name: str, value: object) -> None:
        """The reader stated something of the chosen visit."""
        with self.panel.errors():
            self.work.state(self.ui.lesionVisitSelector.currentText, kind, **{name: value})
            self.panel.refresh()

    def look_at(self, visit: str, lesion: str) -> None:
        """The views go to the diameters of a lesion, and the statements below are about its visit."""
        self.ui.lesionVisitSelector.currentText = visit
        self.show_visit()
        with self.panel.errors():
            if not self.work.look_at(visit, lesion):
                self.panel.say(_("Show the timeline to see the diameters."))

    def choose_target(self, visit: str, lesion: str, on: bool) -> None:
        """A lesion is a target of its visit, or no more."""
        if self.panel.refuses_tick(self):
            return
        with self.panel.errors():
            self.work.choose_target(visit, lesion, on)
        self.panel.refresh()

    def take_for(self, visit: str, lesion: str, instead: str) -> None:
        """A lesion is taken for something else than tumour, or for tumour again."""
        with self.panel.errors():
            self.work.take_for(visit, lesion, instead)
        self.panel.refresh()

    def show_visit(self) -> None:
        """What is stated of the chosen visit."""
        visit, analysis = self.ui.lesionVisitSelector.currentText, self.session.analysis
        if analysis is not None and visit:
            self.form.fill(lambda kind, name: self.work.stated(visit, kind, name))
        self.enable(self.panel.busy)

    def show_figure(self) -> None:
        """The therapy timeline."""
        analysis = self.session.analysis
        svg = therapy_figure(analysis) if analysis is not None else ""
        pixmap = qt.QPixmap()
        if svg and pixmap.loadFromData(qt.QByteArray(svg.encode("utf-8")), "SVG"):
            width = max(self.ui.responseTree.width, NARROWEST_FIGURE)
            self.ui.therapyFigure.setPixmap(on_white(pixmap.scaledToWidth(width, qt.Qt.SmoothTransformation)))
        else:
            self.ui.therapyFigure.clear()

    def _propose(self, visit: str, work: object) -> None:
        flags: tuple[Message, ...] = ()
        with self.panel.long_work() as (show, cancel):
            flags = work(show, cancel)
        if self.work.proposed(visit):
            self.ui.lesionVisitSelector.currentText = visit
            said = _("Proposed in {visit}: not measured until you accept it.").format(visit=visit)
            said = " ".join([said, *(texts.sentence(flag) for flag in flags)])
            self.panel.say(said, lambda: self.work.proposed(visit))
        elif flags:
            self.panel.say(" ".join(texts.sentence(flag) for flag in flags))
        self.enable(self.panel.busy)

    def _choose(self, **choices: object) -> None:
        try:
            self.work.choose(**choices)
        except InputError as error:
            self.panel.say(texts.sentence(error.message))
        self.panel.refresh()


def _offer_items(selector: object, items: list[str]) -> None:
    """Fills a combo box where its items changed; the chosen one stays."""
    if [selector.itemText(index) for index in range(selector.count)] == items:
        return
    chosen = selector.currentText
    blocked = selector.blockSignals(True)
    selector.clear()
    selector.addItems(items)
    if chosen in items:
        selector.currentText = chosen
    selector.blockSignals(blocked)


def on_white(picture: qt.QPixmap) -> qt.QPixmap:
    """A picture that is drawn for white paper, also where Slicer is dark."""
    page = qt.QPixmap(picture.size())
    page.fill(qt.QColor("white"))
    painter = qt.QPainter(page)
    painter.drawPixmap(0, 0, picture)
    painter.end()
    return page
