"""Ratios of regions and their intervals against hand calculation and against what chance does to known amounts.

Nothing is fitted here: amounts and their errors are stated, so that every number is known exactly.
"""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol
from PseudoProgressionAnalyzerLib.spectroscopy.regions import (
    change,
    ratio,
    ratio_of,
    share_of,
    sums,
    to_contralateral,
)
from PseudoProgressionAnalyzerLib.spectroscopy.result import Fit

NAMES = ("NAA", "NAAG", "Cr", "PCr", "GPC", "PCh", "Lac")
Z = 1.959964
ALL = np.ones((1, 1, 4))
TRUE = np.array([2.0, 0.4, 1.8, 1.0, 1.1, 0.3, 0.6])
PARTS = {"tNAA": [0, 1], "tCr": [2, 3], "tCho": [4, 5], "Lac": [6]}
COVARIANCE = 0.04 * np.eye(7) + 0.005 * np.ones((7, 7))  # of one voxel, by noise alone
COMMON = 0.01 * np.diag([1.0, 0.2, 0.8, 0.2, 0.9, 0.2, 0.5])  # what voxels of one acquisition share


def stated(amounts, covariance=None, common=COMMON, accepted=True):
    """A fit that holds these amounts ``(voxels, names)``, whose errors are noise and what all voxels have in common."""
    amounts = np.asarray(amounts, float)
    shape = (1, 1, len(amounts))
    whole = COVARIANCE + (0 if common is None else common) if covariance is None else covariance
    ones = np.ones(shape)
    return Fit(
        NAMES, Protocol(123.2, 0.03), np.diag([10.0, 10, 10, 1]), np.zeros(1), 0.05 * ones, 20 * ones, ones, 0 * ones,
        0 * ones, np.broadcast_to(accepted, shape), (), amounts[None, None],
        np.broadcast_to(whole, (*shape, 7, 7)).copy(), np.zeros((*shape, 3, 1)),
        common=None if common is None else np.broadcast_to(common, (*shape, 7, 7)).copy(),
    )  # fmt: skip


def codes(found):
    return {flag.code for flag in found.flags}


def parts_of(name):
    return np.array([float(number in PARTS[name]) for number in range(7)])


def test_the_interval_of_two_weighted_voxels_by_hand():
    amounts = np.array([TRUE, 1.3 * TRUE, 9 * TRUE, 5 * TRUE])
    overlap = np.array([[[1.0, 0.95, 0.5, 0.0]]])  # the third reaches out of the region, the fourth lies beside it
    found = ratio(stated(amounts), "tCho", "tNAA", overlap)
    share = np.array([1.0, 0.95]) / 1.95
    cho, naa = (
        sum(w * amount[PARTS[name]].sum() for w, amount in zip(share, amounts[:2], strict=True))
        for name in ("tCho", "tNAA")
    )
    together = (share**2).sum() * COVARIANCE + COMMON  # noise adds as squares, what is common as it is
    saa, sbb, sab = (
        sum(together[i, j] for i in PARTS[a] for j in PARTS[b])
        for a, b in (("tCho", "tCho"), ("tNAA", "tNAA"), ("tCho", "tNAA"))
    )
    # The ends are where (cho - r naa)^2 = z^2 (saa - 2 r sab + r^2 sbb): a quadratic in r.
    roots = np.roots([naa**2 - Z**2 * sbb, -2 * (cho * naa - Z**2 * sab), cho**2 - Z**2 * saa])
    assert found.value == pytest.approx(cho / naa, rel=1e-12)
    assert (found.low, found.high) == pytest.approx(sorted(roots.real), rel=1e-9)
    assert found.voxels == 2 and found.weight == pytest.approx(1.95)
    area = ratio(stated(amounts), "tCho", "tNAA", overlap, kind="area")
    assert (area.value, area.low, area.high) == pytest.approx(
        tuple(3 * x for x in (found.value, found.low, found.high))
    )


