"""Going through the timeline: visits, rows, lesions, overlays, and native position."""

import numpy as np
import pytest
import slicer

from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene import nodes, timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.display import Scale
from PseudoProgressionAnalyzerLib.scene.focus import native_axes, region_focus
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, to_world
from PseudoProgressionAnalyzerLib.scene.segments import segment_of
from PseudoProgressionAnalyzerLib.scene.timeline_chosen import chosen_visit
from PseudoProgressionAnalyzerLib.scene.timeline_layout import ACTIVE_COLOUR
from PseudoProgressionAnalyzerLib.scene.timeline_look import letters, look_again, look_of
from PseudoProgressionAnalyzerLib.scene.timeline_overlays import (
    fit_legends,
    legend_units,
    range_of,
    set_opacity,
    set_range,
    toggle_overlays,
    unit_words,
)
from PseudoProgressionAnalyzerLib.scene.timeline_rows import (
    Row,
    available_rows,
    default_rows,
    keep_state,
    listed_rows,
    rows_after_work,
    shown_rows,
)
from PseudoProgressionAnalyzerLib.scene.timeline_steps import (
    active_view,
    choose_view,
    go_to_visit,
    lesions,
    next_lesion,
    next_row,
    next_visit,
)  # fmt: skip
from PseudoProgressionAnalyzerLib.scene.timeline_views import composite_of, title_of, view_at


@pytest.fixture
def patient(app, analysis):
    return build_scene(app, analysis)


@pytest.fixture
def shown(app, patient):
    timeline.show(app)
    return patient


def opacity(app, column, row):
    return composite_of(app, view_at(app, column, row)).GetForegroundOpacity()


def middles(app):
    """RAS mm of the middle of each view's slice."""
    return [nodes.from_vtk(node.GetSliceToRAS())[:3, 3] for node in timeline.view_nodes(app)]


# steps


def test_keys_go_through_visits_and_rows(app, shown):
    assert active_view(app).GetLayoutName() == "PPA_0_0"
    assert next_visit(app).GetLayoutName() == "PPA_1_0"
    assert next_row(app).GetLayoutName() == "PPA_1_1"
    assert next_row(app, -2).GetLayoutName() == "PPA_1_2"
    assert next_visit(app, 7).GetLayoutName() == "PPA_2_2"
    assert active_view(app).GetLayoutColor() == pytest.approx(ACTIVE_COLOUR)
    bright = [v for v in timeline.view_nodes(app) if np.allclose(v.GetLayoutColor(), ACTIVE_COLOUR)]
    assert len(bright) == 1
    assert next_visit(app, -9).GetLayoutName() == "PPA_0_2"


def test_the_page_turns_only_where_it_must(app, shown, phantom):
    timeline.show(app, columns=2, first=0)
    wanted = [find(shown, Kind.IMAGE, visit, "T1CE").GetID() for visit in phantom.visits]

    def image():
        return composite_of(app, active_view(app)).GetBackgroundVolumeID()

    assert image() == wanted[0]
    for step in (1, 2):
        next_visit(app)
        assert image() == wanted[step]
    next_visit(app)
    assert image() == wanted[2]
    next_visit(app, -1)
    assert image() == wanted[1]
    go_to_visit(app, phantom.visits[0])
    assert image() == wanted[0]
    assert go_to_visit(app, "never") is None


def test_nothing_happens_without_a_timeline(app, patient):
    assert next_visit(app) is None
    assert next_row(app) is None
    assert next_lesion(app) is None
    assert active_view(app) is None


# lesions


def test_the_next_lesion_is_in_the_middle_of_what_is_drawn(app, shown, phantom):
    listed = lesions(app)
    assert [visit for visit, name in listed if name == "lesion"] == list(phantom.visits)
    for visit, name in [*listed, listed[0]]:
        assert next_lesion(app) == (visit, name)
        heights = {round(float(middle[2]), 2) for middle in middles(app)}
        assert len(heights) == 1
        assert heights.pop() == pytest.approx(phantom.lesion_centre[2], abs=2.0)
        if name == "lesion":
            assert all(np.linalg.norm(middle - phantom.lesion_centre) < 4 for middle in middles(app))
    assert next_lesion(app, -1) == listed[-1]


