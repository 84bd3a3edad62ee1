"""What the rules look at: one patient's visits with lesions, steroid dose, clinical status and what the reader saw.

Everything that is not stated is None: unknown is never zero and never "no".
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass

from ..lesion.diameters import Diameters
from ..lesion.estimate import Estimate
from ..measures import InputError, Message
from .steroids import SteroidDose

MEASURES = {"area": "mm2", "volume": "mL"}
COMPONENTS = ("enhancing", "non_enhancing")
TUMOURS = (*COMPONENTS, "mixed")
FIELDS = ("inside", "outside", "both")
STATUSES = ("improved", "stable", "worse")
CHANGES = ("better", "same", "worse")
NOT_ENDED = datetime.date.max
"""The last day of a course that goes on: later than any visit."""


@dataclass(frozen=True)
class Lesion:
    """One lesion at one visit; a total that is not told apart into lesions is one lesion.

    name: its identity over all visits. component: of ``COMPONENTS``. volume: mL. longest, perpendicular: mm of the two
    diameters, of the solid part; both 0 once it is gone. slices: how many it touches; slice_spacing: mm from slice to
    slice. extents: mm along three orthogonal directions. plane: of the diameters. measurable: the reader's word, where
    None it follows from the size. target: the reader's choice, where None of any lesion of a visit it is automatic.
    field: where its enhancement lies, of ``FIELDS``, against the high-dose region. relatives: names of lesions that it
    merged or split with. cystic: it is mostly cyst or necrosis. not_tumour: what the reader takes it for instead, as
    postoperative blood: then no rule counts it.
    """

    name: str
    component: str = "enhancing"
    volume: Estimate | None = None
    longest: float | None = None
    perpendicular: float | None = None
    slices: int | None = None
    slice_spacing: float | None = None
    extents: tuple[float, float, float] | None = None
    plane: str = ""
    measurable: bool | None = None
    target: bool | None = None
    field: str | None = None
    relatives: tuple[str, ...] = ()
    cystic: bool = False
    not_tumour: str = ""

    def size(self, measure: str) -> Estimate:
        """Volume in mL or product of the diameters in mm2; absent where it was not measured."""
        if measure == "volume":
            return self.volume or Estimate(None, "mL")
        if self.longest is None or self.perpendicular is None:
            return Estimate(None, "mm2")
        return Estimate(self.longest * self.perpendicular, "mm2")

    @property
    def present(self) -> bool | None:
        """Whether there is anything of it at this visit."""
        sizes = [self.size(measure).value for measure in MEASURES]
        if any(size is not None and size > 0 for size in sizes):
            return True
        return False if 0 in sizes else None


@dataclass(frozen=True)
class Comparison:
    """What the reader sees against the visit before (BT-RADS); each None where not said.

    enhancement, flair: of ``CHANGES``. major: whether both are much worse. progressive: whether they have worsened over
    several studies. steroid_effect_likely: whether a rising steroid dose explains an improvement.
    """

    enhancement: str | None = None
    flair: str | None = None
    major: bool | None = None
    progressive: bool | None = None
    steroid_effect_likely: bool | None = None


@dataclass(frozen=True)
class VisitInputs:
    """One visit. The reader's words may be None: then every answer is tried.

    lesions: what was drawn. all_drawn: whether that is every lesion, so that one that is not listed is gone.
    new_lesion: whether the reader sees a lesion that no earlier visit showed; where None it follows from the lesions,
    if all were drawn. nonmeasurable_progression: clear progression of lesions too small or unclear to measure.
    leptomeningeal: definite leptomeningeal disease. flair_worse: significant increase of T2/FLAIR that no other event
    explains. outside_field: whether growth or new enhancement lies outside the high-dose region; where None it follows
    from the lesions. clinical: of ``STATUSES``; from_tumour: whether a worse status comes from the tumour alone.
    viable_tumour: whether histology since the visit before proved viable tumour (False where none did).
    failed_to_return: for death or deterioration. steroid: the dose at the scan. surgery: day of the last operation
    after the visit before. antiangiogenic: whether bevacizumab or the like is given.
    """

    visit: str
    date: datetime.date | None
    lesions: tuple[Lesion, ...] = ()
    all_drawn: bool = False
    new_lesion: bool | None = None
    nonmeasurable_progression: bool | None = None
    leptomeningeal: bool | None = None
    flair_worse: bool | None = None
    outside_field: bool | None = None
    clinical: str | None = None
    from_tumour: bool | None = None
    viable_tumour: bool | None = False
    failed_to_return: bool = False
    steroid: SteroidDose | None = None
    surgery: datetime.date | None = None
    antiangiogenic: bool | None = None
    comparison: Comparison = Comparison()

    def tumour(self, components: tuple[str, ...]) -> tuple[Lesion, ...]:
        """The lesions of these components that are not taken for something else."""
        return tuple(lesion for lesion in self.lesions if lesion.component in components and not lesion.not_tumour)


@dataclass(frozen=True)
class Course:
    """A patient's visits and treatment.

    radiotherapy_ends: last day of each course, ``NOT_ENDED`` of one that goes on; None when unknown, empty when none
    was given. unended: first day of later courses whose last day is not known: until then all is known (``ends_by``).
    treatment_start: first day of the treatment to be judged where it is not the first radiotherapy: at
    recurrence, or without radiotherapy.
    immunotherapy: whether it is given, from immunotherapy_start. tumour: of ``TUMOURS``. messages: about the inputs.
    """

    visits: tuple[VisitInputs, ...]
    radiotherapy_ends: tuple[datetime.date, ...] | None = None
    treatment_start: datetime.date | None = None
    immunotherapy: bool | None = None
    immunotherapy_start: datetime.date | None = None
    tumour: str = "enhancing"
    idh_mutant: bool | None = None
    messages: tuple[Message, ...] = ()
    unended: tuple[datetime.date, ...] = ()

    def ends_by(self, date: datetime.date) -> tuple[datetime.date, ...] | None:
        """``radiotherapy_ends`` as known on a day: None where the end of a course that had begun is unknown."""
        return None if any(begin <= date for begin in self.unended) else self.radiotherapy_ends


def sized(name: str, lines: Diameters, volume: Estimate | None = None, **details: object) -> Lesion:
    """A lesion with the measurements of ``lesion.diameters``; details: other fields of Lesion."""
    return Lesion(
        name,
        volume=volume,
        longest=lines.longest,
        perpendicular=lines.perpendicular,
        slices=lines.slices,
        slice_spacing=lines.slice_spacing,
        extents=tuple(float(extent) for extent in lines.extents),
        **details,
    )


def checked(course: Course) -> Course:
    """The course itself.

    Raises InputError: ``response_word`` (a word that is not one of its kind), ``response_size`` (a size that is
    negative or not finite), ``response_twice`` (two visits of one id, or one lesion twice in a visit).
    """
    _one_of(course.tumour, TUMOURS, "tumour")
    _once([visit.visit for visit in course.visits], "visits")
    for visit in course.visits:
        _one_of(visit.clinical, STATUSES, f"{visit.visit}: clinical")
        _one_of(visit.comparison.enhancement, CHANGES, f"{visit.visit}: comparison.enhancement")
        _one_of(visit.comparison.flair, CHANGES, f"{visit.visit}: comparison.flair")
        _once([lesion.name for lesion in visit.lesions], f"{visit.visit}: lesions")
        for lesion in visit.lesions:
            where = f"{visit.visit}, {lesion.name}"
            _one_of(lesion.component, COMPONENTS, f"{where}: component")
            _one_of(lesion.field, FIELDS, f"{where}: field")
            lengths = (lesion.longest, lesion.perpendicular, lesion.slices, lesion.slice_spacing)
            for size in (*lengths, *(lesion.extents or ()), lesion.size("volume").value):
                if size is not None and not (math.isfinite(size) and size >= 0):
                    raise InputError("response_size", field=where, size=size)
    return course


def _one_of(word: str | None, words: tuple[str, ...], where: str) -> None:
    if word is not None and word not in words:
        raise InputError("response_word", field=where, word=word, known=", ".join(words))


def _once(names: list[str], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError("response_twice", field=where, name=name)
