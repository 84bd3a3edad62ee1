"""What must stand beside the headline: the single limit behind it and the correction that decides it."""

import sys
from dataclasses import replace
from pathlib import Path

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.assessment import assess_visit
from PseudoProgressionAnalyzerLib.desktop.assessment_text import conclusion_text
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.statement import statement
from PseudoProgressionAnalyzerLib.report.summary import summary

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from assessment.simple import EARLY, codes, measured, patient


def assessed(*rows):
    return assess_visit(patient(), EARLY, rows)


def test_a_conclusion_that_rests_on_one_limit_says_which_and_in_how_many_it_was_found():
    """Bulik 2015: 36 and 12 samples, 2 of each patient, as printed in its table 3."""
    found = assessed(measured("rCBV_ratio_mean", 1.09), measured("Cho_NAA_molar", 0.58))
    said = statement(found)
    (sentence,) = said.cautions
    begin = "The conclusion rests on one published cut-off, Cho/NAA, molar \u2265\u00a01.4 (Bulik M 2015), "
    begin += "found in 36 samples of true progression and 12 of treatment effect, 2 per patient: -10.0 dB of -1"
    assert sentence.startswith(begin)
    assert sentence.endswith("Without spectroscopy the evidence is insufficient.")
    assert "36 samples" in conclusion_text(found, said)


def test_a_conclusion_that_stands_without_each_item_rests_on_no_single_limit():
    found = assessed(measured("rCBV_ratio_mean", 1.09), measured("Cho_NAA_molar", 0.58))
    stands = replace(
        found,
        leave_one_out=tuple(
            replace(message, parameters={**message.parameters, "conclusion": found.conclusion})
            for message in found.leave_one_out
        ),
    )
    assert statement(stands).cautions == ()
    assert statement(assessed()).cautions == ()


def test_two_limits_of_one_measure_are_not_one():
    found = assessed(measured("rCBV_ratio_mean", 9.0), measured("Cho_NAA_molar", 0.58))
    assert not any("rCBV" in sentence for sentence in statement(found).cautions)


def test_the_correction_for_leakage_that_decides_is_said_beside_the_headline():
    """1.09 with it, 2.45 without: Kong 1.49 and Young 1.8 lie between."""
    found = assessed(measured("rCBV_ratio_mean", 1.09), measured("rCBV_uncorrected_ratio_mean", 2.45))
    (sentence,) = [one for one in statement(found).cautions if "leakage" in one]
    assert "1.09 with it and 2.45 without it" in sentence
    assert "cut-off between them: 1.49, 1.8)" in sentence  # 1.74 and 2.15 have no weight
    assert sentence not in statement(found).context and sentence in conclusion_text(found, statement(found))
    for rows in (
        [measured("rCBV_ratio_mean", 1.10), measured("rCBV_uncorrected_ratio_mean", 1.20)],  # on one side of all
        [measured("rCBV_ratio_mean", 1.09)],
        [measured("rCBV_ratio_mean", 1.09), measured("rCBV_uncorrected_ratio_mean", None)],
    ):
        assert "leakage_decides" not in codes(assessed(*rows).context)


def test_page_one_has_the_cautions_beside_the_number():
    found = assessed(measured("rCBV_ratio_mean", 1.09), measured("rCBV_uncorrected_ratio_mean", 2.45),
                     measured("Cho_NAA_molar", 0.58))  # fmt: skip
    page = summary(Markup(patient()), found, Analysis(patient()))
    number, limits = page.index("Of 100 patients"), page.index("Limits: ")
    assert number < page.index("36 samples") < page.index("2.45 without it") < limits
