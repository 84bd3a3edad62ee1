"""One view of the timeline alone in the window, by the panel, a double click or the button in the view's bar; and all
of them again, at the place and zoom where it looked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import qt
import vtk
from slicer.util import VTKObservationMixin

from ..scene.nodes import patient_node
from ..scene.timeline import is_shown, show_legends_of
from ..scene.timeline_layout import enlarged_view
from ..scene.timeline_look import Look, look_again, look_of
from .drawing import drawn_one_by_one

FIRST = 10.0
"""Priority of the observer: Slicer's own then have not yet changed the views."""


class Enlarging(VTKObservationMixin):
    """Follows the view that Slicer shows alone. arrange(look): ``Session.arrange``; chosen(view): called with a view
    that was enlarged."""

    def __init__(self, application: object, arrange: Callable[[Callable[[], None]], None], chosen: Callable):
        VTKObservationMixin.__init__(self)
        self.application, self.arrange, self.chosen = application, arrange, chosen
        self.before: object | None = None
        self.left: Callable[[], None] = lambda: None
        self.look: dict[int, Look] = {}
        self.held = contextlib.ExitStack()
        self.timer = qt.QTimer()
        self.timer.setSingleShot(True)
        self.timer.setInterval(0)
        self.timer.connect("timeout()", self._settle)

    @property
    def alone(self) -> object | None:
        """The view that is shown alone, by us or by Slicer."""
        return enlarged_view(self.application)

    def watch(self, left: Callable[[], None] = lambda: None) -> None:
        """From now on, in the present scene. left(): called when another layout than the timeline's is chosen."""
        self.forget()
        self.left = left
        layout = self._layout()
        if layout is not None:
            self.addObserver(layout, vtk.vtkCommand.ModifiedEvent, self._changed, priority=FIRST)
            self.before = self.alone

    def forget(self) -> None:
        """Ends it."""
        self.timer.stop()
        self.held.close()
        self.removeObservers()
        self.before = None

    def show(self, view: object | None) -> None:
        """Shows a view alone, or (None) all of them again."""
        layout, before = self._layout(), self.alone
        if layout is None or before is view:
            return
        change = layout.StartModify()  # from one view to another without all of them between
        if before is not None:
            layout.RemoveMaximizedViewNode(before)
        if view is not None:
            layout.AddMaximizedViewNode(view)
        layout.EndModify(change)

    def follow(self, chosen: object | None) -> None:
        """Where a view is shown alone, it is the chosen one; one that was just enlarged will be."""
        if self.alone is not None and chosen is not None and not self.timer.active:
            self.show(chosen)

    def _layout(self) -> object | None:
        return self.application.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")

    def _changed(self, layout: object, event: object = None) -> None:
        shown, now = is_shown(self.application), self.alone
        if not shown:
            self.left()
        if now is self.before or not shown:
            return
        if not self.timer.active:  # else where they looked is known, and the layout has changed since
            self.look = look_of(self.application, self.before)
            self.held.enter_context(drawn_one_by_one())  # not at sizes that stand for a moment only
        self.before = now
        self.timer.start()

    def _settle(self) -> None:
        """Once the layout has made room for the views."""
        with self.held.pop_all():
            if patient_node(self.application.scene) is None or not is_shown(self.application):
                return
            if self.before is not None:
                self.chosen(self.before)
            show_legends_of(self.application, self.before)  # before their units are written
            self.arrange(lambda: look_again(self.application, self.look))
