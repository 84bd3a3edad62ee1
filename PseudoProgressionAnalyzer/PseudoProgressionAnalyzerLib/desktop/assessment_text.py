"""The assessment's words as rich text that Qt draws (HTML 4); what they say stands in ``report.statement``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..measures import Assessment, Message
from ..report import words
from ..report.figures import BAND
from ..report.framing import EFFECT, PROGRESSION, heading
from ..report.statement import Statement, Test

GROUND, LINE = "#e4e7eb", "#1c2129"


def conclusion_text(assessment: Assessment, said: Statement) -> str:
    """Conclusion, why, limits, probability as a bar and as natural frequencies."""
    parts = [f"<h3>{escape(said.conclusion)}</h3>"]
    if assessment.probability is not None:
        parts += [_bar(assessment.probability), f"<p>{escape(said.frequency)}</p>"]
    if said.cautions:
        parts.append(f"<p><b>{_say('cautions')}:</b> {escape(' '.join(said.cautions))}</p>")
    parts += [f"<p>{escape(' '.join((*said.why, said.limits)))}</p>", *_sides(said)]
    if said.frame:
        told = escape(" ".join((*said.frame, *said.reading)))
        parts.append(f"<p><b>{_say(heading(assessment))}.</b> {told}</p>")
    return "".join(parts)


def _sides(said: Statement) -> list[str]:
    """What weighs on either side, and what lies on the other side without weight."""
    parts = []
    if any(said.sides.values()):
        for side in (EFFECT, PROGRESSION):
            items = escape("; ".join(said.sides[side])) or _say("nothing_for_side")
            parts.append(f"<b>{_say(f'side_for_{side}')}:</b> {items}.")
        parts = [f"<p>{'<br>'.join(parts)}</p>"]
    for side, items in said.opposed.items():
        if items:
            parts.append(f"<p><b>{_say(f'opposed_{side}')}:</b> {escape(' '.join(items))}</p>")
    return parts


def change_text(said: Statement) -> str:
    """What would be left without each item, what each missing test would tell, and when the question answers itself."""
    parts = [_list("leave_one_out", said.without)]
    telling = [test for test in said.tests if test.tells]
    silent = ", ".join(test.name for test in said.tests if not test.tells)
    if telling:
        names = ("test", "tells", "chance", "if_for", "if_against")
        heads = "".join(f'<td valign="bottom"><small>{_say(f"head_{head}")}</small></td>' for head in names)
        rows = "".join(_row(test, number) for number, test in enumerate(telling))
        parts.append(f'<h4>{_say("missing")}</h4><table cellpadding="3"><tr>{heads}</tr>{rows}</table>')
        parts.append(f"<p>{_say('tests_how')}</p>")
    if silent:
        parts.append(f"<p>{_say('tests_silent', tests=silent)}</p>")
    if said.not_stated:
        asked = escape(", ".join(said.not_stated))
        parts.append(f"<p>{_say('not_stated')} {asked}. {_say('unknown_is_not_no')}</p>")
    parts += [f"<p>{escape(' '.join(said.unknown))}</p>" if said.unknown else "", _list("dates", said.dates)]
    return "".join(parts)


def _row(test: Test, number: int) -> str:
    takes = "" if test.takes_away is None else f"{test.takes_away} %"
    chance = "" if test.chance is None else _say("of_hundred", count=test.chance)
    cells = "".join(
        f'<td align="right">{cell}</td>' for cell in (takes, chance, f"{test.if_for} %", f"{test.if_against} %")
    )
    return f"<tr><td>{escape(test.name)}{_remark(number, test.done)}</td>{cells}</tr>"


def list_text(sentences: Sequence[str]) -> str:
    """Sentences as a list."""
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences if sentence)}</ul>"


def outcome_text(messages: Sequence[Message]) -> str:
    """What came later."""
    sentences = [words.sentence(message) for message in messages]
    if not sentences:
        return f"<p>{_say('outcome_none')}</p>"
    return f"<p>{_say('outcome_how')}</p>{list_text(sentences)}"


def _bar(probability: tuple[float, float, float]) -> str:
    """Probability from 0 to 100 %: band for the interval, dark line for the median, sides in words of the style's own
    colour, which is light or dark."""
    median, low, high = (round(100 * share) for share in probability)
    widths = ((low, GROUND), (median - low, BAND), (1, LINE), (high - median, BAND), (100 - high, GROUND))
    cells = "".join(f'<td width="{width}%" bgcolor="{colour}">&nbsp;</td>' for width, colour in widths if width > 0)
    sides = (
        f'<td align="left">&larr; {_say("treatment_effect")}</td>'
        f'<td align="center"><b>{_say("percent_interval", median=median, low=low, high=high)}</b></td>'
        f'<td align="right">{_say("true_progression")} &rarr;</td>'
    )
    return (
        f'<table width="100%" cellspacing="0" cellpadding="0"><tr>{sides}</tr></table>'
        f'<table width="100%" cellspacing="0" cellpadding="0"><tr>{cells}</tr></table>'
    )


def _remark(number: int, done: bool) -> str:
    remarks = [_say("tells_most")] if number == 0 else []
    remarks += [_say("done_without_weight")] if done else []
    return f" <i>({'; '.join(remarks)})</i>" if remarks else ""


def _list(code: str, sentences: Sequence[str]) -> str:
    return f"<h4>{_say(code)}</h4>{list_text(sentences)}" if sentences else ""


def _say(code: str, **parameters: object) -> str:
    return escape(words.say(f"report_{code}", **parameters))
