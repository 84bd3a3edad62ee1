"""The panel between long work, strokes and scenes that come and go; of Qt and of the widgets only what it calls."""

import contextlib
import copy
import sys
import threading
from concurrent.futures import CancelledError
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.scene import timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked, patient_node
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_of

SECOND = "2023-03-01"
VOXEL = 0.008  # mL


class Widgets(ModuleType):
    """A module that has a class of any name."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *parts, **more: None})


class Section:
    """A section that notes what it is told."""

    def __init__(self, told):
        self.editors = SimpleNamespace(tell=lambda: None)
        self.held = False
        for name in ("open", "close", "refresh", "measured", "settled"):
            setattr(self, name, lambda name=name: told.append(name))

    def hold(self, held):
        self.held = held

    def enable(self, busy):
        """Nothing to switch."""


@pytest.fixture
def later():
    """What timers of one shot will call."""
    return []


@pytest.fixture
def made_panel(made_session, monkeypatch, later):
    """A panel of one section around a session without a patient; ``told`` is what its section and timer hear."""
    import slicer

    qt = Widgets("qt")
    qt.QTimer = SimpleNamespace(singleShot=lambda wait, work: later.append(work))
    i18n, util = ModuleType("slicer.i18n"), Widgets("slicer.util")
    i18n.tr = lambda text: text
    util.errorDisplay = lambda *parts, **more: None
    for name, module in (("qt", qt), ("slicer.i18n", i18n), ("slicer.util", util)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(slicer, "util", util, False)
    monkeypatch.setattr(slicer, "mrmlScene", made_session.application.scene, False)
    from PseudoProgressionAnalyzerLib.desktop import panel as module

    monkeypatch.setattr(module, "qt", qt)  # also where another test imported it before
    monkeypatch.setattr(module, "slicer", slicer)
    panel, told = module.Panel.__new__(module.Panel), []
    panel.news_holds = None
    panel.told, panel.session, panel.cancel, panel.stale = told, made_session, None, set()
    panel.timer = SimpleNamespace(start=lambda: told.append("timer"), stop=lambda: None)
    panel.sections = {"regions": Section(told)}
    panel.ui = SimpleNamespace(
        regionsSection=SimpleNamespace(collapsed=False, enabled=True),
        progressLabel=SimpleNamespace(text=""),
        progressBar=SimpleNamespace(),
        cancelButton=SimpleNamespace(),
    )
    panel.beside = SimpleNamespace(
        start=lambda work, done: setattr(panel, "started", (work, done)),
        forget=lambda: None,
        sheltered=contextlib.nullcontext,
    )
    return panel


@pytest.fixture
def panel(made_panel, analysis):
    """With a computed patient."""
    build_scene(made_panel.session.application, analysis)
    made_panel.session.compute()
    return made_panel


def draw(session, mask):
    """A stroke into the lesion of the second visit."""
    node = find(patient_node(session.application.scene), Kind.LESION, SECOND)
    put_segment(node, "lesion", "lesion", Image(mask, session.analysis.images[SECOND, "T1CE"].affine))
    return node, segment_of(node, "lesion")


def volume(session):
    rows = [r for r in session.analysis.measurements if (r.visit, r.name, r.kind) == (SECOND, "volume", "own")]
    return next(row.value for row in rows if not row.compared_to)


@pytest.fixture
def mask(panel, grown):
    """The lesion of the second visit, a little larger."""
    return grown(panel.session.analysis.regions[SECOND, "lesion"].array)


def test_long_work_beside_long_work_is_refused(panel):
    from PseudoProgressionAnalyzerLib.desktop.panel import BusyError

    seen = {}
    with panel.long_work() as (_, cancel):  # what is raised in here ends here: looked at afterwards
        try:
            with panel.long_work():
                seen["ran"] = True
        except BusyError:
            held, folds = panel.sections["regions"].held, panel.ui.regionsSection.enabled
            seen["refused"] = panel.busy, held, folds, panel.ui.progressLabel.text
        panel.stop()
        seen["stopped"] = cancel.is_set()
    assert seen["refused"][:3] == (True, True, True)  # a section can be folded while what it changes is off
    assert "Other work" in seen["refused"][3]
    assert seen["stopped"] and "ran" not in seen
    assert not panel.busy and not panel.sections["regions"].held


@pytest.mark.parametrize(
    ("asked", "expected"),
    [({}, [True, True]), ({"stoppable": False}, [False, False]), ({"drawing": True}, [True, False])],
)
def test_cancel_and_bar_are_offered_only_where_they_mean_something(panel, asked, expected):
    seen = []
    with panel.long_work(**asked):
        panel.refresh()  # as while a patient is shown
        seen += [panel.ui.cancelButton.visible, panel.ui.progressBar.visible, panel.ui.progressLabel.text != ""]
    assert seen == [*expected, True]
    assert not panel.ui.cancelButton.visible and not panel.ui.progressBar.visible


def shown_patient(panel, stop):
    """A patient that was just loaded; the drawing of its views is stopped at this view, if any."""
    timeline.hide(panel.session.application)
    views = []

    def event():
        views.append(len(timeline.view_nodes(panel.session.application)))
        if views[-1] == stop:
            panel.stop()

    panel.session.events.append(event)
    panel.ui.timelineCheckBox = SimpleNamespace(checked=False)
    panel.show_patient()
    return views


def test_drawing_after_loading_can_be_stopped_and_the_patient_stays(panel):
    views = shown_patient(panel, stop=2)
    assert max(views) < 8  # not all were made
    assert panel.session.analysis is not None
    assert not timeline.view_nodes(panel.session.application) and not panel.ui.timelineCheckBox.checked
    assert "Visits loaded: 2. Show the visits side by side in Timeline." in panel.ui.progressLabel.text
    panel.session.events.clear()
    panel.session.show_timeline(True)
    assert timeline.is_shown(panel.session.application)


def test_drawing_that_nobody_stops_ends_with_the_timeline(panel):
    shown_patient(panel, stop=-1)
    assert timeline.is_shown(panel.session.application) and panel.ui.timelineCheckBox.checked
    assert "side by side" not in panel.ui.progressLabel.text


def test_news_goes_when_it_does_not_hold_any_more(panel):
    holds = [True]
    panel.say("a row is shown", lambda: holds[0])
    panel.timeline_changed()
    assert panel.ui.progressLabel.text == "a row is shown"
    holds[0] = False
    panel.timeline_changed()
    assert panel.ui.progressLabel.text == ""
    panel.say("saved")
    panel.timeline_changed()
    assert panel.ui.progressLabel.text == "saved"


@pytest.mark.parametrize("happens", ["stroke", "as_of"])
def test_news_goes_with_the_next_stroke_or_another_visit_to_look_from(panel, mask, happens):
    """What was done, and what to do next, is news of what was there then."""
    panel.say("saved")
    panel.timeline_changed()
    assert panel.ui.progressLabel.text == "saved"
    if happens == "stroke":
        panel.stroke([draw(panel.session, mask)])
    else:
        first = panel.session.analysis.assessments[0].as_of
        assert first != panel.session.as_of
        panel.session.choose_as_of(first)
        panel.freshen()
    assert panel.ui.progressLabel.text == ""


def test_a_tick_is_refused_and_goes_back_while_work_runs(panel, later):
    section, seen = panel.sections["regions"], []
    assert not panel.refuses_tick(section) and not later
    with panel.long_work():
        seen.append(panel.refuses_tick(section))
    assert seen == [True] and later == [section.refresh]


def test_what_was_being_done_is_not_said_after_it(panel):
    from PseudoProgressionAnalyzerLib.measures import Message

    panel.say("an old line")
    with panel.long_work() as (show, _):
        show(Message("step_read", {"visit": SECOND}), 0.3)
    assert panel.ui.progressLabel.text == ""
    with panel.long_work() as (show, _):
        show(Message("step_finished"), 1.0)
    assert panel.ui.progressLabel.text == "Finished"


def test_cancel_that_comes_too_late_is_said(panel):
    with panel.long_work():
        panel.stop()
    assert "finished" in panel.ui.progressLabel.text


def test_no_bar_and_no_cancel_stand_behind_the_dialog_of_an_error(panel, monkeypatch):
    import slicer

    def dialog(text, **more):
        seen.append((text, panel.busy, panel.ui.progressBar.visible, panel.ui.cancelButton.visible))

    seen = []
    monkeypatch.setattr(slicer.util, "errorDisplay", dialog, False)
    with panel.long_work():
        raise ValueError("no such visit")
    assert seen == [("no such visit", False, False, False)]
    assert panel.ui.progressLabel.text == "no such visit"


def test_all_that_is_to_be_mended_in_a_folder_is_said_at_once(made_panel, monkeypatch, tmp_path):
    """A folder whose name is no date and an image that is none: not one after the other, with a reading between."""
    import slicer

    shown = []
    monkeypatch.setattr(slicer.util, "errorDisplay", shown.append, False)
    (tmp_path / "2023-13-45").mkdir()
    (tmp_path / "2023-05-08").mkdir()
    (tmp_path / "2023-05-08" / "T1CE.nii.gz").write_text("nothing")
    with made_panel.long_work() as (show, cancel):
        made_panel.session.load(tmp_path, show, cancel)
    assert [text in shown[0] for text in ("2023-13-45", "T1CE.nii.gz")] == [True, True]
    assert len(shown) == 1
    assert "T1CE.nii.gz" not in made_panel.ui.progressLabel.text  # one line


def test_strokes_during_work_that_measures_nothing_are_measured_after_it(panel, mask):
    with panel.long_work():  # a report, a curve, the timeline
        panel.stroke([draw(panel.session, mask)])
        during = volume(panel.session)
    assert during != pytest.approx(mask.sum() * VOXEL)
    assert volume(panel.session) == pytest.approx(mask.sum() * VOXEL)
    assert panel.session.unsettled
    assert panel.told[-1] == "timer"


def test_a_stroke_while_the_scene_is_built_is_measured(panel, mask, monkeypatch):
    from PseudoProgressionAnalyzerLib.desktop.session import building

    built = building.prepare

    def prepare(*parts):
        panel.session.take(*draw(panel.session, mask))
        return built(*parts)

    monkeypatch.setattr(building, "prepare", prepare)
    with panel.long_work():
        panel.session.compute()
    assert volume(panel.session) == pytest.approx(mask.sum() * VOXEL)
    assert panel.session.unsettled


def test_a_segment_that_is_gone_is_not_measured(panel, mask):
    with panel.long_work():
        node, segment = draw(panel.session, mask)
        panel.stroke([(node, segment)])
        node.GetSegmentation().RemoveSegment(segment)
        panel.stroke([(node, "")])
    assert not [r for r in panel.session.analysis.measurements if (r.visit, r.kind) == (SECOND, "own")]


@pytest.mark.parametrize("busy", ["when judged", "when the pen rests"])
def test_what_long_work_kept_from_being_judged_is_judged_after_it(panel, mask, busy):
    panel.stroke([draw(panel.session, mask)])
    if busy == "when judged":
        panel._rested()
        work, done = panel.started
        judged = work()
    panel.told.clear()
    with panel.long_work():
        if busy == "when judged":
            done(judged)
        else:
            panel._rested()
    assert panel.session.unsettled
    assert panel.told == ["timer"]
    panel._rested()
    work, done = panel.started
    done(work())
    assert not panel.session.unsettled
    assert panel.told[-1] == "settled"


def test_what_is_judged_beside_goes_when_long_work_begins(panel, mask, monkeypatch):
    """It would come back after a correction, with the numbers of before."""
    panel.stroke([draw(panel.session, mask)])
    panel._rested()
    monkeypatch.setattr(panel.beside, "forget", lambda: setattr(panel, "started", None))
    seen = []
    with panel.long_work():
        seen.append(panel.started)
    assert seen == [None]
    assert panel.told[-1] == "timer" and panel.session.unsettled  # and is judged again


def test_nothing_stays_off_after_work_where_a_section_could_not_show_what_it_made(panel, mask, monkeypatch):
    panel.stroke([draw(panel.session, mask)])

    def broken():
        raise ValueError("no table")

    monkeypatch.setattr(panel.sections["regions"], "settled", broken)
    with panel.long_work():
        panel.session.accept(panel.session.judging()())
    assert panel.ui.progressLabel.text == "no table"
    assert not panel.busy and not panel.sections["regions"].held


def test_sections_hear_of_what_settling_judged(panel, mask):
    panel.stroke([draw(panel.session, mask)])
    panel.told.clear()
    panel.settle()
    assert not panel.session.unsettled
    assert panel.told == ["settled"]


def test_sections_hear_of_what_a_report_judged(panel, mask):
    panel.stroke([draw(panel.session, mask)])
    panel.told.clear()
    with panel.long_work():
        panel.session.accept(panel.session.judging()())
    assert panel.told == ["settled"]


def test_a_scene_that_is_opened_during_work_stops_it_and_says_so(panel, monkeypatch):
    monkeypatch.setattr(panel, "restore_timeline", lambda shown: None)
    with panel.long_work() as (_, cancel):
        panel.scene_opened(False)
    assert cancel.is_set()
    assert "dropped" in panel.ui.progressLabel.text


def test_what_was_computed_for_another_scene_is_dropped_and_said(panel, monkeypatch):
    panel.session.events.append(panel.session.forget)
    panel.session.analysis.finished -= {("step_measure", "")}
    finished = []
    with panel.long_work() as (show, cancel):
        panel.session.compute(show, cancel)
        finished.append("compute")
    assert finished == []
    assert "dropped" in panel.ui.progressLabel.text


def test_the_timeline_is_restored_once_slicer_has_opened_the_scene(panel, later, monkeypatch):
    shown = []
    monkeypatch.setattr(panel.session, "show_timeline", lambda on, opened: shown.append((on, panel.busy)))
    scene = panel.session.application.scene
    scene.StartState(scene.ImportState)
    panel.restore_timeline(True)
    later.pop()()
    assert shown == []
    scene.EndState(scene.ImportState)
    with panel.long_work():
        later.pop()()
    assert shown == []
    later.pop()()
    assert shown == [(True, True)]
    panel.restore_timeline(True)
    panel.session.forget()  # closed before its turn
    later.pop()()
    assert len(shown) == 1


def test_that_nothing_was_loaded_is_still_said_once_the_added_scene_is_drawn(panel, later, monkeypatch):
    monkeypatch.setattr(panel.session, "show_timeline", lambda on, opened: None)
    with panel.long_work():
        panel.restore_timeline(True)
    panel.say("nothing was loaded")
    later.pop()()
    assert panel.ui.progressLabel.text == "nothing was loaded"


def test_errors_of_work_beside_are_shown(made_panel, monkeypatch):
    from PseudoProgressionAnalyzerLib.desktop import beside as module

    seen = []

    @contextlib.contextmanager
    def errors():
        try:
            yield
        except InputError as error:
            seen.append(error)

    beside = module.Beside.__new__(module.Beside)
    beside.errors, beside.timer, beside.thread = errors, SimpleNamespace(stop=lambda: None), None
    beside.lock, beside.ended = threading.Lock(), threading.Event()
    monkeypatch.setattr(module.qt, "QApplication", SimpleNamespace(mouseButtons=lambda: 0), False)
    beside.done = lambda result: seen.append("done")

    class Failed:
        cancel = lambda self: False  # noqa: E731

        def result(self):
            raise InputError("scene_without_patient")

    beside.future = Failed()
    monkeypatch.setattr(module, "wait", lambda futures, timeout: SimpleNamespace(done=futures))
    beside._slice()
    assert [type(each) for each in seen] == [InputError]


def test_closing_the_panel_stops_what_runs(panel):
    with panel.long_work() as (_, cancel):
        panel.close()
    assert cancel.is_set()


def test_a_stroke_is_judged_before_the_assessment_is_saved(panel, mask, tmp_path):
    panel.stroke([draw(panel.session, mask)])
    panel.session.save_assessment(tmp_path / "first.json")
    panel.session.assess()
    panel.session.save_assessment(tmp_path / "again.json")
    assert (tmp_path / "first.json").read_text() == (tmp_path / "again.json").read_text()


@pytest.mark.parametrize("how", ["loaded", "opened", "closed"])
def test_two_patients_are_never_mixed(made_session, analysis, monkeypatch, how):
    """While one patient is read, another is loaded, or a scene with one is opened, or the scene is closed."""
    from PseudoProgressionAnalyzerLib.desktop.session import building, loading

    other = copy.deepcopy(analysis)
    other.patient.id = "other"
    queue = [analysis, other]
    monkeypatch.setattr(loading, "start", lambda patient: queue.pop(0))
    monkeypatch.setattr(building, "run", lambda *parts, **more: None)
    load = lambda: made_session._load(lambda: None, loading.silent, threading.Event())  # noqa: E731

    def other_comes():
        if how == "loaded":
            load()
        elif how == "opened":
            build_scene(made_session.application, other)
            made_session.forget()
        else:
            made_session.forget()

    todo = [other_comes, lambda: None]
    work = made_session._work

    def working(*parts, **more):
        work(*parts, **more)
        todo.pop(0)()

    monkeypatch.setattr(made_session, "_work", working)
    with pytest.raises((InputError, CancelledError)):
        load()
    scene = made_session.application.scene
    if how == "closed":
        assert patient_node(scene) is None
        return
    made_session.forget()
    assert made_session.analysis.patient.id == "other"


def test_a_patient_that_comes_while_another_is_prepared_stays_alone(made_session, analysis, monkeypatch):
    from PseudoProgressionAnalyzerLib.desktop.session import building, loading

    other = copy.deepcopy(analysis)
    other.patient.id = "other"
    monkeypatch.setattr(loading, "start", lambda patient: analysis)
    monkeypatch.setattr(building, "run", lambda *parts, **more: None)
    prepare = building.prepare
    todo = [lambda: build_scene(made_session.application, other)]

    def prepared(*parts):
        if todo:
            made_session.events.append(lambda: todo.pop()() if todo else None)
        return prepare(*parts)

    monkeypatch.setattr(building, "prepare", prepared)
    with pytest.raises(InputError):
        made_session._load(lambda: None, loading.silent, threading.Event())
    assert made_session.analysis.patient.id == "other"


def test_there_is_no_analysis_while_the_scene_is_opened_or_has_no_text(panel):
    session, scene = panel.session, panel.session.application.scene
    session.forget()
    scene.StartState(scene.ImportState)
    assert session.analysis is None
    scene.EndState(scene.ImportState)
    assert session.analysis is not None
    text = patient_node(scene).GetText()
    patient_node(scene).SetText("")
    session.forget()
    assert session.analysis is None
    patient_node(scene).SetText(text)
    assert session.analysis is not None


@pytest.fixture
def patient_section(panel, monkeypatch):
    """The section that loads patients; notes when the panel shows one."""
    from PseudoProgressionAnalyzerLib.desktop.sections.patient import PatientSection

    section = PatientSection.__new__(PatientSection)
    section.panel, section.session = panel, panel.session
    section.hide_volumes = lambda: None
    monkeypatch.setattr(panel, "show_patient", lambda: panel.told.append("shown"))
    monkeypatch.setattr(panel, "open_patient", lambda: panel.told.append("opened"))
    panel.told.clear()
    return section


def test_a_failed_load_leaves_the_editors_of_the_patient_that_is_there(patient_section, panel):
    def load(show, cancel):
        panel.session.load("nowhere", show, cancel)

    patient_section._load(load)  # there is a patient
    assert panel.told == []
    patient_section._load(lambda show, cancel: None)
    assert panel.told == ["shown"]


def test_nothing_is_loaded_or_listed_while_work_runs(patient_section, panel):
    with panel.long_work():
        patient_section._load(lambda show, cancel: panel.told.append("loaded"))
        patient_section.choose_volumes()
        said = panel.ui.progressLabel.text
    assert "running" in said
    assert panel.told == []


def test_a_correction_whose_scene_was_closed_ends_quietly(patient_section, panel):
    def work(show, cancel):
        panel.session.application.scene.Clear(0)
        panel.session.forget()

    patient_section._correct(work, "Corrected")
    assert panel.told == []
    patient_section.correct(lambda patient: panel.told.append("corrected"))  # of a cell, whose turn comes only now
    assert panel.told == []


def test_a_saved_scene_opens_where_its_timeline_looked(panel, monkeypatch):
    application = panel.session.application
    timeline.show(application)
    views = timeline.view_nodes(application)
    for node in views:
        application.slice_logic(node).SetSliceOffset(9.0)
    timeline.keep_place(application)  # as when the views rest
    for node in views:
        application.slice_logic(node).SetSliceOffset(1.0)  # what Slicer does to views of a scene that it opens
    monkeypatch.setattr(panel.session, "timeline_is", lambda shown: False)
    panel._show_again([], True)
    assert [node.GetSliceToRAS().GetElement(2, 3) for node in views] == [pytest.approx(9.0)] * len(views)


def test_an_undo_takes_the_lines_of_the_stroke_with_it(panel, mask):
    session = panel.session
    timeline.show(session.application)
    panel.stroke([draw(session, mask)])
    panel.settle()
    patient = patient_node(session.application.scene)
    seen = [one.GetDisplayNode() for one in linked(patient, Kind.LINE) if marked(one, "visit") == SECOND]
    assert any(display.GetVisibility() for display in seen)
    node, segment_id = draw(session, np.zeros_like(session.analysis.regions[SECOND, "lesion"].array))
    panel.stroke([(node, segment_id)])
    assert not any(display.GetVisibility() for display in seen)


def test_news_of_before_a_stroke_or_of_a_closed_patient_go(panel, mask):
    edits = panel.session.edits
    panel.say("a change is shown", lambda: panel.session.edits == edits)
    panel.freshen()
    assert panel.ui.progressLabel.text == "a change is shown"
    panel.stroke([draw(panel.session, mask)])
    assert panel.ui.progressLabel.text == ""
    panel.say("PDF saved")
    panel.ui.sectionScroll = MagicMock()
    panel.close_patient()
    assert panel.ui.progressLabel.text == ""
    panel.ui.sectionScroll.verticalScrollBar().setValue.assert_called_with(0)  # to where the next one is loaded


@pytest.mark.parametrize(
    ("busy", "shown", "expected"), [(False, True, ["kept"]), (True, True, ["later"]), (False, False, [])]
)
def test_the_scene_knows_where_views_rest_but_not_while_one_is_opened(monkeypatch, busy, shown, expected):
    from PseudoProgressionAnalyzerLib.desktop.sections.timeline import TimelineSection

    told = []
    monkeypatch.setattr(timeline, "is_shown", lambda application: shown)
    monkeypatch.setattr(timeline, "keep_place", lambda application: told.append("kept"))
    section = SimpleNamespace(
        panel=SimpleNamespace(busy=busy),
        session=SimpleNamespace(application=None),
        rest=SimpleNamespace(start=lambda: told.append("later")),
    )
    TimelineSection.keep_place(section)
    assert told == expected
