"""The page as PDF: asked for with a clear sentence where it cannot be made, and taken apart for Qt without a loss."""

import base64
import builtins
import html.parser
import platform
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.measures import InputError, Message
from PseudoProgressionAnalyzerLib.report import html as report
from PseudoProgressionAnalyzerLib.report import markup, printing

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Words(html.parser.HTMLParser):
    """What a reader reads outside of drawings and style."""

    def __init__(self, text):
        super().__init__()
        self.within, self.found = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("svg", "style"):
            self.within.append(tag)

    def handle_endtag(self, tag):
        if tag in ("svg", "style"):
            self.within.pop()

    def handle_data(self, data):
        if not self.within and data.strip():
            self.found.append(data.strip())


@pytest.fixture
def page(analysis):
    analysis.assessments = analysis.assessments[:1]
    return report.page(analysis, PNG)


def test_taken_apart_nothing_is_lost(page):
    text, drawings, pictures = printing.apart(page, 680, 980)
    assert "<svg" not in text and "<style" not in text and "base64" not in text
    assert list(pictures.values()) == [PNG]
    open_part = unfolded(page)
    assert len(drawings) == open_part.count("<svg") > 3
    for drawing in drawings.values():
        ElementTree.fromstring(drawing)  # HTML forgives what XML does not
        across, wide = re.search(rb'viewBox="0 0 ([\d.]+) [\d.]+" width="([\d.]+)"', drawing).groups()
        assert float(wide) == 3 * float(across) and drawing.count(b" width=") >= 1
    assert all(drawing.startswith(b"<svg") and drawing.endswith(b"</svg>") for drawing in drawings.values())
    assert all(f'src="{name}"' in text for name in (*drawings, *pictures))
    assert max(float(width) for width in re.findall(r'width="(\d+)"', text)) <= 680
    note = texts.sentence(Message("report_details_folded"))
    assert note in page and note not in text  # nothing is folded on paper
    assert Words(text).found == [said for said in Words(open_part).found if said != note]
    assert "<h2>Measurements</h2>" not in text and "<h2>Measurements</h2>" in page


def test_methods_and_prior_are_printed(page, analysis):
    stated = Message("prior_stated", {"percent": 61, "low": 52, "high": 73})
    (assessment,) = analysis.assessments
    analysis.assessments = [replace(assessment, context=(stated, *assessment.context))]
    text, _, _ = printing.apart(report.page(analysis, PNG), 680, 980)
    assert texts.sentence(stated) in text and "61 % (52 to 73 %)" in texts.sentence(stated)
    assert "<h2>Methods</h2>" in text and platform.python_version() in text


def unfolded(page):
    """The page without what is folded away: a fold ends where as many details were closed as opened."""
    kept, depth, at = [], 0, 0
    for tag in re.finditer(r'<details class="fold">|<details[^>]*>|</details>', page):
        if depth == 0 and tag[0] == '<details class="fold">':
            kept.append(page[at : tag.start()])
        if depth or tag[0] == '<details class="fold">':
            depth += -1 if tag[0] == "</details>" else 1
            at = tag.end()
    return "".join([*kept, page[at:]])


def test_a_tall_drawing_leaves_room_for_its_heading():
    tall = '<svg viewBox="0 0 700 1400" role="img"><title>x</title></svg>'
    text, _, _ = printing.apart(tall, 680, 980)
    across, down = map(int, re.search(r'width="(\d+)" height="(\d+)"', text).groups())
    assert down < 0.85 * 980 and abs(down - 2 * across) <= 2


def test_a_figure_with_its_heading_begins_a_sheet_and_small_ones_do_not():
    """Each piece is laid out by itself, so that no heading is left at the end of a sheet."""
    data = base64.b64encode(PNG).decode()
    image = f'<img src="data:image/png;base64,{data}">'
    tall = '<svg viewBox="0 0 300 600"></svg>'
    page = f'<p>a</p><figure class="strip">{image}</figure><figure class="probability">{tall}</figure>'
    page += f"<h2>Course</h2><figure>{tall}</figure><h2>Methods</h2><p>b</p>"
    text, drawings, _ = printing.apart(page, 680, 980)
    first, second = printing.on_pages(text)
    assert first.startswith("<p>a</p>") and "<h2>" not in first
    assert second.startswith("<h2>Course</h2>") and "Methods" in second
    assert "data-share" not in text and not any(b"data-share" in drawing for drawing in drawings.values())
    heights = [int(down) for down in re.findall(r'svg" width="\d+" height="(\d+)"', text)]
    assert heights[0] == round(0.12 * 980) and heights[1] == 600


def test_what_stands_side_by_side_does_so_without_a_style_sheet():
    """Two cells of one row, the tables within them whole; one part alone is no table."""
    left, right = "<div><table><tr><td>a</td></tr></table></div>", "<figure>b</figure>"
    text, _, _ = printing.apart(f"<p>x</p>{markup.beside(left, right)}<p>y</p>", 680, 980)
    root = ElementTree.fromstring(f"<body>{text}</body>")
    assert [part.tag for part in root] == ["p", "table", "p"]
    first, second = root.find("table/tr")
    assert first.find("div/table/tr/td").text == "a" and second.find("p").text == "b"
    assert markup.beside(left, "") == left and markup.beside("", right) == right


def test_what_opens_on_the_screen_is_closed_on_paper():
    inner = "<details><summary>Reasons</summary><ul><li>a</li></ul></details>"
    opened = "<details open><summary>b</summary>c</details>"
    page = f"<p>x</p><details><summary>PD</summary><p>why</p>{inner}</details>{opened}"
    text, _, _ = printing.apart(page, 680, 980)
    assert text == f"<p>x</p>PD{opened}"


def test_what_is_folded_away_is_not_printed_until_it_is_opened():
    inner = "<details><summary>PD</summary>why</details>"
    fold = f'<details class="fold">\n<summary><h2>Methods</h2></summary>{inner}</details>'
    assert printing.apart(f"<p>x</p>{fold}<p>y</p>", 680, 980)[0] == "<p>x</p><p>y</p>"
    shown, _, _ = printing.apart(fold.replace('"fold"', '"fold" open'), 680, 980)
    assert "Methods" in shown and "PD" in shown and "why" not in shown


def test_what_is_printed_in_full_is_left_out_with_what_it_is_folded_in():
    prior = '<details class="fold printed"><summary><h4>Context</h4></summary><ul><li>a</li></ul></details>'
    assert printing.apart(f"<p>x</p>{prior}", 680, 980)[0] == "<p>x</p><h4>Context</h4><ul><li>a</li></ul>"
    others = f'<details class="fold"><summary>Others</summary>{prior}</details>'
    assert printing.apart(f"<p>x</p>{others}", 680, 980)[0] == "<p>x</p>"


def test_a_missing_package_is_asked_for(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "weasyprint":
            raise ImportError("No module named 'weasyprint'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError) as raised:
        printing.check_possible()
    said = texts.sentence(raised.value.message)
    assert "weasyprint" in said and "[pdf]" in said


def test_a_pdf_is_made(page):
    try:
        printing.check_possible()
    except InputError as error:
        pytest.skip(texts.sentence(error.message))
    assert printing.pdf(page).startswith(b"%PDF-")