def test_a_ring_is_entered_and_not_its_hole(app, analysis, phantom, tmp_path):
    made = phantom.make_analysis(tmp_path)
    visit = phantom.visits[0]
    mask = made.regions[visit, "lesion"]
    held = np.argwhere(mask.array)
    inner = np.linalg.norm((held - held.mean(axis=0)) * mask.spacing[::-1], axis=1) < 5
    mask.array[tuple(held[inner].T)] = False
    node = find(build_scene(app, made), Kind.LESION, visit)
    point = region_focus(node, segment_of(node, "lesion"))
    index = np.linalg.inv(to_world(node) @ mask.affine) @ [*point, 1]
    assert mask.array[tuple(np.rint(index[2::-1]).astype(int))]
    assert np.allclose(index[:3], np.rint(index[:3]), atol=1e-6)


# overlays


def test_opacity_is_common_to_a_row_and_leaves_others(app, shown):
    before = opacity(app, 0, 2)
    set_opacity(app, 0.25, "rCBV_ratio")
    assert {opacity(app, column, 1) for column in range(3)} == {0.25}
    assert opacity(app, 0, 2) == before
    timeline.show(app)  # drawn anew, and after a page was turned
    assert opacity(app, 1, 1) == 0.25
    set_opacity(app, 0.8)
    assert {opacity(app, 0, row) for row in (1, 2)} == {0.8}


def test_overlays_off_and_on(app, shown):
    set_opacity(app, 0.4, "rCBV_ratio")
    assert toggle_overlays(app) is False
    assert {opacity(app, column, row) for column in range(3) for row in (1, 2)} == {0.0}
    timeline.show(app)
    assert opacity(app, 0, 1) == 0.0
    assert toggle_overlays(app) is True
    assert opacity(app, 0, 1) == 0.4


def test_a_range_holds_in_every_visit_and_when_maps_are_made_again(app, shown, analysis, phantom):
    set_range(app, "rCBV_ratio", 0.5, 7.5)
    assert range_of(app, "rCBV_ratio") == Scale(0.5, 7.5)

    def ranges():
        displays = [find(shown, Kind.MAP, visit, "rCBV_ratio").GetDisplayNode() for visit in phantom.visits]
        return {(d.GetWindowLevelMin(), d.GetWindowLevelMax(), d.GetLowerThreshold()) for d in displays}

    assert ranges() == {(0.5, 7.5, 0.5)}
    build_scene(app, analysis)
    assert ranges() == {(0.5, 7.5, 0.5)}
    set_range(app, "rCBV_ratio", 3.0, 3.0)  # no range at all
    assert ranges() == {(0.5, 7.5, 0.5)}
    assert range_of(app, "never") is None


def legends(app):
    number = app.scene.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode")
    return [app.scene.GetNthNodeByClass(n, "vtkMRMLColorLegendDisplayNode") for n in range(number)]


def test_a_view_that_is_shown_alone_has_its_legend_and_no_larger_letters(app, shown):
    """A legend takes as many pixels of a view that is three times as high; of any column, not of the last one only."""
    before = {legend.GetNthViewNodeID(0): legend.GetSize()[1] for legend in legends(app)}
    assert set(before) == {view_at(app, 2, row).GetID() for row in (1, 2)}
    alone = view_at(app, 0, 1)
    timeline.show_legends_of(app, alone)
    (legend,) = legends(app)
    assert legend.GetNthViewNodeID(0) == alone.GetID()
    assert legend.GetSize()[1] * 3 == pytest.approx(max(before.values()))
    timeline.show_legends_of(app, view_at(app, 0, 0))
    assert not legends(app), "no map is in it"
    timeline.show_legends_of(app, None)
    assert {legend.GetNthViewNodeID(0): legend.GetSize()[1] for legend in legends(app)} == before


