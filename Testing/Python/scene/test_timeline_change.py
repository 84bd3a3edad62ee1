"""The row of changes: a known change where it is, nothing elsewhere, and withheld where it would mislead."""

from dataclasses import replace

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy

from PseudoProgressionAnalyzerLib.analysis.change_maps import change_map, changes_to_show
from PseudoProgressionAnalyzerLib.imaging.resampling import resample
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Message
from PseudoProgressionAnalyzerLib.scene import nodes, timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.display import Scale
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.timeline_change import put_change, scale_of_change, unchanged
from PseudoProgressionAnalyzerLib.scene.timeline_overlays import range_of, set_opacity, set_range, toggle_overlays
from PseudoProgressionAnalyzerLib.scene.timeline_rows import Row, available_rows
from PseudoProgressionAnalyzerLib.scene.timeline_views import composite_of, view_at


@pytest.fixture
def made(phantom, tmp_path):
    return phantom.make_analysis(tmp_path)


def shells(analysis, phantom, visit):
    """Where the lesion grew from the first visit to this one, and its core that both have, on the visit's T1CE."""
    image = analysis.images[visit, "T1CE"]
    index = np.indices(image.shape)[::-1].reshape(3, -1)
    to_reference = phantom.to_reference[visit] @ image.affine
    points = to_reference[:3, :3] @ index + to_reference[:3, 3:]
    distance = np.linalg.norm(points - phantom.lesion_centre[:, None], axis=0).reshape(image.shape)
    small, large = phantom.lesion_radius[phantom.visits[0]], phantom.lesion_radius[visit]
    return (distance > small + 2) & (distance < large - 1.5), distance < small - 3


def on_anatomy(analysis, visit, change):
    """A change of the T1CE, which lies halfway between two visits, on the voxels of the later one's."""
    anatomy = analysis.images[visit, "T1CE"]
    there = resample(Image(change.array, change.affine), anatomy, np.eye(4), interpolation="nearest", outside=np.nan)
    return there.array


def test_a_lesion_that_grew_shows_where(made, phantom):
    """The phantom's lesion adds 120 to brain of 100: in the shell that grew +120 %, in its core and far away none."""
    first, second, _ = phantom.visits
    made.images[second, "T1CE"].array *= 3.7  # another receiver gain
    change = change_map(made, first, second, "T1CE")
    grown, core = shells(made, phantom, second)
    assert grown.sum() > 50
    there = on_anatomy(made, second, change)
    assert np.nanmedian(there[grown]) == pytest.approx(120, abs=6)
    assert abs(np.nanmedian(there[core])) < 6
    elsewhere = made.brains[second] & ~made.regions[second, "lesion"].array
    assert abs(np.nanmedian(there[elsewhere])) < 1
    assert (change.unit, change.name) == ("%", "T1CE_change")


def test_without_matching_the_same_shows_change_everywhere(made, phantom):
    """What the matching is for: the plain difference of the images is large where nothing changed."""
    second = phantom.visits[1]
    made.images[second, "T1CE"].array *= 3.7
    elsewhere = made.brains[second] & ~made.regions[second, "lesion"].array
    plain = made.images[second, "T1CE"].array[elsewhere] - 100
    assert np.median(plain) > 200


def test_coil_shading_does_not_show_as_change(made, phantom):
    first, second, _ = phantom.visits
    image = made.images[second, "T1CE"]
    image.array = image.array * np.exp(np.linspace(-0.3, 0.3, image.shape[2]))  # 60 % from side to side
    there = on_anatomy(made, second, change_map(made, first, second, "T1CE"))
    elsewhere = made.brains[second] & ~made.regions[second, "lesion"].array & np.isfinite(there)
    low, high = np.percentile(there[elsewhere], [10, 90])
    plain = np.percentile(image.array[elsewhere], [10, 90]) - 100
    assert high - low < 0.4 * (plain[1] - plain[0])


def test_a_wrong_transform_fails_the_same_check(made, phantom):
    first, second, _ = phantom.visits
    made.visit_to_reference[second] = phantom.rigid((0, 0, 0), (12, 0, 0)) @ made.visit_to_reference[second]
    change = change_map(made, first, second, "T1CE")
    _, core = shells(made, phantom, second)
    assert abs(np.nanmedian(on_anatomy(made, second, change)[core])) > 50


def test_a_ratio_map_counts_where_both_are_trusted(made, phantom):
    first, _, third = phantom.visits
    change = change_map(made, first, third, "rCBV_ratio")
    assert change.shape == made.maps[third, "rCBV_ratio"].shape
    assert abs(np.nanmedian(change.array)) < 0.1
    known = np.isfinite(change.array).sum()
    assert known > 0
    made.maps[third, "rCBV_ratio"].quality[:] = False
    assert np.isnan(change_map(made, first, third, "rCBV_ratio").array).all()


