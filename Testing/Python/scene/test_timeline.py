"""The timeline against what was measured in Slicer: linking, propagation, clean-up, orientation and paging.

Each property is shown together with its opposite: the same action without our setting does the harm.
"""

import copy
from dataclasses import replace

import numpy as np
import pytest
import slicer

from PseudoProgressionAnalyzerLib.scene import nodes, timeline
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.focus import native_axes
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked, to_world
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.timeline import LAYOUT_ID, VIEW_GROUP, Row
from PseudoProgressionAnalyzerLib.scene.timeline_layout import announce_layout, enlarged_view
from PseudoProgressionAnalyzerLib.scene.timeline_look import (
    centre_on,
    go_along,
    heads,
    look_again,
    look_of,
    move_across,
)
from PseudoProgressionAnalyzerLib.scene.timeline_overlays import legend_units
from PseudoProgressionAnalyzerLib.scene.timeline_put_away import fill_empty_views
from PseudoProgressionAnalyzerLib.scene.timeline_rows import MADE, never_shown, page_of, pages, shown_rows
from PseudoProgressionAnalyzerLib.scene.timeline_steps import choose_view
from PseudoProgressionAnalyzerLib.scene.timeline_views import column_of, composite_of, exchanged, link

FOUR_UP = 3


@pytest.fixture
def layout(app):
    """A layout logic as the desktop has one, showing Slicer's own four views, each with a slice logic."""
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(app.scene)
    logic.GetLayoutNode().SetViewArrangement(FOUR_UP)
    for name in ("Red", "Green", "Yellow"):
        app.slice_logic(app.scene.GetNodeByID(f"vtkMRMLSliceNode{name}"))
    yield logic.GetLayoutNode()
    logic.SetMRMLScene(None)


@pytest.fixture
def patient(app, layout, analysis):
    return build_scene(app, analysis)


@pytest.fixture
def shown(app, patient):
    timeline.show(app)
    return patient


def view(app, column, row):
    return next(node for node in timeline.view_nodes(app) if node.GetLayoutName() == f"PPA_{column}_{row}")


def composite(app, column, row):
    return slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view(app, column, row))


def legends_of(app):
    number = app.scene.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode")
    return [app.scene.GetNthNodeByClass(each, "vtkMRMLColorLegendDisplayNode") for each in range(number)]


def offsets(app):
    return [round(app.slice_logic(node).GetSliceOffset(), 3) for node in timeline.view_nodes(app)]


def backgrounds(app):
    every = [slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node) for node in timeline.view_nodes(app)]
    return [node.GetBackgroundVolumeID() for node in every]


def scroll(app, node, offset, interacting=True):
    logic = app.slice_logic(node)
    if interacting:
        logic.StartSliceNodeInteraction(node.SliceToRASFlag)
    logic.SetSliceOffset(offset)
    if interacting:
        logic.EndSliceNodeInteraction()


def choose_background(app, node, volume):
    """What the view's volume selector does."""
    logic = app.slice_logic(node)
    chosen = logic.GetSliceCompositeNode()
    logic.StartSliceCompositeNodeInteraction(chosen.BackgroundVolumeFlag)
    chosen.SetBackgroundVolumeID(volume.GetID())
    logic.EndSliceCompositeNodeInteraction()


# what the columns and rows are


def test_rows_are_what_the_patient_has(patient):
    assert timeline.default_rows(patient) == [Row("T1CE"), Row("T1CE", "rCBV_ratio"), Row("T1CE", "Cho_NAA_molar")]


def test_a_map_that_was_not_made_gives_its_row_to_the_one_that_was(app, phantom, tmp_path):
    """Without reference tissue there is rCBV of a DSC series, and never a ratio."""
    analysis = phantom.make_analysis(tmp_path)
    for visit in phantom.visits:
        del analysis.maps[visit, "rCBV_ratio"]
    analysis.finished -= {("step_ratios", visit) for visit in phantom.visits}
    assert Row("T1CE", "rCBV_ratio") in timeline.default_rows(build_scene(app, analysis)), "it may come yet"
    analysis.finished |= {("step_ratios", visit) for visit in phantom.visits}
    rows = timeline.default_rows(build_scene(app, analysis))
    assert Row("T1CE", "rCBV") in rows and Row("T1CE", "rCBV_ratio") not in rows