def test_overlays_off_means_picture_title_and_colour_bar(app, shown):
    rows = shown_rows(shown)
    assert [legend.GetVisibility() for legend in legends(app)] == [1, 1]
    assert [title_of(shown, row) for row in rows] == [row.title for row in rows]
    toggle_overlays(app)
    assert [legend.GetVisibility() for legend in legends(app)] == [0, 0]
    assert not legend_units(shown)
    assert [title_of(shown, row) for row in rows] == ["T1CE"] * 3
    timeline.show(app)  # drawn anew
    assert [legend.GetVisibility() for legend in legends(app)] == [0, 0]
    toggle_overlays(app)
    assert [legend.GetVisibility() for legend in legends(app)] == [1, 1]
    set_opacity(app, 0.0, "rCBV_ratio")
    assert [title_of(shown, row) for row in rows] == ["T1CE", "T1CE", "Cho/NAA (molar) over T1CE"]
    assert sorted(legend.GetVisibility() for legend in legends(app)) == [0, 1]


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        ("rCBV_ratio", "1", "ratio to reference tissue"),
        ("rCBV_ratio_change", "1", "ratio to reference tissue"),
        ("rPSR", "%", "% of reference tissue"),
        ("CBF", "mL/100 g/min", "mL/100 g/min"),
        ("ADC", "10^-6 mm^2/s", "10^-6 mm^2/s"),
        ("Cho_NAA_molar", "1", "ratio"),
        ("rCBV_response", "1", ""),
        ("T1_subtraction", "%", "%"),
    ],
)
def test_colour_bars_say_the_unit(name, unit, words):
    assert unit_words(name, unit) == words


def test_a_view_is_chosen_and_stays_so(app, shown):
    wanted = view_at(app, 1, 2)
    choose_view(app, wanted)
    assert active_view(app) is wanted
    timeline.show(app)
    assert amber(app) == [wanted]
    assert next_visit(app).GetLayoutName() == "PPA_2_2", "keys go on from there"


def amber(app):
    """The views whose bar is amber."""
    return [node for node in timeline.view_nodes(app) if np.allclose(node.GetLayoutColor(), ACTIVE_COLOUR)]


def test_rows_that_come_and_go_leave_the_chosen_visit(app, shown, phantom):
    """Neither the chosen row, nor one above it, takes the visit with it."""
    rows = shown_rows(shown)
    choose_view(app, view_at(app, 2, 1))
    for ticked, expected in ((rows[1:], 0), (rows, 1), (rows[:1], 0), (rows[::2], 0), (rows, 1)):
        timeline.choose_rows(app, ticked)
        assert chosen_visit(shown) == phantom.visits[2]
        assert amber(app) == [view_at(app, 2, expected)]


def test_the_page_and_the_chosen_visit_go_together(app, shown, phantom):
    """A page that is turned takes the chosen visit no further than it must; a visit that is chosen while the timeline
    is off is on the page that comes back."""
    timeline.show(app, columns=2, first=0)
    choose_view(app, view_at(app, 1, 0))
    timeline.turn_page(app, 1)
    assert chosen_visit(shown) == phantom.visits[1], "it is still there"
    assert amber(app) == [view_at(app, 0, 0)]
    go_to_visit(app, phantom.visits[2])
    timeline.turn_page(app, -1)
    assert chosen_visit(shown) == phantom.visits[1], "the nearest one that is there"
    assert amber(app) == [view_at(app, 1, 0)]
    timeline.hide(app)
    assert go_to_visit(app, phantom.visits[2]) is None
    assert chosen_visit(shown) == phantom.visits[2]
    timeline.show(app, columns=2)
    assert amber(app) == [view_at(app, 1, 0)]
    image = composite_of(app, view_at(app, 1, 0)).GetBackgroundVolumeID()
    assert image == find(shown, Kind.IMAGE, phantom.visits[2], "T1CE").GetID()


def test_a_chosen_visit_that_goes_leaves_another_one_chosen(app, shown, phantom):
    choose_view(app, view_at(app, 2, 0))
    app.scene.RemoveNode(find(shown, Kind.IMAGE, phantom.visits[2], "T1CE"))
    timeline.show(app)
    assert chosen_visit(shown) == phantom.visits[0]
    assert amber(app) == [view_at(app, 0, 0)]


