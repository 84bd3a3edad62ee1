"""Shape against pyradiomics' baselines and bodies whose surface is known."""

import csv

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.lesion.shape import shape, sphere_shape, sphericity
from PseudoProgressionAnalyzerLib.measures import InputError

BASELINES = {
    "surface_area": "SurfaceArea", "surface_to_volume": "SurfaceVolumeRatio", "sphericity": "Sphericity",
    "elongation": "Elongation", "flatness": "Flatness", "major_axis_length": "MajorAxisLength",
    "minor_axis_length": "MinorAxisLength", "least_axis_length": "LeastAxisLength",
    "maximum_3d_diameter": "Maximum3DDiameter",
}  # fmt: skip


@pytest.mark.parametrize("case", ["brain1", "brain2"])
def test_pyradiomics_baselines_of_real_tumours_within_one_percent(reference_data, case):
    folder = reference_data("longitudinal/AIM-Harvard_pyradiomics")
    with (folder / "baseline_shape.csv").open(newline="") as file:
        rows = {row["featureName"].removeprefix("original_shape_"): row[case] for row in csv.DictReader(file)}
    label = read_image(folder / f"{case}_label.nrrd")
    measured = shape(label.array == 1, label.affine)
    assert measured.mesh_volume * 1000 == pytest.approx(float(rows["MeshVolume"]), rel=0.01)
    for name, baseline in BASELINES.items():
        assert getattr(measured, name) == pytest.approx(float(rows[baseline]), rel=0.01), name
    assert sphericity(label.array == 1, label.affine) == pytest.approx(float(rows["Sphericity"]), rel=0.01)
    stretched = shape(label.array == 1, label.affine @ np.diag([1, 1, 1.05, 1]))
    assert stretched.surface_area != pytest.approx(float(rows["SurfaceArea"]), rel=0.01)


def test_a_single_voxel_is_an_octahedron():
    """Marching cubes at 0.5 puts its corners half a voxel away: volume s^3 / 6, area sqrt(3) s^2, convex."""
    mask = np.zeros((1, 1, 1), bool)
    mask[0, 0, 0] = True
    single = shape(mask, np.diag([2.0, 2, 2, 1]))
    assert single.mesh_volume == pytest.approx(8 / 6 / 1000)
    assert single.surface_area == pytest.approx(np.sqrt(3) * 4)
    assert single.solidity == pytest.approx(1)
    # 36 pi V^2 of an octahedron over the cube of its area
    assert sphericity(mask, np.diag([2.0, 2, 2, 1])) == pytest.approx(
        (36 * np.pi * (8 / 6) ** 2) ** (1 / 3) / (np.sqrt(3) * 4)
    )
    assert (single.elongation, single.flatness) == (None, None)


@pytest.mark.parametrize("mirrored", [False, True])
def test_an_oblique_ellipsoid(phantoms, mirrored):
    """Axis lengths 4 sqrt(a^2 / 5), volume 4/3 pi abc, on a turned anisotropic grid."""
    rng = np.random.default_rng(2)
    semi_axes, turn, size = np.array([18.0, 12, 8]), phantoms.rotation(rng), (45, 60, 60)
    affine = phantoms.grid((0.9, 1.0, 1.3), phantoms.rotation(rng), size, mirrored)
    measured = shape(phantoms.ellipsoid(semi_axes, turn, affine, size), affine)
    lengths = (measured.major_axis_length, measured.minor_axis_length, measured.least_axis_length)
    assert lengths == pytest.approx(4 * semi_axes / np.sqrt(5), rel=0.01)
    assert (measured.elongation, measured.flatness) == pytest.approx((12 / 18, 8 / 18), rel=0.01)
    assert measured.mesh_volume == pytest.approx(4 / 3 * np.pi * semi_axes.prod() / 1000, rel=0.01)
    assert measured.maximum_3d_diameter == pytest.approx(36, abs=1.3)
    assert 0.9 < measured.solidity <= 1
    assert measured.surface_to_volume == pytest.approx(measured.surface_area / measured.mesh_volume / 1000)


@pytest.mark.parametrize(
    ("spacing", "published"), [((1, 1, 1), 0.917), ((2, 2, 2), 0.931), ((3, 3, 3), 0.914), ((0.94, 0.94, 6.5), 0.795)]
)
def test_a_perfect_sphere_on_coarse_voxels_is_as_round_as_measured_elsewhere(phantoms, spacing, published):
    """A sphere of 15 mm radius, measured by another implementation of the same definitions at one position."""
    size = (40, 40, 40)
    affine = phantoms.grid(spacing, np.eye(3), size)
    mask = phantoms.ellipsoid((15, 15, 15), np.eye(3), affine, size)
    assert sphere_shape(mask, affine).sphericity == pytest.approx(published, abs=0.015)


def test_the_sphere_beside_a_lesion_has_its_volume():
    mask = np.zeros((12, 40, 40), bool)
    mask[3:9, 10:30, 15:20] = True  # 6 x 20 x 5 voxels of 0.8 x 0.8 x 3 mm
    affine = np.diag([0.8, 0.8, 3, 1.0])
    lesion, sphere = shape(mask, affine), sphere_shape(mask, affine)
    assert sphere.major_axis_length * np.sqrt(5) / 2 == pytest.approx((6 * 600 * 1.92 / np.pi) ** (1 / 3), rel=0.06)
    assert sphere.sphericity > lesion.sphericity
    assert sphere.elongation > 0.95 > lesion.elongation


def test_hollows_lower_solidity():
    solid = np.ones((20, 20, 20), bool)
    notched = solid.copy()
    notched[:, 5:15, 10:] = False
    assert shape(solid, np.eye(4)).solidity > 0.99
    assert shape(notched, np.eye(4)).solidity == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("seed", range(8))
def test_sphericity_alone_is_that_of_the_mesh(seed):
    """Ragged masks with all patterns of neighbours, touching the edge of the grid, on sheared and mirrored voxels."""
    random = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3] = random.normal(size=(3, 4)) + 2 * np.eye(3, 4)
    mask = random.random(random.integers(2, 12, 3)) < 0.5
    assert sphericity(mask, affine) == pytest.approx(shape(mask, affine).sphericity, rel=1e-12)
    assert sphericity(mask, np.diag([1, 2, 3, 1])) == pytest.approx(shape(mask, np.diag([1, 2, 3, 1])).sphericity)
    assert sphericity(~mask, affine) != pytest.approx(shape(mask, affine).sphericity, rel=1e-6)


def test_sphericity_of_a_long_box_by_hand():
    """A row of five voxels is a square rod of length 4 whose sides are as long as half a diagonal of a voxel, between
    the two halves of the octahedron that a single voxel is."""
    mask = np.ones((1, 1, 5), bool)
    area, volume = np.sqrt(3) + 4 * 4 * np.sqrt(0.5), 1 / 6 + 4 * 0.5
    assert sphericity(mask, np.eye(4)) == pytest.approx((36 * np.pi * volume**2) ** (1 / 3) / area)


def test_an_empty_region_is_refused():
    for measure in (shape, sphere_shape):
        with pytest.raises(InputError) as error:
            measure(np.zeros((4, 4, 4), bool), np.eye(4))
        assert error.value.message.code == "lesion_empty"
