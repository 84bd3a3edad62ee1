"""What the panel's buttons do: no stroke is ever lost, whenever it comes, and the scene follows."""

import json

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, patient_node
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.segments import on_grid, put_segment, segment_mask, segment_of
from PseudoProgressionAnalyzerLib.scene.table import read_table

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


def test_a_removed_segment_is_measured_no_more(session):
    session.compute()
    node = find(patient_node(session.application.scene), Kind.LESION, SECOND)
    node.GetSegmentation().RemoveSegment(segment_of(node, "lesion"))
    session.remeasure(node, "")
    assert not [r for r in session.analysis.measurements if (r.visit, r.kind) == (SECOND, "own")]
    assert volume(session.analysis.measurements, FIRST) > 0
