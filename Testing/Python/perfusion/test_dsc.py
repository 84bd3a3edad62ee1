"""Leakage-corrected rCBV against phantoms with known truth, another toolbox's output and plain least squares."""

from concurrent.futures import CancelledError

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, trapezoid

from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.perfusion import dsc
from PseudoProgressionAnalyzerLib.perfusion.dsc import relative_cbv
from PseudoProgressionAnalyzerLib.texts import catalogue, sentence

ECHO_TIME, SPACING = 0.03, 1.5


@pytest.fixture
def fair(reference_data):
    """The FAIR phantom: signal ``(time, j, i, k)`` and what is known of it."""
    with np.load(reference_data("perfusion/fair_octave_synthetic") / "synthetic_leakage.npz") as stored:
        data = dict(stored)
    data["signal"] = np.moveaxis(data["signal"], -1, 0)
    return data


def bolus(frames=80, arrival=20, height=8.0, spacing=SPACING):
    """A first pass with recirculation, dR2* in 1/s."""
    t = np.maximum(np.arange(frames) - arrival, 0) * spacing
    first = (t / 6) ** 3 * np.exp(3 * (1 - t / 6))
    return height * (first + 0.1 * (1 - np.exp(-t / 20)))


def integral(curve):
    return cumulative_trapezoid(curve, dx=SPACING, initial=0)


def signal_of(change, echo_time=ECHO_TIME, level=800.0):
    """Signal ``(time, voxel)`` of dR2* ``(time, voxel)``."""
    return level * np.exp(-echo_time * np.asarray(change))


def brain(frames=80, voxels=2000, noise=5.0, seed=1, **bolus_options):
    """A brain without leakage: known relative volumes and the noisy signal."""
    random = np.random.default_rng(seed)
    volumes = random.uniform(0.5, 2.0, voxels)
    signal = signal_of(bolus(frames, **bolus_options)[:, None] * volumes)
    return volumes, signal + random.normal(0, noise, signal.shape)


def leakage_by_least_squares(change, reference, arrival, spacing):
    """k1, k2 and corrected CBV of one dR2* curve, voxel by voxel as the source states it."""
    tail = change[arrival:]
    curve = reference[arrival:]
    leak = cumulative_trapezoid(curve, dx=spacing, initial=0)
    k1, k2 = np.linalg.lstsq(np.stack([curve, -leak], axis=1), tail, rcond=None)[0]
    return k1, k2, trapezoid(tail, dx=spacing) + k2 * trapezoid(leak, dx=spacing)


def code_of(call, *arguments, **options):
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    assert error.value.message.code in catalogue()
    assert "{" not in sentence(error.value.message)
    return error.value.message.code


def test_known_volumes_of_the_fair_phantom_in_leaky_voxels(fair):
    maps = relative_cbv(fair["signal"], echo_time=ECHO_TIME, repetition_time=SPACING)
    truth, leaky = fair["K1_true"], fair["K2_true"] != 0

    def error(values):  # ratio to the voxels without leakage, as a reader forms it
        ratio = values / truth
        return np.median(np.abs(ratio[leaky] / np.median(ratio[~leaky]) - 1))

    assert error(maps.cbv) < 0.02
    assert error(maps.k1) < 0.02
    assert error(maps.cbv_uncorrected) > 1.0