def test_a_users_own_transform_is_the_users_judgement(made, phantom):
    first, second, _ = phantom.visits
    made.messages[second] = [Message("registration_ambiguous", {"distance": 9})]
    made.alignment[second] = {"set_by_user": 1.0}
    assert np.isfinite(change_map(made, first, second, "T1CE").array).any()


def test_what_can_be_compared(made, phantom):
    first, second, third = phantom.visits
    assert changes_to_show(made, first, second) == ["T1CE", "rCBV_ratio"]
    assert changes_to_show(made, first, third) == ["T1CE", "rCBV_ratio", "Cho_NAA_molar"]


def refused(code, work):
    with pytest.raises(InputError) as caught:
        work()
    assert caught.value.message.code == code


def test_withheld_where_the_alignment_is_not_trusted(made, phantom):
    first, second, third = phantom.visits
    refused("change_missing", lambda: change_map(made, first, second, "Cho_NAA_molar"))
    refused("change_missing", lambda: change_map(made, first, second, "rCBV"))  # relative units mean nothing
    made.messages[second] = [Message("registration_ambiguous", {"distance": 9})]
    refused("change_withheld", lambda: change_map(made, first, second, "T1CE"))
    made.messages[second] = []
    made.alignment[second] = {"uncertainty": 2.1}
    refused("change_withheld", lambda: change_map(made, first, second, "T1CE"))
    made.alignment[second] = {}
    refused("change_withheld", lambda: change_map(made, first, second, "T1CE"))
    del made.visit_to_reference[third]
    refused("change_unaligned", lambda: change_map(made, first, third, "T1CE"))
    made.alignment[second] = {"uncertainty": 0.3}
    made.maps[second, "rCBV_ratio"].method = "made elsewhere"
    refused("change_other_kind", lambda: change_map(made, first, second, "rCBV_ratio"))
    for visit in (first, second):
        made.maps[visit, "ADC"] = replace(made.maps[visit, "rCBV_ratio"], unit="unknown", method="given")
    refused("change_unit_unknown", lambda: change_map(made, first, second, "ADC"))


# in the scene


@pytest.fixture
def shown(app, made, phantom):
    patient = build_scene(app, made)
    first, second, _ = phantom.visits
    row = put_change(patient, second, first, change_map(made, first, second, "T1CE"), "T1CE")
    timeline.show(app, rows=[Row("T1CE"), row])
    return patient


def test_it_stands_in_the_later_column_and_says_since_when(app, shown, phantom):
    node = find(shown, Kind.CHANGE, phantom.visits[1], "T1CE_change")
    assert composite_of(app, view_at(app, 1, 1)).GetForegroundVolumeID() == node.GetID()
    assert view_at(app, 1, 1).GetLayoutLabel() == "2023-03-01, day 79, since 2023-01-10"
    for column in (0, 2):
        assert composite_of(app, view_at(app, column, 1)).GetBackgroundVolumeID() is None
        assert view_at(app, column, 1).GetLayoutLabel().endswith(": no map")
    assert node.GetTransformNodeID() == find(shown, Kind.IMAGE, phantom.visits[1], "T1CE").GetTransformNodeID()
    assert Row("T1CE", "T1CE_change") in available_rows(shown)


def test_a_change_that_is_switched_off_is_not_named(app, shown):
    """The bare T1CE of a visit is since nothing; the title comes back with the change."""
    title = "2023-03-01, day 79"
    assert not toggle_overlays(app)
    assert [view_at(app, 1, row).GetLayoutLabel() for row in (0, 1)] == [title, title]
    timeline.show(app)
    assert view_at(app, 1, 1).GetLayoutLabel() == title
    assert toggle_overlays(app)
    assert [view_at(app, 1, row).GetLayoutLabel() for row in (0, 1)] == [title, f"{title}, since 2023-01-10"]
    set_opacity(app, 0.0, "T1CE_change")
    assert view_at(app, 1, 1).GetLayoutLabel() == title


def picture(app, node):
    """The blended slice of a view, float RGBA ``(rows, columns, 4)``, without any graphics library."""
    node.SetDimensions(160, 160, 1)
    logic = app.slice_logic(node)
    logic.UpdatePipeline()
    connection = logic.GetImageDataConnection()
    connection.GetProducer().Update()
    image = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(160, 160, -1) / 255.0


def test_what_grew_is_orange_and_the_rest_stays_grey(app, shown, made, phantom):
    view = view_at(app, 1, 1)
    view.SetFieldOfView(160, 160, 1)
    app.slice_logic(view).SetSliceOffset(float(phantom.lesion_centre[2]))
    pixels = picture(app, view)
    warm = (pixels[..., 0] - pixels[..., 2]) > 0.3
    cold = (pixels[..., 2] - pixels[..., 0]) > 0.3
    assert warm.sum() > 100
    assert cold.sum() < 0.05 * warm.sum()
    to_world = nodes.from_vtk(view.GetXYToRAS())
    lines, columns = np.nonzero(warm)
    points = to_world @ np.stack([columns, lines, np.zeros(len(lines)), np.ones(len(lines))])
    distance = np.linalg.norm(points[:3].T - phantom.lesion_centre, axis=1)
    radius = phantom.lesion_radius[phantom.visits[1]]
    assert np.median(distance) < radius + 1
    assert np.mean(distance < radius + 3) > 0.95


