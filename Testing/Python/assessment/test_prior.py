"""What is known before any test."""

import pytest

from PseudoProgressionAnalyzerLib.assessment.prior import prior_for, stated_prior
from PseudoProgressionAnalyzerLib.measures import InputError


def test_early_prior_by_hand():
    # 12 + 18 + 30 + 15 + 61 + 11 + 12 = 159 of 22 + 42 + 93 + 35 + 149 + 22 + 32 = 395 are pseudoprogression; the
    # single studies' limits run from 23 % (12/32) to 73 % (12/22).
    interval, source = prior_for(7)
    assert interval[0] == pytest.approx(1 - 159 / 395, abs=1e-4)
    assert interval[1:] == pytest.approx((0.27, 0.77), abs=0.006)
    assert source.code == "prior_early"
    assert source.parameters["lesions"] == 395 and "61/149" in source.parameters["sources"]


def test_late_prior_by_hand():
    # 21/83, 7/26 and 16/50: 44 of 159; limits from 14 % (7/26) to 46 % (7/26 and 16/50).
    interval, source = prior_for(200)
    assert interval[0] == pytest.approx(1 - 44 / 159, abs=1e-4)
    assert interval[1:] == pytest.approx((0.54, 0.86), abs=0.006)
    assert source.code == "prior_late"


def test_twelve_weeks_are_the_border():
    assert prior_for(84) == prior_for(0)
    assert prior_for(85) == prior_for(300)


def test_unknown_time_is_less_certain_than_any_known_time():
    unknown, _ = prior_for(None)
    for day in (7, 200):
        known, _ = prior_for(day)
        assert unknown[1] <= known[1] and unknown[2] >= known[2]


def test_a_stated_prior_is_used_as_it_is():
    interval, source = stated_prior((0.4, 0.3, 0.6))
    assert interval == (0.4, 0.3, 0.6) and source.parameters["percent"] == 40


@pytest.mark.parametrize("prior", [(0.4, 0.5, 0.6), (0.4, 0.0, 0.6), (0.4, 0.3, 1.0), (float("nan"), 0.1, 0.2), (0.5,)])
def test_an_impossible_prior_is_refused(prior):
    with pytest.raises(InputError) as error:
        stated_prior(prior)
    assert error.value.message.code == "prior_invalid"
