"""Random strokes: what follows from the voxels that came and went equals overlap and numbers that are made anew."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis import overlaps as followed
from PseudoProgressionAnalyzerLib.analysis.mapping import make_ratio_maps
from PseudoProgressionAnalyzerLib.analysis.measuring import (
    measure_ratios,
    measure_visits,
    measure_waiting,
    measured_visits,
    region_values,
    replace_values,
)
from PseudoProgressionAnalyzerLib.analysis.overlaps import RegionOverlaps, overlaps_of
from PseudoProgressionAnalyzerLib.analysis.perfusion_changes import make_response_maps
from PseudoProgressionAnalyzerLib.imaging.resampling import overlap, overlap_weights
from PseudoProgressionAnalyzerLib.measures import Image, Map, Patient, Region, Series, Visit

SHAPE = (14, 40, 36)
AFFINE = np.array([[0, -1.1, 0, 20], [0.9, 0, 0, -15], [0, 0, 2.5, -17], [0, 0, 0, 1]], dtype=float)
"""As acquired: axes turned and mirrored, so that no two of them can be mixed up."""


def posed(angle, shift):
    """4x4 turn about two axes by an angle (rad), and a shift (mm)."""
    c, s = np.cos(angle), np.sin(angle)
    about_z = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    about_x = np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1]])
    matrix = about_z @ about_x
    matrix[:3, 3] = shift
    return matrix


GRIDS = [
    (Image(np.zeros((8, 16, 17)), np.diag([2.3, 2.1, 4.0, 1])), posed(0, (17.3, 14.1, 17.0))),  # parallel
    (Image(np.zeros((8, 16, 17)), np.diag([2.3, 2.1, 4.0, 1])), posed(0.2, (15.3, 14.1, 17.0))),  # oblique
    (Image(np.zeros((12, 30, 30)), np.diag([1.25, 1.25, 2.5, 1])), posed(1e-4, (18.75, 17.5, 17.5))),  # nearly parallel
    (Image(np.zeros((3, 4, 4)), np.diag([8.0, 8.0, 9.0, 1])), posed(-0.4, (9.0, 12.0, 3.0))),  # coarse, partly beside
]

boxes = st.builds(
    lambda first, size: tuple(slice(a, a + n) for a, n in zip(first, size, strict=True)),
    st.tuples(*(st.integers(0, n - 1) for n in SHAPE)),
    st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 12)),
)
strokes = st.lists(st.tuples(boxes, st.booleans()), min_size=1, max_size=5)
"""Where a stroke goes, near what is drawn or far away, and whether it paints or erases."""


def start():
    mask = np.zeros(SHAPE, bool)
    mask[4:9, 12:24, 10:22] = True
    return mask


def held(mask, k=0, j=0, i=0):
    """The mask cut somewhere before what it holds, as Slicer crops its labelmaps."""
    affine = AFFINE.copy()
    affine[:3, 3] += affine[:3, :3] @ (i, j, k)
    return Image(mask[k:, j:, i:], affine)


@settings(deadline=None, max_examples=40)
@given(strokes)
def test_overlaps_after_strokes_are_those_of_the_region_drawn_at_once(edits):
    mask = start()
    overlaps = RegionOverlaps(Image(mask, AFFINE))
    for grid, to_grid in GRIDS:
        overlaps.on(grid, to_grid)
    for box, paints in edits:
        mask = mask.copy()
        mask[box] = paints
        overlaps = overlaps.edited(Image(mask, AFFINE))
        for grid, to_grid in GRIDS:
            whole = overlap_weights(Image(mask, AFFINE), grid, to_grid)
            found = overlaps.on(grid, to_grid)
            np.testing.assert_array_equal(found.index, np.flatnonzero(whole))
            np.testing.assert_allclose(found.weights, whole.ravel()[found.index], rtol=0, atol=1e-12)


def test_a_missed_voxel_fails_the_same_check():
    mask = start()
    overlaps = RegionOverlaps(Image(mask, AFFINE))
    grid, to_grid = GRIDS[1]
    before = overlaps.on(grid, to_grid)
    mask[8, 23, 21] = False
    after = overlaps.edited(Image(mask, AFFINE)).on(grid, to_grid)
    assert before.weights.sum() - after.weights.sum() > 0.05


@pytest.mark.parametrize("shift", (0, 1), ids=("the same voxels", "others"))
def test_what_one_region_takes_from_another_is_measured_once(monkeypatch, shift):
    analysis, asked = Analysis(Patient("p", [], [], [])), []
    one, other = start(), np.roll(start(), 12, axis=1)
    for name, mask in (("one", one), ("other", other)):
        for grid, to_grid in GRIDS:
            overlaps_of(analysis, "a", name, Image(mask, AFFINE)).on(grid, to_grid)
    monkeypatch.setattr(followed, "overlap", lambda mask, *rest: asked.append(mask.array.any()) or overlap(mask, *rest))
    one[5:7, 24:27, 12:15] = True
    other[5:7, 24 + shift : 27 + shift, 12:15] = False
    for name, mask in (("one", one), ("other", other)):
        found = overlaps_of(analysis, "a", name, held(mask, 1, 3, 2))
        for grid, to_grid in GRIDS:
            at_once = RegionOverlaps(Image(mask, AFFINE)).on(grid, to_grid)
            np.testing.assert_array_equal(found.on(grid, to_grid).index, at_once.index)
            np.testing.assert_allclose(found.on(grid, to_grid).weights, at_once.weights, rtol=0, atol=1e-12)
    anew = 2 * len(GRIDS)  # at once, above
    assert sum(asked) - anew == (1 + shift) * len(GRIDS)


@pytest.mark.parametrize(("grid", "to_grid"), GRIDS)
def test_the_weights_do_not_depend_on_how_the_mask_is_cut(grid, to_grid):
    mask = start()
    whole = overlap_weights(Image(mask, AFFINE), grid, to_grid)
    for first in ((4, 12, 10), (1, 3, 7), (0, 11, 2)):
        np.testing.assert_allclose(overlap_weights(held(mask, *first), grid, to_grid), whole, rtol=0, atol=1e-12)


def test_samples_on_the_border_of_voxels_are_counted_once():
    """A grid whose samples fall exactly between the mask's voxels: whatever the mask is cut into, the parts add up."""
    affine, quarter = np.diag([1.0, 1.0, 1.0, 1]), posed(0, (0.25, 0.1, 0.5))
    quarter[:2, :2] = [[0.6, -0.8], [0.8, 0.6]]
    grid = Image(np.zeros((5, 12, 12)), np.diag([2.0, 2.0, 4.0, 1.0]))
    mask = np.random.default_rng(3).random((12, 20, 20)) < 0.6
    upper, lower = mask.copy(), mask.copy()
    upper[:, 7:], lower[:, :7] = False, False
    whole, one, other = (overlap_weights(Image(part, affine), grid, quarter) for part in (mask, upper, lower))
    np.testing.assert_allclose(one + other, whole, rtol=0, atol=1e-12)


