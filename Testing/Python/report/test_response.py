"""Lesions and responses in the report: the table, reasons that open in place, the therapy timeline, JSON and CSV."""

import dataclasses
import datetime
import itertools
import re

import jsonschema
import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.lesion_rows import lesion_rows
from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.measures import Event, Message
from PseudoProgressionAnalyzerLib.report import (
    assessment_json,
    colours,
    html,
    lesion_pictures,
    measurements_csv,
    slices,
    therapy_figure,
)
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.response_html import lesion_table, response_section, response_table
from PseudoProgressionAnalyzerLib.report.svg import DateAxis

FIRST, SECOND, THIRD = "2020-01-10", "2020-03-02", "2021-01-15"


@pytest.fixture
def followed(analysis):
    """The three visits with their lesions followed, steroids, and a reading of the second visit."""
    analysis.patient.events += [
        Event("dexamethasone", datetime.date(2020, 1, 1), datetime.date(2020, 4, 1), {"dose_mg_per_day": 6}),
        Event("dexamethasone", datetime.date(2020, 5, 1), details={"dose_mg_per_day": 2}),
        Event("bevacizumab", datetime.date(2020, 1, 1), details={"given": False}),
        Event("reading", datetime.date(2020, 3, 2), details={"all_lesions_drawn": True}),
    ]
    update_lesions(analysis)
    return analysis


def test_every_lesion_stands_there_at_every_visit_with_its_numbers(followed):
    table = lesion_table(Markup(followed.patient), followed)
    assert table.count("L1") == 3
    for lesion in followed.lesions:
        lines = lesion.outline.lines["reader"]
        assert f"{lines.longest:.1f} x {lines.perpendicular:.1f} mm" in table
        assert f"{lesion.outline.shape.sphericity:.2f} ({lesion.outline.sphere.sphericity:.2f})" in table
    assert "growing" in table
    assert "shrinking" in table


def test_reasons_open_in_place_and_unknowns_are_listed(followed):
    table = response_table(Markup(followed.patient), followed)
    assert table.count("<details>") == table.count("</details>") >= 9
    assert "<script" not in table
    cell = followed.response.of(THIRD, "RANO_2010").area
    assert len(cell.possible) > 1
    assert "still possible" in table
    from PseudoProgressionAnalyzerLib import texts

    shown = re.sub(r"&#x27;", "'", table)
    for message in cell.unknowns:
        assert texts.sentence(message) in shown
    assert "iRANO" not in table, "no immunotherapy is stated: the criterion says nothing"


def test_the_section_stands_on_the_page_and_is_absent_without_lesions(followed, secret):
    page = html.page(followed, None)
    assert "Lesions and response" in page
    assert secret not in page
    followed.lesions = []
    assert response_section(Markup(followed.patient), followed) == ""


def test_a_visit_that_may_be_another_patient_is_said_before_any_lesion_is_compared(followed):
    visit = followed.patient.visits[-1].id
    said = f"The alignment of {visit} failed"
    assert said not in response_section(Markup(followed.patient), followed)
    followed.messages[visit] = [Message("registration_disagrees", {"distance": 2.7, "limit": 1.6})]
    page = response_section(Markup(followed.patient), followed)
    assert page.count(said) == 1 and page.index(said) < page.index("<table")


def test_the_timeline_shows_treatment_doses_and_categories(followed):
    figure = therapy_figure.therapy_figure(followed)
    for words in ("Radiotherapy", "Surgery", "Dexamethasone", "0-12 weeks", "RANO 2.0", "BT-RADS", ">6<", ">2<"):
        assert words in figure, words
    assert "Bevacizumab" not in figure, "it was not given"
    assert figure.count("<polyline") == 2, "volume and sum of products"
    assert figure.startswith("<svg") and figure.endswith("</svg>")
    followed.patient.visits[0].date = followed.patient.visits[1].date = followed.patient.visits[2].date = None
    assert therapy_figure.therapy_figure(followed) == ""


def test_no_words_leave_the_figure(followed):
    """Letters of 11 pixels are 6.2 wide at most on average, as a browser draws these sentences."""
    figure = therapy_figure.therapy_figure(followed)
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', figure).groups())
    lines = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"([^>]*)>([^<]*)<', figure)
    assert any("bar with a tip" in said for *_, said in lines)
    for x, y, look, said in lines:
        assert float(y) < height
        if "end" not in look and "middle" not in look:
            assert float(x) + 6.2 * len(said) <= width, said


@pytest.mark.parametrize("said", ["no PD < 12 wk", "pre-baseline", "not verified", "prelim. PD", "SD / PD?"])
def test_a_category_stands_inside_its_box(said):
    """Bold letters are 0.64 of their height wide on average."""
    box, words = therapy_figure._box(200.0, 0.0, therapy_figure.WIDEST, said, "")[:2]
    size = float(re.search(r'font-size="([\d.]+)"', words).group(1))
    assert 0.64 * size * len(said) < therapy_figure.WIDEST - 2, (box, size)


