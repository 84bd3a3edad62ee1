"""Scrolling with the wheel and with keys: steps that come while views are still being drawn are made as one.

A step of linked views takes a tenth of a second and is soon asked for again. Slicer makes each of them, one after the
other, and nothing is seen before the last: a flick of the wheel over twelve views was over a second of silence.
"""

from __future__ import annotations

import time

import slicer
from slicer.util import VTKObservationMixin

from ..scene.timeline_look import move_across
from .soon import Soon

FIRST = 1.0
"""Priority of the observers: before Slicer's own, which then hear nothing."""
PAUSE = 0.05  # s without a step, after which the next one is Slicer's again
WHEEL = {"MouseWheelForwardEvent": 1, "MouseWheelBackwardEvent": -1}
KEYS = {"Up": 1, "Right": 1, "f": 1, "Down": -1, "Left": -1, "b": -1}
"""What Slicer moves a slice view with, and where to."""


class Scrolling(VTKObservationMixin):
    """Listens in views: the first step is Slicer's, and those that follow it closely are added up and made at once."""

    def __init__(self):
        VTKObservationMixin.__init__(self)
        self.views: dict[object, object] = {}
        self.waiting: dict[object, int] = {}
        self.busy, self.ended = False, 0.0
        self.soon = Soon(self._catch_up)

    def follow(self, views: dict[object, object]) -> None:
        """From now on, these slice nodes by the interactors of their views."""
        if views != self.views:
            self.forget()
            self.views = dict(views)
            for interactor in views:
                for event in (*WHEEL, "KeyPressEvent"):
                    self.addObserver(interactor, event, self._step, priority=FIRST)

    def forget(self) -> None:
        """Ends it."""
        self.removeObservers()
        self.soon.forget()
        self.views, self.waiting, self.busy = {}, {}, False

    def _step(self, interactor: object, event: str) -> None:
        steps = WHEEL[event] if event in WHEEL else KEYS.get(interactor.GetKeySym(), 0)
        if not steps or interactor.GetControlKey() or interactor.GetShiftKey() or interactor.GetAltKey():
            return
        if self.busy or time.monotonic() - self.ended < PAUSE:
            self.waiting[interactor] = self.waiting.get(interactor, 0) + steps
            _group, tag, _priority = self.getObserver(interactor, event, self._step)
            interactor.GetCommand(tag).SetAbortFlag(1)
        self.busy = True
        self.soon.ask()

    def _catch_up(self) -> None:
        waiting, self.waiting = self.waiting, {}
        try:
            for interactor, steps in waiting.items():
                logic = slicer.app.applicationLogic().GetSliceLogic(self.views[interactor])
                if steps and logic is not None:
                    slicer.app.pauseRender()
                    try:
                        move_across(logic, steps)
                    finally:
                        slicer.app.resumeRender()
        finally:
            self.busy, self.ended = False, time.monotonic()
