"""What the panel's buttons do: no stroke is ever lost, whenever it comes, and the scene follows."""

import json
import threading
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
import slicer

from PseudoProgressionAnalyzerLib.analysis.aligning import is_users
from PseudoProgressionAnalyzerLib.assessment import editable_criteria
from PseudoProgressionAnalyzerLib.imaging.resampling import held_block
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.scene.as_of import chosen_as_of
from PseudoProgressionAnalyzerLib.scene.lesion_colours import LESION_COLOURS
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, patient_node, to_vtk
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.region_list import reference_is_computed
from PseudoProgressionAnalyzerLib.scene.segments import on_grid, oriented, put_segment, segment_mask, segment_of
from PseudoProgressionAnalyzerLib.scene.table import read_table
from PseudoProgressionAnalyzerLib.scene.transforms import matrix_of

FIRST, SECOND = "2023-01-10", "2023-03-01"
VOXEL = 0.008  # mL


def draw(session, visit, mask, kind=Kind.LESION, name="lesion"):
    """A stroke as an editor makes it: in the segment, which the session then hears of."""
    node = find(patient_node(session.application.scene), kind, visit)
    put_segment(node, name, "lesion", Image(mask, session.analysis.images[visit, "T1CE"].affine))
    return node, segment_of(node, name)


def drawn(session, visit):
    """The lesion's voxels in the scene."""
    node = find(patient_node(session.application.scene), Kind.LESION, visit)
    return on_grid(segment_mask(node, segment_of(node, "lesion")), session.analysis.images[visit, "T1CE"]).array


def volume(rows, visit):
    (row,) = [r for r in rows if (r.visit, r.name, r.kind, r.compared_to) == (visit, "volume", "own", "")]
    return row.value


def keyed(row):
    return row.visit, row.region, row.kind, row.drawn_in, row.name, row.compared_to


def rows_of(session, drawn_in):
    """Values, without changes, of what was drawn in a visit."""
    return [r for r in session.analysis.measurements if r.drawn_in == drawn_in and not r.compared_to]


def test_a_stroke_before_the_computation_is_kept_and_measured(session, grown):
    mask = grown(session.analysis.regions[SECOND, "lesion"].array)
    session.remeasure(*draw(session, SECOND, mask))
    assert session.analysis.measurements == []
    session.compute()
    assert np.array_equal(drawn(session, SECOND), mask)
    assert volume(session.analysis.measurements, SECOND) == pytest.approx(mask.sum() * VOXEL)


def test_a_stroke_while_computing_is_kept_and_measured(session, grown):
    mask = grown(session.analysis.regions[SECOND, "lesion"].array)
    edits = [lambda: session.take(*draw(session, SECOND, mask))]
    session.events.append(lambda: edits.pop()() if edits else None)
    session.compute()
    assert edits == []
    assert np.array_equal(drawn(session, SECOND), mask)
    assert volume(session.analysis.measurements, SECOND) == pytest.approx(mask.sum() * VOXEL)


def test_reference_tissue_drawn_while_computing_makes_new_ratios(session):
    white = session.analysis.references[SECOND].array.copy()
    white[:, :, :18] = False
    values = session.analysis.maps[SECOND, "rCBV"].array
    edits = [lambda: session.take(*draw(session, SECOND, white, Kind.REFERENCE, "reference tissue"))]
    session.events.append(lambda: edits.pop()() if edits else None)
    session.compute()
    ratio = session.analysis.maps[SECOND, "rCBV_ratio"].array
    np.testing.assert_allclose(ratio, values / values[white].mean(), rtol=1e-5)


def test_what_is_read_while_steps_run_is_as_it_was_before_them(session):
    """A worker changes the analysis meanwhile: who reads it then must not meet dictionaries that grow."""
    worked, seen = session.analysis, []

    def look():
        if session.arranging:
            return
        shown = session.analysis
        apart = shown is not worked and shown.maps is not worked.maps and shown.finished is not worked.finished
        seen.append((apart, shown.measurements, ("step_measure", "") in shown.finished))

    session.events.append(look)
    session.compute()
    assert seen[0] == (True, [], False)
    assert session.analysis is worked and worked.measurements


