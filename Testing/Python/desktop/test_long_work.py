"""Work in another thread that has things done in the main thread."""

import gc
import sys
import threading
import weakref
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer


@pytest.fixture(autouse=True)
def _no_application(monkeypatch):
    monkeypatch.setattr(slicer, "app", SimpleNamespace(processEvents=lambda: None), False)


def in_background(work, calls, show=lambda *report: None):
    """Runs work that takes no notice of being cancelled."""
    from PseudoProgressionAnalyzerLib.desktop.long_work import run_in_background

    return run_in_background(lambda report, cancelled: work(report), show, threading.Event(), calls)


def made_calls():
    """Calls of a worker to the main thread."""
    from PseudoProgressionAnalyzerLib.desktop.long_work import Calls

    return Calls()


def test_a_call_is_run_in_the_main_thread_and_its_result_comes_back():
    calls = made_calls()

    def work(report):
        threads = [threading.current_thread(), calls(threading.current_thread)]
        return threads, [calls(lambda a, b: a - b, number, 1) for number in range(20)]

    (own, called), results = in_background(work, calls)
    assert called is threading.main_thread()
    assert own is not called
    assert results == list(range(-1, 19))


def test_an_error_of_a_call_is_raised_in_the_worker():
    calls = made_calls()

    def work(report):
        with pytest.raises(ZeroDivisionError):
            calls(lambda: 1 / 0)
        return "went on"

    assert in_background(work, calls) == "went on"


def test_a_worker_that_nobody_waits_for_any_more_ends():
    """An error of the display ends the waiting: the worker must not wait for an answer that never comes."""
    calls, ended = made_calls(), []

    def work(report):
        try:
            while True:
                report("alive")
                calls(lambda: None)
        except CancelledError:
            ended.append(True)
            raise

    def show(words):
        raise LookupError

    with pytest.raises(LookupError):
        in_background(work, calls, show)
    assert ended == [True]


def test_of_many_reports_the_last_is_shown(monkeypatch):
    """What is shown draws the window anew: reports that come faster than that are skipped, the last one never is."""
    from PseudoProgressionAnalyzerLib.desktop import long_work

    shown = []

    def work(report):
        for number in range(5000):
            report(number)

    in_background(work, None, shown.append)
    assert shown[-1] == 4999
    assert shown == sorted(shown)
    assert len(shown) < 5000

    monkeypatch.setattr(long_work, "SHOWN", 1e9)
    shown, several = [], made_calls()

    def slow_work(report):
        for number in range(100):
            report(number)
            several(lambda: None)  # a turn of the event loop between each

    in_background(slow_work, several, shown.append)
    assert len(shown) == 2
    assert shown[-1] == 99


def test_events_are_processed_before_and_after_what_is_shown(monkeypatch):
    """Drawing the progress takes long: the interface must not wait for it and for the worker in one go."""
    from PseudoProgressionAnalyzerLib.desktop import long_work

    turns, calls = [], made_calls()
    monkeypatch.setattr(slicer.app, "processEvents", lambda: turns.append("events"))
    monkeypatch.setattr(long_work, "SHOWN", 0.0)

    def work(report):
        for number in range(5):
            report(number)
            calls(turns.append, "call")

    in_background(work, calls, lambda number: turns.append("show"))
    shows = [number for number, turn in enumerate(turns[:-1]) if turn == "show"]  # the last may be after all work
    assert shows
    for number in shows:
        assert turns[number - 1] == turns[number + 1] == "events"


def test_the_interpreter_is_handed_over_soon_while_work_runs_and_as_before_afterwards():
    from PseudoProgressionAnalyzerLib.desktop.long_work import HAND_OVER, out_of_the_way

    before = sys.getswitchinterval()
    assert before > 10 * HAND_OVER
    assert in_background(lambda report: sys.getswitchinterval(), None) == pytest.approx(HAND_OVER)
    assert sys.getswitchinterval() == pytest.approx(before)
    with pytest.raises(ZeroDivisionError):
        in_background(lambda report: 1 / 0, None)
    assert sys.getswitchinterval() == pytest.approx(before)

    first, second = out_of_the_way(), out_of_the_way()  # work beside the interface ends in any order
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(HAND_OVER)
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(before)


def test_what_a_module_that_was_read_again_left_is_not_taken_for_the_time_before():
    from PseudoProgressionAnalyzerLib.desktop.long_work import HAND_OVER, out_of_the_way

    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(HAND_OVER)
        with out_of_the_way():
            pass
        assert sys.getswitchinterval() == pytest.approx(before)
    finally:
        sys.setswitchinterval(before)


def test_collections_leave_old_objects_alone_and_find_new_garbage():
    """While work runs; afterwards old garbage is found again."""

    from PseudoProgressionAnalyzerLib.desktop.long_work import out_of_the_way

    class Ring:
        def __init__(self):
            self.self = self

    gc.collect()
    old = weakref.ref(Ring())
    with out_of_the_way():
        new = weakref.ref(Ring())
        gc.collect()
        assert new() is None
        assert old() is not None
    gc.collect()
    assert old() is None
