"""A saved scene that is opened before anybody has chosen the module."""

from __future__ import annotations

from collections.abc import Callable

from slicer.util import VTKObservationMixin

from ..scene.nodes import patient_node

AGAIN = 50  # ms until it is looked again whether Slicer has finished opening a scene


class Opening(VTKObservationMixin):
    """Calls ``opened()`` once a patient has come into the scene with another scene that was opened or added; not when
    one is added to a patient that was there before. A patient that is there already counts as opened now.

    It looks at the text nodes and at nothing else: Slicer starts with it, and opens every scene with it. Views get
    their room only when Slicer has finished opening: its dialog of progress lets timers have their turn meanwhile.
    """

    def __init__(self, scene: object, opened: Callable[[], None]):
        VTKObservationMixin.__init__(self)
        self.scene = scene
        self.opened = opened
        self.before = False
        self.addObserver(scene, scene.StartImportEvent, self._begins)
        self.addObserver(scene, scene.EndImportEvent, self._ended)
        self._ended()

    def _begins(self, scene: object, event: object = None) -> None:
        self.before = patient_node(self.scene) is not None

    def _ended(self, scene: object = None, event: object = None) -> None:
        if not self.before and patient_node(self.scene) is not None:
            self._wait(0)

    def _wait(self, time: int) -> None:
        import qt  # a scene without a desktop has none

        qt.QTimer.singleShot(time, self._open)

    def _open(self) -> None:
        import qt

        if self.scene.IsBatchProcessing() or self.scene.IsImporting() or qt.QApplication.activeModalWidget():
            self._wait(AGAIN)
        elif patient_node(self.scene) is not None:  # else it was closed again
            self.opened()
