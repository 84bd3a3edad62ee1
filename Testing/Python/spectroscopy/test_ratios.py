"""Ratios and their intervals against hand calculation and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.spectroscopy.ratios import Z, fieller, kind_factor


def test_fieller_by_hand():
    # a = 10 +- 1, b = 20 +- 2: the ends solve (a - r b)^2 = z^2 (1 + 4 r^2), a quadratic in r.
    square, rest = 400 - Z**2 * 4, 100 - Z**2
    roots = np.roots([square, -400, rest])
    ratio = fieller(10, 20, 1, 4, 0)
    assert ratio.value == 0.5
    assert (ratio.low, ratio.high) == pytest.approx(sorted(roots))


def test_a_denominator_that_may_be_nothing_leaves_a_lower_bound():
    ratio = fieller(10.0, 1.0, 0.25, 1.0, 0.0)
    assert np.isnan(ratio.value) and np.isinf(ratio.high)
    # At the bound the difference 10 - r is just 1.96 of its standard deviations away from zero.
    assert 10 - ratio.low == pytest.approx(Z * np.sqrt(0.25 + ratio.low**2))
    none = fieller(10.0, 0.0, 0.25, 1.0, 0.0)
    assert none.low == pytest.approx(np.sqrt(100 / Z**2 - 0.25)) and np.isnan(none.value)


def test_neither_detected_says_nothing():
    ratio = fieller(0.5, 0.5, 1.0, 1.0, 0.0)
    assert np.isnan(ratio.value) and ratio.low == 0 and np.isinf(ratio.high)


@pytest.mark.parametrize("denominator", [0.5, 2.0, 10.0])
def test_coverage(denominator):
    random = np.random.default_rng(3)
    covariance = np.array([[0.3, -0.2], [-0.2, 0.8]])
    a, b = random.multivariate_normal((4.0, denominator), covariance, 20000).T
    ratio = fieller(a, b, 0.3, 0.8, -0.2)
    inside = np.mean((ratio.low <= 4 / denominator) & (4 / denominator <= ratio.high))
    assert 0.94 < inside <= 0.985
    narrow = fieller(a, b, 0.3 / 4, 0.8 / 4, -0.2 / 4)
    assert np.mean((narrow.low <= 4 / denominator) & (4 / denominator <= narrow.high)) < 0.9


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(1e-6, 10), st.floats(1e-6, 10), st.floats(-0.9, 0.9))
def test_the_value_lies_in_its_interval(a, b, saa, sbb, correlation):
    ratio = fieller(a, b, saa, sbb, correlation * np.sqrt(saa * sbb))
    assert ratio.low >= 0 and ratio.high >= ratio.low
    if np.isfinite(ratio.value):
        assert ratio.low <= ratio.value * (1 + 1e-9) and ratio.value <= ratio.high * (1 + 1e-9)


def test_kinds_of_ratio():
    assert kind_factor("tCho", "tNAA", "molar") == 1
    assert kind_factor("tCho", "tNAA", "area") == 3
    assert kind_factor("tNAA", "tCr", "area") == 1
    for wrong in (("Ins", "tCr", "area"), ("tCho", "tNAA", "height")):
        with pytest.raises(InputError, match="spectra_ratio_kind"):
            kind_factor(*wrong)
