"""The list of steps, and a way to run it: each step once, cancelled between or inside, resumed where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass

from ..measures import InputError, Message, Patient
from ..patient.choosing import open_roles
from . import Analysis
from .aligning import align_visit, choose_reference_visit
from .dose import read_dose_map
from .enhancement import find_uptake
from .fitting_spectra import fit_region_spectra, fit_spectra
from .judging import assess_visits
from .labelling import read_labels
from .lesions import follow_lesions
from .mapping import find_reference_tissue, make_maps, make_ratio_maps
from .measuring import measure_visits
from .perfusion_changes import make_response_maps
from .placing import place_images
from .reading import find_brain, read_visit
from .responding import judge_responses

Report = Callable[[float], None]
Asked = Callable[[], bool]


@dataclass(frozen=True)
class Step:
    """One piece of the job. work takes a report of its own share (0 to 1) and a question whether to stop."""

    code: str
    visit: str
    work: Callable[[Report, Asked], None]

    @property
    def message(self) -> Message:
        """What is being done, for the progress display."""
        return Message(self.code, {"visit": self.visit} if self.visit else {})


def start(patient: Patient) -> Analysis:
    """An empty analysis. Raises the first of the patient's problems as InputError, the rest as its ``others``: nothing
    is computed on doubt.

    A visit whose T1CE is still to be chosen (``patient.choosing.open_roles``) is there and waits; where every visit
    waits, ``run`` raises ``nothing_to_measure`` from the step that needs the first one.
    """
    if patient.problems:
        first, *others = patient.problems
        error = InputError(first.code, **first.parameters)
        error.others = others
        raise error
    if not any(visit.of_role("T1CE") or "T1CE" in open_roles(visit) for visit in patient.visits):
        raise InputError("nothing_to_measure")
    return Analysis(patient)


def run(
    analysis: Analysis,
    progress: Callable[[Message, float], None] | None = None,
    cancelled: Asked | None = None,
    last_step: str = "",
) -> Analysis:
    """Runs every step that is not finished, up to and with all steps of the code last_step where one is given.

    progress is called with what is being done and the share (0 to 1) of the whole job that is finished; cancelled is
    asked between and inside steps. Raises InputError, and concurrent.futures.CancelledError when cancelled: finished
    steps stay, a later call goes on with the others.
    """
    asked = cancelled or (lambda: False)
    tell = progress or (lambda message, share: None)
    listed = steps(analysis)
    if last_step:
        listed = listed[: 1 + max((number for number, step in enumerate(listed) if step.code == last_step), default=-1)]
    for number, step in enumerate(listed):
        if asked():
            raise CancelledError
        if (step.code, step.visit) in analysis.finished:
            continue
        tell(step.message, number / len(listed))
        step.work(
            lambda share, number=number, step=step: tell(step.message, (number + share) / len(listed)),
            asked,
        )
        analysis.finished.add((step.code, step.visit))
    tell(Message("step_finished"), 1.0)
    return analysis


def steps(analysis: Analysis) -> list[Step]:
    """The steps of the job in their order."""
    visits = [visit.id for visit in analysis.patient.visits if visit.of_role("T1CE") is not None]

    def for_each(code: str, work: Callable[..., None], long: bool = False) -> list[Step]:
        def bind(visit: str) -> Callable[[Report, Asked], None]:
            if long:
                return lambda report, asked: work(analysis, visit, report, asked)
            return lambda report, asked: work(analysis, visit)

        return [Step(code, visit, bind(visit)) for visit in visits]

    def once(code: str, work: Callable[[Analysis], None]) -> Step:
        return Step(code, "", lambda report, asked: work(analysis))

    return [
        *for_each("step_read", read_visit),
        *for_each("step_brain", find_brain),
        *for_each("step_place", place_images, long=True),
        *for_each("step_labels", read_labels),
        once("step_reference_visit", choose_reference_visit),
        *for_each("step_align", align_visit, long=True),
        *for_each("step_uptake", find_uptake),
        *for_each("step_dose", read_dose_map),
        *for_each("step_maps", make_maps, long=True),
        *for_each("step_spectra", fit_spectra, long=True),
        *for_each("step_reference_tissue", find_reference_tissue),
        *for_each("step_ratios", make_ratio_maps),
        *for_each("step_region_spectra", fit_region_spectra, long=True),
        once("step_response_maps", make_response_maps),
        once("step_measure", measure_visits),
        once("step_lesions", follow_lesions),
        once("step_responses", judge_responses),
        once("step_assess", assess_visits),
    ]
