"""Repeatability and the spread of published cut-offs."""

import math
import statistics

import pytest

from PseudoProgressionAnalyzerLib.assessment.criteria_set import default_criteria
from PseudoProgressionAnalyzerLib.assessment.published import repeatability
from PseudoProgressionAnalyzerLib.assessment.spreads import CutOffSpreads, repeat_spread

CRITERIA = {criterion.id: criterion for criterion in default_criteria().criteria}
SPREADS = CutOffSpreads(default_criteria().criteria)


def test_cut_off_spreads_come_from_different_studies():
    assert SPREADS.of(CRITERIA["DSC-01"]) == (pytest.approx(math.log(2.15 / 0.9) / math.sqrt(12)), False)
    assert SPREADS.of(CRITERIA["DSC-19"]) == (pytest.approx(math.log(3.1 / 1.49) / math.sqrt(12)), False)
    # FET 2.3 and 1.9: ln(2.3 / 1.9) / sqrt 2.
    assert SPREADS.of(CRITERIA["FET-01"]) == (pytest.approx(math.log(2.3 / 1.9) / math.sqrt(2)), False)
    # Two limits of one study (APTw 2.42 and 2.54) say nothing about how far limits of studies lie apart.
    assert SPREADS.of(CRITERIA["APT-01"]) == (SPREADS.typical, True)


def test_the_assumed_spread_is_the_median_of_the_others():
    # Pooled ranges of mean and maximum rCBV (0.251, 0.212), studies of rCBV (0.349), rCBF (0.381), Ktrans (0.598),
    # blood flow (0.366), PSR (0.138), FET (0.135), FDOPA to brain (0.225) and to striatum (0.361), ADC (0.057).
    known = [0.251, 0.212, 0.349, 0.381, 0.598, 0.366, 0.138, 0.135, 0.225, 0.361, 0.057]
    assert pytest.approx(statistics.median(known), abs=0.002) == SPREADS.typical


def test_spread_of_a_repeated_measurement_on_both_scales():
    assert repeat_spread(CRITERIA["DSC-01"]) == (pytest.approx(math.sqrt(math.log(1 + 0.31**2))), None)
    typical = statistics.median(repeatability().values())
    assert repeat_spread(CRITERIA["APT-01"]) == (pytest.approx(2.42 * typical), typical)
