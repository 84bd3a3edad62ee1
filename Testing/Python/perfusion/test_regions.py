"""Region measures against hand values and scipy, with properties that weights must have."""

import numpy as np
import pytest
from scipy import stats

from PseudoProgressionAnalyzerLib.perfusion.regions import (
    DECREASED,
    INCREASED,
    percentile_intervals,
    response_map,
    response_shares,
    tumour_burden,
)


def test_percentile_interval_holds_the_true_percentile_in_95_of_100_samples():
    """Whatever the distribution: samples of a skewed one, whose percentiles are known."""
    random = np.random.default_rng(0)
    for percent in (25, 50, 90):
        truth = stats.gamma(2).ppf(percent / 100)
        held = 0
        for _ in range(400):
            x = random.gamma(2, 1, 120)
            ((low, high),) = percentile_intervals(x, np.ones(120), [percent], 120)
            assert low <= np.percentile(x, percent) <= high
            held += low <= truth <= high
        assert 0.92 < held / 400 < 0.985, percent


def test_percentile_interval_is_wider_with_fewer_voxels_and_leaves_untrusted_ones_out():
    x = np.random.default_rng(1).normal(0, 1, 500)
    (many,), (few,) = (percentile_intervals(x, np.ones(500), [50], effective) for effective in (500, 50))
    assert few[1] - few[0] > 2.5 * (many[1] - many[0])
    wrong = np.append(x, np.full(400, 1e9))
    trusted = wrong < 1e8
    both = percentile_intervals(wrong, np.ones(900), [25, 50], 500, trusted)
    assert both[1] == pytest.approx(many)
    assert both[0][1] < both[1][0]


def test_tumour_burden_by_hand():
    ratio = np.array([0.5, 0.99, 1.0, 1.5, 1.75, 1.76, 4.0, 2.0])
    burden = tumour_burden(ratio, np.ones(8))
    assert (burden.low, burden.middle, burden.high) == (0.25, 0.375, 0.375)
    weighted = tumour_burden(ratio, np.array([2, 0, 0, 1, 0, 0, 1, 0]))
    assert (weighted.low, weighted.middle, weighted.high) == (0.5, 0.25, 0.25)
    assert tumour_burden(ratio, np.zeros(8)) is None


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
    after[3, 0, 0] = np.nan
    found = response_map(before, after, normal)
    assert found.low == pytest.approx(-0.196, abs=0.03)
    assert found.high == pytest.approx(0.196, abs=0.03)
    assert np.all(found.classes[:2, :10, :5] == INCREASED)
    assert np.all(found.classes[2, :10, :5] == DECREASED)
    assert not found.trusted[3, 0, 0]
    assert found.trusted.sum() == before.size - 1
    shares = response_shares(found.classes, lesion, found.trusted)
    assert shares.increased == pytest.approx(0.5, abs=0.03)
    assert shares.decreased == pytest.approx(0.25, abs=0.03)
    assert shares.increased + shares.unchanged + shares.decreased == pytest.approx(1)
    assert response_shares(found.classes, 0 * lesion, found.trusted) is None
    assert code_of(response_map, before, after, normal & (before > 1.19)) == "response_map_normal"
    assert code_of(response_map, before, after, normal[0]) == "perfusion_mask_shape"
    assert code_of(response_shares, found.classes, lesion[0]) == "perfusion_mask_shape"


def test_noise_of_normal_brain_is_no_response():
    """Where nothing changed about 5 % of the voxels lie beyond the limits; with limits of a quieter brain more do."""
    random = np.random.default_rng(2)
    before = random.normal(1, 0.2, 20000)
    after = before + random.normal(0, 0.2, before.size)
    normal = np.arange(before.size) < 10000
    shares = response_shares(response_map(before, after, normal).classes, ~normal)
    assert shares.increased + shares.decreased == pytest.approx(0.05, abs=0.012)
    quiet = np.where(normal, before + 0.3 * (after - before), after)
    shares = response_shares(response_map(before, quiet, normal).classes, ~normal)
    assert shares.increased + shares.decreased > 0.4
