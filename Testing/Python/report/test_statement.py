"""The assessment in words: one model for page and panel, every item with its reasons, every limit on its strip."""

import itertools
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
    assert "these are samples, 2 per patient" in said.lines[0].accuracy  # 36 and 12 of 18 and 6 patients


def test_nothing_surer_than_shown_is_said():
    rows = [measured("Cho_NAA_molar", 6.0, visit=LATE), measured("ADC_mean", 700.0, "10^-6 mm^2/s", LATE)]
    said = statement(assess_visit(patient(), LATE, rows, prior=(0.9, 0.85, 0.95)))
    assert "95 or more would have true progression" in said.frequency and "5 or fewer" in said.frequency


@pytest.mark.parametrize(
    ("shown", "words"),
    [((0.93, 0.77, 0.95), "77 % or more"), ((0.07, 0.05, 0.26), "26 % or less"), ((0.5, 0.3, 0.7), "30 to 70 %")],
)
def test_the_limits_of_what_is_shown_are_no_limits_of_the_data(assessment, shown, words):
    assert (
        f"the 95 % interval of the probability of true progression is {words}."
        in statement(replace(assessment, probability=shown)).limits
    )


def test_insufficient_has_neither_frequency_nor_probability():
    said = statement(assess_visit(patient(), EARLY, []))
    assert said.frequency == "" and said.lines == ()
    (why,) = said.why
    assert why.startswith("No lesion was drawn in this visit")
    assert "insufficient" in said.conclusion and "No probability" in said.limits


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


def test_every_limit_carries_its_number_and_none_lies_on_another(assessment):
    """1.74 and 1.8 stand side by side: a number of three letters is 21 pixels wide."""
    drawn = limits.figures(Markup(patient()), statement(assessment).lines)
    strip = next(part for part in drawn.split("<svg") if "rCBV ratio, mean" in part)
    places = [float(x) for x in re.findall(r'<path d="M([\d.]+)', strip)]
    numbers = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*text-anchor="middle"[^>]*>([\d.]+)<', strip)
    assert sorted(float(x) for x, _, _ in numbers) == sorted(places)
    held = {line.evidence.criterion.cut_off for line in statement(assessment).lines
            if line.evidence.measurement.name == "rCBV_ratio_mean"}  # fmt: skip
    assert {float(number) for *_, number in numbers} == held
    spots = [(float(x), float(y)) for x, y, _ in numbers]
    assert all(abs(a[0] - b[0]) > 25 or abs(a[1] - b[1]) > 11 for a, b in itertools.combinations(spots, 2))
    height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', strip).group(1))
    assert max(y for _, y in spots) + 3 < height


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
    assert named(late) == "Clin Cancer Res 2016"
    long = "A title that has no author and goes on for longer than a narrow table, J Neurooncol 2018;136(1):13-21"
    assert named(long) == "J Neurooncol 2018"
    assert named(long.partition(", J")[0]) == "A title that has no author and goes on ..."


def test_names_do_not_run_into_their_strips(assessment):
    drawn = limits.figures(Markup(patient()), statement(assessment).lines)
    for place, name in re.findall(r'<text x="([\d.]+)" [^>]*font-weight="bold"[^>]*>([^<]+)<', drawn):
        assert float(place) + 7 * len(name) < limits.LEFT, name


def test_the_number_has_its_frame(assessment):
    """Prior 72 % late; what moves it is the sum of the ledger; floor and ceiling are said."""
    said = statement(assessment)
    start, moved, *_ = said.frame
    assert "72 % (54 to 86 %)" in start and "later than 12 weeks" in start and "3 studies of 159 lesions" in start
    assert "In the first 12 weeks it is 60 %" in start
    net = sum(item.weight for item in assessment.evidence if item.used)
    assert f"{net:+.1f} dB" in moved and f"to {100 * assessment.probability[0]:.0f} %" in moved
    means, floor, change = said.reading  # the same for every patient: beside the evidence, not on page one
    assert "likelihood ratio of at least 2" in means and "90 % or more of 2000" in means
    assert "5 and 95 % are the floor and the ceiling" in floor and "--prior" in change


def test_a_prior_that_cancels_the_evidence_is_named():
    rows = [measured("rCBV_ratio_mean", 0.8, visit=LATE)]
    found = assess_visit(patient(), LATE, rows, prior=(0.9, 0.85, 0.95))
    said = statement(found)
    assert "stated by the user" in said.frame[0] and "3 studies" not in said.frame[0]
    net = sum(item.weight for item in found.evidence if item.used)
    even = round(100 / (1 + 10 ** (-net / 10)))
    assert "opposite directions" in " ".join(said.frame)
    assert f"from even odds (50 %) the same evidence would give {even} %" in " ".join(said.frame)
    along = assess_visit(patient(), LATE, rows, prior=(0.3, 0.2, 0.4))
    assert "opposite" not in " ".join(statement(along).frame)


