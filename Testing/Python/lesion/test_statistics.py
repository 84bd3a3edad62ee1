"""Map statistics against pyradiomics' baselines, repeated voxels and hand calculation."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.lesion.statistics import region_statistics
from PseudoProgressionAnalyzerLib.measures import InputError

BASELINES = {
    "mean": "Mean", "median": "Median", "minimum": "Minimum", "maximum": "Maximum", "p10": "10Percentile",
    "p90": "90Percentile", "interquartile_range": "InterquartileRange", "skewness": "Skewness", "kurtosis": "Kurtosis",
    "mean_absolute_deviation": "MeanAbsoluteDeviation",
    "robust_mean_absolute_deviation": "RobustMeanAbsoluteDeviation",
}  # fmt: skip


@pytest.mark.parametrize("case", ["brain1", "brain2"])
def test_pyradiomics_baselines_of_real_tumours(reference_data, case):
    """Column without resampling, normalisation or resegmentation; its voxelArrayShift of 2000 moves RMS alone."""
    folder = reference_data("longitudinal/AIM-Harvard_pyradiomics")
    with (folder / "baseline_firstorder.csv").open(newline="") as file:
        rows = {row["featureName"].removeprefix("original_firstorder_"): row[case] for row in csv.DictReader(file)}
    image, label = read_image(folder / f"{case}_image.nrrd"), read_image(folder / f"{case}_label.nrrd")
    statistics = region_statistics(image.array, label.array == 1, image.voxel_volume)
    for name, baseline in BASELINES.items():
        assert getattr(statistics, name) == pytest.approx(float(rows[baseline]), rel=1e-6), name
    assert statistics.standard_deviation**2 == pytest.approx(float(rows["Variance"]), rel=1e-9)
    shifted = region_statistics(image.array + 2000.0, label.array == 1, image.voxel_volume)
    assert shifted.root_mean_squared == pytest.approx(float(rows["RootMeanSquared"]), rel=1e-9)
    moved = region_statistics(image.array, np.roll(label.array == 1, 3, axis=2), image.voxel_volume)
    assert moved.mean != pytest.approx(float(rows["Mean"]), rel=1e-2)


def test_hand_calculated_percentiles_and_moments():
    statistics = region_statistics(np.array([1.0, 2, 3, 4, 10]), np.ones(5), 0.001)
    assert (statistics.median, statistics.p25, statistics.p75, statistics.p95) == pytest.approx((3, 2, 4, 8.8))
    assert statistics.mean == 4
    assert statistics.standard_deviation == pytest.approx(math.sqrt(10))
    assert statistics.skewness == pytest.approx((-27 - 8 - 1 + 0 + 216) / 5 / 10**1.5)
    assert statistics.kurtosis == pytest.approx((81 + 16 + 1 + 0 + 1296) / 5 / 100)
    assert statistics.covered_volume == pytest.approx(0.005)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-100, 100), st.integers(1, 4)), min_size=2, max_size=30))
def test_a_weight_is_a_share_of_repeated_voxels(pairs):
    """Moments of voxels with weights 1/4 to 4/4 are those of voxels repeated once to four times."""
    values, repeats = (np.array(column) for column in zip(*pairs, strict=True))
    weighted = region_statistics(values.astype(float), repeats / 4, 0.01)
    repeated = np.repeat(values.astype(float), repeats)
    assert weighted.mean == pytest.approx(repeated.mean(), abs=1e-9)
    assert weighted.standard_deviation == pytest.approx(repeated.std(), abs=1e-6)
    assert weighted.n_effective == pytest.approx(repeats.sum() ** 2 / (repeats**2).sum())
    assert weighted.covered_volume == pytest.approx(0.01 * repeats.sum() / 4)
    assert weighted.minimum <= weighted.p5 <= weighted.median <= weighted.p95 <= weighted.maximum


def test_weighted_percentiles_of_a_fine_map_are_those_of_its_distribution():
    """Weights x on values uniform in x make the density 2x: quantile q lies at sqrt(q)."""
    values = np.linspace(0, 1, 20001)
    statistics = region_statistics(values, values, 1.0)
    assert (statistics.p5, statistics.median, statistics.p95) == pytest.approx(np.sqrt([0.05, 0.5, 0.95]), abs=1e-3)
    unweighted = region_statistics(values, np.ones_like(values), 1.0)
    assert unweighted.median != pytest.approx(np.sqrt(0.5), abs=1e-2)


def test_what_is_not_a_number_or_not_trusted_is_left_out_and_counted():
    values = np.array([[1.0, 2.0, np.nan], [4.0, np.inf, 1000.0]])
    trusted = np.array([[True, True, True], [True, True, False]])
    statistics = region_statistics(values, np.full((2, 3), 0.5), 0.002, trusted)
    assert statistics.mean == pytest.approx(7 / 3)
    assert (statistics.n_voxels, statistics.n_not_finite, statistics.n_untrusted) == (3, 2, 1)
    assert statistics.covered_fraction == pytest.approx(0.5)
    assert statistics.covered_volume == pytest.approx(0.003)


def test_no_value_leaves_a_reason():
    nothing = region_statistics(np.full(4, np.nan), np.ones(4), 1.0)
    assert nothing.mean is None
    assert [flag.code for flag in nothing.flags] == ["lesion_map_untrusted"]
    outside = region_statistics(np.ones(4), np.zeros(4), 1.0)
    assert [flag.code for flag in outside.flags] == ["lesion_map_outside"]
    flat = region_statistics(np.full(7, 0.1), np.ones(7), 1.0)
    assert (flat.mean, flat.standard_deviation, flat.skewness, flat.kurtosis) == (pytest.approx(0.1), 0.0, None, None)


def test_bad_weights_are_refused():
    with pytest.raises(InputError) as error:
        region_statistics(np.ones((2, 2)), np.ones((2, 3)), 1.0)
    assert error.value.message.code == "lesion_weights_shape"
    for weights in (np.array([0.5, 1.5]), np.array([0.5, -0.1]), np.array([0.5, np.nan])):
        with pytest.raises(InputError) as error:
            region_statistics(np.ones(2), weights, 1.0)
        assert error.value.message.code == "lesion_weights_range"


def test_what_lies_outside_of_the_region():
    """Voxels of 10 within a region, of 2 around it, each holding both by its weight: of the mean the part outside is
    what is missing to 10, over 10 - 2."""
    weights = np.array([1.0, 0.75, 0.25, 0.5])
    values = 10 * weights + 2 * (1 - weights)
    found = region_statistics(values, weights, 1.0)
    assert found.outside == pytest.approx(100 * (10 - found.mean) / 8)
    assert found.outside == pytest.approx(100 * (1 - (1 + 0.5625 + 0.0625 + 0.25) / 2.5))
    assert region_statistics(values, np.ones(4), 1.0).outside == 0
    trusted = np.array([True, False, False, False])
    assert region_statistics(values, weights, 1.0, trusted).outside == 0, "voxels that are not used hold nothing"
    assert region_statistics(values, np.zeros(4), 1.0).outside is None
