"""The patient of the scene in memory."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import slicer

from ...analysis import Analysis
from ...measures import InputError, Message
from ...scene.application import application
from ...scene.nodes import patient_node
from ...scene.read import read_scene
from ..long_work import run_in_background, silent


class ScenePatient:
    """The scene's patient, read when it is needed, and what tells that the scene has become another."""

    def __init__(self):
        super().__init__()
        self.application = application()
        self._analysis: Analysis | None = None
        self._shown: Analysis | None = None
        self._epoch = 0
        self.found: list[Message] = []  # what was said when the scene was read

    @property
    def analysis(self) -> Analysis | None:
        """The scene's patient; read from the scene when it is not in memory, None when the scene has none, or not
        yet (while it is opened) or not any more (while it is closed). While steps run: as it was before them, for a
        worker changes the other one."""
        if self._shown is not None:
            return self._shown
        scene = self.application.scene
        if self._analysis is None and not scene.IsImporting() and not scene.IsClosing():
            node = patient_node(scene)
            if node is not None and node.GetText():
                content = read_scene(scene)
                self._analysis, self.found = content.analysis, content.messages
        return self._analysis

    def forget(self) -> None:
        """After the scene was closed, opened or edited by others: the next use reads it again."""
        self._analysis, self._shown, self.found = None, None, []
        self._epoch += 1

    @property
    def epoch(self) -> int:
        """Another number whenever the scene was closed, opened or edited by others."""
        return self._epoch

    @property
    def measured(self) -> bool:
        """Whether the patient was measured; strokes are then measured at once."""
        return self.analysis is not None and ("step_measure", "") in self.analysis.finished

    def _patient(self) -> Analysis:
        if self.analysis is None:
            raise InputError("scene_without_patient")
        return self.analysis

    def _copy(self) -> Analysis:
        """The analysis as it is now, whatever strokes come: arrays are shared, for a stroke makes new ones."""
        analysis = self._patient()
        part = Analysis(**{name: copy.copy(value) for name, value in vars(analysis).items()})
        part.patient.regions = [copy.copy(region) for region in analysis.patient.regions]
        return part

    def in_background(self, work: Callable[[], Any], cancel: threading.Event) -> Any:
        """The result of work that touches no scene, with the interface alive."""
        return run_in_background(lambda report, cancelled: work(), silent, cancel)

    def _check_same(self, epoch: int) -> None:
        if self._epoch != epoch:
            raise CancelledError

    def _pause(self, epoch: int, cancel: threading.Event | None = None) -> Callable[[], None]:
        """Lets the interface live between two pieces of work on the scene; ends the work when the scene was closed, or
        it was asked to stop."""

        def pause() -> None:
            slicer.app.processEvents()
            self._check_same(epoch)
            if cancel is not None and cancel.is_set():
                raise CancelledError

        return pause
