"""Page one: the question, what is concluded as of the chosen visit and how the number came about, key numbers,
pictures, what speaks for and against, what is missing, and by what method."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from ..analysis import Analysis
from ..assessment.as_of import known_by
from ..assessment.lesions import assessed_lesion, chosen_rows
from ..measures import Assessment, Measurement
from . import figures, words
from .framing import EFFECT, PROGRESSION, heading
from .markup import FOLD, Markup, Notes, beside, row, table
from .measurement_tables import value_cell
from .statement import Statement, Test, statement

KEY = ("volume", "longest_diameter", "rCBV_ratio_mean", "CBF_ratio_mean", "Cho_NAA_molar", "ADC_mean", "APTw_mean")
"""Measures among the key numbers beside those that weigh."""
SHORT = 3  # tests that stand open


def summary(markup: Markup, chosen: Assessment | None, analysis: Analysis, strip: bytes | None = None) -> str:
    """The section of the chosen visit. strip: PNG of ``timeline_png.sheet``."""
    if chosen is None:
        return f'<section class="summary"><p class="conclusion">{markup.say("no_assessment")}</p></section>'
    said = statement(chosen, markup.language)
    parts = [
        f"<h2>{markup.say('as_of', visit=markup.visit(chosen.as_of))}</h2>",
        f'<p class="note">{markup.say("question")}</p>',
        f'<p class="conclusion"><b>{escape(said.conclusion)}</b></p>',
        f"<p>{escape(' '.join(said.why))}</p>" if said.why else "",
        _probability(markup, chosen, said),
        _cautions(markup, said),
        f"<p>{escape(said.limits)}</p>",
        beside(_key_numbers(markup, chosen, analysis), _pictures(markup, strip)),
        _sides(markup, said),
        f'<p class="frame"><b>{markup.say(heading(chosen))}.</b> {escape(" ".join(said.frame))}</p>',
        _opposed(markup, said),
        _missing_in_short(markup, said),
        f"<p>{escape(' '.join(said.dates))}</p>" if said.dates else "",
        f'<p class="note">{markup.say("method_line")}</p>',
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
    return f"<h3>{markup.say('missing')}</h3>{_tests(markup, said)}{_not_stated(markup, said)}"


def _missing_in_short(markup: Markup, said: Statement) -> str:
    """The tests that would tell most; the others are folded away."""
    if not (said.tests or said.not_stated or said.unknown):
        return ""
    heading = f"<summary>{markup.say('all_tests')} ({len(said.tests)})</summary>"
    tests = _table(markup, [test for test in said.tests if test.tells][:SHORT])
    if said.tests:
        tests += f'<details class="{FOLD}">{heading}{_tests(markup, said)}</details>'
    return f"<h3>{markup.say('missing')}</h3>{_not_stated(markup, said)}{tests}"


def _tests(markup: Markup, said: Statement) -> str:
    """All tests, in the order of what they would be expected to tell, and those that would tell nothing."""
    telling = [test for test in said.tests if test.tells]
    silent = ", ".join(test.name for test in said.tests if not test.tells)
    how = f'<p class="note">{markup.say("tests_how")}</p>' if telling else ""
    last = f"<p>{markup.say('tests_silent', tests=silent)}</p>" if silent else ""
    return _table(markup, telling) + how + last


def _table(markup: Markup, tests: list[Test]) -> str:
    heads = [markup.say(f"head_{head}") for head in ("test", "tells", "chance", "if_for", "if_against")]
    return table(heads, [_test(markup, test, number == 0) for number, test in enumerate(tests)]) if tests else ""


def _not_stated(markup: Markup, said: Statement) -> str:
    parts = []
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
    chance = "" if test.chance is None else markup.say("of_hundred", count=test.chance)
    takes = "" if test.takes_away is None else f"{test.takes_away}&nbsp;%"
    return row(escape(test.name) + small, [takes, chance, f"{test.if_for}&nbsp;%", f"{test.if_against}&nbsp;%"])


def _probability(markup: Markup, assessment: Assessment, said: Statement) -> str:
    if assessment.probability is None:
        return ""
    bar = figures.probability_bar(assessment.probability, assessment.prior, markup.language)
    return beside(
        f'<figure class="probability">{bar}<figcaption>{markup.say("probability_caption")}</figcaption></figure>',
        f'<div class="frequency">{figures.hundred_patients(assessment.probability[0], markup.language)}'
        f"<p>{escape(said.frequency)}</p></div>",
    )


def _cautions(markup: Markup, said: Statement) -> str:
    """What must stand beside the number."""
    return (
        f'<p class="cautions"><b>{markup.say("cautions")}:</b> {escape(" ".join(said.cautions))}</p>'
        if said.cautions
        else ""
    )


def _sides(markup: Markup, said: Statement) -> str:
    """What weighs on either side."""
    if not any(said.sides.values()):
        return ""
    said_of = (
        f"<p><b>{markup.say(f'side_for_{side}')}:</b> "
        f"{escape('; '.join(said.sides[side])) or markup.say('nothing_for_side')}.</p>"
        for side in (EFFECT, PROGRESSION)
    )
    return f"<h3>{markup.say('in_brief')}</h3>{''.join(said_of)}"


def _opposed(markup: Markup, said: Statement) -> str:
    return "".join(
        _list(markup, f"opposed_{side}", said.opposed[side]) for side in (PROGRESSION, EFFECT) if side in said.opposed
    )


def _key_numbers(markup: Markup, chosen: Assessment, analysis: Analysis) -> str:
    """Size and what weighs in the assessed lesion, with the change since the visit before."""
    here = known_by(markup.patient, chosen.as_of, analysis.measurements).rows
    lesion, _ = assessed_lesion(markup.patient, chosen.as_of, here)
    values = {found.name: found for found in chosen_rows(markup.patient, here, lesion) if found.value is not None}
    weighing = (item.measurement.name for item in chosen.evidence if item.used and round(item.weight, 1))
    names = [name for name in dict.fromkeys((*KEY, *weighing)) if name in values]
    if not names:
        return ""
    changes = {name: _change_of(markup, here, values[name]) for name in names}
    since = {change.compared_to for change in changes.values() if change}
    one = words.date_words(markup.patient.visit(*since), markup.language) if len(since) == 1 else ""
    notes = Notes(markup)
    rows = [
        row(
            markup.label("measure", name) + _carried(markup, values[name]),
            [value_cell(markup, values[name], notes), _change(markup, changes[name], bool(one), notes)],
        )
        for name in names
    ]
    change = markup.say("head_change_since", visit=one) if one else markup.say("head_change")
    heads = [markup.say("head_measure"), markup.say("head_value"), change]
    return f"<div><h3>{markup.say('key_numbers')}</h3>{table(heads, rows)}{notes.text()}</div>"


def _carried(markup: Markup, value: Measurement) -> str:
    """Where a value comes from that is not of the visit's own lesion."""
    if value.kind == "own":
        return ""
    return f"<small>{markup.say('carried_from', region=value.region, visit=markup.visit(value.drawn_in))}</small>"


