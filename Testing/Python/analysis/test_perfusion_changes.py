"""rCBV compared between visits: known changes in moved heads, limits from normal brain, withheld without trust."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.aligning import make_users
from PseudoProgressionAnalyzerLib.analysis.measuring import changes, measure_visits
from PseudoProgressionAnalyzerLib.analysis.perfusion_changes import (
    RESPONSE,
    alignment_doubts,
    make_response_maps,
    postpone_response_maps,
    waiting_response_maps,
    within_repeatability,
)
from PseudoProgressionAnalyzerLib.imaging.midline import Plane
from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.measures import Map, Measurement, Message

sys.path.insert(0, str(Path(__file__).parent))
from perfusion_patients import AFFINE, patient_of

SHAPE = (8, 32, 32)
BRAIN = np.ones(SHAPE, bool)
LESION = np.zeros(SHAPE, bool)
LESION[2:6, 8:24, 2:14] = True
TISSUE = np.zeros(SHAPE, bool)
TISSUE[2:6, 10:22, 22:30] = True
# Half of the image lies on either side of this plane: normal brain is where i > 16.
MIDDLE = Plane(np.array([1.0, 0.0, 0.0]), 3.0 * 15.5)


@pytest.fixture
def two_visits(tmp_path):
    """Two visits without series; a quarter of the lesion's rCBV rises by 1, half of it falls by 1; noise everywhere."""
    random = np.random.default_rng(4)
    analysis = patient_of(tmp_path, {"a": None, "b": None}, BRAIN, LESION, TISSUE)
    before = random.uniform(0.8, 3.0, SHAPE)
    after = before + random.normal(0, 0.1, SHAPE)
    after[2:6, 8:12, 2:14] += 1
    after[2:6, 12:20, 2:14] -= 1
    for visit, values in (("a", before), ("b", after)):
        for name in ("rCBV", "rCBV_ratio"):
            analysis.maps[visit, name] = Map(
                values.astype(np.float32), AFFINE, name, "1", "made up", np.ones(SHAPE, bool)
            )
            analysis.series_to_visit[visit, name] = np.eye(4)
        analysis.midlines[visit] = MIDDLE
    return analysis


def shares(analysis, visit="b", kind="own"):
    rows = {row.name: row for row in analysis.measurements if row.visit == visit and row.kind == kind}
    return [rows[f"PRM_{name}"].value for name in ("increased", "unchanged", "decreased")]


def test_shares_by_hand_with_limits_from_the_other_side(two_visits):
    make_response_maps(two_visits)
    measure_visits(two_visits)
    found = two_visits.maps["b", RESPONSE]
    assert "since a" in found.method
    assert "opposite half" in found.method
    rose, stayed, fell = shares(two_visits)
    assert rose + stayed + fell == pytest.approx(100)
    assert rose == pytest.approx(25, abs=2)
    assert fell == pytest.approx(50, abs=2)
    right = found.array[:, :, 20:]
    assert np.mean(right != 0) == pytest.approx(0.05, abs=0.02)  # where nothing changed but the noise
    row = next(row for row in two_visits.measurements if row.name == "PRM_increased")
    assert (row.unit, row.compared_to, row.reference) == ("%", "", "rCBV_ratio of the visit before")
    assert row.low < row.value < row.high
    assert [flag.code for flag in row.flags] == ["response_map_rigid"]
    assert ("a", RESPONSE) not in two_visits.maps
    assert not [row for row in two_visits.measurements if row.name.startswith("PRM_") and row.compared_to]


def test_a_moved_head_is_compared_place_by_place(two_visits):
    """The later visit's head lies two voxels further right: with its transform nothing changes, without it nearly
    every voxel does."""
    make_response_maps(two_visits)
    expected = two_visits.maps["b", RESPONSE].array
    moved = np.eye(4)
    moved[0, 3] = -6.0
    for name in ("rCBV", "rCBV_ratio"):
        values = two_visits.maps["b", name]
        two_visits.maps["b", name] = replace(values, affine=np.linalg.inv(moved) @ values.affine)
    two_visits.visit_to_reference["b"] = moved
    two_visits.midlines["b"] = Plane(np.array([1.0, 0.0, 0.0]), 3.0 * 15.5 + 6)
    there = np.linalg.inv(moved) @ AFFINE
    for table in (two_visits.images, two_visits.references, two_visits.regions):
        for key in [key for key in table if key == "b" or key[0] == "b"]:
            table[key] = replace(table[key], affine=there)
    make_response_maps(two_visits)
    found = two_visits.maps["b", RESPONSE].array
    assert np.mean(found == expected) > 0.99
    two_visits.visit_to_reference["b"] = np.eye(4)
    make_response_maps(two_visits)
    assert np.nanmean(two_visits.maps["b", RESPONSE].array[:, :, :28] == expected[:, :, :28]) < 0.97