def test_what_is_read_after_steps_that_failed_is_the_analysis_itself(session, monkeypatch):
    from PseudoProgressionAnalyzerLib.desktop.session import building as module

    def fail(*_, **__):
        raise InputError("scene_without_patient")

    monkeypatch.setattr(module, "run", fail)
    worked = session.analysis
    with pytest.raises(InputError):
        session.compute()
    assert session.analysis is worked and not session.arranging


def test_the_scene_follows_when_the_pen_rests(session, grown):
    session.compute()
    patient = patient_node(session.application.scene)
    table = find(patient, Kind.MEASUREMENTS)
    before = volume(read_table(table), SECOND)
    mask = grown(session.analysis.regions[SECOND, "lesion"].array)
    session.remeasure(*draw(session, SECOND, mask))
    assert volume(session.analysis.measurements, SECOND) == pytest.approx(mask.sum() * VOXEL)
    assert volume(read_table(table), SECOND) == before  # not with every stroke
    session.settle()
    assert volume(read_table(table), SECOND) == pytest.approx(mask.sum() * VOXEL)
    text = json.loads(find(patient, Kind.ASSESSMENT).GetText())
    assert any(row["value"] == pytest.approx(mask.sum() * VOXEL, rel=1e-4) for row in text["measurements"])
    assert read_scene(session.application.scene).analysis.measurements == session.analysis.measurements


def test_the_colour_of_a_lesion_follows_when_the_pen_rests(session, grown):
    """As soon as it is known which lesion it is."""
    session.compute()
    node, segment_id = draw(session, SECOND, grown(session.analysis.regions[SECOND, "lesion"].array))
    segment = node.GetSegmentation().GetSegment(segment_id)
    segment.SetColor(*LESION_COLOURS[1])
    session.remeasure(node, segment_id)
    session.settle()
    assert segment.GetColor() == LESION_COLOURS[0]


def test_a_removed_segment_is_measured_no_more(session):
    session.compute()
    node = find(patient_node(session.application.scene), Kind.LESION, SECOND)
    node.GetSegmentation().RemoveSegment(segment_of(node, "lesion"))
    session.remeasure(node, "")
    assert not [r for r in session.analysis.measurements if (r.visit, r.kind) == (SECOND, "own")]
    assert volume(session.analysis.measurements, FIRST) > 0


def test_a_new_region_is_drawn_and_measured(session):
    session.compute()
    session.add_region(SECOND, "lesion")
    assert session.analysis.patient.regions[-1].name == "lesion 2"
    mask = np.zeros_like(session.analysis.regions[SECOND, "lesion"].array)
    mask[2:4, 2:6, 2:8] = True
    session.remeasure(*draw(session, SECOND, mask, name="lesion 2"))
    (row,) = [
        r for r in session.analysis.measurements if (r.region, r.name, r.compared_to) == ("lesion 2", "volume", "")
    ]
    assert row.value == pytest.approx(48 * VOXEL)
    with pytest.raises(InputError):
        session.add_region(SECOND, "lesion", "lesion")


def test_a_free_region_is_measured_in_every_visit_and_never_as_a_lesion(session):
    session.compute()
    session.add_region(SECOND, "free", "rim")
    mask = np.zeros_like(session.analysis.regions[SECOND, "lesion"].array)
    mask[2:6, 2:6, 2:8] = True
    session.remeasure(*draw(session, SECOND, mask, name="rim"))
    rows = [r for r in session.analysis.measurements if r.region == "rim" and not r.compared_to]
    assert {r.kind for r in rows} == {"fixed"}
    assert {r.visit for r in rows} == {FIRST, SECOND}
    session.settle()
    region = next(r for r in read_scene(session.application.scene).analysis.patient.regions if r.name == "rim")
    assert (region.purpose, region.carried) == ("free", True)


def test_a_lesion_is_carried_and_no_more(session):
    session.compute()

    def fixed():
        rows = session.analysis.measurements
        return {r.visit for r in rows if (r.kind, r.drawn_in, r.compared_to) == ("fixed", SECOND, "")}

    assert fixed() == set()
    session.change_region(SECOND, "lesion", carried=True)
    assert fixed() == {FIRST, SECOND}
    session.change_region(SECOND, "lesion", carried=False)
    assert fixed() == set()


