"""Diameters as line markups: where they lie, that moved ones are the reader's, and that a saved scene keeps them."""

import copy

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.lesion.diameters import diameters
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene import timeline
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.lines import (
    hide_left_behind,
    lines_wait,
    measured_again,
    read_lines,
    show_rule,
    write_lines,
)
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked, to_world
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb

SECOND = "2023-03-01"


@pytest.fixture
def analysis(analysis):
    """A copy that a test may change."""
    return copy.deepcopy(analysis)


@pytest.fixture
def patient(app, analysis):
    update_lesions(analysis)
    return build_scene(app, analysis)


def line(patient, which="longest", rule="reader", visit=SECOND):
    return find(patient, Kind.LINE, visit, f"L1 {rule} {which}")


def ends(node):
    return np.array([node.GetNthControlPointPosition(number) for number in range(2)])


def test_lines_end_where_the_lesion_ends(patient, analysis):
    """Against the diameters of the mask itself, in the visit's own frame, and under the visit's transform."""
    mask = analysis.regions[SECOND, "lesion"]
    for rule in ("reader", "product"):
        expected = diameters(mask.array, mask.affine, rule)
        for which in ("longest", "perpendicular"):
            found = ends(line(patient, which, rule))
            assert np.allclose(found, getattr(expected, f"{which}_ends"), atol=1e-6)
    world = to_world(line(patient))
    assert np.allclose(world, analysis.visit_to_reference[SECOND], atol=1e-9)
    assert not np.allclose(world, np.eye(4), atol=0.1), "the check can fail"


def test_lines_of_a_length_that_the_line_itself_tells(patient, analysis):
    lesion = next(found for found in analysis.lesions if found.visit == SECOND)
    assert line(patient).GetLineLengthWorld() == pytest.approx(lesion.outline.lines["reader"].longest, abs=1e-6)


def test_moved_lines_are_the_readers_and_decide(patient, analysis):
    before = next(found for found in analysis.lesions if found.visit == SECOND).outline.lines["reader"]
    assert not read_lines(patient, analysis), "nothing was moved yet"
    node = line(patient)
    first, second = ends(node)
    node.SetNthControlPointPosition(1, *(first + (second - first) * 1.5))
    assert read_lines(patient, analysis)
    update_lesions(analysis)
    write_lines(patient, analysis)
    lesion = next(found for found in analysis.lesions if found.visit == SECOND)
    assert lesion.by_reader == ("reader",)
    assert lesion.outline.lines["reader"].longest == pytest.approx(1.5 * before.longest)
    assert lesion.outline.lines["reader"].perpendicular == pytest.approx(before.perpendicular)
    assert lesion.outline.lines["product"].longest < 1.5 * before.longest
    assert marked(node, "by_reader") == "1"
    assert not read_lines(patient, analysis), "taken once"
    measured_again(patient, analysis, SECOND, "L1")
    update_lesions(analysis)
    write_lines(patient, analysis)
    lesion = next(found for found in analysis.lesions if found.visit == SECOND)
    assert lesion.by_reader == ()
    assert ends(line(patient)) == pytest.approx(before.longest_ends)


def test_an_edited_outline_moves_measured_lines_but_not_the_readers(patient, analysis):
    node = line(patient, "perpendicular")
    first, second = ends(node)
    node.SetNthControlPointPosition(0, *(second + (first - second) * 2))
    drawn = ends(node)
    read_lines(patient, analysis)
    for visit in (SECOND, "2023-06-05"):
        mask = analysis.regions[visit, "lesion"].array
        mask[: np.argwhere(mask)[:, 0].max() - 2] = False
    before = ends(line(patient, visit="2023-06-05"))
    update_lesions(analysis)
    write_lines(patient, analysis)
    assert np.allclose(ends(line(patient, "perpendicular")), drawn)
    assert not np.allclose(ends(line(patient, visit="2023-06-05")), before)


def test_a_saved_scene_keeps_moved_lines(app, patient, analysis, tmp_path):
    node = line(patient)
    node.SetNthControlPointPosition(0, 1.0, 2.0, 3.0)
    drawn = ends(node)
    save_mrb(app.scene, tmp_path / "scene.mrb")  # moved and saved before anybody took it
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    found = read_scene(other.scene).analysis
    assert found.reader_lines[SECOND, "L1", "reader"][0] == pytest.approx(drawn, abs=1e-4)
    assert ("step_lesions", "") not in found.finished
    update_lesions(found)
    assert [lesion.by_reader for lesion in found.lesions if lesion.visit == SECOND] == [("reader",)]


def test_one_rule_is_shown(patient, analysis):
    def shown():
        return {marked(node, "name") for node in linked(patient, Kind.LINE) if not marked(node, "hidden")}

    assert shown() == {"L1 reader longest", "L1 reader perpendicular"}
    show_rule(patient, "product")
    assert shown() == {"L1 product longest", "L1 product perpendicular"}
    show_rule(patient, "reader", shown=False)
    assert shown() == set()


def test_lines_of_a_lesion_that_is_gone_go_with_it(patient, analysis):
    analysis.regions[SECOND, "lesion"].array[:] = False
    update_lesions(analysis)
    write_lines(patient, analysis)
    assert line(patient) is None
    assert line(patient, visit="2023-06-05") is not None


def test_a_line_that_was_moved_and_not_taken_yet_is_never_put_back(patient, analysis):
    node = line(patient)
    node.SetNthControlPointPosition(0, 1.0, 2.0, 3.0)
    drawn = ends(node)
    assert lines_wait(patient, analysis)
    mask = analysis.regions[SECOND, "lesion"].array
    mask[: np.argwhere(mask)[:, 0].max() - 2] = False
    update_lesions(analysis)
    write_lines(patient, analysis)
    assert np.array_equal(ends(line(patient)), drawn)
    mask[:] = False
    update_lesions(analysis)
    write_lines(patient, analysis)
    assert np.array_equal(ends(line(patient)), drawn), "also where its lesion is gone"
    assert line(patient, "perpendicular") is not None, "a pair stays a pair"
    assert line(patient, rule="product") is None
    assert read_lines(patient, analysis) and not lines_wait(patient, analysis)
    assert analysis.reader_lines[SECOND, "L1", "reader"][0] == pytest.approx(drawn)


def test_lines_of_what_was_taken_back_are_hidden_before_it_is_measured_again(app, patient, analysis):
    """Until the next measurement; lines of the reader, of other visits and of what is still drawn stay."""
    timeline.show(app)
    mask = analysis.regions[SECOND, "lesion"]
    shown = [one for one in linked(patient, Kind.LINE) if one.GetDisplayNode().GetVisibility()]
    hide_left_behind(patient, analysis, SECOND)
    assert shown and all(one.GetDisplayNode().GetVisibility() for one in shown)
    analysis.regions[SECOND, "lesion"] = Image(np.zeros_like(mask.array), mask.affine)
    hide_left_behind(patient, analysis, SECOND)
    for one in shown:
        assert bool(one.GetDisplayNode().GetVisibility()) == (marked(one, "visit") != SECOND)
    analysis.regions[SECOND, "lesion"] = mask
    write_lines(patient, analysis)
    timeline.show_drawn(app)
    assert all(one.GetDisplayNode().GetVisibility() for one in shown)
    node = line(patient)
    node.SetNthControlPointPosition(0, 1.0, 2.0, 3.0)
    hide_left_behind(patient, analysis, SECOND)
    assert node.GetDisplayNode().GetVisibility()