def _change_of(markup: Markup, rows: Sequence[Measurement], value: Measurement) -> Measurement | None:
    """The change of a value in the same region, since the latest visit that it is compared with: in per cent where
    that is known, refused (without a value) where no change is, None where nothing is compared."""
    names = (f"{value.name}_percent", value.name)
    where = (value.region, value.kind, value.drawn_in)
    found = [row for row in rows if row.compared_to and row.name in names]
    found = [row for row in found if (row.region, row.kind, row.drawn_in) == where]
    order = [visit.id for visit in sorted(markup.patient.visits, key=lambda visit: str(visit.date or ""))]
    found.sort(key=lambda row: (row.value is None, -order.index(row.compared_to), names.index(row.name)))
    return found[0] if found else None


def _change(markup: Markup, change: Measurement | None, since_in_head: bool, notes: Notes) -> str:
    if change is None:
        return f'<span class="absent">{markup.say("no_change_known")}</span>'
    if bound := words.bound(change):
        said = escape(bound) + notes.marks(change.flags)
    elif change.value is None:
        said = f'<span class="absent">{markup.say("not_compared")}</span>{notes.marks(change.flags)}'
    else:
        shown = words.quantity(change.value, change.low, change.high, change.unit, sign=True)
        said = escape(shown) + notes.marks(change.flags)
    visit = words.date_words(markup.patient.visit(change.compared_to), markup.language)
    return said if since_in_head else f"{said}<small>{markup.say('since', visit=visit)}</small>"


def _pictures(markup: Markup, strip: bytes | None) -> str:
    if strip is None:
        return ""
    data = base64.b64encode(strip).decode("ascii")
    alt = markup.say("strip_alt")
    caption = f"<figcaption>{markup.say('strip_caption')}</figcaption>"
    return f'<figure class="strip"><img src="data:image/png;base64,{data}" alt="{alt}">{caption}</figure>'


def _other(markup: Markup, assessment: Assessment) -> str:
    said = statement(assessment, markup.language)
    sentences = escape(" ".join((said.conclusion, *said.why, said.limits)))
    return f"<h3>{markup.say('as_of', visit=markup.visit(assessment.as_of))}</h3><p>{sentences}</p>"


def _list(markup: Markup, code: str, sentences: tuple[str, ...]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h3>{markup.say(code)}</h3><ul>{items}</ul>" if items else ""
