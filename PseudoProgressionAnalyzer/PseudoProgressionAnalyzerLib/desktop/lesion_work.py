"""What the buttons of "Lesions and response" do, callable from Python without the panel.

Everything is kept in the patient: what a reader says are events, choices stand in the analysis, lines and proposals are
nodes of the scene.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..analysis import Analysis
from ..analysis.carrying import propose_region
from ..analysis.proposing import bright_tissue, propose_lesion, visit_before
from ..imaging.resampling import transform_points
from ..lesion.proposal import LIMIT
from ..measures import Event, Image, InputError, Message, Region
from ..scene import lines, proposals, timeline
from ..scene.correcting import remember
from ..scene.nodes import Kind, linked, marked, patient_node
from ..scene.timeline_look import centre_on
from ..scene.timeline_views import view_nodes
from .long_work import Show, run_in_background
from .session import Session


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

    def propose_region(self, name: str, drawn_in: str) -> tuple[str, tuple[Message, ...]]:
        """Proposes a drawn region in the visit after the one that it was drawn in, with its old shape and purpose.

        Returns the visit and what must be said. Raises InputError ``proposal_no_visit_after``, ``proposal_there``,
        ``proposal_waiting`` and as ``analysis.carrying.propose_region``.
        """
        analysis = self._analysis()
        order = [visit.id for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
        after = order[order.index(drawn_in) + 1 :][:1] if drawn_in in order else []
        if not after:
            raise InputError("proposal_no_visit_after", visit=drawn_in)
        if any((region.visit, region.name) == (after[0], name) for region in analysis.patient.regions):
            raise InputError("proposal_there", region=name, visit=after[0])
        if self.proposed(after[0]) and not self.region_proposed(after[0]):
            raise InputError("proposal_waiting", visit=after[0])
        found = propose_region(analysis, name, drawn_in, after[0])
        self._show(after[0], found.mask, [], drawn_in, (name, found.region.purpose))
        return after[0], found.flags

    def propose_again(self, visit: str, limit: float, show: Show, cancel: threading.Event) -> tuple[Message, ...]:
        """The proposal of a visit with another limit of brightness; does nothing where there is none, or
        where it is a region as it was drawn."""
        self.limit = limit
        there = proposals.proposal_of(self._patient(), visit)
        if there is None or proposals.region_of_proposal(self._patient(), visit) is not None:
            return ()
        return self._propose(self._aligned(visit), visit, there[1], marked(there[0], "carried_from"), show, cancel)

    def proposed(self, visit: str) -> bool:
        """Whether a proposal waits in a visit."""
        patient = self._patient()
        return patient is not None and proposals.proposal_of(patient, visit) is not None

    def region_proposed(self, visit: str) -> bool:
        """Whether a proposal waits in a visit that is a drawn region of another visit, no lesion."""
        patient = self._patient()
        return patient is not None and proposals.region_of_proposal(patient, visit) is not None

    def accept(self, visit: str) -> None:
        """Makes the proposal a region, and measures it: the visit's lesion, or the region that it was carried from."""
        region = proposals.region_of_proposal(self._patient(), visit)
        names = [
            region.name
            for region in self._analysis().patient.regions
            if (region.visit, region.purpose) == (visit, "lesion")
        ]
        name, purpose = region or (names[0] if len(names) == 1 else "lesion", "lesion")
        accepted = proposals.accept_proposal(self._patient(), visit, name, purpose)
        if accepted is not None:
            if all((one.visit, one.name) != (visit, name) for one in self._analysis().patient.regions):
                self._analysis().patient.regions.append(Region(name, visit, purpose, Path()))
            self.session.remeasure(*accepted)
            self.session.settle()

    def reject(self, visit: str) -> None:
        """Takes the proposal away."""
        proposals.reject_proposal(self._patient(), visit)

    def take_lines(self) -> bool:
        """Takes lines that the reader moved; says whether anything followed."""
        analysis = self.session.analysis
        if analysis is None or not analysis.lesions or not self.session.take_lines():
            return False
        self.session.assess()
        return True

    def measured_lines(self, visit: str = "", lesion: str = "") -> None:
        """The measured lines again instead of the reader's."""
        lines.measured_again(self._patient(), self._analysis(), visit, lesion)
        self.session.assess()

    def show_lines(self, rule: str, shown: bool) -> None:
        """Lines of one rule, or none."""
        if self._patient() is not None:
            lines.show_rule(self._patient(), rule, shown)

    def look_at(self, visit: str, lesion: str) -> bool:
        """Brings all views to the plane of a lesion's diameters, and its visit to the front; says whether there are."""
        analysis, application = self._analysis(), self.session.application
        found = [one for one in analysis.lesions if (one.visit, one.lesion) == (visit, lesion) and one.outline]
        if not found or not timeline.is_shown(application):
            return False
        ends = np.asarray(found[0].outline.lines[analysis.choices.rule].longest_ends, float)
        self.session.go_to_visit(visit)
        centre_on(view_nodes(application), transform_points(analysis.visit_to_reference[visit], ends).mean(axis=0))
        return True

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
        """States something of a visit as an event of its day; None takes a statement away. It can be taken back as a
        correction of the patient.

        kind: ``reading``, ``clinical_status`` or ``dexamethasone``. Raises InputError ``reading_needs_date``.
        """
        analysis, before = self._analysis(), self._analysis().patient
        date = before.visit(visit).date
        if date is None:
            raise InputError("reading_needs_date", visit=visit)
        events = [dataclasses.replace(event, details=dict(event.details)) for event in before.events]
        event = next((event for event in events if (event.kind, event.date) == (kind, date)), None)
        if event is None:
            event = Event(kind, date)
            events.append(event)
        event.details = {name: value for name, value in {**event.details, **details}.items() if value is not None}
        if not event.details:
            events.remove(event)
        if events == before.events:
            return
        remember(self._patient(), before)
        analysis.patient = dataclasses.replace(before, events=events)
        self.session.assess()

    def choose_target(self, visit: str, lesion: str, on: bool) -> None:
        """Makes a lesion a target of its visit, or not; where none is left, each criterion chooses its own again."""
        chosen = [name for name in self.stated(visit, "reading", "targets") or [] if name != lesion]
        self.state(visit, "reading", targets=sorted([*chosen, lesion] if on else chosen) or None)

    def take_for(self, visit: str, lesion: str, instead: str) -> None:
        """Takes a lesion for something else than tumour, so that no criterion counts it; for tumour where empty."""
        said = dict(self.stated(visit, "reading", "not_tumour") or {})
        said.pop(lesion, None)
        self.state(visit, "reading", not_tumour=(said | {lesion: instead} if instead else said) or None)

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
            self._show(visit, image, points, before)
        return found.flags

    def _show(self, visit: str, *proposal: Any) -> None:
        """Puts a proposal into the scene; no other column draws it before it is known that it is not theirs."""
        slicer.app.pauseRender()
        try:
            proposals.show_proposal(self._patient(), visit, *proposal)
            timeline.show_drawn(self.session.application)
        finally:
            slicer.app.resumeRender()

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
