"""Assessment: what the measurements favour as of a visit, and the report."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ..assessment_text import assessment_text
from ..section import Section, offer


class AssessmentSection(Section):
    """The assessment as of a chosen visit."""

    name = "assessment"

    def __init__(self, *parts):
        super().__init__(*parts)
        self.ui.asOfSelector.connect("currentIndexChanged(int)", lambda index: self.show_assessment())
        self.ui.reportButton.connect("clicked()", self.save_report)

    def refresh(self) -> None:
        """Visits to choose from, and the assessment as of the chosen one."""
        analysis = self.session.analysis
        assessed = [assessment.as_of for assessment in analysis.assessments] if analysis else []
        shown = [self.ui.asOfSelector.itemText(index) for index in range(self.ui.asOfSelector.count)]
        if shown != assessed:
            blocked = self.ui.asOfSelector.blockSignals(True)
            self.ui.asOfSelector.clear()
            self.ui.asOfSelector.addItems(assessed)
            self.ui.asOfSelector.blockSignals(blocked)
        self.show_assessment()

    def settled(self) -> None:
        """The assessment as it was made again from the numbers."""
        self.refresh()

    def show_assessment(self) -> None:
        """The assessment as of the chosen visit."""
        analysis = self.session.analysis
        as_of = self.ui.asOfSelector.currentText
        self.ui.assessmentText.setHtml(assessment_text(analysis, as_of) if analysis and as_of else "")

    def save_report(self) -> None:
        """Saves the report into a folder that the user names."""
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the report"))
        if folder:
            with self.panel.errors():
                self.session.save_report(Path(folder) / "report", overwrite=True)
                self.panel.say(_("Report saved in {folder}").format(folder=Path(folder) / "report"))

    def enable(self, busy: bool) -> None:
        """A report needs numbers."""
        analysis = self.session.analysis
        measured = analysis is not None and bool(analysis.measurements)
        offer(self.ui.reportButton, measured, _("Align and compute first"))
