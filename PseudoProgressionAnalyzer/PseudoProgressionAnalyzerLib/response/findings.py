"""What one visit shows against its references, as facts that the rules ask for; None where a fact is unknown."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..measures import Message
from .appearance import (
    Appeared,
    appeared,
    new_lesion,
    new_measurable_lesion,
    nonmeasurable_growth,
    nonmeasurable_progression,
)
from .conditions import PREFIX
from .criterion import Criterion
from .growing import growth_facts, percent_or_zero
from .inputs import COMPONENTS, MEASURES, Course, VisitInputs
from .looks import measuring_notes
from .published import limit, published, readings
from .references import Reference
from .settings import Settings
from .sizes import NO_CHANGE, Change, change, targets
from .steroids import change_of_dose, replacement_only

YES_NO = (True, False)

DOMAINS: dict[str, tuple[Any, ...]] = {
    # of each component; percentages stand for all values on the same side of the limits
    "gone": YES_NO,
    "measurable": YES_NO,
    "from_baseline": (-80.0, -45.0, 0.0),
    "nadir_measurable": YES_NO,
    "from_nadir": (100.0, 0.0),
    # of the visit
    "new_lesion": YES_NO,
    "new_measurable_lesion": YES_NO,
    "nonmeasurable_progression": YES_NO,
    "nonmeasurable_growth": YES_NO,
    "leptomeningeal": YES_NO,
    "flair_worse": YES_NO,
    "decline": YES_NO,
    "viable_tumour": YES_NO,
    "early": YES_NO,
    "outside_field": YES_NO,
    "antiangiogenic": YES_NO,
    "immunotherapy": ("early", "late"),
    "dose": ("lower", "same", "higher"),
    "dose_since_nadir": ("lower", "same", "higher"),
    "replacement_only": YES_NO,
    **{setting: readings(setting) for setting in published()["disputed"]},
}
DOMAINS |= {f"non_enhancing_{name}": DOMAINS[name] for name in list(DOMAINS)[:5]}
"""Every fact and disputed setting that may be unknown, with the values to try."""


@dataclass(frozen=True)
class Findings:
    """Facts of one visit by name, and what to show beside them.

    changes: component to (change from the baseline, change from the nadir). burden: names of the lesions that are
    growing or new, whose further growth would confirm progression; open: whether others may belong to it.
    """

    facts: dict[str, Any]
    changes: dict[str, tuple[Change, Change]]
    burden: frozenset[str]
    open: bool
    notes: tuple[Message, ...]


def components_of(course: Course, criterion: Criterion) -> tuple[str, ...]:
    """The parts of the tumour that a criterion looks at in this patient."""
    if not criterion.parts or course.tumour == "enhancing":
        return COMPONENTS[:1]
    return COMPONENTS if course.tumour == "mixed" else COMPONENTS[1:]


def gather(
    course: Course,
    visits: Sequence[VisitInputs],
    at: int,
    reference: Reference,
    criterion: Criterion,
    measure: str,
    settings: Settings,
    accepted: tuple[int, bool] | None,
    incomplete: bool,
) -> Findings:
    """All facts of the visit at an index.

    accepted: index of the last preliminary progression that was not confirmed and whether that is sure, None where
    there is none. incomplete: whether a visit could not be placed in time, so that the nadir may be another one.
    """
    visit, baseline, tolerance = visits[at], visits[reference.baseline], settings.steroid_tolerance
    parts = components_of(course, criterion)
    seen = tuple(dict.fromkeys((COMPONENTS[0], *parts)))
    facts: dict[str, Any] = {entry.name: getattr(settings, entry.name) for entry in fields(settings)}
    facts |= {"components": parts, "measure": measure}
    changes, notes, burden, nadirs, cleared, is_open = {}, [], set(), [], False, False
    most = int(limit(criterion.most_targets_mixed if len(parts) > 1 else criterion.most_targets))
    for component in parts:
        chosen = targets(baseline, component, criterion.measurable, measure, most)
        followed = chosen
        if reference.nadir_from != reference.baseline:
            followed = targets(visits[reference.nadir_from], component, criterion.measurable, measure, most)
        since_baseline = change(visits, reference.baseline, at, chosen.names, measure) if chosen.names else NO_CHANGE
        grown = growth_facts(
            visits, at, reference.nadir_from, component, criterion, measure, followed, accepted, incomplete
        )
        prefix = PREFIX[component]
        facts |= {
            f"{prefix}gone": _gone(visit, component),
            f"{prefix}measurable": chosen.measurable,
            f"{prefix}from_baseline": None if chosen.open else percent_or_zero(since_baseline),
            **{f"{prefix}{name}": value for name, value in grown.facts.items()},
        }
        changes[component] = (since_baseline, grown.change)
        burden |= grown.names
        is_open = is_open or followed.open
        notes += [*chosen.messages, *grown.notes]
        notes += measuring_notes(baseline, visit, chosen.names | followed.names, criterion)
        if grown.change.since is not None:
            nadirs.append(grown.change.since)
            cleared = cleared or _gone(visits[grown.change.since], component) is True
    unclear = any(value is None for name, value in facts.items() if name.endswith("from_nadir"))
    nadir = max(nadirs, default=reference.nadir_from)
    since = nadir if cleared else reference.nadir_from
    nadir_may_be, since_may_be = [nadir], [since]
    if is_open or any(grown.open for _, grown in changes.values()):
        window = range(reference.nadir_from, at)
        nadir_may_be = list(window)
        since_may_be += [place for place in window if any(_gone(visits[place], part) is None for part in parts)]
    small, grown_small, small_notes = nonmeasurable_growth(
        visits, reference.nadir_from, at, seen, criterion.measurable, measure
    )
    fresh = appeared(visits, since, at, seen)
    burden |= {entry.lesion.name for entry in fresh}
    if criterion.adds_other_lesions:
        burden |= grown_small
        unclear = unclear or small is None
    facts |= {
        "new_lesion": _agreed([new_lesion(visits, place, at, seen) for place in since_may_be]),
        "new_measurable_lesion": _agreed(
            [new_measurable_lesion(visits, place, at, seen, criterion.measurable, measure) for place in since_may_be]
        ),
        "nonmeasurable_progression": nonmeasurable_progression(
            visits, reference.nadir_from, at, seen, criterion.measurable
        ),
        "nonmeasurable_growth": small,
        "leptomeningeal": visit.leptomeningeal,
        "flair_worse": visit.flair_worse,
        "decline": _decline(visit),
        "failed_to_return": visit.failed_to_return,
        "viable_tumour": visit.viable_tumour,
        "early": _early(course, visit, criterion),
        "outside_field": _outside_field(visits, at, nadir, fresh, burden, unclear),
        "antiangiogenic": visit.antiangiogenic,
        "immunotherapy": _immunotherapy(course, visit),
        "idh_mutant": bool(course.idh_mutant),
        "dose": change_of_dose(baseline.steroid, visit.steroid, tolerance),
        "dose_since_nadir": _agreed(
            [change_of_dose(visits[place].steroid, visit.steroid, tolerance) for place in nadir_may_be]
        ),
        "replacement_only": replacement_only(visit.steroid),
    }
    notes += [*small_notes, *_small_new_lesions(visits, at, fresh, criterion, measure)]
    return Findings(facts, changes, frozenset(burden), is_open, tuple(notes))


def _agreed(answers: list[Any]) -> Any:
    """The answer where all are the same, else None."""
    return answers[0] if all(answer == answers[0] for answer in answers) else None


def _gone(visit: VisitInputs, component: str) -> bool | None:
    """Whether nothing is left of a component; only a reader who has drawn everything can say so."""
    there = [lesion.present for lesion in visit.tumour((component,))]
    if True in there:
        return False
    return True if visit.all_drawn and None not in there else None


def _decline(visit: VisitInputs) -> bool | None:
    """Clinical deterioration from the tumour alone (1.20)."""
    if visit.clinical is None:
        return None
    return visit.from_tumour if visit.clinical == "worse" else False


def _early(course: Course, visit: VisitInputs, criterion: Criterion) -> bool | None:
    """Whether the visit lies within 12 weeks of the last radiotherapy that had ended by then, or before its end."""
    ends = course.ends_by(visit.date)
    if ends is None:
        return None
    if not ends:
        return False
    days = [(visit.date - end).days for end in ends]
    since = min((day for day in days if day >= 0), default=max(days))
    weeks = limit(criterion.twelve_weeks)
    return since <= weeks if criterion.twelve_weeks_included else since < weeks


def _immunotherapy(course: Course, visit: VisitInputs) -> str | None:
    """``none``, or whether the visit lies ``early`` (within 6 months of the start, 5.1) or ``late``."""
    begin = course.immunotherapy_start
    if not course.immunotherapy or (begin is not None and visit.date < begin):
        return "none"
    if begin is None:
        return None
    months = begin.month - 1 + int(limit("immunotherapy"))
    year, month = begin.year + months // 12, months % 12 + 1
    following = datetime.date(year + month // 12, month % 12 + 1, 1)
    last_day = (following - datetime.timedelta(days=1)).day
    return "early" if visit.date <= datetime.date(year, month, min(begin.day, last_day)) else "late"


def _outside_field(
    visits: Sequence[VisitInputs], at: int, nadir: int, fresh: Sequence[Appeared], burden: set[str], unclear: bool
) -> bool | None:
    """Whether growth or new enhancement lies outside the high-dose region (1.30); None also where it lies in both.

    unclear: whether other lesions than the burden may be the ones that grow.
    """
    if visits[at].outside_field is not None:
        return visits[at].outside_field
    earlier = {lesion.name: lesion for lesion in visits[nadir].lesions}
    sure = {entry.lesion.field for entry in fresh if entry.sure}
    maybe = {entry.lesion.field for entry in fresh if not entry.sure}
    for lesion in visits[at].lesions:
        counts = lesion.name in burden
        if lesion.not_tumour or lesion.name not in earlier or not (counts or unclear):
            continue
        sizes = [(lesion.size(measure).value, earlier[lesion.name].size(measure).value) for measure in MEASURES]
        if any(None not in pair and pair[0] > pair[1] for pair in sizes):
            (sure if counts else maybe).add(lesion.field)
        elif any(None in pair for pair in sizes):
            maybe.add(lesion.field)
    if "outside" in sure:
        return True
    return False if sure | maybe == {"inside"} else None


def _small_new_lesions(
    visits: Sequence[VisitInputs], at: int, fresh: Sequence[Appeared], criterion: Criterion, measure: str
) -> list[Message]:
    """New lesions that cannot be measured are named; by themselves they are no progression in RANO 2.0 (3.27)."""
    if not criterion.adds_other_lesions:
        return []
    small = [entry.lesion.name for entry in fresh if criterion.measurable(entry.lesion, measure) is False]
    return [Message("response_new_not_measurable", {"lesions": ", ".join(small)})] if small else []
