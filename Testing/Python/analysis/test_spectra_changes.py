"""Changes of ratios between visits: bounds by hand, and the band of repeated measurements."""

import math

import pytest

from PseudoProgressionAnalyzerLib.analysis.measuring import changes
from PseudoProgressionAnalyzerLib.analysis.spectra_changes import repeat_band
from PseudoProgressionAnalyzerLib.measures import Measurement, Message

UNDETECTED = (Message("spectra_not_detected", {"name": "tNAA"}),)
NO_NUMERATOR = (Message("spectra_numerator_not_detected", {"name": "Lac"}),)


def row(visit, value, low=None, high=None, name="Cho_NAA_molar", flags=()):
    return Measurement(visit, "lesion", "own", visit, name, value, "1", low, high, method="fit", flags=flags)


def found(*rows):
    made = changes(list(rows), ["a", "b", "c"])
    return {(one.visit, one.compared_to, one.name): one for one in made}


def codes(measurement):
    return {flag.code for flag in measurement.flags}


def test_the_band_of_repeated_measurements_by_hand():
    """Choline 9.7 %, NAA 6.2 %, creatine 7.2 % in voxels (Maudsley 2010, abstract); 1.96 sqrt(2) of the joint one."""
    variation = math.sqrt(0.097**2 + 0.062**2)
    half = 1.959964 * math.sqrt(2 * math.log(1 + variation**2))
    for name in ("Cho_NAA_molar", "Cho_NAA_area", "Cho_NAA_molar_mean_spectrum"):
        band = repeat_band(name)
        assert band.half == pytest.approx(half, rel=1e-6) and "Maudsley 2010" in band.source
    assert repeat_band("NAA_Cr_molar").half < half
    for name in ("Lac_Cr_molar", "Cho_NAA_ratio", "Cho_index_molar", "Cho_nCr_area", "rCBV_ratio_mean"):
        assert repeat_band(name) is None


def test_a_narrow_change_is_as_wide_as_repeated_measurements_differ():
    got = found(row("a", 1.0, 0.99, 1.01), row("b", 1.2, 1.19, 1.21))
    half = repeat_band("Cho_NAA_molar").half
    plain, percent = got["b", "a", "Cho_NAA_molar"], got["b", "a", "Cho_NAA_molar_percent"]
    assert (percent.low, percent.high) == pytest.approx(
        (100 * (1.2 * math.exp(-half) - 1), 100 * (1.2 * math.exp(half) - 1))
    )
    assert (plain.low, plain.high) == pytest.approx((1.2 * math.exp(-half) - 1, 1.2 * math.exp(half) - 1))
    (said,) = [flag for flag in percent.flags if flag.code == "change_within_repeatability"]
    assert said.parameters["coefficient"] == "-27 to +37 %" and "Maudsley" in said.parameters["source"]
    # The error of the fits stays in the method, not that of the band.
    assert "log ratio +0.182, standard error 0.007" in percent.method
    clear = found(row("a", 1.0, 0.99, 1.01), row("b", 2.0, 1.98, 2.02))["b", "a", "Cho_NAA_molar_percent"]
    assert "change_within_repeatability" not in codes(clear) and clear.low > 0


def test_a_wide_change_keeps_its_own_interval():
    percent = found(row("a", 1.0, 0.4, 2.5), row("b", 1.2, 0.5, 3.0))["b", "a", "Cho_NAA_molar_percent"]
    own = math.hypot(math.log(2.5), math.log(2.4))
    assert percent.low == pytest.approx(100 * (1.2 * math.exp(-own) - 1))


def test_what_nobody_published_says_what_its_interval_lacks():
    got = found(row("a", 0.2, 0.1, 0.3, "Lac_Cr_molar"), row("b", 0.4, 0.3, 0.5, "Lac_Cr_molar"))
    assert all("change_of_fit_alone" in codes(one) for one in got.values()) and len(got) == 2


def test_lost_naa_leaves_a_bound_of_the_change():
    rows = row("a", 0.5, 0.4, 0.6), row("b", None, 1.8, None, flags=UNDETECTED), row("c", 0.7, 0.6, 0.8)
    got = found(*rows)
    percent, plain = got["b", "a", "Cho_NAA_molar_percent"], got["b", "a", "Cho_NAA_molar"]
    assert percent.value is None and percent.low == pytest.approx(200) and percent.high is None  # 1.8 over 0.6
    assert plain.value is None and plain.low == pytest.approx(1.2) and plain.high is None
    assert {"spectra_not_detected", "change_of_fit_alone"} <= codes(percent)
    assert got["c", "a", "Cho_NAA_molar"].value == pytest.approx(0.2)  # values are compared with values
    assert ("c", "b", "Cho_NAA_molar") not in got


def test_a_bound_at_the_first_visit_bounds_the_change_to_the_next():
    got = found(row("a", None, 1.8, None, flags=UNDETECTED), row("b", 0.7, 0.6, 0.9))
    percent = got["b", "a", "Cho_NAA_molar_percent"]
    assert percent.value is None and percent.low is None and percent.high == pytest.approx(-50)  # 0.9 over 1.8


def test_a_missing_numerator_is_no_change_of_minus_100_percent():
    name = "Lac_Cr_molar"
    got = found(row("a", 0.4, 0.3, 0.5, name), row("b", None, None, 0.06, name, NO_NUMERATOR))
    percent = got["b", "a", name + "_percent"]
    assert percent.value is None and percent.low is None and percent.high == pytest.approx(-80)  # 0.06 over 0.3
    back = found(row("a", None, None, 0.06, name, NO_NUMERATOR), row("b", 0.4, 0.3, 0.5, name))
    percent = back["b", "a", name + "_percent"]
    assert percent.value is None and percent.high is None and percent.low == pytest.approx(400)  # 0.3 over 0.06


def test_two_bounds_and_rows_without_anything_are_not_compared():
    assert not found(row("a", None, 1.8, None, flags=UNDETECTED), row("b", None, 1.9, None, flags=UNDETECTED))
    assert not found(row("a", 0.5, 0.4, 0.6), row("b", None, flags=UNDETECTED))


def test_a_map_made_elsewhere_that_holds_nothing_has_no_percentage():
    got = found(row("a", 0.5, 0.4, 0.6), row("b", 0.0, 0.0, 0.0))
    assert set(got) == {("b", "a", "Cho_NAA_molar")} and got["b", "a", "Cho_NAA_molar"].value == -0.5