def test_mixed_with_one_side_is_not_said_to_speak_for_both():
    found = assess_visit(patient(), LATE, [measured("rCBV_ratio_mean", 0.8, visit=LATE)], prior=(0.9, 0.85, 0.95))
    assert found.conclusion == "mixed"
    assert "points one way" in statement(found).conclusion and "both sides" not in statement(found).conclusion
    both = [measured("rCBV_ratio_mean", 4.0, visit=LATE), measured("Cho_NAA_molar", 1.2, visit=LATE)]
    mixed = assess_visit(patient(), LATE, both)
    assert mixed.conclusion != "mixed" or "both sides" in statement(mixed).conclusion


def test_what_lies_on_the_other_side_without_weight_is_named():
    rows = [
        measured("Cho_NAA_molar", 0.5, visit=LATE),
        measured("PSR_mean", 80.0, "%", LATE),  # beyond 90 %, not beyond 74 %: neither limit weighs
        measured("rPSR_mean", 80.0, "%", LATE),  # the direction is disputed: on no side
        measured("rCBF_ratio_mean", 0.5, visit=LATE),  # on the side that is favoured
    ]
    (item,) = statement(assess_visit(patient(), LATE, rows)).opposed["progression"]
    assert "80.0 %" in item and "90 % (Young 2013)" in item and "74" not in item
    assert "its other cut-offs lie the other way" in item and "No weight" in item
    rows[1] = measured("PSR_mean", 95.0, "%", LATE)
    assert statement(assess_visit(patient(), LATE, rows)).opposed == {"progression": ()}


def test_a_measure_that_weighs_for_one_side_is_said_on_the_other_too():
    """rCBV 1.09 lies below the limits that weigh and above 1.07, which has no weight."""
    rows = [measured("Cho_NAA_molar", 0.5, visit=LATE), measured("rCBV_ratio_mean", 1.09, visit=LATE)]
    said = statement(assess_visit(patient(), LATE, rows))
    assert any(item.startswith("rCBV ratio, mean") for item in said.sides["effect"])
    (item,) = said.opposed["progression"]
    assert item.startswith("rCBV ratio, mean 1.09, cut-off") and "its other cut-offs lie the other way" in item
    assert "1.07 (Prager 2015)" in item and "Martinez" not in item  # which is for rCBV without leakage correction
    assert not any(limit in item for limit in ("1.49", "1.74", "1.8", "2.15"))
    weighing = assess_visit(patient(), LATE, [measured("rCBV_ratio_mean", 4.0, visit=LATE)])
    for_progression = statement(replace(weighing, conclusion="mixed")).opposed
    assert for_progression["progression"] == ()  # it stands there with its weight


def test_what_is_next_to_its_limit_does_not_look_equal_to_it():
    rows = [measured("Cho_NAA_molar", 0.5, visit=LATE), measured("rCBF_ratio_median", 1.052, visit=LATE)]
    said = statement(assess_visit(patient(), LATE, rows))
    (item,) = said.opposed["progression"]
    assert item.startswith("rCBF ratio (DSC), median 1.052, cut-off")
    (line,) = [line for line in said.lines if line.evidence.measurement.name == "rCBF_ratio_median"]
    assert line.value.startswith("1.052 (")


def test_what_rounds_to_nothing_is_not_counted():
    rows = [measured("Cho_NAA_molar", 0.5), measured("NAA_Cr_molar", 1.2)]  # one spectrum, one voice
    said = statement(assess_visit(patient(), EARLY, rows))
    silent = next(line for line in said.lines if line.evidence.measurement.name == "NAA_Cr_molar")
    assert silent.weight_words == "0.0 dB"
    assert "What weighs: one measure (metabolism), held against one published cut-off" in said.limits
    assert [item.split(" ")[0] for item in said.sides["effect"]] == ["Cho/NAA,"] and said.sides["progression"] == ()


def test_tests_stand_in_the_order_of_what_they_tell():
    found = assess_visit(patient(), LATE, [measured("rCBV_ratio_mean", 1.0, visit=LATE)])
    tests = statement(found).tests
    tells = [test.takes_away for test in tests]
    assert tells == sorted(tells, reverse=True) and tests[0].takes_away > 0
    assert f"would take away {tests[0].takes_away} %" in statement(found).next_best
    assert f"expected in {tests[0].chance} of 100" in statement(found).next_best
    sure = assess_visit(patient(), LATE, [measured("Cho_NAA_molar", 9.0, visit=LATE)], prior=(0.98, 0.97, 0.99))
    assert sure.next_best_test is None and not any(test.tells for test in statement(sure).tests)
