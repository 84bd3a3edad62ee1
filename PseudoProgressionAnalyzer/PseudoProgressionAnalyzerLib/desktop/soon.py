"""The next turn of the event loop, before anything is painted in it."""

from __future__ import annotations

from collections.abc import Callable

import qt


class Soon:
    """Calls ``work()`` in the next turn of the event loop, after what is under way and before widgets are painted and
    timers have their turn: painting a window with many views takes longer than what waits for it. ``ask`` may be called
    any number of times before.
    """

    def __init__(self, work: Callable[[], None]):
        self._work = work
        self._asked = False
        # Qt delivers a queued signal before it paints, and timers after it. Python's own functions are never queued.
        self._here, self._there = qt.QAction(None), qt.QAction(None)
        self._here.connect("triggered()", self._there, "trigger()", qt.Qt.QueuedConnection)
        self._there.connect("triggered()", self._turn)

    def ask(self) -> None:
        """The work is to be done, once."""
        if not self._asked:
            self._asked = True
            self._here.trigger()

    def forget(self) -> None:
        """It is not to be done, or was."""
        self._asked = False

    def _turn(self) -> None:
        if self._asked:
            self._asked = False
            self._work()
