"""The timeline picture: the left is on the right, values and colours are the display's, no graphics library."""

import copy
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOImage import vtkPNGReader

from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, Image, InputError
from PseudoProgressionAnalyzerLib.scene import nodes, pictures
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.focus import head_bounds, lesion_focus, to_world
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.pictures import CELL_WIDTH, GAP, MARGIN, TEXT_SIZE, timeline_picture, write_png
from PseudoProgressionAnalyzerLib.scene.timeline import Row

GREY = [Row("T1CE")]


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
def grey(module_app, patient):
    """The cells of the T1CE row."""
    return cells(timeline_picture(module_app.scene, GREY), 1)


def cells(picture, rows, columns=3):
    """The picture's cells by (column, row) without the texts at its edges."""
    height = (picture.shape[0] - 4 * TEXT_SIZE) // rows - GAP
    found = {}
    for row in range(rows):
        top = 2 * TEXT_SIZE + row * (height + GAP)
        for column in range(columns):
            left = MARGIN + column * (CELL_WIDTH + GAP)
            found[column, row] = picture[top : top + height, left : left + CELL_WIDTH].astype(int)
    return found


def is_grey(cell):
    return cell.max(axis=-1) - cell.min(axis=-1) <= 2


def test_the_lesion_lies_left_and_anterior_in_every_column(grey):
    """Radiological: the patient's left on the right of the picture, anterior on top; the lesion is brightest."""
    for (column, _), cell in grey.items():
        bright = ndimage.binary_opening(is_grey(cell) & (cell.max(axis=-1) > 230), iterations=2)
        line, across = ndimage.center_of_mass(bright)
        assert across > 0.6 * cell.shape[1], column
        assert line < 0.4 * cell.shape[0], column


def test_the_second_visit_has_the_larger_lesion(grey):
    areas = []
    for cell in grey.values():
        areas.append(ndimage.binary_opening(is_grey(cell) & (cell.max(axis=-1) > 230), iterations=2).sum())
    assert areas[1] > 1.8 * areas[0]
    assert areas[1] > 1.5 * areas[2]


