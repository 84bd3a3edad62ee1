"""The assessment as of one visit as rich text for the panel: the report's words without its figures, which Qt's text
browser does not draw."""

from __future__ import annotations

from html import escape

from ..analysis import Analysis
from ..measures import Assessment, Evidence
from ..report import words
from ..report.markup import Markup

HEADS = ("measure", "value", "cut_off", "weight", "source")


def assessment_text(analysis: Analysis, as_of: str) -> str:
    """HTML 4 of the assessment, its outcome apart; empty where there is none for this visit."""
    found = next((assessment for assessment in analysis.assessments if assessment.as_of == as_of), None)
    if found is None:
        return ""
    markup = Markup(analysis.patient)
    parts = [f"<h3>{markup.label('conclusion', found.conclusion)}</h3>", _probability(markup, found)]
    parts.append(_evidence(markup, found))
    parts.append(markup.headed_list("missing", found.missing))
    if found.next_best_test is not None:
        parts.append(markup.headed_list("next_best_test", (found.next_best_test,)))
    parts.append(markup.headed_list("context", found.context))
    parts.append(markup.headed_list("outcome", analysis.outcome.get(as_of, ())))
    return "".join(parts)


def _probability(markup: Markup, assessment: Assessment) -> str:
    if assessment.probability is None:
        return ""
    median, low, high = (round(100 * share) for share in assessment.probability)
    return f"<p>{markup.say('frequency', count=median, low=low, high=high, others=100 - median)}</p>"


def _evidence(markup: Markup, assessment: Assessment) -> str:
    """What weighs, the heaviest first."""
    used = sorted((item for item in assessment.evidence if item.used), key=lambda item: -abs(item.weight))
    if not used:
        return f"<p>{markup.say('no_evidence')}</p>"
    heads = "".join(
        f'<th align="left">{markup.say(f"head_{head}")}</th>'
        for head in ("measure", "value", "cut_off", "weight", "source")
    )
    return (
        f'<table cellspacing="0" cellpadding="3"><tr>{heads}</tr>{"".join(_row(markup, item) for item in used)}</table>'
    )


def _row(markup: Markup, item: Evidence) -> str:
    criterion, row = item.criterion, item.measurement
    unit = "" if row.unit == "1" else row.unit
    cells = (
        markup.label("measure", row.name),
        escape(words.quantity(row.value, row.low, row.high, unit)),
        f"{'&ge;' if criterion.direction == 'high' else '&le;'} {criterion.cut_off:g}",
        f"{item.weight:+.1f} dB",
        escape(f"{criterion.id}: {criterion.citation}"),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
