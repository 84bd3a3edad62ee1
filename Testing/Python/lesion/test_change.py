"""Changes against hand calculation and simulated repeats."""

import math

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.lesion.change import (
    change_per_month,
    difference,
    doubling_time,
    percent_change,
    total,
)
from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.measures import InputError


def banded(value, relative_error, unit="mL"):
    factor = math.exp(1.96 * relative_error)
    return Estimate(value, unit, value / factor, value * factor)


def test_percent_change_is_exact_for_errors_that_multiply():
    change = percent_change(banded(4, 0.1), banded(6, 0.05))
    spread = math.exp(1.96 * math.hypot(0.1, 0.05))
    assert change.value == pytest.approx(50)
    assert (change.low, change.high) == pytest.approx((100 * (1.5 / spread - 1), 100 * (1.5 * spread - 1)))
    assert change.unit == "%"


def test_uneven_arms_of_a_difference_and_a_sum_by_hand():
    """A difference is least where the later value is as low and the earlier one as high as can be."""
    earlier, later = Estimate(10, "mL", 8, 11), Estimate(15, "mL", 14, 18)
    change, both = difference(earlier, later), total([earlier, later])
    assert (change.low, change.high) == pytest.approx((5 - math.hypot(1, 1), 5 + math.hypot(3, 2)))
    assert (both.low, both.high) == pytest.approx((25 - math.hypot(2, 1), 25 + math.hypot(1, 3)))


def test_difference_interval_covers_the_truth_in_95_percent_of_repeats():
    rng = np.random.default_rng(3)
    first, second = rng.normal(10, 1, 4000), rng.normal(13, 2, 4000)
    covered = wrong = 0
    for a, b in zip(first, second, strict=True):
        result = difference(Estimate(a, "mL", a - 1.96, a + 1.96), Estimate(b, "mL", b - 3.92, b + 3.92))
        covered += result.low <= 3 <= result.high
        wrong += result.low <= 3 + 3 <= result.high
    assert covered / 4000 == pytest.approx(0.95, abs=0.015)
    assert wrong / 4000 < 0.85


def test_growth_inside_the_error_of_a_small_lesion_is_not_proven_but_of_a_large_one_is():
    small = percent_change(banded(0.8, 0.165), banded(1.12, 0.165))
    large = percent_change(banded(10, 0.084), banded(14, 0.084))
    assert small.value == pytest.approx(large.value) == pytest.approx(40)
    assert small.low < 0 < large.low


def test_reference_of_zero_gives_a_reason_and_no_percentage():
    change = percent_change(Estimate(0.0, "mL"), banded(1, 0.1))
    assert change.value is None
    assert [flag.code for flag in change.flags] == ["lesion_reference_zero"]
    assert doubling_time(Estimate(0.0, "mL"), banded(1, 0.1), 30).value is None


def test_a_vanished_lesion_is_minus_one_hundred_percent():
    assert percent_change(banded(2, 0.1), Estimate(0.0, "mL")).value == -100
    assert difference(banded(2, 0.1), Estimate(0.0, "mL")).value == -2


def test_unknown_stays_unknown():
    change = difference(Estimate(None, "mL"), banded(1, 0.1))
    assert change.value is None
    assert change.flags[0].code == "lesion_value_missing"
    open_ended = difference(Estimate(1.0, "mL"), banded(2, 0.1))
    assert (open_ended.value, open_ended.low, open_ended.high) == (1.0, None, None)


def test_per_month():
    change = change_per_month(Estimate(1, "mL", 0.5, 1.5), Estimate(3, "mL", 2.5, 3.5), 365.25 / 6)
    assert change.value == pytest.approx(1.0)
    assert change.unit == "mL/month"
    assert (change.low, change.high) == pytest.approx((1 - math.sqrt(0.5) / 2, 1 + math.sqrt(0.5) / 2))


def test_doubling_time_of_known_growth():
    """A lesion that doubles every 40 days, seen after 100 days."""
    time = doubling_time(banded(2, 0.05), banded(2 * 2 ** (100 / 40), 0.05), 100)
    assert time.value == pytest.approx(40)
    rate = math.log(2) / 40 * 100
    error = 1.96 * math.hypot(0.05, 0.05)
    assert (time.low, time.high) == pytest.approx(
        (math.log(2) * 100 / (rate + error), math.log(2) * 100 / (rate - error))
    )
    assert doubling_time(banded(2, 0.05), banded(2 * 2 ** (100 / 40), 0.05), 50).value == pytest.approx(20)


def test_doubling_time_is_open_or_absent_where_growth_is_not_proven():
    unsure = doubling_time(banded(2, 0.2), banded(2.2, 0.2), 60)
    assert unsure.value is not None
    assert unsure.high is None
    assert unsure.flags[0].code == "lesion_growth_within_error"
    shrunk = doubling_time(banded(2, 0.2), banded(1, 0.2), 60)
    assert shrunk.value is None
    assert shrunk.flags[0].code == "lesion_not_growing"


@pytest.mark.parametrize("days", [0, -3, math.nan])
def test_visits_must_be_in_order(days):
    with pytest.raises(InputError) as error:
        change_per_month(banded(1, 0.1), banded(2, 0.1), days)
    assert error.value.message.code == "lesion_days"


def test_units_and_signs_are_checked():
    with pytest.raises(InputError) as error:
        difference(Estimate(1, "mL"), Estimate(1, "mm"))
    assert error.value.message.code == "lesion_units_differ"
    with pytest.raises(InputError) as error:
        percent_change(Estimate(-1, "mL"), Estimate(1, "mL"))
    assert error.value.message.code == "lesion_value_negative"


def test_the_sum_of_lesions_has_an_error_below_the_sum_of_errors():
    result = total([Estimate(4.0, "mL", 3.0, 5.0), Estimate(6.0, "mL", 4.0, 9.0)])
    assert (result.value, result.low, result.high) == pytest.approx((10, 10 - math.sqrt(5), 10 + math.sqrt(10)))
    unknown = total([Estimate(4.0, "mL", 3.0, 5.0), Estimate(None, "mL")])
    assert unknown.value is None
    assert unknown.flags[0].code == "lesion_value_missing"
    assert total([Estimate(4.0, "mL", 3.0, 5.0), Estimate(1.0, "mL")]).low is None
