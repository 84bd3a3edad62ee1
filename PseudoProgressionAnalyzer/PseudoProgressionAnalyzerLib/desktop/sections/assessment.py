"""Assessment: what the measurements favour as of a visit, by which rules, and the report."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from html import escape
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ...measures import Assessment, Message
from ...report.statement import Line, statement
from ...report.words import visit_words
from ...report.writing import plain_name, unused
from .. import assessment_text, pdf
from ..ledger_tree import details, fill_ledger, line_of
from ..saving import file_to_save
from ..section import Section, offer

FOLDER = "PseudoProgressionAnalyzer/ReportFolder"
"""Setting: the folder that a report was saved into last."""
LOWEST, HIGHEST = 40, 900  # pixels of a box of text: what is longer scrolls


def open_saved(address: str) -> None:
    """Opens a saved file, or its folder, with what the computer opens such files with."""
    qt.QDesktopServices.openUrl(qt.QUrl(address))


def fit_height(browser: object) -> None:
    """Makes a box of text as high as its text, so that its last line is never cut, up to ``HIGHEST`` pixels."""
    wanted = int(browser.document.size.height()) + 2 * browser.frameWidth + 4
    browser.setFixedHeight(min(max(wanted, LOWEST), HIGHEST))


class AssessmentSection(Section):
    """The assessment as of a chosen visit."""

    name = "assessment"
    changes = (
        "priorSpinBox", "priorLowSpinBox", "priorHighSpinBox", "publishedPriorButton", "criteriaFileButton",
        "defaultCriteriaButton", "reportButton", "pdfButton", "jsonButton",
    )  # fmt: skip

    def __init__(self, *parts):
        super().__init__(*parts)
        ui = self.ui
        self.lines: tuple[Line, ...] = ()
        for browser in (ui.assessmentText, ui.changeText, ui.contextText, ui.outcomeText):
            browser.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)  # it would hide the last line
            layout = browser.document.documentLayout()  # follows the width of the panel
            layout.connect("documentSizeChanged(QSizeF)", lambda size, browser=browser: fit_height(browser))
        ui.asOfSelector.connect("currentIndexChanged(int)", lambda index: self.choose_as_of())
        ui.ledgerTree.connect("itemSelectionChanged()", self.show_details)
        for box in self.prior_boxes:
            box.setKeyboardTracking(False)
            box.connect("valueChanged(int)", lambda value: self.move_prior())
        ui.publishedPriorButton.connect("clicked()", lambda: self.choose_prior(None))
        ui.criteriaFileButton.connect("clicked()", self.choose_criteria)
        ui.defaultCriteriaButton.connect("clicked()", lambda: self.take_criteria(None))
        ui.reportButton.connect("clicked()", self.save_report)
        ui.pdfButton.connect("clicked()", self.save_pdf)
        ui.jsonButton.connect("clicked()", self.save_json)
        ui.savedLabel.connect("linkActivated(QString)", open_saved)

    @property
    def prior_boxes(self) -> tuple[object, object, object]:
        """Median, low and high of the prior in per cent."""
        return self.ui.priorSpinBox, self.ui.priorLowSpinBox, self.ui.priorHighSpinBox

    @property
    def as_of(self) -> str:
        """The chosen visit, empty where there is none. It is kept in the scene: the widget only shows it."""
        return self.session.as_of

    def refresh(self) -> None:
        """Visits to choose from, and the assessment as of the chosen one."""
        analysis = self.session.analysis
        assessed = [assessment.as_of for assessment in analysis.assessments] if analysis else []
        selector = self.ui.asOfSelector
        blocked = selector.blockSignals(True)
        if [selector.itemData(index) for index in range(selector.count)] != assessed:
            selector.clear()
            for visit in assessed:
                selector.addItem(visit_words(analysis.patient, visit), visit)
        selector.currentIndex = assessed.index(self.as_of) if self.as_of in assessed else -1
        selector.blockSignals(blocked)
        self.show_assessment()

    def choose_as_of(self) -> None:
        """Keeps the visit that the selector shows, and shows its assessment."""
        if self.session.analysis is not None:
            with self.panel.errors():
                self.session.choose_as_of(self.ui.asOfSelector.currentData or "")
        self.show_assessment()
        self.panel.freshen()

    def settled(self) -> None:
        """The assessment as it was made again from the numbers."""
        self.refresh()

    def show_assessment(self) -> None:
        """The assessment as of the chosen visit; its outcome apart."""
        found = self.assessment()
        said = statement(found) if found else None
        texts = {
            self.ui.assessmentText: assessment_text.conclusion_text(found, said) if found else "",
            self.ui.changeText: assessment_text.change_text(said) if found else "",
            self.ui.contextText: assessment_text.list_text((*said.context, said.prior)) if found else "",
            self.ui.outcomeText: assessment_text.outcome_text(self.session.analysis.outcome.get(self.as_of, ()))
            if found
            else "",
        }
        for browser, text in texts.items():
            browser.setHtml(text)
            fit_height(browser)
        self.ui.priorSourceLabel.text = said.prior if found else ""
        self.lines = said.lines if found else ()
        blocked = self.ui.ledgerTree.blockSignals(True)  # a row that is on its way out must not be asked
        fill_ledger(self.ui.ledgerTree, self.lines)
        self.ui.ledgerTree.blockSignals(blocked)
        self.show_details()
        self.ui.criteriaSetLabel.text = said.criteria_set if found else ""
        for box, share in zip(self.prior_boxes, found.prior if found else (0.5, 0.05, 0.95), strict=True):
            blocked = box.blockSignals(True)
            box.value = round(100 * share)
            box.blockSignals(blocked)
        self.enable(self.panel.busy)

    def show_details(self) -> None:
        """What stands behind the chosen limit of the ledger."""
        chosen = self.ui.ledgerTree.selectedItems()
        number = line_of(chosen[0]) if chosen else None
        known = number is not None and number < len(self.lines)
        self.ui.ledgerDetails.visible = known
        self.ui.ledgerDetails.setHtml(details(self.lines[number]) if known else "")

    def assessment(self) -> Assessment | None:
        """The assessment as of the chosen visit, if there is one."""
        analysis = self.session.analysis
        found = analysis.assessments if analysis else []
        return next((assessment for assessment in found if assessment.as_of == self.as_of), None)

    def move_prior(self) -> None:
        """The prior as the three boxes say; the ends follow a median that leaves them behind."""
        median, low, high = (box.value / 100 for box in self.prior_boxes)
        self.choose_prior((median, min(low, median), max(high, median)))

    def choose_prior(self, prior: tuple[float, float, float] | None) -> None:
        """Takes a prior for the chosen visit; None: the published one."""
        if self.as_of:
            self._judge(lambda: self.session.set_prior(prior, self.as_of))

    def choose_criteria(self) -> None:
        """Takes a criteria file that the user names."""
        file = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Criteria file"), "", _("Criteria") + " (*.json)"
        )
        if file:
            self.take_criteria(Path(file))

    def take_criteria(self, file: Path | None) -> None:
        """Takes a criteria file; None: the default criteria."""
        self._judge(lambda: self.session.set_criteria(file))

    def _judge(self, work: Callable[[], None]) -> None:
        """Assesses by other rules, and says so; where they are refused, what is wrong with them stays in sight."""
        done = False
        with self.panel.errors():
            work()
            done = True
        self.show_assessment()
        if done:
            self.panel.say(_("Assessed again, with prior and criteria as chosen."))

    def save_report(self) -> None:
        """Saves the report into a folder that the user names."""
        before = slicer.util.settingsValue(FOLDER, "")
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the report"), before)
        if folder:
            qt.QSettings().setValue(FOLDER, folder)
            place = unused(Path(folder), f"report_{self.as_of}")
            with self.panel.long_work() as (show, cancel):
                self.session.save_report(place, as_of=self.as_of, show=show, cancel=cancel)
                self.tell_saved(_("Report as of {visit} saved").format(visit=self.as_of), place / "report.html", place)

    def save_pdf(self) -> None:
        """Saves the page for printing where the user says."""
        name = plain_name(f"report_{self.as_of}.pdf")
        file = file_to_save(_("Report for printing"), name, "PDF (*.pdf)", FOLDER)
        if file:
            with self.panel.long_work() as (show, cancel):
                page = self.session.report_page(
                    as_of=self.as_of, show=lambda message, share: show(message, share / 2), cancel=cancel
                )

                def done(share: float) -> None:
                    show(Message("step_print"), (1 + share) / 2)
                    slicer.app.processEvents()
                    if cancel.is_set():
                        raise CancelledError

                pdf.write(page, file, done)
                self.tell_saved(_("PDF as of {visit} saved").format(visit=self.as_of), file, file.parent)

    def save_json(self) -> None:
        """Saves assessment.json where the user says."""
        file = file_to_save(_("Assessment for other programs"), "assessment.json", "JSON (*.json)", FOLDER)
        if file:
            self.panel.settle()
            with self.panel.errors():
                self.session.save_assessment(file, as_of=self.as_of)
                self.tell_saved(_("JSON as of {visit} saved").format(visit=self.as_of), file, file.parent)

    def tell_saved(self, what: str, file: Path, folder: Path) -> None:
        """Says where a file went, with links that open it and its folder; nothing remains of what was said before."""
        self.panel.say(f"{what}: {file}")
        links = " ".join(
            f'<a href="{escape(place.resolve().as_uri())}">{escape(name)}</a>'
            for name, place in ((_("Open"), file), (_("Show folder"), folder))
        )
        self.ui.savedLabel.text = f"{escape(what)}: {escape(str(file))} {links}"
        self.ui.savedLabel.visible = True
        self.panel.bring_into_view(self.ui.savedLabel)

    def close(self) -> None:
        """What was saved of the patient that goes is not this one's."""
        self.ui.savedLabel.visible = False

    def enable(self, busy: bool) -> None:
        """A report needs numbers, a prior an assessment."""
        analysis = self.session.analysis
        measured = analysis is not None and bool(analysis.measurements)
        for button in (self.ui.reportButton, self.ui.pdfButton, self.ui.jsonButton):
            offer(button, measured, _("Align and compute first"))
        assessed = self.assessment() is not None
        for widget in (self.ui.asOfSelector, *self.prior_boxes, self.ui.criteriaFileButton):
            offer(widget, assessed, _("There is no assessment yet: align and compute first"))
        own_prior = assessed and self.as_of in analysis.rules.priors
        offer(self.ui.publishedPriorButton, own_prior, _("The published prior is in use"))
        own_criteria = assessed and bool(analysis.rules.criteria)
        offer(self.ui.defaultCriteriaButton, own_criteria, _("The default criteria are in use"))
