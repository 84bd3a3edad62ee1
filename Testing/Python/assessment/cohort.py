"""A simulated cohort with known truth. It knows published figures and nothing of the library that it tests.

Its truth comes from other sources than the library's criteria: pooled results. Every site has sensitivities and
specificities of its own, drawn from the pooled 95 % intervals, limits of its own, drawn from the range of published
cut-offs, and values of its own shape: normal, right-skewed (Gumbel) or heavy-tailed (Student t, 4 degrees of freedom).
Values of one patient are correlated through a Gaussian copula with unequal correlations. At half of the sites rCBV
separates less well in the first 12 weeks. Tests may be missing, at random or because of what the lesion is.
Accuracies hold for the measured value (its error is inside them), or for the true value, which is then measured with
the published repeatability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import expit, logit

EARLY_DAYS = 84
EARLY_DETECTABILITY = 0.42  # z(AUC 0.69) / z(AUC 0.88), J Neuroradiol 2025, 10.1016/j.neurad.2025.101354


@dataclass(frozen=True)
class Test:
    """A test: limits that sites use, sensitivity and specificity with 95 % interval.

    limits: lowest and highest, drawn uniformly on the logarithmic scale, early and late. spread: standard deviation of
    values within a group, of logarithms unless linear. repeatability: within-subject coefficient of variation. side: -1
    where low values speak for progression.
    """

    __test__ = False

    name: str
    unit: str
    limits: tuple[tuple[float, float], tuple[float, float]]
    sensitivity: tuple[float, float, float]
    specificity: tuple[float, float, float]
    spread: float
    repeatability: float
    linear: bool = False
    side: int = 1


def both(low, high):
    return ((low, high), (low, high))


# rCBV: Fu 2022; limits of mean rCBV in Patel 2017. Blood flow: Ozsunar 2010 (13 and 5 lesions, Wilson); limits of
# Ozsunar and Seeger. Cho/NAA: pooled, IJCP 2022. APTw: Essed 2025. FET: Yu 2024; limits early and late of Galldiks 2015
# and Clin Cancer Res 2016;22:2190, give or take 10 %. ADC: van Dijken 2017; limits of Lee 2012 and Bulik 2015. Of
# Cho/NAA and APTw one limit is published: sites are taken to lie within 20 % of it. Repeatability: Prah 2015,
# PMC3329270, Maudsley 2010, PMC5559408, PMC11537247; none is published for APTw.
TESTS = (
    Test("rCBV_ratio_mean", "1", both(0.9, 2.15), (0.84, 0.80, 0.88), (0.78, 0.72, 0.83), 0.41, 0.31),
    Test("CBF_ratio_mean", "1", both(1.3, 2.18), (0.94, 0.67, 0.99), (0.50, 0.15, 0.85), 0.41, 0.17),
    Test("Cho_NAA_molar", "1", both(1.17, 1.68), (0.82, 0.66, 0.91), (0.94, 0.69, 0.99), 0.5, 0.115),
    Test("APTw_mean", "%", both(2.02, 2.90), (0.88, 0.82, 0.92), (0.84, 0.72, 0.91), 0.42, 0.12, linear=True),
    Test("TBRmax", "1", ((2.07, 2.53), (1.71, 2.09)), (0.84, 0.75, 0.90), (0.86, 0.80, 0.91), 0.2, 0.18),
    Test("ADC_mean", "10^-6 mm^2/s", both(1200, 1300), (0.71, 0.60, 0.80), (0.87, 0.77, 0.93), 0.1, 0.03, side=-1),
)
# How much of the cohort's correlation each pair has: perfusion (2), metabolism (3), diffusion (1).
PAIRS = np.array(
    [
        [1.0, 1.0, 0.5, 0.3, 0.6, 0.3],
        [1.0, 1.0, 0.4, 0.3, 0.5, 0.2],
        [0.5, 0.4, 1.0, 0.7, 0.8, 0.5],
        [0.3, 0.3, 0.7, 1.0, 0.6, 0.4],
        [0.6, 0.5, 0.8, 0.6, 1.0, 0.3],
        [0.3, 0.2, 0.5, 0.4, 0.3, 1.0],
    ]
)
SHAPES = (stats.norm(), stats.gumbel_r(scale=np.sqrt(6) / np.pi), stats.t(4, scale=np.sqrt(0.5)))
MISSING = {"none": (0.0, 0.0), "random": (0.45, 0.45), "informative": (0.3, 0.6)}  # with progression, with effect


@dataclass
class Case:
    """A patient: day after radiotherapy, truth, measured values as (value, low, high), and what an oracle would say.

    oracle: probability of progression for one who knows the true values and the site's true distributions,
    correlations and prevalence.
    """

    day: int
    progression: bool
    values: dict[str, tuple[float, float, float]]
    oracle: float


def simulate(
    seed: int | tuple[int, ...],
    *,
    patients: int = 2000,
    sites: int = 20,
    correlation: float = 0.5,
    prevalence: tuple[float, float] = (0.6, 0.72),
    missing: str = "random",
    error: bool = False,
    optimism: float = 0.0,
) -> list[Case]:
    """Patients of several sites; prevalence of progression early and late.

    missing: a key of ``MISSING``. error: whether values are measured with the published repeatability. optimism: by how
    much every true sensitivity and specificity lies below what was published.
    """
    random = np.random.default_rng(seed)
    shared = correlation * PAIRS + np.diag(1 - correlation * np.diag(PAIRS))
    factor = np.linalg.cholesky(shared)
    cases = []
    for site in range(sites):
        accuracies = np.array([_site_accuracy(random, test, site % 2 == 0, optimism) for test in TESTS])
        limits = np.array([[_site_limit(random, pair) for pair in test.limits] for test in TESTS])
        shape = SHAPES[site % len(SHAPES)]
        number = patients // sites
        late = (random.random(number) < 0.5).astype(int)
        days = np.where(late, random.integers(EARLY_DAYS + 8, 300, number), random.integers(7, EARLY_DAYS + 1, number))
        share = np.array(prevalence)[late]
        progression = random.random(number) < share
        latent = random.standard_normal((number, len(TESTS))) @ factor.T
        rates = np.where(progression, *MISSING[missing])[:, None]
        seen = random.random((number, len(TESTS))) >= rates
        # Quantile of the value that lies at the limit, with progression and with effect: (patients, tests).
        at_limit = {
            True: shape.ppf(1 - accuracies[:, :, 0])[:, late].T,
            False: shape.ppf(accuracies[:, :, 1])[:, late].T,
        }
        limit = np.where(progression[:, None], at_limit[True], at_limit[False])
        beyond = shape.ppf(stats.norm.cdf(latent)) - limit
        oracles = _oracle(beyond, at_limit, shape, shared, seen, share)
        errors = random.uniform(0.03, 0.2, beyond.shape)
        for n in range(number):
            values = {}
            for k in np.flatnonzero(seen[n]):
                value = _unscaled(TESTS[k], beyond[n, k], limits[k, late[n]])
                if error:
                    value = _measured(random, TESTS[k], value)
                half = abs(value) * errors[n, k]
                values[TESTS[k].name] = (value, value - half, value + half)
            cases.append(Case(int(days[n]), bool(progression[n]), values, float(oracles[n])))
    return cases


def _site_accuracy(random, test: Test, weaker_early: bool, optimism: float) -> list[tuple[float, float]]:
    """(sensitivity, specificity) early and late at one site: logit-normal with the pooled mean and interval."""
    pair = []
    for mean, low, high in (test.sensitivity, test.specificity):
        spread = (logit(high) - logit(low)) / (2 * 1.96)
        pair.append(expit(logit(mean - optimism) + spread * random.standard_normal()))
    late = tuple(np.clip(pair, 0.02, 0.995))
    if weaker_early and test.name.startswith("rCBV"):
        return [tuple(stats.norm.cdf(EARLY_DETECTABILITY * stats.norm.ppf(late))), late]
    return [late, late]


def _site_limit(random, limits: tuple[float, float]) -> float:
    return float(np.exp(random.uniform(*np.log(limits))))


def _unscaled(test: Test, distance: float, limit: float) -> float:
    moved = test.side * test.spread * distance
    return float(limit + moved if test.linear else limit * np.exp(moved))


def _measured(random, test: Test, value: float) -> float:
    noise = test.repeatability * random.standard_normal()
    return value + noise * test.limits[0][0] if test.linear else value * float(np.exp(noise))


def _oracle(beyond, at_limit, shape, shared, seen, share) -> np.ndarray:
    """Posterior from the true densities of the values that were seen: array ``(patients,)``."""
    odds = np.log(share / (1 - share))
    for progression, sign in ((True, 1), (False, -1)):
        values = beyond + at_limit[progression]
        logs = shape.logpdf(values)
        normal = stats.norm.ppf(np.clip(shape.cdf(values), 1e-12, 1 - 1e-12))
        for n, known in enumerate(seen):
            index = np.flatnonzero(known)
            inverse = np.linalg.inv(shared[np.ix_(index, index)]) - np.eye(len(index))
            odds[n] += sign * (logs[n, index].sum() - 0.5 * normal[n, index] @ inverse @ normal[n, index])
    return 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
