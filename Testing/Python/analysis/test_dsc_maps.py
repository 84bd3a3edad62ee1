"""Maps of a DSC series in the main job: against the phantom's truth, moved, chosen otherwise, and from bad series."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, DscChoices
from PseudoProgressionAnalyzerLib.analysis.dsc_maps import NAMES, make_dsc_maps
from PseudoProgressionAnalyzerLib.analysis.mapping import make_maps, make_ratio_maps
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.formats.series import read_series
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Patient, Series

sys.path.insert(0, str(Path(__file__).parent))
from perfusion_patients import AFFINE, patient_of, simulation


@pytest.fixture(scope="module")
def phantom():
    return simulation()


@pytest.fixture(scope="module")
def one(phantom):
    return phantom.phantom(100.0, flip_angle=60, preload=0.7)


@pytest.fixture(scope="module")
def made(one, tmp_path_factory):
    """The phantom as a patient with one visit, mapped and measured; its lesion is the strongly perfused T1 kind."""
    analysis = patient_of(
        tmp_path_factory.mktemp("dsc"), {"a": one.signal}, one.labels > 0, one.lesion(2, 0), one.labels == 1
    )
    make_maps(analysis, "a")
    make_ratio_maps(analysis, "a")
    measure_visits(analysis)
    return analysis


def value(analysis, name, visit="a"):
    (found,) = [row for row in analysis.measurements if (row.name, row.visit, row.compared_to) == (name, visit, "")]
    return found


def test_every_map_has_unit_method_and_quality(made):
    units = {"rCBV": "relative", "rCBV_ratio": "1", "K2": "1/s", "PSR": "%", "rPSR": "%", "rPH": "1", "MTT": "s",
             "Tmax": "s", "rCBF_ratio": "1"}  # fmt: skip
    for name, unit in units.items():
        found = made.maps["a", name]
        assert found.unit == unit
        assert found.method.startswith("DSC, ")
        assert found.quality.any()
        assert np.isfinite(found.array[found.quality]).all()
    assert ("a", "K1") not in made.maps
    assert not made.absent


def test_ratios_of_lesions_are_those_of_the_phantom(made, one, phantom):
    ratio, uncorrected, flow = (made.maps["a", f"{name}_ratio"].array for name in ("rCBV", "rCBV_uncorrected", "rCBF"))
    white = one.labels == 1
    corrected_errors, uncorrected_errors = [], []
    for volume in range(3):
        for kind in range(3):
            lesion = one.lesion(volume, kind)
            truth = phantom.BLOOD_VOLUMES[volume] / one.volume[white].mean()
            corrected_errors.append(abs(ratio[lesion].mean() / truth - 1))
            uncorrected_errors.append(abs(uncorrected[lesion].mean() / truth - 1))
    assert np.median(corrected_errors) < 0.03
    assert np.median(uncorrected_errors) > 0.1
    grey = one.labels == 2
    assert np.median(flow[grey]) == pytest.approx(np.median(one.flow[grey]) / one.flow[white].mean(), rel=0.15)


def test_leakage_and_recovery_of_the_kinds_differ_as_simulated(made, one):
    k2, recovery = made.maps["a", "K2"].array, made.maps["a", "PSR"].array
    for volume in range(3):
        t1, mixed, t2 = (one.lesion(volume, kind) for kind in range(3))
        assert np.median(k2[t1]) > 0 > np.median(k2[t2])
        assert np.nanmedian(recovery[t1]) > np.nanmedian(recovery[mixed]) > np.nanmedian(recovery[t2])


def test_recovery_of_a_region_is_that_of_its_mean_curve(phantom, one, tmp_path):
    """Noise-free truth of the mean curve, by hand; the plain mean of voxels is further off in a lesion of two parts of
    which one holds little blood."""
    noisy = phantom.phantom(50.0, flip_angle=60, preload=0.7, seed=5)
    clean = phantom.phantom(1e6, flip_angle=60, preload=0.7)
    lesion = np.isin(one.labels, [12, 17])
    analysis = patient_of(tmp_path, {"a": noisy.signal}, one.labels > 0, lesion, one.labels == 1)
    make_maps(analysis, "a")
    measure_visits(analysis)
    start, arrival, _, end = analysis.curves["a", "DSC"]["frames"].astype(int)
    curve = clean.signal[:, lesion].mean(axis=1)
    low = curve[arrival:end].min()
    truth = 100 * (curve[-10:].mean() - low) / (curve[start:arrival].mean() - low)
    measured = value(analysis, "PSR_mean")
    assert measured.value == pytest.approx(truth, abs=5)
    plain = analysis.maps["a", "PSR"]
    assert abs(measured.value - truth) < abs(plain.array[lesion & plain.quality].mean() - truth)


def test_curves_say_what_a_plot_needs(made, one):
    curves = made.curves["a", "DSC"]
    assert curves["time"][1] == 1.5
    assert len(curves["brain_signal"]) == len(curves["lesion_signal"]) == len(curves["arterial_rate"]) == 90
    lesion = one.lesion(2, 0)
    assert np.allclose(curves["lesion_signal"], one.signal[:, lesion].mean(axis=1), rtol=1e-5)
    start, arrival, peak, end = curves["frames"]
    assert start <= arrival < peak < end
    assert 23 <= 1.5 * arrival <= 27  # the phantom's bolus comes at 25 s
    trusted, *reasons = curves["shares"]
    assert trusted > 0.95
    assert sum(reasons) < 0.05


def test_measures_have_units_and_intervals(made):
    for name, unit in {"FTB_high": "%", "PSR_mean": "%", "rPSR_mean": "%", "rPH_mean": "1", "K2_mean": "1/s",
                       "MTT_mean": "s", "rCBF_ratio_mean": "1", "rCBV_ratio_median": "1"}.items():  # fmt: skip
        row = value(made, name)
        assert row.unit == unit
        assert row.low <= row.value <= row.high
    shares = [value(made, f"FTB_{part}").value for part in ("low", "middle", "high")]
    assert sum(shares) == pytest.approx(100)
    assert shares[2] > 99  # the lesion holds five times white matter's blood
    assert value(made, "rPSR_mean").reference == "contralateral white matter"
    assert value(made, "PSR_mean").reference == ""


def test_a_series_that_lies_elsewhere_gives_the_same_maps(one, made, tmp_path):
    """series_to_visit says where the head lies in the series: brain and lesion follow it."""
    analysis = patient_of(tmp_path, {"a": one.signal}, one.labels > 0, one.lesion(2, 0), one.labels == 1)
    shift = np.eye(4)
    shift[:3, 3] = 6.0, -9.0, 5.0
    analysis.series_to_visit["a", "DSC"] = shift
    dsc = analysis.patient.visits[0].of_role("DSC")
    there = np.linalg.inv(shift) @ AFFINE
    make_dsc_maps(analysis, "a", dsc, Image(read_series(dsc).array, there))
    make_ratio_maps(analysis, "a")
    for name in ("rCBV", "rCBV_ratio", "rCBF"):
        assert np.allclose(analysis.maps["a", name].array, made.maps["a", name].array, equal_nan=True)
    measure_visits(analysis)
    assert value(analysis, "rCBV_ratio_mean").value == pytest.approx(value(made, "rCBV_ratio_mean").value)
    analysis.series_to_visit["a", "DSC"] = np.eye(4)
    make_dsc_maps(analysis, "a", dsc, Image(read_series(dsc).array, there))
    assert not np.allclose(analysis.maps["a", "rCBV"].array, made.maps["a", "rCBV"].array, equal_nan=True)


def test_choices_of_the_user_count(one, made, tmp_path):
    analysis = patient_of(tmp_path, {"a": one.signal}, one.labels > 0, one.lesion(2, 0), one.labels == 1)
    analysis.dsc_choices["a"] = DscChoices("bidirectional", steady_state=3, bolus_arrival=14, with_k1=True)
    make_maps(analysis, "a")
    assert list(analysis.curves["a", "DSC"]["frames"][:2]) == [3, 14]
    assert "Leu 2016" in analysis.maps["a", "rCBV"].method
    assert ("a", "K1") in analysis.maps
    assert not np.allclose(analysis.maps["a", "rCBV"].array, made.maps["a", "rCBV"].array, equal_nan=True)
    analysis.dsc_choices["a"] = replace(analysis.dsc_choices["a"], with_k1=False)
    make_maps(analysis, "a")
    assert ("a", "K1") not in analysis.maps


def without_artery(one):
    """The phantom without its vessels."""
    series = one.signal.copy()
    series[:, one.labels == 4] = series[:, one.labels == 2].mean(axis=1)[:, None]
    return series


def test_without_a_trustworthy_artery_there_is_no_flow_but_blood_volume(one, tmp_path):
    analysis = patient_of(tmp_path, {"a": without_artery(one)}, one.labels > 0, one.lesion(2, 0), one.labels == 1)
    make_maps(analysis, "a")
    make_ratio_maps(analysis, "a")
    measure_visits(analysis)
    assert ("a", "rCBV_ratio") in analysis.maps
    assert ("a", "rCBF") not in analysis.maps
    assert "arterial_rate" not in analysis.curves["a", "DSC"]
    row = value(analysis, "rCBF_ratio_mean")
    assert row.value is None
    assert {flag.code for flag in row.flags} & {"arterial_low", "arterial_late", "arterial_broad", "arterial_not_found"}
    assert value(analysis, "rCBV_ratio_mean").value is not None


def broken(one, kind):
    """A series that cannot be used, and the reason that must be named."""
    series = one.signal.copy()
    if kind == "constant":
        series[:] = 500
    elif kind == "bolus at the start":
        series = series[17:]
    elif kind == "bolus at the end":
        series = series[:20]
    elif kind == "three frames":
        series = series[:3]
    elif kind == "all negative":
        series = -series
    elif kind == "nothing but NaN":
        series[:] = np.nan
    elif kind == "all enhances":
        rising = 1 + 0.02 * np.maximum(np.arange(len(series)) - 20, 0)
        series *= rising[:, None, None, None]
    return series


BROKEN = {
    "constant": "dsc_no_bolus",
    "bolus at the start": "dsc_bolus_at_start",
    "bolus at the end": "dsc_bolus_at_end",
    "three frames": "dsc_too_few_frames",
    "all negative": "dsc_no_brain",
    "nothing but NaN": "dsc_no_brain",
    "all enhances": "dsc_no_reference",
}


@pytest.fixture(scope="module")
def with_broken_visits(one, tmp_path_factory):
    """A patient whose first visits have a series that cannot be used, each another, and whose last one is good."""
    series = {kind: broken(one, kind) for kind in BROKEN} | {"good": one.signal}
    folder = tmp_path_factory.mktemp("broken")
    analysis = patient_of(folder, series, one.labels > 0, one.lesion(2, 0), one.labels == 1)
    for visit in series:
        make_maps(analysis, visit)
        make_ratio_maps(analysis, visit)
    measure_visits(analysis)
    return analysis


@pytest.mark.parametrize(("kind", "code"), BROKEN.items())
def test_a_series_that_cannot_be_used_is_absent_with_its_reason(with_broken_visits, kind, code):
    analysis = with_broken_visits
    assert not [key for key in analysis.maps if key[0] == kind]
    row = value(analysis, "rCBV_ratio_mean", kind)
    assert row.value is None
    assert [flag.code for flag in row.flags] == ["map_not_made", code]
    assert code in [message.code for message in analysis.messages[kind]]


def test_other_visits_go_on(with_broken_visits):
    assert value(with_broken_visits, "rCBV_ratio_mean", "good").value == pytest.approx(5, rel=0.1)


def test_an_echo_time_in_milliseconds_is_named(one, tmp_path):
    analysis = patient_of(
        tmp_path, {"a": one.signal}, one.labels > 0, acquisition={"EchoTime": 30, "RepetitionTime": 1.5}
    )
    make_maps(analysis, "a")
    assert [reason.code for reason in analysis.absent["a", "rCBV_ratio"]] == ["map_not_made", "dsc_echo_time"]


def test_bad_voxels_are_masked(one, tmp_path):
    series = one.signal.copy()
    bad = np.argwhere(one.labels == 1)[:4]
    for (k, j, i), (frame, wrong) in zip(bad, [(40, 0), (10, -5), (70, np.nan), (3, np.inf)], strict=True):
        series[frame, k, j, i] = wrong
    analysis = patient_of(tmp_path, {"a": series}, one.labels > 0)
    make_maps(analysis, "a")
    for name in NAMES:
        if ("a", name) in analysis.maps:
            assert not analysis.maps["a", name].quality[tuple(bad.T)].any(), name
    assert "dsc_voxels_without_signal" in [flag.code for flag in analysis.maps["a", "rCBV"].flags]


def test_a_finished_map_stands_in_only_where_none_can_be_made(one, tmp_path):
    given = np.where(one.labels > 0, 7.0, 0.0).astype(np.float32)
    series = {"a": broken(one, "constant"), "b": one.signal}
    analysis = patient_of(
        tmp_path, series, one.labels > 0, reference=one.labels == 1, rCBV=dict.fromkeys("ab", (given, {}))
    )
    for visit, used in (("a", True), ("b", False)):
        make_maps(analysis, visit)
        assert (analysis.maps[visit, "rCBV"].method == "made elsewhere") == used
        assert (visit, "rCBV_ratio") not in analysis.absent
        noted = [message.code for message in analysis.messages[visit]]
        assert ("map_given_and_computed" in noted) != used
        assert ("map_not_made" in noted) == used


def test_standardised_maps_keep_their_name_and_are_never_made_a_ratio(one, tmp_path):
    given = np.where(one.labels > 0, 4000.0, 0.0).astype(np.float32)
    analysis = patient_of(
        tmp_path, {"a": None}, one.labels > 0, one.lesion(2, 0), one.labels == 1, sRCBV={"a": (given, {})}
    )
    make_maps(analysis, "a")
    make_ratio_maps(analysis, "a")
    measure_visits(analysis)
    assert value(analysis, "sRCBV_median").value == 4000
    assert value(analysis, "sRCBV_median").unit == "standardised"
    assert not [row for row in analysis.measurements if row.name.startswith("rCBV")]


def test_a_series_without_echo_time_is_refused_by_name():
    series = Series("DSC", Path("DSC.nii.gz"), {"RepetitionTime": 1.5})
    with pytest.raises(InputError) as caught:
        make_dsc_maps(Analysis(Patient("p", [])), "a", series, Image(np.zeros((4, 2, 2, 2)), AFFINE))
    assert caught.value.message.code == "edit_fields_missing"
    assert caught.value.message.parameters["fields"] == "EchoTime"