def test_a_view_of_slicers_own_chooses_the_visit_that_it_shows(app, shown, phantom):
    red = slicer.vtkMRMLSliceNode()
    red.SetLayoutName("Red")
    red = app.scene.AddNode(red)
    choose_view(app, red)
    assert chosen_visit(shown) == phantom.visits[0], "it shows nothing"
    composite_of(app, red).SetBackgroundVolumeID(find(shown, Kind.IMAGE, phantom.visits[1], "T1CE").GetID())
    choose_view(app, red)
    assert chosen_visit(shown) == phantom.visits[1]
    assert amber(app) == [view_at(app, 1, 0)]


# rows


def test_rows_to_choose_from(app, shown):
    rows = available_rows(shown)
    assert rows[:3] == [Row("T1CE"), Row("T1CE", "rCBV_ratio"), Row("T1CE", "Cho_NAA_molar")]
    assert Row("T1CE", "rCBV") in rows
    assert len(set(rows)) == len(rows)
    timeline.show(app, rows=[Row("T1CE", "rCBV")])
    assert shown_rows(shown) == [Row("T1CE", "rCBV")]


def test_chosen_rows_stay_when_maps_are_made_later(app, shown):
    assert rows_after_work(shown) == default_rows(shown)
    timeline.choose_rows(app, [Row("T1CE", "rCBV")])
    assert [node.GetLayoutName() for node in timeline.view_nodes(app)] == ["PPA_0_0", "PPA_1_0", "PPA_2_0"]
    assert rows_after_work(shown) == [Row("T1CE", "rCBV")]
    timeline.choose_rows(app, [])  # never none
    assert shown_rows(shown) == [Row("T1CE", "rCBV")]


def test_views_look_again_where_their_column_looked(app, shown):
    timeline.show(app, native=True)
    look = look_of(app)
    before = middles(app)
    for node in timeline.view_nodes(app):  # as a layout does that makes its views anew
        app.slice_logic(node).SetSliceOffset(0)
        node.SetFieldOfView(40, 40, 1)
    assert not np.allclose(middles(app), before)
    look_again(app, look)
    assert np.allclose(middles(app), before)
    assert all(min(node.GetFieldOfView()[:2]) == pytest.approx(look[0].side) for node in timeline.view_nodes(app))


def test_what_is_seen_does_not_depend_on_the_room_of_a_view(app, shown):
    """More rows make views lower, fewer rows higher again: the shorter side shows the same, and back again."""
    look = look_of(app)
    sides = {}
    for size in ((300, 180), (300, 120), (150, 120), (300, 180)):
        for node in timeline.view_nodes(app):
            node.SetDimensions(*size, 1)
        look_again(app, look)
        node = view_at(app, 0, 0)
        width, height, _ = node.GetFieldOfView()
        assert width / height == pytest.approx(size[0] / size[1])
        assert min(width, height) == pytest.approx(look[0].side)
        sides.setdefault(size, set()).add((round(width, 6), round(height, 6)))
    assert len(sides[300, 180]) == 1


@pytest.mark.parametrize(
    ("right_of_screen", "expected"),
    [
        ((-1, 0, 0), ("R", "L")),  # axial or coronal, from the feet or the front: the patient's right is on the left
        ((1, 0, 0), ("L", "R")),  # as neurosurgeons may set it
        ((0, 1, 0), ("P", "A")),
        ((0, -0.9, 0.43), ("A", "P")),
        ((-0.96, 0.2, -0.2), ("R", "L")),
        ((0, 0, 1), ("I", "S")),
    ],
)
def test_letters_say_which_side_of_the_patient_is_seen(app, shown, right_of_screen, expected):
    node = view_at(app, 0, 0)
    assert letters(node) == ("R", "L")
    for row, value in enumerate(right_of_screen):
        node.GetSliceToRAS().SetElement(row, 0, value)
    assert letters(node) == expected


def test_the_letters_agree_with_the_voxels(app, shown, phantom):
    """A pixel at the screen's left edge lies at higher R than one at the right edge, where the letters say so."""
    node = view_at(app, 1, 0)
    to_world = nodes.from_vtk(node.GetXYToRAS())
    columns = node.GetDimensions()[0]
    at_left, at_right = to_world @ [0, 0, 0, 1], to_world @ [columns, 0, 0, 1]
    assert (at_left[0] > at_right[0]) == (letters(node) == ("R", "L"))


# strokes in tilted visits