def test_without_a_plane_the_reference_tissue_gives_the_limits(two_visits):
    two_visits.midlines.clear()
    make_response_maps(two_visits)
    assert "the reference tissue" in two_visits.maps["b", RESPONSE].method


def test_a_transform_of_the_users_own_is_the_users_judgement(two_visits):
    """As for the timeline's change row: nothing is known of its uncertainty, and nothing is withheld, nor said so."""
    two_visits.alignment["b"] = {}
    make_response_maps(two_visits)
    assert [message.code for message in two_visits.messages["b"]] == ["response_map_alignment"]
    make_users(two_visits, "b")
    make_response_maps(two_visits)
    assert ("b", RESPONSE) in two_visits.maps and ("b", RESPONSE) not in two_visits.absent
    assert not two_visits.messages["b"]


@pytest.mark.parametrize(
    ("alignment", "message"),
    [({"uncertainty": 3.0}, None), ({}, None), ({"uncertainty": 0.1}, Message("registration_ambiguous"))],
)
def test_withheld_where_the_alignment_is_not_trusted(two_visits, alignment, message):
    two_visits.alignment["b"] = alignment
    if message is not None:
        two_visits.messages["b"] = [message]
    assert [one.code for one in alignment_doubts(two_visits, "a", "b")] == ["response_map_alignment"]
    make_response_maps(two_visits)
    measure_visits(two_visits)
    assert ("b", RESPONSE) not in two_visits.maps
    (row,) = [row for row in two_visits.measurements if row.name.startswith("PRM_") and row.visit == "b"]
    assert row.value is None
    assert [flag.code for flag in row.flags] == ["response_map_alignment"]


def test_too_little_normal_brain_withholds_the_map(two_visits):
    two_visits.brains["b"] = LESION
    make_response_maps(two_visits)
    assert [reason.code for reason in two_visits.absent["b", RESPONSE]] == ["response_map_normal"]


def test_a_map_that_waits_is_absent_with_that_reason_and_comes_back_the_same(two_visits):
    make_response_maps(two_visits)
    before = two_visits.maps["b", RESPONSE].array
    assert postpone_response_maps(two_visits, "another") == waiting_response_maps(two_visits) == []
    assert postpone_response_maps(two_visits, "a") == waiting_response_maps(two_visits) == ["b"]
    assert ("b", RESPONSE) not in two_visits.maps
    assert [reason.code for reason in two_visits.absent["b", RESPONSE]] == ["response_map_waiting"]
    make_response_maps(two_visits, only=["a"])
    assert waiting_response_maps(two_visits) == ["b"]
    make_response_maps(two_visits, only=["b"])
    assert waiting_response_maps(two_visits) == []
    np.testing.assert_array_equal(two_visits.maps["b", RESPONSE].array, before)
    postpone_response_maps(two_visits, "a")
    del two_visits.maps["a", "rCBV"]  # nothing to compare with any more
    make_response_maps(two_visits, only=["b"])
    assert ("b", RESPONSE) not in two_visits.maps
    assert waiting_response_maps(two_visits) == []


def row(visit, value, name="rCBV_ratio_mean", unit="1"):
    return Measurement(visit, "lesion", "own", visit, name, value, unit, value - 0.1, value + 0.1)


def test_a_change_has_the_published_repeatability_as_its_band():
    inside, percent = changes([row("a", 2.0), row("b", 3.0)], ["a", "b"])
    assert (inside.low, inside.high) == (pytest.approx(1 - 1.78), pytest.approx(1 + 1.78))
    assert [flag.code for flag in inside.flags] == ["change_within_repeatability"]
    # wCV 0.31: exp(1.96 sqrt(2) sqrt(ln(1 + 0.31^2))) = exp(0.83963) = 2.3155, by hand
    assert (percent.low, percent.high) == (pytest.approx(100 * (1.5 / 2.3155 - 1), 1e-4), pytest.approx(247.33, 1e-4))
    assert [flag.code for flag in percent.flags] == ["change_within_repeatability"]
    for change in changes([row("a", 2.0), row("b", 5.0)], ["a", "b"]):
        assert not change.flags
    for values in ((2.0, 4.0), (0.5, 1.5)):  # beyond the coefficient but not the factor, and the other way round
        for change in changes([row("a", values[0]), row("b", values[1])], ["a", "b"]):
            assert [flag.code for flag in change.flags] == ["change_within_repeatability"]
    unknown, _ = changes([row("a", 2.0, "CBF_ratio_mean"), row("b", 3.0, "CBF_ratio_mean")], ["a", "b"])
    assert unknown.high - unknown.value < 0.2  # nobody published a band for tumour: that of the voxels stays
    assert [flag.code for flag in unknown.flags] == ["change_of_voxels_alone"]  # and that is said