def test_another_pair_replaces_it(app, shown, made, phantom):
    first, second, third = phantom.visits
    put_change(shown, third, second, change_map(made, second, third, "T1CE"), "T1CE")
    assert [marked(node, "visit") for node in linked(shown, Kind.CHANGE)] == [third]
    put_change(shown, third, first, change_map(made, first, third, "T1CE"), "T1CE")
    assert [marked(node, "since") for node in linked(shown, Kind.CHANGE)] == [first]
    timeline.show(app)
    timeline.hide(app)


def test_it_is_shown_and_never_read_as_a_map(app, shown):
    assert not [name for _, name in read_scene(app.scene).analysis.maps if name.endswith("_change")]
    assert read_scene(app.scene).messages == []


def test_the_scale_is_even_about_no_change(app, shown):
    assert scale_of_change(np.array([-8.0, 1.0, np.nan, 2.0])).low == -scale_of_change(np.array([-8.0, 2.0])).high
    assert scale_of_change(np.full(3, np.nan)) == Scale(-1.0, 1.0)
    set_range(app, "T1CE_change", -60, 60)
    assert range_of(app, "T1CE_change") == Scale(-60, 60)
    set_range(app, "T1CE_change", -60, 80)
    assert range_of(app, "T1CE_change") == Scale(-80, 80)
    set_range(app, "T1CE_change", -50, 80)  # the other end follows the one that was moved
    assert range_of(app, "T1CE_change") == Scale(-50, 50)


def colours_of(node):
    table = node.GetDisplayNode().GetColorNode()
    colours = np.zeros((table.GetNumberOfColors(), 4))
    for step, colour in enumerate(colours):
        table.GetColor(step, colour)
    return colours


@pytest.mark.parametrize("end", [40, 90])
def test_small_changes_have_no_colour_at_all_whatever_the_scale(app, shown, phantom, end):
    """A colour of any opacity above 0 is drawn opaque: opacities are 0 or 1, and 0 ends where changes count."""
    node = find(shown, Kind.CHANGE, phantom.visits[1], "T1CE_change")
    limit = float(marked(node, "unchanged"))
    assert 0 < limit < 20
    set_range(app, "T1CE_change", -end, end)
    colours = colours_of(node)
    assert set(colours[:, 3]) == {0.0, 1.0}
    values = np.linspace(-end, end, len(colours))
    assert set(colours[np.abs(values) < 0.95 * limit, 3]) == {0.0}
    assert set(colours[np.abs(values) > 1.05 * limit, 3]) == {1.0}
    assert colours[0, 2] > colours[0, 0]
    assert colours[-1, 0] > colours[-1, 2]


def test_what_counts_as_unchanged_is_the_spread_of_the_brain_and_not_of_the_lesion():
    """Of normal noise 95 % lie within; a lesion that fills a fifth of the brain and changes a lot hardly widens it."""
    noise = np.random.default_rng(2).normal(0, 3.0, 200_000)
    assert unchanged(noise) == pytest.approx(1.96 * 3.0, rel=0.02)
    lesion = np.concatenate([noise, np.full(50_000, 120.0), np.full(1000, np.nan)])
    assert unchanged(lesion) < 1.45 * unchanged(noise)
    assert np.percentile(np.abs(lesion[:250_000]), 95) > 100  # as a plain percentile would
    assert unchanged(np.full(3, np.nan)) == 0


def test_anatomy_is_seen_where_nothing_changed(app, shown, made, phantom):
    """The slices' own pixels: far from the lesion they are those of the view without the change."""
    changed, bare = view_at(app, 1, 1), view_at(app, 1, 0)
    for view in (changed, bare):
        view.SetFieldOfView(160, 160, 1)
        app.slice_logic(view).SetSliceOffset(float(phantom.lesion_centre[2]))
    with_change, without = picture(app, changed), picture(app, bare)
    lines, columns = np.indices(without.shape[:2])
    points = nodes.from_vtk(changed.GetXYToRAS()) @ np.stack(
        [columns.ravel(), lines.ravel(), np.zeros(columns.size), np.ones(columns.size)]
    )
    far = np.linalg.norm(points[:3].T - phantom.lesion_centre, axis=1).reshape(lines.shape)
    brain = without[..., 0] > 0.2
    tissue = brain & (far > phantom.lesion_radius[phantom.visits[1]] + 10)
    same = np.abs(with_change[..., :3] - without[..., :3]).max(axis=-1) < 0.02
    assert tissue.sum() > 500
    assert same[tissue].mean() > 0.9
