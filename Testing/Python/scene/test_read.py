"""A scene read back: equal in every number after saving, and honest about what the user deleted or changed."""

import dataclasses
import json

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Message, Region
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import COMPUTED_REFERENCE, build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked
from PseudoProgressionAnalyzerLib.scene.plain import to_plain
from PseudoProgressionAnalyzerLib.scene.read import missing_files, read_scene
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_mask, segment_of


@pytest.fixture
def patient(app, analysis, phantom):
    return build_scene(app, analysis, phantom.assessment_json)


@pytest.fixture
def reopened(app, patient, tmp_path):
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    return other


def same_images(found, expected, affine_error=1e-12):
    assert list(found) == list(expected)
    for key, image in expected.items():
        assert np.array_equal(found[key].array, image.array, equal_nan=image.array.dtype.kind == "f")
        assert np.abs(found[key].affine - image.affine).max() < affine_error


def check_equal(found: Analysis, expected: Analysis):
    """Every field of the analysis. Matrices may lose the last bits where Slicer takes them apart."""
    plain = (
        "patient",
        "reference_visit",
        "alignment",
        "measurements",
        "rules",
        "assessments",
        "outcome",
        "messages",
        "finished",
        "absent",
        "dsc_choices",
    )
    for name in plain:
        assert getattr(found, name) == getattr(expected, name), name
    followed = ("lesions", "parts", "choices", "response", "uptake_noise", "reader_lines")
    for name in followed:
        assert to_plain(getattr(found, name)) == to_plain(getattr(expected, name)), name
    assert found.response == expected.response
    same_images(found.images, expected.images)
    same_images(found.regions, expected.regions)
    same_images(found.references, expected.references)
    assert list(found.brains) == list(expected.brains)
    assert all(np.array_equal(found.brains[visit], expected.brains[visit]) for visit in expected.brains)
    for name in ("visit_to_reference", "series_to_visit"):
        matrices = getattr(expected, name)
        assert list(getattr(found, name)) == list(matrices)
        assert all(np.abs(getattr(found, name)[key] - matrices[key]).max() < 1e-12 for key in matrices)
    assert list(found.curves) == list(expected.curves)
    for key, curves in expected.curves.items():
        assert {name: values.tolist() for name, values in found.curves[key].items()} == {
            name: values.tolist() for name, values in curves.items()
        }
    assert list(found.maps) == list(expected.maps)
    for key, values in expected.maps.items():
        back = found.maps[key]
        assert (back.name, back.unit, back.method, back.flags) == (
            values.name,
            values.unit,
            values.method,
            values.flags,
        )
        trusted = np.isfinite(values.array) & (True if values.quality is None else values.quality)
        assert np.array_equal(back.array[trusted], values.array[trusted])
        assert (back.quality is None) == (values.quality is None)
        if values.quality is not None:
            assert np.array_equal(back.quality, trusted)
        assert np.abs(back.affine - values.affine).max() < 1e-12
    for name in ("spectra_fits", "region_spectra"):
        fits, back = getattr(expected, name), getattr(found, name)
        assert list(back) == list(fits) and fits
        for key, fit in fits.items():
            for field in dataclasses.fields(fit):
                first, second = getattr(fit, field.name), getattr(back[key], field.name)
                if isinstance(first, np.ndarray):
                    assert np.array_equal(first, second, equal_nan=first.dtype.kind == "f"), (key, field.name)
                else:
                    assert first == second, (key, field.name)
    covered = {*plain, "images", "regions", "references", "brains", "visit_to_reference", "series_to_visit", "curves"}
    covered |= {"given", "maps", "outlines", "overlaps", "midlines", "spectra_fits", "region_spectra", *followed}
    assert {visit: to_plain(plane) for visit, plane in found.midlines.items()} == {
        visit: to_plain(plane) for visit, plane in expected.midlines.items()
    }
    assert all(isinstance(plane.normal, np.ndarray) for plane in found.midlines.values())
    assert found.reference_head is None  # made again when a visit is aligned
    assert covered | {"reference_head"} == {field.name for field in dataclasses.fields(Analysis)}


