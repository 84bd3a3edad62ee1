"""What a patient's response is by every criterion at once, with the choices that it rests on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from .bt_rads import judge_bt_rads
from .inputs import Course
from .judging import CRITERIA, judge, what_if
from .settings import Settings
from .verdict import Response, Verdict

BANDS = ((0, 84), (183, 548))
"""Days after the end of radiotherapy in which reviews conventionally expect pseudoprogression (first 12 weeks, the
window of RANO's confirmation rule: Wen 2010, J Clin Oncol 28:1963) and radiation necrosis (6 to 18 months; another
review has 3 to 12: Taylor 2022). Drawn for orientation only, never evidence."""


@dataclass(frozen=True)
class Choices:
    """What the user chose. settings: of the rules. tumour: ``enhancing``, ``non_enhancing`` or ``mixed``.

    treatment_start: first day of the treatment to be judged where it is not the first radiotherapy. rule: the diameters
    that area is made of, of ``lesion.diameters.RULES``. bands: days of ``BANDS`` as they are drawn.
    """

    settings: Settings = field(default_factory=Settings)
    tumour: str = "enhancing"
    treatment_start: datetime.date | None = None
    rule: str = "reader"
    bands: tuple[tuple[int, int], ...] = BANDS


@dataclass(frozen=True)
class WhatIf:
    """The provisional categories of a visit that are possible with another baseline, by area and by volume."""

    criterion: str
    baseline: str
    visit: str
    area: tuple[str, ...]
    volume: tuple[str, ...]


@dataclass(frozen=True)
class PatientResponse:
    """Every visit by every criterion. responses: by criterion and visit; bt_rads: by visit; what_if: more baselines."""

    responses: tuple[Response, ...] = ()
    bt_rads: tuple[Verdict, ...] = ()
    what_if: tuple[WhatIf, ...] = ()

    def of(self, visit: str, criterion: str) -> Response | None:
        """A visit by one criterion."""
        wanted = (visit, criterion)
        return next((found for found in self.responses if (found.visit, found.criterion) == wanted), None)

    def bt_rads_of(self, visit: str) -> Verdict | None:
        """A visit by BT-RADS."""
        return next((found for found in self.bt_rads if found.visit == visit), None)


def respond(course: Course, choices: Choices) -> PatientResponse:
    """Everything that the criteria say of a course. Raises InputError as ``judge``."""
    responses = [found for criterion in CRITERIA for found in judge(course, criterion, choices.settings)]
    others = [
        WhatIf(criterion, baseline, found.visit, found.area.possible, found.volume.possible)
        for criterion in CRITERIA
        for baseline, judged in _with_other_baselines(course, criterion, choices.settings).items()
        for found in judged
    ]
    return PatientResponse(tuple(responses), tuple(judge_bt_rads(course, choices.settings)), tuple(others))


def _with_other_baselines(course: Course, criterion: str, settings: Settings) -> Mapping[str, list[Response]]:
    """``what_if`` where there is more than one visit to choose from."""
    dated = [visit for visit in course.visits if visit.date is not None]
    return what_if(course, criterion, settings) if len(dated) > 2 else {}
