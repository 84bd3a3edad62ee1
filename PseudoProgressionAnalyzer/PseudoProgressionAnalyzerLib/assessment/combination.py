"""The honest sum: prior odds times what the tests say, with correlated tests shrunk, and its uncertainty.

    logit P = logit prior + shrunk sum over groups of the shrunk sum over facts of the mean ln LR over criteria

- All criteria of one fact count together: the mean of their ln LR, weighted by n+ n- / (n+ + n-) patients (inverse to
  the variance of a difference between two groups) and by the factor with which each applies. The fact counts as the
  criterion that applies best.
- Of the facts of one signal, such as the ratios of one spectrum, the strongest on each side counts and no other.
- Within a group, and then between groups, the strongest on each side counts in full and every further one on that side
  by what it adds when k equally informative tests have correlation rho: k / (1 + (k-1) rho) - (k-1) / (1 + (k-2) rho),
  with rho the correlation of results (``correlation_of_results``) that follows from the one assumed of the values.
  For equally strong tests the sum is exact for equally correlated Gaussian tests. A test that says nothing
  changes nothing, as a test that was not done.
- Sensitivity and specificity are Jeffreys' posterior of their counts, Beta(k + 1/2, n - k + 1/2) (Brown, Cai and
  DasGupta, Stat Sci 2001;16:101, 10.1214/ss/1009213286); the ledger shows the sum with their means. The interval comes
  from simulation: sensitivities, specificities and prior are drawn, and every measurement is repeated with its error.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ..measures import Criterion
from .evidence import STRONGEST, Held, likelihood_ratio, probability_beyond
from .published import NORMAL_95
from .registry import fact_of, voice_of


def correlation_of_results(correlation: float) -> float:
    """Correlation of the results (beyond the cut-off or not) of two normal values: 2 / pi arcsin(correlation).

    Sheppard 1899, Phil Trans R Soc A 192:101, for cut-offs at the median; results agree less than the values do.
    """
    return 2 / math.pi * math.asin(correlation)


VALUES_WITHIN_GROUP = 0.6
VALUES_BETWEEN_GROUPS = 0.3
"""Correlations of the measured values, given the truth, that the sum assumes. Chosen before, and not tuned on, the
simulated cohorts that they are tested on; no source gives them."""

WITHIN_GROUP = correlation_of_results(VALUES_WITHIN_GROUP)
BETWEEN_GROUPS = correlation_of_results(VALUES_BETWEEN_GROUPS)
SAME_SIGNAL = 1.0
"""Correlations of what the tests say (0.41 and 0.19): a test enters as a result, not as its value. Facts of one signal
are one voice: the strongest on each side counts, and the others add nothing."""

SHOWN = (0.05, 0.95)
"""Probabilities are shown between these: nothing here supports a surer statement."""

DRAWS = 2000
SEED = 20230901
DECIBAN = 10 / math.log(10)
"""Decibans per unit of natural logarithm."""


@dataclass(frozen=True)
class Sum:
    """What the evidence says together.

    centre: probability of true progression, prior and ledger added, not limited to what is shown. shown: (median, low,
    high) with a 95 % interval, between 5 and 95 %. weights: decibans of each piece of evidence in the order given; they
    add up to the distance of centre from the prior. side: share of draws in which true progression is the likelier.
    """

    centre: float
    shown: tuple[float, float, float]
    weights: tuple[float, ...]
    side: float

    @property
    def speaks_for(self) -> float:
        """Decibans for true progression."""
        return sum(weight for weight in self.weights if weight > 0)

    @property
    def speaks_against(self) -> float:
        """Decibans for treatment effect, as a positive number."""
        return -sum(weight for weight in self.weights if weight < 0)


def combine(prior: tuple[float, float, float], evidence: Sequence[Held]) -> Sum:
    """The sum of the prior (median, low, high) and the evidence that is used; others have weight 0.

    The order of the evidence changes nothing but the order of the weights.
    """
    order = sorted((n for n, item in enumerate(evidence) if item.used), key=lambda n: _name(evidence[n]))
    items = [evidence[n] for n in order]
    weights = [0.0] * len(evidence)
    added = np.zeros(DRAWS)
    total = 0.0
    if items:
        central = np.array([[central_log_ratio(item)] for item in items])
        drawn = np.array([_drawn_log_ratio(item) for item in items])
        for n, weight in zip(order, (central * _multipliers(items, central))[:, 0], strict=True):
            weights[n] = round(float(weight) * DECIBAN, 4)
        total = math.fsum(weights) / DECIBAN
        added = (drawn * _multipliers(items, drawn)).sum(axis=0)
    centre = float(expit(logit(prior[0]) + total))
    draws = expit(_drawn_prior(prior) + added)
    low, high = np.quantile(draws, [0.025, 0.975])
    limited = [round(float(np.clip(x, *SHOWN)), 4) for x in (centre, min(low, centre), max(high, centre))]
    return Sum(centre, tuple(limited), tuple(weights), float(np.mean(draws > 0.5)))


def central_log_ratio(item: Held) -> float:
    """ln LR of one criterion with the mean sensitivity and specificity, limited to what one test may say."""
    sensitivity, specificity = mean_accuracy(item.criterion)
    return float(_limited(likelihood_ratio(item.probability_beyond, sensitivity, specificity)))


def mean_accuracy(criterion: Criterion) -> tuple[float, float]:
    """Mean sensitivity and specificity of their posterior: (k + 1/2) / (n + 1)."""
    (a, b), (c, d) = _posteriors(criterion)
    return a / (a + b), c / (c + d)


def patients(criterion: Criterion) -> float:
    """What a criterion counts beside others of its fact: n+ n- / (n+ + n-), in patients."""
    positives, negatives = criterion.positives, criterion.negatives
    return positives * negatives / (positives + negatives) / criterion.samples_per_patient


def marginal_shares(number: int, correlation: float) -> np.ndarray:
    """What the k-th strongest of equally correlated tests still counts, k = 1 ... number: array ``(number,)``."""
    k = np.arange(number + 1)
    together = k / (1 + np.maximum(k - 1, 0) * correlation)
    return np.diff(together)


def shares_by_rank(values: np.ndarray, correlation: float) -> np.ndarray:
    """Multipliers of values ``(tests, draws)``: by their rank among those of the same sign, strongest first."""
    marginal = marginal_shares(len(values), correlation)
    shares = np.zeros(values.shape)
    for sign in (1, -1):
        strength = np.maximum(sign * values, 0)
        rank = np.argsort(np.argsort(-strength, axis=0, kind="stable"), axis=0, kind="stable")
        shares += np.where(strength > 0, marginal[rank], 0)
    return shares


def _multipliers(items: Sequence[Held], values: np.ndarray) -> np.ndarray:
    """With what each ln LR of values ``(items, draws)`` enters the sum, same shape: by fact, voice, group and rank."""
    measures = [item.criterion.measure for item in items]
    of_item = [
        (item.criterion.group, voice_of(name), fact_of(name)) for item, name in zip(items, measures, strict=True)
    ]
    facts = sorted(set(of_item))
    factors = np.array([item.factor for item in items])
    counted = factors * [patients(item.criterion) for item in items]
    in_fact = np.array([[found == fact for found in of_item] for fact in facts])
    in_fact = np.array([row * counted / counted[row].sum() * factors[row].max() for row in in_fact])
    sums, keys = in_fact @ values, facts
    shares = np.ones_like(sums)
    for length, correlation in ((2, SAME_SIGNAL), (1, WITHIN_GROUP), (0, BETWEEN_GROUPS)):
        wider = sorted({key[:length] for key in keys})
        rows = [[n for n, key in enumerate(keys) if key[:length] == name] for name in wider]
        found = np.empty_like(sums)
        for members in rows:
            found[members] = shares_by_rank(sums[members], correlation)
        shares *= found[[keys.index(fact[: length + 1]) for fact in facts]]
        sums, keys = np.array([(found[members] * sums[members]).sum(axis=0) for members in rows]), wider
    return in_fact.T @ shares


def _name(item: Held) -> tuple[str, str]:
    return item.criterion.id, item.measurement.name


def _limited(ratio):
    return np.log(np.clip(ratio, 1 / STRONGEST, STRONGEST))


def _posteriors(criterion: Criterion) -> tuple[tuple[float, float], tuple[float, float]]:
    """Beta parameters of sensitivity and specificity, counted in patients rather than samples."""
    found = []
    for share, group in ((criterion.sensitivity, criterion.positives), (criterion.specificity, criterion.negatives)):
        number = group / criterion.samples_per_patient
        found.append((share * number + 0.5, (1 - share) * number + 0.5))
    return found[0], found[1]


def _generator(*names: str) -> np.random.Generator:
    """Random numbers of their own for every name, so that other evidence never changes them."""
    return np.random.default_rng([SEED, *(zlib.crc32(name.encode()) for name in names)])


@functools.lru_cache(maxsize=512)
def _drawn_accuracy(name: str, posteriors: tuple) -> tuple[np.ndarray, np.ndarray]:
    generator = _generator("accuracy", name)
    return generator.beta(*posteriors[0], DRAWS), generator.beta(*posteriors[1], DRAWS)


@functools.lru_cache(maxsize=512)
def _standard_normal(*names: str) -> np.ndarray:
    return _generator(*names).standard_normal(DRAWS)


def _drawn_log_ratio(item: Held) -> np.ndarray:
    """ln LR of one criterion for drawn accuracies and repeated measurements: array ``(DRAWS,)``."""
    criterion = item.criterion
    sensitivity, specificity = _drawn_accuracy(criterion.id, _posteriors(criterion))
    if item.share is not None or math.isinf(item.distance) or math.isinf(item.spread):
        beyond = item.probability_beyond
    else:
        # One measurement is repeated once, for all criteria that it is held against.
        towards = 1 if criterion.direction == "high" else -1
        repeated = towards * item.measurement_spread * _standard_normal("measurement", item.measurement.name)
        beyond = probability_beyond(item.distance + repeated, item.spread)
    return _limited(likelihood_ratio(beyond, sensitivity, specificity))


def _drawn_prior(prior: tuple[float, float, float]) -> np.ndarray:
    """Logits of a prior whose median and 95 % interval are given: two half-normal sides on the logit scale."""
    median, low, high = (float(logit(x)) for x in prior)
    normal = _standard_normal("prior")
    return median + normal * np.where(normal > 0, high - median, median - low) / NORMAL_95
