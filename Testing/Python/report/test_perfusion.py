"""Perfusion on the report: figures from known curves, the grade of the protocol, and what is said where none is."""

import re

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, DscChoices
from PseudoProgressionAnalyzerLib.measures import Measurement, Message, Patient, Series, Visit
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.perfusion import grade_of, perfusion_parts, rate_figure, signal_figure

FIELDS = {"EchoTime": 0.03, "RepetitionTime": 1.5, "FlipAngle": 60.0, "MagneticFieldStrength": 3.0}


@pytest.fixture
def analysis():
    """One visit with curves, one whose series could not be used, one without perfusion."""
    series = {"a": [Series("DSC", "a", FIELDS)], "b": [Series("DSC", "b", FIELDS)], "c": []}
    made = Analysis(Patient("p", [Visit(name, None, found) for name, found in series.items()]))
    rate = np.concatenate([np.zeros(10), [5.0, 16.0, 9.0, 4.0], np.full(16, 2.0)])
    made.curves["a", "DSC"] = {
        "time": np.arange(30) * 1.5,
        "brain_signal": 800 * np.exp(-0.03 * rate),
        "lesion_signal": 500 * np.exp(-0.06 * rate),
        "reference_rate": rate,
        "arterial_rate": 3 * rate,
        "frames": np.array([1, 10, 11, 16]),
        "shares": np.array([0.9, 0.05, 0.04, 0.0, 0.01]),
    }
    made.absent["b", "rCBV_ratio"] = (
        Message("map_not_made", {"visit": "b", "role": "DSC"}),
        Message("dsc_no_bolus", {"drop": 0.3}),
    )
    return made


def points(figure):
    """Every curve of a figure as array ``(n, 2)`` of its pixels."""
    return [
        np.array([pair.split(",") for pair in found.split()], dtype=float)
        for found in re.findall(r'points="([^"]+)"', figure)
    ]


def test_curves_lie_where_their_numbers_say(analysis):
    figure = signal_figure(Markup(analysis.patient), analysis, "a")
    brain, lesion, reference = points(figure)
    assert len(brain) == 30
    assert np.allclose(brain, reference, atol=0.11)  # the same rate in this patient
    heights = (brain[0, 1], brain[11, 1], lesion[11, 1])
    full, deep, deeper = (100 - 100 * (height - heights[0]) / (176 - heights[0]) for height in heights)
    assert full == 100
    assert deep == pytest.approx(100 * np.exp(-0.03 * 16), abs=1)
    assert deeper == pytest.approx(100 * np.exp(-0.06 * 16), abs=1)
    assert figure.count("<title>") == 1
    assert "bolus arrives" in figure
    tissue, artery = points(rate_figure(Markup(analysis.patient), analysis, "a"))
    foot = tissue[0, 1]
    assert (foot - artery[11, 1]) / (foot - tissue[11, 1]) == pytest.approx(3, rel=0.01)


def test_without_lesion_and_artery_their_curves_are_not_drawn(analysis):
    del analysis.curves["a", "DSC"]["lesion_signal"], analysis.curves["a", "DSC"]["arterial_rate"]
    assert len(points(signal_figure(Markup(analysis.patient), analysis, "a"))) == 2
    assert len(points(rate_figure(Markup(analysis.patient), analysis, "a"))) == 1


def test_the_grade_follows_what_is_known_of_the_preload(analysis):
    assert grade_of(analysis, "a").grade == "unknown"
    analysis.dsc_choices["a"] = DscChoices(preload=True)
    assert grade_of(analysis, "a").grade == "recommended"
    analysis.dsc_choices["a"] = DscChoices(preload=False)
    assert grade_of(analysis, "a").grade == "departs"
    analysis.patient.visit("b").of_role("DSC").acquisition = {**FIELDS, "Preload": True}
    assert grade_of(analysis, "b").grade == "recommended"
    assert grade_of(analysis, "c") is None


def test_each_visit_says_what_it_has_and_why_not(analysis):
    analysis.measurements = [
        Measurement("a", "lesion", "own", "a", f"PRM_{name}", share, "%")
        for name, share in (("increased", 12.3), ("unchanged", 70.0), ("decreased", 17.7))
    ]
    text = "".join(perfusion_parts(Markup(analysis.patient), analysis))
    assert text.count("<h3>") == 2
    assert "90.0 %; left out for noise 5.0 %" in text
    assert "No rCBV" in text
    assert "never drops clearly (0.3 % at most)" in text
    assert perfusion_parts(Markup(Patient("p", [Visit("c", None)])), Analysis(Patient("p", [Visit("c", None)]))) == []