def two_visits():
    """Visit b turned against a; a carried lesion and a free region in a, a lesion of the same name in b."""
    visits = [Visit(name, None, [Series("T1CE", "none")]) for name in "ab"]
    regions = [
        Region("lesion", "a", "lesion", "none", carried=True),
        Region("rim", "a", "free", "none", carried=True),
        Region("lesion", "b", "lesion", "none"),
    ]
    analysis = Analysis(Patient("p", visits, [], regions), reference_visit="a")
    analysis.visit_to_reference = {"a": np.eye(4), "b": posed(0.15, (1.0, -2.0, 0.5))}
    random = np.random.default_rng(0)
    for number, name in enumerate("ab"):
        tissue = np.zeros(SHAPE, bool)
        tissue[3:8, 26:36, 4 + number : 14] = True
        analysis.references[name] = Image(tissue, AFFINE)
        for role, (grid, to_visit) in {"rCBV": GRIDS[number], "CBF": GRIDS[1], "ADC": GRIDS[2]}.items():
            values = random.uniform(0.5, 3.0, grid.shape).astype(np.float32)
            quality = random.random(grid.shape) > 0.1
            analysis.maps[name, role] = Map(values, grid.affine, role, "1", "random", quality)
            analysis.series_to_visit[name, role] = np.linalg.inv(to_visit)
        make_ratio_maps(analysis, name)
    for region in regions:
        mask = start()
        mask[:, :16] &= region.name == "lesion"
        analysis.regions[region.visit, region.name] = Image(mask, AFFINE)
    return measured_anew(analysis)


