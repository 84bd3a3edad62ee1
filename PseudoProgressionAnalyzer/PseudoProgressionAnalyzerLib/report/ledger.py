"""The evidence ledger as HTML: every measurement held against a published cut-off, line by line, and the sum."""

from __future__ import annotations

import math
from html import escape

from ..measures import Assessment
from . import figures, limits
from .framing import net_weight
from .markup import FOLD, Markup, Notes, row, table
from .measurement_tables import value_cell
from .statement import Line, statement
from .words import cleaned


def ledger(markup: Markup, assessment: Assessment) -> str:
    """The table of one assessment, the heaviest items first, with the sum; then every measure against all verified
    limits, and what was held against a limit and has no weight. Remarks stand below each table."""
    lines = statement(assessment, markup.language).lines
    if not lines:
        return f"<p>{markup.say('no_evidence')}</p>"
    weighing = [line for line in lines if line.weight is not None]
    return (
        (_weighing(markup, assessment, weighing) if weighing else f"<p>{markup.say('nothing_weighs')}</p>")
        + limits.figures(markup, lines)
        + _without_weight(markup, [line for line in lines if line.weight is None])
    )


def _weighing(markup: Markup, assessment: Assessment, lines: list[Line]) -> str:
    notes = Notes(markup)
    largest = max(abs(line.weight) for line in lines)
    heads = [markup.say(f"head_{head}") for head in ("measure", "value", "cut_off", "ratio", "weight", "source")]
    heads[5] = f'<span class="source">{heads[5]}</span>'
    heads[4] += (
        f'<span class="sides"><span>&larr;&nbsp;{markup.say("side_treatment")}</span> &nbsp; '
        f"<span>{markup.say('side_progression')}&nbsp;&rarr;</span></span>"
    )
    rows = [
        _row(
            markup,
            line,
            notes,
            f'<span class="weight">{figures.weight_bar(line.weight, largest)}'
            f"{escape(line.weight_words).replace(' ', '&nbsp;')}{notes.marks(line.evidence.reasons)}</span>",
        )
        for line in lines
    ]
    return table(heads, rows, _foot(markup, assessment)) + notes.text()


def _without_weight(markup: Markup, lines: list[Line]) -> str:
    if not lines:
        return ""
    notes = Notes(markup)
    heads = [markup.say(f"head_{head}") for head in ("measure", "value", "cut_off", "ratio", "weight", "source")]
    del heads[3]
    rows = [_row(markup, line, notes, _refused(markup, line, notes), ratio=False) for line in lines]
    heading = f"<summary><h4>{markup.say('without_weight')} ({len(lines)})</h4></summary>"
    return f'<details class="{FOLD}">{heading}{table(heads, rows)}{notes.text()}</details>'


def _refused(markup: Markup, line: Line, notes: Notes) -> str:
    return f'<span class="absent">{markup.say("not_used")}</span>{notes.marks(line.evidence.reasons)}'


def _row(markup: Markup, line: Line, notes: Notes, weight: str, ratio: bool = True) -> str:
    head = f"{escape(line.measure)}<small>{escape(line.where)}</small>"
    speaks = (
        f"<small>{markup.say('speaks_for_progression')}</small>" if line.evidence.criterion.cut_off is not None else ""
    )
    cells = [
        value_cell(markup, cleaned(line.evidence.measurement), notes),
        escape(line.cut_off).replace("\u00a0", "&nbsp;") + speaks,
        line.ratio,
        weight,
        f"{escape(line.source)}<small>{escape(line.accuracy)}</small>",
    ]
    return row(head, cells if ratio else [cells[0], cells[1], *cells[3:]])


def _foot(markup: Markup, assessment: Assessment) -> str:
    """Where the sum starts, what the evidence adds, where it ends."""
    before = assessment.prior[0]
    total = net_weight(assessment)
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
