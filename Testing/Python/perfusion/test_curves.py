"""Single curves against closed forms: dR2*, recovery, peak height, gamma variate, and the corrected curve."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from PseudoProgressionAnalyzerLib.perfusion.bolus import Frames
from PseudoProgressionAnalyzerLib.perfusion.curves import (
    gamma_variate,
    relaxation_change,
    signal_recovery,
    without_leakage,
)
from PseudoProgressionAnalyzerLib.perfusion.dsc import relative_cbv

FRAMES = Frames(steady_state=2, bolus_arrival=19, peak=24, first_pass_end=34, count=80)
SPACING = 1.5


def test_relaxation_change_by_hand():
    signal = np.full((80, 2), 100.0)
    signal[30] = 100 * np.exp(-0.3)  # -ln(0.741) / 0.03 s = 10 1/s
    signal[40] = 100 * np.exp(0.06)  # a rise of the signal is a negative change
    signal[50, 1] = 0
    change = relaxation_change(signal, FRAMES, 0.03)
    assert change[30, 0] == pytest.approx(10)
    assert change[40, 0] == pytest.approx(-2)
    assert np.isnan(change[50, 1])


def test_recovery_and_peak_height_by_hand():
    signal = np.full((80, 1), 200.0)
    signal[:2] = 900  # before the steady state
    signal[24] = 80
    signal[34:] = 170
    found = signal_recovery(signal, FRAMES)
    assert found.recovery[0] == pytest.approx(75)  # (170 - 80) / (200 - 80)
    assert found.peak_height[0] == pytest.approx(120)
    assert found.depth[0] == pytest.approx(0.6)
    assert signal_recovery(signal * 3, FRAMES).recovery[0] == pytest.approx(75)
    signal[60:] = 230  # T1 leakage overshoots
    assert signal_recovery(signal, FRAMES).recovery[0] == pytest.approx(125)


def test_recovery_of_noise_is_absent():
    signal = np.random.default_rng(1).normal(300, 10, (80, 200))
    assert np.isnan(signal_recovery(signal, FRAMES).recovery).mean() > 0.95
    assert np.isnan(signal_recovery(np.full((80, 3), 300), FRAMES).recovery).all()


def curves(phantom, recirculation=0.0, noise=0.0, count=500):
    random = np.random.default_rng(2)
    height, shape = random.uniform(4, 12, count), random.uniform(2, 4, count)
    width, start = random.uniform(4, 8, count), random.uniform(30, 33, count)
    time = SPACING * np.arange(80)[:, None]
    since = np.maximum(time - start, 0)
    change = height * (since / width) ** shape * np.exp(shape * (1 - since / width))
    change += recirculation * height * (1 - np.exp(-np.maximum(since - 6, 0) / 10))
    return change + random.normal(0, noise, change.shape), phantom.gamma_area(height, shape, width), start


def test_gamma_variate_finds_known_areas(phantom):
    change, area, start = curves(phantom)
    found = gamma_variate(change, FRAMES, repetition_time=SPACING)
    assert np.median(np.abs(found.area / area - 1)) < 0.01
    assert np.median(np.abs(found.arrival - start)) < 0.4
    assert np.median(np.abs(found.peak / change.max(axis=0) - 1)) < 0.02


def test_gamma_variate_leaves_recirculation_out(phantom):
    change, area, _ = curves(phantom, recirculation=0.1, noise=0.2)
    found = gamma_variate(change, FRAMES, repetition_time=SPACING)
    assert np.median(np.abs(found.area / area - 1)) < 0.07
    assert np.median(trapezoid(change, dx=SPACING, axis=0) / area - 1) > 0.5


def test_gamma_variate_of_nothing_is_absent():
    for empty in (np.zeros((80, 3)), -np.ones((80, 3)), np.full((80, 3), np.nan)):
        assert np.isnan(gamma_variate(empty, FRAMES, repetition_time=SPACING).area).all()


def test_integral_of_the_corrected_curve_is_the_corrected_cbv(phantom):
    one = phantom.phantom(50, flip_angle=30, slices=3, size=48)
    maps = relative_cbv(
        one.signal, echo_time=one.echo_time, repetition_time=one.spacing, brain_mask=one.labels > 0,
        model="bidirectional",
    )  # fmt: skip
    lesion = np.nonzero(one.labels >= 10)
    change = relaxation_change(one.signal[(slice(None), *lesion)], maps.frames, one.echo_time)
    corrected = without_leakage(
        change, maps.k2[lesion], maps.kep[lesion], maps.reference_curve, maps.frames, one.spacing
    )
    area = trapezoid(corrected[maps.frames.bolus_arrival :], dx=one.spacing, axis=0)
    assert np.allclose(area, maps.cbv[lesion], rtol=2e-3, atol=0.05)
    assert not np.allclose(area, maps.cbv_uncorrected[lesion], rtol=0.05)
