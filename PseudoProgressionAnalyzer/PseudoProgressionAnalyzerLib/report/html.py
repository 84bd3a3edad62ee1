"""``report.html``: one self-contained page that a radiologist would hand on.

No script, no link to anywhere, pictures inside. The patient's id is not on it: only the title that the caller gives.
What a reader of the conclusion needs stands open, first a summary; details are folded, and are printed where they were
unfolded; methods and what an assessment started from always.
"""

from __future__ import annotations

import base64
import dataclasses
import platform
from html import escape
from importlib import metadata, resources

from .. import __version__
from ..analysis import Analysis
from ..analysis.aligning import is_users
from ..analysis.known import latest_assessed
from ..assessment.assess import RARELY_IMPORTANT, SURE_ENOUGH
from ..assessment.combination import DRAWS, VALUES_BETWEEN_GROUPS, VALUES_WITHIN_GROUP
from ..assessment.evidence import STRONGEST
from ..measures import DISCLAIMER, Assessment, Message, Visit, first_course, goes_on
from . import figures, timeline_png, words
from .framing import reading
from .ledger import ledger
from .markup import FOLD, PRINTED, Markup, row, table
from .measurement_tables import measurement_tables
from .motion_figure import motion_parts
from .perfusion import perfusion_parts
from .response_html import response_section
from .spectra import spectra_parts
from .statement import statement
from .summary import missing, other_visits, summary

MAIN_MEASURES = (
    "volume", "rCBV_ratio_mean", "CBF_ratio_mean", "Cho_NAA_molar", "Cho_NAA_area", "ADC_mean", "APTw_mean",
)  # fmt: skip
PACKAGES = ("numpy", "scipy", "SimpleITK", "vtk")


def page(
    analysis: Analysis,
    timeline: bytes | None,
    title: str | None = None,
    language: str = "english",
    as_of: str = "",
    not_used: int = 0,
    strip: bytes | None = None,
) -> str:
    """The page as text. timeline: the PNG of ``timeline_png``, None where nothing could be aligned. as_of: the visit
    whose assessment it opens with, the latest unless said. not_used: how many visits there are beside those of the
    analysis, which the page then says. strip: the PNG of ``timeline_png.sheet`` for the first page."""
    cleaned = [words.cleaned(measurement) for measurement in analysis.measurements]
    analysis = dataclasses.replace(analysis, measurements=cleaned)
    markup = Markup(analysis.patient, language)
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    disclaimer = f'<p class="disclaimer">{escape(DISCLAIMER)}</p>'
    assessed = {found.as_of: found for found in analysis.assessments}
    chosen = assessed.get(as_of) or assessed.get(latest_assessed(analysis))
    details = (
        _other_visits(markup, analysis, chosen),
        _perfusion(markup, analysis),
        _spectroscopy(markup, analysis),
        _visits(markup, analysis),
        _measurements(markup, analysis),
        _motion(markup, analysis),
    )
    sections = (
        summary(markup, chosen, analysis, strip),
        _timeline(markup, analysis, timeline),
        _evidence(markup, chosen),
        other_visits(markup, analysis, chosen),
        _course(markup, analysis),
        response_section(markup, analysis),
        _outcome(markup, analysis),
        f'<p class="note screen">{markup.say("details_folded")}</p>',
        *map(folded, details),
        folded(_methods(markup, analysis), PRINTED),
    )
    main = "\n".join(section for section in sections if section)
    heading = f"{_patient_line(markup, title)}\n{_not_used(markup, not_used)}"
    return (
        f"<!DOCTYPE html>\n<!-- {DISCLAIMER} -->\n"
        f'<html lang="{markup.say("language_code")}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{markup.say('title')}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{markup.say('title')}</h1>\n{heading}{disclaimer}\n</header>\n"
        f"<main>\n{main}\n</main>\n<footer>\n{disclaimer}\n</footer>\n</body>\n</html>\n"
    )


def _patient_line(markup: Markup, title: str | None) -> str:
    dated = [visit.date.isoformat() for visit in markup.patient.visits if visit.date]
    count = len(markup.patient.visits)
    if dated and len(dated) < count:
        dated.append(words.say("report_visits_undated", markup.language, count=count - len(dated)))
    end, first = markup.patient.radiotherapy_end, first_course(markup.patient.events)
    stated = any(event.kind == "radiotherapy" for event in markup.patient.events)
    unended = "radiotherapy_goes_on" if first and goes_on(first) else "radiotherapy_unknown"
    parts = (
        escape(title) if title else markup.say("anonymous"),
        markup.say(f"visits_line_{'one' if count == 1 else 'many'}", count=count, dates=", ".join(dated) or "-"),
        markup.say("radiotherapy_end", date=end.isoformat())
        if end
        else markup.say(unended if stated else "radiotherapy_none"),
    )
    return f'<p class="patient">{" &middot; ".join(parts)}</p>'