def test_a_renamed_segment_is_the_same_region_under_its_new_name(session, grown):
    session.compute()
    before = {(r.visit, r.kind, r.name): r.value for r in rows_of(session, SECOND)}
    node = find(patient_node(session.application.scene), Kind.LESION, SECOND)
    segment = segment_of(node, "lesion")
    node.GetSegmentation().GetSegment(segment).SetName("new edge")
    session.remeasure(node, "")
    assert {r.region for r in session.analysis.measurements if r.drawn_in == SECOND} == {"new edge"}
    assert {(r.visit, r.kind, r.name): r.value for r in rows_of(session, SECOND)} == before
    assert not [
        r for r in session.analysis.measurements if r.compared_to and r.kind == "own"
    ]  # nothing to compare with
    mask = grown(session.analysis.regions[SECOND, "new edge"].array)
    session.remeasure(*draw(session, SECOND, mask, name="new edge"))
    assert volume(session.analysis.measurements, SECOND) == pytest.approx(mask.sum() * VOXEL)
    assert [r.name for r in session.analysis.patient.regions] == ["lesion", "new edge"]


def test_drawn_reference_tissue_gives_way_to_the_found_one(session, monkeypatch):
    from PseudoProgressionAnalyzerLib.analysis import run as running

    found = dict(session.analysis.references)
    monkeypatch.setattr(
        running, "find_reference_tissue", lambda analysis, visit: analysis.references.setdefault(visit, found[visit])
    )
    session.compute()
    numbers = list(session.analysis.measurements)
    white = found[SECOND].array.copy()
    white[:, :, :18] = False
    session.remeasure(*draw(session, SECOND, white, Kind.REFERENCE, "reference tissue"))
    assert not reference_is_computed(session.analysis, SECOND)
    assert session.analysis.measurements != numbers
    session.restore_reference(SECOND)
    assert reference_is_computed(session.analysis, SECOND)
    node = find(patient_node(session.application.scene), Kind.REFERENCE, SECOND)
    assert segment_mask(node, segment_of(node, "reference tissue")).array.sum() == found[SECOND].array.sum()
    restored = {keyed(row): row.value for row in session.analysis.measurements}
    for row in numbers:
        assert restored[keyed(row)] == pytest.approx(row.value, rel=1e-6, abs=1e-9), row


def test_prior_and_criteria_are_assessed_at_once_and_kept_in_the_scene(session, tmp_path):
    session.compute()
    visit = SECOND
    published = _assessed(session, visit).prior
    session.set_prior((0.3, 0.2, 0.4), visit)
    assert _assessed(session, visit).prior == (0.3, 0.2, 0.4)
    with pytest.raises(InputError):
        session.set_prior((0.3, 0.4, 0.5), visit)
    content = editable_criteria() | {"criteria": [{**editable_criteria()["criteria"][0], "id": "OURS"}]}
    (tmp_path / "ours.json").write_text(json.dumps(content))
    session.set_criteria(tmp_path / "ours.json")
    session.forget()  # read from the scene again
    session.assess()
    found = _assessed(session, visit)
    assert found.prior == (0.3, 0.2, 0.4) and "ours.json" in found.criteria_set
    (tmp_path / "ours.json").write_text("{")
    with pytest.raises(InputError):
        session.set_criteria(tmp_path / "ours.json")
    assert "ours.json" in _assessed(session, visit).criteria_set
    session.set_prior(None, visit)
    session.set_criteria(None)
    assert _assessed(session, visit).prior == published


def _assessed(session, visit):
    return next(found for found in session.analysis.assessments if found.as_of == visit)


def test_what_is_judged_beside_is_what_is_judged_at_once(session, grown):
    session.compute()
    session.remeasure(*draw(session, SECOND, grown(session.analysis.regions[SECOND, "lesion"].array)))
    assert session.unsettled
    before = list(session.analysis.assessments)
    judged = session.judging()()
    assert session.analysis.assessments == before
    assert session.accept(judged)
    assert not session.unsettled
    beside = [found.probability for found in session.analysis.assessments], session.analysis.lesions
    session.assess()
    assert beside == ([found.probability for found in session.analysis.assessments], session.analysis.lesions)


