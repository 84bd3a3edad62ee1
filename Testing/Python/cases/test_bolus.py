"""The DSC forward model against closed forms, and against what a DSC series looks like."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import bolus
from PseudoProgressionAnalyzerLib.cases.tissues import TISSUES

PROTOCOL = bolus.Protocol()
ARTERIAL = bolus.arterial_input(PROTOCOL.fine_times, PROTOCOL.arrival)
LONG = bolus.Protocol(frames=200)


def curve(name, **more):
    tissue = TISSUES[name]
    return bolus.tissue_signal(PROTOCOL, tissue, ARTERIAL, np.array([tissue.blood_volume]), **more)[:, 0]


def rates(signal, protocol=PROTOCOL):
    """dR2* in 1/s against the mean of the frames before the bolus (the first one has not settled)."""
    return -np.log(signal / signal[2:12].mean(axis=0)) / protocol.echo_time


def test_arterial_input():
    times = np.arange(0, 90, 0.1)
    found = bolus.arterial_input(times, 20.0)
    assert not found[times <= 20].any()
    first = times[np.argmax(found)]
    assert first == pytest.approx(20 + 3 * 1.5, abs=0.2)  # t^3 exp(-t / 1.5 s) peaks at 4.5 s
    assert 6.5 < found.max() < 8
    later = 20 + 9 + 2 * 3.5  # where the second pass peaks
    first_pass = 7.0 * (16 / 4.5) ** 3 * np.exp(3 - 16 / 1.5)
    second = found[np.argmin(np.abs(times - later))] - first_pass
    assert 0.15 < second / found.max() < 0.35
    assert 0.05 < found[-1] / found.max() < 0.15  # the agent stays in the blood


def test_convolution_with_a_constant():
    rate = 0.25
    found = bolus.convolved(np.ones(400), rate)
    times = bolus.FINE_STEP * np.arange(1, 401)  # each value holds for a step
    assert np.allclose(found, (1 - np.exp(-rate * times)) / rate, atol=1e-9)
    assert not np.allclose(found, (1 - np.exp(-0.3 * times)) / 0.3, atol=1e-9)


def test_baseline_is_the_steady_state_signal():
    """sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE/T2*): Ernst's formula, reached after the dummy scans."""
    tissue = TISSUES["white"]
    e1 = np.exp(-PROTOCOL.repetition_time / tissue.t1)
    angle = np.radians(PROTOCOL.flip_angle)
    expected = tissue.density * np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1)
    expected *= np.exp(-PROTOCOL.echo_time / tissue.t2_star)
    assert np.allclose(curve("white")[1:12], expected, rtol=1e-3)


def test_without_leakage_the_area_is_the_blood_volume():
    """The central volume theorem: areas of dR2* relate as blood volumes, whatever the transit times."""
    arterial = bolus.arterial_input(LONG.fine_times, LONG.arrival)
    area = {}
    for name in ("white", "grey"):
        tissue = TISSUES[name]
        signal = bolus.tissue_signal(LONG, tissue, arterial, np.array([tissue.blood_volume]))[:, 0]
        area[name] = rates(signal, LONG).sum()
    assert area["grey"] / area["white"] == pytest.approx(0.0525 / 0.0210, rel=0.02)


def test_signal_drops_as_in_patients():
    drop = {name: 1 - curve(name).min() / curve(name)[5] for name in ("white", "grey", "artery", "fluid")}
    assert 0.15 < drop["white"] < 0.30 < drop["grey"] < 0.55 < 0.8 < drop["artery"]
    assert drop["fluid"] < 0.01
    assert 14 <= np.argmin(curve("white")) <= 22  # frames of 1.5 s; arrival at 21 s


def test_leakage_ends_above_or_below_the_baseline():
    low, high = bolus.LEAKED_RELAXIVITY
    tissue = TISSUES["enhancing"]
    signal = bolus.tissue_signal(
        PROTOCOL, tissue, ARTERIAL, np.full(2, 0.02), transfer=0.11, leaked_relaxivity=np.array([low, high])
    )
    t1_dominant, t2_star_dominant = rates(signal)[-10:].mean(axis=0)
    tight = rates(bolus.tissue_signal(PROTOCOL, tissue, ARTERIAL, np.full(1, 0.02)))[-10:].mean()
    assert t1_dominant < -1 < 0 < tight < 2 < t2_star_dominant
    # Ignored, either kind misleads by more than a normal blood volume is worth.
    total = rates(signal).sum(axis=0) * PROTOCOL.repetition_time
    normal = rates(bolus.tissue_signal(PROTOCOL, tissue, ARTERIAL, np.full(1, 0.02))).sum() * PROTOCOL.repetition_time
    assert total[0] < 0.3 * normal and total[1] > 1.7 * normal


def test_leaked_agent_washes_back():
    """With ve -> infinity it would only accumulate; Ktrans/ve brings it down by a few percent over a minute."""
    plasma = ARTERIAL / (1 - bolus.HAEMATOCRIT)
    per_second = 0.11 / 60
    kept = per_second * bolus.convolved(plasma, 0.0)[-1]
    washed = per_second * bolus.convolved(plasma, per_second / bolus.EXTRAVASCULAR_SPACE)[-1]
    assert 0.6 * kept < washed < 0.95 * kept


def test_a_voxel_of_two_tissues_is_their_mixture():
    def series(**shares):
        grid = {name: np.full((1, 1, 1), share, np.float32) for name, share in shares.items()}
        ones = np.ones((1, 1, 1), np.float32)
        return bolus.series(PROTOCOL, grid, ones, 0.02 * ones, 0.5 * ones, 0.1)[:, 0, 0, 0]

    mixed = series(white=0.25, grey=0.35, enhancing=0.4)
    parts = 0.25 * series(white=1.0) + 0.35 * series(grey=1.0) + 0.4 * series(enhancing=1.0)
    assert np.allclose(mixed, parts, rtol=1e-5)
    assert np.allclose(series(white=1.0), curve("white"), rtol=1e-5)
    assert not np.allclose(rates(mixed), 0.25 * rates(series(white=1.0)) + 0.75 * rates(series(grey=1.0)), rtol=0.05)


def test_fat_is_suppressed_and_air_is_silent():
    ones = np.ones((1, 1, 1), np.float32)
    found = bolus.series(PROTOCOL, {"fat": ones, "white": 0 * ones}, ones, ones, ones, 0.1)
    assert found.max() < 0.1 * curve("white").max()
    assert not bolus.series(PROTOCOL, {"white": 0 * ones}, ones, ones, ones, 0.1).any()
