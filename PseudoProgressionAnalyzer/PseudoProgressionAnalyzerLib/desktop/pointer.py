"""Where the user points in the views: a click, or the crosshair moved under Shift, as a visit and a place; and which
view of the timeline a button was pressed in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import qt
import slicer
import vtk
from slicer.util import VTKObservationMixin

from ..scene.nodes import marked
from ..scene.timeline_layout import is_ours

Pointed = Callable[[str, np.ndarray, bool], None]
"""Called with the visit's id, the point of the scene (RAS mm) and whether it was clicked."""


FIRST = 1.0
"""Priority of the observers: a markup under the pointer keeps a click from all that come later."""
BEFORE_ALL = 20.0
"""Priority above all others that listen to views."""
PRESS = "LeftButtonPressEvent"


class Pointer:
    """Follows the crosshair and clicks into every slice view of the present layout, from ``open`` to ``close``, where
    that is ``wanted()``: asked of a patient that is whole."""

    def __init__(self, pointed: Pointed, wanted: Callable[[], object]):
        self.pointed = pointed
        self.wanted = wanted
        self.opened = False
        self.observed: list[tuple[object, int]] = []
        self.views: tuple[object, ...] = ()
        self._layout_changed = lambda layout: self.follow()  # kept: a signal lets go of the very same function

    def open(self) -> None:
        """Clicks and the crosshair are followed, whatever layout comes."""
        manager = slicer.app.layoutManager()
        if manager is not None and not self.opened:  # without a window there is none
            manager.connect("layoutChanged(int)", self._layout_changed)
        self.opened = True
        self.follow()

    def close(self) -> None:
        """Nothing is observed any more."""
        self.forget()
        manager = slicer.app.layoutManager()
        if manager is not None and self.opened:
            manager.disconnect("layoutChanged(int)", self._layout_changed)
        self.opened = False

    def follow(self) -> None:
        """From now on, in the views that the layout has now; does nothing where it is closed by now."""
        self.forget()
        if not self.opened:
            return
        if slicer.mrmlScene.IsClosing() or slicer.mrmlScene.IsImporting():
            qt.QTimer.singleShot(0, self.follow)  # the patient is not whole yet, or not whole any more
        elif self.wanted():
            crosshair = _crosshair()
            if crosshair is not None:
                self._observe(crosshair, slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent, self._moved)
            self.views = _views()
            for interactor in self.views:
                self._observe(interactor, vtk.vtkCommand.LeftButtonPressEvent, self._clicked)

    def forget(self) -> None:
        """Ends all observations, until the next ``follow``."""
        for node, tag in self.observed:
            node.RemoveObserver(tag)
        self.observed = []

    def _observe(self, node: object, event: int, function: Callable) -> None:
        self.observed.append((node, node.AddObserver(event, function, FIRST)))

    def _moved(self, crosshair: object, event: str) -> None:
        if self.views != _views():  # rows that were added to the layout, or made again, tell nobody
            qt.QTimer.singleShot(0, self.follow)
        if qt.QApplication.keyboardModifiers() & qt.Qt.ShiftModifier:
            self._tell(False)

    def _clicked(self, interactor: object, event: str) -> None:
        self._tell(True)

    def _tell(self, clicked: bool) -> None:
        """The point under the pointer, in the visit whose view it is in."""
        crosshair, world = _crosshair(), [0.0, 0.0, 0.0]
        view = crosshair.GetCursorPositionXYZ([0.0, 0.0, 0.0]) if crosshair.GetCursorPositionRAS(world) else None
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view) if view is not None else None
        volume = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID() or "") if composite else None
        visit = marked(volume, "visit") if volume is not None else ""
        if visit:
            self.pointed(visit, np.array(world), clicked)


class Presses(VTKObservationMixin):
    """Tells of the left button pressed in a view of the timeline: ``pressed`` gets the view's node.

    Then the view hears of the pointer's place, and of the press anew: an effect of the Segment Editor that became
    active by it, or while the pointer rested, knows neither the press nor, before a move, how large its brush is.
    """

    def __init__(self, pressed: Callable[[object], None]):
        VTKObservationMixin.__init__(self)
        self.pressed = pressed
        self.views: dict[object, object] = {}
        self.again = False

    def follow(self) -> None:
        """From now on, in the timeline's views as they are now."""
        manager = slicer.app.layoutManager()
        widgets = [manager.sliceWidget(name) for name in manager.sliceViewNames() if is_ours(name)] if manager else []
        views = {each.sliceView().interactor(): each.mrmlSliceNode() for each in widgets if each is not None}
        if views != self.views:
            self.forget()
            self.views = views
            for interactor in views:
                self.addObserver(interactor, PRESS, self._pressed, priority=BEFORE_ALL)

    def forget(self) -> None:
        """Ends it."""
        self.removeObservers()
        self.views = {}

    def _pressed(self, interactor: object, event: object = None) -> None:
        if self.again:
            return
        _group, tag, _priority = self.getObserver(interactor, PRESS, self._pressed)
        command = interactor.GetCommand(tag)
        self.pressed(self.views[interactor])
        self.again = True
        try:
            interactor.InvokeEvent("MouseMoveEvent")
            interactor.InvokeEvent(PRESS)
        finally:
            self.again = False
        command.SetAbortFlag(1)


def _crosshair() -> object | None:
    return slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")


def _views() -> tuple[object, ...]:
    """The interactors of all slice views: a view that is made again under its name has another one."""
    manager = slicer.app.layoutManager()
    widgets = [manager.sliceWidget(name) for name in manager.sliceViewNames()] if manager else []
    return tuple(widget.sliceView().interactor() for widget in widgets if widget is not None)