def test_the_layout_makes_all_views_in_their_group(app, layout, shown, phantom):
    assert layout.GetViewArrangement() == LAYOUT_ID
    names = {node.GetLayoutName() for node in timeline.view_nodes(app)}
    assert names == {f"PPA_{column}_{row}" for column in range(3) for row in range(3)}
    assert {node.GetViewGroup() for node in timeline.view_nodes(app)} == {VIEW_GROUP}
    assert timeline.is_shown(app)
    for column, visit in enumerate(phantom.visits):
        assert composite(app, column, 0).GetBackgroundVolumeID() == find(shown, Kind.IMAGE, visit, "T1CE").GetID()
        assert composite(app, column, 1).GetForegroundVolumeID() == find(shown, Kind.MAP, visit, "rCBV_ratio").GetID()
    labels = [view(app, column, 0).GetLayoutLabel() for column in range(3)]
    assert labels == ["2023-01-10, day 29", "2023-03-01, day 79", "2023-06-05, day 175"]


def test_columns_follow_the_dates_and_not_the_order_of_nodes(app, phantom, tmp_path):
    analysis = phantom.make_analysis(tmp_path)
    analysis.images = dict(reversed(analysis.images.items()))
    patient = build_scene(app, analysis)
    timeline.show(app)
    shown = [composite(app, column, 0).GetBackgroundVolumeID() for column in range(3)]
    assert shown == [find(patient, Kind.IMAGE, visit, "T1CE").GetID() for visit in phantom.visits]


def test_a_view_without_its_map_is_empty_and_says_so(app, shown):
    assert composite(app, 1, 2).GetBackgroundVolumeID() is None
    assert composite(app, 1, 2).GetForegroundVolumeID() is None
    assert view(app, 1, 2).GetLayoutLabel() == "2023-03-01: no map"
    lesion = find(shown, Kind.LESION, "2023-03-01").GetDisplayNode()
    drawn = {lesion.GetNthViewNodeID(number) for number in range(lesion.GetNumberOfViewNodeIDs())}
    assert drawn == {view(app, 1, row).GetID() for row in (0, 1)}, "no outline on black"


def test_a_map_that_will_be_made_is_not_computed_yet(app, phantom, tmp_path):
    """One of a finished visit, or of another series, is missing for good."""
    analysis = phantom.make_analysis(tmp_path)
    first, second, third = phantom.visits
    for visit in analysis.patient.visits:
        role = "MRSI" if visit.id == third else "DSC"
        visit.series = [replace(visit.series[0], role=each) for each in ("T1CE", role)]
    analysis.maps = {}
    analysis.finished = {(MADE, second)}
    build_scene(app, analysis)
    timeline.show(app, rows=[Row("T1CE", "rCBV_ratio")])
    labels = [view(app, column, 0).GetLayoutLabel() for column in range(3)]
    assert labels == [f"{first}: not computed yet", f"{second}: no map", f"{third}: no map"]


def test_overlays_keep_the_anatomy_visible(app, shown):
    assert 0 < composite(app, 0, 1).GetForegroundOpacity() < 1
    assert composite(app, 0, 0).GetForegroundOpacity() == 0
    display = find(shown, Kind.MAP, "2023-01-10", "rCBV_ratio").GetDisplayNode()
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() > 1


# linking (rows 2 to 4 and 9 of the measured table)


def test_scrolling_moves_all_views_and_programs_move_one(app, shown):
    scroll(app, view(app, 0, 0), 3.0, interacting=False)
    assert len(set(offsets(app))) == 2
    scroll(app, view(app, 0, 0), 5.0)
    assert set(offsets(app)) == {5.0}


def test_a_patient_that_nobody_has_seen_is_known(app, layout, analysis, tmp_path):
    """A scene of the command line opens with the timeline, one that was saved with it off without."""
    assert not never_shown(app.scene)
    build_scene(app, analysis)
    assert never_shown(app.scene)
    timeline.show(app)
    timeline.hide(app)
    assert not never_shown(app.scene)
    save_mrb(app.scene, tmp_path / "off.mrb")
    open_scene(app, tmp_path / "off.mrb")
    assert nodes.patient_node(app.scene) is not None and not never_shown(app.scene)


def test_many_steps_at_once_end_where_one_by_one_would(app, shown):
    """A wheel moves a view by the thickness of its slice, and all others with it."""
    node = view(app, 1, 0)
    thick, begin = node.GetPrescribedSliceSpacing()[2], offsets(app)[0]
    assert thick > 1.0
    move_across(app.slice_logic(node), 5)
    assert np.allclose(offsets(app), begin + 5 * thick, atol=1e-3)
    move_across(app.slice_logic(node), -7)
    assert np.allclose(offsets(app), begin - 2 * thick, atol=1e-3)
    move_across(app.slice_logic(node), 0)
    assert np.allclose(offsets(app), begin - 2 * thick, atol=1e-3)


