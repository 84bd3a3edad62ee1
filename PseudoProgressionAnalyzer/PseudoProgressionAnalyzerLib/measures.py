"""The words of the project as plain data, from messages and images to patients and measurements.

Conventions that hold everywhere in the library:

- Arrays are indexed slowest axis first: images ``(k, j, i)``, time series ``(time, k, j, i)``.
- An ``affine`` is a 4x4 float array that maps voxel indices ``(i, j, k, 1)`` (note the order) of voxel
  centres to RAS millimetres (right, anterior, superior).
- A transform named ``moving_to_fixed`` is a 4x4 float array that maps RAS points of the moving image to RAS
  points of the fixed image.
- Times are seconds, lengths millimetres, volumes millilitres; acquisition fields have their BIDS names and units.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DISCLAIMER = "For research and teaching. Not for clinical use."

ROLES = (
    "T1", "T1CE", "T2", "FLAIR", "DSC", "rCBV", "sRCBV", "ASL", "M0", "CBF", "MRS", "MRSI", "Cho_NAA_molar",
    "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area", "APTw", "ADC", "PET", "RTDOSE", "segmentation",
)  # fmt: skip

EVENT_KINDS = (
    "surgery", "biopsy", "radiotherapy", "temozolomide", "bevacizumab", "immunotherapy", "dexamethasone",
    "clinical_status", "reading", "MGMT", "IDH",
)  # fmt: skip

PURPOSES = (
    "lesion", "non_enhancing", "necrosis", "oedema", "cavity", "ventricles", "high_dose", "reference", "free",
)  # fmt: skip
"""What a region is drawn as: enhancing lesion, non-enhancing tumour, parts that are never tumour, ventricles, the
high-dose region of radiotherapy, tissue that ratios are taken against, or nothing of these."""


@dataclass(frozen=True)
class Message:
    """A reason, warning, unknown or error as a value: ``texts.sentence`` turns it into a sentence."""

    code: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


class InputError(Exception):
    """Something that the user can mend. Carries a Message that names the file, the field and the remedy; ``others``
    are more of the same kind that were found at once."""

    def __init__(self, code: str, **parameters: Any):
        super().__init__(code, parameters)
        self.message = Message(code, parameters)
        self.others: list[Message] = []


@dataclass
class Image:
    """Values on a grid.

    array: ``(k, j, i)`` or ``(time, k, j, i)``; affine: 4x4, voxel index ``(i, j, k, 1)`` to RAS mm.
    """

    array: np.ndarray
    affine: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along ``(k, j, i)``."""
        return self.array.shape[-3:]

    @property
    def spacing(self) -> np.ndarray:
        """Voxel edge lengths along ``(i, j, k)`` in mm."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mL."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0


@dataclass
class Map(Image):
    """A parameter on its own grid, with what is needed to read it.

    quality: bool ``(k, j, i)``, True where the value can be trusted; None when nothing is known about it.
    """

    name: str = ""
    unit: str = ""
    method: str = ""
    quality: np.ndarray | None = None
    flags: tuple[Message, ...] = ()


@dataclass
class Spectra:
    """Spectra of one voxel or a grid of voxels, as free induction decays.

    fid: complex ``(k, j, i, points)`` in the sense of NIfTI-MRS: after numpy's FFT metabolites stand at positive
    frequency, ppm = 4.65 - frequency / spectrometer_frequency. dwell_time: s; spectrometer_frequency: MHz; echo_time,
    repetition_time, mixing_time: s, None where not known; nucleus: ``1H``; affine: 4x4, voxel index ``(i, j, k, 1)`` to
    RAS mm; water: unsuppressed water reference, complex ``(k, j, i, points)`` or None. sequence: ``PRESS``, ``STEAM``,
    ``sLASER``, ``spin_echo`` or empty; excited: 4x4 affine of the box that the sequence excites (from the unit cube
    centred on zero to RAS mm) or None; flags: what a reader should know.
    """

    fid: np.ndarray
    dwell_time: float
    spectrometer_frequency: float
    echo_time: float | None
    nucleus: str
    affine: np.ndarray
    water: np.ndarray | None = None
    sequence: str = ""
    repetition_time: float | None = None
    mixing_time: float | None = None
    excited: np.ndarray | None = None
    flags: tuple[Message, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along ``(k, j, i)``."""
        return self.fid.shape[:3]


