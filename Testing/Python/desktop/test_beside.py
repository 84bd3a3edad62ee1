"""Work beside the interface and calls in the next turn: of Qt only what they call is made up, the threads are real."""

import contextlib
import sys
import threading
import time
from importlib import import_module
from types import ModuleType, SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

ENOUGH = 30.0  # s in which anything ends on the busiest machine


class Timer:
    """A timer that the test lets have its turns."""

    def __init__(self):
        self.active = False

    def setInterval(self, wait):  # noqa: N802
        pass

    def connect(self, signal, function):
        self.turn = function

    def start(self):
        self.active = True

    def stop(self):
        self.active = False


class Action:
    """QAction: a queued signal waits in ``queue``."""

    queue = None

    def __init__(self, parent):
        self.called = []

    def connect(self, signal, *target):
        queued = len(target) > 1
        call = target[0].trigger if queued else target[0]
        self.called.append((lambda: self.queue.append(call)) if queued else call)

    def trigger(self):
        for call in self.called:
            call()


@pytest.fixture
def qt(monkeypatch):
    made = ModuleType("qt")
    made.QTimer, made.QAction = Timer, Action
    made.QApplication = SimpleNamespace(mouseButtons=lambda: 0)
    made.Qt = SimpleNamespace(QueuedConnection=2)
    monkeypatch.setitem(sys.modules, "qt", made)
    for name in ("beside", "soon"):
        monkeypatch.setattr(import_module(f"PseudoProgressionAnalyzerLib.desktop.{name}"), "qt", made)
    monkeypatch.setattr(Action, "queue", [])
    return made


@pytest.fixture
def beside(qt):
    made = import_module("PseudoProgressionAnalyzerLib.desktop.beside").Beside(contextlib.nullcontext)
    yield made
    made.forget()
    made.worker.shutdown(wait=True)


def turns(beside):
    """Turns of the timer until nothing is under way."""
    begun = time.monotonic()
    while beside.timer.active and time.monotonic() - begun < ENOUGH:
        beside.timer.turn()


@pytest.fixture
def endless():
    """Work that goes on for ever, whether it ended, and whether it runs."""
    begun, ended = threading.Event(), threading.Event()

    def work():
        try:
            begun.set()
            while True:
                sum(range(100))
        finally:
            ended.set()

    return SimpleNamespace(work=work, begun=begun, ended=ended)


def test_the_result_comes_back(beside):
    found = []
    beside.start(lambda: 6 * 7, found.append)
    turns(beside)
    assert found == [42]


@pytest.mark.parametrize("again", [False, True])
def test_what_is_not_wanted_any_more_ends_where_it_stands(beside, endless, again):
    found, before = [], sys.getswitchinterval()
    beside.start(endless.work, found.append)
    assert endless.begun.wait(ENOUGH)
    assert sys.getswitchinterval() < before
    if not again:
        beside.forget()
        assert endless.ended.wait(ENOUGH)
    beside.start(lambda: "next", found.append)  # the pool lives on
    turns(beside)
    assert found == ["next"]
    assert endless.ended.is_set()
    assert sys.getswitchinterval() == before


def test_work_that_is_ended_at_any_moment_leaves_the_pool_as_it_was(beside):
    found, before = [], sys.getswitchinterval()
    for number in range(200):
        beside.start(lambda count=number: sum(range(50 * count)), found.append)
        time.sleep(number * 2e-6)
        beside.forget()
    beside.start(lambda: "last", found.append)
    turns(beside)
    assert found == ["last"]
    assert sys.getswitchinterval() == before


def test_what_waits_behind_other_work_and_is_not_wanted_never_begins(beside):
    ran, inside, go_on = [], threading.Event(), threading.Event()

    def stuck():
        inside.set()
        go_on.wait(ENOUGH)  # in C: it cannot be ended there

    beside.start(stuck, ran.append)
    assert inside.wait(ENOUGH)
    for name in "bc":
        beside.start(lambda name=name: ran.append(name), ran.append)
    beside.forget()
    beside.start(lambda: "d", ran.append)
    go_on.set()
    turns(beside)
    assert ran == ["d"]


def test_work_that_waits_for_threads_of_its_own_is_ended_after_them(beside):
    """Else their locks are left as they are."""
    seen, inside, go_on = [], threading.Event(), threading.Event()

    def work():
        with beside.sheltered():
            inside.set()
            while not go_on.is_set():
                sum(range(100))
            seen.append("whole")
        seen.append("went on")

    beside.start(work, seen.append)
    assert inside.wait(ENOUGH)
    beside.forget()
    time.sleep(0.05)
    go_on.set()
    beside.start(lambda: "next", seen.append)
    turns(beside)
    assert seen == ["whole", "next"]


def test_the_end_of_work_and_what_ends_it_exclude_each_other(beside):
    """The worker does not leave while it is decided whether there is any work to end."""
    found, inside, go_on = [], threading.Event(), threading.Event()
    beside.start(lambda: (inside.set(), go_on.wait(ENOUGH)), found.append)
    assert inside.wait(ENOUGH)
    future = beside.future
    with beside.lock:
        go_on.set()
        time.sleep(0.05)
        assert beside.thread is not None
        assert not future.done()
    assert future.result(ENOUGH)
    assert beside.thread is None


def test_the_worker_waits_while_a_button_is_down(qt, beside):
    found, down = [], [1]
    qt.QApplication.mouseButtons = lambda: down[0]
    beside.start(lambda: "done", found.append)
    beside.future.result(ENOUGH)
    beside.timer.turn()
    assert found == []
    down[0] = 0
    turns(beside)
    assert found == ["done"]


def test_a_call_in_the_next_turn_is_made_once(qt):
    from PseudoProgressionAnalyzerLib.desktop.soon import Soon

    told = []
    soon = Soon(lambda: told.append("turn"))
    soon.ask()
    soon.ask()
    assert told == []
    for call in qt.QAction.queue:
        call()
    assert told == ["turn"]


def test_what_was_done_meanwhile_is_not_done_again(qt):
    from PseudoProgressionAnalyzerLib.desktop.soon import Soon

    told = []
    soon = Soon(lambda: told.append("turn"))
    soon.ask()
    soon.forget()
    for call in qt.QAction.queue:
        call()
    assert told == []