def test_no_steps_lead_out_of_the_image(app, shown):
    node = view(app, 1, 0)
    logic, ends = app.slice_logic(node), [0.0] * 6
    logic.GetSliceBounds(ends)
    thick = node.GetPrescribedSliceSpacing()[2]
    move_across(logic, 1000)
    assert ends[5] - thick < logic.GetSliceOffset() <= ends[5]
    move_across(logic, -1000)
    assert ends[4] <= logic.GetSliceOffset() < ends[4] + thick


def test_zoom_is_linked(app, shown):
    node = view(app, 1, 1)
    logic = app.slice_logic(node)
    logic.StartSliceNodeInteraction(node.FieldOfViewFlag)
    node.SetFieldOfView(60, 60, 1)
    logic.EndSliceNodeInteraction()
    assert {round(each.GetFieldOfView()[0], 3) for each in timeline.view_nodes(app)} == {60.0}


def test_all_columns_have_one_orientation(app, shown):
    matrices = [nodes.from_vtk(node.GetSliceToRAS()) for node in timeline.view_nodes(app)]
    assert all(np.array_equal(matrix, matrices[0]) for matrix in matrices)
    assert np.array_equal(matrices[0][:3, :3], np.diag([-1, 1, 1]))  # seen from the feet: right on the left


def test_a_tilted_view_drops_out_and_fit_brings_it_back(app, shown):
    tilted = view(app, 2, 0)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.02), -np.sin(0.02)], [np.sin(0.02), np.cos(0.02)]]
    tilted.GetSliceToRAS().DeepCopy((nodes.from_vtk(tilted.GetSliceToRAS()) @ turn).ravel().tolist())
    tilted.UpdateMatrices()
    scroll(app, view(app, 0, 0), 7.0)
    assert len(set(offsets(app))) == 2
    timeline.fit(app)
    scroll(app, view(app, 0, 0), 9.0)
    assert set(offsets(app)) == {9.0}


def test_jumping_moves_our_group_only(app, shown):
    red = app.scene.GetNodeByID("vtkMRMLSliceNodeRed")
    before = app.slice_logic(red).GetSliceOffset()
    slicer.vtkMRMLSliceNode.JumpAllSlices(
        app.scene, 1.0, 2.0, 11.0, slicer.vtkMRMLSliceNode.OffsetJumpSlice, VIEW_GROUP
    )
    assert set(offsets(app)) == {11.0}
    assert app.slice_logic(red).GetSliceOffset() == before


# volumes stay where they are (rows 5 to 8)


def test_choosing_a_volume_changes_one_view(app, shown):
    before = backgrounds(app)
    other = find(shown, Kind.IMAGE, "2023-06-05", "T1CE")
    chosen = view(app, 0, 0)
    choose_background(app, chosen, other)
    after = backgrounds(app)
    changed = [index for index, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert [timeline.view_nodes(app)[index] for index in changed] == [chosen]


def test_without_the_modifier_the_same_choice_destroys_the_timeline(app, shown):
    other = find(shown, Kind.IMAGE, "2023-06-05", "T1CE")
    for node in timeline.view_nodes(app):
        slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node).ResetInteractionFlagsModifier()
    choose_background(app, view(app, 0, 0), other)
    assert set(backgrounds(app)) == {other.GetID()}


def opacities(app):
    return [composite(app, 0, row).GetForegroundOpacity() for row in range(3)]


def follow_opacity(app, column, row, opacity):
    """What the bar of a view does when it hears of an opacity, whoever set it: it sends it on as the user's."""
    logic = app.slice_logic(view(app, column, row))
    chosen = logic.GetSliceCompositeNode()
    logic.StartSliceCompositeNodeInteraction(chosen.ForegroundOpacityFlag)
    chosen.SetForegroundOpacity(opacity)
    logic.EndSliceCompositeNodeInteraction()


def test_the_opacity_of_one_row_never_reaches_another(app, shown):
    before = opacities(app)
    follow_opacity(app, 2, 1, 0.3)
    assert opacities(app) == before
    assert composite(app, 2, 1).GetForegroundOpacity() == 0.3
    for node in timeline.view_nodes(app):
        slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node).ResetInteractionFlagsModifier()
    follow_opacity(app, 2, 1, 0.4)
    assert opacities(app) == [0.4, 0.4, 0.4]  # without our setting the bars mix all rows


