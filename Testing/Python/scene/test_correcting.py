"""Corrections in the scene: what is left out stays, what does not hold any more goes, and all can be taken back."""

import datetime

import pytest

from PseudoProgressionAnalyzerLib.analysis.correcting import correct
from PseudoProgressionAnalyzerLib.measures import Region
from PseudoProgressionAnalyzerLib.patient import editing
from PseudoProgressionAnalyzerLib.scene import timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.correcting import REMEMBERED, corrections, prune, remember, take_back
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.segments import regions_of


@pytest.fixture
def made(app, phantom, tmp_path):
    analysis = phantom.make_analysis(tmp_path)
    return analysis, build_scene(app, analysis)


def edit(app, made, change):
    """As the panel does it."""
    analysis, node = made
    before = analysis.patient
    remember(node, before)
    correct(analysis, change(before))
    prune(node, analysis, before)
    build_scene(app, analysis)
    return before


def regions(node):
    return {
        (marked(each, "visit"), name)
        for kind in (Kind.LESION, Kind.REFERENCE)
        for each in linked(node, kind)
        for name in regions_of(each).values()
    }


def kept_nodes(app, phantom):
    """All nodes but measured lines and what shows them: those follow the lesions, and come back with them."""
    return {name for name in phantom.node_ids(app.scene) if not name.startswith("vtkMRMLMarkups")}


def test_a_visit_left_out_keeps_its_nodes_and_leaves_the_timeline(app, made, phantom):
    analysis, node = made
    nodes_before, regions_before = kept_nodes(app, phantom), regions(node)
    edit(app, made, lambda patient: editing.leave_out(patient, phantom.visits[1]))
    assert kept_nodes(app, phantom) == nodes_before
    assert regions(node) == regions_before
    assert [visit.id for visit in timeline.visits_of(node)] == [phantom.visits[0], phantom.visits[2]]
    again = read_scene(app.scene)
    assert again.messages == []
    assert [visit.id for visit in again.analysis.patient.visits] == [phantom.visits[0], phantom.visits[2]]
    assert again.analysis.patient == analysis.patient
    assert not [region for region in again.analysis.patient.regions if region.visit == phantom.visits[1]]


def test_a_region_drawn_before_leaving_out_comes_back(app, made, phantom):
    """Also through a scene that was written and read while the visit was left out."""
    analysis, _ = made
    visit = phantom.visits[1]
    drawn = analysis.regions[visit, "lesion"].array.copy()
    drawn[15, 20:24, 20:24] = True
    analysis.regions[visit, "lesion"].array[:] = drawn
    build_scene(app, analysis)
    edit(app, made, lambda patient: editing.leave_out(patient, visit))
    again = read_scene(app.scene).analysis
    correct(again, editing.take_in(again.patient, visit))
    assert (again.regions[visit, "lesion"].array == drawn).all()
    assert {r.name for r in again.patient.regions if r.visit == visit} == {"lesion", 'free, "odd" | name'}


def test_images_without_their_role_leave_the_scene(app, made, phantom):
    analysis, node = made
    visit = phantom.visits[0]
    assert find(node, Kind.MAP, visit, "rCBV") is not None
    dsc = analysis.patient.visit(visit).of_role("DSC")
    edit(app, made, lambda patient: editing.set_role(patient, visit, dsc, editing.NOT_USED))
    assert find(node, Kind.MAP, visit, "rCBV") is None
    assert find(node, Kind.MAP, visit, "rCBV_ratio") is None
    assert find(node, Kind.IMAGE, visit, "T1CE") is not None
    assert find(node, Kind.MAP, phantom.visits[1], "rCBV") is not None
    assert read_scene(app.scene).messages == []


def test_corrections_are_taken_back_one_by_one(app, made, phantom):
    analysis, node = made
    first = edit(app, made, lambda patient: editing.set_date(patient, phantom.visits[0], datetime.date(2023, 1, 11)))
    second = edit(app, made, lambda patient: editing.leave_out(patient, phantom.visits[2]))
    assert corrections(node) == 2
    assert take_back(node, analysis.patient) == second
    assert take_back(node, analysis.patient) == first
    assert corrections(node) == 0
    with pytest.raises(IndexError):
        take_back(node, analysis.patient)


def test_what_was_drawn_since_is_not_taken_back(app, made, phantom, tmp_path):
    analysis, node = made
    edit(app, made, lambda patient: editing.set_date(patient, phantom.visits[0], datetime.date(2023, 1, 11)))
    drawn = Region("new", phantom.visits[0], "lesion", type(tmp_path)())
    analysis.patient.regions.append(drawn)
    assert drawn in take_back(node, analysis.patient).regions


def test_the_oldest_are_forgotten(app, made):
    analysis, node = made
    for _ in range(REMEMBERED + 5):
        remember(node, analysis.patient)
    assert corrections(node) == REMEMBERED