def test_what_was_judged_before_another_stroke_is_not_taken(session, grown):
    session.compute()
    work = session.judging()
    session.remeasure(*draw(session, SECOND, grown(session.analysis.regions[SECOND, "lesion"].array)))
    assert not session.accept(work())
    assert session.unsettled
    session.forget()
    work = session.judging()
    session.forget()  # as a scene that was closed
    assert not session.accept(work())


@pytest.fixture
def registered(session, monkeypatch):
    """A measured patient whose visits register to where they are, but for transforms of the user's own."""
    from PseudoProgressionAnalyzerLib.analysis import run as running

    def align(analysis, visit, *parts):
        if not is_users(analysis, visit):
            analysis.visit_to_reference[visit], analysis.alignment[visit] = np.eye(4), {"uncertainty": 0.1}

    monkeypatch.setattr(running, "align_visit", align)
    monkeypatch.setattr(running, "find_reference_tissue", lambda analysis, visit: None)
    session.compute()
    return session


def shifted(by):
    matrix = np.eye(4)
    matrix[0, 3] = by
    return matrix


def edit(session, matrix):
    """What Slicer's module Transforms does."""
    node = find(patient_node(session.application.scene), Kind.VISIT_TO_REFERENCE, SECOND)
    node.SetMatrixTransformToParent(to_vtk(matrix))
    return node


def values_of(session):
    return {keyed(row): row.value for row in session.analysis.measurements}


def test_a_transform_of_the_users_own_and_back(registered):
    session, before = registered, values_of(registered)
    node = session.application.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "mine")
    matrix = np.eye(4)
    matrix[:3, 3] = (3, 0, 0)
    node.SetMatrixTransformToParent(to_vtk(matrix))
    session.use_transform(SECOND, node)
    np.testing.assert_allclose(session.analysis.visit_to_reference[SECOND], matrix)
    changed = {key for key, value in before.items() if not key[5]} - {
        keyed(row) for row in session.analysis.measurements if row.value == before.get(keyed(row))
    }
    assert {(key[0], key[2]) for key in changed} == {(SECOND, "fixed")}
    placed = find(patient_node(session.application.scene), Kind.VISIT_TO_REFERENCE, SECOND)
    found = to_vtk(np.eye(4))
    placed.GetMatrixTransformToParent(found)
    assert found.GetElement(0, 3) == 3
    matrix[0, 0] = 1.2
    node.SetMatrixTransformToParent(to_vtk(matrix))
    with pytest.raises(InputError):
        session.use_transform(SECOND, node)
    session.use_computed_transform(SECOND)
    np.testing.assert_allclose(session.analysis.visit_to_reference[SECOND], np.eye(4))
    after = {keyed(row): row.value for row in session.analysis.measurements}
    assert all(after[key] == pytest.approx(value) for key, value in before.items())


