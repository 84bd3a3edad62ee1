"""Timeline: the visits side by side, its rows, overlays, changes between visits, and the keys."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from ...analysis.change_maps import changes_to_show
from ...scene import timeline
from ...scene.captures import overlay_names
from ...scene.nodes import patient_node
from ...scene.timeline_overlays import range_of, set_opacity, set_range, toggle_overlays
from ...scene.timeline_rows import keep_state, listed_rows, pages, spelled, state_of
from ...scene.timeline_steps import active_view, next_lesion, next_row, next_visit
from ...scene.timeline_views import chosen_opacity
from ..enlarging import Enlarging
from ..one_thread import work_in_one_thread
from ..placeholder import when_empty
from ..pointer import Presses
from ..scrolling import Scrolling
from ..section import Section, offer
from ..soon import Soon
from ..timeline_window import even_out
from ..window_link import WindowLink

KEYS = (
    (".", "next_visit"),
    (",", "earlier_visit"),
    ("Down", "next_row"),
    ("Up", "row_above"),
    ("O", "toggle"),
    ("L", "lesion"),
    ("X", "enlarge"),
)
"""Held with Alt, so that Slicer's own keys and those of the Segment Editor stay what they are; Alt with the arrows to
left and right goes back and forth between modules."""
KEYS_LINES = 3  # that the words on keys take in the panel
DELAY = 150  # ms after the last change until the views' titles follow
REST = 1000  # ms after the last step of a scroll until the scene knows where the views look


class TimelineSection(Section):
    """Shows the timeline and what can be chosen in it."""

    name = "timeline"
    changes = ("timelineCheckBox", "nativeCheckBox", "changeGroup", "earlierButton", "laterButton")

    def __init__(self, *parts):
        super().__init__(*parts)
        ui = self.ui
        self.rows: list[timeline.Row] = []
        self.filling = False
        self.enlarging = Enlarging(self.session.application, self.session.arrange, self.session.choose_view)
        self.presses, self.scrolling = Presses(self.session.choose_view), Scrolling()
        self.window_link = WindowLink(lambda: timeline.is_shown(self.session.application))
        self.watched = None
        self.timer = qt.QTimer()
        self.timer.setSingleShot(True)
        self.timer.setInterval(DELAY)
        self.timer.connect("timeout()", self.follow)
        self.rest = qt.QTimer()
        self.rest.setSingleShot(True)
        self.rest.setInterval(REST)
        self.rest.connect("timeout()", self.keep_place)
        self.left = qt.QTimer()
        self.left.setSingleShot(True)
        self.left.setInterval(DELAY)
        self.left.connect("timeout()", self.put_away)
        self.soon = Soon(self.retitle)
        ui.earlierButton.connect("clicked()", lambda: self.turn_page(-1))
        ui.laterButton.connect("clicked()", lambda: self.turn_page(1))
        ui.lesionButton.connect("clicked()", self.lesion)
        ui.enlargeButton.connect("clicked()", self.enlarge)
        ui.changeButton.connect("clicked()", self.show_change)
        ui.nativeCheckBox.connect("toggled(bool)", self.set_native)
        when_empty(ui.rowsList, _("The rows of the timeline, once a patient is loaded"))
        ui.rowsList.connect("itemChanged(QListWidgetItem*)", self.choose_rows)
        ui.rowsList.connect("currentRowChanged(int)", lambda row: self.show_overlay())
        ui.opacitySlider.connect("valueChanged(double)", self.set_opacity)
        for box in (ui.lowSpinBox, ui.highSpinBox):
            box.connect("valueChanged(double)", lambda value: self.set_range())
        for box in (ui.changeEarlierSelector, ui.changeLaterSelector):
            box.connect("currentIndexChanged(int)", lambda index: self.list_changes())
        self.shortcuts = []
        for key, work in KEYS:  # they go with the section, and work while it is on the screen
            shortcut = qt.QShortcut(qt.QKeySequence(f"Alt+{key}"), ui.timelineSection)
            shortcut.setContext(qt.Qt.WindowShortcut)
            shortcut.connect("activated()", getattr(self, work))
            self.shortcuts.append(shortcut)
        ui.keysLabel.text = _(
            "A click chooses a view, a double click enlarges it. With Alt: comma, full stop for visits; up, down for "
            "rows; O maps off and on; L next lesion; X enlarge."
        )
        ui.keysLabel.setMinimumHeight(KEYS_LINES * ui.keysLabel.fontMetrics().lineSpacing())

    def open(self) -> None:
        """Whatever changes the timeline leaves its choices in the patient's node."""
        self.enlarging.show(None)
        self._unwatch()
        node = patient_node(slicer.mrmlScene)
        if node is not None:
            self.watched = node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: self.later())
            self.session.titles.resized = self.later
            self.session.titles.exchanged = self.soon.ask
            self.session.titles.moved = self.rest.start
            self.enlarging.watch(self.left.start)

    def enter(self) -> None:
        """Another module may have put its own images into the views."""
        timeline.show_own_images(self.session.application)

    def close(self) -> None:
        """The views go."""
        self.enlarging.forget()
        self.enlarging.show(None)
        self.presses.forget()
        self.scrolling.forget()
        self.window_link.forget()
        self.timer.stop()
        self.rest.stop()
        self.left.stop()
        self.soon.forget()
        self.session.titles.forget()
        self._unwatch()

    def _unwatch(self) -> None:
        if self.watched is not None:
            self.watched[0].RemoveObserver(self.watched[1])
            self.watched = None

    def later(self) -> None:
        """Titles follow once the layout has made its views."""
        self.timer.start()

    def retitle(self) -> None:
        """Another module put an image of its own into a view."""
        if self.panel.busy or self.session.arranging or self.session.analysis is None:
            self.later()
        elif timeline.is_shown(self.session.application):
            self.session.titles.catch_up(self.session.application)

    def put_away(self) -> None:
        """Where another layout was chosen in Slicer's own menu, the timeline is off: what it fills the views with is
        seen, and one click brings it back."""
        if self.panel.busy or self.session.arranging:
            self.left.start()
        elif timeline.view_nodes(self.session.application) and not timeline.is_shown(self.session.application):
            self.ui.timelineCheckBox.checked = False

    def keep_place(self) -> None:
        """Where the views look goes into the scene once they rest: Slicer does not say that a scene will be saved."""
        if self.panel.busy:  # a scene that is being opened has not been brought to its place yet
            self.rest.start()
        elif timeline.is_shown(self.session.application):
            timeline.keep_place(self.session.application)

    def follow(self) -> None:
        """Titles and widths of the views as they are now; later, while the scene is being opened."""
        if self.watched is not None and self.session.analysis is None:
            self.later()
        elif timeline.is_shown(self.session.application):
            self.enlarging.follow(active_view(self.session.application))
            self.session.titles.update(self.session.application)
            self.presses.follow()
            self.scrolling.follow(self.presses.views)
            self.window_link.follow(slicer.mrmlScene)
            work_in_one_thread(self.session.application)
            even_out(nearly=True)
            self.panel.timeline_changed()

    # what is shown

    def refresh(self) -> None:
        """Rows, overlays and visits as they are now."""
        patient = patient_node(slicer.mrmlScene)
        shown = self.rows_shown()
        self.filling = True
        self.ui.nativeCheckBox.checked = bool(patient is not None and state_of(patient).get("native"))
        row = self.ui.rowsList.currentRow
        self.rows = listed_rows(patient) if patient is not None else []
        self.ui.rowsList.clear()
        for each in self.rows:
            item = qt.QListWidgetItem(each.title)
            item.setCheckState(qt.Qt.Checked if each in shown else qt.Qt.Unchecked)
            self.ui.rowsList.addItem(item)
        first_map = next((number for number, each in enumerate(self.rows) if each.overlay), 0)
        self.ui.rowsList.setCurrentRow(row if 0 <= row < len(self.rows) else first_map)
        analysis = self.session.analysis
        visits = [visit.id for visit in analysis.patient.visits] if analysis else []
        for selector, default in ((self.ui.changeEarlierSelector, 0), (self.ui.changeLaterSelector, 1)):
            if [selector.itemText(number) for number in range(selector.count)] != visits:
                selector.clear()
                selector.addItems(visits)
                selector.setCurrentIndex(min(default, len(visits) - 1))
        self.filling = False
        self.show_overlay()
        self.list_changes()
        self.later()

    def show_overlay(self) -> None:
        """Opacity and range of the chosen row's map."""
        row = self.row()
        over = row is not None and bool(row.overlay)
        scale = range_of(self.session.application, row.overlay) if over else None
        patient = patient_node(slicer.mrmlScene)
        picture = over and patient is not None and row.overlay in overlay_names(patient)
        self.filling = True
        computed = _("Choose a row with a computed map in the list above")
        offer(self.ui.opacitySlider, scale is not None or picture, computed)
        why_not = _("The colours of a picture are those of its file") if picture else computed
        for widget in (self.ui.lowSpinBox, self.ui.highSpinBox):
            offer(widget, scale is not None, why_not)
        if scale is not None:
            step = max(abs(scale.low), abs(scale.high)) / 50
            for box, value in ((self.ui.lowSpinBox, scale.low), (self.ui.highSpinBox, scale.high)):
                box.singleStep = step
                box.value = value
        if scale is not None or picture:
            self.ui.opacitySlider.value = chosen_opacity(patient, row.overlay)
        self.filling = False

    def rows_shown(self) -> list[timeline.Row]:
        """The rows of the timeline."""
        patient = patient_node(slicer.mrmlScene)
        return timeline.shown_rows(patient) if patient is not None else []

    def row(self) -> timeline.Row | None:
        """The chosen row of the list."""
        number = self.ui.rowsList.currentRow
        return self.rows[number] if 0 <= number < len(self.rows) else None

    # what is chosen

    def choose_rows(self, item: object) -> None:
        """Shows the rows that are ticked; the last one cannot be unticked."""
        if self.filling or self.panel.refuses_tick(self):
            return
        ticked = [
            row for number, row in enumerate(self.rows) if self.ui.rowsList.item(number).checkState() == qt.Qt.Checked
        ]
        if not ticked:
            item.setCheckState(qt.Qt.Checked)
            return
        keep_state(patient_node(slicer.mrmlScene), listed=[[row.image, row.overlay] for row in self.rows])
        with self.panel.long_work(stoppable=False):
            self.session.choose_rows(ticked)

    def turn_page(self, by: int) -> None:
        """Earlier or later visits."""
        with self.panel.long_work(stoppable=False):
            self.session.turn_page(by)

    def set_opacity(self, opacity: float) -> None:
        """Of the chosen row, in all columns."""
        if not self.filling and self.row() is not None:
            set_opacity(self.session.application, opacity, self.row().overlay)

    def set_range(self) -> None:
        """Of the chosen row, in all columns."""
        low, high = self.ui.lowSpinBox.value, self.ui.highSpinBox.value
        if not self.filling and self.row() is not None and high > low:
            set_range(self.session.application, self.row().overlay, low, high)

    def set_native(self, native: bool) -> None:
        """Each visit along its own voxels, or all in the position of the reference visit."""
        if not self.filling and timeline.is_shown(self.session.application):
            with self.panel.errors():
                timeline.show(self.session.application, native=native)

    def list_changes(self) -> None:
        """What the two chosen visits have in common."""
        analysis, selector = self.session.analysis, self.ui.changeNameSelector
        earlier, later = self.ui.changeEarlierSelector.currentText, self.ui.changeLaterSelector.currentText
        names = changes_to_show(analysis, earlier, later) if analysis and earlier != later else []
        if [selector.itemData(number) for number in range(selector.count)] != names:
            selector.clear()
            for name in names:
                selector.addItem(spelled(name), name)
        why = _("Choose two visits that were aligned and have the same image")
        offer(self.ui.changeButton, bool(names), why)
        offer(selector, bool(names), why)
        for box in (self.ui.changeEarlierSelector, self.ui.changeLaterSelector):
            offer(box, box.count > 1, _("A change needs two visits"))

    def show_change(self) -> None:
        """Adds the row of a change, or says why it is withheld."""
        ui = self.ui
        visits = [selector.currentText for selector in (ui.changeEarlierSelector, ui.changeLaterSelector)]
        name = ui.changeNameSelector.currentData
        with self.panel.long_work() as (show, cancel):
            row = self.session.show_change(*visits, name, show, cancel)
            said = _(
                "{name}: {later} minus {earlier}, the last row in the column of {later}; small changes are not shown"
            )
            said = said.format(name=spelled(name), earlier=visits[0], later=visits[1])
            now = self.session.edits, self.session.as_of
            holds = lambda: row in self.rows_shown() and now == (self.session.edits, self.session.as_of)  # noqa: E731
            self.panel.say(said, holds)
        self.refresh()

    # keys

    def next_visit(self) -> None:
        """One visit later."""
        self._go(next_visit)

    def earlier_visit(self) -> None:
        """One visit earlier."""
        self._go(next_visit, -1)

    def next_row(self) -> None:
        """One row below."""
        self._go(next_row)

    def row_above(self) -> None:
        """One row above."""
        self._go(next_row, -1)

    def toggle(self) -> None:
        """All maps off, or on again."""
        toggle_overlays(self.session.application)
        self.follow()

    def lesion(self) -> None:
        """To the next lesion of the next visit."""
        found = self._go(next_lesion)
        if found is not None:
            self.panel.say(_("{visit}: {name}").format(name=found[1], visit=found[0]))

    def enlarge(self) -> None:
        """The chosen view alone, or all of them again."""
        if self.session.arranging:
            return
        self.enlarging.show(None if self.enlarging.alone is not None else active_view(self.session.application))

    def _go(self, step: Callable, by: int = 1) -> object | None:
        """A step of the timeline's. Titles follow before views are drawn: where the page turns, no view is seen under
        the date of another visit."""
        application = self.session.application
        if self.session.arranging:
            return None
        found = step(application, by)
        if found is not None and self.enlarging.alone is not None:
            self.enlarging.show(active_view(application))
        self.session.titles.update(application)
        return found

    def enable(self, busy: bool) -> None:
        """There must be a patient."""
        patient = self.session.analysis is not None
        ui = self.ui
        for button in (ui.timelineCheckBox, ui.nativeCheckBox):
            offer(button, patient, _("Load a patient first"))
        shown = patient and timeline.is_shown(self.session.application)
        before, after = pages(patient_node(slicer.mrmlScene)) if shown else (0, 0)
        why_not = _("Show the visits side by side first") if patient else _("Load a patient first")
        for button in (ui.lesionButton, ui.enlargeButton):
            offer(button, shown, why_not)
        for button, more in ((ui.earlierButton, before), (ui.laterButton, after)):
            offer(button, more > 0, _("There are no other visits on this side") if shown else why_not)
        for shortcut in self.shortcuts:
            shortcut.setEnabled(patient)
