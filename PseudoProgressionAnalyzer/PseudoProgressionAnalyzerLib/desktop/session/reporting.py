"""Reports and assessment.json, made beside the interface."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...analysis import Analysis
from ...analysis.known import known_analysis
from ...measures import Message
from ...report import assessment_json, measurements_csv, results
from ...scene.pictures import ScenePictures
from ..long_work import Calls, Show, run_in_background, silent
from .judging import Judging


@dataclass(frozen=True)
class PicturesOfMain:
    """Pictures of the scene for a worker: the main thread makes them."""

    calls: Calls
    pictures: ScenePictures

    def cell(self, *arguments: Any) -> Any:
        """As ``ScenePictures.cell``."""
        return self.calls(self.pictures.cell, *arguments)


class Reporting(Judging):
    """What leaves Slicer, judged up to the last stroke."""

    def report_page(
        self,
        show_patient: bool = False,
        as_of: str = "",
        show: Show = silent,
        cancel: threading.Event | None = None,
    ) -> str:
        """The report as one HTML page with everything in it. as_of: the visit that it opens with, else the
        latest; of an earlier one nothing later is in it."""

        def make(analysis: Analysis, rest: dict[str, Any]) -> str:
            return results.page(analysis, show_patient, as_of=as_of, **rest)

        return self._report(make, show, cancel)

    def save_report(
        self,
        folder: Path,
        overwrite: bool = False,
        show_patient: bool = False,
        as_of: str = "",
        show: Show = silent,
        cancel: threading.Event | None = None,
    ) -> list[Path]:
        """Writes report, timeline, tables and maps into a folder; the scene itself is saved by Slicer. as_of: the visit
        that the report opens with, else the latest; of an earlier one nothing later is in it. Raises InputError;
        CancelledError leaves the folder as it was."""
        results.check_output(Path(folder), overwrite)

        def write(analysis: Analysis, rest: dict[str, Any]) -> list[Path]:
            return results.write_results(analysis, Path(folder), overwrite, show_patient, as_of=as_of, **rest)

        return self._report(write, show, cancel)

    def save_assessment(self, file: Path, show_patient: bool = False, as_of: str = "") -> None:
        """Writes assessment.json, judged up to the last stroke. as_of: as in ``save_report``."""
        self.settle()
        known, not_used = known_analysis(self._patient(), as_of)
        shown = results.shown_analysis(known, show_patient)
        assessment_json.write(shown, Path(file), as_of=as_of, not_used=not_used)

    def save_measurements(self, file: Path, show_patient: bool = False) -> None:
        """Writes measurements.csv of all visits, judged up to the last stroke; as in all that leaves Slicer, without
        the patient's id."""
        self.settle()
        shown = results.shown_analysis(self._patient(), show_patient)
        measurements_csv.write(shown.patient, shown.measurements, Path(file))

    def _report(
        self, make: Callable[[Analysis, dict[str, Any]], Any], show: Show, cancel: threading.Event | None
    ) -> Any:
        """What ``make`` makes of the analysis, judged up to the last stroke, beside the interface; its pictures come
        from the scene."""
        cancel = cancel or threading.Event()
        if self.unsettled and self.measured:
            judge = self.judging()
            self.accept(run_in_background(lambda report, cancelled: judge(), silent, cancel))
        calls, analysis = Calls(), self._copy()
        pictures = PicturesOfMain(calls, ScenePictures(self.application.scene))

        def work(report: Show, cancelled: Callable[[], bool]) -> Any:
            def done(share: float) -> None:
                if cancelled():
                    raise CancelledError
                report(Message("step_write"), share)

            return make(analysis, {"pictures": pictures, "done": done})

        return run_in_background(work, show, cancel, calls)
