"""What a number needs beside it: where it started, what moved it, what bounds it, and what speaks against it.

All texts are plain, as in ``statement``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..assessment.assess import RARELY_IMPORTANT, SURE_ENOUGH
from ..assessment.combination import DECIBAN, DRAWS, SHOWN
from ..assessment.prior import prior_for
from ..assessment.published import table
from ..measures import Assessment, Criterion, Evidence, Measurement, Message
from . import words

if TYPE_CHECKING:
    from .statement import Line

PROGRESSION, EFFECT = "progression", "effect"
SIDE_UNKNOWN = (
    "evidence_direction_disputed", "evidence_wording_and_counts_differ", "evidence_unit_not_read",
    "evidence_unit_differs", "evidence_not_finite", "evidence_not_positive", "evidence_interval_inconsistent",
)  # fmt: skip
"""Reasons for which a value cannot be said to lie on a side of a limit."""


def weighs(item: Evidence) -> bool:
    """Whether an item has a weight that does not round to zero."""
    return item.used and round(item.weight, 1) != 0


def net_weight(assessment: Assessment) -> float:
    """All evidence together, decibans."""
    return sum(item.weight for item in assessment.evidence if item.used)


def one_sided(assessment: Assessment) -> bool:
    """Whether a mixed conclusion has weights on one side alone."""
    signs = {item.weight > 0 for item in assessment.evidence if weighs(item)}
    return assessment.conclusion == "mixed" and len(signs) == 1


def heading(assessment: Assessment) -> str:
    """The label of the frame: without a probability there is no number that came about."""
    return "where_it_starts" if assessment.probability is None else "how_the_number_came"


def frame(assessment: Assessment, prior: Message | None, language: str = "english") -> tuple[str, ...]:
    """How the number came about: starting point and evidence. prior: the message that says where the prior comes from,
    if any."""
    start = _start(prior, language)
    if assessment.probability is None:
        return tuple(start)
    before, net = assessment.prior[0], net_weight(assessment)
    found = [*start, _moved(before, net, language)]
    if round(net, 1) and (before - 0.5) * net < 0:
        found.append(words.say("report_opposite", language, even=_percent(_after(0.5, net), language)))
    return tuple(found)


def reading(assessment: Assessment, language: str = "english") -> tuple[str, ...]:
    """How to read the number, the same for every patient: what the conclusion means, floor and ceiling, that the
    starting point can be changed."""
    change = words.say("report_start_change", language)
    if assessment.probability is None:
        return (change,)
    means = "undecided" if assessment.conclusion == "mixed" else "favours"
    rules = {"least": f"{RARELY_IMPORTANT:g}", "side": f"{100 * SURE_ENOUGH:g}", "draws": DRAWS}
    said = words.say(f"report_{means}_means", language, **rules)
    return said, words.say("report_floor_and_ceiling", language), change


def _start(prior: Message | None, language: str) -> list[str]:
    if prior is None:
        return []
    shown = dict(prior.parameters)
    edge = table("prior")["last_early_day"]
    if prior.code in ("prior_early", "prior_late"):
        other, _ = prior_for(edge + 1 if prior.code == "prior_early" else edge)
        shown["other"] = round(100 * other[0])
    code = f"report_start_{prior.code.removeprefix('prior_')}"
    return [words.say(code, language, **shown)]


def _moved(before: float, net: float, language: str) -> str:
    shown = {"decibans": words.decibans(net).removesuffix(" dB")}
    if not round(net, 1):
        return words.say("report_not_moved", language, **shown)
    times = words.number(10 ** (abs(net) / 10), 2)
    way = words.say(f"report_way_{'higher' if net > 0 else 'lower'}", language)
    after = _percent(_after(before, net), language)
    return words.say("report_moved", language, times=times, way=way, before=round(100 * before), after=after, **shown)


def _after(before: float, net: float) -> float:
    """The probability from one before and decibans of evidence."""
    return 1 / (1 + math.exp(-(math.log(before / (1 - before)) + net / DECIBAN)))


def _percent(share: float, language: str) -> str:
    """A probability in words, never beyond floor and ceiling."""
    code = "at_most" if share <= SHOWN[0] else "at_least" if share >= SHOWN[1] else "plainly"
    return words.say(f"report_{code}", language, percent=round(100 * min(max(share, SHOWN[0]), SHOWN[1])))


def by_side(lines: Sequence[Line], language: str = "english") -> dict[str, tuple[str, ...]]:
    """What weighs on each side, one entry for each measure with its value and the sum of its weights, the heaviest
    first."""
    found: dict[str, tuple[str, ...]] = {}
    weights: dict[str, list[Line]] = {}
    for line in lines:
        if line.weight is not None:
            weights.setdefault(line.evidence.measurement.name, []).append(line)
    sums = {name: sum(line.weight for line in kept) for name, kept in weights.items()}
    for side, sign in ((PROGRESSION, 1), (EFFECT, -1)):
        names = [name for name, total in sums.items() if sign * round(total, 1) > 0]
        names.sort(key=lambda name: -abs(sums[name]))
        found[side] = tuple(
            words.say(
                "report_item",
                language,
                measure=weights[name][0].measure,
                value=plain_value(weights[name][0].evidence.measurement),
                weight=words.decibans(sums[name]),
            )
            for name in names
        )
    return found


def opposed(assessment: Assessment, lines: Sequence[Line], language: str = "english") -> dict[str, tuple[str, ...]]:
    """Measures that lie, by limits without weight, on the side which the conclusion does not favour (both where it
    favours none), each with the limits that say so and why they do not weigh. A measure that weighs for one side by
    other limits is said here too."""
    sides = {
        "favours_true_progression": (EFFECT,),
        "mixed": (PROGRESSION, EFFECT),
        "insufficient": (PROGRESSION, EFFECT),
    }.get(assessment.conclusion, (PROGRESSION,))
    sums: dict[str, float] = {}
    known: dict[str, list[Line]] = {}
    for line in lines:
        name = line.evidence.measurement.name
        sums[name] = sums.get(name, 0.0) + (line.weight or 0.0)
        if side_of(line.evidence):
            known.setdefault(name, []).append(line)
    return {
        side: tuple(
            _opposed(found, side, language)
            for name, found in known.items()
            if not _weighs_on(side, sums[name]) and any(_silent_on(side, line) for line in found)
        )
        for side in sides
    }


def _weighs_on(side: str, total: float) -> bool:
    """Whether a measure with this sum of weights already stands on the side with its weight."""
    return round(total, 1) * (1 if side == PROGRESSION else -1) > 0


def _silent_on(side: str, line: Line) -> bool:
    return not weighs(line.evidence) and side_of(line.evidence) == side


def side_of(item: Evidence) -> str:
    """The side of a limit on which the value lies; empty where that cannot be said."""
    criterion: Criterion = item.criterion
    value = item.measurement.value
    known = value is not None and criterion.cut_off is not None and math.isfinite(value)
    if not known or any(reason.code in SIDE_UNKNOWN for reason in item.reasons):
        return ""
    beyond = value >= criterion.cut_off if criterion.direction == "high" else value <= criterion.cut_off
    return PROGRESSION if beyond else EFFECT


def _opposed(lines: Sequence[Line], side: str, language: str) -> str:
    there = [line for line in lines if _silent_on(side, line)]
    limits = ", ".join(f"{line.cut_off} ({line.short_source})" for line in there)
    if any(side_of(line.evidence) != side for line in lines):
        limits = words.say("report_opposed_of", language, limits=limits)
    reasons = dict.fromkeys(_why_silent(line, language) for line in there)
    first = lines[0]
    return words.say(
        "report_opposed_item",
        language,
        measure=first.measure,
        value=plain_value(first.evidence.measurement, [line.evidence.criterion.cut_off for line in there]),
        limits=limits,
        reason=" ".join(filter(None, reasons)),
    )


def _why_silent(line: Line, language: str) -> str:
    if line.weight is not None:
        return words.say("report_opposed_rounds", language)
    return line.reasons[0] if line.reasons else ""


def plain_value(measurement: Measurement, limits: Sequence[float] = ()) -> str:
    """A value with its unit and no interval, told apart from the limits that it is held against; a bound as that."""
    measurement = words.cleaned(measurement)
    if measurement.value is None:
        return words.bound(measurement)
    return words.quantity(measurement.value, None, None, measurement.unit, apart_from=limits)
