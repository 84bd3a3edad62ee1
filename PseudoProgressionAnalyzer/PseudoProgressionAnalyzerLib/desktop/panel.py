"""The panel: stacks its sections and gives them what they share. What a button does stands in ``session``."""

from __future__ import annotations

import contextlib
import itertools
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .. import texts
from ..measures import InputError, Message
from ..scene import timeline
from ..scene.display import show_segments, shown_segments
from ..scene.nodes import patient_node
from . import narrow
from .beside import Beside
from .drawing import drawn_one_by_one
from .editors import Edits
from .memory import give_back, keep_images_apart
from .next_step import next_step
from .panel_width import PanelWidth
from .section import Section
from .sections import SECTIONS
from .session import Session
from .still import Still
from .wheel import PanelWheel

FOLDED = "PseudoProgressionAnalyzer/Folded/"
"""Settings: which sections are folded."""
AGAIN = 50  # ms until it is looked again whether Slicer has finished opening a scene
SETTLED = 1500  # ms without a stroke after which what is slow follows the numbers: most strokes come sooner


def load_sections(root: object, folder: Path) -> object:
    """Loads the .ui file of each section from the folder into the panel's root widget; all widgets by their names."""
    stack = slicer.util.childWidgetVariables(root).sectionStack.layout()
    for section in SECTIONS:
        widget = slicer.util.loadUI(str(Path(folder) / f"{section.name.capitalize()}.ui"))
        stack.addWidget(widget)
        widget.setMRMLScene(slicer.mrmlScene)
    return slicer.util.childWidgetVariables(root)


class BusyError(RuntimeError):
    """Long work is asked for while other long work runs."""


