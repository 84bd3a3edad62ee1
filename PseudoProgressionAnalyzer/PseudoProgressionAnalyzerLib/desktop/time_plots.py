"""Plots over the dates of the visits in the panel: one below the other, and a click goes to the visit of its date."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkStringArray

from ..measures import Patient
from ..scene import plots
from ..scene.application import Application

HEIGHT = 230  # pixels of each plot
NEAR = 12  # pixels beside a date that a click still belongs to it
STILL = 4  # pixels that the pointer may move in a click: else it is a drag
BOTTOM = 1  # vtkAxis.BOTTOM


class TimePlots:
    """Slicer's plot widgets in a holder, as many as there are charts; ``clicked`` gets the visit of a click."""

    def __init__(self, holder: object, application: Application, clicked: Callable[[str], None]):
        self.holder, self.application, self.clicked = holder, application, clicked
        self.patient: Patient | None = None
        self.widgets: list[object] = []
        self.nodes: list[object] = []
        self.clicks = Clicks(self._click)

    def show(self, patient: Patient, charts: Sequence[object]) -> None:
        """Shows these charts and hides what is left over."""
        self.patient = patient
        for number, chart in enumerate(charts):
            self._widget(number)
            plots.show_chart(self.nodes[number], chart)
            self._write_dates(self.widgets[number])
        for number, widget in enumerate(self.widgets):
            if number >= len(charts) and number < len(self.nodes):
                plots.show_chart(self.nodes[number], None)
            widget.visible = number < len(charts)

    def close(self) -> None:
        """The views go with the scene."""
        for widget in self.widgets:
            widget.setMRMLPlotViewNode(None)
            widget.visible = False
        for node in self.nodes:
            slicer.mrmlScene.RemoveNode(node)
        self.nodes = []

    def _widget(self, number: int) -> None:
        """Makes the widget of this number the first time, and its view's node in each scene."""
        if number == len(self.widgets):
            widget = slicer.qMRMLPlotWidget()
            widget.setMinimumHeight(HEIGHT)
            widget.setMaximumHeight(HEIGHT)
            widget.plotController().visible = False  # its colored bar says nothing here
            widget.plotView().installEventFilter(self.clicks)
            self.holder.layout().addWidget(widget)
            self.widgets.append(widget)
        if number == len(self.nodes):
            self.nodes.append(plots.plot_view(self.application, number))
            self.widgets[number].setMRMLScene(slicer.mrmlScene)
            self.widgets[number].setMRMLPlotViewNode(self.nodes[number])

    def _write_dates(self, widget: object) -> None:
        """Slicer writes numbers below its plots; these are dates."""
        positions, labels = vtkDoubleArray(), vtkStringArray()
        for day, date in plots.date_ticks(self.patient):
            positions.InsertNextValue(day)
            labels.InsertNextValue(date)
        view = widget.plotView()
        view.chart().GetAxis(BOTTOM).SetCustomTickPositions(positions, labels)
        view.scene().SetDirty(True)

    def _click(self, view: object, x: float) -> None:
        axis = view.chart().GetAxis(BOTTOM)
        first, last = axis.GetPoint1()[0], axis.GetPoint2()[0]
        if self.patient is None or last <= first:
            return
        scale = (axis.GetMaximum() - axis.GetMinimum()) / (last - first)  # days for each pixel
        day = axis.GetMinimum() + (x * view.devicePixelRatioF() - first) * scale
        visit = plots.visit_at(self.patient, day, NEAR * scale)
        if visit:
            self.clicked(visit)


class Clicks(qt.QObject):
    """Tells of clicks into plot views: the view and the x of the pointer. Dragging stays Slicer's."""

    def __init__(self, tell: Callable[[object, float], None]):
        qt.QObject.__init__(self)
        self.tell = tell
        self.pressed: tuple[int, int] | None = None

    def eventFilter(self, watched: object, event: object) -> bool:  # noqa: N802 (Qt's name)
        """Nothing ends here."""
        if event.type() == qt.QEvent.MouseButtonPress and event.button() == qt.Qt.LeftButton:
            self.pressed = event.x(), event.y()
        elif event.type() == qt.QEvent.MouseButtonRelease and self.pressed is not None:
            moved = max(abs(event.x() - self.pressed[0]), abs(event.y() - self.pressed[1]))
            self.pressed = None
            if moved <= STILL:
                self.tell(watched, float(event.x()))
        return False
