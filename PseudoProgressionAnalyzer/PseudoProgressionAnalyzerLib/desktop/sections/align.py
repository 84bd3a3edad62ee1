"""Align: every visit to the reference visit, and the whole computation."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..section import Section, offer


class AlignSection(Section):
    """One button for all that is not done yet."""

    name = "align"

    def __init__(self, *parts):
        super().__init__(*parts)
        self.ui.computeButton.connect("clicked()", self.compute)

    def compute(self) -> None:
        """Aligns, maps, measures and assesses."""
        with self.panel.long_work() as (show, cancel):
            self.session.compute(show, cancel)
        self.panel.refresh()

    def enable(self, busy: bool) -> None:
        """There must be a patient."""
        offer(self.ui.computeButton, self.session.analysis is not None, _("Load a patient first"))