def test_an_edited_transform_is_the_users_own_until_it_is_given_back(registered):
    session, before = registered, values_of(registered)
    node = edit(session, shifted(4))  # two voxels
    said = [message.code for message in session.take_transforms()]
    assert said == ["scene_transform_changed", "scene_numbers_gone"]
    assert is_users(session.analysis, SECOND) and session.analysis.measurements == []
    found = read_scene(session.application.scene)  # as saved now
    assert (found.messages, found.analysis.measurements, found.assessment_json) == ([], [], "")
    assert session.take_transforms() == []
    session.compute()
    np.testing.assert_allclose(matrix_of(node), shifted(4))
    changed = {key for key, value in values_of(session).items() if value != before.get(key) and not key[5]}
    voxelwise = {key for key in changed if key[4].startswith("PRM_")}  # compared by voxels, as the user trusts it
    assert {key[2] for key in voxelwise} == {"own", "fixed"}
    assert {(key[0], key[2]) for key in changed - voxelwise} == {(SECOND, "fixed")}
    session.use_computed_transform(SECOND)
    np.testing.assert_allclose(matrix_of(node), np.eye(4))
    assert not is_users(session.analysis, SECOND)
    after = values_of(session)
    assert all(after[key] == pytest.approx(value) for key, value in before.items())


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_transform_that_is_edited_around_computing_is_computed_with(registered, monkeypatch, when):
    """Nobody has taken it yet when the work begins, or it is edited while steps run."""
    from PseudoProgressionAnalyzerLib.desktop.session import building

    session = registered
    edit(session, shifted(4))
    session.take_transforms()
    session.compute()
    expected = values_of(session)
    session.use_computed_transform(SECOND)
    edits = [lambda: edit(session, shifted(4))]
    if when == "while":
        run = building.run

        def until_edited(*parts, **options):
            run(*parts, **options)
            while edits:
                time.sleep(0.01)

        monkeypatch.setattr(building, "run", until_edited)
        session.analysis.finished.discard(("step_measure", ""))
        session.events.append(lambda: edits.pop()() if edits else None)
    else:
        edits.pop()()
    session.compute()
    assert edits == [] and is_users(session.analysis, SECOND)
    assert values_of(session) == pytest.approx(expected)
    assert [message.code for message in session.take_transforms()] == ["scene_transform_changed"]  # said once
    assert values_of(session) == pytest.approx(expected) and session.take_transforms() == []


def test_what_is_saved_right_after_an_edit_has_no_number_of_before(registered, tmp_path):
    edit(registered, shifted(4))
    registered.save_assessment(tmp_path / "assessment.json")
    assert json.loads((tmp_path / "assessment.json").read_text())["measurements"] == []
    assert "scene_transform_changed" in [message.code for message in registered.take_transforms()]


def test_what_is_judged_beside_an_edit_is_not_taken(registered, grown):
    session = registered
    session.remeasure(*draw(session, SECOND, grown(session.analysis.regions[SECOND, "lesion"].array)))
    work = session.judging()
    edit(session, shifted(4))
    session.take_transforms()
    assert not session.accept(work())
    assert session.analysis.measurements == []


def test_a_transform_that_is_chosen_counts_before_one_that_was_edited(registered):
    session = registered
    edit(session, shifted(4))
    session.use_computed_transform(SECOND)
    np.testing.assert_allclose(session.analysis.visit_to_reference[SECOND], np.eye(4))
    node = session.application.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "mine")
    node.SetMatrixTransformToParent(to_vtk(shifted(2)))
    edited = edit(session, shifted(4))
    session.use_transform(SECOND, node)
    np.testing.assert_allclose(matrix_of(edited), shifted(2))


def test_the_users_own_transform_outlives_another_reference_visit(registered):
    session = registered
    edit(session, shifted(4))
    session.set_reference_visit(SECOND)
    session.compute()
    np.testing.assert_allclose(session.analysis.visit_to_reference[FIRST], shifted(-4))
    np.testing.assert_allclose(session.analysis.visit_to_reference[SECOND], np.eye(4))
    assert is_users(session.analysis, FIRST) and not is_users(session.analysis, SECOND)


def test_another_reference_visit_aligns_all_again(session, monkeypatch):
    from PseudoProgressionAnalyzerLib.analysis import run as running

    aligned = []
    monkeypatch.setattr(
        running,
        "align_visit",
        lambda analysis, visit, *parts: (
            aligned.append((analysis.reference_visit, visit)),
            analysis.visit_to_reference.__setitem__(visit, np.eye(4)),
        ),
    )
    monkeypatch.setattr(running, "find_reference_tissue", lambda analysis, visit: None)
    session.compute()
    session.set_reference_visit(FIRST)
    session.compute()
    assert aligned == []
    session.set_reference_visit(SECOND)
    session.compute()
    assert sorted(aligned) == [(SECOND, FIRST), (SECOND, SECOND)]
    assert read_scene(session.application.scene).analysis.reference_visit == SECOND


