"""What the buttons of "Lesions and response" do: proposals, lines, statements and choices, each kept in the patient."""

import threading
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.lesions import follow_lesions
from PseudoProgressionAnalyzerLib.measures import PURPOSES, Image, InputError, Map, Series
from PseudoProgressionAnalyzerLib.scene import proposals
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked, patient_node
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_mask, segment_of

FIRST, SECOND = "2023-01-10", "2023-03-01"


@pytest.fixture
def work(session):
    """The work on a computed patient whose lesions stand out in T1CE."""
    from PseudoProgressionAnalyzerLib.desktop.lesion_work import LesionWork

    for visit in (FIRST, SECOND):
        values = session.analysis.images[visit, "T1CE"].array
        values[session.analysis.regions[visit, "lesion"].array] += 20
    session.analysis.finished -= {("step_lesions", ""), ("step_responses", "")}
    session.compute()
    return LesionWork(session)


def silent(message, share):
    """No progress display."""


def lesion(session, visit):
    return next(found for found in session.analysis.lesions if found.visit == visit)


def test_a_click_a_proposal_and_its_acceptance(work, session):
    drawn = session.analysis.regions[SECOND, "lesion"].array.copy()
    centre = np.argwhere(drawn).mean(axis=0)[::-1] * 2.0
    before = lesion(session, SECOND).tracked.volume.value
    assert work.propose(SECOND, centre.tolist(), silent, threading.Event()) == ()
    assert work.proposed(SECOND)
    assert lesion(session, SECOND).tracked.volume.value == before, "a proposal is not measured"
    work.accept(SECOND)
    assert not work.proposed(SECOND)
    assert (session.analysis.regions[SECOND, "lesion"].array & drawn).sum() == drawn.sum()
    work.propose_from_before(SECOND, silent, threading.Event())
    work.reject(SECOND)
    assert not work.proposed(SECOND)


def test_another_limit_changes_the_proposal_that_is_there(work, session):
    def size():
        node, _ = proposals.proposal_of(patient_node(session.application.scene), SECOND)
        return segment_mask(node, segment_of(node, proposals.NAME)).array.sum()

    assert work.propose_again(SECOND, 2.0, silent, threading.Event()) == (), "nothing is proposed yet"
    lesion_ = session.analysis.regions[SECOND, "lesion"].array
    session.analysis.images[SECOND, "T1CE"].array[lesion_ & (np.indices(lesion_.shape)[2] > 8)] -= 15
    centre = np.argwhere(lesion_).min(axis=0)[::-1] * 2.0 + 4
    work.limit = 1.0
    work.propose(SECOND, centre.tolist(), silent, threading.Event())
    whole = size()
    work.propose_again(SECOND, 30.0, silent, threading.Event())
    assert 0 < size() < whole


def test_nothing_to_propose_is_said(work, session):
    with pytest.raises(InputError) as error:
        work.propose_from_before(FIRST, silent, threading.Event())
    assert error.value.message.code == "proposal_nothing_before"
    (flag,) = work.propose(SECOND, [45.0, 45.0, 2.0], silent, threading.Event())
    assert flag.code == "lesion_proposal_nothing"
    assert not work.proposed(SECOND)
    session.analysis.visit_to_reference.pop(SECOND)
    with pytest.raises(InputError) as error:
        work.propose(SECOND, [0.0, 0.0, 0.0], silent, threading.Event())
    assert error.value.message.code == "proposal_not_aligned"


def test_moved_lines_count_once_they_are_taken(work, session):
    assert not work.take_lines()
    node = find(patient_node(session.application.scene), Kind.LINE, SECOND, "L1 reader longest")
    measured = lesion(session, SECOND).outline.lines["reader"].longest
    first, second = (np.array(node.GetNthControlPointPosition(number)) for number in range(2))
    node.SetNthControlPointPosition(1, *(first + 2 * (second - first)))
    assert work.take_lines()
    assert lesion(session, SECOND).outline.lines["reader"].longest == pytest.approx(2 * measured)
    work.measured_lines(SECOND)
    assert lesion(session, SECOND).outline.lines["reader"].longest == pytest.approx(measured)


def test_statements_are_events_of_the_day_and_stay_in_the_scene(work, session):
    assert work.stated(SECOND, "reading", "new_lesion") is None
    work.state(SECOND, "reading", new_lesion=False, all_lesions_drawn=True)
    work.state(SECOND, "dexamethasone", dose_mg_per_day=4.0)
    assert work.stated(SECOND, "reading", "new_lesion") is False
    found = read_scene(session.application.scene).analysis
    event = next(event for event in found.patient.events if event.kind == "reading")
    assert event.details == {"new_lesion": False, "all_lesions_drawn": True}
    assert found.response == session.analysis.response
    work.state(SECOND, "reading", new_lesion=None, all_lesions_drawn=None)
    assert work.stated(SECOND, "reading", "new_lesion") is None
    assert not any(event.kind == "reading" for event in session.analysis.patient.events)
    session.analysis.patient.visits[1].date = None
    with pytest.raises(InputError) as error:
        work.state(SECOND, "reading", new_lesion=True)
    assert error.value.message.code == "reading_needs_date"


