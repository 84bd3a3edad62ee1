"""The evidence ledger: every measurement that was held against a published cut-off, line by line, and the sum."""

from __future__ import annotations

import math
from html import escape

from ..measures import Assessment, Criterion, Evidence
from . import figures, words
from .markup import Markup, Notes, row, table
from .measurement_tables import value_cell


def ledger(markup: Markup, assessment: Assessment) -> str:
    """The table of one assessment, the heaviest items first, then those without weight; remarks below it."""
    if not assessment.evidence:
        return f"<p>{markup.say('no_evidence')}</p>"
    notes = Notes(markup)
    items = sorted(assessment.evidence, key=lambda item: (not item.used, -abs(item.weight)))
    largest = max(abs(item.weight) for item in items)
    heads = [markup.say(f"head_{head}") for head in ("measure", "value", "cut_off", "ratio", "weight", "source")]
    heads[4] += (
        f'<span class="sides"><span>&larr;&nbsp;{markup.say("side_treatment")}</span>'
        f"<span>{markup.say('side_progression')}&nbsp;&rarr;</span></span>"
    )
    rows = [_row(markup, item, largest, notes) for item in items]
    return table(heads, rows, _foot(markup, assessment)) + notes.text()


def _row(markup: Markup, item: Evidence, largest: float, notes: Notes) -> str:
    criterion, measurement = item.criterion, words.cleaned(item.measurement)
    head = (
        f"{markup.label('measure', measurement.name)}"
        f"<small>{escape(measurement.region)}, {markup.label('kind', measurement.kind)}</small>"
        f"<small>{markup.label('group', criterion.group)}</small>"
    )
    ratio = "" if item.likelihood_ratio is None else words.number(item.likelihood_ratio, 2)
    if item.used:
        weight = f"{figures.weight_bar(item.weight, largest)}{item.weight:+.1f}&nbsp;dB"
    else:
        weight = f'<span class="absent">{markup.say("not_used")}</span>'
    cells = [
        value_cell(markup, measurement, notes),
        _cut_off(markup, criterion),
        ratio,
        f'<span class="weight">{weight}{notes.marks(item.reasons)}</span>',
        _source(markup, criterion),
    ]
    return row(head, cells)


def _cut_off(markup: Markup, criterion: Criterion) -> str:
    if criterion.cut_off is None:
        return escape(criterion.cut_off_printed) or markup.say("no_cut_off")
    sign = "&ge;" if criterion.direction == "high" else "&le;"
    unit = "" if criterion.unit == "1" else f" {escape(criterion.unit)}"
    limit = f"{sign}&nbsp;{criterion.cut_off:g}{unit}"
    return f"{limit}<small>{markup.say('speaks_for_progression')}</small>"


def _source(markup: Markup, criterion: Criterion) -> str:
    """Who found it, in how many patients, how well."""
    found = [
        markup.say(code, percent=f"{100 * share:.0f}")
        for code, share in (("sensitivity", criterion.sensitivity), ("specificity", criterion.specificity))
        if share is not None
    ]
    if criterion.positives is not None and criterion.negatives is not None:
        found.append(markup.say("patients", positives=criterion.positives, negatives=criterion.negatives))
    doi = "" if criterion.doi in criterion.citation else f", {criterion.doi}"
    return f"{escape(criterion.id)}: {escape(criterion.citation + doi)}<small>{', '.join(found)}</small>"


def _foot(markup: Markup, assessment: Assessment) -> str:
    """Where the sum starts, what the evidence adds, where it ends."""
    before = assessment.prior[0]
    total = sum(item.weight for item in assessment.evidence if item.used)
    lines = [
        ("prior", _percent(markup, assessment.prior), f"{10 * math.log10(before / (1 - before)):+.1f}&nbsp;dB"),
        ("weight_sum", "", f"{total:+.1f}&nbsp;dB"),
    ]
    if assessment.probability is not None:
        lines.append(("posterior", _percent(markup, assessment.probability), ""))
    rows = (
        f'<tr><th scope="row" colspan="2">{markup.say(code)}</th><td colspan="2">{share}</td>'
        f'<td><span class="weight">{weight}</span></td><td></td></tr>'
        for code, share, weight in lines
    )
    return f"<tfoot>{''.join(rows)}</tfoot>"


def _percent(markup: Markup, estimate: tuple[float, float, float]) -> str:
    median, low, high = (round(100 * share) for share in estimate)
    return markup.say("percent_interval", median=median, low=low, high=high)
