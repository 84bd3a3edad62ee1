"""Spectroscopy: spectra of the visits over the anatomy."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..section import Section


class SpectroscopySection(Section):
    """Spectra of all visits."""

    name = "spectroscopy"

    def refresh(self) -> None:
        """In which visits there are spectra."""
        analysis = self.session.analysis
        visits = analysis.patient.visits if analysis else []
        found = [visit.id for visit in visits if visit.of_role("MRS") or visit.of_role("MRSI")]
        self.ui.spectroscopyLabel.text = ", ".join(found) or _("This patient has no spectra.")
