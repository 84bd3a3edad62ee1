"""Spectra on the report: the axis, the numbers, and the right voxel in the right colour."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, fitting_spectra
from PseudoProgressionAnalyzerLib.measures import Image, Patient, Region, Series, Visit
from PseudoProgressionAnalyzerLib.report import colours, spectra, spectrum_words
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.spectroscopy import fit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spectroscopy"))
import truth

GRID = np.diag([20.0, 20.0, 20.0, 1.0])  # voxel 0 lies further left in RAS terms than voxel 1: x grows to the right


@pytest.fixture(scope="module")
def found():
    """Four voxels, 2 by 2: the one at (j, i) = (0, 1) is tumour, the others white matter."""
    white, _ = truth.spectra("white", 123.2, 0.030, 40, 4, seed=71)
    tumour, _ = truth.spectra("tumour", 123.2, 0.030, 40, 1, seed=72)
    fid = white.fid.reshape(1, 2, 2, -1).copy()
    fid[0, 0, 1] = tumour.fid[0, 0, 0]
    return fit(replace(white, fid=fid, affine=GRID))


@pytest.fixture(scope="module")
def analysis(found):
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -40.0, -40.0, -30.0
    shape = (30, 50, 50)
    visit = Visit("v", None, [Series("T1CE", Path()), Series("MRSI", Path())])
    analysis = Analysis(Patient("p", [visit], [], [Region("lesion", "v", "lesion", Path())]), reference_visit="v")
    analysis.images["v", "T1CE"] = Image(np.random.default_rng(1).uniform(80, 120, shape), affine)
    analysis.brains["v"] = np.ones(shape, bool)
    drawn = np.zeros(shape, bool)
    drawn[12:18, 17:23, 27:33] = True  # around RAS (20, 0, 0): voxel (j, i) = (0, 1)
    analysis.regions["v", "lesion"] = Image(drawn, affine)
    analysis.visit_to_reference["v"] = analysis.series_to_visit["v", "MRSI"] = np.eye(4)
    analysis.spectra_fits["v", "MRSI"] = found
    fitting_spectra._add_maps(analysis, "v", found)
    return analysis


def test_high_ppm_is_on_the_left_and_naa_at_its_place(found):
    figure = spectra.spectrum_figure(one_voxel(found, (0, 1, 0)), "white matter")
    paths = [np.array(re.findall(r"([\d.]+) ([\d.]+)", path), float) for path in re.findall(r'd="M([^"]+)"', figure)]
    data = max(paths, key=lambda path: np.ptp(path[:, 1]))
    assert data[0, 0] > data[-1, 0]  # the axis rises from 0.2 ppm, which is drawn at the right
    peak = data[data[:, 1].argmin(), 0]
    width = spectra.WIDTH - spectra.LEFT - spectra.RIGHT
    ppm = spectra.PPM[1] - (peak - spectra.LEFT) / width * (spectra.PPM[1] - spectra.PPM[0])
    assert ppm == pytest.approx(2.01, abs=0.05)
    assert figure.startswith("<svg") and "white matter" in figure


def test_words_stand_beside_their_lines_and_on_no_curve(found):
    figure = spectra.spectrum_figure(one_voxel(found, (0, 1, 0)), "white matter")
    ends = {colour: float(x) for x, colour in re.findall(r'<line [^>]*x2="([\d.]+)"[^>]*stroke="(#\w+)"', figure)}
    starts = {word: float(x) for x, word in re.findall(r'<text x="([\d.]+)"[^>]*>([^<]+)</text>', figure)}
    for word, colour in (("data", spectra.DATA), ("fit", spectra.PROGRESSION), ("baseline", spectra.BASELINE)):
        nearest = min(starts, key=lambda other: abs(starts[other] - ends[colour]))
        assert nearest == word and 3 <= starts[word] - ends[colour] <= 6
    (units,) = re.findall(r'y="([\d.]+)"[^>]*>signal, scanner units<', figure)
    assert float(units) < spectra.TOP + spectra.RESIDUAL / 2  # the spectrum and its baseline lie below


def one_voxel(found, voxel):
    k, j, i = voxel
    part = {name: getattr(found, name)[k : k + 1, j : j + 1, i : i + 1] for name in (
        "fwhm", "snr", "residual", "shift", "phase", "accepted", "amplitudes", "covariances", "common", "spectra",
        "parameters",
    )}  # fmt: skip
    return replace(found, **part)


def test_numbers_in_words(found):
    line = spectrum_words.numbers_line(found, voxel=(0, 1, 0))
    ratio = found.ratio("tCho", "tNAA").value[0, 1, 0]
    assert f"Cho/NAA {ratio:.2f}" in line and f"signal to noise {found.snr[0, 1, 0]:.0f}" in line
    none = replace(found, amplitudes=found.amplitudes * [name not in ("NAA", "NAAG") for name in found.names])
    assert "Cho/NAA > " in spectrum_words.numbers_line(none, voxel=(0, 1, 0))


def test_every_ratio_of_a_voxel_with_what_says_little(found):
    """At TE 30 ms nothing is said; at a long echo of three, and no number there."""
    here = {one.label: one for one in spectrum_words.ratios_of(found, (0, 1, 0))}
    value, low, high = (part[0, 1, 0] for part in found.ratio("Glx", "tCr"))
    assert here["Glx/Cr"].value == f"{value:.2f} ({low:.2f}-{high:.2f})"
    assert not any(one.remark for one in here.values()) and len(here) == 7
    late = replace(found, protocol=replace(found.protocol, echo_time=0.144))
    silent = {one.label for one in spectrum_words.ratios_of(late, (0, 1, 0)) if one.value == "-" and one.remark}
    assert silent == {"mI/Cr", "Glx/Cr", "(Lip at 1.3 ppm + Lac)/Cr"}
    table = spectrum_words.ratios_table(late, (0, 1, 0))
    assert table.count("<tr>") == 8 and table.count("144 ms") == 3  # one note for each of the three


def test_only_lines_that_say_something_are_named(found):
    late = replace(found, protocol=replace(found.protocol, echo_time=0.144))
    assert [name for name, _ in spectrum_words.lines_of(found)] == ["mI", "Cho", "Cr", "Glx", "NAA", "Lac, Lip"]
    assert [name for name, _ in spectrum_words.lines_of(late)] == ["Cho", "Cr", "NAA", "Lac"]


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        ((0.5, 0.4, 0.6), "0.50 (0.40-0.60)"),
        ((np.nan, 1.8, np.inf), "> 1.80"),
        ((np.nan, 0.0, 0.12), "< 0.12"),
        ((np.nan, 0.0, np.inf), "-"),
    ],
)
def test_a_ratio_without_a_value_shows_the_bound_that_is_left(ratio, shown):
    assert spectrum_words.interval(*ratio) == shown


def test_what_an_accepted_voxel_knows_badly_is_said(found):
    assert spectrum_words.why_uncertain(found, (0, 0, 0)) == []
    naa = [found.names.index(name) for name in ("NAA", "NAAG")]
    covariances = found.covariances.copy()
    covariances[..., naa[0], naa[0]] = (0.39 * found.amplitude("tNAA")) ** 2
    covariances[..., naa[1], :] = covariances[..., :, naa[1]] = 0
    poor = replace(found, covariances=covariances)
    (said,) = spectrum_words.why_uncertain(poor, (0, 0, 0))
    assert "NAA" in said and "Cho" not in said and "20 %" in said
    assert (
        spectrum_words.why_uncertain(replace(poor, accepted=np.zeros(found.shape, bool)), (0, 0, 0)) == []
    )  # left out: that is said


def test_why_a_voxel_is_left_out(found):
    poor = replace(found, accepted=np.zeros_like(found.accepted), fwhm=found.fwhm + 1, snr=found.snr * 0)
    assert len(spectrum_words.why_not_accepted(poor, (0, 0, 0))) == 2
    assert spectrum_words.why_not_accepted(found, (0, 1, 0)) == []


def test_the_tumour_voxel_stands_out_where_it_lies(analysis, found):
    top = spectra.scale_top(analysis)
    pixels = spectra.grid_picture(analysis, "v", top).pixels

    def shown(x, y):  # RAS mm of a voxel's inner quarter, in the picture: right of the patient on its left
        column = (GRID[0, 0] * 1.5 + spectra.MARGIN - x) / spectra.PIXEL
        row = (GRID[1, 1] * 1.5 + spectra.MARGIN - y) / spectra.PIXEL
        return pixels[round(row), round(column)]

    grey = 0.5
    for (j, i), (x, y) in {(0, 0): (5, 5), (0, 1): (25, 7), (1, 0): (5, 25), (1, 1): (25, 25)}.items():
        value = analysis.maps["v", "Cho_NAA_molar"].array[0, j, i]
        colour = colours.heat(np.array(min(value / top, 1.0)))
        mixed = (1 - spectra.OPACITY) * grey + spectra.OPACITY * colour
        assert np.abs(shown(x, y) - mixed).max() < 0.35, (j, i)
    tumour, white = shown(25, 7), shown(5, 25)
    assert tumour[0] > white[0] + 0.2  # red against violet


def test_parts_of_the_page(analysis):
    parts = "".join(spectra.spectra_parts(Markup(analysis.patient), analysis))
    assert "data:image/png" in parts and "Cho/NAA" in parts
    bare = replace(analysis, spectra_fits={})
    assert spectra.spectra_parts(Markup(analysis.patient), bare) == []
