"""The report's section on lesions and response: the lesions with their identities, and every criterion's categories.

A category opens in place to its reasons (``details``); no script is needed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from ..analysis import Analysis
from ..analysis.aligning import failed_alignments, unchecked_alignments
from ..analysis.responding import course
from ..lesion.diameters import RULES
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion
from ..measures import Message
from ..response import CRITERIA, Lesion, Option, Response, Verdict
from ..response.measurability import measurable_2010, measurable_rano_2
from . import lesion_pictures, words
from .impression import heading_of_later, impression, references, tree_impression, with_other_baselines
from .markup import Markup, row, table
from .therapy_figure import applies, short, therapy_figure

FRACTIONS = ("necrotic_fraction", "contrast_uptake_fraction", "high_dose_fraction")
TREE = "BT_RADS"


def response_section(markup: Markup, analysis: Analysis) -> str:
    """The whole section; empty where no lesion was followed."""
    if not analysis.lesions:
        return ""
    figure = therapy_figure(analysis, markup.language)
    if figure:
        figure = f"<figure>{figure}<figcaption>{markup.say('therapy_caption')}</figcaption></figure>"
    return (
        f"<section>\n<h2>{markup.say('response')}</h2>\n{_doubted(markup, analysis)}{figure}"
        f"<h3>{markup.say('lesions')}</h3>{lesion_table(markup, analysis)}{_parts(markup, analysis)}"
        f"{_pictures(markup, analysis)}"
        f"<h3>{markup.say('by_criterion')}</h3>{in_short(markup, analysis)}"
        f"<p>{markup.say('response_how')}</p>{response_table(markup, analysis)}"
        f"{_asked(markup, analysis)}\n</section>"
    )


def _doubted(markup: Markup, analysis: Analysis) -> str:
    """Visits that may not be comparable."""
    visits = [visit.id for visit in analysis.patient.visits]
    said = [*failed_alignments(analysis, visits), *unchecked_alignments(analysis, visits, "identity")]
    return markup.bullets(said) if said else ""


def _pictures(markup: Markup, analysis: Analysis) -> str:
    """The measured slices, inside the page."""
    data = lesion_pictures.picture(analysis, markup.language)
    if data is None:
        return ""
    source = base64.b64encode(data).decode("ascii")
    image = f'<img src="data:image/png;base64,{source}" alt="{markup.say("lines_alt")}">'
    return f"<figure>{image}<figcaption>{markup.say('lines_caption')}</figcaption></figure>"


def lesion_table(markup: Markup, analysis: Analysis) -> str:
    """A row for each lesion at each visit, by identity."""
    inputs = {(visit.visit, lesion.name): lesion for visit in course(analysis).visits for lesion in visit.lesions}
    rows = []
    for name in dict.fromkeys(lesion.lesion for lesion in analysis.lesions):
        for number, lesion in enumerate(found for found in analysis.lesions if found.lesion == name):
            head = escape(name) if number == 0 else f'<span class="again">{escape(name)}</span>'
            rows.append(row(head, _lesion_cells(markup, lesion, inputs.get((lesion.visit, name)))))
    heads = ("lesion", "date", "what", "volume", "rate", "diameters", "measurable", "shape", "beside")
    return table([markup.say(f"head_{head}") for head in heads], rows)


def in_short(markup: Markup, analysis: Analysis) -> str:
    """A line for each criterion at the last visit that has any: category, size, what is not known."""
    for visit in reversed(analysis.patient.visits):
        found = [
            (name, impression(analysis, response, markup.language))
            for name in CRITERIA
            if applies(analysis, name) and (response := analysis.response.of(visit.id, name)) is not None
        ]
        tree = analysis.response.bt_rads_of(visit.id)
        if tree is not None:
            found.append((TREE, tree_impression(tree, markup.language)))
        if found:
            said = [f"<li><b>{markup.label('criterion', name)}</b>: {escape(line)}</li>" for name, line in found]
            date = words.date_words(visit, markup.language)
            return f"<p>{markup.say('in_short', visit=date)}</p><ul>{''.join(said)}</ul>"
    return ""


def response_table(markup: Markup, analysis: Analysis) -> str:
    """A row for each visit, a column for each criterion; every category opens to its reasons."""
    shown = [name for name in CRITERIA if applies(analysis, name)]
    rows = []
    for visit in analysis.patient.visits:
        cells = [_criterion_cell(markup, analysis, analysis.response.of(visit.id, name)) for name in shown]
        tree = analysis.response.bt_rads_of(visit.id)
        cells.append("" if tree is None else _details(markup, _now_and_later(markup, tree), _verdict(markup, tree)))
        rows.append(row(markup.date(visit), cells))
    heads = [markup.say("head_date"), *(markup.label("criterion", name) for name in (*shown, TREE))]
    return f'<div class="responses">{table(heads, rows)}</div>'


def _lesion_cells(markup: Markup, lesion: FollowedLesion, as_input: Lesion | None) -> list[str]:
    tracked, outline = lesion.tracked, lesion.outline
    visit = markup.date(markup.patient.visit(lesion.visit))
    happened = [markup.say(f"happened_{event}") for event in tracked.events]
    if tracked.growth is not None:
        happened.append(markup.say(f"happened_{tracked.growth}"))
    if tracked.relatives and {"merged", "split"} & set(tracked.events):
        happened.append(markup.say("with", lesions=", ".join(tracked.relatives)))
    what = ", ".join(happened)
    if tracked.change is not None and tracked.change.value is not None:
        what += f"<small>{_quantity(tracked.change, sign=True)}</small>"
    cells = [visit, what, _quantity(tracked.volume), _rate(markup, lesion)]
    if outline is None or as_input is None:
        return [*cells, "", "", "", ""]
    reader, product = (outline.lines[rule] for rule in RULES)
    shown = f"{reader.longest:.1f} x {reader.perpendicular:.1f} mm ({reader.product:.0f} mm\u00b2)"
    other = markup.say("product_rule", longest=f"{product.longest:.1f}", perpendicular=f"{product.perpendicular:.1f}")
    drawn = f"<small>{markup.say('by_reader')}</small>" if lesion.by_reader else ""
    sphere = f"{outline.shape.sphericity:.2f} ({outline.sphere.sphericity:.2f})"
    return [
        *cells,
        f"{shown}<small>{other}</small>{drawn}",
        _measurable(markup, as_input),
        sphere,
        _beside(markup, lesion),
    ]


def _rate(markup: Markup, lesion: FollowedLesion) -> str:
    if lesion.change_per_month is None or lesion.change_per_month.value is None:
        return ""
    since = words.date_words(markup.patient.visit(lesion.since), markup.language)
    shown = markup.say("per_month", change=_plain(lesion.change_per_month, sign=True), visit=since)
    doubling = lesion.doubling_time
    if doubling is None or doubling.value is None:
        return shown
    bounds = [None if bound is None else f"{bound:.0f}" for bound in (doubling.low, doubling.high)]
    interval = f" ({bounds[0]} to {bounds[1]})" if None not in bounds else ""
    return f"{shown}<small>{markup.say('doubling', days=f'{doubling.value:.0f}', interval=interval)}</small>"


def _measurable(markup: Markup, lesion: Lesion) -> str:
    by = {"RANO 2010": measurable_2010(lesion, "area"), "RANO 2.0": measurable_rano_2(lesion, "area")}
    named = [name for name, sure in by.items() if sure]
    return escape(", ".join(named)) if named else markup.say("not_measurable_short")


def _beside(markup: Markup, lesion: FollowedLesion) -> str:
    found = []
    for name, value in lesion.outline.beside.items():
        shown = {"percent": f"{100 * value:.0f}"} if name in FRACTIONS else {"value": f"{value:.0f}"}
        found.append(markup.say(f"beside_{name}", **shown))
    return "<br>".join(found)


def _parts(markup: Markup, analysis: Analysis) -> str:
    """Volumes of enhancement, necrosis, oedema and cavity, where more than enhancement was drawn."""
    names = list(dict.fromkeys(name for parts in analysis.parts.values() for name in parts))
    if set(names) <= {"enhancement"}:
        return ""
    rows = [
        row(markup.date(visit), [_quantity(parts[name]) if name in parts else "" for name in names])
        for visit in analysis.patient.visits
        if (parts := analysis.parts.get(visit.id))
    ]
    heads = [markup.say("head_date"), *(markup.label("part", name) for name in names)]
    return f"<h3>{markup.say('parts')}</h3>{table(heads, rows)}"


def _criterion_cell(markup: Markup, analysis: Analysis, response: Response | None) -> str:
    if response is None:
        return ""
    area, volume = (_now_and_later(markup, verdict) for verdict in (response.area, response.volume))
    head = area if area == volume else f"{area}<br>{volume}"
    if area != volume:
        head = f"{markup.say('by_area')}: {area}<br>{markup.say('by_volume')}: {volume}"
    if _same_words(response.area, response.volume):
        sizes = "".join(
            f"<p>{markup.say(f'by_{verdict.measure}')}: {found}.</p>"
            for verdict in (response.area, response.volume)
            if (found := _references(markup, verdict))
        )
        body = sizes + _words(markup, response.area)
    else:
        body = "".join(
            f"<h4>{markup.say(f'by_{verdict.measure}')}</h4>{_verdict(markup, verdict)}"
            for verdict in (response.area, response.volume)
        )
    short_of = f"<p><b>{escape(impression(analysis, response, markup.language))}</b></p>"
    return _details(markup, head, short_of + body + _what_if(markup, analysis, response))


def _same_words(area: Verdict, volume: Verdict) -> bool:
    """Whether all that is said of both measures is the same but the sizes."""
    names = ("provisional", "final", "unknowns", "depends_on", "notes")
    return all(getattr(area, name) == getattr(volume, name) for name in names)


def _details(markup: Markup, head: str, body: str) -> str:
    return f"<details><summary>{head}</summary>{body}</details>"


def _now_and_later(markup: Markup, verdict: Verdict) -> str:
    """The category in few words; where later scans made another of it, that one too."""
    now, later = (short(verdict, final, markup.language) for final in (False, True))
    shown = escape(now)
    return shown if now == later else f"{shown} &rarr; {escape(later)}"


def _verdict(markup: Markup, verdict: Verdict) -> str:
    """Everything that is said of a verdict."""
    sizes = _references(markup, verdict)
    return (f"<p>{sizes}.</p>" if sizes else "") + _words(markup, verdict)


def _references(markup: Markup, verdict: Verdict) -> str:
    """The visits that it is compared with, and the changes since; empty where there are none."""
    if not verdict.baseline:
        return ""
    shown = [escape(references(markup.patient, verdict, markup.language))]
    name = words.say(f"report_{verdict.nadir_name}", markup.language)
    for since in ("from_baseline", "from_nadir"):
        for change in (getattr(verdict, since) or {}).values():
            if change.value is not None:
                shown.append(markup.say(since, change=_plain(change, sign=True), name=name))
    return "; ".join(shown)


def _words(markup: Markup, verdict: Verdict) -> str:
    """Categories with their reasons, what is unknown or disputed, and what else must be said; each sentence once."""
    parts = [_options(markup, "then", verdict.provisional)]
    later = {option.category for option in verdict.final}
    if later != {option.category for option in verdict.provisional}:
        parts.append(_options(markup, heading_of_later(markup.patient, verdict.visit), verdict.final))
    said = [reason for option in (*verdict.provisional, *verdict.final) for reason in option.reasons]
    notes = [note for note in verdict.notes if note not in said]
    for code, messages in (("unknown", verdict.unknowns), ("depends", verdict.depends_on), ("notes", notes)):
        if messages:
            parts.append(f"<p><b>{markup.say(code)}</b></p>{markup.bullets(_once(messages))}")
    return "".join(parts)


def _options(markup: Markup, code: str, options: Sequence[Option]) -> str:
    """Categories with their reasons; several are what is still possible."""
    head = markup.say(code) if len(options) == 1 else f"{markup.say(code)}: {markup.say('possible').lower()}"
    items = []
    for option in options:
        reasons = " ".join(markup.sentence(reason) for reason in option.reasons)
        items.append(f"<li><b>{markup.label('category', option.category)}</b> {reasons}</li>")
    return f"<p><b>{head}</b></p><ul>{''.join(items)}</ul>"


def _what_if(markup: Markup, analysis: Analysis, response: Response) -> str:
    """The categories with every other baseline, where they differ from what stands."""
    found = [escape(one) for one in with_other_baselines(analysis, response, markup.language)]
    if not found:
        return ""
    return f"<h4>{markup.say('other_baselines')}</h4><ul>{''.join(f'<li>{entry}</li>' for entry in found)}</ul>"


def _asked(markup: Markup, analysis: Analysis) -> str:
    """What would decide more, once for all criteria and visits."""
    verdicts: list[Verdict] = [*analysis.response.bt_rads]
    for response in analysis.response.responses:
        verdicts += [response.area, response.volume]
    messages = list(_once(message for verdict in verdicts for message in verdict.unknowns))
    if not messages:
        return ""
    return f"<details><summary>{markup.say('asked')} ({len(messages)})</summary>{markup.bullets(messages)}</details>"


def _once(messages: Iterable[Message]) -> list[Message]:
    found: list[Message] = []
    for message in messages:
        if message not in found:
            found.append(message)
    return found


def _quantity(estimate: Estimate, sign: bool = False) -> str:
    return escape(_plain(estimate, sign))


def _plain(estimate: Estimate, sign: bool = False) -> str:
    if estimate.value is None:
        return "-"
    return words.quantity(estimate.value, estimate.low, estimate.high, estimate.unit, sign=sign)
