"""A measurement held against a published cut-off: soft in everything that is uncertain about it.

With p the probability that the true value lies beyond the cut-off on the side of true progression,

    LR = (p sens + (1 - p) (1 - sens)) / (p (1 - spec) + (1 - p) spec)

which is the likelihood ratio of the positive result at p = 1, of the negative one at p = 0, and 1 at p = 0.5: a value
at the cut-off says nothing. The spread inside p is that of the measurement (its own error or the published
repeatability, which contains it, whichever is larger) and that of the published cut-offs, added as variances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from scipy.special import ndtr, ndtri

from ..measures import Criterion, Measurement, Message
from .leakage import other_kind
from .published import NORMAL_95, table
from .registry import fact_of
from .spreads import CutOffSpreads, repeat_spread

STRONGEST = 10.0
"""No single test counts beyond this likelihood ratio or below its inverse: single-centre figures with a cut-off chosen
on the same patients are optimistic. Above 10 or below 0.1 a likelihood ratio is called large and often conclusive
(Jaeschke 1994, quoted in table 1 of 10.1186/s12891-020-03651-1); no single test is that here."""

COUNTS_LESS = 0.5
"""Share of a log likelihood ratio that counts where it is not known that the criterion applies. Our choice: halfway
between applying and not; no source gives a number."""

PLAIN_RATIO = ("", "1", "ratio")
DIFFUSIVITY = {"mm2/s": 1e6, "10-3 mm2/s": 1e3, "10-6 mm2/s": 1.0, "um2/s": 1.0}
"""Micrometres squared in a second, by units as UCUM spells them: powers are written with ``^`` as often, or without."""

NO_WEIGHT_FLAGS = ("ratio_map_origin_unknown", "ratio_map_kind_differs")
LESS_WEIGHT_FLAGS = ("dsc_reference_small", "region_partly_outside", "spectra_axis_unknown", "spectra_partial_volume")
"""Spectra of a part of the lesion (``spectra_region_beyond``) are none of these: so were those of the sources."""


@dataclass(frozen=True)
class Circumstances:
    """What must be known of a visit to hold criteria against its measurements.

    day: after the end of radiotherapy, None when unknown. given: kinds of events up to the visit. tracer: of the
    visit's PET, empty when unknown.
    """

    day: int | None
    given: frozenset[str] = frozenset()
    tracer: str = ""


@dataclass(frozen=True)
class Held:
    """A measurement held against a criterion, as the sum needs it.

    distance: from the cut-off towards true progression, on the criterion's scale (natural logarithm, or its unit);
    infinite for a sign. measurement_spread, cut_off_spread: standard deviations on that scale. factor: share of the
    log likelihood ratio that counts (0 to 1). share: the probability of lying beyond, where it is known by itself.
    """

    criterion: Criterion
    measurement: Measurement
    used: bool
    reasons: tuple[Message, ...]
    distance: float = 0.0
    measurement_spread: float = 0.0
    cut_off_spread: float = 0.0
    factor: float = 0.0
    share: float | None = None

    @property
    def spread(self) -> float:
        """Standard deviation of the distance."""
        return math.hypot(self.measurement_spread, self.cut_off_spread)

    @property
    def probability_beyond(self) -> float:
        """Probability that the true value lies beyond the true cut-off, on the side of true progression."""
        return probability_beyond(self.distance, self.spread) if self.share is None else self.share


def probability_beyond(distance: Any, spread: float) -> Any:
    """Normal probability that a value this far (distance, any shape) beyond the cut-off is truly beyond it."""
    if math.isinf(spread):
        return distance * 0.0 + 0.5
    return ndtr(distance / spread) if spread > 0 else (distance > 0) + 0.5 * (distance == 0)


def likelihood_ratio(beyond: Any, sensitivity: Any, specificity: Any) -> Any:
    """LR of true progression against treatment effect; arguments are shares of any common shape."""
    positive = beyond * sensitivity + (1 - beyond) * (1 - sensitivity)
    return positive / (beyond * (1 - specificity) + (1 - beyond) * specificity)


def hold(measurement: Measurement, criterion: Criterion, circumstances: Circumstances, spreads: CutOffSpreads) -> Held:
    """The measurement held against the criterion, with every reason why it weighs less or nothing.

    A ratio of which one part was not detected has no value but a bound, a lower one without the denominator, an upper
    one without the numerator: where all that it leaves lies on one side of the cut-off, the bound is held as if it were
    the value, which is cautious.
    """
    bound = _bound_beside(measurement, criterion)
    if bound is not None:
        measurement = replace(measurement, value=bound)
    refused = [
        *_refused_criterion(criterion, circumstances),
        *_refused_value(measurement, criterion),
    ]
    if refused:
        return Held(criterion, measurement, False, tuple(refused))
    factor, reasons = _applies(measurement, criterion, circumstances)
    if criterion.scale == "category":
        above = measurement.value - criterion.cut_off
        distance = math.inf if _side(criterion) * above >= 0 else -math.inf
        return Held(criterion, measurement, True, tuple(reasons), distance, factor=factor)
    value, low, high = (_converted(x, measurement, criterion) for x in _numbers(measurement))
    to_scale = math.log if criterion.scale == "log" else float
    distance = _side(criterion) * (to_scale(value) - to_scale(criterion.cut_off))
    repeat, assumed = repeat_spread(criterion)
    if assumed:
        reasons.append(Message("evidence_repeatability_assumed", {"percent": round(100 * assumed)}))
    if low is None or high is None:
        error = 0.0
        reasons.append(Message("evidence_interval_unknown" if bound is None else "evidence_bound"))
    elif criterion.scale == "log" and low <= 0:
        error = math.inf
        reasons.append(Message("evidence_interval_reaches_zero"))
    else:
        error = (to_scale(high) - to_scale(low)) / (2 * NORMAL_95)
    limits, limits_assumed = spreads.of(criterion)
    if limits_assumed:
        reasons.append(Message("evidence_cut_off_spread_assumed", {"percent": round(100 * math.expm1(limits))}))
    if criterion.scale == "linear":
        limits *= abs(criterion.cut_off)
    return Held(criterion, measurement, True, tuple(reasons), distance, max(error, repeat), limits, factor)


def _bound_beside(measurement: Measurement, criterion: Criterion) -> float | None:
    """The only bound of a measurement without a value, where the cut-off does not lie in what it leaves."""
    ends = [end for end in (measurement.low, measurement.high) if end is not None]
    if measurement.value is not None or criterion.cut_off is None or len(ends) != 1:
        return None
    left = ends[0] >= criterion.cut_off if measurement.low is not None else ends[0] <= criterion.cut_off
    return ends[0] if left else None


def imagined(criterion: Criterion, circumstances: Circumstances, beyond: bool) -> Held:
    """A test that was not done, as if its value lay clearly beyond the cut-off, or clearly not."""
    nothing = Measurement("", "", "own", "", criterion.measure, None, criterion.unit)
    # A tracer is chosen with the test.
    chosen = Circumstances(circumstances.day, circumstances.given, criterion.tracer)
    if _refused_criterion(criterion, chosen) or other_kind(nothing, criterion):
        return Held(criterion, nothing, False, ())
    factor, reasons = _applies(nothing, criterion, chosen)
    return Held(criterion, nothing, True, tuple(reasons), math.inf if beyond else -math.inf, factor=factor)


def _side(criterion: Criterion) -> int:
    return 1 if criterion.direction == "high" else -1


def _numbers(measurement: Measurement) -> tuple[float | None, float | None, float | None]:
    return measurement.value, measurement.low, measurement.high


def _refused_criterion(criterion: Criterion, circumstances: Circumstances) -> list[Message]:
    """Why the criterion says nothing about this visit, whatever the value."""
    found = [Message(f"evidence_{code}") for code in criterion.shown_only]
    found += [
        Message("evidence_not_after", {"event": kind}) for kind in criterion.not_after if kind in circumstances.given
    ]
    if criterion.group == "perfusion" and "bevacizumab" in circumstances.given:
        found.append(Message("evidence_perfusion_after_bevacizumab"))
    if criterion.window is not None and circumstances.day is not None:
        first, last = criterion.window
        if circumstances.day < (first or 0) or (last is not None and circumstances.day > last):
            shown = criterion.window_printed or f"days {first or 0} to {'any' if last is None else last}"
            found.append(Message("evidence_outside_window", {"window": shown, "day": circumstances.day}))
    if criterion.tracer and criterion.tracer != circumstances.tracer:
        given = circumstances.tracer or "not stated"
        found.append(Message("evidence_other_tracer", {"tracer": criterion.tracer, "given": given}))
    return found


def _refused_value(measurement: Measurement, criterion: Criterion) -> list[Message]:
    """Why the measurement cannot be held against the criterion."""
    found = [
        Message("evidence_quality", {"flag": flag.code}) for flag in measurement.flags if flag.code in NO_WEIGHT_FLAGS
    ]
    if other_kind(measurement, criterion):
        found.append(Message("evidence_without_leakage_correction"))
    value, low, high = _numbers(measurement)
    if value is None:
        return [*found, Message("evidence_no_value")]
    if not all(math.isfinite(x) for x in (value, low, high) if x is not None):
        return [*found, Message("evidence_not_finite")]
    if (low is not None and low > value) or (high is not None and high < value):
        found.append(Message("evidence_interval_inconsistent"))
    if criterion.scale == "log" and value <= 0:
        found.append(Message("evidence_not_positive"))
    if _converted(1.0, measurement, criterion) is None:
        units = {"unit": measurement.unit or "none", "wanted": criterion.unit}
        found.append(Message("evidence_unit_differs", units))
    return found


def _converted(value: float | None, measurement: Measurement, criterion: Criterion) -> float | None:
    """A number of the measurement in the criterion's unit; None where the units do not fit."""
    given, wanted = measurement.unit, criterion.unit
    if value is None or given == wanted or (given in PLAIN_RATIO and wanted in PLAIN_RATIO):
        return value
    one, other = (DIFFUSIVITY.get(unit.replace("^", "")) for unit in (given, wanted))
    return value * one / other if one and other else None


