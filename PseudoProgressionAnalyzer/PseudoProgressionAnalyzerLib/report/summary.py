"""The first thing on the page: what is concluded as of the chosen visit, how sure, what limits it, what is missing."""

from __future__ import annotations

from html import escape

from ..analysis import Analysis
from ..measures import Assessment
from . import figures
from .markup import Markup, row, table
from .statement import Statement, Test, statement


def summary(markup: Markup, chosen: Assessment | None) -> str:
    """The section of the chosen visit."""
    if chosen is None:
        return f'<section class="summary"><p class="conclusion">{markup.say("no_assessment")}</p></section>'
    said = statement(chosen, markup.language)
    parts = [
        f"<h2>{markup.say('as_of', visit=markup.visit(chosen.as_of))}</h2>",
        f'<p class="conclusion">{escape(said.conclusion)}</p>',
        f"<p>{escape(' '.join(said.why))}</p>" if said.why else "",
        f"<p>{escape(said.limits)}</p>",
        _probability(markup, chosen, said),
        missing(markup, said),
        _list(markup, "dates", said.dates),
    ]
    return f'<section class="summary">\n{"".join(parts)}\n</section>'


def other_visits(markup: Markup, analysis: Analysis, chosen: Assessment | None) -> str:
    """The conclusions as of the other visits."""
    others = [assessment for assessment in reversed(analysis.assessments) if assessment is not chosen]
    if not others:
        return ""
    said = "".join(_other(markup, assessment) for assessment in others)
    heading = "earlier" if chosen is analysis.assessments[-1] else "other_visits"
    return f"<section>\n<h2>{markup.say(heading)}</h2>\n{said}\n</section>"


def missing(markup: Markup, said: Statement) -> str:
    """Missing tests as a table with what each would tell, and what was asked for and not stated."""
    if not (said.tests or said.not_stated or said.unknown):
        return ""
    parts = [f"<h3>{markup.say('missing')}</h3>"]
    telling = [test for test in said.tests if test.tells]
    silent = ", ".join(test.name for test in said.tests if not test.tells)
    if telling:
        heads = [markup.say(f"head_{head}") for head in ("test", "if_for", "if_against")]
        parts.append(table(heads, [_test(markup, test, number == 0) for number, test in enumerate(telling)]))
    if silent:
        parts.append(f"<p>{markup.say('tests_silent', tests=silent)}</p>")
    if said.not_stated:
        asked = escape(", ".join(said.not_stated))
        parts.append(f"<p>{markup.say('not_stated')} {asked}. {markup.say('unknown_is_not_no')}</p>")
    if said.unknown:
        parts.append(f"<p>{escape(' '.join(said.unknown))}</p>")
    return "".join(parts)


def _test(markup: Markup, test: Test, best: bool) -> str:
    remarks = [markup.say("tells_most")] if best else []
    remarks += [markup.say("done_without_weight")] if test.done else []
    small = f"<small>{'; '.join(remarks)}</small>" if remarks else ""
    return row(escape(test.name) + small, [f"{test.if_for}&nbsp;%", f"{test.if_against}&nbsp;%"])


def _probability(markup: Markup, assessment: Assessment, said: Statement) -> str:
    if assessment.probability is None:
        return ""
    bar = figures.probability_bar(assessment.probability, assessment.prior, markup.language)
    return (
        f'<figure class="probability">{bar}<figcaption>{markup.say("probability_caption")}</figcaption></figure>'
        f'<div class="frequency">{figures.hundred_patients(assessment.probability[0], markup.language)}'
        f"<p>{escape(said.frequency)}</p></div>"
    )


def _other(markup: Markup, assessment: Assessment) -> str:
    said = statement(assessment, markup.language)
    sentences = escape(" ".join((said.conclusion, *said.why, said.limits)))
    return f"<h3>{markup.say('as_of', visit=markup.visit(assessment.as_of))}</h3><p>{sentences}</p>"


def _list(markup: Markup, code: str, sentences: tuple[str, ...]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h3>{markup.say(code)}</h3><ul>{items}</ul>" if items else ""
