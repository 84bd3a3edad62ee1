"""Patient: where the studies come from, and what is known of visits, series and events, to be corrected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import qt
import slicer
from slicer.i18n import tr as _

from ... import cases
from ...measures import Patient
from ...patient.choosing import open_roles
from ...patient.export import folder_of, lies_in, write_patient_file
from ...scene import timeline
from ...scene.candidates import candidates
from ...scene.correcting import corrections
from ...scene.nodes import patient_node
from ..dicom_database import files_of_node, files_of_patient, patients
from ..events_table import EventsTable
from ..picture_window import PictureWindow
from ..section import Section, offer
from ..visits_table import Edit, SeriesTable, VisitsTable
from ..volumes_table import VolumesTable

EXAMPLE_PACKAGE = "nilearn>=0.11"
FOLDER = "PseudoProgressionAnalyzer/PatientFileFolder"
"""Setting: the folder that patient.json was written into last."""


class PatientSection(Section):
    """A folder, the DICOM database, volumes of the scene or an example case into a patient."""

    name = "patient"
    changes = (
        "folderPath", "loadButton", "databaseSelector", "databaseButton", "exampleSelector", "exampleButton",
        "volumesButton", "volumesTable", "adoptButton", "volumesCancelButton", "visitsTable", "seriesTable",
        "pictureButton", "eventKindSelector", "addEventButton", "removeEventButton", "eventForm", "applyEventButton",
        "takeBackButton", "exportPatientButton",
    )  # fmt: skip

    def __init__(self, *parts):
        super().__init__(*parts)
        ui = self.ui
        for name in cases.names():
            ui.exampleSelector.addItem(name.replace("_", " "), name)
            last = ui.exampleSelector.count - 1
            ui.exampleSelector.setItemData(last, cases.describe(name), qt.Qt.ToolTipRole)
        self.visits = VisitsTable(ui.visitsTable, self.correct, self.panel.say)
        self.series = SeriesTable(ui.seriesTable, self.correct, self.session.dimensions_of)
        self.events = EventsTable(ui.eventsTable, ui.eventForm, ui.eventKindSelector, self.correct, self.panel.say)
        self.volumes = VolumesTable(ui.volumesTable, self.panel.say)
        ui.volumesBox.visible = False
        self.window: PictureWindow | None = None
        for button, work in (
            (ui.loadButton, self.load),
            (ui.databaseButton, self.load_from_database),
            (ui.exampleButton, self.load_example),
            (ui.volumesButton, self.choose_volumes),
            (ui.adoptButton, self.adopt),
            (ui.volumesCancelButton, self.hide_volumes),
            (ui.addEventButton, self.events.add),
            (ui.removeEventButton, self.events.remove),
            (ui.applyEventButton, self.events.apply),
            (ui.takeBackButton, self.take_back),
            (ui.exportPatientButton, self.export),
            (ui.pictureButton, self.show_picture),
        ):
            button.connect("clicked()", work)
        ui.visitsTable.connect("itemSelectionChanged()", self.show_series)
        ui.seriesTable.connect("itemSelectionChanged()", lambda: self.enable(self.panel.busy))
        ui.eventsTable.connect("itemSelectionChanged()", lambda: self.enable(self.panel.busy))
        self.list_database()

    # where a patient comes from

    def load(self) -> None:
        """Loads the chosen folder."""
        folder = self.ui.folderPath.currentPath
        if not folder:
            self.panel.say(_("Choose the patient's folder first."))
            return
        self.ui.folderPath.addCurrentPathToHistory()
        self._load(lambda show, cancel: self.session.load(Path(folder), show, cancel))

    def load_from_database(self) -> None:
        """Loads the patient that is chosen in the DICOM database."""
        number = self.ui.databaseSelector.itemData(self.ui.databaseSelector.currentIndex)
        if number is not None:
            self._load(lambda show, cancel: self.session.load_files(files_of_patient(number), show, cancel))

    def load_example(self) -> None:
        """Loads the chosen example case; its anatomy comes with a Python package that Slicer asks for."""
        from slicer.packaging import pip_ensure

        name = self.ui.exampleSelector.currentData

        def load(show: Callable, cancel: Event) -> None:
            pip_ensure([EXAMPLE_PACKAGE], requester=self.panel.requester)
            self.session.load_example(name, show, cancel)

        self._load(load)

    def _load(self, work: Callable) -> None:
        """Brings a patient into the scene; where that failed, what is there stays open as it is."""
        if self.panel.refuses():
            return
        loaded = False
        with self.panel.long_work() as (show, cancel):
            work(show, cancel)
            loaded = True
        if not loaded and cancel.is_set():
            self.panel.say(_("Stopped; nothing was loaded."))
        if loaded:
            self.hide_volumes()
            self.panel.show_patient()

    def choose_volumes(self) -> None:
        """Lists volumes and segments of the scene, with guessed roles to be confirmed."""
        if self.panel.refuses():
            return
        with self.panel.errors():
            found = candidates(slicer.mrmlScene, files_of_node)
            self.volumes.fill(found)
            self._show_volumes(bool(found))
            if found:
                words = _("Next: look through role, visit and date of each volume, then press Make patient.")
                self.panel.say(words, lambda: self.ui.volumesBox.visible)
            else:
                self.panel.say(_("There are no volumes in the scene."))

    def adopt(self) -> None:
        """Makes a patient of the volumes as listed."""
        chosen = self.volumes.chosen()
        if chosen is not None:
            self._load(lambda show, cancel: self.session.adopt(chosen, show, cancel))

    def hide_volumes(self) -> None:
        """Lets go of the listed nodes."""
        self.volumes.fill([])
        self._show_volumes(False)

    def _show_volumes(self, shown: bool) -> None:
        """The table of volumes in place of the tables of a patient that is still to come."""
        self.ui.volumesBox.visible = shown
        for widget in (self.ui.visitsTable, self.ui.warningsLabel, self.ui.seriesGroup, self.ui.eventsGroup):
            widget.visible = not shown

    def list_database(self) -> None:
        """Patients of the DICOM database as they are now; the chosen one stays chosen."""
        selector = self.ui.databaseSelector
        chosen = selector.itemData(selector.currentIndex) if selector.count else None
        selector.clear()
        for patient in patients():
            selector.addItem(patient.label, patient.number)
        selector.setCurrentIndex(max(0, selector.findData(chosen)) if selector.count else -1)

    # what is known of it

    def correct(self, edit: Edit) -> None:
        """Corrects the patient; what depends on it is computed again."""
        self._correct(
            lambda show, cancel: self.session.correct(edit, show, cancel), _("Corrected; Take back undoes it.")
        )

    def take_back(self) -> None:
        """Takes the last correction back."""
        self._correct(self.session.take_back, _("Taken back; Take back undoes the correction before it, too."))

    def _correct(self, work: Callable, said: str) -> None:
        """Long work, and what was done. Editors are opened anew only where other visits have come or gone: they hold
        what can be undone."""
        if self.session.analysis is None or self.panel.refuses_tick(self):  # closed before its turn came, or busy
            return
        before, done = [visit.id for visit in self.session.analysis.patient.visits], False
        with self.panel.long_work() as (show, cancel):
            work(show, cancel)
            done = True
        if self.session.analysis is None:  # the scene was closed meanwhile
            return
        if [visit.id for visit in self.session.analysis.patient.visits] == before:
            self.panel.refresh()
        else:
            self.panel.open_patient()
            application = self.session.application
            if timeline.is_shown(application):
                self.session.arrange(lambda: timeline.fit(application))  # columns have come or gone: all of them anew
        if done:
            node = patient_node(slicer.mrmlScene)
            undo = node is not None and corrections(node) > 0
            self.panel.say_next(said if undo else _("All corrections were taken back."))

    def show_picture(self) -> None:
        """The chosen picture in a window, and in the scene; over the T1CE in the timeline where it lies in space."""
        visit, series = self.visits.chosen(), self.series.picture
        if visit is not None and series is not None:
            with self.panel.long_work(stoppable=False):
                picture = self.session.show_picture(visit, series)
                self._close_window()
                self.window = PictureWindow(picture, visit, series)
            self.panel.sections["timeline"].refresh()

    def _close_window(self) -> None:
        if self.window is not None:
            self.window.close()
            self.window = None

    def export(self) -> None:
        """Writes patient.json into the folder that the user confirms."""
        patient, start = self.session.analysis.patient, self.ui.folderPath.currentPath
        if not (start and lies_in(patient, Path(start))):  # chosen for another patient
            start = str(folder_of(patient) or slicer.util.settingsValue(FOLDER, ""))
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("The patient's folder"), start)
        if folder:
            qt.QSettings().setValue(FOLDER, folder)
            with self.panel.errors():
                path = write_patient_file(patient, Path(folder))
                self.panel.say(_("Saved in {file}").format(file=path))

    def refresh(self) -> None:
        """All tables."""
        analysis = self.session.analysis
        patient = analysis.patient if analysis else None
        row = self.ui.visitsTable.currentRow()
        self.visits.fill(patient)
        if 0 <= row < self.ui.visitsTable.rowCount:
            self.ui.visitsTable.setCurrentCell(row, 0)
        elif patient is not None:
            self._point_to_choice(patient)
        self.events.fill(patient)
        self.show_series()

    def _point_to_choice(self, patient: Patient) -> None:
        """Chooses the first visit whose series wait for the user, and unfolds them."""
        for number, (visit, used) in enumerate(self.visits.visits):
            if used and open_roles(visit):
                self.ui.visitsTable.setCurrentCell(number, 0)
                self.ui.seriesGroup.collapsed = False
                return

    def show_series(self) -> None:
        """The series of the chosen visit."""
        analysis, visit = self.session.analysis, self.visits.chosen()
        self.series.fill(analysis.patient if analysis else None, visit)
        self.enable(self.panel.busy)
        text = _("Visit {visit}: what each series is taken for, and why.")
        self.ui.seriesLabel.text = text.format(visit=visit.id) if visit else _("No patient is loaded.")
        warnings = self.visits.remarks()
        head = [_("{visit}:").format(visit=visit.id)] if visit and visit.warnings else []
        self.ui.warningsLabel.text = "\n".join(head + warnings)
        self.ui.warningsLabel.visible = bool(warnings) and not self.ui.volumesBox.visible

    def enter(self) -> None:
        """The database may have grown meanwhile."""
        self.list_database()
        self.enable(self.panel.busy)

    def close(self) -> None:
        """Nodes of the scene are about to go."""
        self.hide_volumes()
        self._close_window()

    def enable(self, busy: bool) -> None:
        """One patient at a time; corrections need one."""
        patient = self.session.analysis is not None
        other = _("Close the scene before another patient is loaded")
        for button in (self.ui.loadButton, self.ui.exampleButton, self.ui.volumesButton):
            offer(button, not patient, other)
        listed = self.ui.databaseSelector.count > 0
        for widget in (self.ui.databaseSelector, self.ui.databaseButton):
            offer(
                widget,
                listed and not patient,
                other if patient else _("The DICOM database is empty: import studies in the DICOM module first"),
            )
        for widget in (self.ui.folderPath, self.ui.exampleSelector):
            offer(widget, not patient, other)
        node = patient_node(slicer.mrmlScene)
        undo = node is not None and corrections(node) > 0
        offer(self.ui.takeBackButton, undo, _("Nothing was corrected"))
        offer(
            self.ui.pictureButton,
            self.series.picture is not None,
            _("Choose a picture (a secondary capture) in the table"),
        )
        for button in (self.ui.exportPatientButton, self.ui.addEventButton, self.ui.eventKindSelector):
            offer(button, patient, _("Load a patient first"))
        for button in (self.ui.removeEventButton, self.ui.applyEventButton):
            offer(button, self.events.chosen is not None, _("Choose an event in the table first"))
        self.ui.sceneWords.text = _("Volumes that are loaded already")
