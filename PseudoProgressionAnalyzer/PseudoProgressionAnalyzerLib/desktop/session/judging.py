"""Lesions, responses and assessments of what is measured, judged at once or beside the interface, and written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path

from ...analysis import Analysis
from ...analysis.correcting import JUDGING, forget_numbers
from ...analysis.judging import assess_visits
from ...analysis.known import latest_assessed
from ...analysis.mean_spectra import STEP as MEAN_SPECTRA
from ...analysis.mean_spectra import follow_mean_spectra
from ...analysis.measuring import measure_waiting
from ...analysis.perfusion_changes import waiting_response_maps
from ...analysis.responding import update_lesions
from ...measures import Message
from ...report import assessment_json
from ...scene import timeline
from ...scene.as_of import choose_as_of, chosen_as_of
from ...scene.build import write_assessment, write_measurements, write_patient
from ...scene.lesion_colours import colour_lesions
from ...scene.lines import lines_wait, read_lines, write_lines
from ...scene.nodes import patient_node
from ...scene.spectra import write_region_spectra
from ...scene.transforms import take_transforms
from .strokes import Strokes

ASSESSED = {(step, "") for step in JUDGING}
REMADE = ("maps", "series_to_visit", "absent", "messages", "overlaps", "measurements")
"""What making the maps that wait writes into the analysis."""

JUDGED = (*REMADE, "lesions", "parts", "outlines", "response", "assessments", "outcome")
"""What judging writes into the analysis; and with it the mean spectra that it fitted again."""


@dataclass(frozen=True)
class Judged:
    """An analysis judged beside the interface, its assessment.json, visits with a response map made again, and of which
    state of the session."""

    analysis: Analysis
    text: str
    mapped: list[str]
    edits: int
    epoch: int


class Judging(Strokes):
    """What follows when the pen rests. ``written`` counts how often it was brought into the scene."""

    def __init__(self):
        super().__init__()
        self._settled = 0
        self.written = 0
        self._moved: list[Message] = []  # of transforms that were taken, not said yet

    def forget(self) -> None:
        super().forget()
        self._moved.clear()
        self._settled = self._edits

    @property
    def unsettled(self) -> bool:
        """Whether lesions, responses and assessments are older than the measurements or than lines that the reader
        moved, or not there, or maps wait."""
        finished = self._analysis.finished if self._analysis else set()
        if ("step_measure", "") in finished and not finished >= ASSESSED:
            return True
        if self._edits != self._settled or bool(self._analysis and waiting_response_maps(self._analysis)):
            return True
        patient = patient_node(self.application.scene)
        return bool(self._analysis and patient and lines_wait(patient, self._analysis))

    def take_lines(self) -> bool:
        """Takes lines that the reader moved; says whether anything is to be judged again."""
        patient = patient_node(self.application.scene)
        taken = patient is not None and read_lines(patient, self._patient())
        self._edits += taken
        return taken

    def take_transforms(self) -> list[Message]:
        """Takes transforms that were edited in the scene, and says which, also those that work has taken meanwhile.
        Where something was measured by those of before, no number stays until it is computed again."""
        analysis = self._analysis if self._shown is None else None
        taken = analysis is not None and self._look_at_transforms()
        if taken and analysis.measurements and ("step_measure", "") not in analysis.finished:
            forget_numbers(analysis)
            self._moved.append(Message("scene_numbers_gone"))
            self._edits += 1  # what is judged beside is of before
            self._write("")
        said, self._moved = self._moved, []
        return said

    def _look_at_transforms(self) -> bool:
        """Whether transforms were edited in the scene: they are taken, as the user's own."""
        patient = patient_node(self.application.scene)
        found = take_transforms(patient, self._patient()) if patient is not None else []
        if found:
            write_patient(patient, self._patient())
        self._moved += found
        return bool(found)

    def settle(self) -> None:
        """Judges and writes what strokes changed, where anything did, at once: before a file is written of it."""
        self._moved = self.take_transforms()  # said once somebody asks
        if self.unsettled:
            self.assess()

    def judging(
        self, sheltered: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext
    ) -> Callable[[], Judged | None]:
        """The work of judging what is measured now, with the maps that wait, for any thread: it touches neither the
        scene nor the analysis, and ends early where strokes come meanwhile. ``accept`` takes what it returns. What
        waits for threads of its own is ``sheltered``: it ends by itself."""
        self.take_lines()
        edits, epoch, part = self._edits, self._epoch, self._copy()

        def work() -> Judged | None:
            mapped = measure_waiting(part)
            try:
                with sheltered():
                    follow_mean_spectra(part, lambda: (self._edits, self._epoch) != (edits, epoch))
            except CancelledError:
                return None
            update_lesions(part)
            if self._edits != edits:
                return None
            assess_visits(part)
            return Judged(part, assessment_json.text(part), mapped, edits, epoch)

        return work

    def accept(self, judged: Judged | None) -> bool:
        """Takes what was judged beside, and writes it; does nothing, and says so, where strokes came or all was judged
        at once meanwhile."""
        if judged is None or not self.unsettled or (judged.edits, judged.epoch) != (self._edits, self._epoch):
            return False
        analysis = self._patient()
        for name in JUDGED:
            setattr(analysis, name, getattr(judged.analysis, name))
        analysis.region_spectra.update(judged.analysis.region_spectra)
        analysis.finished |= {step for step in judged.analysis.finished if step[0] == MEAN_SPECTRA} | ASSESSED
        self._tissue.update(judged.mapped)
        self._write(judged.text)
        return True

    def assess(self) -> None:
        """Judges all visits again from the present measurements, where there are any, and writes it."""
        analysis = self._patient()
        self.take_lines()
        if self.measured:
            self._tissue.update(measure_waiting(analysis))
            follow_mean_spectra(analysis)
            update_lesions(analysis)
            assess_visits(analysis)
            analysis.finished |= ASSESSED
        self._write(assessment_json.text(analysis) if analysis.assessments else "")

    def _write(self, assessment: str) -> None:
        """All text of the scene, the lines of diameters and maps that were made again, as the analysis is now."""
        analysis, patient = self._patient(), patient_node(self.application.scene)
        self._settled = self._edits
        self.written += 1
        self.show_maps()
        write_patient(patient, analysis)
        write_measurements(patient, analysis)
        write_region_spectra(patient, analysis)
        write_assessment(patient, assessment)
        write_lines(patient, analysis)
        colour_lesions(patient, analysis)
        timeline.show_drawn(self.application)

    def set_prior(self, prior: Sequence[float] | None, visit: str = "") -> None:
        """Assesses again with a prior (median, low, high) of the user's for a visit, or for all (empty); None takes it
        back. Raises InputError ``prior_invalid``, and then nothing is changed."""
        analysis = self._patient()
        analysis.rules = analysis.rules.with_prior(prior, visit)
        self._judge()

    def set_criteria(self, file: Path | None) -> None:
        """Assesses again with a criteria file of the user's, or with the default set (None). Raises InputError, which
        names the line or the field, and then nothing is changed."""
        analysis = self._patient()
        analysis.rules = analysis.rules.with_criteria(file)
        self._judge()

    def _judge(self) -> None:
        """Assesses again where only the rules changed."""
        analysis = self._patient()
        if self.unsettled:
            self.assess()
            return
        if self.measured:
            assess_visits(analysis)
        patient = patient_node(self.application.scene)
        write_patient(patient, analysis)
        write_assessment(patient, assessment_json.text(analysis) if analysis.assessments else "")

    @property
    def as_of(self) -> str:
        """The visit whose assessment is shown: the chosen one, else the latest; empty where there is no assessment."""
        assessed = [found.as_of for found in self.analysis.assessments] if self.analysis else []
        chosen = chosen_as_of(self.application.scene)
        return chosen if chosen in assessed else latest_assessed(self.analysis) if assessed else ""

    def choose_as_of(self, visit: str) -> None:
        """Chooses the visit whose assessment is shown; it is saved with the scene. Raises InputError
        ``unknown_visit``."""
        analysis = self._patient()
        if visit:
            analysis.patient.visit(visit)
        choose_as_of(self.application.scene, "" if visit == latest_assessed(analysis) else visit)