@pytest.mark.parametrize("name", ["rCBV_ratio_median", "rCBV_ratio_p95", "rCBF_ratio_mean", "ADC_mean"])
def test_a_narrow_interval_of_a_change_says_what_it_leaves_out(name):
    for change in changes([row("a", 2.0, name), row("b", 0.7, name)], ["a", "b"]):
        assert [flag.code for flag in change.flags] == ["change_of_voxels_alone"]


def test_a_change_that_is_no_statistic_of_voxels_or_has_no_interval_says_nothing_of_them():
    assert not any(
        change.flags for change in changes([row("a", 2.0, "volume", "mL"), row("b", 3.0, "volume", "mL")], ["a", "b"])
    )
    assert not within_repeatability("rCBV_ratio_p95", Estimate(1.0, "1"), 1.0, 2.0).flags


def test_a_band_is_never_narrower_than_the_voxels_allow():
    wide = within_repeatability("rCBV_ratio_mean", Estimate(1.0, "1", -4.0, 6.0), 1.0, 2.0)
    assert (wide.low, wide.high) == (-4.0, 6.0)
    wide = within_repeatability("rCBV_ratio_mean", Estimate(100.0, "%", -90.0, 900.0), 1.0, 2.0, percent=True)
    assert (wide.low, wide.high) == (-90.0, 900.0)
    assert within_repeatability("rCBV_ratio_mean", Estimate(None, "1"), 1.0, 2.0).low is None


@pytest.mark.parametrize(("name", "unit"), [("PSR_mean", "%"), ("K2_mean", "1/s"), ("rCBV_ratio_skewness", "1")])
def test_no_percentage_of_percentages_and_of_what_may_be_negative(name, unit):
    found = changes([row("a", 2.0, name, unit), row("b", 3.0, name, unit)], ["a", "b"])
    assert [change.name for change in found] == [name]


@pytest.mark.parametrize(("name", "variation"), [("rCBV_ratio_mean", 0.31), ("sRCBV_mean", 0.18)])
@pytest.mark.parametrize("truth", [0.2, 0.7, 1.0, 3.0])
def test_the_band_in_per_cent_holds_the_true_change_in_95_of_100_and_never_less_than_nothing(name, variation, truth):
    """Repeated measurements with the published coefficient of variation, log-normal, drawn here."""
    random, spread = np.random.default_rng(7), np.sqrt(np.log(1 + variation**2))
    pairs = np.exp(spread * random.standard_normal((4000, 2)) - spread**2 / 2) * [1.0, truth]
    assert np.std(pairs[:, 0]) / np.mean(pairs[:, 0]) == pytest.approx(variation, rel=0.05)
    held = 0
    for earlier, later in pairs:
        plain = Estimate(100 * (later / earlier - 1), "%")
        found = within_repeatability(name, plain, earlier, later, percent=True)
        assert -100 < found.low < plain.value < found.high
        held += found.low <= 100 * (truth - 1) <= found.high
    assert 0.94 <= held / len(pairs) <= 0.96


def test_the_band_of_a_difference_holds_the_true_one_where_the_error_is_the_published_one():
    """Within-subject standard deviation 0.64, printed in the same table: 0.64 x 1.96 x sqrt(2) = 1.77."""
    errors = 0.64 * np.random.default_rng(8).standard_normal((4000, 2))
    held = 0
    for earlier, later in errors + [2.1, 3.0]:
        found = within_repeatability("rCBV_ratio_mean", Estimate(later - earlier, "1"), earlier, later)
        held += found.low <= 0.9 <= found.high
    assert 0.94 <= held / len(errors) <= 0.96


def test_nothing_left_has_no_band_in_per_cent():
    gone = within_repeatability("rCBV_ratio_mean", Estimate(-100.0, "%"), 2.83, 0.0, percent=True)
    assert (gone.low, gone.high) == (None, None)
