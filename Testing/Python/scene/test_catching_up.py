"""A scene that was edited where this module was not at work, or saved before the numbers of a stroke were written,
never comes back with numbers of before: it is saved, opened, and held against the whole job on what is there now."""

import copy
import json

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.aligning import is_users, trust
from PseudoProgressionAnalyzerLib.analysis.correcting import correct
from PseudoProgressionAnalyzerLib.analysis.mapping import make_ratio_maps
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.patient.editing import leave_out
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import COMPUTED_REFERENCE, build_scene, write_measurements, write_patient
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, patient_node
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.region_list import add_region
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.segments import on_grid, put_segment, segment_mask, segment_of
from PseudoProgressionAnalyzerLib.scene.transforms import matrix_of

FIRST, SECOND, THIRD = "2023-01-10", "2023-03-01", "2023-06-05"


@pytest.fixture
def patient(app, analysis):
    """A scene as the whole job leaves it, its ratio maps made of what it holds, and assessed."""
    for visit in (FIRST, SECOND, THIRD):
        make_ratio_maps(analysis, visit)
    measure_visits(analysis)
    assert analysis.assessments
    analysis.finished |= {(step, "") for step in ("step_lesions", "step_responses", "step_assess")}
    return build_scene(app, analysis, '{"assessments": []}')


@pytest.fixture
def again(app, tmp_path):
    """Saves the scene as Slicer does, opens it in another application, and reads it."""

    def saved():
        save_mrb(app.scene, tmp_path / "scene.mrb")
        other = application()
        open_scene(other, tmp_path / "scene.mrb")
        saved.scene = other.scene
        return read_scene(other.scene)

    return saved


def codes(content):
    return [message.code for message in content.messages]


def whole_job(analysis):
    """The measurements of the whole job on the regions and maps of an analysis."""
    whole = copy.deepcopy(analysis)
    whole.overlaps = {}
    for visit in whole.references:
        make_ratio_maps(whole, visit)
    measure_visits(whole)
    return whole.measurements


def same_numbers(found, expected):
    def keyed(rows):
        return {(r.visit, r.region, r.kind, r.drawn_in, r.name, r.compared_to): r.value for r in rows}

    found, expected = keyed(found), keyed(expected)
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert (found[key] is None) == (value is None), key
        assert value is None or found[key] == pytest.approx(value, rel=1e-6), key


def volume(analysis, visit, region="lesion"):
    rows = analysis.measurements
    values = [row for row in rows if row.name == "volume" and not row.compared_to]
    return [r.value for r in values if (r.visit, r.region, r.kind) == (visit, region, "own")]


def draw(patient, visit, name, change, kind=Kind.LESION):
    """What another module does: the segment's voxels change, and nothing else."""
    node = find(patient, kind, visit)
    mask = segment_mask(node, segment_of(node, name))
    anatomy = nodes.get_image(find(patient, Kind.IMAGE, visit, "T1CE"))
    changed = Image(change(on_grid(mask, anatomy).array), anatomy.affine)
    put_segment(node, name, "lesion", changed)
    return changed


def less(mask):
    return mask & (np.arange(mask.shape[2]) % 3 > 0)


def judged_away(content):
    assert content.analysis.assessments == []
    assert content.analysis.outcome == {}
    assert content.assessment_json == ""
    assert not {step for step, _ in content.analysis.finished} & {"step_lesions", "step_responses", "step_assess"}


def test_nothing_is_said_of_a_scene_that_nobody_touched(patient, analysis, again):
    content = again()
    assert content.messages == []
    assert content.analysis.measurements == analysis.measurements
    assert content.analysis.assessments == analysis.assessments
    assert content.assessment_json
    assert content.analysis.finished == analysis.finished


def test_a_stroke_that_was_saved_before_its_numbers_is_measured(patient, analysis, again):
    """For a voxel of 1.9 x 1.9 x 3.3 mm the volume is known by hand."""
    drawn = draw(patient, SECOND, "lesion", less)
    content = again()
    assert codes(content) == ["scene_regions_remeasured"]
    assert content.messages[0].parameters == {"visit": SECOND}
    assert volume(content.analysis, SECOND) == [pytest.approx(drawn.array.sum() * 1.9 * 1.9 * 3.3 / 1000)]
    assert volume(content.analysis, FIRST) == volume(analysis, FIRST)
    same_numbers(content.analysis.measurements, whole_job(content.analysis))
    judged_away(content)