class Panel:
    """Widgets (``ui``: those of all .ui files by name), sections and session together. offered: whether the work that
    runs can be stopped, and whether it has a bar."""

    offered = (True, True)

    def __init__(self, ui: object, session: Session, requester: str):
        self.ui = ui
        self.session = session
        self.requester = requester
        self.news_holds: Callable[[], bool] | None = None
        keep_images_apart()
        self.cancel: threading.Event | None = None
        self.stale: set[str] = set()
        self.timer = qt.QTimer()
        self.timer.setSingleShot(True)
        self.timer.setInterval(SETTLED)
        self.timer.connect("timeout()", self._rested)
        self.beside = Beside(self.errors)
        self.sections: dict[str, Section] = {}
        for section in SECTIONS:
            self.sections[section.name] = section(ui, session, self)
            button = self.button(section.name)
            if not slicer.app.testingEnabled():  # a test begins as the .ui files say
                remembered = slicer.util.settingsValue(FOLDED + section.name, button.collapsed, slicer.util.toBool)
                button.collapsed = remembered
            button.connect("contentsCollapsed(bool)", lambda folded, name=section.name: self._folded(name, folded))
        narrow.fit(ui.sectionStack)
        self.width = PanelWidth(ui.sectionScroll)
        self.wheel = PanelWheel(ui.sectionScroll)
        self.wheel.watch(ui.sectionStack)
        self.still = Still(ui.sectionScroll)
        ui.cancelButton.connect("clicked()", self.stop)

    @property
    def busy(self) -> bool:
        """Whether long work runs."""
        return self.cancel is not None

    def button(self, name: str) -> object:
        """The collapsible button of a section."""
        return getattr(self.ui, f"{name}Section")

    def refresh(self) -> None:
        """Everything as the scene has it now; folded sections follow when they are opened."""
        for name, section in self.sections.items():
            if self.button(name).collapsed:
                self.stale.add(name)
            else:
                self.stale.discard(name)
                section.refresh()
        self._enable()

    def stroke(self, edits: Edits) -> None:
        """After each edit: the numbers follow at once, then the maps, what is slow when the pen rests."""
        with self.errors():
            self.beside.forget()  # it judges what was before
        for segmentation, group in itertools.groupby(edits, key=lambda edit: edit[0]):
            segment_ids = [segment_id for _, segment_id in group]
            with self.errors():
                (self.session.take if self.busy else self.session.remeasure)(segmentation, *segment_ids)
        if not self.busy:
            self.strokes_measured()

    def strokes_measured(self) -> None:
        """Numbers and maps after strokes."""
        self.numbers_changed()
        with self.errors():
            self.session.show_maps()

    def numbers_changed(self) -> None:
        """Shows changed numbers at once, and what is slow when the pen rests."""
        for name, section in self.sections.items():
            if self.button(name).collapsed:
                self.stale.add(name)
            else:
                section.measured()
        self.freshen()
        self.timer.start()

    def settle(self) -> None:
        """Brings the scene up to date with every stroke, now."""
        self.timer.stop()
        before = self.session.written
        with self.errors():
            self.sections["regions"].editors.tell()
            self.session.settle()
        if self.session.written != before:
            self._settled()

    def open_patient(self) -> None:
        """After a patient came into the scene, or a scene with one was opened."""
        for section in self.sections.values():
            section.open()
        self.refresh()
        if self.session.found:
            self.say(" ".join(texts.sentence(message) for message in self.session.found))
        if self.session.unsettled:
            self.timer.start()

    def close_patient(self) -> None:
        """Before the scene closes: stops work, gives back the layout and lets go of every node."""
        self.close()
        self.say("")  # what was said was of this patient
        self.ui.sectionScroll.verticalScrollBar().setValue(0)  # where the next one is loaded
        timeline.hide(self.session.application)
        self.session.forget()
        qt.QTimer.singleShot(SETTLED, give_back)  # once the nodes and views of the scene are gone

    def close(self) -> None:
        """Work stops, and the sections let go of every node."""
        if self.cancel is not None:
            self.cancel.set()
        self.timer.stop()
        self.beside.forget()
        for section in self.sections.values():
            section.close()

    def show_patient(self) -> None:
        """After loading: the patient with the timeline on. Where the drawing was stopped, the patient is there all the
        same."""
        with self.long_work(drawing=True) as (_show, cancel):
            self.open_patient()
            if self.session.analysis is not None:
                self.ui.timelineCheckBox.checked = True
                self.session.show_timeline(True, cancel=cancel)
        if self.session.analysis is not None:
            number = len(self.session.analysis.patient.visits)
            done = _("Visits loaded: {number}.").format(number=number)
            if not timeline.is_shown(self.session.application):
                self.ui.timelineCheckBox.checked = False
                done = f"{done} {_('Show the visits side by side in Timeline.')}"
            self.say_next(done)

    def show_timeline(self, shown: bool) -> None:
        """The timeline on or off, where it is not yet."""
        if not self.busy and not self.session.timeline_is(shown):
            with self.long_work(stoppable=False):
                self.session.show_timeline(shown)

    def timeline_changed(self) -> None:
        """After other visits or rows came into the timeline: what is said of those that went does not hold."""
        if not self.busy:
            self._enable()

    def scene_opened(self, timeline_shown: bool) -> None:
        """After a scene was opened, or another added: what runs belongs to the scene of before."""
        if self.cancel is not None:
            self.cancel.set()
        self.session.forget()
        self.open_patient()
        self.restore_timeline(timeline_shown)

    def restore_timeline(self, shown: bool) -> None:
        """After a scene was opened: the timeline as it was saved, once Slicer has finished.

        When a scene is opened in place of another, Slicer hides segments of the first segmentation and draws no color
        legends, after all that modules do: what was saved as visible is shown then too.
        """
        scene, epoch = slicer.mrmlScene, self.session.epoch
        patient = patient_node(scene)
        if patient is None:
            return
        segments, dropped = shown_segments(patient), self.busy

        def restore() -> None:
            if self.session.epoch != epoch:  # another scene by now
                return
            if scene.IsBatchProcessing() or scene.IsImporting() or self.busy:
                qt.QTimer.singleShot(AGAIN, restore)
                return
            news = self.ui.progressLabel.text
            with self.long_work(stoppable=False):
                self._show_again(segments, shown)
            if dropped or self.session.found:  # and said so, which stays
                self.say(news)

        qt.QTimer.singleShot(0, restore)

    def _show_again(self, segments: list[tuple[object, str]], shown: bool) -> None:
        self.session.show_timeline(shown and self.session.analysis is not None, opened=True)
        with drawn_one_by_one():
            show_segments(segments)
            if timeline.is_shown(self.session.application):
                timeline.show(self.session.application)

    def enter(self) -> None:
        """The user opens the module."""
        for section in self.sections.values():
            section.enter()

    def exit(self) -> None:
        """The user opens another module."""
        for section in self.sections.values():
            section.exit()

    def stop(self) -> None:
        """Asks running work to stop."""
        if self.cancel is not None:
            self.cancel.set()
            self.say(_("Stopping..."), lambda: self.busy)

    def say(self, text: str, holds: Callable[[], bool] | None = None) -> None:
        """One line of news, below all sections: always in sight. It goes away (``freshen``) where holds, whether what
        it says is still so, is not true any more; by default after a stroke, or when another visit is chosen to look
        from."""
        self.ui.progressLabel.text = self.ui.progressLabel.toolTip = text
        now = self._now() if text and holds is None else None
        self.news_holds = holds if now is None else lambda: self._now() == now

    def say_next(self, done: str = "") -> None:
        """What was done, and what is to be done next."""
        self.say(f"{done} {next_step(self.session.analysis)}".strip())

    def _now(self) -> tuple[int, int, str]:
        """What news is news of."""
        return self.session.epoch, self.session.edits, self.session.as_of

    def freshen(self) -> None:
        """Takes the line of news away where it does not hold any more."""
        if self.news_holds is not None and not self.news_holds():
            self.say("")

    def bring_into_view(self, widget: object) -> None:
        """Scrolls the panel no further than a widget of a section asks for to be seen, from its top on where it is
        higher than the panel, once the layout has given it its place."""

        def scroll() -> None:
            bar, room = self.ui.sectionScroll.verticalScrollBar(), self.ui.sectionScroll.viewport().height
            top = widget.mapTo(self.ui.sectionStack, qt.QPoint(0, 0)).y()
            bar.setValue(min(top, max(bar.value, top + widget.height - room)))

        qt.QTimer.singleShot(0, scroll)

    def show_progress(self, message: Message, share: float) -> None:
        """Shows what is being done and how much of it is finished."""
        self.say(texts.sentence(message), None if message.code == "step_finished" else lambda: self.busy)
        self.ui.progressBar.value = round(100 * share)  # last: it draws at once, the words too

    def refuses(self) -> bool:
        """Whether long work runs, which nothing else may be started beside; says so."""
        if self.busy:
            self.say(_("Other work is running: wait for it, or cancel it."), lambda: self.busy)
        return self.busy

    def refuses_tick(self, section: Section) -> bool:
        """Whether long work runs, beside which nothing may be changed; a tick that was just set goes back then, after
        the event of its cell."""
        if self.refuses():
            qt.QTimer.singleShot(0, section.refresh)
            return True
        return False

    @contextlib.contextmanager
    def long_work(
        self, stoppable: bool = True, drawing: bool = False
    ) -> Iterator[tuple[Callable[[Message, float], None], threading.Event]]:
        """Gives ``show(message, share)`` and the event that asks to stop. Only what is safe is possible meanwhile;
        errors are shown with their remedy. stoppable: whether *Cancel* is offered, beside a bar; short work that
        only draws has neither. drawing: it draws and can be stopped, without a bar. Raises BusyError while other work
        runs.

        Strokes that came meanwhile are measured afterwards, and judged when the pen rests.
        """
        if self.refuses():
            raise BusyError(_("Other work is running: wait for it, or cancel it."))
        self.beside.forget()  # it judges what was before; ``_catch_up`` starts it again where it is still wanted
        epoch, written = self.session.epoch, self.session.written
        self.cancel = threading.Event()
        bar = stoppable and not drawing
        if bar:  # not at the end: what is drawn then may still show the bar, and "0 %" beside work that is done
            self.ui.progressBar.value = 0
        self.say(_("Reading...") if bar else _("Drawing the views..."), lambda: self.busy)
        self.offered = stoppable, bar
        self._enable()
        with self.errors():  # around the rest: no bar and no Cancel stand behind the dialog of an error
            try:
                yield self.show_progress, self.cancel
                if self.cancel.is_set():
                    self.say(_("It was finished before it could be stopped."))
            finally:
                self.cancel = None
                try:
                    self._catch_up(written)
                finally:  # nothing stays off, whatever a section could not show
                    self._enable()
        if self.session.epoch != epoch:
            self.say(_("The scene was closed or another one opened meanwhile; the work for it was dropped."))

    def _catch_up(self, written: int) -> None:
        """After long work: what was drawn meanwhile, and what the work judged."""
        with self.errors():
            if self.session.measure_taken():
                self.strokes_measured()
        if self.session.written != written:
            self._settled()
        if self.session.unsettled:
            self.timer.start()

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Errors are shown with their remedy and end here; so does stopped work."""
        try:
            yield
        except BusyError as error:
            self.say(str(error), lambda: self.busy)
        except CancelledError:
            self.say(_("Stopped; what was finished is kept."))
        except InputError as error:
            self.say(texts.sentence(error.message))
            slicer.util.errorDisplay("\n\n".join(map(texts.sentence, (error.message, *error.others))))
        except Exception as error:
            self.say(str(error))
            slicer.util.errorDisplay(str(error), detailedText=traceback.format_exc())

    def _folded(self, name: str, folded: bool) -> None:
        if not slicer.app.testingEnabled():
            qt.QSettings().setValue(FOLDED + name, folded)
        if not folded and name in self.stale:
            self.stale.discard(name)
            with self.errors():
                self.sections[name].refresh()

    def _rested(self) -> None:
        """The pen rests: what follows from the numbers is judged beside the interface."""
        if not self.busy and self.session.unsettled:
            with self.errors():
                if self.session.measured:
                    self.beside.start(self.session.judging(self.beside.sheltered), self._judged)
                else:
                    self.settle()

    def _judged(self, judged: object) -> None:
        if not self.busy and self.session.accept(judged):
            self._settled()

    def _settled(self) -> None:
        for name, section in self.sections.items():
            if self.button(name).collapsed:
                self.stale.add(name)
            else:
                section.settled()

    def _enable(self) -> None:
        """What is possible now."""
        stoppable, bar = self.offered
        self.ui.cancelButton.enabled = self.ui.cancelButton.visible = self.busy and stoppable
        self.ui.progressBar.visible = self.busy and bar
        for section in self.sections.values():
            section.hold(self.busy)
            section.enable(self.busy)
        self.freshen()