def test_while_a_layout_makes_views_none_moves_another(app, shown):
    """As a new view's bar does, which pulls its slice to 0 in the name of the user."""
    scroll(app, view(app, 0, 0), 5.0)
    link(app, False)
    scroll(app, view(app, 2, 2), 0.0)
    assert sorted(offsets(app)) == [0.0] + [5.0] * 8
    link(app, True)
    scroll(app, view(app, 0, 0), 7.0)
    assert set(offsets(app)) == {7.0}


def test_a_volume_that_another_module_selects_changes_no_view(app, shown):
    before = backgrounds(app)
    app.logic.GetSelectionNode().SetActiveVolumeID(find(shown, Kind.IMAGE, "2023-03-01", "T1CE").GetID())
    app.logic.PropagateVolumeSelection()
    assert backgrounds(app) == before
    for node in timeline.view_nodes(app):
        slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node).SetDoPropagateVolumeSelection(True)
    app.logic.PropagateVolumeSelection()
    assert len(set(backgrounds(app))) == 1  # without our setting the same call overwrites every view


# regions and legends


def test_regions_are_drawn_in_their_own_column_only(app, shown, phantom):
    for column, visit in enumerate(phantom.visits):
        own = {view(app, column, row).GetID() for row in range(3) if (column, row) != (1, 2)}  # without its map
        for kind in (Kind.LESION, Kind.REFERENCE):
            display = find(shown, kind, visit).GetDisplayNode()
            assert set(display.GetViewNodeIDs()) == own
            assert display.GetVisibility()
            assert display.IsDisplayableInView(view(app, column, 0).GetID())
            assert not display.IsDisplayableInView(view(app, (column + 1) % 3, 0).GetID())


def test_one_legend_per_row_in_the_last_column_that_has_the_map(app, shown):
    legends = [app.scene.GetNthNodeByClass(n, "vtkMRMLColorLegendDisplayNode") for n in range(2)]
    assert app.scene.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode") == 2
    where = [list(legend.GetViewNodeIDs()) for legend in legends]
    assert sorted(where) == [[view(app, 2, 1).GetID()], [view(app, 2, 2).GetID()]]
    assert {legend.GetTitleText() for legend in legends} == {""}
    units = {view(app, 2, 1).GetID(): "ratio to reference tissue", view(app, 2, 2).GetID(): "ratio"}
    assert legend_units(shown) == units
    timeline.show(app, columns=2, first=0)
    timeline.show(app, columns=2, first=1)
    assert app.scene.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode") == 2


# paging


def test_pages_when_more_visits_than_columns(app, shown, phantom):
    timeline.show(app, columns=2, first=0)
    assert {node.GetLayoutName() for node in timeline.view_nodes(app)} == {
        f"PPA_{column}_{row}" for column in range(2) for row in range(3)
    }
    kept = view(app, 0, 0)
    scroll(app, kept, 21.0)
    timeline.turn_page(app, 1)
    assert view(app, 0, 0) is kept  # the same views, other visits
    assert set(offsets(app)) == {21.0}
    pages = [find(shown, Kind.IMAGE, visit, "T1CE").GetID() for visit in phantom.visits]
    assert [composite(app, column, 0).GetBackgroundVolumeID() for column in range(2)] == pages[1:]
    assert not find(shown, Kind.LESION, phantom.visits[0]).GetDisplayNode().GetVisibility()
    timeline.turn_page(app, 5)  # not beyond the last
    assert [composite(app, column, 0).GetBackgroundVolumeID() for column in range(2)] == pages[1:]
    timeline.turn_page(app, -5)
    assert [composite(app, column, 0).GetBackgroundVolumeID() for column in range(2)] == pages[:2]


def test_rows_can_be_chosen_and_are_remembered(app, shown):
    timeline.show(app, rows=[Row("T1CE", "rCBV_ratio")])
    assert len(timeline.view_nodes(app)) == 3
    timeline.hide(app)
    timeline.show(app)
    assert len(timeline.view_nodes(app)) == 3


# clean-up


def test_showing_and_hiding_leaves_nothing(app, layout, patient, phantom):
    before = phantom.node_ids(app.scene)
    logics = app.logic.GetSliceLogics().GetNumberOfItems()
    timeline.show(app)
    assert phantom.node_ids(app.scene) > before
    timeline.hide(app)
    assert phantom.node_ids(app.scene) == before
    assert app.logic.GetSliceLogics().GetNumberOfItems() == logics
    assert layout.GetViewArrangement() == FOUR_UP
    for kind in (Kind.LESION, Kind.REFERENCE):
        for node in linked(patient, kind):
            assert node.GetDisplayNode().GetNumberOfViewNodeIDs() == 0  # made visible, it is so in any view
            assert not node.GetDisplayNode().GetVisibility()  # else all visits' regions lie over each other
    timeline.hide(app)  # again does no harm
    assert phantom.node_ids(app.scene) == before


