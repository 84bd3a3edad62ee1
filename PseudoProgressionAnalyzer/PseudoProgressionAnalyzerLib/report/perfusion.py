"""Perfusion on the report: how the bolus passed, how the series was acquired, and how far its maps can be trusted."""

from __future__ import annotations

from html import escape

import numpy as np

from ..analysis import Analysis, DscChoices
from ..analysis.dsc_maps import SHARES
from ..measures import Message, Visit
from ..perfusion.protocol import ProtocolGrade, protocol_grade
from . import words
from .figures import PROGRESSION, TREATMENT
from .markup import Markup, row, table
from .scales import nice_ticks, nice_top
from .svg import FAINT, GRID, INK, band, document, line, text

WIDTH, HEIGHT = 430, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 34
SIGNAL_TOP = 110.0  # per cent of the baseline
LETTER = 6.2  # pixels that a letter of a legend takes
BASELINE = "#eceff3"
CURVES = (("brain", INK, ""), ("lesion", PROGRESSION, ""), ("reference", TREATMENT, "5 4"))
RESPONSES = ("PRM_increased", "PRM_unchanged", "PRM_decreased")


def grade_of(analysis: Analysis, visit_id: str) -> ProtocolGrade | None:
    """The grade of a visit's DSC protocol from its acquisition, and from what the user said about preload (or
    ``Preload`` in the sidecar); None without a DSC series."""
    dsc = analysis.patient.visit(visit_id).of_role("DSC")
    if dsc is None:
        return None
    stated = analysis.dsc_choices.get(visit_id, DscChoices()).preload
    fields, angle = dsc.acquisition, dsc.acquisition.get("FlipAngle")
    return protocol_grade(
        echo_time=fields.get("EchoTime"),
        flip_angle=None if isinstance(angle, list) else angle,
        field_strength=fields.get("MagneticFieldStrength"),
        preload=fields.get("Preload") if stated is None else stated,
    )


def perfusion_parts(markup: Markup, analysis: Analysis) -> list[str]:
    """HTML of every visit with a DSC or ASL series; empty without any."""
    shown = [visit for visit in markup.patient.visits if visit.of_role("DSC") or visit.of_role("ASL")]
    if not shown:
        return []
    parts = [f"<p>{markup.say('perfusion_how')}</p>"]
    heads = [markup.say("head_perfusion_what"), markup.say("head_finding")]
    for visit in shown:
        figures = _figures(markup, analysis, visit.id)
        parts.append(f"<h3>{markup.visit(visit.id)}</h3>")
        parts += [f'<div class="spectra">{"".join(figures)}</div>'] if figures else []
        parts.append(table(heads, _facts(markup, analysis, visit)))
    return parts


def _figures(markup: Markup, analysis: Analysis, visit_id: str) -> list[str]:
    curves = analysis.curves.get((visit_id, "DSC"))
    if curves is None or "frames" not in curves:
        return []
    figures = [signal_figure(markup, analysis, visit_id), rate_figure(markup, analysis, visit_id)]
    captions = [markup.say("signal_caption"), markup.say("rate_caption")]
    return [
        f"<figure>{figure}<figcaption>{caption}</figcaption></figure>"
        for figure, caption in zip(figures, captions, strict=True)
    ]


def signal_figure(markup: Markup, analysis: Analysis, visit_id: str) -> str:
    """Signal of brain, lesion and reference in per cent of their baseline, as SVG."""
    curves = analysis.curves[visit_id, "DSC"]
    start, arrival = curves["frames"][:2].astype(int)
    echo_time = analysis.patient.visit(visit_id).of_role("DSC").acquisition["EchoTime"]
    signals = {"reference": 100 * np.exp(-echo_time * curves["reference_rate"])}
    for name in ("brain", "lesion"):
        signal = curves.get(f"{name}_signal")
        if signal is not None:
            signals[name] = 100 * signal / signal[start:arrival].mean()
    lines = [(signals[name], colour, dash, markup.say(f"curve_{name}")) for name, colour, dash in CURVES
             if name in signals]  # fmt: skip
    ticks = (0, 25, 50, 75, 100) if max(float(np.nanmax(values)) for values, *_ in lines) < SIGNAL_TOP else None
    return _plot(markup, curves, lines, markup.say("signal_axis"), markup.say("signal_label", visit=visit_id), ticks)


def rate_figure(markup: Markup, analysis: Analysis, visit_id: str) -> str:
    """dR2* of the reference and of the arterial input, as SVG."""
    curves = analysis.curves[visit_id, "DSC"]
    lines = [(curves["reference_rate"], TREATMENT, "5 4", markup.say("curve_reference"))]
    if "arterial_rate" in curves:
        lines.append((curves["arterial_rate"], INK, "", markup.say("curve_artery")))
    return _plot(markup, curves, lines, markup.say("rate_axis"), markup.say("rate_label", visit=visit_id))