def test_choices_change_the_response_or_nothing(work, session):
    work.choose(baseline=FIRST, tumour="mixed")
    assert session.analysis.response.of(SECOND, "RANO_2.0").volume.baseline == FIRST
    assert read_scene(session.application.scene).analysis.choices == session.analysis.choices
    with pytest.raises(InputError):
        work.choose(baseline="nobody")
    assert session.analysis.choices.settings.baseline == FIRST
    assert session.analysis.choices.tumour == "mixed"


def said(session, visit, name):
    date = session.analysis.patient.visit(visit).date
    events = session.analysis.patient.events
    return next((e.details.get(name) for e in events if (e.kind, e.date) == ("reading", date)), None)


def inputs(session, visit):
    from PseudoProgressionAnalyzerLib.analysis.responding import course

    return next(one for one in course(session.analysis).visits if one.visit == visit).lesions


def test_targets_and_what_is_no_tumour_are_chosen_in_place_and_taken_back(work, session):
    name = lesion(session, FIRST).lesion
    assert inputs(session, FIRST)[0].target is None
    work.choose_target(FIRST, name, True)
    assert said(session, FIRST, "targets") == [name]
    assert inputs(session, FIRST)[0].target is True
    work.take_for(FIRST, name, "postoperative_blood")
    assert inputs(session, FIRST)[0].not_tumour == "postoperative_blood"
    assert read_scene(session.application.scene).analysis.patient.events == session.analysis.patient.events
    session.take_back()
    assert inputs(session, FIRST)[0].not_tumour == ""
    assert said(session, FIRST, "targets") == [name], "only the last choice was taken back"
    work.choose_target(FIRST, name, False)
    assert said(session, FIRST, "targets") is None, "none chosen: each criterion chooses its own"
    work.take_for(FIRST, name, "infection")
    work.take_for(FIRST, name, "")
    assert said(session, FIRST, "not_tumour") is None


def draw_rim(session):
    """A free region in the first visit."""
    node, segment = session.add_region(FIRST, "free", "rim")
    anatomy = session.analysis.images[FIRST, "T1CE"]
    mask = np.zeros(anatomy.shape, bool)
    mask[4:8, 5:9, 5:10] = True
    put_segment(node, "rim", "free", Image(mask, anatomy.affine))
    session.remeasure(node, segment)


def test_a_region_is_proposed_in_the_next_visit_with_its_purpose(work, session):
    draw_rim(session)
    session.change_region(FIRST, "rim", purpose="necrosis")
    assert work.propose_region("rim", FIRST)[0] == SECOND
    assert work.proposed(SECOND)
    assert (SECOND, "rim") not in session.analysis.regions, "a proposal is not measured"
    work.accept(SECOND)
    region = next(one for one in session.analysis.patient.regions if (one.visit, one.name) == (SECOND, "rim"))
    assert (region.purpose, region.carried) == ("necrosis", False)
    assert session.analysis.regions[SECOND, "rim"].array.sum() > 0
    assert read_scene(session.application.scene).analysis.patient.regions == session.analysis.patient.regions
    with pytest.raises(InputError) as error:
        work.propose_region("rim", FIRST)
    assert error.value.message.code == "proposal_there"
    with pytest.raises(InputError) as error:
        work.propose_region("rim", SECOND)
    assert error.value.message.code == "proposal_no_visit_after"


def test_a_waiting_lesion_is_not_overwritten_by_a_proposed_region(work, session):
    draw_rim(session)
    centre = np.argwhere(session.analysis.regions[SECOND, "lesion"].array).mean(axis=0)[::-1] * 2.0
    work.propose(SECOND, centre.tolist(), silent, threading.Event())
    patient = patient_node(session.application.scene)
    assert work.proposed(SECOND) and not work.region_proposed(SECOND), "the buttons of Regions leave it alone"
    with pytest.raises(InputError) as error:
        work.propose_region("rim", FIRST)
    assert error.value.message.code == "proposal_waiting"
    assert np.allclose(proposals.proposal_of(patient, SECOND)[1], [centre])
    work.reject(SECOND)
    work.propose_region("rim", FIRST)
    assert work.region_proposed(SECOND)
    work.propose_region("rim", FIRST)  # the same again