def test_the_earlier_layout_comes_back_before_views_go(app, layout, shown):
    seen = []

    def removed(caller, event):
        seen.append(layout.GetViewArrangement())

    tag = app.scene.AddObserver(slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, removed)
    timeline.hide(app)
    app.scene.RemoveObserver(tag)
    assert len(seen) > 9
    assert set(seen) == {FOUR_UP}


def test_no_view_stays_alone_when_the_timeline_goes(app, layout, shown):
    assert enlarged_view(app) is None
    layout.AddMaximizedViewNode(view(app, 1, 0))
    assert enlarged_view(app) is view(app, 1, 0)
    timeline.hide(app)
    assert layout.GetNumberOfMaximizedViewNodes() == 0
    timeline.show(app)  # views of the same names
    assert enlarged_view(app) is None
    layout.AddMaximizedViewNode(app.scene.GetNodeByID("vtkMRMLSliceNodeRed"))
    assert enlarged_view(app) is None, "a view of others"


def test_a_page_that_is_turned_leaves_the_legend_of_a_view_alone_small(app, layout, shown):
    """A view that fills the window has letters that are as many times larger as it is."""
    timeline.show(app, first=0, columns=2)
    layout.AddMaximizedViewNode(view(app, 1, 1))
    timeline.show_legends_of(app, enlarged_view(app))
    before = [legend.GetSize()[1] for legend in legends_of(app)]
    assert len(before) == 1
    timeline.turn_page(app, 1)
    assert [legend.GetSize()[1] for legend in legends_of(app)] == before
    layout.RemoveMaximizedViewNode(view(app, 1, 1))
    timeline.turn_page(app, -1)
    assert [legend.GetSize()[1] for legend in legends_of(app)] == pytest.approx([3 * before[0]] * 2)


def test_how_many_visits_stand_beside_a_page(app, shown):
    assert pages(shown) == (0, 0)
    timeline.show(app, first=0, columns=1)
    assert pages(shown) == (0, 2)
    timeline.turn_page(app, 1)
    assert pages(shown) == (1, 1)
    timeline.turn_page(app, 5)
    assert pages(shown) == (2, 0)


@pytest.mark.parametrize("native", [False, True])
def test_back_from_one_view_all_look_where_the_user_went_in_it(app, layout, shown, phantom, native):
    """Only the view that was alone is moved here: other views that no link moves follow it, in native position those of
    its column."""
    timeline.show(app, native=native)
    before = look_of(app)
    alone = view(app, 1, 1)
    layout.AddMaximizedViewNode(alone)
    logic = app.slice_logic(alone)
    logic.SetSliceOffset(logic.GetSliceOffset() + 12)
    alone.SetDimensions(900, 700, 1)
    alone.SetFieldOfView(90.0, 70.0, 1.0)
    went = nodes.from_vtk(alone.GetSliceToRAS())
    look = look_of(app)
    layout.RemoveMaximizedViewNode(alone)
    alone.SetDimensions(*view(app, 0, 0).GetDimensions())
    look_again(app, look)
    for node in timeline.view_nodes(app):
        follows = not native or column_of(node) == 1
        matrix, side = nodes.from_vtk(node.GetSliceToRAS()), min(node.GetFieldOfView()[:2])
        assert np.allclose(matrix, went if follows else before[column_of(node)].matrix, atol=1e-6)
        assert side == pytest.approx(70.0 if follows else before[column_of(node)].side)
        if native:
            axes = native_axes(find(shown, Kind.IMAGE, phantom.visits[column_of(node)], "T1CE"))
            assert np.allclose(matrix[:3, :3], axes, atol=1e-6)


@pytest.mark.parametrize("native", [False, True])
def test_the_timeline_comes_back_where_it_was_put_away(app, shown, native):
    timeline.show(app, native=native)
    for node in timeline.view_nodes(app):
        logic = app.slice_logic(node)
        logic.SetSliceOffset(logic.GetSliceOffset() + 6)
        node.SetFieldOfView(*(size / 3 for size in node.GetFieldOfView()))
    left = {
        n.GetLayoutName(): (nodes.from_vtk(n.GetSliceToRAS()), n.GetFieldOfView()) for n in timeline.view_nodes(app)
    }
    timeline.hide(app)
    timeline.show(app)
    timeline.look_as_left(app, {})
    for node in timeline.view_nodes(app):
        matrix, field = left[node.GetLayoutName()]
        assert np.allclose(nodes.from_vtk(node.GetSliceToRAS()), matrix, atol=1e-6)
        assert np.allclose(node.GetFieldOfView()[:2], field[:2])


