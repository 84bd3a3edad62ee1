"""Round ends and ticks of scales."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.report.scales import nice_ticks, nice_top


@pytest.mark.parametrize(
    ("value", "end"), [(2.4, 2.5), (2.6, 3), (3, 3), (0.011, 0.015), (97, 100), (1, 1), (0, 1), (-3, 1), (math.nan, 1)]
)
def test_the_end_is_round_and_not_below(value, end):
    assert nice_top(value) == pytest.approx(end)


@given(st.floats(1e-6, 1e9))
def test_ticks_run_evenly_from_zero_to_the_end(value):
    end = nice_top(value)
    ticks = nice_ticks(end)
    assert value * (1 - 1e-6) <= end <= 2 * value
    assert ticks[0] == 0
    assert ticks[-1] == pytest.approx(end)
    assert 3 <= len(ticks) <= 6
    assert np.allclose(np.diff(ticks), ticks[1], rtol=1e-4)