@dataclass
class Series:
    """One image series: where it is, what it is, and why it is thought to be that.

    acquisition: BIDS names and units (``EchoTime`` s, ``RepetitionTime`` s, ``FlipAngle`` degrees,
    ``MagneticFieldStrength`` T, ...). confidence: 0 to 1. Of a DICOM series: files (empty for a plain image), part
    (what tells it from other images of the same series), uid and description as in the header; path is its folder where
    the series has one of its own, else its first file.
    """

    role: str
    path: Path
    acquisition: dict[str, Any] = field(default_factory=dict)
    confidence: float = 1.0
    reason: Message | None = None
    files: tuple[Path, ...] = ()
    part: str = ""
    uid: str = ""
    description: str = ""
    study: str = ""


@dataclass
class Event:
    """What happened on a date or over a span of dates.

    details: what the kind needs, e.g. ``viable_tumour_percent`` of a biopsy, ``dose_mg_per_day`` of dexamethasone,
    ``status`` (improved, stable, worse) of a clinical status, ``methylated`` of MGMT, ``mutated`` of IDH, or what a
    reader says of the images of that day (``reading``: ``response.deriving.READING``).
    """

    kind: str
    date: datetime.date | None
    end: datetime.date | None = None
    details: dict[str, Any] = field(default_factory=dict)


def first_course(events: Iterable[Event]) -> Event | None:
    """The first course of radiotherapy that has a date, if any."""
    courses = [event for event in events if event.kind == "radiotherapy" and (event.date or event.end)]
    return min(courses, key=lambda event: event.date or event.end, default=None)


def goes_on(event: Event) -> bool:
    """Whether it is stated that a course has not ended (``ended`` false), as in a visit during it; without that a
    missing end is unknown."""
    return event.end is None and event.details.get("ended") is False


@dataclass
class Region:
    """What the user drew, where, and as what.

    purpose: one of ``PURPOSES``: ``lesion`` (a visit's own lesion), ``reference`` (tissue that ratios are taken
    against), ``free``, or what lies around the lesion.
    carried: whether the region is also carried through the transforms into every visit (kind ``fixed``). files: of a
    mask that is a DICOM series, else empty. label: of a DICOM segmentation its segment number.
    """

    name: str
    visit: str
    purpose: str
    path: Path
    label: int | None = None
    carried: bool = False
    files: tuple[Path, ...] = ()


@dataclass
class Visit:
    """What is read together: one or more studies within a few days. The date may be unknown.

    set_aside: series that are there but not used, each with its reason.
    """

    id: str
    date: datetime.date | None
    series: list[Series] = field(default_factory=list)
    warnings: list[Message] = field(default_factory=list)
    set_aside: list[Series] = field(default_factory=list)

    def of_role(self, role: str) -> Series | None:
        """The visit's series of a role, or None."""
        return next((series for series in self.series if series.role == role), None)


@dataclass
class LeftOut:
    """A visit that the user left out, with its regions: kept, so that it can come back, and never used."""

    visit: Visit
    regions: list[Region] = field(default_factory=list)


@dataclass
class Patient:
    """A patient's visits in date order, events and regions; left_out: visits that are not used."""

    id: str
    visits: list[Visit]
    events: list[Event] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    problems: list[Message] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def visit(self, visit_id: str) -> Visit:
        """The visit with this id. Raises InputError ``unknown_visit``."""
        for visit in self.visits:
            if visit.id == visit_id:
                return visit
        raise InputError("unknown_visit", visit=visit_id, known=", ".join(visit.id for visit in self.visits))

    def was_there(self, other: str, visit_id: str) -> bool:
        """Whether what lies in one visit was known by another: it is that visit, or dated no later."""
        dates = {visit.id: visit.date for visit in self.visits}
        here, there = dates.get(visit_id), dates.get(other)
        return other == visit_id or (here is not None and there is not None and there <= here)

    @property
    def radiotherapy_end(self) -> datetime.date | None:
        """Last day of the first course of radiotherapy: the day that all days are counted from. None where it is not
        known or has not come: the beginning of a course is never taken for its end."""
        first = first_course(self.events)
        return first.end if first else None

    def day(self, visit: Visit) -> int | None:
        """Days from the end of radiotherapy to the visit (negative before), or None when a date is unknown."""
        if visit.date is None or self.radiotherapy_end is None:
            return None
        return (visit.date - self.radiotherapy_end).days


