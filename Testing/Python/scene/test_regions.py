"""Measuring what is drawn: equal to the whole job, touching only what the stroke touches, own and fixed never mixed."""

import copy

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import measuring
from PseudoProgressionAnalyzerLib.analysis.aligning import visit_to_visit
from PseudoProgressionAnalyzerLib.analysis.map_estimates import MEASURED_MAPS, WEIGHED_BY, estimates
from PseudoProgressionAnalyzerLib.analysis.mean_spectra import waiting
from PseudoProgressionAnalyzerLib.analysis.measuring import (
    measure_visits,
    measure_waiting,
    measured_visits,
    region_values,
)
from PseudoProgressionAnalyzerLib.analysis.perfusion_changes import make_response_maps
from PseudoProgressionAnalyzerLib.imaging.resampling import overlap_weights
from PseudoProgressionAnalyzerLib.measures import Image, Map, Region
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.build import COMPUTED_REFERENCE, build_scene, write_ratio_maps
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.region_list import add_region
from PseudoProgressionAnalyzerLib.scene.regions import remeasure, remeasure_segments, take
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_mask, segment_of
from PseudoProgressionAnalyzerLib.scene.table import read_table

FIRST, SECOND, THIRD = "2023-01-10", "2023-03-01", "2023-06-05"


@pytest.fixture
def drawn(app, analysis):
    """The scene's own analysis, as the desktop works with it."""
    build_scene(app, analysis)
    return read_scene(app.scene).analysis


def paint(app, analysis, visit, name, mask, kind=Kind.LESION):
    """A stroke: the segment's voxels change, then it is measured."""
    patient = nodes.patient_node(app.scene)
    node = find(patient, kind, visit)
    put_segment(node, name, "lesion", Image(mask, analysis.images[visit, "T1CE"].affine))
    return remeasure(app.scene, analysis, node, segment_of(node, name))


def grown(mask):
    return mask | np.roll(mask, 1, axis=2) | np.roll(mask, 1, axis=1)


def keyed(rows):
    found = {(r.visit, r.region, r.kind, r.drawn_in, r.name, r.compared_to): r for r in rows}
    assert len(found) == len(rows)
    return found


def same(first, second, relative=1e-9):
    """Rows equal but for the last digits; in the same order."""
    assert [(*key,) for key in keyed(first)] == [(*key,) for key in keyed(second)]
    for one, other in zip(first, second, strict=True):
        for name in ("value", "low", "high"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None) == (b is None)
            assert a is None or a == pytest.approx(b, rel=relative, abs=1e-9), (one, name)
        assert (one.unit, one.reference, one.method, one.flags) == (
            other.unit,
            other.reference,
            other.method,
            other.flags,
        )


def test_a_stroke_gives_the_numbers_of_the_whole_job(app, drawn):
    mask = grown(drawn.regions[SECOND, "lesion"].array)
    region = paint(app, drawn, SECOND, "lesion", mask)
    assert region.name == "lesion"
    whole = copy.copy(drawn)
    whole.regions = {**drawn.regions, (SECOND, "lesion"): Image(mask, drawn.images[SECOND, "T1CE"].affine)}
    measure_visits(whole)
    same(drawn.measurements, whole.measurements)
    assert read_table(find(nodes.patient_node(app.scene), Kind.MEASUREMENTS)) == drawn.measurements


def test_a_stroke_in_one_visit_changes_that_visit_and_what_is_compared_with_it(app, drawn):
    before = keyed(drawn.measurements)
    paint(app, drawn, SECOND, "lesion", grown(drawn.regions[SECOND, "lesion"].array))
    after = keyed(drawn.measurements)
    changed = {key for key in before if before[key] != after[key]}
    assert changed
    assert {key[1] for key in changed} == {"lesion"}
    assert {key[2] for key in changed} == {"own"}  # this lesion is not carried
    assert {key[0] for key in changed if not key[5]} == {SECOND}
    assert {(key[0], key[5]) for key in changed if key[5]} == {(SECOND, FIRST), (THIRD, SECOND)}


