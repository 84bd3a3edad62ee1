"""Growth of the targets and of what grows beside them, as facts for the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measures import Message
from .criterion import Criterion
from .exploring import Variants
from .inputs import VisitInputs
from .published import limit
from .sizes import NO_CHANGE, Change, Targets, family, growth


def growth_facts(
    visits: Sequence[VisitInputs],
    at: int,
    start: int,
    component: str,
    criterion: Criterion,
    measure: str,
    followed: Targets,
    accepted: int | None,
    incomplete: bool,
) -> tuple[Change, dict[str, Any], list[Message]]:
    """Change from the nadir of the visits from start on, with the facts ``from_nadir`` and ``nadir_measurable``.

    followed: the targets; RANO 2.0 adds to their sum what grows beside them (3.26). accepted: index of a preliminary
    progression that was not confirmed: growth may count from there. incomplete: whether the nadir may be another visit.
    """
    others, notes, unclear = {}, [], incomplete or followed.open
    if criterion.adds_other_lesions:
        others, notes, hidden = _growing_others(visits, at, start, component, criterion, measure, followed.names)
        unclear = unclear or hidden

    def since(earliest: int) -> tuple[Change, bool | None]:
        alone = growth(visits, earliest, at, followed.names, measure) if followed.names else NO_CHANGE
        if not others:
            return alone, followed.measurable
        together = growth(visits, max(earliest, *others.values()), at, followed.names | others.keys(), measure)
        if alone.percent.value is not None and alone.percent.value > (together.percent.value or 0.0):
            return alone, followed.measurable
        return together, True

    grown, measurable = since(start)
    value = _known_growth(grown, measure, unclear)
    if accepted is not None and accepted >= start:
        later, _ = since(accepted)
        values = {"nadir": value, "preliminary": _known_growth(later, measure, unclear)}
        if len(set(values.values())) > 1:
            value = Variants("after_unconfirmed", values)
    if any(flag.code == "lesion_reference_zero" for flag in grown.percent.flags):
        notes.append(Message("response_nadir_zero", {"visit": visits[grown.since].visit}))
    return grown, {"from_nadir": value, "nadir_measurable": measurable}, notes


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
        first = _first_measurable(visits, start, at, name, criterion, measure)
        if first == at:
            continue
        grown = growth(visits, start if first is None else first, at, frozenset({name}), measure)
        percent = percent_or_zero(grown)
        reaches = percent is not None and round(percent, 1) >= limit(f"{measure}_growth")
        if first is not None and reaches:
            found[name] = first
            notes.append(Message("response_other_lesion", {"lesion": name, "percent": round(percent, 1)}))
        elif reaches or percent is None or grown.open:
            unclear = True
    return found, notes, unclear


def _first_measurable(
    visits: Sequence[VisitInputs], start: int, at: int, name: str, criterion: Criterion, measure: str
) -> int | None:
    """Index of the first visit from start on that shows that a lesion can be measured, at where none does.

    None where that is unknown.
    """
    known = [
        (index, criterion.measurable(lesion, measure))
        for index in range(start, at)
        for lesion in visits[index].lesions
        if lesion.name == name and lesion.present is not False
    ]
    first = next((index for index, sure in known if sure), None)
    if first is not None:
        return first
    return None if None in [sure for _, sure in known] else at


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
