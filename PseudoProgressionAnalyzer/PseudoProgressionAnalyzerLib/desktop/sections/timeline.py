"""Timeline: the visits side by side."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..section import Section, offer


class TimelineSection(Section):
    """Shows and pages the timeline; opacity and visibility are parameters bound in the .ui file."""

    name = "timeline"

    def __init__(self, *parts):
        super().__init__(*parts)
        self.ui.earlierButton.connect("clicked()", lambda: self.session.turn_page(-1))
        self.ui.laterButton.connect("clicked()", lambda: self.session.turn_page(1))

    def enable(self, busy: bool) -> None:
        """There must be a patient."""
        patient = self.session.analysis is not None
        for button in (self.ui.timelineCheckBox, self.ui.earlierButton, self.ui.laterButton):
            offer(button, patient, _("Load a patient first"))