def test_equal_in_the_scene(app, patient, analysis, phantom):
    content = read_scene(app.scene)
    assert content.messages == []
    assert content.assessment_json == phantom.assessment_json
    check_equal(content.analysis, analysis)


def test_equal_after_save_close_reopen(reopened, analysis, phantom):
    content = read_scene(reopened.scene)
    assert content.messages == []
    assert content.assessment_json == phantom.assessment_json
    check_equal(content.analysis, analysis)


def test_the_check_fails_for_one_changed_number(reopened, analysis):
    found = read_scene(reopened.scene).analysis
    found.images["2023-03-01", "T1CE"].array[3, 4, 5] += 1e-3
    with pytest.raises(AssertionError):
        check_equal(found, analysis)


def test_a_second_round_trip_is_exact(reopened, analysis, phantom, tmp_path):
    again = application()
    build_scene(again, read_scene(reopened.scene).analysis, phantom.assessment_json)
    save_mrb(again.scene, tmp_path / "again.mrb")
    open_scene(again, tmp_path / "again.mrb")
    check_equal(read_scene(again.scene).analysis, analysis)


def test_arrays_are_those_of_the_nodes(app, patient):
    analysis = read_scene(app.scene).analysis
    node = find(patient, Kind.IMAGE, "2023-01-10", "T1CE")
    assert np.shares_memory(analysis.images["2023-01-10", "T1CE"].array, nodes.get_image(node).array)


@pytest.mark.parametrize(
    "kind", [Kind.IMAGE, Kind.MAP, Kind.BRAIN, Kind.LESION, Kind.REFERENCE, Kind.VISIT_TO_REFERENCE]
)
def test_deleted_nodes_are_named_and_never_made_up(app, patient, kind):
    gone = next(node for node in linked(patient, kind) if nodes.marked(node, "visit") == "2023-03-01")
    app.scene.RemoveNode(gone)
    content = read_scene(app.scene)
    assert any(m.code == "scene_node_missing" and "2023-03-01" in m.parameters["title"] for m in content.messages)
    assert ("step_read", "2023-03-01") not in content.analysis.finished
    assert ("step_measure", "") not in content.analysis.finished
    assert ("step_read", "2023-01-10") in content.analysis.finished
    if kind == Kind.IMAGE:
        assert ("2023-03-01", "T1CE") not in content.analysis.images
    if kind == Kind.LESION:
        assert ("2023-03-01", "lesion") not in content.analysis.regions
        assert "2023-03-01" not in [r.visit for r in content.analysis.patient.regions if r.purpose == "lesion"]


def test_all_nodes_may_be_deleted_one_after_the_other(app, patient, phantom):
    """Whatever the user deletes, reading ends in an answer; without the patient's text, in a sentence."""
    ids = [node_id for node_id in phantom.node_ids(app.scene) if "Color" not in node_id and "Singleton" not in node_id]
    for node_id in sorted(set(ids) - {patient.GetID()}):
        node = app.scene.GetNodeByID(node_id)
        if node is not None:
            app.scene.RemoveNode(node)
            read_scene(app.scene)
    found = read_scene(app.scene)
    assert found.analysis.images == found.analysis.maps == found.analysis.regions == {}
    assert found.analysis.measurements == []
    assert found.analysis.patient.id == "case 1"
    app.scene.RemoveNode(patient)
    with pytest.raises(InputError):
        read_scene(app.scene)


def test_a_deleted_region_is_gone_with_a_message(app, patient):
    node = find(patient, Kind.LESION, "2023-03-01")
    node.GetSegmentation().RemoveSegment(segment_of(node, "lesion"))
    content = read_scene(app.scene)
    assert content.messages == [Message("scene_region_missing", {"visit": "2023-03-01", "name": "lesion"})]
    assert ("2023-03-01", "lesion") not in content.analysis.regions
    assert len(content.analysis.patient.regions) == 4