def _applies(
    measurement: Measurement, criterion: Criterion, circumstances: Circumstances
) -> tuple[float, list[Message]]:
    """(share that counts, what is to be known about it): window, population, quality, statistic, region."""
    factor, reasons = 1.0, []
    if criterion.window is None:
        reasons.append(Message("evidence_window_not_read"))
    elif circumstances.day is None:
        factor *= COUNTS_LESS
        reasons.append(Message("evidence_day_unknown", {"window": criterion.window_printed}))
    if criterion.population_kind == "mixed":
        factor *= COUNTS_LESS
        reasons.append(Message("evidence_other_population", {"population": criterion.population}))
    elif criterion.population_kind == "not_read":
        reasons.append(Message("evidence_population_not_read"))
    if criterion.leakage_correction == "not_read":
        reasons.append(Message("evidence_leakage_correction_not_read"))
    if criterion.optimistic:
        factor *= COUNTS_LESS
        reasons.append(Message("evidence_optimistic"))
    early = next((row for row in table("early")["rows"] if row["fact"] == fact_of(criterion.measure)), None)
    maybe_early = early and criterion.window is None and (circumstances.day or 0) <= early["last_day"]
    if maybe_early:
        weaker = ndtri(early["auc_early"]) / ndtri(early["auc_late"])
        factor *= weaker
        shown = {"percent": round(100 * weaker), "source": early["source"], "counter": early["counter_evidence"]}
        reasons.append(Message("evidence_weaker_early", shown))
    for flag in measurement.flags:
        if flag.code in LESS_WEIGHT_FLAGS:
            factor *= COUNTS_LESS
            reasons.append(Message("evidence_quality_doubtful", {"flag": flag.code}))
    if criterion.statistic == "max" and measurement.name.endswith("_p95"):
        reasons.append(Message("evidence_percentile_for_maximum"))
    if measurement.kind == "fixed":
        reasons.append(Message("evidence_fixed_region", {"drawn_in": measurement.drawn_in}))
    return factor, reasons