def _not_used(markup: Markup, count: int) -> str:
    """That there are visits which were not known yet."""
    said = escape(words.not_used(markup.patient, count, markup.language))
    return f'<p class="patient"><b>{said}</b></p>\n' if said else ""


def _section(markup: Markup, head: str, *parts: str) -> str:
    return f"<section>\n<h2>{markup.say(head)}</h2>\n{''.join(parts)}\n</section>"


def folded(section: str, kind: str = FOLD) -> str:
    """A section whose heading opens it. kind: ``FOLD`` or ``PRINTED``."""
    opened = section.replace("<section>\n<h2>", f'<details class="{kind}">\n<summary><h2>', 1)
    return opened.replace("</h2>", "</h2></summary>", 1).replace("</section>", "</details>") if section else ""


def _timeline(markup: Markup, analysis: Analysis, timeline: bytes | None) -> str:
    if timeline is None:
        return _section(markup, "images", f"<p>{markup.sentence(Message('report_nothing_aligned'))}</p>")
    data = base64.b64encode(timeline).decode("ascii")
    alt = escape(timeline_png.description(analysis, markup.language))
    picture = f'<img src="data:image/png;base64,{data}" alt="{alt}">'
    return _section(
        markup, "images", f"<figure>{picture}<figcaption>{markup.say('images_caption')}</figcaption></figure>"
    )


def _visits(markup: Markup, analysis: Analysis) -> str:
    rows = []
    for visit in markup.patient.visits:
        date = markup.date(visit)
        name = f"<small>{escape(visit.id)}</small>" if visit.date and visit.id != visit.date.isoformat() else ""
        day = words.day_words(markup.patient, visit, markup.language)
        remarks = [*visit.warnings, *analysis.messages.get(visit.id, [])]
        cells = (
            escape(day) or markup.say("day_unknown"),
            escape(", ".join(dict.fromkeys(series.role for series in visit.series))),
            _alignment(markup, analysis, visit),
            "<br>".join(dict.fromkeys(markup.sentence(message) for message in remarks)),
        )
        rows.append(row(date + name, cells))
    heads = [markup.say(f"head_{head}") for head in ("date", "day", "roles", "alignment", "remarks")]
    return _section(markup, "visits", table(heads, rows))


def _alignment(markup: Markup, analysis: Analysis, visit: Visit) -> str:
    if visit.id not in analysis.visit_to_reference:
        return markup.say("not_aligned")
    if visit.id == analysis.reference_visit:
        return markup.say("alignment_reference")
    trust = analysis.alignment.get(visit.id, {})
    uncertainty = trust.get("uncertainty")
    if is_users(analysis, visit.id):
        said = markup.say("alignment_of_user")
    elif uncertainty is None:
        said = markup.say("alignment_unknown")
    else:
        said = markup.say("alignment_uncertainty", millimetres="< 0.1" if uncertainty < 0.1 else f"{uncertainty:.1f}")
    edges = [trust.get(f"edge_distance_{when}") for when in ("before", "after")]
    if None in edges:
        return said
    before, after = (f"{distance:.1f}" for distance in edges)
    return f"{said}<br>{markup.say('alignment_edges', before=before, after=after)}"


def _course(markup: Markup, analysis: Analysis) -> str:
    evidence = (item for assessment in analysis.assessments for item in assessment.evidence if item.used)
    names = list(dict.fromkeys((*MAIN_MEASURES, *(item.measurement.name for item in evidence))))
    if any(row.name == "Cho_NAA_molar" and row.value is not None for row in analysis.measurements):
        names.remove("Cho_NAA_area")  # the same curve three times as high
    figure = figures.over_time(markup.patient, analysis.measurements, names, markup.language, analysis.choices.bands)
    if not figure:
        return ""
    undated = [markup.label("event", event.kind) for event in markup.patient.events if event.date is None]
    remark = f" {markup.say('events_undated')} {', '.join(undated)}." if undated else ""
    caption = f"<figcaption>{markup.say('course_caption')}{remark}</figcaption>"
    return _section(markup, "course", f"<figure>{figure}{caption}</figure>")