def painted(image, axes, across, thickness):
    """Share of the points of a slice, 40 mm about the middle of an image, whose nearest voxel has its centre within
    half a thickness of the slice: what a brush of this thickness leaves solid."""
    affine = to_world(image) @ nodes.get_image(image).affine
    middle = affine @ [*(np.array(nodes.get_image(image).shape[::-1]) / 2 + 0.37), 1]
    steps = np.linspace(-20, 20, 161)
    across_screen = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    points = middle[:3] + across_screen @ axes[:, :2].T
    index = (np.linalg.inv(affine) @ np.c_[points, np.ones(len(points))].T)[:3]
    centres = (affine @ np.r_[np.rint(index), np.ones((1, index.shape[1]))])[:3].T
    return np.mean(np.abs((centres - middle[:3]) @ across) <= thickness / 2)


def test_a_brush_is_as_thick_as_what_the_slice_cuts(app, shown, phantom):
    visit = phantom.visits[1]  # tilted against the reference visit
    image, node = find(shown, Kind.IMAGE, visit, "T1CE"), view_at(app, 1, 0)
    axes = nodes.from_vtk(node.GetSliceToRAS())[:3, :3]
    assert node.GetSliceSpacingMode() == node.PrescribedSliceSpacingMode
    thickness = app.slice_logic(node).GetLowestVolumeSliceSpacing()[2]  # what brushes and the wheel ask for
    assert painted(image, axes, axes[:, 2], thickness * (1 + 1e-9)) == 1
    assert painted(image, axes, axes[:, 2], thickness * 0.9) < 1  # and no thicker than it must be
    node.SetSliceSpacingModeToAutomatic()
    own = app.slice_logic(node).GetLowestVolumeSliceSpacing()[2]
    assert painted(image, axes, axes[:, 2], own) < 0.995  # Slicer's own choice leaves stripes
    timeline.show(app, native=True)
    native = app.slice_logic(node).GetLowestVolumeSliceSpacing()[2]
    assert native == pytest.approx(nodes.get_image(image).spacing[2])  # along the voxels: one voxel


# native position


def test_native_slices_run_along_the_voxels_of_their_visit(app, shown, phantom, analysis):
    timeline.show(app, native=True)
    groups = set()
    for column, visit in enumerate(phantom.visits):
        image = find(shown, Kind.IMAGE, visit, "T1CE")
        for row in range(3):
            node = view_at(app, column, row)
            groups.add((column, node.GetViewGroup()))
            to_index = np.linalg.inv(to_world(image) @ nodes.get_image(image).affine)
            steps = (to_index @ nodes.from_vtk(node.GetSliceToRAS()))[:3, :3]
            # a step on the screen is a step along one axis of the voxels
            assert np.allclose(np.sort(np.abs(steps), axis=0)[:2], 0, atol=1e-9)
    assert len(groups) == 3
    turned = nodes.from_vtk(view_at(app, 1, 0).GetSliceToRAS())[:3, :3]
    assert not np.allclose(turned, np.diag([-1, 1, 1]), atol=0.01)
    timeline.show(app, native=False)
    assert np.allclose(nodes.from_vtk(view_at(app, 1, 0).GetSliceToRAS())[:3, :3], np.diag([-1, 1, 1]))
    assert len({node.GetViewGroup() for node in timeline.view_nodes(app)}) == 1


def test_native_position_and_back_keep_place_and_zoom(app, shown):
    node = view_at(app, 0, 0)
    logic = app.slice_logic(node)
    flags = node.FieldOfViewFlag | node.XYZOriginFlag | node.SliceToRASFlag
    logic.StartSliceNodeInteraction(flags)
    logic.SetSliceOffset(9.0)
    node.SetXYZOrigin(12.0, -5.0, 0)
    node.SetFieldOfView(61.0, 61.0, 1)
    node.UpdateMatrices()
    logic.EndSliceNodeInteraction()
    before = {column: (look.middle, look.side) for column, look in look_of(app).items()}
    matrices = [nodes.from_vtk(each.GetXYToRAS()) for each in timeline.view_nodes(app)]
    timeline.show(app, native=True)
    for column, look in look_of(app).items():
        assert np.allclose(look.middle, before[column][0])
        assert look.side == pytest.approx(before[column][1])
    app.slice_logic(view_at(app, 2, 0)).SetSliceOffset(30.0)  # what was done in native position stays there
    timeline.show(app, native=False)
    for each, matrix in zip(timeline.view_nodes(app), matrices, strict=True):
        assert np.allclose(nodes.from_vtk(each.GetXYToRAS()), matrix)


