"""``report.pdf``: the page of the report for printing.

On the command line through WeasyPrint, which the extra ``pdf`` brings; in Slicer through Qt (``desktop.pdf``), which
takes the page apart with ``apart``.
"""

from __future__ import annotations

import base64
import re
import struct
from typing import Any

from ..measures import InputError
from .markup import FOLD, PRINTED

SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
PICTURE = re.compile(r'src="data:image/png;base64,([^"]*)"')
SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"( width="[\d.]+" height="[\d.]+")?')
SHARPER = 3  # pixels that a drawing has for each of its own, for paper
DRAWING = 0.8  # share of a page's height that a drawing may take: its heading and caption stand on the same page
CAPTION = 0.85  # share of a page's height that a picture may take beside its heading and caption
PLAIN_LAYOUT = (
    ("<small>", "<br><small>"),
    ("<figcaption>", "<br><figcaption>"),
    ('<span class="sides">', "<br><span>"),
)
"""What the page's style puts on lines of their own."""
# What opens on the screen is closed on paper, and what is folded away left out, or printed; the innermost first.
CLOSED = re.compile(
    r"<details((?: class=\"[^\"]*\")?)>\s*<summary[^>]*>((?:(?!<details).)*?)</summary>((?:(?!<details).)*?)</details>",
    re.DOTALL,
)
FOR_THE_SCREEN = re.compile(r'<p class="note screen">.*?</p>', re.DOTALL)
WEIGHT_BAR = re.compile(r'(<span class="weight"><img [^>]*>)')
BEFORE_FIGURE = re.compile(r"<h2>(?=[^<]*</h2>\s*<figure)")  # a heading whose figure may not fit below it
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def check_possible() -> None:
    """Asked before anything is computed. Raises InputError ``pdf_not_possible``."""
    _weasyprint()


def pdf(page: str) -> bytes:
    """The page (HTML with everything in it: nothing is fetched) as PDF, A4. Raises InputError ``pdf_not_possible``."""
    return _weasyprint().HTML(string=page).write_pdf()


def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as error:  # OSError: the package is there and its system libraries are not
        raise InputError("pdf_not_possible", detail=str(error).splitlines()[0]) from error
    return weasyprint


def apart(page: str, width: float, height: float) -> tuple[str, dict[str, bytes], dict[str, bytes]]:
    """(the page with named pictures and without its style, drawings, pictures): for a renderer without inline SVG.

    width, height: of the printed page in pixels; larger pictures are scaled down to it. Drawings are SVG of a size that
    is sharp on paper, pictures PNG, by the names that they have in the page.
    """
    drawings: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}

    def drawing(match: re.Match) -> str:
        name = f"drawing{len(drawings)}.svg"
        across, down = map(float, SIZE.search(match[0]).groups()[:2])
        size = f'viewBox="0 0 {across:g} {down:g}" width="{SHARPER * across:g}" height="{SHARPER * down:g}"'
        drawings[name] = SIZE.sub(size, match[0], count=1).encode("utf-8")
        scale = min(1.0, width / across, DRAWING * height / down)
        return f'<img src="{name}" width="{across * scale:.0f}" height="{down * scale:.0f}">'

    def picture(match: re.Match) -> str:
        name = f"picture{len(pictures)}.png"
        pictures[name] = base64.b64decode(match[1])
        across, down = struct.unpack(">II", pictures[name][16:24])  # of the PNG's header
        scale = min(1.0, width / across, CAPTION * height / down)
        return f'src="{name}" width="{across * scale:.0f}" height="{down * scale:.0f}"'

    text = FOR_THE_SCREEN.sub("", STYLE.sub("", page))
    while CLOSED.search(text):
        text = CLOSED.sub(_closed, text)
    text = PICTURE.sub(picture, SVG.sub(drawing, text))
    for begin, instead in PLAIN_LAYOUT:
        text = text.replace(begin, instead)
    text = WEIGHT_BAR.sub(r"\1<br>", text)
    return BEFORE_FIGURE.sub('<h2 style="page-break-before: always">', text), drawings, pictures


def _closed(found: re.Match) -> str:
    """What paper shows of what can be opened on the screen."""
    if PRINTED in found[1]:
        return found[2] + found[3]
    return "" if FOLD in found[1] else found[2]