def drawn(random, factor=1.0, visits=1500, voxels=4):
    """Amounts of many visits ``(visits, voxels, names)``: noise of each voxel and an error that its voxels share."""
    truth = TRUE * np.where(np.isin(np.arange(7), PARTS["tNAA"]), 1 / factor, 1)
    noise = random.multivariate_normal(np.zeros(7), COVARIANCE, (visits, voxels))
    return truth + noise + random.multivariate_normal(np.zeros(7), COMMON, visits)[:, None]


def test_intervals_of_regions_hold_the_truth_as_often_as_they_say():
    """1500 visits with known amounts: a binomial standard error of 0.6 %. Without the common part the same fails."""
    random, true = np.random.default_rng(5), (1.1 + 0.3) / 2.4
    inside = {"known": 0, "unknown": 0}
    for amounts in drawn(random):
        for label, fit in (("known", stated(amounts)), ("unknown", stated(amounts, COVARIANCE, None))):
            found = ratio(fit, "tCho", "tNAA", ALL)
            inside[label] += found.low <= true <= found.high
    assert 0.935 < inside["known"] / 1500 < 0.965
    assert inside["unknown"] / 1500 < 0.92


def test_intervals_of_changes_hold_the_truth_as_often_as_they_say():
    """Two visits each, true change +50 %. With half of the errors the same fails."""
    random = np.random.default_rng(6)
    inside = {1.0: 0, 0.25: 0}
    for before, after in zip(drawn(random, 1.0), drawn(random, 1.5), strict=True):
        for size in inside:
            whole, common = size * (COVARIANCE + COMMON), size * COMMON
            found = change(*(ratio(stated(one, whole, common), "tCho", "tNAA", ALL) for one in (before, after)))
            inside[size] += found.low <= 1.5 <= found.high
    assert 0.935 < inside[1.0] / 1500 < 0.965
    assert inside[0.25] / 1500 < 0.75


def test_the_change_keeps_the_unequal_arms_of_its_ratios():
    """By hand (Zou and Donner 2008): distances to the ends of the later and the other ends of the earlier, squared."""
    less = TRUE * np.where(np.isin(np.arange(7), PARTS["tNAA"]), 0.4, 1)
    one, two = (ratio(stated([amounts] * 4), "tCho", "tNAA", ALL) for amounts in (TRUE, less))
    found = change(one, two)
    down = np.hypot(np.log(two.value) - np.log(two.low), np.log(one.high) - np.log(one.value))
    up = np.hypot(np.log(two.high) - np.log(two.value), np.log(one.value) - np.log(one.low))
    log = np.log(two.value / one.value)
    assert (np.log(found.low), np.log(found.high)) == pytest.approx((log - down, log + up))
    assert up > 1.1 * down  # little NAA, long upper arm


@pytest.mark.parametrize("amount", [0.0, 0.01, 0.2])
def test_a_numerator_that_may_be_nothing_leaves_an_upper_bound(amount):
    """Exactly zero, as amounts that must not be negative come out, and amounts below their error."""
    amounts = np.tile(TRUE, (4, 1))
    amounts[:, PARTS["Lac"]] = amount
    found = ratio(stated(amounts), "Lac", "tCr", ALL)
    assert found.value is None and found.low == 0 and "spectra_numerator_not_detected" in codes(found)
    assert "spectra_uncertain" not in codes(found)
    # At the bound r the difference Lac - r Cr is just 1.96 of its standard deviations below zero.
    together = COVARIANCE / 4 + COMMON
    weights = parts_of("Lac") - found.high * parts_of("tCr")
    assert amount - found.high * 2.8 == pytest.approx(-Z * np.sqrt(weights @ together @ weights))
    seen = ratio(stated(np.tile(TRUE, (4, 1))), "Lac", "tCr", ALL)
    assert seen.value == pytest.approx(0.6 / 2.8) and "spectra_numerator_not_detected" not in codes(seen)


