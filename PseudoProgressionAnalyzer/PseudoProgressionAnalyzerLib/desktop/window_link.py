"""The grey window that is set in one visit's image is set in those of all visits."""

from __future__ import annotations

from collections.abc import Callable

import vtk
from slicer.util import VTKObservationMixin

from ..scene.nodes import Kind, linked, patient_node
from ..scene.windows import match_windows, window_of


class WindowLink(VTKObservationMixin):
    """Follows the images of the patient, while ``wanted()``: in Slicer's own views each has its own window."""

    def __init__(self, wanted: Callable[[], bool]):
        VTKObservationMixin.__init__(self)
        self.wanted = wanted
        self.images: dict[object, object] = {}
        self.windows: dict[object, tuple[float, float]] = {}
        self.matching = False

    def follow(self, scene: object) -> None:
        """From now on, the images that the patient has now."""
        patient = patient_node(scene)
        found = {node.GetDisplayNode(): node for node in (linked(patient, Kind.IMAGE) if patient is not None else [])}
        found.pop(None, None)
        if found != self.images:
            self.forget()
            self.images = found
            self.windows = {display: window_of(node) for display, node in found.items()}
            for display in found:
                self.addObserver(display, vtk.vtkCommand.ModifiedEvent, self._changed)

    def forget(self) -> None:
        """Ends it."""
        self.removeObservers()
        self.images, self.windows = {}, {}

    def _changed(self, display: object, event: object = None) -> None:
        node = self.images[display]
        window = window_of(node)
        if window == self.windows[display]:
            return
        self.windows[display] = window
        patient = patient_node(node.GetScene()) if node.GetScene() is not None else None
        if patient is not None and not self.matching and self.wanted():
            self.matching = True
            try:
                match_windows(patient, node)
            finally:
                self.matching = False