def test_what_was_measured_again_and_written_holds(patient, again, app):
    draw(patient, SECOND, "lesion", less)
    found = read_scene(app.scene).analysis
    write_patient(patient, found)
    write_measurements(patient, found)
    assert again().messages == []


def test_a_region_that_gave_voxels_to_another_is_measured_too(patient, again):
    node = find(patient, Kind.LESION, FIRST)
    before = segment_mask(node, segment_of(node, "lesion")).array.sum()
    lesion = draw(patient, FIRST, "lesion", less)
    node.GetSegmentation().AddEmptySegment("", "rim")
    put_segment(node, "rim", "lesion", Image(np.roll(lesion.array, 20, axis=2), lesion.affine))
    assert lesion.array.sum() < before
    content = again()
    assert volume(content.analysis, FIRST, "rim")
    same_numbers(content.analysis.measurements, whole_job(content.analysis))


def test_an_erased_region_is_there_without_a_number(patient, analysis, again):
    draw(patient, SECOND, "lesion", np.zeros_like)
    content = again()
    assert codes(content) == ["scene_regions_remeasured"]
    assert [r.name for r in content.analysis.patient.regions] == [r.name for r in analysis.patient.regions]
    assert volume(content.analysis, SECOND) == [None]
    same_numbers(content.analysis.measurements, whole_job(content.analysis))


def test_a_deleted_region_takes_its_numbers_along(patient, again):
    node = find(patient, Kind.LESION, SECOND)
    node.GetSegmentation().RemoveSegment(segment_of(node, "lesion"))
    content = again()
    assert codes(content) == ["scene_region_missing"]
    assert not [row for row in content.analysis.measurements if (row.drawn_in, row.region) == (SECOND, "lesion")]
    compared = {(r.visit, r.compared_to) for r in content.analysis.measurements if r.name == "volume" and r.compared_to}
    assert compared <= {(THIRD, FIRST)}  # no change from or to the visit whose lesion is gone
    same_numbers(content.analysis.measurements, whole_job(content.analysis))
    judged_away(content)


def test_a_renamed_region_keeps_its_numbers_and_its_purpose(patient, analysis, again):
    node = find(patient, Kind.LESION, SECOND)
    free = 'free, "odd" | name'
    node.GetSegmentation().GetSegment(segment_of(node, free)).SetName("ring")
    content = again()
    region = next(one for one in content.analysis.patient.regions if one.name == "ring")
    assert (region.visit, region.purpose) == (SECOND, "free")
    rows = [row.value for row in analysis.measurements if row.region == free]
    assert rows == [row.value for row in content.analysis.measurements if row.region == "ring"]
    assert rows
    assert content.messages == []
    other = patient_node(again.scene)
    build_scene(application(), content.analysis)
    assert segment_of(find(other, Kind.LESION, SECOND), "ring") is not None  # no second segment is added for it


def test_reference_tissue_that_was_drawn_over_changes_its_ratios(patient, analysis, again):
    name = "drawn white matter"
    draw(patient, THIRD, name, lambda mask: np.roll(mask, 3, axis=2), Kind.REFERENCE)
    content = again()
    assert codes(content) == ["scene_regions_remeasured"]

    def ratios(rows):
        return {(r.visit, r.kind): r.value for r in rows if r.name == "rCBV_ratio_mean" and not r.compared_to}

    before, after = ratios(analysis.measurements), ratios(content.analysis.measurements)
    assert before[THIRD, "own"] != pytest.approx(after[THIRD, "own"], rel=1e-6)
    assert before[FIRST, "own"] == pytest.approx(after[FIRST, "own"], rel=1e-9)
    judged_away(content)


