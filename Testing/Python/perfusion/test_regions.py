"""Region measures against hand values and scipy, with properties that weights must have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from PseudoProgressionAnalyzerLib.perfusion.regions import (
    change,
    region_measures,
    response_map,
    tumour_burden,
)


def test_equal_weights_give_the_plain_statistics():
    x = np.random.default_rng(0).gamma(2, 1, (5, 6, 7))
    mask = x > 0.3
    found = region_measures(x, mask)
    inside = x[mask]
    assert found.voxels == inside.size
    assert found.mean == pytest.approx(inside.mean())
    for name, percent in (("p5", 5), ("p25", 25), ("median", 50), ("p75", 75), ("p90", 90), ("p95", 95)):
        assert getattr(found, name) == pytest.approx(np.percentile(inside, percent))
    assert found.standard_deviation == pytest.approx(inside.std())
    assert found.standard_error == pytest.approx(stats.sem(inside))
    assert found.skewness == pytest.approx(stats.skew(inside))
    assert found.kurtosis == pytest.approx(stats.kurtosis(inside))


def test_weights_count_as_shares_of_voxels():
    found = region_measures(np.array([1.0, 3.0, 100.0]), np.array([1.0, 0.5, 0.0]))
    assert found.mean == pytest.approx((1 + 1.5) / 1.5)
    assert found.voxels == 1.5


def test_untrusted_and_missing_voxels_take_no_part():
    x = np.array([1.0, 2.0, 3.0, np.nan, 1e9])
    found = region_measures(x, np.ones(5), trusted=np.array([1, 1, 1, 1, 0], bool))
    assert found.mean == pytest.approx(2)
    assert found.trusted_share == pytest.approx(0.6)
    empty = region_measures(x, np.zeros(5))
    assert empty.voxels == 0
    assert empty.mean is empty.median is empty.p95 is None
    one = region_measures(x, np.array([1.0, 0, 0, 0, 0]))
    assert one.mean == one.p95 == 1
    assert one.standard_error is one.skewness is one.kurtosis is None
    assert region_measures(np.full(9, 2.0), np.ones(9)).skewness is None


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    x=arrays.arrays(float, st.integers(1, 40), elements=st.floats(-10, 10)), factor=st.floats(0.1, 10), data=st.data()
)
def test_measures_ignore_order_and_the_unit_of_weights(x, factor, data):
    w = data.draw(arrays.arrays(float, x.size, elements=st.floats(0.01, 1)))
    order = data.draw(st.permutations(range(x.size)))
    first, second = region_measures(x, w), region_measures(x[order], w[order] * factor)
    for name in ("mean", "median", "p5", "p95"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), abs=1e-9)
    assert x.min() <= first.p5 <= first.median <= first.p95 <= x.max()


def test_ratio_to_the_reference(code_of):
    found = region_measures(np.array([2.0, 4.0, 6.0, 8.0]), np.ones(4))
    ratio = found.over(2.0)
    assert (ratio.mean, ratio.median) == (2.5, 2.5)
    assert ratio.kurtosis == found.kurtosis
    assert ratio.voxels == 4
    assert code_of(found.over, 0.0) == "reference_not_positive"
    assert code_of(found.over, float("nan")) == "reference_not_positive"


def test_tumour_burden_by_hand():
    ratio = np.array([0.5, 0.99, 1.0, 1.5, 1.75, 1.76, 4.0, 2.0])
    burden = tumour_burden(ratio, np.ones(8))
    assert (burden.low, burden.middle, burden.high) == (0.25, 0.375, 0.375)
    weighted = tumour_burden(ratio, np.array([2, 0, 0, 1, 0, 0, 1, 0]))
    assert (weighted.low, weighted.middle, weighted.high) == (0.5, 0.25, 0.25)
    assert tumour_burden(ratio, np.zeros(8)) is None


def test_change_is_held_against_the_published_repeatability():
    small, large = change(2.0, 3.5), change(2.0, 4.0)
    assert small.difference == 1.5
    assert (small.low, small.high) == (pytest.approx(-0.28), pytest.approx(3.28))
    assert not small.beyond
    assert large.beyond
    assert change(4.0, 2.0).beyond


def test_response_map_takes_its_limits_from_normal_brain(code_of):
    random = np.random.default_rng(1)
    before = random.uniform(0.8, 1.2, (4, 20, 20))
    after = before + random.normal(0, 0.1, before.shape)
    normal = np.zeros(before.shape, bool)
    normal[:, :, 10:] = True
    lesion = np.zeros(before.shape)
    lesion[:, :10, :5] = 1
    after[:2, :10, :5] += 1  # half of the lesion rises
    after[2, :10, :5] -= 1  # a quarter falls
    found = response_map(before, after, lesion, normal)
    assert found.low == pytest.approx(-0.196, abs=0.03)
    assert found.high == pytest.approx(0.196, abs=0.03)
    assert found.increased == pytest.approx(0.5, abs=0.03)
    assert found.decreased == pytest.approx(0.25, abs=0.03)
    assert found.increased + found.unchanged + found.decreased == pytest.approx(1)
    assert np.all(found.classes[:2, :10, :5] == 1)
    assert np.all(found.classes[2, :10, :5] == -1)
    assert not found.classes[lesion == 0].any()
    assert code_of(response_map, before, after, lesion, normal & (before > 1.19)) == "response_map_normal"
    assert code_of(response_map, before, after, 0 * lesion, normal) == "response_map_region"
    assert code_of(response_map, before, after, lesion[0], normal) == "perfusion_mask_shape"