def _perfusion(markup: Markup, analysis: Analysis) -> str:
    parts = perfusion_parts(markup, analysis)
    return _section(markup, "perfusion", *parts) if parts else ""


def _spectroscopy(markup: Markup, analysis: Analysis) -> str:
    parts = spectra_parts(markup, analysis)
    return _section(markup, "spectra", *parts) if parts else ""


def _evidence(markup: Markup, chosen: Assessment | None) -> str:
    if chosen is None:
        return ""
    how = f"<p>{markup.say('evidence_how')}</p><p>{escape(' '.join(reading(chosen, markup.language)))}</p>"
    section = _section(markup, "evidence", how, *_evidence_of(markup, chosen))
    return section.replace("<section>", '<section class="sheet">', 1)


def _other_visits(markup: Markup, analysis: Analysis, chosen: Assessment | None) -> str:
    others = [found for found in reversed(analysis.assessments) if found is not chosen]
    parts = []
    for assessment in others:
        # What is missing as of the chosen one stands in the summary.
        parts += [*_evidence_of(markup, assessment), missing(markup, statement(assessment, markup.language))]
    return _section(markup, "evidence_others", *parts) if parts else ""


def _evidence_of(markup: Markup, assessment: Assessment) -> list[str]:
    said = statement(assessment, markup.language)
    return [
        f"<h3>{markup.say('as_of', visit=markup.visit(assessment.as_of))}: {escape(said.conclusion)}</h3>",
        ledger(markup, assessment),
        markup.headed("leave_one_out", said.without),
        markup.fold("context", (*said.context, *said.dates, said.prior)),
    ]


def _measurements(markup: Markup, analysis: Analysis) -> str:
    if not analysis.measurements:
        return ""
    how = f"<p>{markup.say('measurements_how')}</p>"
    return _section(markup, "measurements", how, measurement_tables(markup, analysis.measurements))


def _outcome(markup: Markup, analysis: Analysis) -> str:
    later = [
        f"<h3>{markup.say('after', visit=markup.visit(visit))}</h3>{markup.bullets(messages)}"
        for visit, messages in analysis.outcome.items()
        if messages
    ]
    return _section(markup, "outcome", f"<p>{markup.say('outcome_how')}</p>", *later) if later else ""


def _motion(markup: Markup, analysis: Analysis) -> str:
    parts = motion_parts(markup, analysis)
    return _section(markup, "motion", *parts) if parts else ""


def _methods(markup: Markup, analysis: Analysis) -> str:
    """How each map and measure was made, by which criteria and with which versions."""
    methods: dict[str, list[str]] = {}
    for (_, name), map_ in analysis.maps.items():
        methods.setdefault(markup.say("map", name=words.label("map", name, markup.language)), []).append(map_.method)
    for measurement in analysis.measurements:
        if not measurement.compared_to:
            methods.setdefault(markup.label("measure", measurement.name), []).append(measurement.method)
    methods[markup.say("assessment_rules")] = [_constants(markup, analysis)] if analysis.assessments else []
    methods[markup.say("criteria_set")] = [assessment.criteria_set for assessment in analysis.assessments]
    methods[markup.say("software")] = [_versions()]
    items = "".join(
        f"<dt>{name}</dt><dd>{escape('; '.join(kept))}</dd>"
        for name, found in methods.items()
        if (kept := [method for method in dict.fromkeys(found) if method])
    )
    return _section(markup, "methods", f"<p>{markup.say('methods_how')}</p><dl>{items}</dl>")


def _constants(markup: Markup, analysis: Analysis) -> str:
    """The numbers that an assessment rests on beside its criteria."""
    windows = analysis.rules.windows
    return words.say(
        "report_assessment_constants",
        markup.language,
        strongest=f"{STRONGEST:g}",
        weakest=f"{1 / STRONGEST:g}",
        within=VALUES_WITHIN_GROUP,
        between=VALUES_BETWEEN_GROUPS,
        draws=DRAWS,
        least=f"{RARELY_IMPORTANT:g}",
        side=f"{100 * SURE_ENOUGH:g}",
        until=windows.pseudoprogression_until,
        on=windows.necrosis_from,
    )


def _versions() -> str:
    """This program and what computes for it."""
    found = [f"PseudoProgressionAnalyzer {__version__}", f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:  # inside Slicer some packages carry no metadata
            continue
    return ", ".join(found)
