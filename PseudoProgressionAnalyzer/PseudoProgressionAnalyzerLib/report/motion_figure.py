"""How far the head moved during each time series: one curve per series, from which nothing is concluded."""

from __future__ import annotations

import numpy as np

from ..analysis import Analysis
from .markup import Markup
from .scales import nice_ticks, nice_top
from .svg import FAINT, GRID, document, line, text

SUFFIX = "_motion"
WIDTH, HEIGHT = 430, 130
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 24, 30
CURVE = "#0072b2"
LEAST_TOP = 2.0  # mm that the axis reaches at least: noise must not look like motion


def motion_parts(markup: Markup, analysis: Analysis) -> list[str]:
    """HTML of every series whose motion was found, visits in order; empty without any."""
    found = [
        (visit.id, name.removesuffix(SUFFIX), curve)
        for visit in markup.patient.visits
        for (visit_id, name), curve in analysis.curves.items()
        if visit_id == visit.id and name.endswith(SUFFIX)
    ]
    if not found:
        return []
    top = nice_top(max([LEAST_TOP, *(float(np.max(curve["displacement"])) for _, _, curve in found)]))
    figures = [motion_figure(markup, visit, role, curve, top) for visit, role, curve in found]
    return [f"<p>{markup.say('motion_how')}</p>", f'<div class="spectra">{"".join(figures)}</div>']


def motion_figure(markup: Markup, visit: str, role: str, curve: dict[str, np.ndarray], top: float) -> str:
    """Displacement of the brain (mm) over the time of one series, up to ``top``."""
    times, moved = np.asarray(curve["time"], float), np.asarray(curve["displacement"], float)
    span = max(float(times[-1] - times[0]), 1e-9)
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    x = LEFT + across * (times - times[0]) / span
    y = TOP + up * (1 - moved / top)
    title = f"{role}, {visit}"
    parts = [text(LEFT, 15, title, FAINT)]
    for tick in nice_ticks(top):
        height = TOP + up * (1 - tick / top)
        parts.append(line(LEFT, height, WIDTH - RIGHT, height, GRID))
        parts.append(text(LEFT - 5, height + 4, f"{tick:g}", FAINT, "end"))
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    parts.append(f'<polyline points="{points}" fill="none" stroke="{CURVE}" stroke-width="1.5"/>')
    parts.append(text(LEFT, HEIGHT - 8, "mm", FAINT))
    parts.append(text(WIDTH - RIGHT, HEIGHT - 8, f"{span:.0f} s", FAINT, "end"))
    said = markup.say("motion_label", series=role, visit=visit, largest=f"{moved.max():.1f}")
    return f"<figure>{document(WIDTH, HEIGHT, said, parts, fixed=True)}<figcaption>{said}</figcaption></figure>"