def test_fair_toolbox_agrees_where_it_is_given_the_same_reference(fair):
    # The toolbox leaves out voxels whose median over the last 11 frames lies more than 2 SD off the baseline, on either
    # side, and used four slices of which two are stored: the reference curves differ by about 1 %.
    signal = fair["signal"].astype(float)
    change = -np.log(signal / signal[2:18].mean(axis=0)) / ECHO_TIME
    tail = np.abs(np.median(change[-11:], axis=0))
    maps = relative_cbv(
        fair["signal"], echo_time=ECHO_TIME, repetition_time=SPACING, steady_state=2, bolus_arrival=18,
        reference_mask=tail <= 2 * change[2:18].std(axis=0, ddof=1),
    )  # fmt: skip
    assert np.allclose(maps.k1, fair["K1_fair"], rtol=1e-2)
    assert np.allclose(maps.k2, fair["K2_fair"], atol=1e-3)
    leaky = fair["K2_true"] != 0
    assert not np.allclose(maps.k2[leaky], np.roll(fair["K2_fair"][leaky], 1), atol=1e-3)


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.float32, np.float64])
def test_equals_plain_least_squares(kind):
    random = np.random.default_rng(3)
    curve = bolus()
    change = curve[:, None] * random.uniform(0.5, 2, 50)
    change[:, :10] -= random.uniform(-0.03, 0.05, 10) * integral(curve)[:, None]
    signal = (20 * signal_of(change)).astype(kind)
    reference_mask = np.arange(50) >= 10
    maps = relative_cbv(
        signal, echo_time=ECHO_TIME, repetition_time=SPACING, brain_mask=np.ones(50, bool),
        reference_mask=reference_mask,
    )  # fmt: skip
    logs = np.log(signal.astype(float))
    first, arrival = maps.frames.steady_state, maps.frames.bolus_arrival
    measured = -(logs - logs[first:arrival].mean(axis=0)) / ECHO_TIME
    reference = measured[:, reference_mask].mean(axis=1)
    assert np.allclose(maps.reference_curve, reference, atol=1e-3)
    for voxel in range(50):
        k1, k2, cbv = leakage_by_least_squares(measured[:, voxel], reference, arrival, SPACING)
        assert maps.k1[voxel] == pytest.approx(k1, abs=2e-4)
        assert maps.k2[voxel] == pytest.approx(k2, abs=1e-5)
        assert maps.cbv[voxel] == pytest.approx(cbv, rel=1e-3)


def test_memory_order_and_threads_change_nothing():
    _, signal = brain(voxels=2 * 60 * 50)
    signal = signal.reshape(80, 2, 60, 50)
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING, "brain_mask": np.ones((2, 60, 50), bool)}
    maps = relative_cbv(signal, threads=1, **options)
    time_fastest = np.moveaxis(np.ascontiguousarray(np.moveaxis(signal, 0, -1)), -1, 0)
    assert np.array_equal(relative_cbv(time_fastest, threads=2, **options).cbv, maps.cbv)
    assert maps.cbv.shape == (2, 60, 50)


def test_scale_of_the_signal_does_not_matter():
    volumes, signal = brain(voxels=500)
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING}
    maps = relative_cbv(signal, **options)
    again = relative_cbv(signal * 1e-4, **options)
    assert np.allclose(maps.cbv, again.cbv, rtol=1e-3)
    assert np.corrcoef(maps.cbv, volumes)[0, 1] > 0.99


def test_negative_relaxation_change_is_kept():
    random = np.random.default_rng(5)
    curve = bolus()
    change = np.repeat(curve[:, None], 400, axis=1)
    change[:, :20] -= 0.08 * integral(curve)[:, None]
    signal = signal_of(change) + random.normal(0, 2, change.shape)
    maps = relative_cbv(signal, echo_time=ECHO_TIME, repetition_time=SPACING)
    assert np.all(maps.cbv_uncorrected[:20] < 0)
    assert np.median(maps.cbv[:20]) / np.median(maps.cbv[20:]) == pytest.approx(1, abs=0.02)
    assert np.all(maps.k2[:20] > 0)
    assert not maps.reference_mask[:20].any()


def test_standard_errors_are_those_of_repeated_measurements():
    curve = bolus()
    signal = signal_of(np.repeat(curve[:, None], 3000, axis=1))
    random = np.random.default_rng(6)
    maps = relative_cbv(
        signal + random.normal(0, 8, signal.shape), echo_time=ECHO_TIME, repetition_time=SPACING, steady_state=0,
        bolus_arrival=20,
    )  # fmt: skip
    # Noise of ln S grows where the bolus darkens the signal (to 79 %), so that the baseline's noise is a lower bound.
    for values, errors in ((maps.cbv, maps.cbv_error), (maps.k1, maps.k1_error), (maps.k2, maps.k2_error)):
        assert 0.95 < values.std() / np.median(errors) < 1.25


def test_bad_voxels_are_masked_and_leave_the_others_alone():
    _, signal = brain()
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING, "brain_mask": np.ones(2000, bool)}
    clean = relative_cbv(signal, **options)
    signal[40, 0] = 0
    signal[10, 1] = -5
    signal[70, 2] = np.nan
    signal[3, 3] = np.inf
    maps = relative_cbv(signal, **options)
    for values in (maps.cbv, maps.cbv_uncorrected, maps.k1, maps.k2, maps.cbv_error):
        assert np.isnan(values[:4]).all()
        assert np.isfinite(values[4:]).all()
    assert not maps.quality[:4].any()
    assert not maps.reference_mask[:4].any()
    assert np.allclose(maps.cbv[4:], clean.cbv[4:], rtol=0.01)
    assert [flag.parameters["voxels"] for flag in maps.flags if flag.code == "dsc_voxels_without_signal"] == [4]


