"""Pieces that the report's figures are drawn of. Lengths are the SVG's own pixels, colours ``#rrggbb``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ..measures import Event, goes_on

INK = "#1c2129"
FAINT = "#5c6675"
GRID = "#d5d9df"
LASTING = ("temozolomide", "bevacizumab", "immunotherapy")


@dataclass(frozen=True)
class DateAxis:
    """Dates to pixels, from left to right."""

    first: datetime.date
    last: datetime.date
    left: float
    right: float

    def x(self, date: datetime.date) -> float:
        """Where a date lies."""
        span = max((self.last - self.first).days, 1)
        return self.left + (self.right - self.left) * (date - self.first).days / span

    def clipped(self, start: datetime.date, end: datetime.date) -> tuple[float, float] | None:
        """Left and width of a span as far as it is shown."""
        start, end = max(start, self.first), min(end, self.last)
        return (self.x(start), self.x(end) - self.x(start)) if start < end else None


def document(width: float, height: float, label: str, parts: Sequence[str], fixed: bool = False) -> str:
    """The SVG with its label for those who cannot see it; fixed: never larger than its own pixels."""
    size = f' width="{width}" height="{height}"' if fixed else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"{size} role="img" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>{"".join(parts)}</svg>'
    )


def band(left: float, width: float, top: float, bottom: float, colour: str) -> str:
    """A filled stretch from top to bottom."""
    return f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{bottom - top}" fill="{colour}"/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashes}/>'


def text(
    x: float, y: float, content: str, colour: str, anchor: str = "start", size: int = 12, weight: str = "normal"
) -> str:
    """Words on one line."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(content)}</text>'
    )


def lasts(event: Event) -> bool:
    """Whether a treatment is taken to go on: a drug without an end (as the rules of response take it), and a course of
    radiotherapy of which that is stated."""
    return goes_on(event) or (event.end is None and event.kind in LASTING)


def event_marks(events: Sequence[Event], days: DateAxis, middle: float) -> list[str]:
    """Dated events on a line: bars for spans, with a tip at the end of the axis where they go on, diamonds for single
    dates."""
    parts = []
    for event in events:
        x = days.x(event.date)
        if lasts(event):
            shape = f"M{x:.1f} {middle - 5} H{days.right - 8:.1f} l8 5 l-8 5 H{x:.1f} z"
            parts.append(f'<path d="{shape}" fill="{FAINT}"/>')
        elif event.end is not None and event.end > event.date:
            width = days.x(event.end) - x
            parts.append(f'<rect x="{x:.1f}" y="{middle - 5}" width="{width:.1f}" height="10" fill="{FAINT}"/>')
        else:
            parts.append(f'<path d="M{x:.1f} {middle - 6} l6 6 l-6 6 l-6 -6 z" fill="{INK}"/>')
    return parts
