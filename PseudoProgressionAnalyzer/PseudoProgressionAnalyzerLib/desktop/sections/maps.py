"""Maps: what was computed or accepted per visit."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..section import Section


class MapsSection(Section):
    """Maps of all visits."""

    name = "maps"

    def refresh(self) -> None:
        """Which maps there are."""
        analysis = self.session.analysis
        names = dict.fromkeys(name for _visit, name in analysis.maps) if analysis else {}
        self.ui.mapsLabel.text = ", ".join(names) or _("No maps yet: load a patient, then align and compute.")
