"""Pictures of the scene: every pixel shows its own place, values and colours are the display's, no graphics library."""

import copy
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.scene import nodes, pictures
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.display import OVERLAY_OPACITY
from PseudoProgressionAnalyzerLib.scene.focus import head_bounds, lesion_focus
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, to_world
from PseudoProgressionAnalyzerLib.scene.pictures import ScenePictures

RIGHT, ANTERIOR, SUPERIOR = np.eye(3)
AXIAL = (-RIGHT, -ANTERIOR, SUPERIOR)
CORONAL = (-RIGHT, -SUPERIOR, -ANTERIOR)


def make_plane(centre, axes, spacing=(0.9, 0.9), shape=(121, 100)):
    """A plane whose middle pixel lies at a point; axes: across, down and through in RAS."""
    affine = np.eye(4)
    affine[:3, :3] = np.stack(axes, axis=1) * [*spacing, 1.0]
    affine[:3, 3] = centre - affine[:3, :3] @ [shape[1] // 2, shape[0] // 2, 0]
    return Image(np.zeros((1, *shape), dtype=np.uint8), affine)


@pytest.fixture(scope="module")
def module_app():
    return application()


@pytest.fixture
def app(module_app):
    """One scene for all tests that leave it as it was."""
    return module_app


@pytest.fixture(scope="module")
def patient(module_app, analysis):
    return build_scene(module_app, analysis)


@pytest.fixture(scope="module")
def shown(module_app, patient):
    return ScenePictures(module_app.scene)


@pytest.fixture(scope="module")
def planes(phantom):
    """Through the lesion, with the reference visit's middle in the middle: axial, coronal, and neither of them with
    pixels that are not square."""
    turned = phantom.rigid((25, -15, 10), (0, 0, 0))[:3, :3] @ np.stack(AXIAL, axis=1)
    right, front, top = phantom.lesion_centre
    return {
        "axial": make_plane((0, 0, top), AXIAL),
        "coronal": make_plane((0, front, 0), CORONAL),
        "turned": make_plane((0.3 * right, 0.3 * front, 0.3 * top), turned.T, (0.7, 1.1), (64, 91)),
    }


def by_hand(image, to_reference, plane, order=1):
    """The image in the plane ``(rows, columns)``, pixel centre to RAS to voxel, and which pixels lie between voxels."""
    _, rows, columns = plane.shape
    row, column = np.mgrid[:rows, :columns]
    pixels = np.stack([column, row, np.zeros_like(row), np.ones_like(row)])
    index = np.einsum("ab,bij->aij", np.linalg.inv(to_reference @ image.affine) @ plane.affine, pixels)[:3]
    last = np.array(image.shape[::-1])[:, None, None] - 1
    within = np.all((index >= 0) & (index <= last), axis=0)
    return ndimage.map_coordinates(image.array.astype(float), index[::-1], order=order), within


@pytest.mark.parametrize("name", ["axial", "coronal", "turned"])
def test_grey_values_are_those_of_the_image(shown, patient, analysis, phantom, planes, name):
    """Against reslicing by hand, through the window of the display: as near as 8 bits can come."""
    plane = planes[name]
    for visit in phantom.visits:
        cell = shown.cell(visit, "T1CE", plane)
        assert cell.shape == (*plane.shape[1:], 3)
        values, within = by_hand(analysis.images[visit, "T1CE"], phantom.to_reference[visit], plane)
        display = find(patient, Kind.IMAGE, visit, "T1CE").GetDisplayNode()
        dark, bright = display.GetWindowLevelMin(), display.GetWindowLevelMax()
        expected = np.clip((values - dark) / (bright - dark), 0, 1)[..., np.newaxis]
        assert within.mean() > 0.5 and np.ptp(expected[within]) > 0.9
        assert np.abs(cell - expected)[within].max() < 1.01 / 255
        # half a pixel to a side, or the mirror image, is not that near
        beside = np.roll(cell, 1, axis=1) / 2 + cell / 2
        assert np.abs(beside - expected)[within].max() > 10 / 255
        assert np.abs(cell[:, ::-1] - expected)[within].max() > 100 / 255


@pytest.mark.parametrize("name", ["axial", "coronal", "turned"])
def test_pixels_lie_at_the_planes_voxel_centres(planes, name):
    view = pictures._View(planes[name])
    in_plane = [0, 1, 3]
    assert np.allclose(view.pixel_to_world[:, in_plane], planes[name].affine[:, in_plane], rtol=0, atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_pixel_shows_its_place_within_a_hundredth_of_a_millimetre(planes, axis):
    """A volume whose values are RAS coordinates, seen through a window of 2 mm."""
    app = application()
    patient = app.scene.AddNewNodeByClass("vtkMRMLTextNode")
    nodes.mark(patient, kind=Kind.PATIENT)
    node = nodes.put(patient, "vtkMRMLScalarVolumeNode", "ramp", Kind.IMAGE, "v", "T1CE")
    affine = np.diag([4.0, 5.0, 6.0, 1.0])
    affine[:3, 3] = -80.0, -90.0, -100.0
    index = np.indices((36, 38, 42))[::-1]
    values = (index[axis] * affine[axis, axis] + affine[axis, 3]).astype(np.float32)
    nodes.set_image(node, Image(values, affine))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(False)
    display.SetInterpolate(True)
    for name in ("axial", "coronal", "turned"):
        plane = planes[name]
        _, rows, columns = plane.shape
        row, column = np.mgrid[:rows, :columns]
        place = plane.affine[axis, 0] * column + plane.affine[axis, 1] * row + plane.affine[axis, 3]
        middle = place[rows // 3, columns // 4]
        display.SetWindowLevelMinMax(middle - 1, middle + 1)
        seen = middle - 1 + 2 * ScenePictures(app.scene).cell("v", "T1CE", plane)[..., 0]
        within = np.abs(place - middle) < 0.99
        assert within.sum() > 50
        assert np.abs(seen - place)[within].max() < 0.01


def lesion_of(cell):
    """Middle (row, column) as shares of the picture, and number of pixels, of what is brightest."""
    bright = ndimage.binary_opening(cell.min(axis=-1) > 0.9, iterations=2)
    return np.array(ndimage.center_of_mass(bright)) / bright.shape, bright.sum()


def test_the_lesion_lies_left_anterior_and_superior_in_every_visit(shown, phantom, planes):
    """Radiological: the patient's left on the right of the picture, front or top above; each visit has its own pose."""
    for visit in phantom.visits:
        (row, column), _ = lesion_of(shown.cell(visit, "T1CE", planes["axial"]))
        assert row < 0.4 and column > 0.6, visit
        (row, column), _ = lesion_of(shown.cell(visit, "T1CE", planes["coronal"]))
        assert row < 0.45 and column > 0.6, visit


def test_the_second_visit_has_the_larger_lesion(shown, phantom, planes):
    areas = [lesion_of(shown.cell(visit, "T1CE", planes["axial"]))[1] for visit in phantom.visits]
    assert areas[1] > 1.8 * areas[0]
    assert areas[1] > 1.5 * areas[2]


def overlaid(patient, visit, name, plane):
    """A map over the T1CE as Slicer blends them, each as its display says."""
    view = pictures._View(plane)
    node = find(patient, Kind.MAP, visit, name)
    if node.GetDisplayNode() is not None:  # a map without one has no value that could be shown
        composite = view.logic.GetSliceCompositeNode()
        composite.SetForegroundVolumeID(view._borrow(node).GetID())
        composite.SetForegroundOpacity(OVERLAY_OPACITY)
    return view.picture(find(patient, Kind.IMAGE, visit, "T1CE"))


def scale_of(patient, visit, name):
    """A map's lowest and highest value in colour, and the colours (n, 3) from one to the other."""
    display = find(patient, Kind.MAP, visit, name).GetDisplayNode()
    ramp = np.zeros((display.GetColorNode().GetNumberOfColors(), 4))
    for step, colour in enumerate(ramp):
        display.GetColorNode().GetColor(step, colour)
    return display.GetWindowLevelMin(), display.GetWindowLevelMax(), ramp[:, :3]


def test_a_map_shows_its_colour_above_its_threshold_and_anatomy_elsewhere(shown, patient, analysis, phantom, planes):
    plane = planes["axial"]
    for visit in phantom.visits:
        low, high, ramp = scale_of(patient, visit, "rCBV_ratio")
        grey = shown.cell(visit, "T1CE", plane)
        both = overlaid(patient, visit, "rCBV_ratio", plane)
        coloured = np.abs(both - grey).max(axis=-1) > 0.01
        assert 0.005 < coloured.mean() < 0.1  # the lesion, not the whole head
        row, column = ndimage.center_of_mass(coloured)
        assert row < 0.45 * plane.shape[1] and column > 0.55 * plane.shape[2]
        trusted = analysis.maps[visit, "rCBV_ratio"]
        trusted = Image(np.where(trusted.quality, trusted.array, np.nan), trusted.affine)
        values, within = by_hand(trusted, phantom.to_reference[visit] @ phantom.dsc_to_visit, plane)
        certain = within & (np.abs(values - low) > 0.01 * (high - low))  # NaN is neither
        assert np.array_equal(coloured[certain], values[certain] > low)
        step = np.clip((values - low) / (high - low), 0, 1)[certain & coloured] * (len(ramp) - 1)
        expected = (1 - OVERLAY_OPACITY) * grey[certain & coloured] + OVERLAY_OPACITY * ramp[np.rint(step).astype(int)]
        assert np.abs(both[certain & coloured] - expected).max() < 0.02
        assert np.abs(both[certain & coloured] - expected[::-1]).max() > 0.1


def test_values_that_cannot_be_trusted_are_not_shown(phantom, tmp_path, planes):
    doubtful = phantom.make_analysis(tmp_path)
    for key, values in doubtful.maps.items():
        if key[1] == "rCBV_ratio":
            values.quality[:] = False
            values.quality[0, 0, 0] = True
            values.array[0, 0, 0] = 1.0
        elif key[1] == "Cho_NAA_molar":
            values.array[:] = np.nan  # nothing at all: the map has no colours
    other = application()
    node = build_scene(other, doubtful)
    shown = ScenePictures(other.scene)
    assert find(node, Kind.MAP, phantom.visits[0], "Cho_NAA_molar").GetDisplayNode() is None
    for visit in phantom.visits[::2]:
        grey = shown.cell(visit, "T1CE", planes["axial"])
        for name in [name for of, name in doubtful.maps if of == visit]:
            assert np.array_equal(overlaid(node, visit, name, planes["axial"]), grey)


def test_metabolite_maps_are_shown_voxel_by_voxel(patient, phantom, planes):
    """8 mm voxels of a random map: within a voxel all colours are alike."""
    visit = phantom.visits[0]
    display = find(patient, Kind.MAP, visit, "Cho_NAA_molar").GetDisplayNode()
    cell = overlaid(patient, visit, "Cho_NAA_molar", planes["axial"])
    display.SetInterpolate(True)
    smooth = overlaid(patient, visit, "Cho_NAA_molar", planes["axial"])
    display.SetInterpolate(False)
    edges = [(np.abs(np.diff(image, axis=1)).max(axis=-1) > 0.05).sum() for image in (cell, smooth)]
    assert edges[0] < edges[1]
    assert np.abs(cell - smooth).max() > 0.08


def test_what_the_scene_lacks_is_none(shown, phantom, planes):
    assert shown.cell(phantom.visits[0], "T1CE", planes["axial"]) is not None
    assert shown.cell(phantom.visits[0], "FLAIR", planes["axial"]) is None
    assert shown.cell("another visit", "T1CE", planes["axial"]) is None


def test_a_maps_scale_begins_where_it_is_hidden_and_runs_from_dark_to_light(patient, phantom):
    display = find(patient, Kind.MAP, phantom.visits[1], "rCBV_ratio").GetDisplayNode()
    low, _high, ramp = scale_of(patient, phantom.visits[1], "rCBV_ratio")
    assert low == pytest.approx(display.GetLowerThreshold())
    assert np.all(np.diff(ramp @ [0.2126, 0.7152, 0.0722]) > 0)  # dark below, light above
    assert ramp[0] == pytest.approx(np.array([48, 38, 127]) / 255)


def test_the_picture_follows_the_display(shown, patient, phantom, planes):
    """What a user changes in the scene is what the picture shows."""
    visit = phantom.visits[0]
    before = shown.cell(visit, "T1CE", planes["axial"])
    display = find(patient, Kind.IMAGE, visit, "T1CE").GetDisplayNode()
    window = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    display.SetWindowLevelMinMax(window[0], 2 * window[1])
    darker = shown.cell(visit, "T1CE", planes["axial"])
    display.SetWindowLevelMinMax(*window)
    assert darker.mean() < 0.7 * before.mean()
    assert np.array_equal(shown.cell(visit, "T1CE", planes["axial"]), before)


def test_the_scene_is_left_as_it_was(app, shown, phantom, planes, monkeypatch):
    before = phantom.node_ids(app.scene)
    shown.cell(phantom.visits[0], "T1CE", planes["axial"])
    assert phantom.node_ids(app.scene) == before
    monkeypatch.setattr(pictures._View, "_borrow", lambda *arguments: 1 / 0)  # an error in the middle
    with pytest.raises(ZeroDivisionError):
        shown.cell(phantom.visits[0], "T1CE", planes["axial"])
    assert phantom.node_ids(app.scene) == before


def test_without_a_patient():
    with pytest.raises(InputError) as refused:
        ScenePictures(application().scene)
    assert refused.value.message.code == "scene_without_patient"


def test_the_focus_cuts_the_lesion(patient, phantom):
    assert np.allclose(lesion_focus(patient), phantom.lesion_centre, atol=2.5)


def test_the_focus_without_lesions_is_the_middle(analysis):
    plain = copy.copy(analysis)
    plain.regions = {}
    patient = build_scene(application(), plain)
    low, high = head_bounds(patient)
    assert np.allclose(lesion_focus(patient), (low + high) / 2)
    assert np.all(high - low > 80)


def test_world_is_own_frame_without_a_transform(app):
    node = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "v")
    nodes.set_image(node, Image(np.zeros((2, 2, 2)), np.eye(4)))
    assert np.array_equal(to_world(node), np.eye(4))


def test_no_graphics_library_is_loaded(project):
    """A fresh process that draws a picture has mapped no OpenGL, EGL, OSMesa or X library."""
    program = """
import sys
from pathlib import Path
import numpy as np
from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.measures import Image, Patient, Visit
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.pictures import ScenePictures
analysis = Analysis(Patient("p", [Visit("v", None)]), "v", images={("v", "T1CE"): Image(np.ones((4, 5, 6)), np.eye(4))})
app = application()
build_scene(app, analysis)
assert ScenePictures(app.scene).cell("v", "T1CE", Image(np.zeros((1, 9, 8)), np.eye(4))) is not None
libraries = {Path(line.split()[-1]).name for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
print(sorted(name for name in libraries if name.startswith(("libGL", "libEGL", "libOSMesa", "libOpenGL", "libX11"))))
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("mapped libraries are read from /proc")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