@dataclass(frozen=True)
class Measurement:
    """One number with where it comes from; one row of measurements.csv.

    value is None when it could not be measured: the flags then say why. low and high bound a 95 % interval.
    compared_to is empty for a value and names the earlier visit for a change. kind: ``own`` (the visit's own lesion)
    or ``fixed`` (one drawn region carried into every visit); drawn_in is the visit in which the region was drawn.
    """

    visit: str
    region: str
    kind: str
    drawn_in: str
    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    compared_to: str = ""
    reference: str = ""
    method: str = ""
    flags: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Criterion:
    """A published cut-off as data: everything comes from one source and one statistic.

    true progression is the positive class: sensitivity is the share of true progressions on the progression side of
    the cut-off. direction: ``high`` when values at or above the cut-off speak for true progression, ``low`` when
    values at or below do. window: first and last day after the end of radiotherapy in which it was studied, None
    where the source does not say. Intervals are 95 %. cut_off and sensitivity or specificity are None only where the
    source prints no single number; such a criterion is shown and never weighs.

    doi: DOI, else PMID or PMC number as read. scale: how values lie, ``log`` (ratios and concentrations), ``linear`` or
    ``category`` (a sign or score without measurement error). population_kind: one of ``POPULATIONS``.
    samples_per_patient: of which the counts are made. optimistic: the source itself calls for caution. tracer: of PET.
    leakage_correction: whether rCBV was corrected for leakage, ``yes``, ``no`` or ``not_read``; empty elsewhere.
    not_after: event kinds after which it does not hold. shown_only: why it is shown beside a value but never weighs;
    empty when it weighs.
    """

    id: str
    group: str
    measure: str
    unit: str
    statistic: str
    direction: str
    cut_off: float | None
    sensitivity: float | None
    specificity: float | None
    sensitivity_interval: tuple[float, float] | None
    specificity_interval: tuple[float, float] | None
    positives: int | None
    negatives: int | None
    window: tuple[int | None, int | None] | None
    population: str
    citation: str
    doi: str
    verified: str
    notes: str = ""
    modality: str = ""
    scale: str = "log"
    cut_off_printed: str = ""
    window_printed: str = ""
    population_kind: str = "not_read"
    samples_per_patient: int = 1
    optimistic: bool = False
    tracer: str = ""
    leakage_correction: str = ""
    not_after: tuple[str, ...] = ()
    shown_only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """A measurement held against one criterion.

    likelihood_ratio: of true progression against treatment effect, soft in the measurement error; weight: the decibans
    (10 log10 of the shrunk likelihood ratio) with which it enters the sum. used is False with a reason where it weighs
    nothing.
    """

    criterion: Criterion
    measurement: Measurement
    probability_beyond: float | None
    likelihood_ratio: float | None
    weight: float
    used: bool
    reasons: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Assessment:
    """All evidence of one visit combined, from what was known by then.

    prior and probability: (median, low, high) of the probability of true progression; probability is None when the
    evidence is insufficient. Its median is the sum of the prior and the weights of the ledger. conclusion: one of
    ``CONCLUSIONS``. leave_one_out: what would be left without each piece of evidence.
    """

    as_of: str
    conclusion: str
    prior: tuple[float, float, float]
    probability: tuple[float, float, float] | None
    evidence: tuple[Evidence, ...]
    context: tuple[Message, ...]
    missing: tuple[Message, ...]
    next_best_test: Message | None
    criteria_set: str
    leave_one_out: tuple[Message, ...] = ()


POPULATIONS = ("glioblastoma", "high_grade_glioma", "mixed", "not_read")

CONCLUSIONS = (
    "favours_pseudoprogression", "favours_radiation_necrosis", "favours_treatment_effect",
    "favours_true_progression", "mixed", "insufficient",
)  # fmt: skip
