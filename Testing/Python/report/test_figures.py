"""Figures as SVG: what stands where, and that it can be read without colour."""

import dataclasses
import datetime
import xml.etree.ElementTree as ElementTree

import pytest

from PseudoProgressionAnalyzerLib.measures import Event, Measurement
from PseudoProgressionAnalyzerLib.report import figures

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        for value in element.attrib.values():
            assert "nan" not in value and "inf" not in value.split()
    assert root.get("aria-label") == root.find(f"{SVG}title").text
    return root


def number(element, name):
    return float(element.get(name))


def words(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_dates_are_true_and_values_are_to_scale(analysis):
    root = parsed(figures.over_time(analysis.patient, analysis.measurements, ["volume"]))
    discs = list(root.iter(f"{SVG}circle"))
    days = [0, 52, 371]  # 2020-01-10, 2020-03-02, 2021-01-15
    x = [number(disc, "cx") for disc in discs]
    assert (x[1] - x[0]) / (x[2] - x[0]) == pytest.approx(days[1] / days[2], abs=2e-3)
    y = [number(disc, "cy") for disc in discs]
    volumes = [4.1, 9.7, 2.2]
    assert (y[0] - y[1]) / (y[2] - y[1]) == pytest.approx((9.7 - 4.1) / (9.7 - 2.2), abs=2e-2)
    # Error bars are 10 % up and down.
    scale = (y[0] - y[1]) / (volumes[1] - volumes[0])
    bars = [line for line in root.iter(f"{SVG}line") if line.get("stroke-width") == "1.4"]
    assert len(bars) == 3
    for bar, disc, volume in zip(bars, discs, volumes, strict=True):
        assert number(bar, "x1") == number(bar, "x2") == number(disc, "cx")
        assert number(bar, "y1") - number(bar, "y2") == pytest.approx(0.2 * volume * scale, abs=0.3)
    assert {"2020-01-10", "2020-03-02", "2021-01-15", "day 7", "day 326"} <= set(words(root))


def test_own_and_fixed_differ_in_shape_and_line(analysis):
    root = parsed(figures.over_time(analysis.patient, analysis.measurements, ["rCBV_ratio_mean"]))
    own, fixed = root.iter(f"{SVG}polyline")
    assert own.get("stroke-dasharray") is None
    assert fixed.get("stroke-dasharray")
    squares = [rect for rect in root.iter(f"{SVG}rect") if rect.get("width") == rect.get("height") == "8"]
    assert len(list(root.iter(f"{SVG}circle"))) == 2 and len(squares) == 2


def test_bands_stand_on_their_days(analysis):
    root = parsed(figures.over_time(analysis.patient, analysis.measurements, ["volume"]))
    x = [number(disc, "cx") for disc in root.iter(f"{SVG}circle")]
    per_day = (x[2] - x[0]) / 371
    end = x[0] + 45 * per_day  # of radiotherapy: 2020-02-24
    grey, early, late = (
        next(rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") == fill)
        for fill in ("#c9ced6", "#e6eef6", "#f7eee3")
    )
    assert number(grey, "x") == pytest.approx(end - 42 * per_day, abs=0.2)
    assert number(grey, "width") == pytest.approx(42 * per_day, abs=0.2)
    assert (number(early, "x"), number(early, "width")) == pytest.approx((end, 84 * per_day), abs=0.2)
    assert number(late, "x") == pytest.approx(end + 183 * per_day, abs=0.2)
    assert number(late, "x") + number(late, "width") <= figures.WIDTH - figures.RIGHT + 0.1  # cut at the end
    assert {"0-12 weeks", "6-18 months", "Radiotherapy", "Surgery"} <= set(words(root))
    assert "MGMT" not in words(root)  # it has no date


def test_without_dates_there_is_no_figure_and_without_radiotherapy_no_band(analysis):
    undated = [dataclasses.replace(visit, date=None) for visit in analysis.patient.visits]
    patient = dataclasses.replace(analysis.patient, visits=undated)
    assert figures.over_time(patient, analysis.measurements, ["volume"]) == ""
    patient = dataclasses.replace(analysis.patient, events=[])
    assert "0-12 weeks" not in words(parsed(figures.over_time(patient, analysis.measurements, ["volume"])))


def test_labels_of_close_dates_do_not_overlap(analysis):
    close = [
        dataclasses.replace(visit, date=datetime.date(2020, 3, 2) + datetime.timedelta(days=3 * number_))
        for number_, visit in enumerate(analysis.patient.visits)
    ]
    far = Event("surgery", datetime.date(2022, 1, 1))
    patient = dataclasses.replace(analysis.patient, visits=close, events=[far])
    root = parsed(figures.over_time(patient, analysis.measurements, ["volume"]))
    places = sorted(number(text, "x") for text in root.iter(f"{SVG}text") if (text.text or "").startswith("2020-"))
    assert len(places) == 1


def test_hostile_names_stay_words(analysis):
    name = '<script>alert("x")</script>'
    row = Measurement(analysis.patient.visits[0].id, name, "own", "", name, 1.0, name)
    root = parsed(figures.over_time(analysis.patient, [row], [name]))
    assert not list(root.iter(f"{SVG}script"))
    assert any(name in (text or "") for text in words(root))


@pytest.mark.parametrize(("weight", "side"), [(6.0, 1), (-6.0, -1), (-3.0, -0.5), (0.0, 0)])
def test_a_weight_points_to_its_side(weight, side):
    root = parsed(figures.weight_bar(weight, 6.0))
    (bar,) = root.iter(f"{SVG}rect")
    middle = number(next(root.iter(f"{SVG}line")), "x1")
    ends = number(bar, "x"), number(bar, "x") + number(bar, "width")
    assert max(ends, key=lambda end: abs(end - middle)) - middle == pytest.approx(side * middle)
    assert root.get("aria-label") == f"{weight:+.1f} dB"


def test_the_probability_stands_on_its_scale():
    root = parsed(figures.probability_bar((0.25, 0.1, 0.5), (0.6, 0.3, 0.8)))
    whole, interval, median = root.iter(f"{SVG}rect")
    left, width = number(whole, "x"), number(whole, "width")
    assert (number(interval, "x") - left) / width == pytest.approx(0.1, abs=1e-3)
    assert number(interval, "width") / width == pytest.approx(0.4, abs=1e-3)
    assert (number(median, "x") + 2 - left) / width == pytest.approx(0.25, abs=1e-3)
    assert "25 % (10 to 50 %)" in root.get("aria-label")


@pytest.mark.parametrize(("probability", "filled"), [(0.0, 0), (0.346, 35), (0.95, 95), (1.0, 100)])
def test_of_a_hundred_patients(probability, filled):
    discs = list(parsed(figures.hundred_patients(probability)).iter(f"{SVG}circle"))
    assert len(discs) == 100
    assert sum(disc.get("fill") != "#fff" for disc in discs) == filled