def test_the_chosen_visit_is_kept_in_the_scene(session, tmp_path):
    session.compute()
    assessed = [found.as_of for found in session.analysis.assessments]
    assert len(assessed) > 1 and session.as_of == assessed[-1]
    session.choose_as_of(assessed[0])
    session.forget()  # as after opening the scene
    assert session.as_of == assessed[0]
    session.save_assessment(tmp_path / "then.json", as_of=session.as_of)
    then = json.loads((tmp_path / "then.json").read_text())
    assert then["as_of"] == assessed[0] and assessed[-1] not in [visit["id"] for visit in then["visits"]]
    with pytest.raises(InputError):
        session.choose_as_of("no such visit")
    session.choose_as_of(assessed[-1])  # the latest: also when more visits come
    assert chosen_as_of(session.application.scene) == ""


def test_of_two_visits_on_one_day_each_can_be_chosen(session, tmp_path):
    session.compute()
    first, second = session.analysis.patient.visits
    first.date = second.date
    for visit in (first, second):
        session.choose_as_of(visit.id)
        assert session.as_of == visit.id
        session.save_assessment(tmp_path / "then.json", as_of=visit.id)
        then = json.loads((tmp_path / "then.json").read_text())
        assert then["as_of"] is None and len(then["visits"]) == 2  # nothing is left out


def test_a_stroke_that_was_saved_before_its_numbers_is_measured_and_judged_on_opening(session, grown):
    """As Slicer saves: without a word, between the stroke and what follows from it."""
    session.compute()
    before = [row for row in session.analysis.measurements if row.name == "volume"]
    node = find(patient_node(session.application.scene), Kind.LESION, SECOND)
    mask = grown(session.analysis.regions[SECOND, "lesion"].array)
    put_segment(node, "lesion", "lesion", Image(mask, session.analysis.images[SECOND, "T1CE"].affine))
    assessments = session.analysis.assessments
    session.forget()  # the scene is opened again
    assert session.unsettled is False  # nothing was read yet
    assert [row for row in session.analysis.measurements if row.name == "volume"] != before
    assert [message.code for message in session.found] == ["scene_regions_remeasured"]
    assert session.unsettled
    assert session.analysis.assessments == []
    assert session.accept(session.judging()())
    assert not session.unsettled
    assert [one.as_of for one in session.analysis.assessments] == [one.as_of for one in assessments]
    session.forget()
    assert session.analysis.assessments
    assert session.found == []


def test_numbers_do_not_outlive_work_that_was_stopped_half_way(session):
    """The job that follows from a change is stopped: no number of before the change stays."""
    session.compute()
    assert session.analysis.measurements
    cancel = threading.Event()
    cancel.set()
    session.analysis.finished -= {("step_measure", "")}
    with pytest.raises(CancelledError):
        session.compute(cancel=cancel)
    assert session.analysis.measurements == []
    assert session.analysis.assessments == []
    assert read_scene(session.application.scene).analysis.measurements == []
    session.compute()
    assert session.analysis.measurements


def add_segment(session, kind, name, mask, copied_from=None):
    """A segment as the Segment Editor's *Add* makes it, or as a copy of another with all that is noted in it."""
    node = find(patient_node(session.application.scene), kind, SECOND)
    segments = node.GetSegmentation()
    if copied_from is None:
        segment_id = segments.AddEmptySegment("", name)
    else:
        segment = slicer.vtkSegment()
        segment.DeepCopy(segments.GetSegment(segment_of(node, copied_from)))
        segment.SetName(name)
        segments.AddSegment(segment, "copy")
        segment_id = "copy"
    grid = session.analysis.images[SECOND, "T1CE"].affine
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    block = held_block(mask)
    labelmap = oriented(mask[block], [part.start for part in block[::-1]], grid)
    logic.SetBinaryLabelmapToSegment(labelmap, node, segment_id, logic.MODE_REPLACE)
    return node, segment_id


def volumes(session):
    rows = session.analysis.measurements
    own = [row for row in rows if (row.visit, row.kind, row.name, row.compared_to) == (SECOND, "own", "volume", "")]
    return {row.region: row.value for row in own}


def small(session, *sizes):
    mask = np.zeros_like(session.analysis.regions[SECOND, "lesion"].array)
    mask[tuple(slice(1, 1 + size) for size in sizes)] = True
    return mask


