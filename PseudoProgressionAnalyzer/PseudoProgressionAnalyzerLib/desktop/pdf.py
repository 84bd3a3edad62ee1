"""The report's page as PDF through Qt, which needs no further package.

Qt's text engine knows less of CSS than a browser: order and words are the page's, the layout is simpler.
"""

from __future__ import annotations

from pathlib import Path

import qt

from ..measures import InputError
from ..report.printing import apart

RESOLUTION = 96  # of the page's own pixels, per inch
MARGIN = 14.0  # mm
STYLE = """
body { font-family: sans-serif; font-size: 9pt; }
h1 { font-size: 17pt; } h2 { font-size: 13pt; } h3 { font-size: 11pt; } h4 { font-size: 10pt; }
th { text-align: left; } td, th { padding: 2px 6px; font-size: 8pt; vertical-align: top; } small { font-size: 7pt; }
"""


def write(page: str, file: Path) -> None:
    """Writes the page (HTML with everything in it) on A4. Raises InputError ``file_not_written``."""
    writer = qt.QPdfWriter(str(file))
    writer.setResolution(RESOLUTION)
    writer.setPageSize(qt.QPageSize(qt.QPageSize.A4))
    writer.setPageMargins(qt.QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN), qt.QPageLayout.Millimeter)
    area = writer.pageLayout().paintRectPixels(RESOLUTION)
    text, drawings, pictures = apart(page, area.width(), area.height())
    document = qt.QTextDocument()
    document.setDefaultStyleSheet(STYLE)
    document.setPageSize(qt.QSizeF(area.width(), area.height()))
    document.setDocumentMargin(0)
    for name, content in (drawings | pictures).items():
        image = qt.QImage()
        image.loadFromData(qt.QByteArray(content), "SVG" if name in drawings else "PNG")
        document.addResource(qt.QTextDocument.ImageResource, qt.QUrl(name), image)
    document.setHtml(text)
    document.print_(writer)
    if not file.is_file() or file.stat().st_size == 0:
        raise InputError("file_not_written", file=str(file))
