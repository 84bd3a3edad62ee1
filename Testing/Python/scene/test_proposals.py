"""Proposals in the scene: marked and unmeasured until accepted, then a lesion as any other."""

import copy

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.analysis.proposing import bright_tissue, propose_lesion, visit_before
from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.scene import timeline
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.proposals import (
    HATCH,
    NAME,
    accept_proposal,
    proposal_of,
    reject_proposal,
    show_proposal,
)
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.regions import remeasure
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.segments import segment_mask, segment_of

FIRST, SECOND, THIRD = "2023-01-10", "2023-03-01", "2023-06-05"


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.fixture
def analysis(analysis):
    """A copy that a test may change."""
    return copy.deepcopy(analysis)


@pytest.fixture
def undrawn(app, analysis):
    """The patient whose second visit has no lesion yet, the analysis, and what should be drawn."""
    truth = analysis.regions.pop((SECOND, "lesion")).array
    analysis.patient.regions = [
        region for region in analysis.patient.regions if (region.visit, region.name) != (SECOND, "lesion")
    ]
    measure_visits(analysis)
    return build_scene(app, analysis), analysis, truth


def click(analysis, truth):
    voxel = np.argwhere(truth)[len(np.argwhere(truth)) // 2]
    return (analysis.images[SECOND, "T1CE"].affine @ [*voxel[::-1], 1.0])[:3]


def proposed(patient, analysis, truth):
    point = click(analysis, truth)
    mask = propose_lesion(analysis, SECOND, bright_tissue(analysis, SECOND), [point]).mask
    image = analysis.images[SECOND, "T1CE"]
    show_proposal(patient, SECOND, type(image)(mask, image.affine), [point])
    return mask


def test_a_click_is_proposed_marked_and_measured_nowhere(app, undrawn, tmp_path):
    patient, analysis, truth = undrawn
    mask = proposed(patient, analysis, truth)
    assert dice(mask, truth) > 0.9
    node, points = proposal_of(patient, SECOND)
    assert np.allclose(points, [click(analysis, truth)])
    assert node.GetTransformNodeID() == find(patient, Kind.IMAGE, SECOND, "T1CE").GetTransformNodeID()
    hatch = segment_mask(node, segment_of(node, HATCH)).array.sum()
    whole = segment_mask(node, segment_of(node, NAME)).array.sum()
    assert 0.3 * whole < hatch < 0.7 * whole, "stripes, neither all nor nothing"
    display = node.GetDisplayNode()
    assert not display.GetSegmentVisibility2DFill(segment_of(node, NAME))
    assert not display.GetSegmentVisibility2DOutline(segment_of(node, HATCH))
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    found = read_scene(other.scene).analysis
    assert not any(region.visit == SECOND and region.purpose == "lesion" for region in found.patient.regions)
    assert not any(row.visit == SECOND and row.kind == "own" and row.name == "volume" for row in found.measurements)


def test_accepted_it_is_a_lesion_like_any_other(app, undrawn):
    patient, analysis, truth = undrawn
    mask = proposed(patient, analysis, truth)
    segmentation, segment = accept_proposal(patient, SECOND)
    assert proposal_of(patient, SECOND) is None
    region = remeasure(app.scene, analysis, segmentation, segment)
    assert (region.visit, region.name, region.purpose) == (SECOND, "lesion", "lesion")
    assert np.array_equal(analysis.regions[SECOND, "lesion"].array, mask)
    update_lesions(analysis)
    assert [lesion.lesion for lesion in analysis.lesions] == ["L1", "L1", "L1"]


def test_it_is_drawn_in_the_column_of_its_visit_only(app, undrawn):
    patient, analysis, truth = undrawn
    timeline.show(app)
    proposed(patient, analysis, truth)
    node, _ = proposal_of(patient, SECOND)
    assert node.GetDisplayNode().GetNumberOfViewNodeIDs() == 0, "everywhere, until it is told"
    timeline.show_drawn(app)
    views = {app.scene.GetNodeByID(view) for view in node.GetDisplayNode().GetViewNodeIDs()}
    titles = {view.GetLayoutName().split("_")[1] for view in views}
    assert titles == {"1"}, "the second column"
    timeline.hide(app)


def test_rejected_it_leaves_nothing(undrawn):
    patient, analysis, truth = undrawn
    proposed(patient, analysis, truth)
    reject_proposal(patient, SECOND)
    assert proposal_of(patient, SECOND) is None
    assert accept_proposal(patient, SECOND) is None
    assert not segment_of(find(patient, Kind.LESION, SECOND), "lesion")


def test_an_accepted_piece_joins_what_is_drawn(undrawn):
    patient, analysis, truth = undrawn
    image = analysis.images[SECOND, "T1CE"]
    upper = truth & (np.indices(truth.shape)[0] > np.argwhere(truth)[:, 0].mean())
    show_proposal(patient, SECOND, type(image)(upper, image.affine), [])
    accept_proposal(patient, SECOND)
    show_proposal(patient, SECOND, type(image)(truth & ~upper, image.affine), [])
    segmentation, segment = accept_proposal(patient, SECOND)
    assert segment_mask(segmentation, segment).array.sum() == truth.sum()


def test_the_lesion_of_the_visit_before_finds_itself(undrawn):
    _patient, analysis, truth = undrawn
    assert visit_before(analysis, SECOND) == FIRST
    assert visit_before(analysis, FIRST) == ""
    bright = bright_tissue(analysis, SECOND)
    assert dice(propose_lesion(analysis, SECOND, bright, carried_from=FIRST).mask, truth) > 0.9
    away = np.eye(4)
    away[:3, 3] = 40.0, 0.0, 0.0
    analysis.visit_to_reference[SECOND] = away @ analysis.visit_to_reference[SECOND]
    assert dice(propose_lesion(analysis, SECOND, bright, carried_from=FIRST).mask, truth) < 0.5, "the check can fail"