@pytest.mark.parametrize("purpose", [one for one in PURPOSES if one != "reference"])
def test_a_region_can_be_anything_and_back(work, session, purpose):
    volume = lesion(session, FIRST).tracked.volume.value
    session.change_region(FIRST, "lesion", purpose=purpose)
    session.settle()
    followed = [one for one in session.analysis.lesions if one.visit == FIRST and one.outline is not None]
    rows = [row for row in session.analysis.measurements if (row.visit, row.kind) == (FIRST, "own")]
    assert bool(rows) == (purpose == "lesion")
    assert bool(followed) == (purpose in ("lesion", "non_enhancing"))
    session.change_region(FIRST, "lesion", purpose="lesion")
    session.settle()
    assert lesion(session, FIRST).tracked.volume.value == volume


def test_lines_follow_a_stroke_once_it_is_judged_and_go_with_their_lesion(work, session):
    def ends():
        patient = patient_node(session.application.scene)
        return [node for node in linked(patient, Kind.LINE) if marked(node, "visit") == SECOND]

    patient = patient_node(session.application.scene)
    node = find(patient, Kind.LESION, SECOND)
    mask = session.analysis.regions[SECOND, "lesion"]
    larger = mask.array | np.roll(mask.array, 4, axis=2)
    put_segment(node, "lesion", "lesion", Image(larger, mask.affine))
    session.remeasure(node, segment_of(node, "lesion"))
    session.settle()
    (longest,) = [line for line in ends() if marked(line, "name").endswith("reader longest")]
    outline = lesion(session, SECOND).outline.lines["reader"]
    assert longest.GetMeasurement("length").GetValue() == pytest.approx(outline.longest, abs=0.01)
    node.GetSegmentation().RemoveSegment(segment_of(node, "lesion"))
    session.remeasure(node, "")
    session.settle()
    assert ends() == []


def test_a_dose_is_kept_in_the_scene_and_follows_the_prescription(work, session):
    """60 Gy in one half of the lesion, 30 Gy in the other: half of it lies within the 48 Gy isodose."""
    analysis, anatomy = session.analysis, session.analysis.images[FIRST, "T1CE"]
    gray = np.full(anatomy.shape, 30.0, np.float32)
    drawn = analysis.regions[FIRST, "lesion"].array
    columns = np.flatnonzero(drawn.any(axis=(0, 1)))
    gray[..., : columns[len(columns) // 2]] = 60.0
    analysis.maps[FIRST, "RTDOSE"] = Map(gray, anatomy.affine, "RTDOSE", "Gy", "planned dose")
    analysis.series_to_visit[FIRST, "RTDOSE"] = np.eye(4)
    analysis.patient.visit(FIRST).series.append(Series("RTDOSE", Path("dose.nii"), {"Units": "Gy"}))
    events = analysis.patient.events
    next(event for event in events if event.kind == "radiotherapy").details["dose_gray"] = 60.0
    session.assess()
    assert lesion(session, FIRST).outline.beside["high_dose_fraction"] == pytest.approx(0.5)
    build_scene(session.application, analysis)
    again = read_scene(session.application.scene).analysis
    np.testing.assert_array_equal(again.maps[FIRST, "RTDOSE"].array, gray)
    assert again.maps[FIRST, "RTDOSE"].unit == "Gy"
    again.outlines = {}
    follow_lesions(again)
    found = next(one for one in again.lesions if one.visit == FIRST)
    assert found.outline.beside["high_dose_fraction"] == pytest.approx(0.5)


@pytest.mark.parametrize("how", ["beside", "while judging", "settle", "compute"])
def test_a_line_that_nobody_took_counts_with_whatever_is_judged_next(work, session, how):
    """Also where no section watches lines, and where it is moved while older lines are judged."""
    scene, analysis = session.application.scene, session.analysis
    node = find(patient_node(scene), Kind.LINE, SECOND, "L1 reader longest")
    assert not session.unsettled
    first, second = (np.array(node.GetNthControlPointPosition(number)) for number in range(2))

    def move():
        node.SetNthControlPointPosition(1, *(first + 2 * (second - first)))

    def draw():
        lesions, mask = find(patient_node(scene), Kind.LESION, SECOND), analysis.regions[SECOND, "lesion"]
        larger = mask.array | np.roll(mask.array, 1, axis=0)
        put_segment(lesions, "lesion", "lesion", Image(larger, mask.affine))
        session.remeasure(lesions, segment_of(lesions, "lesion"))

    if how == "beside":
        move()
        draw()
        assert session.accept(session.judging()())
    elif how == "while judging":
        draw()
        judged = session.judging()()
        move()
        session.accept(judged)
        assert session.unsettled
        session.settle()
    else:
        move()
        assert session.unsettled, "before the scene is saved, and before a report"
        session.settle() if how == "settle" else session.compute()
    assert not session.unsettled
    drawn = 2 * np.linalg.norm(second - first)
    assert node.GetMeasurement("length").GetValue() == pytest.approx(drawn, abs=0.01)
    assert lesion(session, SECOND).outline.lines["reader"].longest == pytest.approx(drawn, abs=0.01)
    assert lesion(session, SECOND).by_reader == ("reader",)
