"""Leakage-corrected rCBV against phantoms with known truth, another toolbox's output and plain least squares."""

from concurrent.futures import CancelledError

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, trapezoid

from PseudoProgressionAnalyzerLib.perfusion import dsc
from PseudoProgressionAnalyzerLib.perfusion.dsc import relative_cbv

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


def test_bad_input_is_named(code_of):
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


def test_noise_alone_is_no_bolus(code_of):
    noise = np.random.default_rng(7).normal(800, 20, (80, 2000))
    assert code_of(relative_cbv, noise, echo_time=ECHO_TIME, repetition_time=SPACING) == "dsc_no_bolus"


@pytest.mark.parametrize(("arrival", "code"), [(1, "dsc_bolus_at_start"), (72, "dsc_bolus_at_end")])
def test_bolus_at_the_edge(arrival, code, code_of):
    _, signal = brain(arrival=arrival)
    assert code_of(relative_cbv, signal, echo_time=ECHO_TIME, repetition_time=SPACING) == code


def test_brain_that_enhances_everywhere_has_no_reference(code_of):
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


def lesion_errors(values, phantom, one):
    """Relative errors ``(volume, leakage)`` of the lesions' ratio to white matter."""
    white = one.labels == 1
    unit = np.nanmean(values[white]) / one.volume[white].mean()
    means = [[np.nanmean(values[one.lesion(v, k)]) for k in range(3)] for v in range(3)]
    return np.array(means) / unit / np.array(phantom.BLOOD_VOLUMES)[:, None] - 1


@pytest.mark.parametrize("snr", [20, 50, 100])
@pytest.mark.parametrize("protocol", [{"flip_angle": 60, "preload": 0.7}, {"flip_angle": 30}])
def test_lesions_of_known_volume_with_t1_and_t2_leakage_together(phantom, snr, protocol):
    one = phantom.phantom(snr, **protocol)
    options = {"echo_time": one.echo_time, "repetition_time": one.spacing, "brain_mask": one.labels > 0}
    plain = relative_cbv(one.signal, **options)
    uncorrected = np.abs(lesion_errors(plain.cbv_uncorrected, phantom, one))
    unidirectional = np.abs(lesion_errors(plain.cbv, phantom, one))
    both_ways = relative_cbv(one.signal, model="bidirectional", **options)
    bidirectional = np.abs(lesion_errors(both_ways.cbv, phantom, one))
    assert np.median(uncorrected) > 0.15
    assert uncorrected.max() > 0.7
    assert np.median(unidirectional) < 0.03
    assert unidirectional.max() < 0.13
    assert np.median(bidirectional) < 0.03
    assert bidirectional.max() < 0.09
    for v in range(3):  # T1 leakage is positive, T2* negative, and the mixed kind lies between
        sign = [np.nanmean(plain.k2[one.lesion(v, k)]) for k in range(3)]
        assert sign[0] > sign[1] > sign[2]
        assert sign[0] > 0 > sign[2]
    assert plain.quality[one.labels > 0].mean() > 0.99
    assert not plain.flags


def test_strong_t1_leakage_without_preload_is_not_corrected_fully(phantom):
    one = phantom.phantom(100, flip_angle=60)
    options = {"echo_time": one.echo_time, "repetition_time": one.spacing, "brain_mask": one.labels > 0}
    maps = relative_cbv(one.signal, **options)
    assert np.median(np.abs(lesion_errors(maps.cbv, phantom, one))) > 0.1  # why the protocol is graded
    assert np.median(np.abs(lesion_errors(maps.cbv_uncorrected, phantom, one))) > 0.5


def test_two_echoes_take_t1_out_before_any_model(phantom):
    one = phantom.phantom(50, flip_angle=60, echo_time=0.012, second_echo_time=0.035)
    options = {"repetition_time": one.spacing, "brain_mask": one.labels > 0}
    single = relative_cbv(one.signal[1], echo_time=0.035, **options)
    dual = relative_cbv(one.signal[1], echo_time=0.035, first_echo=(one.signal[0], 0.012), **options)
    t1_kind = np.isin(one.labels, [10, 13, 16])
    assert np.nanmean(single.k2[t1_kind]) > 0 > np.nanmean(dual.k2[t1_kind])
    assert np.median(np.abs(lesion_errors(single.cbv, phantom, one))) > 0.09
    assert np.median(np.abs(lesion_errors(dual.cbv, phantom, one))) < 0.05
    assert dual.echo_time == pytest.approx(0.023)
    logs = np.log(one.signal.astype(float))
    ratio = logs[1] - logs[0]
    change = -(ratio - ratio[dual.frames.steady_state : dual.frames.bolus_arrival].mean(axis=0)) / 0.023
    assert np.allclose(dual.reference_curve, change[:, dual.reference_mask].mean(axis=1), atol=2e-3)


