"""Measurements: measures by visits with their changes."""

from __future__ import annotations

from .. import tables
from ..section import Section


class MeasurementsSection(Section):
    """The table that follows each stroke."""

    name = "measurements"

    def refresh(self) -> None:
        """All numbers."""
        tables.fill_measurements(self.ui.measurementsTable, self.session.analysis)

    def measured(self) -> None:
        """The numbers that a stroke changed."""
        self.refresh()
