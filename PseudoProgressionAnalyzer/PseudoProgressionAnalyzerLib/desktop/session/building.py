"""Steps of the analysis run beside the interface, and what they made brought into the scene."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...analysis import Analysis
from ...analysis.correcting import FOLLOWING, forget_numbers
from ...analysis.run import run
from ...report import assessment_json
from ...scene.build import build_scene, known_checksums, prepare, share_images
from ...scene.nodes import marked, patient_node
from ...scene.timeline_look import heads
from ..drawing import drawn_one_by_one
from ..long_work import Show, run_in_background, silent
from .judging import Judging
from .timeline import TimelineWork


class Building(Judging, TimelineWork):
    """The way from the analysis into the scene, with the interface alive."""

    def _work(self, analysis: Analysis, show: Show, cancel: threading.Event | None, last_step: str = "") -> None:
        """Runs the steps that are not done; again those that depend on regions or transforms edited meanwhile."""
        cancel = cancel or threading.Event()
        edited = True
        while edited:
            self._shown = self._copy() if self._analysis is not None else None
            try:
                run_in_background(
                    lambda report, cancelled: run(analysis, report, cancelled, last_step=last_step), show, cancel
                )
            finally:
                self._shown = None
                taken, self._taken = self._taken, []
                edited = bool(taken)
                if edited:
                    analysis.finished -= {(step, "") for step in FOLLOWING}
                for visit in {marked(node, "visit") for node, _ in taken}:
                    analysis.finished -= {("step_reference_tissue", visit), ("step_ratios", visit)}
                if analysis is self._analysis:
                    edited |= self._look_at_transforms()

    def _bring(self, analysis: Analysis, epoch: int) -> None:
        """Brings the work on a patient into the scene that has it. Raises CancelledError where the scene was closed or
        another one opened while the work ran. Numbers of before work that was stopped half-way do not stay."""
        self._check_same(epoch)
        if analysis.measurements and ("step_measure", "") not in analysis.finished:
            forget_numbers(analysis)
        self.arranging, before = True, heads(patient_node(self.application.scene))
        try:
            with drawn_one_by_one(self._pause(epoch)):
                self._build(analysis)
                self._redraw(before)
        finally:
            self.arranging = False

    def _build(
        self,
        analysis: Analysis,
        check: Callable[[], None] = lambda: None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Brings the scene up to date, with the interface alive; ends where the scene is closed meanwhile, between two
        nodes where ``cancel`` is set, or where ``check`` raises, before anything is written."""
        self._settled = self._edits
        pause, known = self._pause(self._epoch, cancel), known_checksums(self.application.scene)

        def make(report, cancelled):
            return prepare(analysis, known, cancelled), assessment_json.text(analysis) if analysis.assessments else ""

        prepared, text = run_in_background(make, silent, cancel or threading.Event())
        with drawn_one_by_one(pause):
            pause()
            check()
            self._analysis = analysis
            share_images(build_scene(self.application, analysis, text, pause, prepared), analysis)