def test_native_columns_are_turned_for_the_visits_of_their_page(app, shown, phantom):
    timeline.show(app, columns=2, first=0, native=True)
    timeline.turn_page(app, 1)
    for column, visit in enumerate(phantom.visits[1:]):
        axes = native_axes(find(shown, Kind.IMAGE, visit, "T1CE"))
        assert np.allclose(nodes.from_vtk(view_at(app, column, 0).GetSliceToRAS())[:3, :3], axes)


def test_a_row_that_is_unticked_keeps_its_place_in_the_list(app, shown):
    every = listed_rows(shown)
    first, second, third = every[:3]
    timeline.choose_rows(app, [first, third])
    assert listed_rows(shown)[:3] == [first, third, second]  # chosen elsewhere: those shown first
    keep_state(shown, listed=[[row.image, row.overlay] for row in every])
    assert listed_rows(shown) == every
    timeline.choose_rows(app, [third, first])  # another order
    assert listed_rows(shown)[:2] == [third, first]
    added = Row("T1CE", "T1CE_change")
    timeline.choose_rows(app, [first, third, added])
    assert listed_rows(shown)[:4] == [first, second, third, added]


def test_native_pixels_are_the_voxels_themselves(app, analysis, phantom):
    """A slice through voxel centres holds the image's own values, where the registered one mixes neighbours."""
    patient = build_scene(app, analysis)
    visit = phantom.visits[1]
    image = find(patient, Kind.IMAGE, visit, "T1CE")
    affine = to_world(image) @ nodes.get_image(image).affine
    axes = native_axes(image)
    spacing = nodes.get_image(image).spacing
    centre = affine @ [20, 25, 12, 1]
    for step in (1, 2, 3):
        beside = np.linalg.inv(affine) @ [*(centre[:3] + axes[:, 0] * step * spacing[0]), 1]
        assert np.allclose(beside[:3], np.rint(beside[:3]), atol=1e-9)
    straight = np.linalg.inv(affine) @ [*(centre[:3] + np.array([-1, 0, 0]) * spacing[0]), 1]
    assert not np.allclose(straight[:3], np.rint(straight[:3]), atol=0.01)


def test_a_sagittal_image_is_still_shown_from_the_feet(app):
    """Axes of a sagittal acquisition: i runs back, j down, k left. The slice nearest to axial mixes i and k."""
    node = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    affine = np.array([[0, 0, -1.2, 90], [-1, 0, 0, 100], [0, -1, 0, 120], [0, 0, 0, 1.0]])
    nodes.set_image(node, Image(np.zeros((3, 4, 5)), affine))
    assert np.allclose(native_axes(node), np.diag([-1, 1, 1]))


@pytest.mark.parametrize(("height", "numbers"), [(96, 2), (120, 3), (300, 5)])
def test_numbers_of_a_legend_do_not_overlap_nor_lie_on_the_unit(app, shown, height, numbers):
    for node in timeline.view_nodes(app):
        node.SetDimensions(271, height, 1)
    fit_legends(shown)
    assert legends(app)
    for legend in legends(app):
        assert legend.GetNumberOfLabels() == numbers
        size = legend.GetSize()[1] * height
        assert size / numbers >= 13
        assert legend.GetPosition()[1] * (height - size) >= (18 if numbers > 2 else 13)  # letters of the unit


def test_a_legend_is_fitted_again_to_each_height(app, shown):
    """A scene that opens has its views at other heights first."""

    def fitted(height):
        for node in timeline.view_nodes(app):
            node.SetDimensions(271, height, 1)
        fit_legends(shown)
        return [(legend.GetNumberOfLabels(), legend.GetPosition()) for legend in legends(app)]

    low, high = fitted(96), fitted(300)
    assert low != high
    assert fitted(96) == low
    assert fitted(300) == high