def test_edited_bands_are_drawn_and_named(followed):
    figure = therapy_figure.therapy_figure(followed)
    assert "days 30-60" not in figure
    followed.choices = dataclasses.replace(followed.choices, bands=((30, 60),))
    figure = therapy_figure.therapy_figure(followed)
    assert "days 30-60" in figure
    assert "0-12 weeks" not in figure


def test_the_dose_steps_have_the_height_of_the_dose(followed):
    days = DateAxis(datetime.date(2020, 1, 1), datetime.date(2021, 1, 1), 0.0, 366.0)
    events = [event for event in followed.patient.events if event.kind == "dexamethasone"]
    parts = therapy_figure._steroid(events, days, 0.0, datetime.date(2021, 1, 1), "english")
    boxes = [re.findall(r'(x|width|height)="([\d.]+)"', part) for part in parts if part.startswith("<rect")]
    (_, first_wide, first_high), (_, second_wide, second_high) = ([float(value) for _, value in box] for box in boxes)
    assert first_high == pytest.approx(3 * second_high, rel=0.01)
    assert first_wide == pytest.approx((datetime.date(2020, 4, 1) - datetime.date(2020, 1, 1)).days, abs=0.1)
    assert second_wide == pytest.approx((datetime.date(2021, 1, 1) - datetime.date(2020, 5, 1)).days, abs=0.1)


def test_boxes_of_close_visits_do_not_overlap():
    places = therapy_figure._spread([100.0, 104.0, 110.0, 400.0], 50.0, 90.0, 500.0)
    assert places == sorted(places)
    assert min(b - a for a, b in itertools.pairwise(places)) > 49.9
    assert min(places) >= 90.0
    assert places[-1] == pytest.approx(400.0)


def test_the_measured_slice_shows_both_lines_in_their_place(followed):
    """The lines cross in the middle of the cell, each in its colour; a shifted line would miss the check."""
    lesion = next(found for found in followed.lesions if found.visit == SECOND)
    width = 60.0
    cell = lesion_pictures._cell(followed, lesion, width)
    lines = lesion.outline.lines["reader"]
    affine = followed.images[SECOND, "T1CE"].affine
    axes = slices.frame(affine, "axial")
    middle = np.concatenate([lines.longest_ends, lines.perpendicular_ends]).mean(axis=0)
    for number, ends in enumerate((lines.longest_ends, lines.perpendicular_ends)):
        for share in (0.15, 0.85):
            point = ends[0] + share * (ends[1] - ends[0])
            across, down, _ = axes @ (point - middle) / width * lesion_pictures.CELL
            row, column = round(lesion_pictures.CELL / 2 + down - 0.5), round(lesion_pictures.CELL / 2 + across - 0.5)
            near = cell[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3)
            assert np.abs(near - lesion_pictures.LINE_COLOURS[number]).sum(axis=1).min() < 0.1
            away = cell[row - 9 : row - 6, column + 6 : column + 9].reshape(-1, 3)
            assert np.abs(away - lesion_pictures.LINE_COLOURS[number]).sum(axis=1).min() > 0.1
    assert lesion_pictures.picture(followed).startswith(b"\x89PNG")
    followed.lesions = []
    assert lesion_pictures.picture(followed) is None


def test_the_outline_in_a_picture_is_that_of_the_lesion_itself(followed):
    """The same voxels drawn as enhancing or as non-enhancing tumour: its own outline each time."""

    def outlined():
        update_lesions(followed)
        (lesion,) = [found for found in followed.lesions if found.visit == SECOND]
        cell = lesion_pictures._cell(followed, lesion, 60.0)
        return np.all(np.abs(cell - colours.OWN) < 0.02, axis=-1).sum()

    enhancing = outlined()
    assert enhancing > 20
    followed.patient.regions = [
        dataclasses.replace(region, purpose="non_enhancing") if region.purpose == "lesion" else region
        for region in followed.patient.regions
    ]
    assert outlined() == enhancing


def test_json_fits_its_schema_and_holds_every_verdict(followed):
    document = assessment_json.document(followed)
    jsonschema.Draft202012Validator(assessment_json.schema()).validate(document)
    assert {entry["criterion"] for entry in document["responses"]} == {
        "RANO_2010", "mRANO", "RANO_2.0", "iRANO", "BT_RADS",
    }  # fmt: skip
    assert [entry["lesion"] for entry in document["lesions"]] == ["L1"] * 3
    verdict = followed.response.of(THIRD, "RANO_2010").area
    entry = next(
        found
        for found in document["responses"]
        if (found["visit"], found["criterion"], found["measure"]) == (THIRD, "RANO_2010", "area")
    )
    assert [option["category"] for option in entry["provisional"]] == list(verdict.possible)
    entry["provisional"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(assessment_json.schema()).validate(document)


def test_followed_rows_survive_the_table(followed, tmp_path):
    rows = lesion_rows(followed)
    measurements_csv.write(followed.patient, rows, tmp_path / "measurements.csv")
    back = measurements_csv.read(tmp_path / "measurements.csv")
    assert [(row.visit, row.region, row.kind, row.name, row.unit) for row in back] == [
        (row.visit, row.region, row.kind, row.name, row.unit) for row in rows
    ]
    assert back[0].value == pytest.approx(rows[0].value, rel=1e-5)
