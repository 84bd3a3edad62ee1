"""Lesions and response: what was drawn, and how it is judged over time."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..section import Section


class LesionsSection(Section):
    """Lesions of all visits."""

    name = "lesions"

    def refresh(self) -> None:
        """Which lesions there are."""
        analysis = self.session.analysis
        regions = analysis.patient.regions if analysis else []
        names = dict.fromkeys(region.name for region in regions if region.purpose == "lesion")
        self.ui.lesionsLabel.text = ", ".join(names) or _("No lesion is drawn yet.")
