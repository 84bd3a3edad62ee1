"""The assessment in words: one model for page and panel, every item with its reasons, every limit on its strip."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from PseudoProgressionAnalyzerLib.assessment import assess_visit
from PseudoProgressionAnalyzerLib.measures import Event
from PseudoProgressionAnalyzerLib.report import limits
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.statement import statement

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from assessment.simple import DATES, EARLY, LATE, measured, patient


@pytest.fixture(scope="module")
def assessment():
    rows = [
        measured("rCBV_ratio_mean", 4.0, visit=LATE),
        measured("Cho_NAA_molar", 0.6, visit=LATE),
        measured("ADC_mean", 900.0, "10^-6 mm^2/s", LATE),
    ]
    return assess_visit(patient([Event("bevacizumab", DATES[EARLY], details={"given": False})]), LATE, rows)


def test_every_line_of_the_ledger_is_there_the_heaviest_first(assessment):
    lines = statement(assessment).lines
    assert [line.evidence for line in lines] == sorted(
        assessment.evidence, key=lambda item: (not item.used, -abs(item.weight))
    )
    weights = [abs(line.weight) for line in lines if line.weight is not None]
    assert weights == sorted(weights, reverse=True)
    assert [line.weight is None for line in lines] == sorted(line.weight is None for line in lines)
    for line in lines:
        assert line.source and line.cut_off and line.value and (line.reasons or line.weight is not None)
        assert (line.weight_words == "") == (line.weight is None)


def test_conflict_is_named_in_words(assessment):
    (why, *_) = statement(assessment).why
    assert why.startswith("The tests disagree: ADC, rCBV for true progression; Cho/NAA for treatment effect")


def test_what_the_conclusion_rests_on_is_said():
    rows = [measured("rCBV_ratio_mean", 1.0), measured("Cho_NAA_molar", 0.6)]
    said = statement(assess_visit(patient(), EARLY, rows))
    assert "It rests on spectroscopy: without it the conclusion would be another." in said.why
    assert "these are samples, 2 of each patient" in said.lines[0].accuracy  # 36 and 12 of 18 and 6 patients


def test_nothing_surer_than_shown_is_said():
    rows = [measured("Cho_NAA_molar", 6.0, visit=LATE), measured("ADC_mean", 700.0, "10^-6 mm^2/s", LATE)]
    said = statement(assess_visit(patient(), LATE, rows, prior=(0.9, 0.85, 0.95)))
    assert "95 or more would have true progression" in said.frequency and "5 or fewer" in said.frequency


@pytest.mark.parametrize(
    ("shown", "words"),
    [((0.93, 0.77, 0.95), "77 % or more"), ((0.07, 0.05, 0.26), "26 % or less"), ((0.5, 0.3, 0.7), "30 to 70 %")],
)
def test_the_limits_of_what_is_shown_are_no_limits_of_the_data(assessment, shown, words):
    assert f"the data allow {words} for true progression" in statement(replace(assessment, probability=shown)).limits


def test_insufficient_has_neither_frequency_nor_probability():
    said = statement(assess_visit(patient(), EARLY, []))
    assert said.frequency == "" and said.lines == () and said.why == ()
    assert "insufficient" in said.conclusion and "no probability" in said.limits


def test_what_is_missing_is_apart_from_what_is_not_stated(assessment):
    said = statement(assessment)
    assert said.next_best.startswith(f"Of the tests without weight {said.tests[0].name} would")
    assert {"Immunotherapy", "Surgery after radiotherapy", "Another course of radiotherapy"} <= set(said.not_stated)
    assert "Bevacizumab" not in said.not_stated
    assert said.dates and not set(said.dates) & set(said.context)
    assert said.prior and said.prior not in said.context


def test_the_value_stands_among_all_its_limits(assessment):
    lines = statement(assessment).lines
    drawn = limits.figures(Markup(patient()), lines)
    strip = next(part for part in drawn.split("<svg") if "rCBV ratio, mean" in part)
    held = [line for line in lines if line.evidence.measurement.name == "rCBV_ratio_mean"]
    full = [line for line in held if line.weight is not None]
    assert strip.count("<path") == len({line.evidence.criterion.cut_off for line in held}) > len(full)
    assert strip.count('fill="#fff"') == len(held) - len(full)
    at = {float(x) for x in re.findall(r'<path d="M([\d.]+)', strip)}
    value = float(re.search(r'cx="([\d.]+)"', strip).group(1))
    assert max(at) < value  # 4.0 lies beyond every limit, 2.15 the highest


def test_another_unit_is_never_drawn_on_the_same_strip(assessment):
    items = [replace(item, measurement=replace(item.measurement, unit="furlong")) for item in assessment.evidence]
    assert limits.figures(Markup(patient()), statement(replace(assessment, evidence=tuple(items))).lines) == ""


def test_sources_are_named_as_in_running_text(assessment):
    line = statement(assessment).lines[0]

    def named(citation):
        item = replace(line.evidence, criterion=replace(line.evidence.criterion, citation=citation))
        return replace(line, evidence=item).short_source

    assert named("Bulik M 2015 BioMed Res Int, 641023, 10.1155/2015/641023") == "Bulik M 2015"
    assert named("Kong 2011, as cited in PMC4757138") == "Kong 2011"
    assert named("Ma B, Applying amide proton transfer-weighted MRI, J Magn Reson Imaging") == "Ma B"
    tracers = "11C-methionine, 11C-choline and FDG PET of glioma recurrence and radiation necrosis, PMC4533484"
    assert named(tracers) == "11C-methionine, 11C-choline and FDG ..."
    late = "Late Pseudoprogression in Glioblastoma, Clin Cancer Res 2016;22(9):2190-2196"
    assert named(late) == "Late Pseudoprogression in Glioblastoma"
    long = "A title that has no author and goes on for longer than a narrow table, J Neurooncol 2018;136(1):13-21"
    assert named(long) == "A title that has no author and goes on ..."


def test_names_do_not_run_into_their_strips(assessment):
    drawn = limits.figures(Markup(patient()), statement(assessment).lines)
    for place, name in re.findall(r'<text x="([\d.]+)" [^>]*font-weight="bold"[^>]*>([^<]+)<', drawn):
        assert float(place) + 7 * len(name) < limits.LEFT, name
