"""A window that is set in one visit is set in all, while the timeline is shown."""

import sys
from importlib import import_module

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, linked
from PseudoProgressionAnalyzerLib.scene.windows import keep_matched, window_of

LINK = "PseudoProgressionAnalyzerLib.desktop.window_link"


def test_all_follow_while_it_is_wanted(analysis, monkeypatch):
    monkeypatch.delitem(sys.modules, LINK, raising=False)  # of a test that made up what it is built on
    link_of = import_module(LINK).WindowLink
    app, wanted = application(), [True]
    patient = build_scene(app, analysis)
    first, second = linked(patient, Kind.IMAGE)
    for node, window in ((first, (0, 1)), (second, (0, 2))):
        keep_matched(node, window)
    link = link_of(lambda: wanted[0])
    link.follow(app.scene)
    first.GetDisplayNode().SetWindowLevelMinMax(0.25, 0.75)
    assert window_of(second) == pytest.approx((0.5, 1.5))
    second.GetDisplayNode().SetWindowLevelMinMax(0.5, 2.0)
    assert window_of(first) == pytest.approx((0.25, 1.0))
    wanted[0] = False
    first.GetDisplayNode().SetWindowLevelMinMax(0.0, 0.1)
    assert window_of(second) == pytest.approx((0.5, 2.0))
    wanted[0] = True
    link.forget()
    first.GetDisplayNode().SetWindowLevelMinMax(0.0, 0.2)
    assert window_of(second) == pytest.approx((0.5, 2.0))
