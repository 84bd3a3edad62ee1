"""The frames of a series: steady state, baseline, arrival and first pass, for bolus curves with known arrival."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.perfusion.bolus import find_frames


def curve(frames=90, arrival=20.0, drop=0.3, width=4.0, tail=0.06, noise=0.0, seed=0):
    """Mean brain signal with a bolus that starts at a (fractional) frame."""
    t = np.maximum(np.arange(frames) - arrival, 0) / width
    fall = drop * t**3 * np.exp(3 * (1 - t)) + tail * drop * (1 - np.exp(-t / 5))
    return 500 * np.exp(-fall) * (1 + np.random.default_rng(seed).normal(0, noise, frames))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    arrival=st.floats(8, 60), drop=st.floats(0.05, 1.2), width=st.floats(2.5, 8), noise=st.floats(0, 0.003),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_baseline_never_reaches_across_the_bolus(arrival, drop, width, noise, seed):
    signal = curve(frames=110, arrival=arrival, drop=drop, width=width, noise=noise, seed=seed)
    frames = find_frames(signal)
    assert frames.bolus_arrival <= arrival + width / 2  # the rise is cubic: 3 % of the peak come after a third of it
    assert frames.bolus_arrival >= arrival - 3
    clean = curve(frames=110, arrival=arrival, drop=drop, width=width)
    assert clean[frames.bolus_arrival - 1] > 500 * (1 - 0.035 * drop - 4 * noise)
    assert frames.bolus_arrival < frames.peak < frames.first_pass_end <= 110


def test_frames_before_the_steady_state_are_dropped():
    signal = curve(noise=0.001)
    signal[:3] *= [1.6, 1.15, 1.03]
    assert find_frames(signal).steady_state == 3
    assert find_frames(curve(noise=0.001)).steady_state == 0


def test_dark_dummy_frames_are_not_taken_for_the_bolus():
    signal = curve(noise=0.001)
    signal[:2] *= 0.3
    frames = find_frames(signal)
    assert frames.steady_state == 2
    assert abs(frames.peak - 24) <= 1


def test_one_bad_frame_is_not_taken_for_the_bolus():
    signal = curve(noise=0.001)
    signal[70] *= 0.3
    assert abs(find_frames(signal).peak - 24) <= 1


def test_user_moves_the_frames():
    frames = find_frames(curve(), steady_state=4, bolus_arrival=15)
    assert (frames.steady_state, frames.bolus_arrival) == (4, 15)


def test_first_pass_ends_where_the_curve_rises_again():
    signal = curve(noise=0.0) * np.exp(-0.05 * np.exp(-(((np.arange(90) - 45) / 4) ** 2)))
    assert 33 <= find_frames(signal).first_pass_end <= 40


@pytest.mark.parametrize(
    ("signal", "options", "code"),
    [
        (curve(frames=14), {}, "dsc_too_few_frames"),
        (np.full(60, 300.0), {}, "dsc_no_bolus"),
        (np.r_[np.full(50, 500.0), np.linspace(500, 300, 20)], {}, "dsc_bolus_at_end"),
        (curve(arrival=0.0), {}, "dsc_bolus_at_start"),
        (curve(arrival=82.0), {}, "dsc_bolus_at_end"),
        (np.r_[curve()[:50], np.zeros(20)], {}, "dsc_signal_not_positive"),
        (np.r_[curve()[:50], np.nan], {}, "dsc_signal_not_positive"),
        (curve(), {"steady_state": 19, "bolus_arrival": 20}, "dsc_frames_order"),
        (curve(), {"bolus_arrival": 85}, "dsc_frames_order"),
        (curve(), {"steady_state": -1}, "dsc_frames_order"),
    ],
)
def test_series_without_a_usable_bolus_are_named(signal, options, code, code_of):
    assert code_of(find_frames, signal, **options) == code