def test_a_stroke_in_a_carried_region_changes_the_fixed_rows_of_all_visits(app, drawn):
    before = keyed(drawn.measurements)
    paint(app, drawn, FIRST, "lesion", grown(drawn.regions[FIRST, "lesion"].array))
    after = keyed(drawn.measurements)
    changed = {key for key in before if before[key] != after[key]}
    assert {key[0] for key in changed if key[2] == "fixed" and not key[5]} == {FIRST, SECOND, THIRD}
    assert {key[0] for key in changed if key[2] == "own" and not key[5]} == {FIRST}


def test_segments_that_one_stroke_changed_are_measured_as_one_after_the_other(app, drawn):
    """A rim around the lesion gives voxels to it: the numbers of both are those of each alone, and of the whole job."""
    lesion = drawn.regions[FIRST, "lesion"].array
    rim = grown(grown(lesion)) & ~lesion
    paint(app, drawn, FIRST, "rim", rim)
    stroke = grown(lesion) & (np.arange(rim.shape[0]) % 2 == 0)[:, np.newaxis, np.newaxis]
    alone, node = copy.deepcopy(drawn), find(nodes.patient_node(app.scene), Kind.LESION, FIRST)
    grid = drawn.images[FIRST, "T1CE"].affine
    put_segment(node, "lesion", "lesion", Image(lesion | stroke, grid))
    put_segment(node, "rim", "lesion", Image(rim & ~stroke, grid))
    segments, before = [segment_of(node, name) for name in ("lesion", "rim")], drawn.measurements
    assert [region.name for region in remeasure_segments(app.scene, drawn, node, segments)] == ["lesion", "rim"]
    for segment in segments:
        remeasure(app.scene, alone, node, segment)
    assert drawn.measurements == alone.measurements
    whole = copy.deepcopy(drawn)
    measure_visits(whole)
    same(drawn.measurements, whole.measurements)
    changed = {(row.region, row.name) for row, old in zip(drawn.measurements, before, strict=True) if row != old}
    assert {("lesion", "volume"), ("rim", "volume")} <= changed


def test_volume_is_the_voxels_counted(app, drawn):
    """By hand: 2 x 3 x 5 voxels of 1.9 x 1.9 x 3.3 mm."""
    mask = np.zeros_like(drawn.regions[SECOND, "lesion"].array)
    mask[10:12, 20:23, 10:15] = True
    paint(app, drawn, SECOND, "lesion", mask)
    (row,) = [
        r for r in drawn.measurements if (r.visit, r.name, r.kind, r.compared_to) == (SECOND, "volume", "own", "")
    ]
    assert row.value == pytest.approx(30 * 1.9 * 1.9 * 3.3 / 1000, rel=1e-9)
    assert row.value != pytest.approx(31 * 1.9 * 1.9 * 3.3 / 1000, rel=1e-3)


def test_maps_are_measured_through_the_transforms(app, drawn, phantom):
    """A map that holds each point's R coordinate of the reference visit: in the lesion, its mean is the lesion's
    centre, in every visit and on any grid; with the visits' transforms left out it is not."""
    for visit in phantom.visits:
        values = drawn.maps[visit, "rCBV_ratio"]
        to_reference = phantom.to_reference[visit] @ phantom.dsc_to_visit
        index = np.indices(values.shape)[::-1].reshape(3, -1)
        points = (to_reference @ values.affine)[:3, :3] @ index + (to_reference @ values.affine)[:3, 3:]
        coordinate = points[0].reshape(values.shape)
        drawn.maps[visit, "rCBV_ratio"] = Map(coordinate, values.affine, "rCBV_ratio", "1", "x")
    region = next(r for r in drawn.patient.regions if r.visit == FIRST and r.carried)
    rows = region_values(drawn, region, drawn.regions[FIRST, "lesion"], measured_visits(drawn))
    means = {r.visit: r.value for r in rows if r.name == "rCBV_ratio_mean" and r.kind == "fixed"}
    assert set(means) == set(phantom.visits)
    assert all(mean == pytest.approx(phantom.lesion_centre[0], abs=0.5) for mean in means.values())
    drawn.visit_to_reference = {visit: np.eye(4) for visit in phantom.visits}
    rows = region_values(drawn, region, drawn.regions[FIRST, "lesion"], measured_visits(drawn))
    wrong = {r.visit: r.value for r in rows if r.name == "rCBV_ratio_mean" and r.kind == "fixed"}
    assert any(value is None or abs(value - phantom.lesion_centre[0]) > 2 for value in wrong.values())


