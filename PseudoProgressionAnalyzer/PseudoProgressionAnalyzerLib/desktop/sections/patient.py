"""Patient: where the studies come from, and the table of visits."""

from __future__ import annotations

from pathlib import Path

import qt
from slicer.i18n import tr as _

from ... import cases
from .. import tables
from ..section import Section, offer

EXAMPLE_PACKAGE = "nilearn>=0.11"


class PatientSection(Section):
    """A folder or an example case into the scene."""

    name = "patient"

    def __init__(self, *parts):
        super().__init__(*parts)
        for name in cases.names():
            self.ui.exampleSelector.addItem(name)
            last = self.ui.exampleSelector.count - 1
            self.ui.exampleSelector.setItemData(last, cases.describe(name), qt.Qt.ToolTipRole)
        self.ui.loadButton.connect("clicked()", self.load)
        self.ui.exampleButton.connect("clicked()", self.load_example)

    def load(self) -> None:
        """Loads the chosen folder."""
        folder = self.ui.folderPath.currentPath
        if not folder:
            self.panel.say(_("Choose the patient's folder first."))
            return
        self.ui.folderPath.addCurrentPathToHistory()
        with self.panel.long_work() as (show, cancel):
            self.session.load(Path(folder), show, cancel)
        self.panel.show_patient()

    def load_example(self) -> None:
        """Loads the chosen example case; its anatomy comes with a Python package that Slicer asks for."""
        from slicer.packaging import pip_ensure

        name = self.ui.exampleSelector.currentText
        with self.panel.long_work() as (show, cancel):
            pip_ensure([EXAMPLE_PACKAGE], requester=self.panel.requester)
            self.session.load_example(name, show, cancel)
        self.panel.show_patient()

    def refresh(self) -> None:
        """The table of visits."""
        analysis = self.session.analysis
        tables.fill_visits(self.ui.visitsTable, analysis.patient if analysis else None)

    def enable(self, busy: bool) -> None:
        """One patient at a time."""
        free = self.session.analysis is None
        for button in (self.ui.loadButton, self.ui.exampleButton):
            offer(button, free, _("Close the scene before another patient is loaded"))
