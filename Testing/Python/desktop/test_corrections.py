"""The panel's corrections through the session: numbers and scene follow, and come back when they are taken back."""

import datetime

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.change_maps import change_map
from PseudoProgressionAnalyzerLib.measures import Event, Image, InputError
from PseudoProgressionAnalyzerLib.patient import editing
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.candidates import candidates
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, patient_node
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.table import read_table
from PseudoProgressionAnalyzerLib.scene.timeline_rows import Row, shown_rows

FIRST, SECOND = "2023-01-10", "2023-03-01"


@pytest.fixture
def computed(session):
    """With the response maps, which the fixture calls finished and has not made."""
    steps = {step for step in session.analysis.finished if step[0] == "step_response_maps"}
    session.analysis.finished -= steps
    session.compute()
    return session


def numbers(session):
    return {
        (row.visit, row.region, row.kind, row.drawn_in, row.name, row.compared_to): row.value
        for row in session.analysis.measurements
    }


def node_ids(session):
    scene = session.application.scene
    return {scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())}


def in_the_scene(session):
    node = find(patient_node(session.application.scene), Kind.MEASUREMENTS)
    return {row.visit for row in read_table(node)}


def test_a_visit_left_out_and_taken_back(computed):
    before = numbers(computed)
    ids = {
        computed.application.scene.GetNthNode(n).GetID() for n in range(computed.application.scene.GetNumberOfNodes())
    }
    computed.correct(lambda patient: editing.leave_out(patient, SECOND))
    assert {key[0] for key in numbers(computed)} == in_the_scene(computed) == {FIRST}
    assert not [key for key in numbers(computed) if key[5]]  # no change is left to compare with
    assert [found.as_of for found in computed.analysis.assessments] == [FIRST]
    assert ids <= node_ids(computed)
    computed.take_back()
    assert numbers(computed).keys() == before.keys()
    for key, value in before.items():
        assert numbers(computed)[key] == (value if value is None else pytest.approx(value, rel=1e-6)), key
    computed.take_back()  # nothing more to take back
    assert numbers(computed).keys() == before.keys()


def test_what_is_in_the_scene_is_what_was_corrected(computed):
    computed.correct(lambda patient: editing.set_date(patient, SECOND, datetime.date(2023, 4, 1)))
    again = read_scene(computed.application.scene).analysis
    assert again.patient == computed.analysis.patient
    assert again.patient.day(again.patient.visit(SECOND)) == 121  # from 2022-12-01, counted on a calendar


def test_events_move_no_number(computed):
    before = list(computed.analysis.measurements)
    end = Event("radiotherapy", datetime.date(2022, 10, 1), datetime.date(2022, 11, 1))
    computed.correct(lambda patient: editing.set_events(patient, [end]))
    own = [row for row in before if row.kind != "followed"]
    assert [row for row in computed.analysis.measurements if row.kind != "followed"] == own
    assert [found.as_of for found in computed.analysis.assessments] == [FIRST, SECOND]


def test_a_wrong_correction_changes_nothing(computed):
    before = computed.analysis.patient
    with pytest.raises(InputError):
        computed.correct(lambda patient: editing.set_events(patient, [Event("magic", None)]))
    assert computed.analysis.patient is before
    assert computed.analysis.measurements


def test_a_change_is_a_row_of_the_timeline(computed):
    computed.analysis.alignment.update({FIRST: {"uncertainty": 0.0}, SECOND: {"uncertainty": 0.4}})
    computed.show_change(FIRST, SECOND, "T1CE")
    patient = patient_node(computed.application.scene)
    assert Row("T1CE", "T1CE_change") in shown_rows(patient)
    (node,) = linked(patient, Kind.CHANGE)
    expected = change_map(computed.analysis, FIRST, SECOND, "T1CE")
    assert np.array_equal(nodes.get_image(node).array, expected.array, equal_nan=True)
    computed.analysis.alignment[SECOND]["uncertainty"] = 9.0
    with pytest.raises(InputError):
        computed.show_change(FIRST, SECOND, "T1CE")


def test_volumes_of_the_scene_become_a_patient(made_session):
    scene = made_session.application.scene
    random = np.random.default_rng(2)
    for number in (1, 2):
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"T1CE {number}")
        nodes.set_image(node, Image(random.random((8, 9, 10), dtype=np.float32), np.diag([2.0, 2, 2, 1])))
    chosen = candidates(scene)
    made_session.adopt(chosen)
    assert [visit.id for visit in made_session.analysis.patient.visits] == ["visit 1", "visit 2"]
    assert made_session.analysis.given == {}
    with pytest.raises(InputError):  # one patient at a time
        made_session.adopt(chosen)
    made_session.forget()
    assert set(made_session.analysis.images) == {("visit 1", "T1CE"), ("visit 2", "T1CE")}
    made_session.correct(lambda patient: editing.set_date(patient, "visit 1", datetime.date(2023, 1, 1)))
    assert [visit.date for visit in made_session.analysis.patient.visits] == [datetime.date(2023, 1, 1), None]