def test_exchange_rate_is_found_where_leakage_is_strong():
    curve, spacing = bolus(frames=100), SPACING
    time = spacing * np.arange(100)
    truth = 0.012
    leaked = cumulative_trapezoid(curve * np.exp(truth * time), time, initial=0) * np.exp(-truth * time)
    change = np.repeat(curve[:, None], 1000, axis=1)
    change[:, :200] -= 0.05 * leaked[:, None]
    signal = signal_of(change) + np.random.default_rng(9).normal(0, 2, change.shape)
    options = {"echo_time": ECHO_TIME, "repetition_time": spacing, "reference_mask": np.arange(1000) >= 200}
    maps = relative_cbv(signal, model="bidirectional", **options)
    assert np.median(maps.kep[:200]) == pytest.approx(truth, rel=0.2)
    assert np.median(maps.k2[:200]) == pytest.approx(0.05, rel=0.1)
    assert np.median(maps.cbv[:200]) / np.median(maps.cbv[200:]) == pytest.approx(1, abs=0.02)
    assert np.mean(maps.kep[200:] == 0) > 0.8  # no third parameter where nothing leaks
    one_way = relative_cbv(signal, **options)
    assert abs(np.median(one_way.cbv[:200]) / np.median(one_way.cbv[200:]) - 1) > 0.05


def test_first_pass_integral_ends_with_the_first_pass():
    volumes, signal = brain(voxels=500, noise=2.0)
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING}
    full = relative_cbv(signal, **options)
    first = relative_cbv(signal, integral="first_pass", **options)
    frames = first.frames
    logs = np.log(signal)
    change = -(logs - logs[frames.steady_state : frames.bolus_arrival].mean(axis=0)) / ECHO_TIME
    window = change[frames.bolus_arrival : frames.first_pass_end]
    assert np.allclose(first.cbv_uncorrected, trapezoid(window, dx=SPACING, axis=0), rtol=1e-3)
    assert np.median(first.cbv_uncorrected / full.cbv_uncorrected) < 0.9
    assert np.corrcoef(first.cbv, volumes)[0, 1] > 0.99


def test_what_cannot_be_trusted_is_said():
    _, signal = brain(voxels=3000)
    random = np.random.default_rng(11)
    signal[:, 0] = 800 * 0.2 + random.normal(0, 5, 80)  # dropout
    signal[:, 1] += random.normal(0, 400, 80).clip(-500, 500)  # noise
    signal[10:, 2] *= 0.8  # a step in the baseline
    maps = relative_cbv(signal, echo_time=ECHO_TIME, repetition_time=SPACING, brain_mask=np.ones(3000, bool))
    assert maps.untrusted["signal_loss"][0]
    assert maps.untrusted["noise"][1]
    assert maps.untrusted["baseline_drift"][2]
    assert not maps.quality[:3].any()
    assert maps.quality[3:].mean() > 0.999


@pytest.mark.parametrize(("first", "last"), [(10, 11), (60, 80)])
def test_motion_is_flagged_and_names_its_frame(phantom, first, last):
    one = phantom.phantom(50, flip_angle=30)
    options = {"echo_time": one.echo_time, "repetition_time": one.spacing, "brain_mask": one.labels > 0}
    assert not relative_cbv(one.signal, **options).flags
    moved = one.signal.copy()
    moved[first:last] = np.roll(moved[first:last], 1, axis=-1)
    (flag,) = relative_cbv(moved, **options).flags
    assert flag.code == "dsc_motion"
    assert str(first) in flag.parameters["frames"].split(", ")


def test_brain_without_mask_leaves_air_out_and_says_so(phantom):
    one = phantom.phantom(50, flip_angle=30)
    maps = relative_cbv(one.signal, echo_time=one.echo_time, repetition_time=one.spacing)
    assert [flag.code for flag in maps.flags] == ["dsc_brain_by_threshold"]
    assert not maps.brain_mask[one.labels == 0].any()
    assert maps.brain_mask[one.labels > 0].mean() > 0.9
    assert np.isnan(maps.cbv[~maps.brain_mask]).all()


def test_sample_unlike_the_brain_does_not_mislead():
    # Every second block of 1024 voxels is in the first sample of 32; there the bolus is later and broader.
    voxels = 64 * 1024
    odd = (np.arange(voxels) // 1024) % 2 == 1
    change = np.where(odd, bolus(arrival=20)[:, None], bolus(arrival=24, height=5)[:, None])
    signal = signal_of(change) + np.random.default_rng(12).normal(0, 4, change.shape)
    maps = relative_cbv(
        signal, echo_time=ECHO_TIME, repetition_time=SPACING, brain_mask=np.ones(voxels, bool), steady_state=0,
        bolus_arrival=19,
    )  # fmt: skip
    logs = np.log(signal)
    measured = -(logs - logs[:19].mean(axis=0)) / ECHO_TIME
    reference = measured[:, maps.reference_mask].mean(axis=1)
    for voxel in range(0, voxels, 4099):
        k1, k2, cbv = leakage_by_least_squares(measured[:, voxel], reference, 19, SPACING)
        assert maps.k1[voxel] == pytest.approx(k1, abs=1e-3)
        assert maps.k2[voxel] == pytest.approx(k2, abs=5e-5)
        assert maps.cbv[voxel] == pytest.approx(cbv, rel=2e-3)
