"""The sum: shrinkage, limits, intervals, and what must never happen in it."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from PseudoProgressionAnalyzerLib.assessment.combination import (
    combine,
    marginal_shares,
    mean_accuracy,
    shares_by_rank,
)
from PseudoProgressionAnalyzerLib.assessment.criteria_set import default_criteria
from PseudoProgressionAnalyzerLib.assessment.evidence import Circumstances, hold
from PseudoProgressionAnalyzerLib.assessment.spreads import CutOffSpreads

from .simple import measured

CRITERIA = default_criteria().criteria
SPREADS = CutOffSpreads(CRITERIA)
PRIOR = (0.6, 0.45, 0.73)
UNITS = {"ADC_mean": "10^-6 mm^2/s", "APTw_mean": "%"}
# Values that speak clearly for progression, and clearly against it.
FOR = {
    "rCBV_ratio_mean": 6.0, "CBF_ratio_mean": 4.0, "Cho_NAA_molar": 4.0, "ADC_mean": 800.0, "TBRmax": 4.0,
    "NAA_Cr_molar": 0.2,
}  # fmt: skip
AGAINST = {
    "rCBV_ratio_mean": 0.4, "CBF_ratio_mean": 0.4, "Cho_NAA_molar": 0.5, "ADC_mean": 2000.0, "TBRmax": 1.0,
    "NAA_Cr_molar": 2.5,
}  # fmt: skip


def evidence(values: dict, error=0.05, criteria=CRITERIA) -> list:
    rows = [measured(name, value, UNITS.get(name, "1"), error=error) for name, value in values.items()]
    there = Circumstances(200, tracer="FET")
    return [hold(row, c, there, SPREADS) for row in rows for c in criteria if c.measure == row.name]


def some(values: dict, *names) -> list:
    return evidence({name: values[name] for name in names})


def moved(values: dict) -> float:
    """How far a sum lies from the prior, in natural logarithms of odds."""
    return float(logit(combine(PRIOR, evidence(values)).centre) - logit(PRIOR[0]))


def test_no_evidence_leaves_the_prior():
    nothing = combine(PRIOR, [])
    assert nothing.centre == pytest.approx(0.6)
    assert nothing.shown == pytest.approx(PRIOR, abs=0.02)
    assert (nothing.speaks_for, nothing.speaks_against) == (0, 0)


def test_the_ledger_adds_up():
    found = combine(PRIOR, evidence(FOR | {"Cho_NAA_molar": 0.9, "ADC_mean": 1500.0}))
    assert len({round(weight, 3) for weight in found.weights}) > 5
    assert 10 * math.log10(math.exp(logit(found.centre) - logit(0.6))) == pytest.approx(sum(found.weights), abs=1e-6)
    assert found.speaks_for - found.speaks_against == pytest.approx(sum(found.weights))


def test_one_test_by_hand():
    # Blood flow far beyond 1.3 (94 % of 13, 50 % of 5): sens 12.72/14, spec 3/6, LR 1.817, counted half.
    found = combine(PRIOR, evidence({"CBF_ratio_mean": 1e6}, criteria=[c for c in CRITERIA if c.id == "ASL-01"]))
    assert found.weights == pytest.approx([0.5 * 10 * math.log10((12.72 / 14) / 0.5)], abs=2e-4)
    odds = 1.5 * math.sqrt((12.72 / 14) / 0.5)
    assert found.centre == pytest.approx(odds / (1 + odds), abs=1e-4)


def test_accuracy_is_the_jeffreys_mean_of_patients():
    # 36 and 12 samples of 18 and 6 patients, all and 91.7 % of them right.
    sensitivity, specificity = mean_accuracy(next(c for c in CRITERIA if c.id == "MRS-01"))
    assert sensitivity == pytest.approx(18.5 / 19)
    assert specificity == pytest.approx((6 * 0.917 + 0.5) / 7)


def test_no_single_test_beyond_ten():
    perfect = [c for c in CRITERIA if c.id == "MRS-01"]
    perfect = [replace(perfect[0], positives=2000, negatives=2000, specificity=1.0)]
    for value, limit in ((1e6, 10), (1e-6, 0.1)):
        found = combine(PRIOR, evidence({"Cho_NAA_molar": value}, criteria=perfect))
        assert found.weights == pytest.approx([10 * math.log10(limit)])


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 1.0])
def test_equal_tests_add_up_as_equally_correlated_gaussians(correlation):
    # Discriminant of k Gaussian tests with unit variance, mean +-d and equal correlation r: k / (1 + (k-1) r) of one.
    for k in range(1, 7):
        matrix = np.full((k, k), correlation) + (1 - correlation) * np.eye(k) + 1e-9 * np.eye(k)
        exact = np.ones(k) @ np.linalg.solve(matrix, np.ones(k))
        assert marginal_shares(k, correlation).sum() == pytest.approx(exact, rel=1e-4)


def test_ranks_are_per_side():
    values = np.array([[3.0], [-1.0], [2.0], [0.0], [-2.0]])
    first, second = marginal_shares(5, 0.5)[:2]
    assert shares_by_rank(values, 0.5)[:, 0] == pytest.approx([first, second, second, 0, first])


def test_tests_of_one_group_count_less_together_than_of_two():
    # Values that correlate with 0.6 in a group have results that do with 2/pi arcsin 0.6 = 0.4097: together they count
    # 2 / 1.4097 = 1.4188. Between groups with 0.3: 2/pi arcsin 0.3 = 0.1940, and 2 / 1.1940 = 1.6751.
    alone = moved({"Cho_NAA_molar": 4.0})
    same = moved({"Cho_NAA_molar": 4.0, "TBRmax": 2.6})
    other = moved({"Cho_NAA_molar": 4.0, "rCBV_ratio_mean": 6.0})
    separate = {name: moved({name: value}) for name, value in (("TBRmax", 2.6), ("rCBV_ratio_mean", 6.0))}
    assert same - alone == pytest.approx(0.4188 * separate["TBRmax"], abs=1e-3)
    assert other - alone == pytest.approx(0.6751 * separate["rCBV_ratio_mean"], abs=1e-3)


def test_several_criteria_of_one_measure_are_one_fact():
    mean_only = [c for c in CRITERIA if c.id in ("DSC-01", "DSC-02")]
    repeated = [replace(mean_only[0], id=f"COPY-{n}") for n in range(5)]
    once = combine(PRIOR, evidence({"rCBV_ratio_mean": 6.0}, criteria=mean_only[:1])).centre
    many = combine(PRIOR, evidence({"rCBV_ratio_mean": 6.0}, criteria=repeated)).centre
    assert many == pytest.approx(once, abs=1e-5)
    two = combine(PRIOR, evidence({"rCBV_ratio_mean": 6.0}, criteria=mean_only)).centre
    others = combine(PRIOR, evidence({"rCBV_ratio_mean": 6.0}, criteria=mean_only[1:])).centre
    assert min(once, others) <= two <= max(once, others)


def test_criteria_of_one_measure_count_by_the_patients_of_both_groups():
    """30 with and 30 without progression count 30 30 / 60 = 15, 10 and 90 count 9; two samples of each patient half."""
    one = replace(
        next(c for c in CRITERIA if c.id == "DSC-01"), sensitivity=0.8, specificity=0.8, samples_per_patient=1
    )
    even, uneven = (replace(one, id=name, positives=p, negatives=n) for name, p, n in (("A", 30, 30), ("B", 10, 90)))
    uneven = replace(uneven, sensitivity=0.6, specificity=0.6)
    doubled = replace(even, positives=60, negatives=60, samples_per_patient=2)

    def said(*criteria):
        return float(logit(combine(PRIOR, evidence({"rCBV_ratio_mean": 6.0}, criteria=list(criteria))).centre))

    start = logit(PRIOR[0])
    first, second = said(even) - start, said(uneven) - start
    assert first > 2 * second > 0
    assert said(even, uneven) - start == pytest.approx((15 * first + 9 * second) / 24, abs=1e-3)
    assert said(doubled, uneven) == pytest.approx(said(even, uneven), abs=1e-3)


def test_ratios_of_one_spectrum_are_one_voice():
    # NAA stands in both: it must not count twice.
    ratios = {"Cho_NAA_molar": 4.0, "NAA_Cr_molar": 0.2}
    both, single = moved(ratios), [moved({name: value}) for name, value in ratios.items()]
    assert both == pytest.approx(max(single), abs=1e-6)
    assert moved({"Cho_NAA_molar": 4.0, "NAA_Cr_molar": 2.5}) < both


def test_statistics_of_one_map_are_one_fact():
    both = moved({"rCBV_ratio_mean": 6.0, "rCBV_ratio_p95": 9.0})
    assert both <= max(moved({"rCBV_ratio_mean": 6.0}), moved({"rCBV_ratio_p95": 9.0})) + 1e-9


def test_opposite_tests_cancel_and_do_not_add():
    found = combine(PRIOR, [*some(FOR, "Cho_NAA_molar"), *some(AGAINST, "ADC_mean")])
    assert found.speaks_for > 3 and found.speaks_against > 3
    assert abs(sum(found.weights)) < max(found.speaks_for, found.speaks_against)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_order_does_not_matter(order):
    items = [some(FOR, "rCBV_ratio_mean"), some(AGAINST, "Cho_NAA_molar"), some(FOR, "ADC_mean")]
    first = combine(PRIOR, [item for part in items for item in part])
    shuffled = combine(PRIOR, [item for n in order for item in items[n]])
    assert (shuffled.centre, shuffled.shown, shuffled.side) == (first.centre, first.shown, first.side)
    assert sorted(shuffled.weights) == sorted(first.weights)


def test_unknown_is_not_negative():
    known = some(FOR, "rCBV_ratio_mean", "Cho_NAA_molar")
    absent = combine(PRIOR, [*known, *evidence({"ADC_mean": None})])
    assert absent.centre == combine(PRIOR, known).centre
    assert combine(PRIOR, [*known, *some(AGAINST, "ADC_mean")]).centre < absent.centre
    assert combine(PRIOR, [*known, *some(FOR, "ADC_mean")]).centre > absent.centre


def test_a_test_at_its_cut_off_changes_nothing():
    known = some(FOR, "rCBV_ratio_mean", "NAA_Cr_molar")
    at_limit = evidence({"Cho_NAA_molar": 1.4})
    assert combine(PRIOR, [*known, *at_limit]).centre == pytest.approx(combine(PRIOR, known).centre, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(FOR)), min_size=1, unique=True),
    side=st.sampled_from([FOR, AGAINST]),
    strength=st.floats(0.05, 1.0),
    errors=st.tuples(st.floats(0.05, 0.9), st.floats(0.05, 0.9)),
)
def test_more_uncertainty_never_makes_it_surer(names, side, strength, errors):
    # Values between the cut-off (about the geometric middle of both sides) and the clear ones, all on one side.
    middle = {name: math.sqrt(FOR[name] * AGAINST[name]) for name in names}
    values = {name: middle[name] * (side[name] / middle[name]) ** (0.6 + 0.4 * strength) for name in names}
    sure, unsure = (combine(PRIOR, evidence(values, error=error)) for error in sorted(errors))
    assert abs(logit(unsure.centre) - logit(0.6)) <= abs(logit(sure.centre) - logit(0.6)) + 1e-4


@settings(max_examples=60, deadline=None)
@given(values=st.fixed_dictionaries({}, optional={name: st.floats(0.3, 5) for name in FOR if name != "ADC_mean"}))
def test_taking_a_test_away_never_makes_its_own_side_surer(values):
    whole = combine(PRIOR, evidence(values)).centre
    for name in values:
        alone = moved({name: values[name]})
        rest = combine(PRIOR, evidence({key: value for key, value in values.items() if key != name})).centre
        if alone > 1e-3:
            assert rest <= whole + 1e-5
        elif alone < -1e-3:
            assert rest >= whole - 1e-5


def test_what_is_shown_lies_between_5_and_95_percent():
    clear = combine((0.9, 0.8, 0.95), evidence(FOR))
    assert clear.centre > 0.99 and clear.shown[0] == 0.95 and clear.shown[2] == 0.95
    assert combine((0.1, 0.05, 0.2), evidence(AGAINST)).shown[:2] == (0.05, 0.05)


def test_the_interval_holds_the_centre_and_widens_with_the_prior():
    narrow = combine((0.6, 0.58, 0.62), some(FOR, "rCBV_ratio_mean"))
    wide = combine((0.6, 0.3, 0.85), some(FOR, "rCBV_ratio_mean"))
    for found in (narrow, wide):
        assert found.shown[1] <= found.shown[0] <= found.shown[2]
    assert wide.shown[2] - wide.shown[1] > narrow.shown[2] - narrow.shown[1]


def test_the_interval_narrows_with_the_number_of_patients():
    def width(number):
        criterion = replace(next(c for c in CRITERIA if c.id == "DSC-01"), positives=number, negatives=number)
        found = combine((0.6, 0.59, 0.61), evidence({"rCBV_ratio_mean": 6.0}, criteria=[criterion]))
        return found.shown[2] - found.shown[1]

    assert width(10) > width(40) > width(400)


def test_the_simulation_agrees_with_exact_draws():
    # A sign has no measurement error: LR+ = sens / (1 - spec) with Beta(24.5, 39.5) and Beta(28.5, 2.5).
    sign = evidence({"subependymal_enhancement": 1.0})
    found = combine((0.5, 0.49999, 0.50001), sign)
    random = np.random.default_rng(1)
    ratio = random.beta(24.003 + 0.5, 38.997 + 0.5, 200_000) / (1 - random.beta(27.99 + 0.5, 2.01 + 0.5, 200_000))
    expected = np.quantile(expit(np.log(np.minimum(ratio, 10))), [0.025, 0.975])
    assert found.shown[1:] == pytest.approx(expected, abs=0.015)


def test_the_same_input_gives_the_same_numbers():
    assert combine(PRIOR, evidence(FOR)) == combine(PRIOR, evidence(FOR))
