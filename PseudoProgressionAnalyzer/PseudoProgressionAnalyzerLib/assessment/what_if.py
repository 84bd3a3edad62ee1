"""What would change the answer: without each fact, and with each test that was not done."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..measures import Criterion, Message
from .combination import SHOWN, Sum, combine, mean_accuracy, patients
from .evidence import Circumstances, Held, imagined
from .registry import fact_of, voice_of

Interval = tuple[float, float, float]

HARDLY = 0.05
"""By how much what is shown must move for somebody to see it: the distance of floor and ceiling from what is sure. Our
choice."""


def leave_one_out(prior: Interval, evidence: Sequence[Held], conclude: Callable[[Sum], str]) -> tuple[Message, ...]:
    """What would be left without each voice that weighs."""
    found = []
    for fact in sorted({voice_of(item.criterion.measure) for item in evidence if item.used}):
        rest = combine(prior, [item for item in evidence if voice_of(item.criterion.measure) != fact])
        conclusion = conclude(rest)
        shown = {"fact": fact, "conclusion": conclusion}
        if conclusion != "insufficient":
            shown |= {key: _percent(x) for key, x in zip(("percent", "low", "high"), rest.shown, strict=True)}
        found.append(Message(f"without_fact_{conclusion}", shown))
    return tuple(found)


def missing_tests(
    prior: Interval, evidence: Sequence[Held], criteria: Sequence[Criterion], circumstances: Circumstances
) -> tuple[list[Message], Message | None]:
    """(tests without weight with what each would change, the one that would tell most).

    A test is a modality that has a criterion which holds at this visit. What it would tell is the expected fall of the
    entropy of the probability (bits): H(p) - sum over its two results of P(result) H(p after it). A wide pair of
    results tells little where one of them is unlikely; so each test comes with how likely a result for progression is
    (``chance``, %) and how much of the entropy of now it would take away (``tells``, %). A test of which neither result
    would move what is shown by ``HARDLY`` tells nothing that anybody sees; where all are such, none tells most.
    """
    done = {item.criterion.modality for item in evidence if item.used}
    tried = {item.criterion.modality for item in evidence}
    now = combine(prior, evidence).centre
    found: dict[str, tuple[float, dict]] = {}
    for modality in sorted({criterion.modality for criterion in criteria} - done):
        options = [
            option
            for fact in sorted({fact_of(c.measure) for c in criteria if c.modality == modality})
            if (option := _effect(prior, evidence, now, modality, _of_fact(criteria, modality, fact), circumstances))
        ]
        if options:
            found[modality] = max(options, key=lambda option: option[0])
    messages = [
        Message("test_without_weight" if modality in tried else "test_missing", shown)
        for modality, (_, shown) in found.items()
    ]
    if not found:
        return messages, None
    best = max(found, key=lambda modality: (found[modality][1]["tells"], found[modality][0]))
    return messages, Message("next_best_test", found[best][1]) if found[best][1]["tells"] else None


def _of_fact(criteria: Sequence[Criterion], modality: str, fact: str) -> list[Criterion]:
    return [c for c in criteria if c.modality == modality and fact_of(c.measure) == fact]


def _effect(
    prior: Interval, evidence: Sequence[Held], now: float, modality: str, criteria: Sequence[Criterion],
    circumstances: Circumstances,
) -> tuple[float, dict] | None:  # fmt: skip
    """(expected fall of entropy, what to show) of a test that would answer clearly; None where no criterion holds."""
    clear = {side: [imagined(c, circumstances, side) for c in criteria] for side in (True, False)}
    held = [item for item in clear[True] if item.used]
    if not held:
        return None
    after = {side: combine(prior, [*evidence, *items]).centre for side, items in clear.items()}
    counted = [patients(item.criterion) * item.factor for item in held]
    accuracy = [mean_accuracy(item.criterion) for item in held]
    sensitivity, specificity = (
        sum(w * pair[n] for w, pair in zip(counted, accuracy, strict=True)) / sum(counted) for n in (0, 1)
    )
    positive = now * sensitivity + (1 - now) * (1 - specificity)
    told = _entropy(now) - positive * _entropy(after[True]) - (1 - positive) * _entropy(after[False])
    moved = max(abs(_shown(p) - _shown(now)) for p in after.values())
    return told, {
        "test": modality,
        "if_for": _percent(after[True]),
        "if_against": _percent(after[False]),
        "chance": round(100 * positive),
        "tells": round(100 * max(told, 0.0) / _entropy(now)) if moved >= HARDLY else 0,
    }


def _entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def _percent(p: float) -> int:
    return round(100 * _shown(p))


def _shown(p: float) -> float:
    return min(max(p, SHOWN[0]), SHOWN[1])