def measured_anew(analysis):
    """A copy that the whole job measures, with nothing remembered."""
    whole = copy.copy(analysis)
    whole.absent = {}
    make_response_maps(whole)
    measure_visits(whole)
    return whole


def stroke(analysis, number, box, paints):
    """As ``scene.regions.remeasure``: region 3 is the reference tissue of visit b."""
    regions = [*analysis.patient.regions, Region("tissue", "b", "reference", "none")]
    region = regions[number]
    tissue = region.purpose == "reference"
    before = analysis.references["b"] if tissue else analysis.regions[region.visit, region.name]
    mask = before.array.copy()
    mask[box] = paints
    if tissue and mask.any():
        analysis.references["b"] = Image(mask, AFFINE)
        make_ratio_maps(analysis, "b")
        measure_ratios(analysis, "b")
    elif not tissue:
        analysis.regions[region.visit, region.name] = Image(mask, AFFINE)
        values = region_values(analysis, region, held(mask), measured_visits(analysis))
        replace_values(analysis, lambda row: (row.drawn_in, row.region) == (region.visit, region.name), values)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 3), boxes, st.booleans()), min_size=1, max_size=4))
def test_numbers_after_strokes_are_those_of_the_whole_job(edits):
    analysis = two_visits()
    for number, box, paints in edits:
        stroke(analysis, number, box, paints)
    measure_waiting(analysis)
    whole = measured_anew(analysis)
    assert len(whole.measurements) > 40
    assert_same(analysis.measurements, whole.measurements)


def test_an_erased_and_redrawn_region_has_the_numbers_of_the_whole_job():
    analysis = two_visits()
    everything = tuple(slice(None) for _ in SHAPE)
    for box, paints in ((everything, False), ((slice(2, 5), slice(2, 9), slice(3, 9)), True)):
        stroke(analysis, 0, box, paints)
        whole = measured_anew(analysis)
        assert_same(analysis.measurements, whole.measurements)
    stroke(analysis, 0, (slice(9, 12), slice(30, 38), slice(20, 30)), True)  # a second piece, far away
    with pytest.raises(AssertionError):
        assert_same(analysis.measurements, whole.measurements)
    assert_same(analysis.measurements, measured_anew(analysis).measurements)


def test_tissue_of_a_visit_that_is_not_aligned_changes_no_number():
    analysis = two_visits()
    del analysis.visit_to_reference["b"]
    analysis = measured_anew(analysis)
    before = list(analysis.measurements)
    stroke(analysis, 3, (slice(3, 5), slice(30, 34), slice(8, 12)), False)
    assert analysis.measurements == before and before


def assert_same(first, second):
    """The same rows in the same order, their numbers equal to rounding."""
    for one, other in zip(first, second, strict=True):
        words = [(r.visit, r.region, r.kind, r.drawn_in, r.name, r.unit, r.compared_to, r.method) for r in (one, other)]
        assert words[0] == words[1]
        assert [flag.code for flag in one.flags] == [flag.code for flag in other.flags]
        for name in ("value", "low", "high"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None) == (b is None), one
            assert a is None or a == pytest.approx(b, rel=1e-9, abs=1e-9), one


def test_a_region_that_did_not_change_keeps_its_overlaps():
    mask = Image(start(), AFFINE)
    region = RegionOverlaps(mask)
    assert region.edited(Image(start(), AFFINE)) is region
    moved = AFFINE.copy()
    moved[2, 3] += 2.5
    assert region.edited(Image(start(), moved)) is not region
    assert np.array_equal(region.edited(Image(start(), moved)).mask.array, region.mask.array)
