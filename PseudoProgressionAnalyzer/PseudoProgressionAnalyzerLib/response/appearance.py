"""Lesions that appear: which ones a visit shows that its reference did not, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..measures import Message
from .inputs import Lesion, VisitInputs
from .published import limit
from .sizes import Measurable


@dataclass(frozen=True)
class Appeared:
    """A lesion that the reference did not show. first: index of the first visit that does; sure: None when it may only
    not have been drawn before."""

    lesion: Lesion
    first: int
    sure: bool | None


def appeared(visits: Sequence[VisitInputs], since: int, at: int, components: tuple[str, ...]) -> list[Appeared]:
    """The lesions of a visit that were not there at the visit ``since``.

    The reader's word on a new lesion at its first visit decides; without it, every earlier visit must have all lesions
    drawn. What split off from or merged with an earlier lesion is not new.
    """
    found = []
    before = _names(visits[since], components)
    for lesion in visits[at].tumour(components):
        known = {lesion.name, *lesion.relatives}
        if lesion.present is False or before & known:
            continue
        shown = (index for index in range(since + 1, at) if lesion.name in _names(visits[index], components))
        first = next(shown, at)
        said = visits[first].new_lesion
        complete = all(visit.all_drawn for visit in visits[since:first])
        sure = said if said is not None else True if complete else None
        if any(_unclear(visit, known, components) for visit in visits[since : at + 1]):
            sure = None
        if sure is not False:
            found.append(Appeared(lesion, first, sure))
    return found


def new_lesion(visits: Sequence[VisitInputs], since: int, at: int, components: tuple[str, ...]) -> bool | None:
    """Whether a visit shows any lesion that the reference did not (1.19)."""
    found = appeared(visits, since, at, components)
    if visits[at].new_lesion or any(lesion.sure for lesion in found):
        return True
    if found:
        return None
    return _nothing_else(visits[at])


def new_measurable_lesion(
    visits: Sequence[VisitInputs],
    since: int,
    at: int,
    components: tuple[str, ...],
    measurable: Measurable,
    measure: str,
) -> bool | None:
    """Whether a lesion that the reference did not show is measurable for the first time (3.20, 3.27)."""
    found = appeared(visits, since, at, components)
    fresh = []
    for entry in found:
        earlier = [
            measurable(lesion, measure)
            for visit in visits[since + 1 : at]
            for lesion in visit.tumour(components)
            if lesion.name == entry.lesion.name
        ]
        if True in earlier:
            continue
        sure = measurable(entry.lesion, measure)
        fresh.append(sure if sure is False or (entry.sure and None not in earlier) else None)
    if True in fresh:
        return True
    if None in fresh or (visits[at].new_lesion and not any(entry.first == at for entry in found)):
        return None
    return False if found and visits[at].new_lesion else _nothing_else(visits[at])


def nonmeasurable_progression(
    visits: Sequence[VisitInputs], since: int, at: int, components: tuple[str, ...], measurable: Measurable
) -> bool | None:
    """Whether lesions too small or unclear to measure clearly progress: the reader's word (1.16).

    False without it where every lesion was drawn since the reference and none that ever could not be measured is left.
    """
    said, window = visits[at].nonmeasurable_progression, visits[since:at]
    if said is not None or not all(visit.all_drawn for visit in window):
        return said
    lesions = [lesion for visit in window for lesion in visit.tumour(components) if lesion.present is not False]
    small = {lesion.name for lesion in lesions if not measurable(lesion, "area")}
    left = {lesion.name for lesion in visits[at].tumour(components) if lesion.present is not False}
    return None if small & left or (small and not visits[at].all_drawn) else False


def nonmeasurable_growth(
    visits: Sequence[VisitInputs],
    since: int,
    at: int,
    components: tuple[str, ...],
    measurable: Measurable,
    measure: str,
) -> tuple[bool | str | None, set[str], list[Message]]:
    """Whether a lesion too small to measure grew by at least 5 x 5 mm to more than 10 x 10 mm (3.25), and which did.

    ``at_limit`` where it is exactly 10 mm (10.11). The reader's word counts where diameters leave it open. The messages
    name lesions that can now be measured although they did not grow by that much.
    """
    said = visits[at].nonmeasurable_progression
    answers: dict[str, bool | str | None] = {}
    messages = []
    for lesion in visits[at].tumour(components):
        earlier = [
            before
            for visit in visits[since:at]
            for before in visit.tumour(components)
            if before.name == lesion.name and before.present is not False
        ]
        known = [measurable(before, measure) for before in earlier]
        if not earlier or True in known:
            continue
        answer = _grown_by(earlier, lesion)
        answers[lesion.name] = None if None in known and answer else answer
        if answer is False and measurable(lesion, measure):
            messages.append(Message("response_now_measurable", {"lesion": lesion.name}))
    given = list(answers.values())
    if True in given or "at_limit" in given:
        found = True if True in given else "at_limit"
    elif None in given or not visits[since].all_drawn:
        found = said
    else:
        found = False
    names = {name for name, answer in answers.items() if answer or (answer is None and found)}
    return found, names, messages


def _grown_by(earlier: Sequence[Lesion], now: Lesion) -> bool | str | None:
    """3.25 for one lesion, from the smallest of its earlier looks."""
    measured = [lesion for lesion in earlier if None not in (lesion.longest, lesion.perpendicular)]
    if not measured or None in (now.longest, now.perpendicular):
        return None
    smallest = min(measured, key=lambda lesion: lesion.size("area").value)
    steps = (now.longest - smallest.longest, now.perpendicular - smallest.perpendicular)
    least = min(now.longest, now.perpendicular)
    if min(steps) < limit("nonmeasurable_growth") or least < limit("nonmeasurable_size"):
        return False if len(measured) == len(earlier) else None
    return "at_limit" if least == limit("nonmeasurable_size") else True


def _names(visit: VisitInputs, components: tuple[str, ...]) -> set[str]:
    """Names of the lesions that are there, with those that they merged or split with."""
    lesions = [lesion for lesion in visit.tumour(components) if lesion.present]
    return {lesion.name for lesion in lesions} | {name for lesion in lesions for name in lesion.relatives}


def _unclear(visit: VisitInputs, names: set[str], components: tuple[str, ...]) -> bool:
    """Whether one of the lesions is listed without a size, so that it may be there or gone."""
    return any(lesion.name in names and lesion.present is None for lesion in visit.tumour(components))


def _nothing_else(visit: VisitInputs) -> bool | None:
    """False where the reader says that nothing is new, or has drawn everything."""
    return False if visit.new_lesion is False or visit.all_drawn else None
