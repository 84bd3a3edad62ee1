"""A scene with a patient opens with the module, also before anybody has chosen it; no other scene does."""

import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

from PseudoProgressionAnalyzerLib.desktop.opening import Opening
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, mark


def saved(folder, patient):
    """A scene of the folder, with a text that is a patient's or anybody's."""
    scene = application().scene
    text = scene.AddNewNodeByClass("vtkMRMLTextNode", "words")
    text.SetText("{}")
    if patient:
        mark(text, kind=Kind.PATIENT)
    file = folder / f"{patient}.mrml"
    scene.SetURL(str(file))
    assert scene.Commit()
    return str(file)


@pytest.fixture
def waiting(monkeypatch):
    """What Slicer would do in its next turns."""
    works = []
    timer = SimpleNamespace(singleShot=lambda time, work: works.append(work))
    application = SimpleNamespace(activeModalWidget=lambda: None)
    monkeypatch.setitem(sys.modules, "qt", SimpleNamespace(QTimer=timer, QApplication=application))
    return works


@pytest.fixture
def opened(waiting):
    """The scene of a Slicer that has just started, and how often the module was opened with it."""
    scene, told = application().scene, []
    Opening(scene, lambda: told.append(scene.GetNumberOfNodesByClass("vtkMRMLTextNode")))
    return scene, told


def turn(waiting):
    """One turn of the event loop."""
    works = waiting[:]
    waiting.clear()
    for work in works:
        work()


@pytest.mark.parametrize("how", ["Connect", "Import"])
def test_a_scene_with_a_patient_opens_the_module(how, opened, waiting, tmp_path):
    scene, told = opened
    scene.SetURL(saved(tmp_path, patient=True))
    getattr(scene, how)()
    assert told == []  # Slicer is not done with it yet
    turn(waiting)
    assert told == [1]


@pytest.mark.parametrize("how", ["Connect", "Import"])
def test_no_other_scene_does(how, opened, waiting, tmp_path):
    scene, told = opened
    scene.SetURL(saved(tmp_path, patient=False))
    getattr(scene, how)()
    turn(waiting)
    assert told == []


def test_a_patient_that_is_added_to_another_scene_does_once(opened, waiting, tmp_path):
    scene, told = opened
    for patient in (False, True, False):
        scene.SetURL(saved(tmp_path, patient))
        scene.Import()
        turn(waiting)
    assert told == [2]


def test_a_scene_that_was_closed_again_meanwhile_does_not(opened, waiting, tmp_path):
    scene, told = opened
    scene.SetURL(saved(tmp_path, patient=True))
    scene.Connect()
    scene.Clear()
    turn(waiting)
    assert told == [] and waiting == []


def test_it_waits_until_slicer_has_finished_opening(opened, waiting, tmp_path):
    scene, told = opened
    scene.SetURL(saved(tmp_path, patient=True))
    scene.StartState(scene.BatchProcessState)
    scene.Import()
    turn(waiting)
    assert told == []
    scene.EndState(scene.BatchProcessState)
    turn(waiting)
    assert told == [1]


def test_it_waits_for_the_dialog_of_progress(opened, waiting, tmp_path, monkeypatch):
    """Of Add Data, which lets timers have their turn while it reads."""
    scene, told = opened
    scene.SetURL(saved(tmp_path, patient=True))
    with monkeypatch.context() as during:
        during.setattr(sys.modules["qt"].QApplication, "activeModalWidget", lambda: "progress")
        scene.Import()
        turn(waiting)
        assert told == []
    turn(waiting)
    assert told == [1]


def test_a_scene_that_was_opened_while_slicer_started_does_too(waiting):
    scene, told = application().scene, []
    mark(scene.AddNewNodeByClass("vtkMRMLTextNode"), kind=Kind.PATIENT)
    Opening(scene, lambda: told.append(True))
    turn(waiting)
    assert told == [True]
