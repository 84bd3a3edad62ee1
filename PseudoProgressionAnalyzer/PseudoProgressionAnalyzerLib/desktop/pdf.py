"""The report's page as PDF through Qt, which needs no further package.

Qt's text engine knows less of CSS than a browser: order and words are the page's, the layout is simpler. It works in
the main thread only, so it is done in pieces: one picture, one section of text, one page of paper.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import qt

from ..measures import InputError
from ..report.printing import apart, on_pages

RESOLUTION = 96  # of the page's own pixels, per inch
MARGIN = 14.0  # mm
SIZES = (1.0, 0.95, 0.9, 0.85)  # of what stands on the first sheet: rather smaller than two lines on a second one
FONT, SIZE = "Arial", 8.1  # points; where there is none of this name, what the system has in its place
STYLE = """
body { color: #000000; }
h1 { font-size: 14pt; margin: 0 0 2px; } h2 { font-size: 12pt; margin: 10px 0 4px; } h4 { font-size: 9pt; }
h3 { font-size: 10pt; margin: 5px 0 1px; } p, ul, ol { margin: 2px 0; }
.disclaimer { font-weight: bold; } .note, .frame, .patient, .notes { font-size: 7.5pt; }
.summary h2 { font-size: 9pt; color: #5c6675; margin: 2px 0; } .conclusion { font-size: 12pt; }
th { text-align: left; } td, th { padding: 2px 6px; font-size: 8pt; vertical-align: top; } small { font-size: 7pt; }
.summary td, .summary th { padding: 0 8px 0 0; font-size: 7.3pt; }
"""


def write(page: str, file: Path, done: Callable[[float], None] = lambda share: None) -> None:
    """Writes the page (HTML with everything in it) on A4. done is told the share (0 to 1) after each piece; what it
    raises ends the work, and nothing is left behind. Raises InputError ``file_not_written``."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        _write(page, partial, done)
        if not partial.is_file() or partial.stat().st_size == 0:
            raise InputError("file_not_written", file=str(file))
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _write(page: str, file: Path, done: Callable[[float], None]) -> None:
    writer = qt.QPdfWriter(str(file))
    writer.setResolution(RESOLUTION)
    writer.setPageSize(qt.QPageSize(qt.QPageSize.A4))
    writer.setPageMargins(qt.QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN), qt.QPageLayout.Millimeter)
    area = writer.pageLayout().paintRectPixels(RESOLUTION)
    width, height = area.width(), area.height()
    text, drawings, pictures = apart(page, width, height)
    images = {}
    for number, (name, content) in enumerate((drawings | pictures).items()):
        images[name] = qt.QImage()
        images[name].loadFromData(qt.QByteArray(content), "SVG" if name in drawings else "PNG")
        done(0.3 * number / len(drawings | pictures))
    pieces, documents = on_pages(text), []
    for piece in pieces:
        if documents:
            documents.append((_document(piece, images, width, height), 1.0))
        else:
            documents.append(_on_one(piece, images, width, height, lambda: done(0.3)))
        done(0.3 + 0.1 * len(documents) / len(pieces))
    sheets = [(document, size, number) for document, size in documents for number in range(document.pageCount())]
    painter = qt.QPainter()
    if not painter.begin(writer):
        return
    try:
        for printed, (document, size, number) in enumerate(sheets):
            if printed:
                writer.newPage()
            painter.save()
            painter.scale(size, size)
            painter.translate(0, -number * height / size)
            document.drawContents(painter, qt.QRectF(0, number * height / size, width / size, height / size))
            painter.restore()
            done(0.4 + 0.6 * (printed + 1) / len(sheets))
    finally:
        painter.end()


def _on_one(
    piece: str, images: dict[str, object], width: float, height: float, tried: Callable[[], None]
) -> tuple[object, float]:
    """The first piece, a summary, on one sheet, and how large it is then; as it is where it is far too long. tried is
    told of each size, as laying it out takes 0.1 s."""
    for size in SIZES:
        document = _document(piece, images, width / size, height / size)
        if document.pageCount() == 1:
            return document, size
        tried()
    return _document(piece, images, width, height), 1.0


def _document(piece: str, images: dict[str, object], width: float, height: float) -> object:
    """A piece of the page as a document of its own, laid out on sheets of this size in pixels."""
    document = qt.QTextDocument()
    font = qt.QFont(FONT)
    font.setPointSizeF(SIZE)
    document.setDefaultFont(font)
    wrapping = qt.QTextOption()
    wrapping.setWrapMode(qt.QTextOption.WordWrap)  # no word of a narrow column is cut in two
    document.setDefaultTextOption(wrapping)
    document.setDefaultStyleSheet(STYLE)
    document.setPageSize(qt.QSizeF(width, height))
    document.setDocumentMargin(0)
    for name, image in images.items():
        if f'src="{name}"' in piece:
            document.addResource(qt.QTextDocument.ImageResource, qt.QUrl(name), image)
    document.setHtml(piece)
    return document