def test_a_number_of_a_saved_layout_is_known_before_the_timeline_is_shown(app, layout, patient):
    announce_layout(layout)
    four = layout.GetLayoutDescription(FOUR_UP)
    layout.SetViewArrangement(timeline.LAYOUT_ID)  # as a scene that is opened does
    assert layout.GetLayoutDescription(timeline.LAYOUT_ID) == four
    assert not timeline.is_shown(app)
    timeline.show(app)
    assert timeline.is_shown(app)
    assert "PPA_2_0" in layout.GetLayoutDescription(timeline.LAYOUT_ID)
    timeline.hide(app)
    assert layout.GetViewArrangement() == FOUR_UP
    assert layout.GetLayoutDescription(timeline.LAYOUT_ID) == four, "of a scene that is opened later"


def test_a_place_in_the_frame_of_another_reference_visit_is_not_kept(app, shown):
    import json

    from PseudoProgressionAnalyzerLib.scene.nodes import patient_node
    from PseudoProgressionAnalyzerLib.scene.timeline_look import kept_look

    timeline.hide(app)
    node = patient_node(app.scene)
    assert kept_look(node)
    content = json.loads(node.GetText())
    assert content["reference_visit"]
    node.SetText(json.dumps(content | {"reference_visit": "another"}))
    assert kept_look(node) == {}


def place_in_heads(app, patient, phantom):
    """The middle of the view of each column in the RAS of its visit."""
    found = []
    for column, visit in enumerate(phantom.visits):
        to_head = np.linalg.inv(to_world(find(patient, Kind.IMAGE, visit, "T1CE")))
        found.append(to_head @ [*look_of(app)[column].middle, 1])
    return np.array(found)


@pytest.mark.parametrize("native", [False, True])
def test_another_reference_visit_leaves_the_place_of_the_head(app, shown, analysis, phantom, native):
    timeline.show(app, native=native)
    centre_on(timeline.view_nodes(app), np.array([-20.0, 12.0, 7.0]))
    before, stood, lay = place_in_heads(app, shown, phantom), look_of(app), heads(shown)
    aligned = copy.deepcopy(analysis)
    aligned.reference_visit = phantom.visits[1]
    back = np.linalg.inv(analysis.visit_to_reference[phantom.visits[1]])
    aligned.visit_to_reference = {visit: back @ matrix for visit, matrix in analysis.visit_to_reference.items()}
    build_scene(app, aligned)
    assert np.abs(place_in_heads(app, shown, phantom) - before).max() > 1, "without following it is another place"
    look_again(app, go_along(shown, look_of(app), lay))
    np.testing.assert_allclose(place_in_heads(app, shown, phantom), before, atol=1e-6)
    for column, look in look_of(app).items():
        turned = (back if native else np.eye(4)) @ stood[column].matrix
        np.testing.assert_allclose(look.matrix[:3, :3], turned[:3, :3], atol=1e-6)
        assert look.side == pytest.approx(stood[column].side)


def test_views_stay_exactly_where_no_head_moved(app, shown, analysis):
    lay, looked = heads(shown), look_of(app)
    build_scene(app, analysis)
    assert all(found is looked[column] for column, found in go_along(shown, looked, lay).items())


def test_views_that_show_nothing_show_the_chosen_visit_once_the_timeline_is_put_away(app, layout, shown, phantom):
    red = app.scene.GetNodeByID("vtkMRMLSliceNodeRed")
    choose_view(app, view(app, 2, 1))
    middle = look_of(app)[0].middle
    timeline.hide(app)
    fill_empty_views(app)
    wanted = find(shown, Kind.IMAGE, phantom.visits[2], "T1CE")
    assert composite_of(app, red).GetBackgroundVolumeID() == wanted.GetID()
    assert nodes.from_vtk(red.GetSliceToRAS())[2, 3] == pytest.approx(middle[2], abs=1.0)
    for visit in phantom.visits:
        display = find(shown, Kind.LESION, visit).GetDisplayNode()
        assert (
            (red.GetID() in display.GetViewNodeIDs()) == bool(display.GetVisibility()) == (visit == phantom.visits[2])
        )
    other = find(shown, Kind.IMAGE, phantom.visits[0], "T1CE")
    composite_of(app, red).SetBackgroundVolumeID(other.GetID())
    fill_empty_views(app)
    assert composite_of(app, red).GetBackgroundVolumeID() == other.GetID(), "what the user chose stays"


