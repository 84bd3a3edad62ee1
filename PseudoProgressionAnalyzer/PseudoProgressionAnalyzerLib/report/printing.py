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
from .markup import FOLD, PAIR_ENDS, PRINTED, SECOND

SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
SHARE = re.compile(r' data-share="([\d.]+) ([\d.]+)"')
PICTURE = re.compile(rf'(?:{SHARE.pattern})? src="data:image/png;base64,([^"]*)"')
SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"( width="[\d.]+" height="[\d.]+")?')
SHARPER = 3  # pixels that a drawing has for each of its own, for paper
DRAWING = 0.8  # share of a page's height that a drawing may take: its heading and caption stand on the same page
CAPTION = 0.82  # share of a page's height that a picture may take beside its heading and caption
PLAIN_LAYOUT = (
    ("<small>", "<br><small>"),
    ("<figcaption>", "<br><figcaption>"),
    ('<span class="sides">', "<br><span>"),
    ('<th scope="col"><span class="source">', '<th scope="col" width="26%"><span>'),
    ("</figure>", "</p>"),
    ('<section class="summary">', '<div class="summary">'),
    ('<div class="pair">', '<table width="100%" cellpadding="0"><tr><td width="54%">'),
    (SECOND, '</td><td width="46%">'),
    (f"{PAIR_ENDS}</div>", "</td></tr></table>"),
)
"""What the page's style puts on lines of their own, or side by side."""
SMALLER = (
    ('<figure class="strip"><img src=', '<figure class="strip"><img data-share="0.45 0.25" src='),
    ('<figure class="probability"><svg', '<figure class="probability"><svg data-share="0.5 0.12"'),
)
"""What the page's style makes small, so that the first page holds it: shares of a page's width and height that it may
take."""
FIGURE = re.compile(
    r"<figure\b[^>]*>"
)  # Qt knows no figures, and puts their pictures on the line of what stands before
NEW_PAGE = "<!-- new page -->"
# What opens on the screen is closed on paper, and what is folded away left out, or printed; the innermost first.
CLOSED = re.compile(
    r"<details((?: class=\"[^\"]*\")?)>\s*<summary[^>]*>((?:(?!<details).)*?)</summary>((?:(?!<details).)*?)</details>",
    re.DOTALL,
)
FOR_THE_SCREEN = re.compile(r'<p class="note screen">.*?</p>', re.DOTALL)
WEIGHT_BAR = re.compile(r'(<span class="weight"><img [^>]*>)')
SHEET = re.compile(r"<h[24]>(?=[^<]*</h[24]>\s*<figure)|<section class=\"sheet\">")  # what begins a sheet
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
    is sharp on paper, pictures PNG, by the names that they have in the page. ``on_pages`` cuts the page where a
    new sheet begins.
    """
    drawings: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}

    def drawing(match: re.Match) -> str:
        name = f"drawing{len(drawings)}.svg"
        share = SHARE.search(match[0])
        image = SHARE.sub("", match[0])
        across, down = map(float, SIZE.search(image).groups()[:2])
        size = f'viewBox="0 0 {across:g} {down:g}" width="{SHARPER * across:g}" height="{SHARPER * down:g}"'
        drawings[name] = SIZE.sub(size, image, count=1).encode("utf-8")
        wide, high = map(float, share.groups()) if share else (1.0, DRAWING)
        scale = min(1.0, wide * width / across, high * height / down)
        return f'<img src="{name}" width="{across * scale:.0f}" height="{down * scale:.0f}">'

    def picture(match: re.Match) -> str:
        name = f"picture{len(pictures)}.png"
        pictures[name] = base64.b64decode(match[3])
        across, down = struct.unpack(">II", pictures[name][16:24])  # of the PNG's header
        wide, high = map(float, match.group(1, 2)) if match[1] else (1.0, CAPTION)
        scale = min(1.0, wide * width / across, high * height / down)
        return f' src="{name}" width="{across * scale:.0f}" height="{down * scale:.0f}"'

    text = FOR_THE_SCREEN.sub("", STYLE.sub("", page))
    while CLOSED.search(text):
        text = CLOSED.sub(_closed, text)
    for begin, instead in SMALLER:
        text = text.replace(begin, instead)
    text = PICTURE.sub(picture, SVG.sub(drawing, text))
    text = SHEET.sub(lambda found: NEW_PAGE + found[0], text)
    for begin, instead in PLAIN_LAYOUT:
        text = text.replace(begin, instead)
    text = WEIGHT_BAR.sub(r"\1<br>", FIGURE.sub("<p>", text))
    return text, drawings, pictures


def on_pages(text: str) -> list[str]:
    """The text that ``apart`` gives in pieces, each of which begins on a new sheet: a heading with a figure that fills
    most of it. Qt's own page breaks go astray after tables."""
    return text.split(NEW_PAGE)


def _closed(found: re.Match) -> str:
    """What paper shows of what can be opened on the screen."""
    if PRINTED in found[1]:
        return found[2] + found[3]
    return "" if FOLD in found[1] else found[2]
