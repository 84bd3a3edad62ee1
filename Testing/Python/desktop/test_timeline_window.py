"""Slicer's window while views are made."""

from types import SimpleNamespace

import pytest
import slicer

from PseudoProgressionAnalyzerLib.desktop import timeline_window


@pytest.mark.parametrize(("maximized", "made", "left"), [(False, 1548, 1366), (False, 1200, 1200), (True, 1548, 1548)])
def test_the_window_is_as_large_as_before(monkeypatch, maximized, made, left):
    """Also where making the views ends in an error; one that fills the screen is Slicer's."""
    window = SimpleNamespace(width=1366, height=740, isMaximized=lambda: maximized)
    window.resize = lambda width, height: vars(window).update(width=width, height=height)
    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=object), False)
    monkeypatch.setattr(slicer, "util", SimpleNamespace(mainWindow=lambda: window), False)
    monkeypatch.setattr(timeline_window, "_settle", lambda: None)
    with pytest.raises(KeyError), timeline_window.window_as_large():
        window.width = made
        raise KeyError
    assert window.width == left


def test_without_a_window_nothing_is_done(monkeypatch):
    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=lambda: None), False)
    with timeline_window.window_as_large():
        pass