def test_measuring_around_a_region_gives_the_numbers_of_whole_maps(drawn, phantom):
    """Lesions at the edge of a map, larger than a map, and beside it."""
    shape = drawn.images[FIRST, "T1CE"].shape
    affine = drawn.images[FIRST, "T1CE"].affine
    centres = [(-22, 20, 14), (0, 0, 0), (30, -40, -30), (0, 0, 44), (400, 0, 0)]
    for centre, radius in zip(centres, (6, 60, 14, 12, 3), strict=True):
        mask = phantom.ball(shape, affine, centre, radius)
        mask[0, 0, 0] = True
        region = Region("r", FIRST, "free", None, carried=True)
        drawn.patient.regions = [region]
        drawn.regions = {(FIRST, "r"): Image(mask, affine)}
        measured = {(r.visit, r.name): r for r in region_values(drawn, region, Image(mask, affine), [FIRST, SECOND])}
        compared, voxel = 0, Image(mask, affine).voxel_volume
        for (visit, name), values in drawn.maps.items():
            if visit == THIRD or name not in MEASURED_MAPS or name.startswith("Cho_"):  # those are ratios of sums
                continue
            to_map = np.linalg.inv(drawn.series_to_visit[visit, name]) @ visit_to_visit(drawn, FIRST, visit)
            weights = overlap_weights(Image(mask, affine), values, to_map)
            weigh = drawn.maps.get((visit, WEIGHED_BY.get(name)))
            for measure, estimate in estimates(name, values, weights, weigh, mask.sum() * voxel):
                row = measured[visit, measure]
                assert (row.value is None) == (estimate.value is None)
                assert row.value is None or row.value == pytest.approx(estimate.value, rel=1e-9, abs=1e-9)
                assert row.flags == estimate.flags
                compared += 1
        assert compared > 10


def test_an_erased_region_is_absent_with_its_reason(app, drawn):
    paint(app, drawn, SECOND, "lesion", np.zeros_like(drawn.regions[SECOND, "lesion"].array))
    rows = [r for r in drawn.measurements if (r.visit, r.region) == (SECOND, "lesion") and r.drawn_in == SECOND]
    assert [row.value for row in rows] == [None]
    assert rows[0].flags[0].code == "region_empty"
    # the change from the first to the third visit is measured over the gap
    assert any((r.visit, r.compared_to, r.name) == (THIRD, FIRST, "volume") for r in drawn.measurements)
    mask = np.zeros_like(drawn.regions[SECOND, "lesion"].array)
    mask[12:18, 20:28, 12:20] = True
    paint(app, drawn, SECOND, "lesion", mask)
    assert any(r.value is not None for r in drawn.measurements if (r.visit, r.region) == (SECOND, "lesion"))


def test_a_new_segment_is_a_new_lesion(app, drawn):
    node = find(nodes.patient_node(app.scene), Kind.LESION, THIRD)
    node.GetSegmentation().AddEmptySegment("", "second lesion")
    mask = np.zeros_like(drawn.regions[THIRD, "lesion"].array)
    mask[5:9, 10:16, 10:16] = True
    region = paint(app, drawn, THIRD, "second lesion", mask)
    assert (region.visit, region.purpose, region.carried) == (THIRD, "lesion", False)
    assert region in drawn.patient.regions
    assert any(r.region == "second lesion" and r.name == "volume" and r.value > 0 for r in drawn.measurements)


@pytest.mark.parametrize(("purpose", "measured"), [("lesion", {SECOND}), ("free", {FIRST, SECOND})])
def test_a_new_region_waits_for_its_mean_spectra_wherever_it_is_measured(app, drawn, purpose, measured):
    """The visits FIRST and SECOND have spectra, whose mean spectra are all fitted."""
    steps = {("step_region_spectra", visit) for visit in (FIRST, SECOND, THIRD)}
    drawn.finished |= steps
    measure_visits(drawn)
    assert waiting(drawn) == []
    node, name = add_region(app.scene, drawn, SECOND, purpose, "new")
    put_segment(node, "new", purpose, Image(drawn.brains[SECOND], drawn.images[SECOND, "T1CE"].affine))
    remeasure(app.scene, drawn, node, name)
    assert set(waiting(drawn)) == {(visit, SECOND, "new") for visit in measured}
    assert steps - drawn.finished == {("step_region_spectra", visit) for visit in measured}


