"""Calibration curves as an SVG: what was said against what happened."""

from pathlib import Path

SIDE, LEFT, TOP, GAP = 260, 56, 40, 70
Curve = list[tuple[int, float, float]]


def write(path: Path, panels: dict[str, tuple[Curve, Curve]]) -> None:
    """One panel for each title: (our curve, that of the plain product), each point (patients, mean said, share)."""
    parts = []
    for number, (title, (ours, naive)) in enumerate(panels.items()):
        left = LEFT + number * (SIDE + GAP)
        parts += _panel(left, title)
        parts += _curve(left, naive, "#d55e00", "5 4", "square")
        parts += _curve(left, ours, "#0072b2", "", "disc")
    y = TOP + SIDE + 62
    parts += [_mark(LEFT + 6, y - 4, "#0072b2", "disc"), _text(LEFT + 16, y, "this assessment")]
    parts += [_mark(LEFT + 136, y - 4, "#d55e00", "square"), _text(LEFT + 146, y, "plain product of likelihood ratios")]
    width, height = LEFT + len(panels) * (SIDE + GAP), TOP + SIDE + 76
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
    white = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    path.write_text("\n".join([head, white, *parts, "</svg>\n"]), encoding="utf-8")


def _panel(left: float, title: str) -> list[str]:
    parts = [
        f'<rect x="{left}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#5c6675"/>',
        f'<line x1="{left}" y1="{TOP + SIDE}" x2="{left + SIDE}" y2="{TOP}" stroke="#9aa5b4"/>',
        _text(left, TOP - 12, title, weight="bold"),
        _text(left + SIDE / 2, TOP + SIDE + 36, "probability of true progression that was said, %", "middle"),
    ]
    for percent in (0, 25, 50, 75, 100):
        x, y = _place(left, percent / 100, percent / 100)
        parts += [_text(x, TOP + SIDE + 16, str(percent), "middle"), _text(left - 6, y + 4, str(percent), "end")]
    return parts


def _curve(left: float, curve: Curve, colour: str, dash: str, shape: str) -> list[str]:
    points = [_place(left, mean, share) for _, mean, share in curve]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    drawn = f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-dasharray="{dash}"/>'
    return [drawn, *(_mark(x, y, colour, shape) for x, y in points)]


def _place(left: float, said: float, share: float) -> tuple[float, float]:
    return left + SIDE * said, TOP + SIDE * (1 - share)


def _mark(x: float, y: float, colour: str, shape: str) -> str:
    if shape == "disc":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="#fff" stroke="{colour}"/>'


def _text(x: float, y: float, content: str, anchor: str = "start", weight: str = "normal") -> str:
    ink = 'fill="#1c2129" font-size="12"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {ink} font-weight="{weight}" text-anchor="{anchor}">{content}</text>'
