"""What the buttons of "Lesions and response" do, callable from Python without the panel.

Everything is kept in the patient: what a reader says are events, choices stand in the analysis, lines and proposals are
nodes of the scene.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..analysis import Analysis
from ..analysis.proposing import bright_tissue, propose_lesion, visit_before
from ..imaging.resampling import transform_points
from ..lesion.proposal import LIMIT
from ..measures import Event, Image, InputError, Message
from ..scene import lines, proposals, timeline
from ..scene.nodes import Kind, linked, marked, patient_node
from .long_work import run_in_background
from .session import Session

Show = Callable[[Message, float], None]


class LesionWork:
    """Proposals, lines, readings and choices of the session's patient."""

    def __init__(self, session: Session):
        self.session = session
        self._bright: dict[str, np.ndarray] = {}
        self.limit = LIMIT

    def forget(self) -> None:
        """Another patient, or none: nothing of the last one is kept."""
        self._bright = {}

    def propose(self, visit: str, world: Any, show: Show, cancel: threading.Event) -> tuple[Message, ...]:
        """Proposes the lesion at a point (RAS mm of the scene) in a visit; a further click adds to the proposal.

        Returns what must be said of it. Raises InputError ``proposal_not_aligned`` and as ``propose_lesion``.
        """
        analysis = self._aligned(visit)
        to_visit = np.linalg.inv(analysis.visit_to_reference[visit])
        point = transform_points(to_visit, np.array([world], dtype=float))[0]
        there = proposals.proposal_of(self._patient(), visit)
        return self._propose(analysis, visit, [*(there[1] if there else []), point], "", show, cancel)

    def propose_from_before(self, visit: str, show: Show, cancel: threading.Event) -> tuple[Message, ...]:
        """Proposes what the lesion of the visit before has become. Raises InputError ``proposal_nothing_before``."""
        analysis = self._aligned(visit)
        before = visit_before(analysis, visit)
        if not before:
            raise InputError("proposal_nothing_before", visit=visit)
        return self._propose(analysis, visit, [], before, show, cancel)

    def propose_again(self, visit: str, limit: float, show: Show, cancel: threading.Event) -> tuple[Message, ...]:
        """The proposal of a visit with another limit of brightness; does nothing where there is none."""
        self.limit = limit
        there = proposals.proposal_of(self._patient(), visit)
        if there is None:
            return ()
        return self._propose(self._aligned(visit), visit, there[1], marked(there[0], "carried_from"), show, cancel)

    def proposed(self, visit: str) -> bool:
        """Whether a proposal waits in a visit."""
        patient = self._patient()
        return patient is not None and proposals.proposal_of(patient, visit) is not None

    def accept(self, visit: str) -> None:
        """Makes the proposal a lesion, and measures it."""
        names = [
            region.name
            for region in self._analysis().patient.regions
            if (region.visit, region.purpose) == (visit, "lesion")
        ]
        accepted = proposals.accept_proposal(self._patient(), visit, names[0] if len(names) == 1 else "lesion")
        if accepted is not None:
            self.session.remeasure(*accepted)
            self.session.settle()

    def reject(self, visit: str) -> None:
        """Takes the proposal away."""
        proposals.reject_proposal(self._patient(), visit)

    def take_lines(self) -> bool:
        """Takes lines that the reader moved; says whether anything followed."""
        analysis, patient = self.session.analysis, self._patient()
        if analysis is None or not analysis.lesions or not lines.read_lines(patient, analysis):
            return False
        self._follow()
        return True

    def measured_lines(self, visit: str = "", lesion: str = "") -> None:
        """The measured lines again instead of the reader's."""
        lines.measured_again(self._patient(), self._analysis(), visit, lesion)
        self._follow()

    def show_lines(self, rule: str, shown: bool) -> None:
        """Lines of one rule, or none."""
        if self._patient() is not None:
            lines.show_rule(self._patient(), rule, shown)

    def draw_lines(self) -> None:
        """Lines as the lesions are now."""
        analysis = self.session.analysis
        if analysis is not None and analysis.lesions:
            lines.write_lines(self._patient(), analysis)
            timeline.show_drawn(self.session.application)

    def line_nodes(self) -> list[Any]:
        """The lines of all lesions."""
        patient = self._patient()
        return linked(patient, Kind.LINE) if patient is not None else []

    def choose(self, **choices: Any) -> None:
        """Changes choices: fields of ``Choices``, or of its settings. Raises InputError as the rules."""
        analysis = self._analysis()
        fields = {field.name for field in dataclasses.fields(analysis.choices)}
        own = {name: value for name, value in choices.items() if name in fields}
        settings = {name: value for name, value in choices.items() if name not in fields}
        before = analysis.choices
        kept = dataclasses.replace(before.settings, **settings)
        analysis.choices = dataclasses.replace(before, settings=kept, **own)
        try:
            self.session.assess()
        except InputError:
            analysis.choices = before
            raise

    def state(self, visit: str, kind: str, **details: Any) -> None:
        """States something of a visit as an event of its day; None takes a statement back.

        kind: ``reading``, ``clinical_status`` or ``dexamethasone``. Raises InputError ``reading_needs_date``.
        """
        patient = self._analysis().patient
        date = patient.visit(visit).date
        if date is None:
            raise InputError("reading_needs_date", visit=visit)
        event = next((event for event in patient.events if (event.kind, event.date) == (kind, date)), None)
        if event is None:
            event = Event(kind, date)
            patient.events.append(event)
        event.details = {name: value for name, value in {**event.details, **details}.items() if value is not None}
        if not event.details:
            patient.events.remove(event)
        self.session.assess()

    def stated(self, visit: str, kind: str, name: str) -> Any:
        """What was stated of a visit on its day; None where nothing was."""
        patient = self._analysis().patient
        date = patient.visit(visit).date
        said = [event.details.get(name) for event in patient.events if (event.kind, event.date) == (kind, date)]
        return next((value for value in reversed(said) if value is not None), None) if date else None

    def _propose(
        self,
        analysis: Analysis,
        visit: str,
        points: list[np.ndarray],
        before: str,
        show: Show,
        cancel: threading.Event,
    ) -> tuple[Message, ...]:
        known = self._bright.get(visit)

        def work(report: Show, cancelled: Callable[[], bool]) -> tuple[np.ndarray, Any]:
            report(Message("step_propose", {"visit": visit}), 0.0)
            bright = bright_tissue(analysis, visit) if known is None else known
            return bright, propose_lesion(analysis, visit, bright, points, before, self.limit)

        self._bright[visit], found = run_in_background(work, show, cancel)
        if found.mask.any():
            image = Image(found.mask, analysis.images[visit, "T1CE"].affine)
            proposals.show_proposal(self._patient(), visit, image, points, before)
            timeline.show_drawn(self.session.application)
        return found.flags

    def _follow(self) -> None:
        self.session.assess()
        self.draw_lines()

    def _patient(self) -> Any:
        return patient_node(self.session.application.scene)

    def _analysis(self) -> Analysis:
        if self.session.analysis is None:
            raise InputError("scene_without_patient")
        return self.session.analysis

    def _aligned(self, visit: str) -> Analysis:
        analysis = self._analysis()
        if visit not in analysis.visit_to_reference or visit not in analysis.brains:
            raise InputError("proposal_not_aligned", visit=visit)
        return analysis
