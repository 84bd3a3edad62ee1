"""The curve of the head's motion on the report: its values, its scale, and nothing where nothing was found."""

import re

import numpy as np

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.measures import Patient, Visit
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.motion_figure import BOTTOM, HEIGHT, TOP, motion_parts


def analysed(*displacements):
    analysis = Analysis(Patient("p", [Visit(name, None) for name in "ab"]))
    for visit, moved in zip("ab", displacements, strict=False):
        times = 1.5 * np.arange(len(moved))
        analysis.curves[visit, "DSC_motion"] = {"time": times, "displacement": np.array(moved)}
    return analysis


def test_a_curve_for_each_series_on_one_scale():
    analysis = analysed([0.0, 4.0, 0.0], [0.0, 0.0, 1.0])
    _, figures = motion_parts(Markup(analysis.patient), analysis)
    assert figures.count("<polyline") == 2 and "4.0 mm" in figures and "1.0 mm" in figures
    heights = [
        [float(point.split(",")[1]) for point in points.split()] for points in re.findall('points="([^"]+)"', figures)
    ]
    floor, full = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    rise = [(floor - y) / full for curve in heights for y in curve]
    np.testing.assert_allclose(np.array(rise[:3]) / rise[1], [0, 1, 0], atol=1e-3)
    assert abs(rise[5] / rise[1] - 0.25) < 0.01  # the same scale in both


def test_noise_does_not_look_like_motion():
    analysis = analysed([0.0, 0.1, 0.0])
    points = re.search('points="([^"]+)"', motion_parts(Markup(analysis.patient), analysis)[1])[1]
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert max(heights) - min(heights) < 0.1 * (HEIGHT - BOTTOM - TOP)


def test_nothing_without_a_series():
    analysis = analysed()
    assert motion_parts(Markup(analysis.patient), analysis) == []
