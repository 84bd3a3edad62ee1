"""ASL quantification against values by hand, a numerical integral of the kinetic model, and real pCASL."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.integrate import quad

from PseudoProgressionAnalyzerLib.perfusion.asl import (
    cbf_multi_delay,
    cbf_single_delay,
    control_label_difference,
    delivered,
)

PCASL = {"labeling": "PCASL", "labeling_duration": 1.8, "post_labeling_delay": 1.8, "field_strength": 3.0}
LONG = {"m0_repetition_time": 6.0}


def image(value, shape=(2, 3, 4)):
    return np.full(shape, float(value))


def test_pcasl_by_hand():
    # 6000 * 0.9 * 8 * exp(1.8/1.65) / (2 * 0.85 * 1.65 * 1000 * (1 - exp(-1.8/1.65)))
    # = 43200 * 2.97706 / (2805 * 0.664096) = 128609 / 1862.79 = 69.041
    found = cbf_single_delay(image(8), image(1000), **PCASL, **LONG)
    assert np.allclose(found.cbf, 69.041, rtol=1e-4)
    assert found.quality.all()
    assert found.constants["blood_t1"].value == 1.65
    assert "Alsop" in found.constants["labeling_efficiency"].source
    assert not found.flags


def test_pasl_by_hand():
    # 6000 * 0.9 * 8 * exp(1.8/1.35) / (2 * 0.98 * 0.8 * 1000) = 43200 * 3.793668 / 1568 = 104.519
    found = cbf_single_delay(
        image(8),
        image(1000),
        labeling="PASL",
        labeling_duration=0.8,
        post_labeling_delay=1.8,
        field_strength=1.5,
        **LONG,
    )
    assert np.allclose(found.cbf, 104.519, rtol=1e-4)


def test_each_factor_by_hand():
    plain = cbf_single_delay(image(8), image(1000), **PCASL, **LONG).cbf[0, 0, 0]

    def ratio(m0=1000, **options):
        return cbf_single_delay(image(8), image(m0), **{**PCASL, **LONG, **options}).cbf[0, 0, 0] / plain

    assert ratio(suppression_pulses=2) == pytest.approx(1 / 0.95**2)
    assert ratio(labeling_efficiency=0.7) == pytest.approx(0.85 / 0.7)
    assert ratio(partition_coefficient=0.98) == pytest.approx(0.98 / 0.9)
    assert ratio(post_labeling_delay=2.0) == pytest.approx(np.exp(0.2 / 1.65))
    assert ratio(m0_repetition_time=2.0, tissue_t1=1.3) == pytest.approx(1 - np.exp(-2 / 1.3))
    assert ratio(m0=500) == pytest.approx(2)


def test_later_slices_are_corrected_for_their_delay():
    found = cbf_single_delay(image(8), image(1000), **PCASL, **LONG, slice_times=[0.0, 0.5])
    assert np.allclose(found.cbf[1] / found.cbf[0], np.exp(0.5 / 1.65))
    across = cbf_single_delay(image(8), image(1000), **PCASL, **LONG, slice_times=[0, 0.1, 0.2, 0.3], slice_axis=-1)
    assert np.allclose(across.cbf[..., 3] / across.cbf[..., 0], np.exp(0.3 / 1.65))


def test_voxels_without_m0_are_absent_and_faint_ones_untrusted():
    m0 = image(1000)
    m0[0, 0] = [0, -5, np.nan, 10]
    found = cbf_single_delay(image(8), m0, **PCASL, **LONG)
    assert np.isnan(found.cbf[0, 0, :3]).all()
    assert np.isfinite(found.cbf[0, 0, 3])
    assert not found.quality[0, 0].any()
    assert found.quality.sum() == 20


def test_doubtful_results_are_flagged():
    codes = [flag.code for flag in cbf_single_delay(image(8), image(1000), **PCASL).flags]
    assert codes == ["asl_m0_repetition_time_unknown"]
    (flag,) = cbf_single_delay(image(-8), image(1000), **PCASL, **LONG).flags
    assert flag.code == "asl_reversed"
    (flag,) = cbf_single_delay(image(8), image(10), **PCASL, **LONG).flags
    assert flag.code == "asl_implausible"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"labeling": "VSASL"}, "perfusion_option"),
        ({"post_labeling_delay": 1800}, "asl_time"),
        ({"labeling_duration": 0}, "asl_time"),
        ({"field_strength": 7.0}, "asl_field"),
        ({"field_strength": None}, "asl_field"),
        ({"blood_t1": 1650}, "asl_constant"),
        ({"labeling_efficiency": 85}, "asl_constant"),
        ({"m0_repetition_time": 0}, "asl_m0_repetition_time"),
        ({"m0_repetition_time": 4000}, "asl_m0_repetition_time"),
        ({"m0_repetition_time": 4}, "asl_tissue_t1"),
        ({"m0_repetition_time": 4, "tissue_t1": 1300}, "asl_constant"),
        ({"slice_times": [0.0, 0.1, 0.2]}, "asl_slice_times"),
        ({"slice_times": [0.0, 45.0]}, "asl_slice_times"),
        ({"mask": np.ones((3, 3, 4))}, "perfusion_mask_shape"),
        ({"mask": np.zeros((2, 3, 4))}, "asl_no_m0"),
    ],
)
def test_bad_input_is_named(options, code, code_of):
    assert code_of(cbf_single_delay, image(8), image(1000), **{**PCASL, **options}) == code


def test_images_that_do_not_fit_are_named(code_of):
    assert code_of(cbf_single_delay, image(8, (2, 3)), image(1000), **PCASL) == "asl_shape"
    assert code_of(cbf_single_delay, image(8), image(0), **PCASL) == "asl_no_m0"
    assert code_of(control_label_difference, np.ones((4, 2, 2)), [1, 1, 1, 0]) == "asl_pairs"
    assert code_of(control_label_difference, np.ones((4, 2, 2)), [1, 0]) == "asl_pairs"


def test_difference_of_pairs():
    series = np.array([[5.0], [3.0], [7.0], [2.0]])
    assert control_label_difference(series, [True, False, True, False]) == pytest.approx(3.5)


def integral(labeling, time, duration, transit, blood_t1, tissue_t1):
    """Label in the tissue by numerical integration of input and residue (Buxton 1998)."""

    def inflow(s):
        decayed = np.exp(-s / blood_t1) if labeling == "PASL" else np.exp(-transit / blood_t1)
        return decayed * np.exp(-(time - s) / tissue_t1)

    end = min(time, transit + duration)
    return quad(inflow, transit, end)[0] if end > transit else 0.0


@pytest.mark.parametrize("labeling", ["PCASL", "PASL"])
@pytest.mark.parametrize("tissue_t1", [1.2, 1.65])
def test_delivered_label_is_the_integral_of_the_kinetic_model(labeling, tissue_t1):
    for time in (0.3, 1.0, 2.0, 3.5):
        for transit in (0.0, 0.7, 1.5):
            expected = integral(labeling, time, 1.4, transit, 1.65, tissue_t1)
            assert delivered(labeling, time, 1.4, transit, 1.65, tissue_t1) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("labeling", ["PCASL", "PASL"])
def test_flow_and_transit_time_are_recovered(labeling):
    random = np.random.default_rng(3)
    flow, transit = random.uniform(20, 90, 400), random.uniform(0.4, 1.6, 400)
    delays = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    duration = 1.8 if labeling == "PCASL" else 0.7
    efficiency = 0.85 if labeling == "PCASL" else 0.98
    times = delays + (duration if labeling == "PCASL" else 0)
    label = [[integral(labeling, t, duration, one, 1.65, 1.3) for one in transit] for t in times]
    truth = 2 * efficiency * flow / 6000 / 0.9 * np.array(label)
    m0 = random.uniform(800, 1200, 400)
    noisy = truth * m0 + random.normal(0, 0.02, (6, 400))
    options = {
        "labeling": labeling, "labeling_durations": duration, "post_labeling_delays": delays, "field_strength": 3.0,
        "tissue_t1": 1.3, "m0_repetition_time": 6.0,
    }  # fmt: skip
    found = cbf_multi_delay(noisy, m0, **options)
    assert found.quality.mean() > 0.95
    assert np.median(np.abs(found.cbf / flow - 1)) < 0.02
    assert np.nanmedian(np.abs(found.transit_time - transit)) < 0.03
    unknown = np.isnan(found.transit_time)
    assert np.all(transit[unknown] < delays[0] + (0.05 if labeling == "PCASL" else 0.0))  # all had arrived
    assert np.median(np.abs((found.cbf - flow) / found.cbf_error)) < 2
    wrong = cbf_multi_delay(noisy, m0, **{**options, "tissue_t1": None})
    assert np.median(np.abs(wrong.cbf / flow - 1)) > 0.05


def test_late_delays_agree_with_the_single_delay_formula():
    delays = np.array([1.5, 2.0, 2.5])
    single = [
        cbf_single_delay(image(8), image(1000), **{**PCASL, **LONG, "post_labeling_delay": w}).cbf for w in delays
    ]
    differences = np.stack([image(8) * 50 / one for one in single])  # what a flow of 50 gives at each delay
    found = cbf_multi_delay(
        differences, image(1000), labeling="PCASL", labeling_durations=1.8, post_labeling_delays=delays,
        field_strength=3.0, **LONG,
    )  # fmt: skip
    assert np.allclose(found.cbf, 50, rtol=1e-3)
    assert np.isnan(found.transit_time).all()


def test_slice_times_and_bad_delays(code_of):
    delays, options = [1.0, 1.5, 2.0], {"labeling": "PCASL", "labeling_durations": 1.8, "field_strength": 3.0, **LONG}
    label = [[delivered("PCASL", 1.8 + delay + s, 1.8, 1.2, 1.65, 1.65) for s in (0, 0.6)] for delay in delays]
    later = 2 * 0.85 * 50 / 6000 / 0.9 * np.array(label)
    differences = 1000 * later[:, :, None, None] * np.ones((3, 2, 3, 4))
    found = cbf_multi_delay(differences, image(1000), post_labeling_delays=delays, slice_times=[0, 0.6], **options)
    assert np.allclose(found.cbf, 50, rtol=2e-3)
    assert np.allclose(found.transit_time[0], 1.2, atol=0.011)
    assert np.isnan(found.transit_time[1]).all()  # all label is there 1.6 s after the bolus: no telling when it came
    without = cbf_multi_delay(differences, image(1000), post_labeling_delays=delays, **options)
    assert not np.allclose(without.cbf[1], 50, rtol=0.05)
    assert code_of(cbf_multi_delay, differences, image(1000), post_labeling_delays=[1, 2], **options) == "asl_delays"
    assert code_of(cbf_multi_delay, differences, image(1000), post_labeling_delays=[1, 1, 1], **options) == "asl_delays"
    assert code_of(cbf_multi_delay, differences, image(1000), post_labeling_delays=[1000, 1500, 2000], **options) == (
        "asl_time"
    )


def read(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path))).astype(float)


def test_real_multi_delay_pcasl(reference_data):
    folder = reference_data("perfusion/LOAMRI_asltk")
    differences, m0 = read(folder / "pcasl_mte.nii.gz")[0], read(folder / "m0.nii.gz")
    options = {
        "labeling": "PCASL", "field_strength": 3.0, "mask": read(folder / "m0_brain_mask.nii.gz") > 0,
        "labeling_durations": np.array([0.1, 0.1, 0.15, 0.15, 0.4, 0.8, 1.8]),
        "post_labeling_delays": np.array([0.17, 0.27, 0.37, 0.52, 0.67, 1.07, 1.87]),
    }  # fmt: skip
    found = cbf_multi_delay(differences, m0, **options)
    assert 40 < np.median(found.cbf[found.quality]) < 110  # a thin slab of cortex and white matter
    assert 0.6 < np.nanmedian(found.transit_time[found.quality]) < 1.2
    with np.load(folder / "asltk_1.1.3_output.npz") as stored:
        # That package calibrates with M0 instead of M0/lambda, lets the label flow out again, and scales its normalised
        # map by 3.6e6 where 1/ms is 6.0e6 ml/100 g/min.
        theirs = 6.0e6 * stored["cbf"]
        assert np.allclose(stored["cbf_norm"], 3.6e6 * stored["cbf"], rtol=1e-5)
        same = cbf_multi_delay(differences, m0, **options, partition_coefficient=1.0)
        both = same.quality & (theirs > 0)
        assert np.median(same.cbf[both] / theirs[both]) == pytest.approx(0.98, abs=0.02)
        assert np.corrcoef(same.cbf[both], theirs[both])[0, 1] > 0.98
        assert np.nanmedian(np.abs(same.transit_time[both] - stored["att"][both] / 1000)) < 0.05


def test_real_pairs_give_the_scanners_own_perfusion_map(reference_data):
    folder = reference_data("perfusion/dcm_qa_philips_asl") / "Ref"
    source = read(folder / "402_SOURCE_-_3D_pCASL_6mm_classic.nii")
    derived = read(folder / "401_3D_pCASL_6mm_classic.nii")
    m0, pairs = source[:2].mean(axis=0), source[2:]  # the first pair is acquired without background suppression
    head = m0 > 0.3 * np.percentile(m0, 98)
    control_first = np.arange(len(pairs)) % 2 == 0
    difference = control_label_difference(pairs, control_first)
    assert np.corrcoef(difference[head], derived[head])[0, 1] > 0.8
    exchanged = control_label_difference(pairs, ~control_first)
    assert np.corrcoef(exchanged[head], derived[head])[0, 1] < 0


def test_real_series_without_sidecar_tells_its_order(reference_data):
    series = read(reference_data("perfusion/niivue_pcasl") / "pcasl.nii.gz")
    assert series.shape == (10, 20, 68, 52)
    difference = control_label_difference(series, np.arange(10) % 2 == 1)
    brain = series.mean(axis=0) > 0.3 * np.percentile(series, 98)
    assert 0.001 < np.median(difference[brain] / series.mean(axis=0)[brain]) < 0.02
