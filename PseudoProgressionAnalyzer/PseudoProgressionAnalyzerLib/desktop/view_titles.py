"""What each view of the timeline shows, written into the view itself: its bar is too narrow for a date beside a slider.

The views are Slicer's own; what is added here goes with them.
"""

from __future__ import annotations

import slicer
import vtk

from ..scene import timeline
from ..scene.nodes import patient_node
from ..scene.timeline_rows import shown_rows

UPPER_LEFT = 2  # corner
SIZE = 13  # points


class ViewTitles:
    """Date, days since radiotherapy and row in the upper left corner of each view."""

    def __init__(self):
        self._corners: dict[str, object] = {}

    def update(self, application: object) -> None:
        """Writes the titles as the timeline is now; in columns after the first the bars have room for their labels,
        because one slider moves all views."""
        patient = patient_node(application.scene)
        rows = shown_rows(patient) if patient is not None else []
        manager = slicer.app.layoutManager()
        for node in timeline.view_nodes(application) if manager is not None else ():
            widget = manager.sliceWidget(node.GetLayoutName())
            if widget is None:
                continue
            column, row = (int(part) for part in node.GetLayoutName().removeprefix("PPA_").split("_"))
            corner = self._corner(node.GetLayoutName(), widget)
            title = rows[row].title if row < len(rows) else ""
            text = f"{node.GetLayoutLabel()}\n{title}"
            if corner.GetText(UPPER_LEFT) != text:
                corner.SetText(UPPER_LEFT, text)
                widget.sliceView().scheduleRender()
            widget.sliceController().sliceOffsetSlider().visible = column == 0

    def forget(self) -> None:
        """The views are gone."""
        self._corners.clear()

    def _corner(self, name: str, widget: object) -> object:
        renderer = widget.sliceView().renderWindow().GetRenderers().GetFirstRenderer()
        known = self._corners.get(name)
        if known is not None and renderer.HasViewProp(known):
            return known
        corner = vtk.vtkCornerAnnotation()
        corner.SetMaximumFontSize(SIZE)
        corner.SetMinimumFontSize(SIZE)
        corner.SetNonlinearFontScaleFactor(1)
        corner.GetTextProperty().SetColor(1.0, 1.0, 1.0)
        corner.GetTextProperty().SetShadow(True)
        renderer.AddViewProp(corner)
        self._corners[name] = corner
        return corner
