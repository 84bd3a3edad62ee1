"""The built-in cases as plain numbers: another case is other numbers, not other code."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from ..measures import Event


@dataclass(frozen=True)
class Lesion:
    """A lesion at one visit.

    radius: mm of the lesion with its core, as if it were round. rim: mm of enhancing tissue around the necrotic core (a
    rim of radius or more leaves no core). oedema: mm that it reaches beyond the lesion. mass_effect: mm that the
    tissue at its edge is pushed away. blood_volume_ratio: mean blood volume over that of normal-appearing white matter.
    cho_naa: molar ratio; naa: mmol/L. contrast: mmol/L of agent in T1CE. transfer: Ktrans in 1/min. t2_star_share:
    share of the tissue whose leakage shortens T2* more than it shortens T1. irregularity: how far the surface departs
    from an ellipsoid, as a share of the radius.
    """

    radius: float
    rim: float
    oedema: float
    mass_effect: float
    blood_volume_ratio: float
    cho_naa: float
    naa: float
    contrast: float
    transfer: float
    t2_star_share: float
    irregularity: float = 0.26


@dataclass(frozen=True)
class VisitPlan:
    """One visit. rotation: head in the scanner as degrees about right, anterior, superior axis; shift: mm (R, A, S)."""

    date: datetime.date
    lesion: Lesion
    rotation: tuple[float, float, float]
    shift: tuple[float, float, float]


@dataclass(frozen=True)
class Case:
    """A simulated patient. patient: its pseudonym. answer: what follow-up showed. centre: of the lesion in template
    space (R, A, S, mm). The second visit is the one to judge."""

    name: str
    patient: str
    description: str
    answer: str
    seed: int
    centre: tuple[float, float, float]
    visits: tuple[VisitPlan, ...]
    events: tuple[Event, ...]


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


BEFORE, AFTER, LATER = _day("2023-03-13"), _day("2023-05-08"), _day("2023-08-07")

TREATMENT = (
    Event("biopsy", _day("2023-03-06"), details={"viable_tumour_percent": 90, "treatment_effect_percent": 0}),
    Event("IDH", _day("2023-03-06"), details={"mutated": False}),
    Event("MGMT", _day("2023-03-06"), details={"methylated": True}),
    Event("radiotherapy", _day("2023-03-20"), _day("2023-05-01"), {"dose_gray": 60, "fractions": 30}),
    Event("temozolomide", _day("2023-03-20"), _day("2023-05-01"), {"schedule": "concomitant"}),
    Event("temozolomide", _day("2023-05-29"), details={"schedule": "adjuvant"}),
)

NOT_GIVEN = tuple(Event(drug, BEFORE, details={"given": False}) for drug in ("bevacizumab", "immunotherapy"))


def _reading(date: datetime.date, **seen: bool | str) -> Event:
    """What a reader says of the images of a visit in which all that the disease made was drawn."""
    nothing = {"new_lesion": False, "leptomeningeal": False, "flair_worse": False, "outside_field": False}
    return Event("reading", date, details={"all_lesions_drawn": True, **nothing, **seen})


UNTREATED = Lesion(
    radius=13.0, rim=8.0, oedema=9.0, mass_effect=2.0, blood_volume_ratio=3.2, cho_naa=1.9, naa=2.0, contrast=0.16,
    transfer=0.100, t2_star_share=0.40,
)  # fmt: skip

PSEUDOPROGRESSION = Case(
    name="pseudoprogression",
    patient="Simulated 1",
    description=(
        "Glioblastoma of the right frontoparietal white matter, biopsied, then 60 Gy with temozolomide. One week after "
        "radiotherapy the lesion is larger; three months later it has shrunk without a change of treatment."
    ),
    answer="pseudoprogression",
    seed=20230508,
    centre=(33.0, -20.0, 33.0),
    visits=(
        VisitPlan(BEFORE, UNTREATED, rotation=(5.0, -2.0, 3.0), shift=(3.0, -4.0, 5.0)),
        VisitPlan(
            AFTER,
            Lesion(
                radius=21.5, rim=8.0, oedema=17.0, mass_effect=8.0, blood_volume_ratio=0.95, cho_naa=0.65, naa=4.0,
                contrast=0.14, transfer=0.110, t2_star_share=0.70,
            ),
            rotation=(-6.0, 4.0, -8.0),
            shift=(-6.0, 8.0, -4.0),
        ),
        VisitPlan(
            LATER,
            Lesion(
                radius=12.0, rim=6.5, oedema=7.0, mass_effect=1.0, blood_volume_ratio=0.80, cho_naa=0.50, naa=5.0,
                contrast=0.11, transfer=0.070, t2_star_share=0.60,
            ),
            rotation=(9.0, 3.0, 5.0),
            shift=(8.0, 5.0, -9.0),
        ),
    ),
    events=(
        *TREATMENT,
        Event("dexamethasone", BEFORE, _day("2023-06-30"), {"dose_mg_per_day": 4}),
        Event("dexamethasone", _day("2023-07-01"), details={"dose_mg_per_day": 0}),
        Event("clinical_status", AFTER, details={"status": "stable"}),
        Event("clinical_status", LATER, details={"status": "improved"}),
        *NOT_GIVEN,
        _reading(BEFORE),
        _reading(AFTER, enhancement="worse", flair="worse"),
        _reading(LATER, enhancement="better", flair="better"),
    ),
)  # fmt: skip

TRUE_PROGRESSION = replace(
    PSEUDOPROGRESSION,
    name="true_progression",
    patient="Simulated 2",
    description=(
        "The same patient and treatment with another course: the larger lesion one week after radiotherapy is tumour, "
        "and it goes on growing."
    ),
    answer="true_progression",
    visits=(
        PSEUDOPROGRESSION.visits[0],
        replace(
            PSEUDOPROGRESSION.visits[1],
            lesion=replace(
                UNTREATED, radius=20.5, rim=10.5, oedema=16.0, mass_effect=8.0, blood_volume_ratio=3.6, cho_naa=3.0,
                naa=1.5, transfer=0.110, t2_star_share=0.25,
            ),
        ),
        replace(
            PSEUDOPROGRESSION.visits[2],
            lesion=replace(
                UNTREATED, radius=26.0, rim=11.5, oedema=19.0, mass_effect=10.0, blood_volume_ratio=4.0, cho_naa=3.4,
                naa=1.4, transfer=0.120, t2_star_share=0.25,
            ),
        ),
    ),
    events=(
        *TREATMENT,
        Event("dexamethasone", BEFORE, _day("2023-05-07"), {"dose_mg_per_day": 4}),
        Event("dexamethasone", AFTER, details={"dose_mg_per_day": 8}),
        Event("clinical_status", AFTER, details={"status": "worse"}),
        Event("clinical_status", LATER, details={"status": "worse", "from_tumour": True}),
        *NOT_GIVEN,
        _reading(BEFORE),
        _reading(AFTER, enhancement="worse", flair="worse"),
        _reading(LATER, enhancement="worse", flair="worse", major=True, flair_worse=True),
    ),
)  # fmt: skip

LATE, LATE_AFTER = _day("2024-03-04"), _day("2024-06-10")

RADIATION_NECROSIS = replace(
    PSEUDOPROGRESSION,
    name="radiation_necrosis",
    patient="Simulated 3",
    description=(
        "The same patient and treatment, ten months after radiotherapy: a necrotic lesion with a thin rim and much "
        "oedema has grown. Three months later it is a little smaller, and a biopsy finds treatment effect."
    ),
    answer="radiation_necrosis",
    visits=(
        PSEUDOPROGRESSION.visits[0],
        replace(
            PSEUDOPROGRESSION.visits[1],
            date=LATE,
            lesion=Lesion(
                radius=20.0, rim=7.0, oedema=20.0, mass_effect=6.0, blood_volume_ratio=0.75, cho_naa=0.70, naa=3.0,
                contrast=0.15, transfer=0.130, t2_star_share=0.30, irregularity=0.32,
            ),
        ),
        replace(
            PSEUDOPROGRESSION.visits[2],
            date=LATE_AFTER,
            lesion=Lesion(
                radius=17.0, rim=6.5, oedema=14.0, mass_effect=3.0, blood_volume_ratio=0.70, cho_naa=0.60, naa=3.5,
                contrast=0.12, transfer=0.090, t2_star_share=0.30, irregularity=0.32,
            ),
        ),
    ),
    events=(
        *TREATMENT[:-1],
        Event("temozolomide", _day("2023-05-29"), _day("2023-11-27"), {"schedule": "adjuvant"}),
        Event("dexamethasone", LATE, details={"dose_mg_per_day": 4}),
        Event("clinical_status", LATE, details={"status": "stable"}),
        Event("biopsy", _day("2024-06-17"), details={"viable_tumour_percent": 5, "treatment_effect_percent": 95}),
        Event("clinical_status", LATE_AFTER, details={"status": "stable"}),
        *NOT_GIVEN,
        _reading(BEFORE),
        _reading(LATE, enhancement="worse", flair="worse", major=True),
        _reading(LATE_AFTER, enhancement="better", flair="better"),
    ),
)  # fmt: skip

CASES = {case.name: case for case in (PSEUDOPROGRESSION, TRUE_PROGRESSION, RADIATION_NECROSIS)}
