"""A ratio without a value but with a lower bound, held against cut-offs."""

import pytest

from PseudoProgressionAnalyzerLib.assessment.criteria_set import default_criteria
from PseudoProgressionAnalyzerLib.assessment.evidence import Circumstances, hold
from PseudoProgressionAnalyzerLib.assessment.spreads import CutOffSpreads
from PseudoProgressionAnalyzerLib.measures import Measurement


def row(value, low, high=None):
    return Measurement("v", "lesion", "own", "v", "Cho_NAA_molar", value, "1", low=low, high=high)


@pytest.fixture(scope="module")
def held():
    criteria = default_criteria().criteria
    (criterion,) = [one for one in criteria if one.measure == "Cho_NAA_molar"]
    spreads = CutOffSpreads(criteria)
    return lambda measurement: hold(measurement, criterion, Circumstances(day=100), spreads)


def test_a_bound_beyond_the_cut_off_counts_as_much_as_a_value_there(held):
    bound, value = held(row(None, 5.0)), held(row(5.0, 5.0, 5.0))
    assert bound.used and bound.distance == pytest.approx(value.distance) and bound.distance > 0
    assert "evidence_bound" in {reason.code for reason in bound.reasons}


def test_a_bound_below_the_cut_off_says_nothing(held):
    assert not held(row(None, 0.5)).used
    assert not held(row(None, None)).used


def test_an_upper_bound_below_the_cut_off_speaks_on_that_side(held):
    """Choline not detected: the ratio is smaller than the bound. A bound above the cut-off leaves both sides open."""
    bound, value = held(row(None, None, 0.2)), held(row(0.2, 0.2, 0.2))
    assert bound.used and bound.distance == pytest.approx(value.distance) and bound.distance < 0
    assert "evidence_bound" in {reason.code for reason in bound.reasons}
    assert not held(row(None, None, 5.0)).used and not held(row(None, 0.2, 5.0)).used