def test_columns_that_are_new_look_where_the_others_do(app, shown):
    timeline.show(app, columns=1)
    look = look_of(app)
    timeline.show(app, columns=3)
    for node in timeline.view_nodes(app):
        app.slice_logic(node).SetSliceOffset(0.0)  # what the bars of new views do
    look_again(app, look)
    for node in timeline.view_nodes(app):
        assert np.allclose(nodes.from_vtk(node.GetSliceToRAS()), look[0].matrix)


def test_a_layout_that_the_user_chose_meanwhile_stays(app, layout, shown):
    layout.SetViewArrangement(layout.SlicerLayoutOneUpRedSliceView)
    assert not timeline.is_shown(app)
    timeline.hide(app)
    assert layout.GetViewArrangement() == layout.SlicerLayoutOneUpRedSliceView
    assert timeline.view_nodes(app) == []


def test_closing_the_scene_leaves_no_view(app, layout, shown):
    """As the desktop does it: hide when the scene starts to close."""
    tag = app.scene.AddObserver(slicer.vtkMRMLScene.StartCloseEvent, lambda caller, event: timeline.hide(app))
    app.scene.Clear(False)
    app.scene.RemoveObserver(tag)
    assert timeline.view_nodes(app) == []
    names = [app.scene.GetNthNode(n).GetID() for n in range(app.scene.GetNumberOfNodes())]
    assert not [name for name in names if "PPA_" in name]
    assert layout.GetViewArrangement() == FOUR_UP


def test_without_hiding_a_closed_scene_keeps_our_views(app, layout, shown):
    """Why the desktop must hide: singleton views survive closing."""
    app.scene.Clear(False)
    assert timeline.view_nodes(app) != []
    timeline.hide(app)
    assert timeline.view_nodes(app) == []


def test_saved_with_the_timeline_on_it_comes_back_once(app, shown, tmp_path, phantom):
    scroll(app, view(app, 0, 0), 4.0)
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(other.scene)
    logic.GetLayoutNode().SetViewArrangement(FOUR_UP)
    open_scene(other, tmp_path / "scene.mrb")
    layout = logic.GetLayoutNode()
    assert layout.GetViewArrangement() == LAYOUT_ID
    assert not timeline.is_shown(other)  # the number alone draws nothing in a session that never saw the layout
    arrangements = []
    layout.AddObserver("ModifiedEvent", lambda caller, event: arrangements.append(layout.GetViewArrangement()))
    timeline.show(other)
    assert timeline.is_shown(other)
    assert "PPA_0_0" in layout.GetCurrentLayoutDescription()
    assert arrangements[-1] == LAYOUT_ID
    assert set(arrangements) != {LAYOUT_ID}  # a layout manager draws what changes
    assert len(timeline.view_nodes(other)) == 9
    assert set(offsets(other)) == {4.0}
    choose_background(other, view(other, 0, 0), find(nodes.patient_node(other.scene), Kind.IMAGE, "2023-06-05", "T1CE"))
    assert len(set(backgrounds(other)) - {None}) == 3
    timeline.hide(other)
    assert logic.GetLayoutNode().GetViewArrangement() == FOUR_UP
    assert not [node_id for node_id in phantom.node_ids(other.scene) if "PPA_" in node_id]


def test_without_a_layout_or_a_patient(app, analysis, phantom):
    before = phantom.node_ids(app.scene)
    timeline.show(app)
    timeline.turn_page(app, 1)
    timeline.fit(app)
    timeline.hide(app)
    assert phantom.node_ids(app.scene) == before
    build_scene(app, analysis)
    timeline.show(app)
    assert timeline.is_shown(app)
    assert len(timeline.view_nodes(app)) == 9
    assert all(marked(node, "placed") for node in timeline.view_nodes(app))


def test_deleted_images_and_maps_do_no_harm(app, shown):
    app.scene.RemoveNode(find(shown, Kind.IMAGE, "2023-01-10", "T1CE"))
    app.scene.RemoveNode(find(shown, Kind.MAP, "2023-03-01", "rCBV_ratio"))
    timeline.show(app)
    assert "2023-01-10" not in {view(app, column, 0).GetLayoutLabel()[:10] for column in range(2)}
    app.scene.RemoveNode(shown)
    timeline.hide(app)
    assert timeline.view_nodes(app) == []


