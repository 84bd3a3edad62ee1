"""The panel: connects the widgets of the .ui file with the session. Thin: what a button does stands in ``session``."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .. import cases, texts
from ..measures import InputError, Message
from ..scene import timeline
from . import tables
from .assessment_text import assessment_text
from .editors import Editors
from .session import Session

EXAMPLE_PACKAGE = "nilearn>=0.11"
SECTIONS = ("patientSection", "timelineSection", "regionsSection", "measurementsSection", "assessmentSection")


class Panel:
    """Widgets (``ui``: the children of the .ui file by name) and session together."""

    def __init__(self, ui: object, session: Session, requester: str):
        self.ui = ui
        self.session = session
        self.requester = requester
        self.editors = Editors(ui.editorStack, self.stroke, self.show_drawing)
        self.cancel: threading.Event | None = None
        for name in cases.names():
            ui.exampleSelector.addItem(name)
            ui.exampleSelector.setItemData(ui.exampleSelector.count - 1, cases.describe(name), qt.Qt.ToolTipRole)
        ui.loadButton.connect("clicked()", self.load)
        ui.exampleButton.connect("clicked()", self.load_example)
        ui.computeButton.connect("clicked()", self.compute)
        ui.cancelButton.connect("clicked()", self.stop)
        ui.earlierButton.connect("clicked()", lambda: self.session.turn_page(-1))
        ui.laterButton.connect("clicked()", lambda: self.session.turn_page(1))
        ui.asOfSelector.connect("currentIndexChanged(int)", lambda index: self.show_assessment())
        ui.reportButton.connect("clicked()", self.save_report)

    @property
    def busy(self) -> bool:
        """Whether long work runs."""
        return self.cancel is not None

    def load(self) -> None:
        """Loads the chosen folder."""
        folder = self.ui.folderPath.currentPath
        if not folder:
            self.ui.progressLabel.text = _("Choose the patient's folder first.")
            return
        self.ui.folderPath.addCurrentPathToHistory()
        with self._long_work():
            self.session.load(Path(folder), self.show_progress, self.cancel)
        self._loaded()

    def load_example(self) -> None:
        """Loads the chosen example case; its anatomy comes with a Python package that Slicer asks for."""
        from slicer.packaging import pip_ensure

        name = self.ui.exampleSelector.currentText
        with self._long_work():
            pip_ensure([EXAMPLE_PACKAGE], requester=self.requester)
            self.session.load_example(name, self.show_progress, self.cancel)
        self._loaded()

    def compute(self) -> None:
        """Aligns, maps, measures and assesses."""
        with self._long_work():
            self.session.compute(self.show_progress, self.cancel)
        self.refresh()

    def stop(self) -> None:
        """Asks running work to stop."""
        if self.cancel is not None:
            self.cancel.set()
            self.ui.progressLabel.text = _("Stopping...")

    def save_report(self) -> None:
        """Saves the report into a folder that the user names."""
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the report"))
        if folder:
            with self._errors():
                self.session.save_report(Path(folder) / "report", overwrite=True)
                self.ui.progressLabel.text = _("Report saved in {folder}").format(folder=Path(folder) / "report")

    def show_progress(self, message: Message, share: float) -> None:
        """Shows what is being done and how much of it is finished."""
        self.ui.progressBar.value = round(100 * share)
        self.ui.progressLabel.text = texts.sentence(message)

    def stroke(self, segmentation: object, segment_id: str) -> None:
        """After each edit: the numbers follow at once."""
        if not self.busy:
            self.session.remeasure(segmentation, segment_id)
            tables.fill_measurements(self.ui.measurementsTable, self.session.analysis)
            self.show_assessment()

    def show_drawing(self, visit: str) -> None:
        """Says in which visit one draws."""
        self.ui.drawingLabel.text = _("Drawing in visit {visit}").format(visit=visit)

    def refresh(self) -> None:
        """Everything as the scene has it now."""
        analysis = self.session.analysis
        tables.fill_visits(self.ui.visitsTable, analysis.patient if analysis else None)
        tables.fill_measurements(self.ui.measurementsTable, analysis)
        assessed = [assessment.as_of for assessment in analysis.assessments] if analysis else []
        shown = [self.ui.asOfSelector.itemText(index) for index in range(self.ui.asOfSelector.count)]
        if shown != assessed:
            self.ui.asOfSelector.clear()
            self.ui.asOfSelector.addItems(assessed)
        self.show_assessment()
        self._enable()

    def show_assessment(self) -> None:
        """The assessment as of the chosen visit."""
        analysis = self.session.analysis
        as_of = self.ui.asOfSelector.currentText
        text = assessment_text(analysis, as_of) if analysis and as_of else ""
        self.ui.assessmentText.setHtml(text)

    def open_patient(self) -> None:
        """After a patient came into the scene, or a scene with one was opened."""
        self.refresh()
        self.editors.open()

    def close_patient(self) -> None:
        """Before the scene closes: stops work, gives back the layout and lets go of every node."""
        if self.cancel is not None:
            self.cancel.set()
        self.editors.close()
        timeline.hide(self.session.application)
        self.session.forget()

    def restore_timeline(self) -> None:
        """After a scene was opened: the timeline as it was saved."""
        with self._errors():
            self.session.show_timeline(bool(self.ui.timelineCheckBox.checked and self.session.analysis))

    def _loaded(self) -> None:
        self.open_patient()
        if self.session.analysis is not None:
            self.ui.timelineCheckBox.checked = True
            self.session.show_timeline(True)

    def _enable(self) -> None:
        """What is possible now; a tool tip says why something is not."""
        patient = self.session.analysis is not None
        measured = patient and bool(self.session.analysis.measurements)
        no_patient, not_measured = _("Load a patient first"), _("Align and compute first")
        for button, possible, why in (
            (self.ui.loadButton, not patient, _("Close the scene before another patient is loaded")),
            (self.ui.exampleButton, not patient, _("Close the scene before another patient is loaded")),
            (self.ui.computeButton, patient, no_patient),
            (self.ui.timelineCheckBox, patient, no_patient),
            (self.ui.earlierButton, patient, no_patient),
            (self.ui.laterButton, patient, no_patient),
            (self.ui.reportButton, measured, not_measured),
        ):
            button.enabled = possible and not self.busy
            button.toolTip = "" if possible else why
        self.ui.cancelButton.enabled = self.busy
        for name in SECTIONS:
            getattr(self.ui, name).enabled = not self.busy

    @contextlib.contextmanager
    def _long_work(self) -> Iterator[None]:
        """Only what is safe is possible while work runs; errors are shown with their remedy."""
        self.cancel = threading.Event()
        self.editors.pause()
        self._enable()
        try:
            with self._errors():
                yield
        finally:
            self.cancel = None
            self.ui.progressBar.value = 0
            self.editors.resume()
            self._enable()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except CancelledError:
            self.ui.progressLabel.text = _("Stopped; what was finished is kept.")
        except InputError as error:
            self.ui.progressLabel.text = texts.sentence(error.message)
            slicer.util.errorDisplay(texts.sentence(error.message))
        except Exception as error:
            self.ui.progressLabel.text = str(error)
            import traceback

            slicer.util.errorDisplay(str(error), detailedText=traceback.format_exc())