def test_reference_tissue_changes_ratios_in_its_visit_only(app, drawn):
    before = {key: values.array.copy() for key, values in drawn.maps.items()}
    rows = keyed(drawn.measurements)
    visit = SECOND
    mask = drawn.references[visit].array & (np.arange(drawn.references[visit].array.shape[0]) % 2 == 0)[:, None, None]
    region = paint(app, drawn, visit, COMPUTED_REFERENCE, mask, Kind.REFERENCE)
    assert (region.name, region.purpose) == (COMPUTED_REFERENCE, "reference")
    assert np.array_equal(drawn.references[visit].array, mask)
    for key, values in drawn.maps.items():
        if key[1] != "rCBV_response":  # compares this visit with the others
            equal = np.array_equal(values.array, before[key], equal_nan=True)
            assert equal == (key != (visit, "rCBV_ratio"))
    changed = [key for key, row in keyed(drawn.measurements).items() if row != rows.get(key) and not key[5]]
    assert {key[0] for key in changed if not key[4].startswith("PRM_")} == {visit}
    names = ("rCBV_ratio", "CBF_ratio", "FTB_", "PRM_", "Cho_NAA_ratio", "Cho_nCr")
    assert all(key[4].startswith(names) for key in changed)
    node = find(nodes.patient_node(app.scene), Kind.MAP, visit, "rCBV_ratio")
    shown, there = nodes.get_image(node).array, drawn.maps[visit, "rCBV_ratio"]
    assert np.array_equal(shown[there.quality], there.array[there.quality], equal_nan=True)


def test_without_reference_tissue_there_is_no_ratio(app, drawn):
    paint(app, drawn, SECOND, COMPUTED_REFERENCE, np.zeros_like(drawn.references[SECOND].array), Kind.REFERENCE)
    assert (SECOND, "rCBV_ratio") not in drawn.maps
    assert find(nodes.patient_node(app.scene), Kind.MAP, SECOND, "rCBV_ratio") is None
    assert not [r for r in drawn.measurements if r.visit == SECOND and r.name.startswith("rCBV_ratio")]
    paint(app, drawn, SECOND, COMPUTED_REFERENCE, drawn.brains[SECOND], Kind.REFERENCE)
    assert find(nodes.patient_node(app.scene), Kind.MAP, SECOND, "rCBV_ratio").GetDisplayNode() is not None
    assert [r for r in drawn.measurements if r.visit == SECOND and r.name.startswith("rCBV_ratio")]


def test_deleted_patient_or_image(app, drawn):
    patient = nodes.patient_node(app.scene)
    node = find(patient, Kind.LESION, SECOND)
    segment = segment_of(node, "lesion")
    del drawn.images[SECOND, "T1CE"]
    assert remeasure(app.scene, drawn, node, segment) is None
    app.scene.RemoveNode(patient)
    assert remeasure(app.scene, drawn, node, segment) is None


def test_measuring_reads_the_cropped_labelmap_alone(app, drawn):
    node = find(nodes.patient_node(app.scene), Kind.LESION, THIRD)
    mask = segment_mask(node, segment_of(node, "lesion"))
    assert mask.array.size < drawn.regions[THIRD, "lesion"].array.size / 10