def test_reference_tissue_that_is_gone_leaves_no_ratio(patient, again):
    find(patient, Kind.REFERENCE, THIRD).GetSegmentation().RemoveAllSegments()
    content = again()
    assert (THIRD, "rCBV_ratio") not in content.analysis.maps
    assert not [row for row in content.analysis.measurements if row.visit == THIRD and row.reference]
    assert [row for row in content.analysis.measurements if row.visit == FIRST and row.reference]
    judged_away(content)


def test_a_transform_that_was_edited_is_the_users_and_no_number_is_kept(patient, again, phantom):
    matrix = phantom.rigid((1, 2, 3), (4, 5, 6))
    find(patient, Kind.VISIT_TO_REFERENCE, SECOND).SetMatrixTransformToParent(nodes.to_vtk(matrix))
    content = again()
    assert codes(content) == ["scene_transform_changed", "scene_numbers_gone"]
    assert np.allclose(content.analysis.visit_to_reference[SECOND], matrix)
    assert is_users(content.analysis, SECOND)
    assert trust(content.analysis, SECOND) == "own"
    assert content.analysis.measurements == []
    assert ("step_align", SECOND) in content.analysis.finished
    assert ("step_measure", "") not in content.analysis.finished
    judged_away(content)


@pytest.mark.parametrize("visit", [FIRST, SECOND])
def test_a_transform_that_cannot_be_one_is_not_taken(patient, analysis, again, visit):
    """One that scales; and of the reference visit, any."""
    matrix = np.diag([1.3, 1, 1, 1]) if visit == SECOND else np.eye(4) + np.eye(4, k=3) * 2
    find(patient, Kind.VISIT_TO_REFERENCE, visit).SetMatrixTransformToParent(nodes.to_vtk(matrix))
    content = again()
    assert codes(content) == ["scene_transform_unusable"]
    np.testing.assert_allclose(content.analysis.visit_to_reference[visit], analysis.visit_to_reference[visit])
    assert ("step_align", visit) in content.analysis.finished and not is_users(content.analysis, visit)
    assert content.analysis.measurements == analysis.measurements
    kept = again.scene.GetFirstNodeByName(content.messages[0].parameters["name"])
    assert np.allclose(matrix_of(kept), matrix), "what the user made is there for the user"


def test_a_series_that_was_moved_against_its_visit(patient, again, phantom):
    node = find(patient, Kind.SERIES_TO_VISIT, SECOND, "rCBV")
    node.SetMatrixTransformToParent(nodes.to_vtk(phantom.rigid((0, 0, 3), (9, 9, 9))))
    content = again()
    assert codes(content) == ["scene_series_moved", "scene_numbers_gone"]
    assert content.analysis.measurements == []


@pytest.mark.parametrize(("kind", "name"), [(Kind.MAP, "rCBV"), (Kind.IMAGE, "T1CE"), (Kind.BRAIN, "")])
def test_a_volume_that_was_removed(patient, app, again, kind, name):
    app.scene.RemoveNode(find(patient, kind, SECOND, name))
    content = again()
    assert "scene_node_missing" in codes(content)
    assert "scene_numbers_gone" in codes(content)
    assert content.analysis.measurements == []
    judged_away(content)


def test_a_map_whose_voxels_were_changed(patient, again):
    array = nodes.get_image(find(patient, Kind.MAP, SECOND, "rCBV")).array
    array[tuple(np.argwhere(np.isfinite(array))[0])] += 1
    content = again()
    assert codes(content) == ["scene_node_changed", "scene_numbers_gone"]
    assert (SECOND, "rCBV") not in content.analysis.maps


def test_a_volume_that_was_cut(patient, again):
    node = find(patient, Kind.IMAGE, SECOND, "T1CE")
    image = nodes.get_image(node)
    nodes.set_image(node, Image(image.array[2:].copy(), image.affine))
    content = again()
    assert {"scene_node_changed", "scene_numbers_gone"} <= set(codes(content))


