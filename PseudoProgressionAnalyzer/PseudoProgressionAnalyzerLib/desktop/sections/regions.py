"""Regions: drawing in the column of a visit."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..editors import Editors
from ..section import Section


class RegionsSection(Section):
    """Slicer's Segment Editor, one per visit."""

    name = "regions"

    def __init__(self, *parts):
        super().__init__(*parts)
        self.editors = Editors(self.ui.editorStack, self.panel.stroke, self.show_drawing)
        self.entered = True

    def show_drawing(self, visit: str) -> None:
        """Says in which visit one draws."""
        self.ui.drawingLabel.text = _("Drawing in visit {visit}").format(visit=visit)

    def open(self) -> None:
        """An editor for each visit."""
        self.editors.open()

    def close(self) -> None:
        """The editors let go of the scene."""
        self.editors.close()

    def enable(self, busy: bool) -> None:
        """No effect listens to the views while long work runs."""
        self.editors.listen(self.entered and not busy)

    def enter(self) -> None:
        """Drawing goes on."""
        self.entered = True
        self.editors.listen(not self.panel.busy)

    def exit(self) -> None:
        """No effect listens to the views any more."""
        self.entered = False
        self.editors.listen(False)
