"""Growth of the targets and of what grows beside them, as facts for the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..measures import Message
from .criterion import Criterion
from .exploring import Variants
from .inputs import VisitInputs
from .published import limit
from .sizes import NO_CHANGE, Change, Targets, family, growth


@dataclass(frozen=True)
class Growth:
    """Change from the nadir, its facts ``from_nadir`` and ``nadir_measurable``, and the lesions that are summed."""

    change: Change
    facts: dict[str, Any]
    names: frozenset[str]
    notes: tuple[Message, ...]


def growth_facts(
    visits: Sequence[VisitInputs],
    at: int,
    start: int,
    component: str,
    criterion: Criterion,
    measure: str,
    followed: Targets,
    accepted: tuple[int, bool] | None,
    incomplete: bool,
) -> Growth:
    """Growth from the nadir of the visits from start on.

    followed: the targets; RANO 2.0 adds to their sum what grows beside them (3.26). accepted: index of a preliminary
    progression that was not confirmed, and whether that is sure: growth may count from there. incomplete: whether the
    nadir may be another visit.
    """
    others, notes, hidden = {}, [], False
    if criterion.adds_other_lesions:
        others, notes, hidden = _growing_others(visits, at, start, component, criterion, measure, followed.names)
    unclear = incomplete or hidden

    def since(earliest: int) -> tuple[Change, bool | None]:
        alone = growth(visits, earliest, at, followed.names, measure) if followed.names else NO_CHANGE
        if not others:
            return alone, followed.measurable
        together = growth(visits, max(earliest, *others.values()), at, followed.names | others.keys(), measure)
        if alone.percent.value is not None and alone.percent.value > (together.percent.value or 0.0):
            return alone, followed.measurable
        return together, True

    grown, measurable = since(start)
    if hidden and not measurable:
        measurable = None
    value = None if followed.open else _known_growth(grown, measure, unclear)
    if accepted is not None and accepted[0] >= start and not followed.open:
        later, _ = since(accepted[0])
        values = {"nadir": value, "preliminary": _known_growth(later, measure, unclear)}
        if len(set(values.values())) > 1:
            value = Variants("after_unconfirmed", values if accepted[1] else {**values, "preliminary": None})
    if measurable is False:  # what cannot be measured has no growth by size
        value = 0.0
    if any(flag.code == "lesion_reference_zero" for flag in grown.percent.flags):
        notes.append(Message("response_nadir_zero", {"visit": visits[grown.since].visit}))
    facts = {"from_nadir": value, "nadir_measurable": measurable}
    return Growth(grown, facts, followed.names | others.keys(), tuple(notes))


def _growing_others(
    visits: Sequence[VisitInputs],
    at: int,
    start: int,
    component: str,
    criterion: Criterion,
    measure: str,
    chosen: frozenset[str],
) -> tuple[dict[str, int], list[Message], bool]:
    """Lesions beside the targets that could be measured before and grow by the limit of progression (3.26).

    Each with the index of the first visit at which it could be measured. Last, whether there may be more of them: where
    a size, or whether it could be measured, is unknown.
    """
    found, notes, unclear = {}, [], False
    before = {lesion.name for visit in visits[start:at] for lesion in visit.tumour((component,)) if lesion.present}
    for name in sorted(before - family(visits[: at + 1], chosen)):
        measured = [
            (index, criterion.measurable(lesion, measure))
            for index in range(start, at)
            for lesion in visits[index].lesions
            if lesion.name == name and lesion.present is not False
        ]
        first = next((index for index, sure in measured if sure), None)
        percent = None
        if first is not None:
            percent = percent_or_zero(growth(visits, first, at, frozenset({name}), measure))
        if percent is not None and round(percent, 1) >= limit(f"{measure}_growth"):
            found[name] = first
            notes.append(Message("response_other_lesion", {"lesion": name, "percent": round(percent, 1)}))
            continue
        places = [index for index, sure in measured if sure is not False]
        if places:
            widest = growth(visits, places[0], at, frozenset({name}), measure)
            most = percent_or_zero(widest)
            unclear = unclear or most is None or widest.open or round(most, 1) >= limit(f"{measure}_growth")
    return found, notes, unclear


def percent_or_zero(found: Change) -> float | None:
    """The change in %, None when unknown; 0 where the earlier size was zero, so that only new lesions count (9.7)."""
    if any(flag.code == "lesion_reference_zero" for flag in found.percent.flags):
        return 0.0
    return found.percent.value


def _known_growth(grown: Change, measure: str, unclear: bool) -> float | None:
    """As ``percent_or_zero``, unknown where another earlier scan or another lesion could make progression of it."""
    percent = percent_or_zero(grown)
    certain = percent is not None and round(percent, 1) > limit(f"{measure}_growth")
    return percent if certain or not (grown.open or unclear) else None
