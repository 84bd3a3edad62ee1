"""Target lesions, their summed size over visits, the nadir and changes in %.

Visits are those in order of date; places in that order are indices. Sizes are areas (sum of products of perpendicular
diameters, mm2) or volumes (mL). Whatever rests on a size that is not known is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..lesion.change import percent_change, total
from ..lesion.estimate import Estimate
from ..measures import Message
from .inputs import MEASURES, Lesion, VisitInputs

Measurable = Callable[[Lesion, str], bool | None]


@dataclass(frozen=True)
class Targets:
    """The lesions to sum, whether there is one that can be measured (None when unknown), and how they were chosen.

    open: whether other lesions than these could be the targets, because it is unknown which can be measured.
    """

    names: frozenset[str]
    measurable: bool | None
    open: bool = False
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Change:
    """A change in % from an earlier visit (its index), None where there is none to compare with.

    open: whether the earlier size could be smaller than the smallest that is known.
    """

    percent: Estimate
    since: int | None
    open: bool = False


NO_CHANGE = Change(Estimate(None, "%"), None)


def targets(visit: VisitInputs, component: str, measurable: Measurable, measure: str, most: int) -> Targets:
    """The target lesions of a reference visit: the reader's choice, else the largest ones that can be measured."""
    lesions = [lesion for lesion in visit.tumour((component,)) if lesion.present is not False]
    known = {lesion.name: measurable(lesion, measure) for lesion in lesions}
    there = True if True in known.values() else None if None in known.values() or not visit.all_drawn else False
    chosen = frozenset(lesion.name for lesion in lesions if lesion.target)
    if chosen:
        return Targets(chosen, there)
    unclear = [lesion for lesion in lesions if known[lesion.name] is None]
    eligible = [lesion for lesion in lesions if known[lesion.name]] or unclear
    names = frozenset(lesion.name for lesion in eligible)
    is_open = bool(unclear) and len(names | {lesion.name for lesion in unclear}) > 1
    if len(eligible) <= most:
        return Targets(names, there, is_open)
    sizes = {lesion.name: lesion.size(measure).value for lesion in eligible}
    largest = sorted(sizes, key=lambda name: (-(sizes[name] or 0.0), name))[:most]
    message = Message("response_largest_targets", {"visit": visit.visit, "lesions": ", ".join(largest), "most": most})
    return Targets(frozenset(largest), there, is_open or None in sizes.values(), (message,))


def family(visits: Sequence[VisitInputs], names: frozenset[str]) -> frozenset[str]:
    """The lesions with all that ever merged or split with them in these visits: they are summed together."""
    joined = set(names)
    links = [{lesion.name, *lesion.relatives} for visit in visits for lesion in visit.lesions if lesion.relatives]
    while grown := [link for link in links if link & joined and not link <= joined]:
        joined.update(*grown)
    return frozenset(joined)


def summed(visit: VisitInputs, names: frozenset[str], measure: str) -> Estimate:
    """The sum over lesions. One that is not listed counts 0 where all were drawn or where it merged into another."""
    if not names:
        return Estimate(None, MEASURES[measure])
    listed = {lesion.name: lesion for lesion in visit.lesions if not lesion.not_tumour}
    merged = {relative for lesion in listed.values() for relative in lesion.relatives}
    sizes = []
    for name in sorted(names):
        if name in listed:
            sizes.append(listed[name].size(measure))
        elif not (visit.all_drawn or name in merged):
            return Estimate(None, MEASURES[measure], flags=(Message("response_not_drawn", {"lesion": name}),))
    there = [size for size in sizes if size.value != 0]
    return total(there) if there else Estimate(0.0, MEASURES[measure])


def change(visits: Sequence[VisitInputs], earlier: int, later: int, names: frozenset[str], measure: str) -> Change:
    """The change in % of a sum between two visits."""
    joined = family(visits[: later + 1], names)
    before, after = (summed(visits[index], joined, measure) for index in (earlier, later))
    return Change(percent_change(before, after), earlier)


def growth(visits: Sequence[VisitInputs], start: int, at: int, names: frozenset[str], measure: str) -> Change:
    """The change in % from the nadir: the smallest sum from the visit ``start`` to the one before ``at`` (9.5).

    From a nadir of zero there is no percentage (9.7): its flag is then ``lesion_reference_zero``.
    """
    joined = family(visits[: at + 1], names)
    sums = {index: summed(visits[index], joined, measure) for index in range(start, at)}
    known = {index: size.value for index, size in sums.items() if size.value is not None}
    if not known:
        return Change(Estimate(None, "%"), None, open=bool(sums))
    nadir = min(known, key=lambda index: (known[index], index))
    percent = percent_change(sums[nadir], summed(visits[at], joined, measure))
    return Change(percent, nadir, open=len(known) < len(sums))
