"""Every measure against all verified limits of it: a value is never held against one line alone.

Readable without colour: the value is a disc with its interval, limits that weigh are full triangles, those that are
only shown are open ones; each carries its number, and the side that speaks for progression is written.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from . import words
from .markup import Markup
from .statement import Line
from .svg import FAINT, GRID, INK, document, line, text

WIDTH, LEFT, RIGHT, HEIGHT = 720, 215, 24, 68
NAME = 28  # characters of a measure's name on a line left of its strip
LABEL_GAP, LABEL_LINE = 30, 12  # pixels that a limit's number takes, across and down


def figures(markup: Markup, lines: Sequence[Line]) -> str:
    """One strip for each measure with a value and a limit in the same unit; empty where there is none."""
    measures: dict[str, list[Line]] = {}
    for found in lines:
        item = found.evidence
        same = item.criterion.unit == item.measurement.unit or {item.criterion.unit, item.measurement.unit} <= {"1", ""}
        scaled = item.criterion.scale != "category" and item.criterion.cut_off is not None
        if item.measurement.value is not None and math.isfinite(item.measurement.value) and same and scaled:
            measures.setdefault(item.measurement.name, []).append(found)
    if not measures:
        return ""
    strips = "".join(_strip(markup, found) for found in measures.values())
    caption = f"<figcaption>{markup.say('limits_caption')}</figcaption>"
    return f'<h4>{markup.say("all_limits")}</h4><figure class="limits">{strips}{caption}</figure>'


def _strip(markup: Markup, lines: Sequence[Line]) -> str:
    row = words.cleaned(lines[0].evidence.measurement)
    bounds = [bound for bound in (row.value, row.low, row.high) if bound is not None]
    cut_offs = sorted({(item.evidence.criterion.cut_off, item.weight is not None) for item in lines})
    numbers = [*bounds, *(cut_off for cut_off, _ in cut_offs)]
    logarithmic = lines[0].evidence.criterion.scale == "log" and min(numbers) > 0
    scale = math.log if logarithmic else float
    first, last = scale(min(numbers)), scale(max(numbers))
    pad = 0.08 * (last - first) or 1.0

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (scale(value) - first + pad) / (last - first + 2 * pad)

    middle = 34
    high = lines[0].evidence.criterion.direction == "high"
    side = words.say("report_side_progression", markup.language)
    name = textwrap.wrap(lines[0].measure, NAME)[:2]  # beside the strip, never into it
    top = middle - 4 - 14 * (len(name) - 1)
    parts = [
        *(text(10, top + 14 * number, part, INK, weight="bold") for number, part in enumerate(name)),
        text(10, middle + 12, words.quantity(row.value, None, None, row.unit), FAINT),
        line(LEFT, middle, WIDTH - RIGHT, middle, GRID, 2),
        text(WIDTH - RIGHT if high else LEFT, 10, f"{side} \u2192" if high else f"\u2190 {side}", FAINT,
              "end" if high else "start", size=11),
    ]  # fmt: skip
    ends = [-math.inf]  # of each line of numbers, where its last one stands
    for cut_off, weighs in cut_offs:
        place = x(cut_off)
        fill = INK if weighs else "#fff"
        parts.append(
            f'<path d="M{place:.1f} {middle + 1} l5 9 l-10 0 z" fill="{fill}" stroke="{INK}" stroke-width="1.2"/>'
        )
        number = next((number for number, end in enumerate(ends) if place - end >= LABEL_GAP), len(ends))
        ends = [*ends[:number], place, *ends[number + 1 :]]
        parts.append(text(place, middle + 22 + LABEL_LINE * number, f"{cut_off:g}", FAINT, "middle", size=11))
    if row.low is not None and row.high is not None:
        parts.append(line(x(row.low), middle - 9, x(row.high), middle - 9, INK, 2))
    parts.append(f'<circle cx="{x(row.value):.1f}" cy="{middle - 9}" r="5" fill="{INK}"/>')
    label = words.say(
        "report_limits_label",
        markup.language,
        measure=lines[0].measure,
        value=lines[0].value,
        limits=", ".join(f"{cut_off:g}" for cut_off, _ in cut_offs),
    )
    return document(WIDTH, HEIGHT + LABEL_LINE * (len(ends) - 1), label, parts)