@pytest.mark.parametrize("hardened", ["segmentation", "image", "both", "none of them, but put elsewhere"])
def test_hardened_transforms_leave_every_number(patient, analysis, again, hardened):
    """A visit's transform brought into the voxels' geometry: what is drawn stays where it is on its image."""
    image = find(patient, Kind.IMAGE, SECOND, "T1CE")
    drawn = [find(patient, kind, SECOND) for kind in (Kind.LESION, Kind.REFERENCE)]
    for node in {"segmentation": drawn, "image": [image], "both": [image, *drawn]}.get(hardened, []):
        node.HardenTransform()
    if hardened.startswith("none"):
        for node in (image, *drawn):
            node.SetAndObserveTransformNodeID(None)
    content = again()
    assert set(codes(content)) <= {"scene_node_moved"}
    same_numbers(content.analysis.measurements, analysis.measurements)
    assert np.array_equal(content.analysis.regions[SECOND, "lesion"].array, analysis.regions[SECOND, "lesion"].array)


def test_a_region_that_was_moved_alone_is_measured_where_it_is(patient, again, phantom):
    """Under a transform of its own, 3.8 mm to the right: two voxels of the image."""
    node = find(patient, Kind.LESION, SECOND)
    image = nodes.get_image(find(patient, Kind.IMAGE, SECOND, "T1CE"))
    before, in_visit = on_grid(segment_mask(node, segment_of(node, "lesion")), image), np.eye(4)
    in_visit[:3, 3] = 2 * image.affine[:3, 0]
    shift = node.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode", "shift")
    shift.SetMatrixTransformToParent(nodes.to_vtk(phantom.to_reference[SECOND] @ in_visit))
    node.SetAndObserveTransformNodeID(shift.GetID())
    content = again()
    assert codes(content) == ["scene_regions_remeasured"]
    assert np.array_equal(content.analysis.regions[SECOND, "lesion"].array, np.roll(before.array, 2, axis=2))


def test_regions_of_scenes_without_notes_are_measured_again(patient, analysis, app):
    table = find(patient, Kind.MEASUREMENTS)
    table.RemoveAttribute("PseudoProgressionAnalyzer.measured")
    for node in [*linked(patient, Kind.MAP), *linked(patient, Kind.IMAGE), *linked(patient, Kind.BRAIN)]:
        node.RemoveAttribute("PseudoProgressionAnalyzer.grid")
        node.RemoveAttribute("PseudoProgressionAnalyzer.voxels")
    text = json.loads(patient.GetText())
    del text["aligned_by"]
    patient.SetText(json.dumps(text))
    draw(patient, SECOND, "lesion", less)
    content = read_scene(app.scene)
    assert set(codes(content)) == {"scene_regions_remeasured"}
    same_numbers(content.analysis.measurements, whole_job(content.analysis))
    assert volume(content.analysis, SECOND) != volume(analysis, SECOND)
    assert [r for r in content.analysis.patient.regions if r.name == COMPUTED_REFERENCE] == []  # found, not drawn


def test_a_region_that_was_added_and_drawn_just_before_saving_is_there_once(patient, analysis, app, again):
    found = read_scene(app.scene).analysis
    node, _ = add_region(app.scene, found, SECOND, "free")
    write_patient(patient, found)
    anatomy = found.images[SECOND, "T1CE"]
    put_segment(node, "free", "free", Image(np.roll(found.regions[SECOND, "lesion"].array, 9, axis=1), anatomy.affine))
    content = again()
    drawn = [(r.visit, r.name, r.purpose, r.carried) for r in content.analysis.patient.regions if r.name == "free"]
    assert drawn == [(SECOND, "free", "free", True)]
    same_numbers(content.analysis.measurements, whole_job(content.analysis))
    assert {row.visit for row in content.analysis.measurements if row.region == "free"} == {FIRST, SECOND, THIRD}


def test_a_visit_that_was_left_out_stays_out(app, patient, again):
    found = read_scene(app.scene).analysis
    correct(found, leave_out(found.patient, SECOND))
    measure_visits(found)
    found.finished |= {(step, "") for step in ("step_measure", "step_lesions", "step_responses", "step_assess")}
    build_scene(app, found)
    content = again()
    assert content.messages == []
    assert {region.visit for region in content.analysis.patient.regions} == {FIRST, THIRD}
    assert {row.visit for row in content.analysis.measurements} <= {FIRST, THIRD}