def test_edited_renamed_and_new_regions(app, patient, analysis):
    node = find(patient, Kind.LESION, "2023-01-10")
    edited = analysis.regions["2023-01-10", "lesion"]
    smaller = Image(edited.array & (np.arange(edited.array.shape[2]) % 2 == 0), edited.affine)
    put_segment(node, "lesion", "lesion", smaller)
    node.GetSegmentation().GetSegment(segment_of(node, "lesion")).SetName("left lesion")
    new = node.GetSegmentation().AddEmptySegment("", "second lesion")
    other = np.zeros_like(edited.array)
    other[2:4, 2:4, 2:4] = True
    put_segment(node, "second lesion", "lesion", Image(other, edited.affine))
    found = read_scene(app.scene).analysis
    assert np.array_equal(found.regions["2023-01-10", "left lesion"].array, smaller.array)
    assert np.array_equal(found.regions["2023-01-10", "second lesion"].array, other)
    assert ("2023-01-10", "lesion") not in found.regions
    by_name = {(region.visit, region.name): region for region in found.patient.regions}
    stated = next(r for r in analysis.patient.regions if (r.visit, r.name) == ("2023-01-10", "lesion"))
    assert by_name["2023-01-10", "left lesion"] == dataclasses.replace(stated, name="left lesion")
    assert isinstance(by_name["2023-01-10", "second lesion"], Region)
    assert by_name["2023-01-10", "second lesion"].purpose == "lesion"
    assert new


def test_found_reference_tissue_counts_as_drawn_once_it_is_edited(app, patient, analysis):
    assert all(r.name != COMPUTED_REFERENCE for r in read_scene(app.scene).analysis.patient.regions)
    node = find(patient, Kind.REFERENCE, "2023-01-10")
    tissue = analysis.references["2023-01-10"]
    half = Image(tissue.array & (np.arange(tissue.array.shape[2]) % 2 == 0), tissue.affine)
    put_segment(node, COMPUTED_REFERENCE, "reference", half)
    found = read_scene(app.scene).analysis
    assert np.array_equal(found.references["2023-01-10"].array, half.array)
    drawn = [r for r in found.patient.regions if r.purpose == "reference" and r.visit == "2023-01-10"]
    assert [region.name for region in drawn] == [COMPUTED_REFERENCE]


def test_an_edited_transform_counts(app, patient, phantom):
    matrix = phantom.rigid((1, 2, 3), (4, 5, 6))
    find(patient, Kind.VISIT_TO_REFERENCE, "2023-03-01").SetMatrixTransformToParent(nodes.to_vtk(matrix))
    assert np.allclose(read_scene(app.scene).analysis.visit_to_reference["2023-03-01"], matrix, atol=1e-12)


def test_a_scene_without_a_patient(app):
    with pytest.raises(InputError) as caught:
        read_scene(app.scene)
    assert caught.value.message.code == "scene_without_patient"


def test_broken_and_newer_texts(app, patient):
    text = patient.GetText()
    patient.SetText(text[:100])
    with pytest.raises(InputError) as caught:
        read_scene(app.scene)
    assert caught.value.message.code == "scene_text_broken"
    patient.SetText(json.dumps({**json.loads(text), "version": 99}))
    with pytest.raises(InputError) as caught:
        read_scene(app.scene)
    assert caught.value.message.code == "scene_version"


def test_files_on_disk_are_checked(app, phantom, tmp_path):
    analysis = phantom.make_analysis(tmp_path)
    build_scene(app, analysis)
    assert missing_files(app.scene) == []
    (tmp_path / "DSC.nii.gz").write_bytes(b"another time series")
    assert {message.code for message in missing_files(app.scene)} == {"scene_file_changed"}
    (tmp_path / "DSC.nii.gz").unlink()
    messages = missing_files(app.scene)
    assert {message.code for message in messages} == {"scene_file_missing"}
    assert {message.parameters["visit"] for message in messages} == set(phantom.visits)


def test_segment_masks_are_bool(patient):
    node = find(patient, Kind.LESION, "2023-01-10")
    assert segment_mask(node, segment_of(node, "lesion")).array.dtype == bool