def test_segments_of_one_name_are_regions_of_their_own(session):
    """As Slicer names what is added, in both segmentations of a visit."""
    session.compute()
    before = volumes(session)["lesion"]
    session.remeasure(*add_segment(session, Kind.LESION, "Segment_1", small(session, 2, 2, 2)))
    session.remeasure(*add_segment(session, Kind.REFERENCE, "Segment_1", small(session, 3, 3, 3)))
    assert volumes(session) == pytest.approx({"lesion": before, "Segment_1": 8 * VOXEL})
    named = {(region.name, region.purpose) for region in session.analysis.patient.regions if region.visit == SECOND}
    assert {("Segment_1", "lesion"), ("Segment_1 2", "reference")} <= named


@pytest.mark.parametrize("measured", [True, False])
def test_a_name_that_another_region_has_is_numbered(session, measured):
    session.compute() if measured else None
    node, segment_id = add_segment(session, Kind.LESION, "rim", small(session, 2, 2, 2))
    session.remeasure(node, segment_id)
    segment = node.GetSegmentation().GetSegment(segment_id)
    segment.SetName("lesion")
    session.remeasure(node, "", segment_id)
    assert segment.GetName() == "lesion 2"
    regions = {name: mask.array.sum() for (visit, name), mask in session.analysis.regions.items() if visit == SECOND}
    assert regions == {"lesion": drawn(session, SECOND).sum(), "lesion 2": 8}
    if measured:
        assert set(volumes(session)) == {"lesion", "lesion 2"}


@pytest.mark.parametrize("name", ["lesion", "lesion_1"])
def test_a_copied_segment_leaves_the_first_one_alone(session, name):
    """Slicer copies all that is noted in a segment."""
    session.compute()
    before = volumes(session)["lesion"]
    node, segment_id = add_segment(session, Kind.LESION, name, small(session, 2, 2, 2), copied_from="lesion")
    session.remeasure(node, segment_id)
    assert volumes(session) == pytest.approx({"lesion": before, "lesion 2" if name == "lesion" else name: 8 * VOXEL})
    session.forget()
    assert session.found == []
    assert volumes(session)["lesion"] == pytest.approx(before)


def test_a_region_drawn_since_keeps_its_purpose_when_it_is_renamed(session):
    session.compute()
    node, segment_id = add_segment(session, Kind.LESION, "ring", small(session, 2, 2, 2))
    session.remeasure(node, segment_id)
    session.change_region(SECOND, "ring", purpose="free")
    node.GetSegmentation().GetSegment(segment_id).SetName("halo")
    session.remeasure(node, "", segment_id)
    region = next(one for one in session.analysis.patient.regions if one.name == "halo")
    assert (region.purpose, region.carried) == ("free", True)
    assert {row.visit for row in session.analysis.measurements if row.region == "halo"} == {FIRST, SECOND}
    assert not [row for row in session.analysis.measurements if row.region == "ring"]


@pytest.mark.parametrize("purpose", ["free", "lesion"])
def test_a_removed_region_that_comes_back_by_undo_is_what_it_was(session, purpose):
    session.compute()
    node, segment_id = session.add_region(SECOND, purpose, "ring")
    block = small(session, 2, 2, 2)
    put_segment(node, "ring", purpose, Image(block, session.analysis.images[SECOND, "T1CE"].affine))
    session.remeasure(node, segment_id)
    session.change_region(SECOND, "ring", carried=True)
    before = [row for row in session.analysis.measurements if row.region == "ring"]
    kept = slicer.vtkSegment()
    kept.DeepCopy(node.GetSegmentation().GetSegment(segment_id))
    node.GetSegmentation().RemoveSegment(segment_id)
    session.remeasure(node, "")
    assert not [row for row in session.analysis.measurements if row.region == "ring"]
    node.GetSegmentation().AddSegment(kept, segment_id)
    session.remeasure(node, segment_id)
    region = next(one for one in session.analysis.patient.regions if one.name == "ring")
    assert (region.purpose, region.carried) == (purpose, True)
    assert [row for row in session.analysis.measurements if row.region == "ring"] == before
