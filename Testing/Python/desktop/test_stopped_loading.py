"""Loading that is stopped while the scene is built leaves the scene as it was."""

import copy
import threading
from concurrent.futures import CancelledError

import pytest
import slicer

from PseudoProgressionAnalyzerLib.scene import build
from PseudoProgressionAnalyzerLib.scene.build import prepare, write_patient
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, linked, mark, patient_node


def nodes_of(scene):
    every = [scene.GetNthNode(number) for number in range(scene.GetNumberOfNodes())]
    return {node.GetID() for node in every}


def items_of(scene):
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return tree.GetNumberOfItems()


@pytest.mark.parametrize("after", [1, 4, 12, 18])
def test_nothing_stays_wherever_it_was_stopped(made_session, analysis, after):
    session, scene, cancel, seen = made_session, made_session.application.scene, threading.Event(), []
    mine = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "of the user")
    mine.CreateDefaultDisplayNodes()
    before, items = nodes_of(scene), items_of(scene)

    def event():
        if patient_node(scene) is not None:
            seen.append(scene.GetNumberOfNodes())
        if len(seen) >= after:
            cancel.set()

    session.events.append(event)
    with pytest.raises(CancelledError):
        session._build_new(analysis, session.epoch, cancel)
    session.events.clear()
    assert len(seen) == after, "it ended at once"
    assert max(seen) > len(before)
    assert nodes_of(scene) == before
    assert items_of(scene) == items
    assert session.analysis is None
    session._build_new(analysis, session.epoch)  # and may be loaded after all
    assert linked(patient_node(scene), Kind.IMAGE)


@pytest.mark.parametrize("after", [1, 4, 12, 18])
@pytest.mark.parametrize("patient", [True, False])
def test_what_is_half_loaded_is_no_patient_where_a_scene_is_added(made_session, analysis, patient, after):
    """The panel opens the patient of the scene as soon as the other nodes are there: never the half of one."""
    session, scene, seen, opened, ours = made_session, made_session.application.scene, [], [], []
    other = copy.deepcopy(analysis)
    other.patient.id = "other"
    before, items = nodes_of(scene), items_of(scene)

    def event():
        if patient_node(scene) is not None:
            seen.append(scene.GetNumberOfNodes())
        if len(seen) != after or opened:
            return
        added = scene.AddNewNodeByClass("vtkMRMLTextNode", "added")
        if patient:
            mark(added, kind=Kind.PATIENT)
            write_patient(added, other)
        ours.append(added.GetID())
        session.forget()  # as the panel does
        opened.append(session.analysis and session.analysis.patient.id)

    session.events.append(event)
    with pytest.raises(CancelledError):
        session._build_new(analysis, session.epoch)
    session.events.clear()
    assert opened == ["other" if patient else None]
    assert nodes_of(scene) - before == set(ours)
    assert items_of(scene) <= items + 1
    assert (session.analysis and session.analysis.patient.id) == opened[0]


def test_a_patient_that_came_meanwhile_stays(made_session, analysis):
    """What was stopped was another one."""
    session, cancel = made_session, threading.Event()
    session._build_new(analysis, session.epoch)
    before = nodes_of(session.application.scene)
    with pytest.raises(Exception, match="scene_has_patient"):
        session._build_new(analysis, session.epoch, cancel)
    assert nodes_of(session.application.scene) == before
    assert session.analysis is analysis


def test_files_are_looked_through_no_further(analysis, monkeypatch):
    read = []
    monkeypatch.setattr(build, "_files_of", lambda series: (series,))
    monkeypatch.setattr(build, "checksum", lambda *paths: read.append(paths))

    class Named(str):
        path = property(lambda self: str(self))

    monkeypatch.setattr(build, "_on_disk", lambda analysis: [("visit", Named(name)) for name in "abc"])
    with pytest.raises(CancelledError):
        prepare(analysis, {}, lambda: len(read) == 1)
    assert len(read) == 1
