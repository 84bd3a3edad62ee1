"""The assessment as of one visit: what was known by then, weighed line by line, and its sum."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..measures import Assessment, Evidence, InputError, Measurement, Message, Patient
from .as_of import Known, known_by, took_place, why_not_assessed
from .combination import DECIBAN, Sum, central_log_ratio, combine
from .context import context, unknown
from .criteria_set import CriteriaSet, default_criteria
from .evidence import STRONGEST, Circumstances, Held, hold
from .histology import tissue
from .leakage import leakage_decides
from .lesions import assessed_lesion, chosen_rows
from .prior import prior_for, stated_prior
from .registry import PLACES, fact_of
from .rules import EffectWindows
from .spreads import CutOffSpreads
from .what_if import leave_one_out, missing_tests

RARELY_IMPORTANT = 2.0
"""A likelihood ratio of 1 to 2 (or 0.5 to 1) alters a probability to a small, and rarely important, degree (Jaeschke
1994, quoted in table 1 of 10.1186/s12891-020-03651-1): less than that in all is no evidence to speak of."""

SURE_ENOUGH = 0.9
"""Share of simulated sums that must lie on one side of even odds before the evidence favours it. Our choice."""

TRACERS = ("FDOPA", "FET", "FDG", "MET")


def assess_visit(
    patient: Patient,
    visit_id: str,
    measurements: Sequence[Measurement],
    *,
    criteria: CriteriaSet | None = None,
    prior: tuple[float, float, float] | None = None,
    windows: EffectWindows | None = None,
) -> Assessment:
    """All evidence of one visit from what was known by then; anything dated later changes nothing in it.

    measurements: of all visits, in any order. criteria: the default set when None. prior: (median, low, high) of the
    probability of true progression; from time since radiotherapy when None. The same input gives the same output to
    the byte. Raises InputError: ``unknown_visit``; the message of ``why_not_assessed`` for a visit before the end of
    radiotherapy; ``prior_invalid``.
    """
    refused = why_not_assessed(patient, visit_id)
    if refused:
        raise InputError(refused.code, **refused.parameters)
    criteria = criteria or default_criteria()
    known = known_by(patient, visit_id, measurements)
    prior, prior_source = stated_prior(prior) if prior else prior_for(known.day)
    lesion, other_lesions = assessed_lesion(patient, visit_id, known.rows)
    circumstances = _circumstances(known)
    rows = chosen_rows(patient, known.rows, lesion)
    evidence, unjudged = _evidence(rows, known, criteria, circumstances)
    total = combine(prior, evidence)

    def concluded(result: Sum) -> str:
        return conclusion(result, known.day, windows or EffectWindows())

    found = concluded(total)
    tests, next_best = missing_tests(prior, evidence, criteria.criteria, circumstances)
    return Assessment(
        as_of=visit_id,
        conclusion=found,
        prior=prior,
        probability=None if found == "insufficient" else total.shown,
        evidence=_ledger(evidence, total),
        context=(
            prior_source,
            *context(known, lesion, other_lesions),
            *_agreement(evidence, total, found),
            *unjudged,
            *leakage_decides(rows, criteria.criteria),
        ),
        missing=(*tests, *unknown(known)),
        next_best_test=next_best,
        criteria_set=criteria.name,
        leave_one_out=leave_one_out(prior, evidence, concluded),
    )


def conclusion(total: Sum, day: int | None, windows: EffectWindows) -> str:
    """One of ``measures.CONCLUSIONS``.

    Insufficient: all evidence together, for and against, weighs less than a likelihood ratio of 2. A side is favoured
    when the evidence itself points to it by at least that much and 9 of 10 simulated sums lie on it; else mixed.
    """
    least = DECIBAN * math.log(RARELY_IMPORTANT)
    if total.speaks_for + total.speaks_against < least:
        return "insufficient"
    net = total.speaks_for - total.speaks_against
    if net >= least and total.side >= SURE_ENOUGH:
        return "favours_true_progression"
    if -net >= least and 1 - total.side >= SURE_ENOUGH:
        if day is not None and day <= windows.pseudoprogression_until:
            return "favours_pseudoprogression"
        if day is not None and day >= windows.necrosis_from:
            return "favours_radiation_necrosis"
        return "favours_treatment_effect"
    return "mixed"


def _circumstances(known: Known) -> Circumstances:
    series = known.visit.of_role("PET")
    stated = str(series.acquisition.get("TracerName", "")).upper() if series else ""
    tracer = next((name for name in TRACERS if name in stated), "")
    given = frozenset(event.kind for event in known.events if took_place(event))
    return Circumstances(known.day, given, tracer)


def _evidence(
    rows: Sequence[Measurement], known: Known, criteria: CriteriaSet, circumstances: Circumstances
) -> tuple[list[Held], list[Message]]:
    """(every measurement held against every criterion of its name, and tissue; messages on those without any)."""
    spreads = CutOffSpreads(criteria.criteria)
    held, without = tissue(known), []  # the second: names of measurements
    for row in rows:
        place = PLACES.get(row.name, ("", ""))[0]
        if place == "context":
            continue
        matching = [c for c in criteria.criteria if c.measure == row.name and _same_tracer(c.tracer, circumstances)]
        held += [hold(row, criterion, circumstances, spreads) for criterion in matching]
        if not matching and row.value is not None and place:
            without.append(row.name)
    return held, [Message("no_criterion", {"measures": ", ".join(without)})] if without else []


def _ledger(evidence: Sequence[Held], total: Sum) -> tuple[Evidence, ...]:
    """One line per measurement and criterion, the heaviest first."""
    lines = []
    for item, weight in zip(evidence, total.weights, strict=True):
        ratio = central_log_ratio(item) if item.used else None
        lines.append(
            Evidence(
                criterion=item.criterion,
                measurement=item.measurement,
                probability_beyond=round(float(item.probability_beyond), 6) if item.used else None,
                likelihood_ratio=round(math.exp(ratio), 6) if item.used else None,
                weight=weight,
                used=item.used,
                reasons=(*item.reasons, *_share(ratio, weight)),
            )
        )
    return tuple(
        sorted(lines, key=lambda line: (-abs(line.weight), not line.used, line.criterion.id, line.measurement.name))
    )


def _share(ratio: float | None, weight: float) -> list[Message]:
    """What a line's ln LR was limited to, and how much of it enters the sum, where it is not all of it."""
    limited = ratio is not None and math.isclose(abs(ratio), math.log(STRONGEST))
    found = [Message("evidence_limited", {"limit": round(math.exp(ratio), 1)})] if limited else []
    own = round(ratio * DECIBAN, 2) if ratio else 0.0
    percent = round(100 * weight / own) if own else 100
    return found if percent >= 100 else [*found, Message("evidence_share", {"decibans": own, "percent": percent})]


def _same_tracer(tracer: str, circumstances: Circumstances) -> bool:
    """Whether a criterion for this tracer (or none) may be about the visit's scan; unknown tracers are shown."""
    return tracer in ("", circumstances.tracer) or not circumstances.tracer


def _agreement(evidence: Sequence[Held], total: Sum, found: str) -> list[Message]:
    """Which facts speak for progression and which for treatment effect, and whether they decide."""
    weights: dict[str, float] = {}
    for item, weight in zip(evidence, total.weights, strict=True):
        fact = fact_of(item.criterion.measure)
        weights[fact] = weights.get(fact, 0.0) + weight
    progression = ", ".join(sorted(fact for fact, weight in weights.items() if weight > 0))
    effect = ", ".join(sorted(fact for fact, weight in weights.items() if weight < 0))
    undecided = [Message("evidence_undecided")] if found == "mixed" else []
    if progression and effect:
        return [Message("facts_disagree", {"progression": progression, "effect": effect}), *undecided]
    if progression:
        return [Message("facts_for_progression", {"facts": progression}), *undecided]
    return [Message("facts_for_effect", {"facts": effect}), *undecided] if effect else []
