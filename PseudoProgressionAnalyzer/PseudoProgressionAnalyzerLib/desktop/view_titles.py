"""What each view of the timeline shows, written into the view itself: its bar is too narrow for a date beside a slider.

The views are Slicer's own; what is added here goes with them.
"""

from __future__ import annotations

import slicer
import vtk
from slicer.util import VTKObservationMixin

from ..scene import timeline
from ..scene.nodes import patient_node
from ..scene.timeline_look import letters
from ..scene.timeline_rows import shown_rows, state_of
from ..scene.timeline_views import column_of

UPPER_LEFT, RIGHT_EDGE, LEFT_EDGE = 2, 5, 6  # places of vtkCornerAnnotation
SIZE = 13  # points
CHARACTER = 7.0  # pixels that a character of this size takes, on average
BUTTONS, SLIDER = 110, 170  # pixels that the buttons of a bar and a slider with its number take


class ViewTitles(VTKObservationMixin):
    """Date, days since radiotherapy and row in the upper left corner of each view, and at its sides which side of the
    patient lies there."""

    def __init__(self):
        VTKObservationMixin.__init__(self)
        self._corners: dict[str, object] = {}

    def update(self, application: object) -> None:
        """Writes the titles as the timeline is now, and gives all bars the same width."""
        patient = patient_node(application.scene)
        rows = shown_rows(patient) if patient is not None else []
        manager = slicer.app.layoutManager()
        if manager is None or not rows:
            return
        width = manager.viewport().width / max(state_of(patient).get("columns", 1), 1)
        for node in timeline.view_nodes(application):
            widget = manager.sliceWidget(node.GetLayoutName())
            if widget is None:
                continue
            row = int(node.GetLayoutName().split("_")[2])
            corner = self._corner(node, widget)
            title = rows[row].title if row < len(rows) else ""
            _write(corner, UPPER_LEFT, "\n".join(lines(node.GetLayoutLabel(), title, width)), widget)
            self._turned(node)
            image = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node).GetBackgroundVolumeID()
            _fit_bar(widget.sliceController(), node.GetLayoutLabel(), bool(image) and column_of(node) == 0, width)

    def forget(self) -> None:
        """The views are gone."""
        self.removeObservers()
        self._corners.clear()

    def _corner(self, node: object, widget: object) -> object:
        name = node.GetLayoutName()
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
        widget.sliceView().cornerAnnotation().SetVisibility(False)  # Slicer's names of the volumes would lie under ours
        self._corners[name] = corner
        if not self.hasObserver(node, vtk.vtkCommand.ModifiedEvent, self._turned):
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._turned)
        return corner

    def _turned(self, node: object, event: object = None) -> None:
        """A view that was turned shows other sides. Called with each step of a scroll: it must cost nothing."""
        corner = self._corners.get(node.GetLayoutName())
        if corner is not None:
            left, right = letters(node)
            if corner.GetText(LEFT_EDGE) != left or corner.GetText(RIGHT_EDGE) != right:
                corner.SetText(LEFT_EDGE, left)
                corner.SetText(RIGHT_EDGE, right)


def lines(label: str, row: str, width: float) -> list[str]:
    """Title and row of a view in as many lines as its width (pixels) needs."""
    fits = (width - 2 * CHARACTER) / CHARACTER
    dated = [label] if len(label) <= fits else label.split(", ")
    what = [row] if len(row) <= fits else row.replace(" over ", "\nover ").split("\n")
    return [*dated, *what]


def _write(corner: object, place: int, text: str, widget: object) -> None:
    if corner.GetText(place) != text:
        corner.SetText(place, text)
        widget.sliceView().scheduleRender()


def _fit_bar(bar: object, text: str, with_slider: bool, width: float) -> None:
    """One slider moves all views: it stands in the first column. What does not fit gives way, so that no bar is wider
    than its column: the slider's number, and the label, which the view's corner says too."""
    slider, label = bar.sliceOffsetSlider(), slicer.util.findChild(bar, "ViewLabel")
    slider.visible = with_slider
    slider.spinBoxVisible = with_slider and width > BUTTONS + SLIDER
    room = width - BUTTONS - (SLIDER if with_slider else 0)
    label.text = text if label.fontMetrics().horizontalAdvance(text) < room else ""
    label.visible = bool(label.text) or not with_slider
