"""report.html: self-contained, accessible, complete, and nobody's name."""

import base64
import dataclasses
import html.parser
import re

import pytest

from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, Measurement
from PseudoProgressionAnalyzerLib.report import html as report

VOID = {"meta", "img", "br", "circle", "rect", "line", "path", "polyline"}
PNG = b"\x89PNG made up"


class Page(html.parser.HTMLParser):
    """Tags with their attributes, words outside of the style, and whether every tag is closed in its order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open and data.strip():
            self.words.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(analysis):
    return Page(report.page(analysis, PNG))


def test_the_page_needs_nothing_from_elsewhere(analysis, page):
    text = report.page(analysis, PNG)
    assert not {"script", "link", "iframe", "a", "object"} & {tag for tag, _ in page.tags}
    assert "url(" not in text and "@import" not in text
    (image,) = page.all("img")
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == PNG
    links = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(link.startswith("data:") for link in links)


def test_the_page_can_be_read_by_everybody(page):
    assert page.all("html")[0]["lang"] == "en"
    assert "4.10 mL" in page.all("img")[0]["alt"]
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.all("svg"))
    assert all(head["scope"] in ("row", "col") for head in page.all("th"))
    heads = [tag for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert heads[0] == "h1" and heads.count("h1") == 1


def test_the_disclaimer_stands_first_and_last(analysis, page):
    assert DISCLAIMER in report.page(analysis, PNG)[:200]
    assert page.words.count(DISCLAIMER) == 2
    assert page.words[-1] == DISCLAIMER
    assert page.words.index(DISCLAIMER) < 5


def test_nobody_is_named_unless_asked(analysis, secret):
    text = report.page(analysis, PNG)
    assert secret not in text and "/home/secret" not in text
    assert "Patient: not named" in text
    assert "Case &lt;7&gt;" in report.page(analysis, PNG, title="Case <7>")


def test_the_conclusion_is_that_of_the_latest_visit_and_the_earlier_ones_follow(page):
    text = " ".join(page.words)
    latest = text.index("As of 2021-01-15, day 326 after radiotherapy")
    assert (
        latest < text.index("The evidence is insufficient to favour either side.") < text.index("As of earlier visits")
    )
    assert text.index("As of earlier visits") < text.index("The evidence favours treatment effect.")
    # The latest has no probability, so neither a bar nor natural frequencies are shown, least of all the prior.
    assert "Of 100 patients" not in text


def test_a_probability_is_told_as_frequency(analysis):
    analysis.assessments = analysis.assessments[:1]
    text = " ".join(Page(report.page(analysis, PNG)).words)
    assert "about 35 would have true progression (15 to 60 are compatible with the data) and about 65" in text


def ledger(text):
    begin = text.index("Likelihood ratio")
    return text[begin : text.index("Context, without weight", begin)]


def test_the_ledger_has_every_item_the_heaviest_first(analysis, page):
    text = ledger(" ".join(page.words))
    heavy, light, unread = text.index("DSC-90"), text.index("DSC-91"), text.index("MRS-90")
    assert heavy < light < text.index("All evidence together") < unread
    assert "-6.0\xa0dB" in text and "+1.5\xa0dB" in text and "no weight" in text
    assert "1.23 (1.10 to 1.40)" in text and "\u2265\xa01.8" in text and "about 2" in text
    assert "Nobody 1900 <invented>, 10.0000/none" in text
    assert "sensitivity 90 %, specificity 80 %, 30 progressions, 20 treatment effects" in text
    whole = " ".join(page.words)
    assert "-4.5\xa0dB" in whole  # the sum of what is used
    assert "+1.8\xa0dB" in whole  # prior 60 %: 10 log10(0.6 / 0.4)


def test_own_and_fixed_stand_in_tables_of_their_own(analysis):
    text = report.page(analysis, PNG)
    measured = re.sub("</?span[^>]*>", "", text[text.index("<h2>Measurements</h2>") :])
    own, fixed = measured.split("<h3>Fixed: the region lesion drawn on 2020-01-10")
    assert "1.23 (1.10 to 1.40)" in own and "1.90 (1.70 to 2.10)" not in own
    assert "1.90 (1.70 to 2.10)" in fixed and "1.23" not in fixed[: fixed.index("</table>")]
    assert "+137 % (90 to 190) since 2020-01-10" in own
    assert "-77.3 % since 2020-03-02" in own
    assert "not measured" in own and "Only 2.5 voxels of the map lie in the region" in own


def test_what_came_later_stands_apart(page):
    text = " ".join(page.words)
    outcome = text.index("Outcome: what came later")
    assert text.index("One row per measurement") < outcome < text.index("Details are folded below")
    assert "After 2020-03-02, day 7 after radiotherapy" in text[outcome:]


def test_the_page_opens_with_the_chosen_visit(analysis):
    chosen = analysis.assessments[0].as_of
    text = " ".join(Page(report.page(analysis, PNG, as_of=chosen)).words)
    opened = text.index("As of 2020-03-02, day 7 after radiotherapy Question")
    assert opened < text.index("The evidence favours treatment effect.") < text.index("As of the other visits")
    assert opened < text.index("As of the other visits") < text.index("The evidence is insufficient")
    assert "Of 100 patients" in text
    latest = report.page(analysis, PNG)
    assert report.page(analysis, PNG, as_of="no such visit") == latest
    assert report.page(analysis, PNG, as_of=analysis.assessments[-1].as_of) == latest


def test_details_are_folded_and_what_a_reader_needs_is_not(analysis):
    text = report.page(analysis, PNG)
    folds = re.findall(r'<details class="fold(?: printed)?">\s*<summary><h[24]>([^<(]+)', text)
    assert {"Evidence as of the other visits", "Visits", "Measurements", "Methods"} <= {name.strip() for name in folds}
    assert text.count("<details") == text.count("</details>")
    before = text[: text.index('<details class="fold">')]
    for needed in ("As of 2021-01-15", "Outcome", "The evidence is insufficient", "<img"):
        assert needed in before


def test_hostile_data_stay_words(analysis):
    bad = '"><script>alert(1)</script>'
    visit = analysis.patient.visits[0]
    visit.id = analysis.patient.visits[0].id  # the key of everything else
    analysis.measurements.append(Measurement(visit.id, bad, "own", visit.id, bad, 1.0, bad, reference=bad, method=bad))
    visit.series[0].role = bad
    page = Page(report.page(analysis, PNG, title=bad))
    assert not page.all("script")


def test_a_value_that_is_not_finite_never_shows(analysis):
    first = analysis.patient.visits[0].id
    nan = float("nan")
    analysis.measurements.append(Measurement(first, "lesion", "own", first, "volume", 3.0, "mL", nan, nan))
    analysis.measurements.append(Measurement(first, "other", "own", first, "volume", nan, "mL"))
    assert not re.search(r"\bnan\b", report.page(analysis, PNG))


def test_nothing_to_assess_or_to_show_is_said(analysis):
    bare = dataclasses.replace(
        analysis, images={}, maps={}, regions={}, measurements=[], assessments=[], outcome={}, visit_to_reference={}
    )
    text = " ".join(Page(report.page(bare, None)).words)
    assert "No assessment: no visit is known to be after the end of radiotherapy." in text
    assert "no timeline can be drawn" in text


def test_many_visits_go_on_in_a_second_table(analysis):
    visits = analysis.patient.visits
    more = [dataclasses.replace(visits[0], id=f"v{number}") for number in range(4)]
    analysis.patient.visits = visits + more
    analysis.measurements += [
        Measurement(visit.id, "lesion", "own", visit.id, "volume", 1.0 + number, "mL")
        for number, visit in enumerate(more)
    ]
    text = report.page(analysis, PNG)
    own = text[text.index("<h3>Own:") : text.index("<h3>Fixed:")]
    assert own.count("<table>") == 2
    assert all(f"{1.0 + number:.2f} mL" in own for number in range(4))


def test_versions_and_methods_are_named(page):
    text = " ".join(page.words)
    assert "voxels counted" in text and "numpy" in text and "PseudoProgressionAnalyzer" in text


def test_dates_of_changes_are_never_broken_over_two_lines(analysis):
    """The style holds what is a date together; none stands in small letters without it."""
    text = report.page(analysis, None)
    changes = re.findall(r"<small>[^<]*since (.{,40})", text[text.index("Own: the region") :])
    assert changes and all(said.startswith('<span class="date">20') for said in changes)
