"""What a reader of the headline must know beside its number: on how little it rests, which correction decides it, and
which visits may not be comparable at all.

All texts are plain, as in ``statement``.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..assessment.registry import voice_of
from ..measures import Assessment, Message
from . import words
from .framing import net_weight, weighs

CAUTIONS = ("leakage_decides", "alignment_failed")
"""Messages of the context that belong beside the headline."""


def decisive(assessment: Assessment) -> list[Message]:
    """The facts without which the conclusion would be another."""
    left = [message for message in assessment.leave_one_out if "conclusion" in message.parameters]
    return [message for message in left if message.parameters["conclusion"] != assessment.conclusion]


def cautions(assessment: Assessment, sources: dict[str, str], language: str = "english") -> tuple[str, ...]:
    """Sentences; sources: the limit and the name of its source in running text, by criterion."""
    apart = [message for message in assessment.context if message.code in CAUTIONS]
    rests = (
        _one_limit(assessment, decisive(assessment), sources, language) if assessment.probability is not None else []
    )
    return (*rests, *(words.sentence(message, language) for message in apart))


def _one_limit(assessment: Assessment, without: Iterable[Message], sources: dict[str, str], language: str) -> list[str]:
    """Which single limits the conclusion rests on, with the cases behind them; without: what would conclude otherwise.

    What is left out is a whole voice: other limits of it would carry more if only one limit were missing.
    """
    net = net_weight(assessment)
    found = []
    for message in without:
        fact = message.parameters["fact"]
        behind = [one for one in assessment.evidence if weighs(one) and voice_of(one.criterion.measure) == fact]
        if len({one.criterion.id for one in behind}) != 1:
            continue
        one, criterion = behind[0], behind[0].criterion
        if None in (criterion.positives, criterion.negatives):
            cases = words.say("report_one_limit_unknown", language)
        else:
            kind = "samples" if criterion.samples_per_patient > 1 else "patients"
            counts = {"positives": criterion.positives, "negatives": criterion.negatives}
            each = {"number": criterion.samples_per_patient}
            cases = words.say(f"report_one_limit_{kind}", language, **counts, **each)
        shown = {
            "weight": words.decibans(one.weight),
            "net": words.decibans(net),
            "measure": words.label("measure", one.measurement.name, language),
            "limit": sources[criterion.id],
            "cases": cases,
            "without": words.sentence(message, language),
        }
        found.append(words.say("report_one_limit", language, **shown))
    return found