def test_a_stroke_in_reference_tissue_gives_the_numbers_of_the_whole_job(app, drawn):
    mask = drawn.references[SECOND].array & (np.arange(drawn.references[SECOND].array.shape[2]) % 3 == 0)
    drawn.alignment = {visit: {"uncertainty": 0.3} for visit in (FIRST, SECOND, THIRD)}
    drawn.midlines = dict.fromkeys((SECOND, THIRD), drawn.midlines[FIRST])
    make_response_maps(drawn)
    measure_visits(drawn)
    shown = find(build_scene(app, drawn), Kind.MAP, SECOND, "rCBV_response")
    paint(app, drawn, SECOND, COMPUTED_REFERENCE, mask, Kind.REFERENCE)
    waiting = [r for r in drawn.measurements if r.name.startswith("PRM_") and not r.compared_to]
    assert {r.visit for r in waiting} == {SECOND, THIRD}
    assert {r.value for r in waiting} == {None}
    assert {flag.code for r in waiting for flag in r.flags} == {"response_map_waiting"}
    assert np.isnan(nodes.get_image(shown).array).all()  # hidden, not as it was
    assert measure_waiting(drawn) == [SECOND, THIRD]
    write_ratio_maps(nodes.patient_node(app.scene), drawn, SECOND, THIRD)
    assert np.isfinite(nodes.get_image(shown).array).any()
    whole = copy.copy(drawn)
    make_response_maps(whole)
    measure_visits(whole)
    same(drawn.measurements, whole.measurements, relative=1e-6)  # values of a map have seven digits
    ratios = [r for r in drawn.measurements if r.visit == SECOND and r.name == "rCBV_ratio_mean" and not r.compared_to]
    assert {r.kind for r in ratios} == {"own", "fixed"}
    assert {r.reference for r in ratios} == {"drawn reference tissue"}


def test_reference_tissue_is_all_that_is_drawn_as_it(app, drawn):
    left, right = drawn.references[SECOND].array.copy(), np.roll(drawn.references[SECOND].array, 3, axis=1)
    paint(app, drawn, SECOND, COMPUTED_REFERENCE, left, Kind.REFERENCE)
    paint(app, drawn, SECOND, "more", right, Kind.REFERENCE)
    assert np.array_equal(drawn.references[SECOND].array, left | right)
    assert np.array_equal(drawn.regions[SECOND, "more"].array, right)
    paint(app, drawn, SECOND, "more", np.zeros_like(right), Kind.REFERENCE)
    assert np.array_equal(drawn.references[SECOND].array, left)
    paint(app, drawn, SECOND, COMPUTED_REFERENCE, np.zeros_like(left), Kind.REFERENCE)
    assert SECOND not in drawn.references


def test_a_stroke_in_reference_tissue_computes_no_shape(app, drawn, monkeypatch):
    """Each stroke would pay for it, and no size depends on reference tissue."""
    monkeypatch.setattr(measuring, "diameters", lambda *arguments: pytest.fail("shape"))
    paint(app, drawn, SECOND, COMPUTED_REFERENCE, drawn.brains[SECOND], Kind.REFERENCE)
    assert measure_waiting(drawn) == [SECOND, THIRD]
    assert {"volume", "longest_diameter"} <= {row.name for row in drawn.measurements if row.visit == SECOND}


def test_an_empty_region_does_not_hinder_the_measuring_of_others(app, drawn):
    paint(app, drawn, SECOND, "lesion", np.zeros_like(drawn.regions[SECOND, "lesion"].array))
    rows = [r for r in drawn.measurements if (r.visit, r.region, r.compared_to) == (SECOND, "lesion", "")]
    measure_visits(drawn)
    again = [r for r in drawn.measurements if (r.visit, r.region, r.compared_to) == (SECOND, "lesion", "")]
    assert [r for r in again if r.kind == "own"] == [r for r in rows if r.kind == "own"]
    assert any(r.visit == THIRD and r.name == "volume" and r.value > 0 for r in drawn.measurements)


def test_a_segment_is_taken_without_measuring(app, drawn):
    node = find(nodes.patient_node(app.scene), Kind.LESION, SECOND)
    mask = grown(drawn.regions[SECOND, "lesion"].array)
    before = list(drawn.measurements)
    put_segment(node, "lesion", "lesion", Image(mask, drawn.images[SECOND, "T1CE"].affine))
    assert take(drawn, node, segment_of(node, "lesion")).name == "lesion"
    assert np.array_equal(drawn.regions[SECOND, "lesion"].array, mask)
    assert drawn.measurements == before
    tissue = find(nodes.patient_node(app.scene), Kind.REFERENCE, SECOND)
    assert take(drawn, tissue, segment_of(tissue, COMPUTED_REFERENCE)).purpose == "reference"
    assert (SECOND, "rCBV_ratio") not in drawn.maps  # until it is made again
    assert (THIRD, "rCBV_ratio") in drawn.maps