def _plot(
    markup: Markup, curves: dict[str, np.ndarray], lines: list, axis: str, label: str, ticks: tuple | None = None
) -> str:
    """Curves over time, with baseline frames tinted and the arrival of the bolus marked."""
    time, frames = curves["time"], curves["frames"].astype(int)
    top = SIGNAL_TOP if ticks else nice_top(float(max(np.nanmax(values) for values, *_ in lines)))
    bottom = min(0.0, float(min(np.nanmin(values) for values, *_ in lines)))

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * float(seconds) / float(time[-1])

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (top - float(value)) / (top - bottom)

    arrival = x(time[frames[1]])
    foot = HEIGHT - BOTTOM
    parts = [band(x(time[frames[0]]), arrival - x(time[frames[0]]), TOP, foot, BASELINE)]
    for tick in ticks or nice_ticks(top):
        parts.append(line(LEFT, y(tick), WIDTH - RIGHT, y(tick), GRID))
        parts.append(text(LEFT - 6, y(tick) + 4, f"{tick:g}", FAINT, "end", size=11))
    for tick in nice_ticks(nice_top(float(time[-1]))):
        if tick <= time[-1]:
            parts.append(text(x(tick), foot + 15, f"{tick:g}", FAINT, "middle", size=11))
    parts.append(text(WIDTH - RIGHT, foot + 30, markup.say("time_axis"), FAINT, "end", size=11))
    parts.append(text(LEFT - 38, 14, axis, FAINT, size=11))
    parts.append(line(arrival, TOP, arrival, foot, FAINT, 1.2, "3 3"))
    parts.append(text(arrival + 4, foot - 5, markup.say("bolus_arrives"), FAINT, size=11))
    left = LEFT + 34.0
    for values, colour, dash, name in lines:
        points = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(time, values, strict=True) if np.isfinite(v))
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>')
        parts.append(line(left, 10, left + 18, 10, colour, 2, dash))
        parts.append(text(left + 22, 14, name, INK, size=11))
        left += 40 + LETTER * len(name)
    return document(WIDTH, HEIGHT, label, parts)


def _facts(markup: Markup, analysis: Analysis, visit: Visit) -> list[str]:
    """Rows of a visit: protocol, trust, arterial input, response map, calibration of ASL."""
    facts: list[tuple[str, str]] = []
    grade = grade_of(analysis, visit.id)
    if grade is not None:
        reasons = "".join(f"<small>{markup.sentence(reason)}</small>" for reason in grade.reasons)
        facts.append((markup.say("protocol"), markup.say(f"protocol_{grade.grade}") + reasons))
    shares = analysis.curves.get((visit.id, "DSC"), {}).get("shares")
    if shares is not None:
        percent = {name: f"{100 * share:.1f}" for name, share in zip(SHARES, shares, strict=True)}
        facts.append((markup.say("trusted_share"), markup.say("shares", **percent)))
    for name, head in (("rCBV_ratio", "DSC"), ("rCBF_ratio", "flow"), ("CBF_ratio", "ASL")):
        reasons = analysis.absent.get((visit.id, name), ())
        if reasons:
            facts.append((markup.say(f"absent_{head}"), " ".join(map(markup.sentence, reasons))))
    if (visit.id, "rCBF") in analysis.maps:
        facts.append((markup.say("arterial_input"), markup.say("arterial_found")))
    response = analysis.maps.get((visit.id, "rCBV_response"))
    if response is not None:
        facts.append((markup.say("response_map"), _response(markup, analysis, visit.id)))
        facts.append((markup.say("response_limits"), escape(response.method)))
    elif reasons := analysis.absent.get((visit.id, "rCBV_response"), ()):
        facts.append((markup.say("response_map"), " ".join(map(markup.sentence, reasons))))
    flow = analysis.maps.get((visit.id, "CBF"))
    if flow is not None:
        facts.append((markup.say("calibration"), escape(flow.method)))
    return [row(head, [found]) for head, found in facts]


def _response(markup: Markup, analysis: Analysis, visit_id: str) -> str:
    """Volume shares of each region in which rCBV rose, stayed and fell."""
    lines = []
    regions = dict.fromkeys(
        (entry.region, entry.kind, entry.drawn_in) for entry in analysis.measurements
        if entry.visit == visit_id and entry.name in RESPONSES
    )  # fmt: skip
    for region, kind, drawn_in in sorted(regions, key=lambda one: one[1] != "own"):
        values = {
            entry.name: entry.value
            for entry in analysis.measurements
            if (entry.visit, entry.region, entry.kind, entry.drawn_in) == (visit_id, region, kind, drawn_in)
        }
        shares = [values.get(name) for name in RESPONSES]
        if None not in shares:
            rose, stayed, fell = (words.number(share, 2) for share in shares)
            where = f"{region} ({markup.label('kind', kind)})"
            lines.append(markup.say("response_shares", region=where, rose=rose, stayed=stayed, fell=fell))
    rigid = markup.sentence(Message("response_map_rigid"))
    return "<br>".join(lines) + f"<small>{rigid}</small>"
