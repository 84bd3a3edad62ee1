"""Drawing without a graphics library: areas, edges, letters and the file."""

import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from PseudoProgressionAnalyzerLib.report.canvas import Canvas, png, stroke, text_width

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("angle", "width"), [(0, 2), (17, 3), (45, 1.5), (90, 4)])
def test_a_line_covers_its_area(angle, width):
    pixels = np.zeros((120, 120, 3))
    along = np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])
    stroke(pixels, [np.array([60 - 40 * along, 60 + 40 * along])], width, WHITE)
    length = 80
    expected = length * width + np.pi * (width / 2) ** 2  # round ends
    assert pixels[..., 0].sum() == pytest.approx(expected, rel=0.03)


def test_dashes_leave_out_what_they_should():
    pixels = np.zeros((11, 420, 3))
    stroke(pixels, [np.array([[5, 10], [5, 410]])], 2, WHITE, (10, 10))
    on = pixels[5, 10:410, 0] > 0.5
    edges = np.flatnonzero(np.diff(on.astype(int)))
    assert np.all(np.abs(np.diff(edges[::2]) - 20) <= 1)
    assert on.mean() == pytest.approx(0.55, abs=0.06)  # the round ends add one width to each dash


def test_what_lies_outside_is_cut_off():
    pixels = np.zeros((20, 20, 3))
    stroke(pixels, [np.array([[-50, -50], [-40, 90]])], 3, WHITE)
    assert pixels.sum() == 0
    stroke(pixels, [np.array([[-5, -5], [25, 25]])], 1, WHITE)
    assert pixels[10, 10, 0] == pytest.approx(1)


def test_a_disc_is_round():
    canvas = Canvas(41, 41, BLACK)
    canvas.disc(20, 20, 10, WHITE)
    assert canvas.pixels[..., 0].sum() == pytest.approx(np.pi * 100, rel=0.02)


def ink(canvas):
    rows, columns = np.nonzero(canvas.pixels[..., 0] > 0.3)
    return rows, columns


def test_words_stand_where_they_are_put_and_read_from_left_to_right():
    canvas = Canvas(60, 300, BLACK)
    canvas.text("L.......", 30, 150, 24, WHITE, across=0.5)
    rows, columns = ink(canvas)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(150, abs=6)
    assert rows.min() > 15 and rows.max() < 45
    first = columns < columns.min() + 12  # the L stands left of the dots, and is taller
    assert np.ptp(rows[first]) > 3 * np.ptp(rows[~first])


def test_upwards_words_are_turned_to_the_left():
    canvas = Canvas(300, 60, BLACK)
    canvas.text("L.......", 150, 30, 24, WHITE, across=0.5, upwards=True)
    rows, columns = ink(canvas)
    first = rows > rows.max() - 12  # read from below: the L stands lowest
    assert np.ptp(columns[first]) > 3 * np.ptp(columns[~first])


def test_longer_words_are_wider_and_bold_is_bold():
    assert text_width("lesion volume", 18) > text_width("lesion", 18) > 0
    plain, bold = Canvas(40, 200, BLACK), Canvas(40, 200, BLACK)
    plain.text("lesion", 20, 10, 18, WHITE)
    bold.text("lesion", 20, 10, 18, WHITE, bold=True)
    assert bold.pixels.sum() > 1.2 * plain.pixels.sum()


def test_a_png_holds_the_pixels_the_right_way_round(tmp_path):
    pixels = np.random.default_rng(1).random((7, 5, 3))
    path = tmp_path / "a.png"
    path.write_bytes(png(pixels))
    back = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert np.abs(back - pixels * 255).max() <= 0.51
    assert b"Not for clinical use" in path.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the list of loaded libraries of Linux")
def test_no_graphics_library_is_loaded():
    code = (
        "from PseudoProgressionAnalyzerLib.report.canvas import Canvas\n"
        "from PseudoProgressionAnalyzerLib.report import slices, timeline_png\n"
        "canvas = Canvas(40, 200, (1, 1, 1)); canvas.text('lesion', 20, 10, 18, (0, 0, 0)); canvas.png()\n"
        "assert canvas.pixels.min() < 0.1\n"
        "print(open('/proc/self/maps').read())"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "libvtkRenderingFreeType" in loaded
    for library in ("libGL", "libEGL", "libOSMesa", "libX11", "libQt", "libvtkRenderingOpenGL2"):
        assert library not in loaded
