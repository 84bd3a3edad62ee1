"""An assessment in words, once for all who show it: the page, the panel and the printed report read this one model.

All texts are plain: escape them where they go into HTML.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..assessment.assess import RARELY_IMPORTANT
from ..measures import Assessment, Criterion, Evidence, Measurement, Message
from . import words
from .cautions import CAUTIONS, cautions, decisive
from .framing import by_side, frame, one_sided, opposed, reading, weighs

WHY = ("facts_for_progression", "facts_for_effect", "facts_disagree", "evidence_undecided")
REMARKS = ("no_own_lesion", "prior_of_growing_lesions")
"""What a reader of the conclusion must know beside its reasons."""
DATES_UNKNOWN = ("visit_undated", "event_undated", "radiotherapy_unknown", "radiotherapy_end_unknown")
"""What is not known of the time: missing before anything else."""
AUTHOR_YEAR = re.compile(r"([^,(]{,45}? (?:19|20)\d\d)\b")
AUTHOR = re.compile(r"((?:[^\W\d]+[ -]){1,3}[A-Z]{1,3}),")
JOURNAL_YEAR = re.compile(r", ((?:[A-Z][A-Za-z-]* ){1,5}(?:19|20)\d\d)\b")
TITLE = re.compile(r".{20,}?(?=,|$)")  # a comma stands in titles too, as between tracers
SHORT = 42  # characters of a source in a narrow table
HIGHEST = 95  # per cent: what is surer is shown as this
DATES = ("confirmation_from", "twelve_weeks_on")


@dataclass(frozen=True)
class Line:
    """One row of the ledger. weight: decibans, None where the row has no weight; reasons: what limits or refuses it."""

    evidence: Evidence
    measure: str
    where: str
    value: str
    cut_off: str
    ratio: str
    weight: float | None
    source: str
    accuracy: str
    reasons: tuple[str, ...]

    @property
    def short_source(self) -> str:
        """The source as it is named in running text: author and year where they are known, else journal and year, or
        the beginning of its title."""
        citation = self.evidence.criterion.citation
        named = AUTHOR_YEAR.match(citation) or AUTHOR.match(citation) or JOURNAL_YEAR.search(citation)
        title = TITLE.match(citation)
        return named[1] if named else textwrap.shorten(title[0] if title else citation, SHORT, placeholder=" ...")

    @property
    def weight_words(self) -> str:
        """The weight with its unit, empty where there is none."""
        return "" if self.weight is None else words.decibans(self.weight)


@dataclass(frozen=True)
class Test:
    """A test that carries no weight: what a clear result would make the probability of true progression (per cent).

    chance: how likely a result for progression is; takes_away: of the uncertainty that is left, on average (per cent).
    None in assessments of older scenes.
    """

    name: str
    done: bool
    if_for: int
    if_against: int
    chance: int | None = None
    takes_away: int | None = None

    @property
    def tells(self) -> bool:
        """Whether its result would be expected to tell anything."""
        return self.if_for != self.if_against and self.takes_away != 0


@dataclass(frozen=True)
class Statement:
    """conclusion, why, limits: sentences; frequency: natural frequencies, empty where there is no probability.
    cautions: what must stand beside the number.

    frame: how the number came about; reading: how to read it, the same for every patient. sides, opposed: by
    ``framing.PROGRESSION`` and ``EFFECT`` what weighs there, and what would speak there and has no weight. lines: of
    the ledger, the heaviest first. tests: missing, the one that would be expected to tell most first. not_stated: what
    was asked for; unknown: other things that are not known. without: what would be left without each item. dates: at
    which the question answers itself. context: the rest, without weight.
    """

    conclusion: str
    why: tuple[str, ...]
    limits: str
    frequency: str
    cautions: tuple[str, ...]
    frame: tuple[str, ...]
    reading: tuple[str, ...]
    sides: dict[str, tuple[str, ...]]
    opposed: dict[str, tuple[str, ...]]
    lines: tuple[Line, ...]
    tests: tuple[Test, ...]
    next_best: str
    not_stated: tuple[str, ...]
    unknown: tuple[str, ...]
    without: tuple[str, ...]
    dates: tuple[str, ...]
    prior: str
    context: tuple[str, ...]
    criteria_set: str


def statement(assessment: Assessment, language: str = "english") -> Statement:
    """The assessment in words."""

    def sentences(messages: Iterable[Message]) -> tuple[str, ...]:
        return tuple(words.sentence(message, language) for message in messages)

    prior, *context = assessment.context or (None,)
    if prior is not None and not prior.code.startswith("prior_"):
        prior, context = None, list(assessment.context)
    apart = (*WHY, *REMARKS, *CAUTIONS, *DATES, *DATES_UNKNOWN)
    lines = tuple(_line(item, language) for item in ordered(assessment.evidence))
    sources = {line.evidence.criterion.id: f"{line.cut_off} ({line.short_source})" for line in lines}
    conclusion = "one_sided" if one_sided(assessment) else assessment.conclusion
    tests = [
        _test(message, language)
        for message in assessment.missing
        if message.code in ("test_missing", "test_without_weight")
    ]
    best = assessment.next_best_test.parameters.get("test", "") if assessment.next_best_test else ""
    best = words.label("test", best, language)
    asked = [message for message in assessment.missing if message.code == "not_stated"]
    others = [
        message
        for message in assessment.missing
        if message.code not in ("test_missing", "test_without_weight", "not_stated")
    ]
    return Statement(
        conclusion=words.label("conclusion", conclusion, language),
        why=(
            *sentences(message for message in context if message.code in WHY),
            *_rests_on(assessment, language),
            *sentences(message for message in context if message.code in REMARKS),
        ),
        limits=_limits(assessment, language),
        frequency=_frequency(assessment, language),
        cautions=cautions(assessment, sources, language),
        frame=frame(assessment, prior, language),
        reading=reading(assessment, language),
        sides=by_side(lines, language),
        opposed=opposed(assessment, lines, language),
        lines=lines,
        tests=tuple(sorted(tests, key=lambda test: (test.name != best, -(test.takes_away or 0), test.name))),
        next_best=words.sentence(assessment.next_best_test, language) if assessment.next_best_test else "",
        not_stated=tuple(words.label("event", message.parameters["event"], language) for message in asked),
        unknown=sentences([*(message for message in context if message.code in DATES_UNKNOWN), *others]),
        without=sentences(assessment.leave_one_out),
        dates=sentences(message for message in context if message.code in DATES),
        prior=words.sentence(prior, language) if prior else "",
        context=sentences(message for message in context if message.code not in apart),
        criteria_set=assessment.criteria_set,
    )


def ordered(evidence: Iterable[Evidence]) -> list[Evidence]:
    """What weighs first, the heaviest at the top."""
    return sorted(evidence, key=lambda item: (not item.used, -abs(item.weight)))


def _rests_on(assessment: Assessment, language: str) -> list[str]:
    """Without which single facts the conclusion would be another."""
    if assessment.conclusion in ("mixed", "insufficient"):
        return []
    facts = [message.parameters["fact"] for message in decisive(assessment)]
    spoken = ", ".join(words.label("fact", fact, language) for fact in facts)
    return [words.say("report_rests_on", language, facts=spoken)] if facts else []


def _limits(assessment: Assessment, language: str) -> str:
    """One sentence on what the conclusion rests on and what it lacks."""
    used = [item for item in assessment.evidence if weighs(item)]
    names = dict.fromkeys(item.measurement.name for item in used)
    measures = ", ".join(words.label("measure", name, language) for name in names)
    if assessment.probability is None:
        if not used:
            return words.say("report_limits_insufficient", language)
        return words.say("report_limits_too_little", language, measures=measures, least=f"{RARELY_IMPORTANT:g}")
    groups = dict.fromkeys(words.label("group", item.criterion.group, language) for item in used)
    _, low, high = (round(100 * share) for share in assessment.probability)
    upper, lower = high >= HIGHEST, low <= 100 - HIGHEST
    end = "_from" if upper and not lower else "_up_to" if lower and not upper else ""  # nothing is shown as surer
    allowed = words.say(f"report_range{end}", language, low=low, high=high)
    return words.say(
        "report_limits",
        language,
        groups=", ".join(groups) or "-",
        allowed=allowed,
        measures=_counted("measures", len(names), language),
        limits=_counted("cut_offs", len({item.criterion.id for item in used}), language),
        cases=_cases({item.criterion.id: item.criterion for item in used}.values(), language),
    )


def _cases(criteria: Collection[Criterion], language: str) -> str:
    """In how many cases, true progressions and treatment effects together, the sources found their limits."""
    counts = [one.positives + one.negatives for one in criteria if None not in (one.positives, one.negatives)]
    if not counts:
        return ""
    code = "same" if min(counts) == max(counts) else "between"
    said = words.say(f"report_cases_{code}", language, least=min(counts), most=max(counts))
    unknown = len(counts) < len(criteria)
    return words.say("report_cases_where_known", language, cases=said) if unknown else said


def _counted(code: str, count: int, language: str) -> str:
    return words.say(f"report_{code}_{'one' if count == 1 else 'many'}", language, count=count)


def _frequency(assessment: Assessment, language: str) -> str:
    if assessment.probability is None:
        return ""
    count, low, high = (round(100 * share) for share in assessment.probability)
    numbers = {"count": count, "low": low, "high": high, "others": 100 - count}
    end = "_highest" if count >= HIGHEST else "_lowest" if count <= 100 - HIGHEST else ""
    return words.say(f"report_frequency{end}", language, **numbers)


def _test(message: Message, language: str) -> Test:
    shown = message.parameters
    return Test(
        words.label("test", shown["test"], language),
        message.code == "test_without_weight",
        shown["if_for"],
        shown["if_against"],
        shown.get("chance"),
        shown.get("tells"),
    )


def _line(item: Evidence, language: str) -> Line:
    criterion, measurement = item.criterion, words.cleaned(item.measurement)
    kind = words.label("kind", measurement.kind, language)
    return Line(
        evidence=item,
        measure=words.label("measure", measurement.name, language),
        where=", ".join((measurement.region, kind, words.label("group", criterion.group, language))),
        value=_value(measurement, criterion),
        cut_off=_cut_off(criterion, language),
        ratio="" if item.likelihood_ratio is None else words.number(item.likelihood_ratio, 2),
        weight=item.weight if item.used else None,
        source=_source(criterion),
        accuracy=_accuracy(criterion, language),
        reasons=tuple(words.sentence(message, language) for message in (*item.reasons, *measurement.flags)),
    )


def _value(measurement: Measurement, criterion: Criterion) -> str:
    if measurement.value is None:
        return words.bound(measurement)
    limits = [] if criterion.cut_off is None else [criterion.cut_off]
    return words.quantity(measurement.value, measurement.low, measurement.high, measurement.unit, apart_from=limits)


def _cut_off(criterion: Criterion, language: str) -> str:
    """From which value on it speaks for progression."""
    if criterion.cut_off is None:
        return criterion.cut_off_printed or words.say("report_no_cut_off", language)
    sign = "\u2265" if criterion.direction == "high" else "\u2264"
    unit = "" if criterion.unit == "1" else f" {criterion.unit}"
    return f"{sign}\u00a0{criterion.cut_off:g}{unit}"


def _source(criterion: Criterion) -> str:
    doi = "" if criterion.doi in criterion.citation else f", {criterion.doi}"
    return f"{criterion.id}: {criterion.citation}{doi}"


def _accuracy(criterion: Criterion, language: str) -> str:
    """In how many patients, how well."""
    shares = (("sensitivity", criterion.sensitivity), ("specificity", criterion.specificity))
    found = [
        words.say(f"report_{code}", language, percent=f"{100 * share:.0f}")
        for code, share in shares
        if share is not None
    ]
    if criterion.positives is not None and criterion.negatives is not None:
        counts = {"positives": criterion.positives, "negatives": criterion.negatives}
        found.append(words.say("report_patients", language, **counts))
    if criterion.samples_per_patient > 1:
        found.append(words.say("report_samples", language, number=criterion.samples_per_patient))
    return ", ".join(found)