def test_bad_input_is_named():
    _, signal = brain()
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING}
    assert code_of(relative_cbv, signal, echo_time=30, repetition_time=1.5) == "dsc_echo_time"
    assert code_of(relative_cbv, signal, echo_time=0.03, repetition_time=1500) == "dsc_repetition_time"
    assert code_of(relative_cbv, signal, echo_time=float("nan"), repetition_time=1.5) == "dsc_echo_time"
    assert code_of(relative_cbv, signal, echo_time=0.03, repetition_time=0) == "dsc_repetition_time"
    assert code_of(relative_cbv, signal, model="magic", **options) == "perfusion_option"
    assert code_of(relative_cbv, signal[:3], **options) == "dsc_too_few_frames"
    assert code_of(relative_cbv, signal > 0, **options) == "dsc_signal_type"
    assert code_of(relative_cbv, signal, brain_mask=np.ones((20, 100), bool), **options) == "perfusion_mask_shape"
    assert code_of(relative_cbv, signal, brain_mask=np.zeros(2000, bool), **options) == "dsc_no_brain"
    assert code_of(relative_cbv, np.zeros_like(signal), **options) == "dsc_no_brain"
    assert code_of(relative_cbv, np.full_like(signal, np.nan), **options) == "dsc_no_brain"
    assert code_of(relative_cbv, np.full_like(signal, 100), **options) == "dsc_no_bolus"
    assert code_of(relative_cbv, signal, bolus_arrival=2, **options) == "dsc_frames_order"
    assert code_of(relative_cbv, signal, reference_mask=np.zeros(2000, bool), **options) == "dsc_no_reference"


def test_noise_alone_is_no_bolus():
    noise = np.random.default_rng(7).normal(800, 20, (80, 2000))
    assert code_of(relative_cbv, noise, echo_time=ECHO_TIME, repetition_time=SPACING) == "dsc_no_bolus"


@pytest.mark.parametrize(("arrival", "code"), [(1, "dsc_bolus_at_start"), (72, "dsc_bolus_at_end")])
def test_bolus_at_the_edge(arrival, code):
    _, signal = brain(arrival=arrival)
    assert code_of(relative_cbv, signal, echo_time=ECHO_TIME, repetition_time=SPACING) == code


def test_brain_that_enhances_everywhere_has_no_reference():
    curve = bolus()
    change = np.repeat((curve - 0.03 * integral(curve))[:, None], 500, axis=1)
    signal = signal_of(change) + np.random.default_rng(8).normal(0, 4, change.shape)
    assert code_of(relative_cbv, signal, echo_time=ECHO_TIME, repetition_time=SPACING) == "dsc_no_reference"


def test_cancel_and_progress():
    _, signal = brain(voxels=30000)
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING}
    seen = []
    relative_cbv(signal, progress=seen.append, **options)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(CancelledError):
        relative_cbv(signal, cancelled=lambda: True, **options)


@pytest.mark.parametrize("model", ["unidirectional", "bidirectional"])
def test_curve_of_a_sample_turned_to_that_of_all_is_as_good_as_all(monkeypatch, model):
    _, signal = brain(voxels=100_000, noise=20.0)
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING, "model": model, "brain_mask": np.ones(100_000, bool)}
    turned = relative_cbv(signal, **options)
    monkeypatch.setattr(dsc, "SAME_CURVE", 0.0)
    walked_again = relative_cbv(signal, **options)
    assert np.array_equal(turned.reference_mask, walked_again.reference_mask)
    same = turned.rate == walked_again.rate
    assert same.mean() > 0.995
    for name in ("cbv", "k1", "k2"):
        error = np.median(getattr(turned, f"{name}_error"))
        assert np.abs(getattr(turned, name) - getattr(walked_again, name))[same].max() < 0.02 * error
    logs = np.log(signal)
    first, arrival = turned.frames.steady_state, turned.frames.bolus_arrival
    change = -(logs - logs[first:arrival].mean(axis=0)) / ECHO_TIME
    assert np.allclose(turned.reference_curve, change[:, turned.reference_mask].mean(axis=1), atol=1e-4)