def test_sides_are_marked(grey):
    """R on the left of every cell, L on the right: letters are white where the image is black."""
    cell = grey[0, 0]
    middle = slice(cell.shape[0] // 2 - TEXT_SIZE, cell.shape[0] // 2 + TEXT_SIZE)
    left, right = cell[middle, : 2 * TEXT_SIZE], cell[middle, -2 * TEXT_SIZE :]
    assert left.max() > 200
    assert right.max() > 200
    # an R has more ink than an L
    assert (left.max(axis=-1) > 128).sum() > 1.3 * (right.max(axis=-1) > 128).sum()


def test_grey_values_are_those_of_the_image(grey, patient, analysis, phantom):
    """Against reslicing by hand: pixel to RAS to voxel, linear, through the window of the display."""
    low, high = head_bounds(patient)
    focus = lesion_focus(patient)
    for column, visit in enumerate(phantom.visits):
        cell = grey[column, 0]
        height, width = cell.shape[:2]
        size = (high[0] - low[0]) / width
        across, line = np.meshgrid(np.arange(width), np.arange(height))
        world = np.stack(
            [
                (low[0] + high[0]) / 2 - (across - width / 2) * size,
                (low[1] + high[1]) / 2 + (height / 2 - 1 - line) * size,
                np.full(line.shape, focus[2]),
            ]
        )
        image = analysis.images[visit, "T1CE"]
        matrix = np.linalg.inv(phantom.to_reference[visit] @ image.affine)
        index = np.einsum("ab,bij->aij", matrix[:3, :3], world) + matrix[:3, 3][:, None, None]
        values = ndimage.map_coordinates(image.array, index[::-1], order=1)
        display = find(patient, Kind.IMAGE, visit, "T1CE").GetDisplayNode()
        dark, bright = display.GetWindowLevelMin(), display.GetWindowLevelMax()
        expected = np.clip((values - dark) / (bright - dark), 0, 1) * 255
        plain = is_grey(cell)
        error = np.abs(cell[..., 0] - expected)[plain]
        assert np.median(error) < 2
        assert np.percentile(error, 98) < 40
        flipped = np.abs(cell[:, ::-1, 0] - expected)[plain]
        assert np.percentile(flipped, 98) > 100


def test_a_map_shows_its_colour_above_its_threshold_and_anatomy_elsewhere(app, grey):
    both = cells(timeline_picture(app.scene, [Row("T1CE", "rCBV_ratio")]), 1)
    for key, cell in both.items():
        coloured = np.abs(cell - grey[key]).max(axis=-1) > 3
        assert 0.005 < coloured.mean() < 0.1  # the lesion, not the whole head
        line, across = ndimage.center_of_mass(coloured)
        assert across > 0.55 * cell.shape[1]
        assert line < 0.45 * cell.shape[0]


def test_values_that_cannot_be_trusted_are_not_shown(phantom, tmp_path):
    doubtful = phantom.make_analysis(tmp_path)
    for key, values in doubtful.maps.items():
        if key[1] == "rCBV_ratio":
            values.quality[:] = False
            values.quality[0, 0, 0] = True
            values.array[0, 0, 0] = 1.0
    other = application()
    build_scene(other, doubtful)
    grey = cells(timeline_picture(other.scene, GREY), 1)
    both = cells(timeline_picture(other.scene, [Row("T1CE", "rCBV_ratio")]), 1)
    for key, cell in both.items():
        assert np.abs(cell - grey[key]).max() == 0


def test_metabolite_maps_are_shown_voxel_by_voxel(app, patient):
    """8 mm voxels of a random map: within a voxel all colours are alike."""
    cell = cells(timeline_picture(app.scene, [Row("T1CE", "Cho_NAA_molar")]), 1)[0, 0]
    display = find(patient, Kind.MAP, "2023-01-10", "Cho_NAA_molar").GetDisplayNode()
    display.SetInterpolate(True)
    smooth = cells(timeline_picture(app.scene, [Row("T1CE", "Cho_NAA_molar")]), 1)[0, 0]
    display.SetInterpolate(False)
    edges = [np.abs(np.diff(image, axis=1)).max(axis=-1) > 12 for image in (cell, smooth)]
    assert edges[0].sum() < edges[1].sum()
    assert np.abs(cell - smooth).max() > 20


def test_regions_are_outlined_in_their_colours(grey):
    for cell in grey.values():
        lesion = (cell[..., 0] < 90) & (cell[..., 1] > 200) & (cell[..., 2] > 220)
        reference = (cell[..., 0] > 120) & (cell[..., 1] > 220) & (cell[..., 2] < 150)
        assert lesion.sum() > 60
        assert reference.sum() > 60
        assert np.argwhere(lesion)[:, 1].mean() > cell.shape[1] / 2 > np.argwhere(reference)[:, 1].mean()


def test_a_visit_without_the_map_is_left_black(app, patient):
    cell = cells(timeline_picture(app.scene, [Row("T1CE", "Cho_NAA_molar")]), 1)[1, 0]
    assert (cell.max(axis=-1) > 60).mean() < 0.02  # its words alone
    assert cell.max() > 200


def test_the_scene_is_left_as_it_was(app, patient, phantom, monkeypatch):
    before = phantom.node_ids(app.scene)
    timeline_picture(app.scene)
    assert phantom.node_ids(app.scene) == before
    monkeypatch.setattr(pictures, "_cell", lambda *arguments: 1 / 0)  # an error in the middle
    with pytest.raises(ZeroDivisionError):
        timeline_picture(app.scene)
    assert phantom.node_ids(app.scene) == before


def test_the_file_holds_the_picture(app, patient, tmp_path):
    picture = timeline_picture(app.scene, GREY)
    write_png(picture, tmp_path / "timeline.png")
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.png"]
    reader = vtkPNGReader()
    reader.SetFileName(str(tmp_path / "timeline.png"))
    reader.Update()
    stored = reader.GetOutput()
    pixels = vtk_to_numpy(stored.GetPointData().GetScalars()).reshape(picture.shape)[::-1]
    assert np.array_equal(pixels, picture)


def test_without_a_patient():
    with pytest.raises(InputError):
        timeline_picture(application().scene)


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
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.pictures import timeline_picture
analysis = Analysis(Patient("p", [Visit("v", None)]), "v", images={("v", "T1CE"): Image(np.ones((4, 5, 6)), np.eye(4))})
app = application()
build_scene(app, analysis)
assert timeline_picture(app.scene).any()
libraries = {Path(line.split()[-1]).name for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
print(sorted(name for name in libraries if name.startswith(("libGL", "libEGL", "libOSMesa", "libOpenGL", "libX11"))))
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("mapped libraries are read from /proc")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_picture_says_that_it_is_not_for_the_clinic(app, patient):
    picture = timeline_picture(app.scene, GREY)
    assert DISCLAIMER
    assert picture[-2 * TEXT_SIZE :, MARGIN:].max() > 200
