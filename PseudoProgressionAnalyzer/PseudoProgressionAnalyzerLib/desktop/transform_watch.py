"""Transforms of the patient that are edited anywhere in Slicer, as in its module Transforms."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
from slicer.util import VTKObservationMixin

RESTED = 1500  # ms without an event: a slider that is dragged tells of every step


class TransformWatch(VTKObservationMixin):
    """Tells ``rested()`` when transforms have changed and stay as they are."""

    def __init__(self, rested: Callable[[], None]):
        VTKObservationMixin.__init__(self)
        self.nodes: list[object] = []
        self.timer = qt.QTimer()
        self.timer.setSingleShot(True)
        self.timer.setInterval(RESTED)
        self.timer.connect("timeout()", rested)

    def follow(self, nodes: list[object]) -> None:
        """Watches these transform nodes from now on, and no others."""
        if nodes != self.nodes:
            self.removeObservers()
            self.nodes = nodes
            for node in nodes:
                self.addObserver(node, slicer.vtkMRMLTransformableNode.TransformModifiedEvent, self.later)

    def forget(self) -> None:
        """Ends it."""
        self.timer.stop()
        self.removeObservers()
        self.nodes = []

    def later(self, node: object = None, event: object = None) -> None:
        """Tells once nothing has changed for a while."""
        self.timer.start()