def test_nothing_over_nothing_says_nothing():
    amounts = np.tile(TRUE, (4, 1))
    amounts[:, PARTS["Lac"] + PARTS["tCr"]] = 0
    found = ratio(stated(amounts), "Lac", "tCr", ALL)
    assert (found.value, found.low, found.high) == (None, 0, np.inf)
    assert "spectra_neither_detected" in codes(found)
    assert not {"spectra_not_detected", "spectra_numerator_not_detected"} & codes(found)


def test_the_index_has_a_value_where_one_of_its_two_is_missing():
    amounts = np.tile(TRUE, (4, 1))
    amounts[:, PARTS["tNAA"]] = 0
    without_naa = share_of(sums(stated(amounts), ALL), "tCho", "tNAA")
    assert without_naa.value == 1 and 0.5 < without_naa.low < 1 == without_naa.high
    assert not {"spectra_not_detected", "spectra_numerator_not_detected"} & codes(without_naa)
    amounts = np.tile(TRUE, (4, 1))
    amounts[:, PARTS["tCho"]] = 0
    without_cho = share_of(sums(stated(amounts), ALL), "tCho", "tNAA")
    assert without_cho.value is None and without_cho.low == 0 and 0 < without_cho.high < 0.4
    assert "spectra_numerator_not_detected" in codes(without_cho)
    whole = share_of(sums(stated(np.tile(TRUE, (4, 1))), ALL), "tCho", "tNAA")
    assert whole.value == pytest.approx(1.4 / 3.8) and whole.low < whole.value < whole.high


def test_ratios_to_the_reference_tissue_stay_bounds_and_never_become_numbers():
    normal = ratio(stated(np.tile(TRUE, (4, 1))), "tCho", "tNAA", ALL)
    amounts = np.tile(TRUE, (4, 1))
    amounts[:, PARTS["tNAA"]] = 0
    lost = ratio(stated(amounts), "tCho", "tNAA", ALL)
    against = to_contralateral(lost, normal)
    assert against.value is None and against.low == pytest.approx(lost.low / normal.high) and np.isinf(against.high)
    assert "spectra_not_detected" in codes(against)
    strange = to_contralateral(normal, lost)  # reference tissue without NAA
    assert (strange.value, strange.low, strange.high) == (None, 0, np.inf)
    assert "spectra_no_reference_ratio" in codes(strange)
    amounts = np.tile(TRUE, (4, 1))
    amounts[:, PARTS["tCho"]] = 0
    no_choline = to_contralateral(ratio(stated(amounts), "tCho", "tNAA", ALL), normal)
    assert no_choline.value is None and no_choline.low == 0 and 0 < no_choline.high < 1
    crossed = ratio_of(sums(stated(amounts), ALL), "tCho", "tCr", "area", sums(stated(np.tile(TRUE, (4, 1))), ALL))
    assert crossed.value is None and "spectra_numerator_not_detected" in codes(crossed)


def test_a_sum_over_voxels_in_which_an_amount_was_cut_off_at_zero_says_that_it_is_too_high():
    """Noise around nothing that must not be negative: the mean is well above zero, and told from it with certainty."""
    random, voxels = np.random.default_rng(7), 400
    amounts = np.tile(TRUE, (voxels, 1))
    amounts[:, 6] = np.maximum(random.normal(0, 0.3, voxels), 0)
    overlap = np.ones((1, 1, voxels))
    found = ratio(stated(amounts, common=None), "Lac", "tCr", overlap)
    assert found.value is not None  # which is why it must be said
    (said,) = [flag for flag in found.flags if flag.code == "spectra_clamped"]
    assert said.parameters["name"] == "Lac" and 160 < said.parameters["count"] < 240
    assert "spectra_clamped" not in codes(ratio(stated(np.tile(TRUE, (4, 1))), "Lac", "tCr", ALL))
    one = stated([TRUE * (np.arange(7) != 6)])  # of a single voxel the bound says it already
    assert "spectra_clamped" not in codes(ratio(one, "Lac", "tCr", np.ones((1, 1, 1))))