def test_views_are_linked_again_after_an_error(app, shown):
    def pause():
        assert composite(app, 0, 0).GetLinkedControl() == 0
        raise LookupError

    with pytest.raises(LookupError):
        timeline.show(app, pause=pause)
    assert composite(app, 0, 0).GetLinkedControl() == composite(app, 2, 1).GetLinkedControl() == 1


@pytest.mark.parametrize("native", [False, True])
def test_a_saved_scene_comes_back_where_its_timeline_looked(app, shown, native, tmp_path):
    timeline.show(app, native=native)
    for node in timeline.view_nodes(app):
        logic = app.slice_logic(node)
        logic.SetSliceOffset(logic.GetSliceOffset() + 6)
        node.SetFieldOfView(*(size / 3 for size in node.GetFieldOfView()))
    saved = {node.GetLayoutName(): nodes.from_vtk(node.GetSliceToRAS()) for node in timeline.view_nodes(app)}
    timeline.keep_place(app)
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    for node in timeline.view_nodes(other):
        other.slice_logic(node).SetSliceOffset(1.0)  # what Slicer does meanwhile
    timeline.show(other)
    timeline.look_as_left(other, {})
    assert len(timeline.view_nodes(other)) == len(saved)
    for node in timeline.view_nodes(other):
        assert np.allclose(nodes.from_vtk(node.GetSliceToRAS()), saved[node.GetLayoutName()], atol=1e-4)


def test_views_that_are_made_later_know_the_orientations_of_the_scene(app, shown):
    """Else a row that is added shows its slices as those of no orientation, and a scene that is saved with it complains
    when it is opened."""
    timeline.choose_rows(app, [*timeline.shown_rows(shown), Row("T1CE", "rCBV"), Row("T1CE", "K2")])
    assert {node.GetOrientation() for node in timeline.view_nodes(app)} == {"Axial"}
    bare = slicer.vtkMRMLSliceNode()  # as one is that the scene did not make
    bare.GetSliceToRAS().DeepCopy(timeline.view_nodes(app)[0].GetSliceToRAS())
    assert bare.GetOrientation() == "Reformat"


def test_images_that_another_module_exchanged_come_back(app, shown):
    """Slicer's Segment Editor shows the volume that it draws on; a view in which an alignment is checked stays."""
    before = backgrounds(app)
    other = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "other")
    for column, row in ((0, 0), (1, 0)):
        composite(app, column, row).SetBackgroundVolumeID(other.GetID())
        composite(app, column, row).SetLabelVolumeID(other.GetID())
    nodes.mark(view(app, 1, 0), check="visit")
    timeline.show_own_images(app)
    assert composite(app, 0, 0).GetLabelVolumeID() is None
    assert composite(app, 1, 0).GetBackgroundVolumeID() == other.GetID()
    view(app, 1, 0).RemoveAttribute(nodes.PREFIX + "check")
    timeline.show_own_images(app)
    assert backgrounds(app) == before
    timeline.hide(app)
    timeline.show_own_images(app)  # nothing is shown that could come back
    assert not timeline.view_nodes(app)


def test_a_view_that_another_module_gave_its_own_volume_says_which(app, shown):
    """Slicer's Segment Editor shows the volume that it draws on in a view that was another image's."""

    def said():
        rows, page = shown_rows(shown), page_of(shown)
        return {node.GetLayoutName(): exchanged(shown, page, rows, node) for node in timeline.view_nodes(app)}

    rows = shown_rows(shown)
    plain, over = rows.index(Row("T1CE")), next(number for number, row in enumerate(rows) if row.overlay)
    assert not any(said().values())
    other = find(shown, Kind.IMAGE, page_of(shown)[0].id, "T1CE")
    for row in (plain, over):
        composite(app, 1, row).SetBackgroundVolumeID(other.GetID())
    laid = app.scene.GetNodeByID(composite(app, 1, over).GetForegroundVolumeID())
    found = said()
    assert found.pop(f"PPA_1_{plain}") == other.GetName()
    assert found.pop(f"PPA_1_{over}") == f"{laid.GetName()} over {other.GetName()}"
    assert not any(found.values())
    composite(app, 1, over).SetForegroundOpacity(0)
    assert said()[f"PPA_1_{over}"] == other.GetName()
    composite(app, 1, plain).SetBackgroundVolumeID(None)
    assert said()[f"PPA_1_{plain}"] == "no image"
    timeline.show_own_images(app)
    assert not any(said().values())
