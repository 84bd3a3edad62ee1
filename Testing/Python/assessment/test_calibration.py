"""Probabilities against what happened, in a simulated cohort that knows nothing of the library."""

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from . import calibration, cohort


@pytest.fixture(scope="module")
def judged():
    """The middle of the grid: correlation 0.5, right prior on average, tests missing at random, measured with error."""
    cases = cohort.simulate(3, patients=2000, sites=40, correlation=0.5, error=True)
    return calibration.judge(cases)


def test_the_generator_knows_nothing_of_the_library():
    source = Path(cohort.__file__).read_text(encoding="utf-8")
    roots = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert roots == {"__future__", "dataclasses", "numpy", "scipy"}


def test_the_generator_keeps_its_promises():
    cases = cohort.simulate(5, patients=6000, sites=60, correlation=0.7, missing="none")
    progression = np.array([case.progression for case in cases])
    late = np.array([case.day > cohort.EARLY_DAYS for case in cases])
    assert progression[~late].mean() == pytest.approx(0.60, abs=0.03)
    assert progression[late].mean() == pytest.approx(0.72, abs=0.03)
    values = np.array([[case.values[test.name][0] for test in cohort.TESTS] for case in cases])
    beyond = np.log(np.abs(values[progression & late])) * [test.side for test in cohort.TESTS]
    correlations = np.corrcoef(beyond.T)
    assert correlations[0, 1] > correlations[0, 5] > 0.02  # unequal, perfusion strongest
    oracle = np.array([case.oracle for case in cases])
    assert calibration.calibration_error(oracle, progression) < 0.02  # the oracle must be calibrated, or it is wrong


def test_better_than_multiplication_and_than_the_prevalence(judged):
    found = calibration.summary(judged)
    assert found["log_loss"] < found["log_loss_naive"] - 0.05
    assert found["log_loss"] < found["log_loss_naive_pooled"]
    assert found["log_loss"] < found["log_loss_prevalence"] - 0.1
    assert found["brier"] < min(found["brier_naive"], found["brier_prevalence"])
    assert found["log_loss_oracle"] < found["log_loss"]


def test_calibration(judged):
    found = calibration.summary(judged)
    assert found["ece"] < 0.09 and found["ece"] < found["ece_naive"]
    assert found["decided_right"] > 0.9 and 0.4 < found["decided"] < 0.8


def test_it_errs_towards_caution(judged):
    # In every bin but the middle ones the truth is at least as clear as the probability says, within its noise.
    for number, mean, share in calibration.curve(judged.ours, judged.truth):
        noise = 2 * np.sqrt(share * (1 - share) / number) + 0.02
        assert share < mean + noise if mean < 0.35 else share > mean - noise if mean > 0.65 else True


@pytest.mark.parametrize("broken", ["surer", "turned", "shuffled"])
def test_a_wrong_probability_fails_the_same_check(judged, broken):
    odds = logit(judged.ours)
    wrong = {
        "surer": expit(4 * odds),
        "turned": 1 - judged.ours,
        "shuffled": np.random.default_rng(1).permutation(judged.ours),
    }[broken]
    assert calibration.log_loss(wrong, judged.truth) > calibration.log_loss(judged.ours, judged.truth) + 0.01


def test_scores_by_hand():
    p, truth = np.array([0.9, 0.2, 0.6, 0.5]), np.array([1.0, 0.0, 0.0, 1.0])
    assert calibration.log_loss(p, truth) == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.5]).mean())
    assert calibration.brier(p, truth) == pytest.approx((0.01 + 0.04 + 0.36 + 0.25) / 4)
    even = np.repeat([0.25, 0.75], 500)
    right = np.concatenate([np.tile([1, 0, 0, 0], 125), np.tile([1, 1, 1, 0], 125)])
    assert calibration.calibration_error(even, right) == pytest.approx(0.0, abs=0.01)
    assert calibration.calibration_error(even, 1 - right) == pytest.approx(0.5, abs=0.01)
