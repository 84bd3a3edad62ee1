"""Scrolling: the first step is Slicer's own, and those that follow it closely are made as one."""

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

SCROLLING = "PseudoProgressionAnalyzerLib.desktop.scrolling"


class Turn:
    """The next turn of the event loop, when the test wants it."""

    def __init__(self, work):
        self.work, self.asked = work, False

    def ask(self):
        self.asked = True

    def forget(self):
        self.asked = False


@pytest.fixture
def scrolled(monkeypatch):
    """What listens in one view, its interactor, the steps that Slicer heard, and those that were made at once."""
    monkeypatch.setitem(sys.modules, "qt", ModuleType("qt"))
    monkeypatch.delitem(sys.modules, SCROLLING, raising=False)  # of a test that made up what it is built on
    scrolling = import_module(SCROLLING)
    made, heard, clock = [], [], [100.0]
    logics = SimpleNamespace(GetSliceLogic=lambda view: view)
    drawing = SimpleNamespace(applicationLogic=lambda: logics, pauseRender=lambda: None, resumeRender=lambda: None)
    monkeypatch.setattr(slicer, "app", drawing, False)
    monkeypatch.setattr(scrolling, "Soon", Turn)
    monkeypatch.setattr(scrolling, "move_across", lambda logic, steps: made.append((logic, steps)))
    monkeypatch.setattr(scrolling, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    interactor = vtkRenderWindowInteractor()
    for event in (*scrolling.WHEEL, "KeyPressEvent"):
        interactor.AddObserver(event, lambda caller, name: heard.append(name))
    listening = scrolling.Scrolling()
    listening.follow({interactor: "the view"})
    return SimpleNamespace(listening=listening, interactor=interactor, heard=heard, made=made, clock=clock)


def turn(scrolled):
    assert scrolled.listening.soon.asked
    scrolled.listening.soon.asked = False
    scrolled.listening.soon.work()


def key(scrolled, symbol):
    scrolled.interactor.SetKeySym(symbol)
    scrolled.interactor.InvokeEvent("KeyPressEvent")


def test_a_step_alone_is_slicers(scrolled):
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    turn(scrolled)
    scrolled.clock[0] += 1.0
    key(scrolled, "Down")
    turn(scrolled)
    assert scrolled.heard == ["MouseWheelForwardEvent", "KeyPressEvent"] and scrolled.made == []


def test_steps_that_came_meanwhile_are_made_as_one(scrolled):
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    for _step in range(4):
        scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    scrolled.interactor.InvokeEvent("MouseWheelBackwardEvent")
    turn(scrolled)
    assert scrolled.heard == ["MouseWheelForwardEvent"] and scrolled.made == [("the view", 3)]


def test_steps_soon_after_are_not_slicers_either(scrolled):
    """Else every turn of a long flick would draw the views twice."""
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    turn(scrolled)
    scrolled.clock[0] += 0.01
    key(scrolled, "Up")
    key(scrolled, "f")
    turn(scrolled)
    assert scrolled.heard == ["MouseWheelForwardEvent"] and scrolled.made == [("the view", 2)]


def test_steps_back_and_forth_draw_nothing(scrolled):
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    scrolled.interactor.InvokeEvent("MouseWheelBackwardEvent")
    turn(scrolled)
    assert scrolled.made == []


def test_other_keys_and_held_keys_are_slicers(scrolled):
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    key(scrolled, "v")
    scrolled.interactor.SetControlKey(1)  # zoom
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    turn(scrolled)
    assert scrolled.heard == ["MouseWheelForwardEvent", "KeyPressEvent", "MouseWheelForwardEvent"]
    assert scrolled.made == []


def test_nothing_is_made_in_a_view_that_is_gone(scrolled):
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    scrolled.listening.forget()
    assert not scrolled.listening.soon.asked
    scrolled.interactor.InvokeEvent("MouseWheelForwardEvent")
    assert scrolled.made == [] and scrolled.heard == ["MouseWheelForwardEvent"] * 2
