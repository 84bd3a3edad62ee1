"""The timeline: shown and hidden, its pages, rows, changes and pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError

import slicer

from ... import texts
from ...analysis.change_maps import change_map
from ...formats.dicom_pictures import Picture, why_never_measured
from ...measures import Message, Series, Visit
from ...scene import timeline
from ...scene.captures import put_picture
from ...scene.nodes import marked, patient_node
from ...scene.timeline_change import put_change
from ...scene.timeline_look import Heads, go_along, look_again, look_of
from ...scene.timeline_overlays import set_opacity
from ...scene.timeline_put_away import fill_empty_views
from ...scene.timeline_steps import choose_view, go_to_visit
from ...scene.timeline_views import unlinked
from ..drawing import drawn_one_by_one, new_views_veiled
from ..long_work import Show, run_in_background, silent
from ..timeline_window import arrange, window_as_large
from ..view_titles import ViewTitles
from .scene_patient import ScenePatient


class TimelineWork(ScenePatient):
    """The visits side by side."""

    def __init__(self):
        super().__init__()
        self.arranging = False  # whether views are made or their images change: no steps through them meanwhile
        self.titles = ViewTitles()

    def timeline_is(self, shown: bool) -> bool:
        """Whether the timeline is shown, or (shown is False) none of its views is there."""
        return timeline.is_shown(self.application) if shown else not timeline.view_nodes(self.application)

    def show_timeline(self, shown: bool, opened: bool = False, cancel: threading.Event | None = None) -> None:
        """Shows the visits side by side, or brings back the earlier layout. opened: of a scene that was just opened,
        whose views Slicer pulled to 0 meanwhile; they come back to where they looked when it was saved. Raises
        CancelledError where ``cancel`` was set before all views were drawn: the earlier layout is back then."""
        if self.arranging or self.timeline_is(shown):
            return
        epoch = self._epoch
        self.arranging, pause = True, self._pause(epoch, cancel)
        try:
            with drawn_one_by_one(pause):
                if shown:
                    look = {} if opened else look_of(self.application)
                    self._show(
                        lambda veiled: timeline.show(self.application, pause=veiled),
                        lambda: timeline.look_as_left(self.application, look),
                        pause,
                    )
                else:
                    timeline.hide(self.application, pause)
                    fill_empty_views(self.application)
        except CancelledError:
            if self._epoch == epoch:  # else the views have gone with their scene
                timeline.hide(self.application)
                raise
        finally:
            self.arranging = False

    def _show(
        self,
        show: Callable[[Callable[[], None]], None],
        look: Callable[[], None],
        pause: Callable[[], None],
    ) -> None:
        """New views are seen once they are in their place, in a window that is no larger than it was. show: makes
        them, with the pause that it is given after each; look: brings all views to their place."""
        with window_as_large(), new_views_veiled(pause) as veiled:
            show(veiled)
            if timeline.is_shown(self.application):
                self.arrange(look)
        if timeline.is_shown(self.application):
            with unlinked(self.application):
                look()  # a view has its size only when it is seen
            self.titles.update(self.application)  # numbers of a legend too are as many as its view has room for

    def arrange(self, look: Callable[[], None]) -> None:
        """Titles, equal shares of the window, and where to look, once the layout has made its views."""
        if slicer.app.layoutManager() is None:  # no window
            look()
            return
        arrange(self.application, self.titles, look)

    def choose_view(self, view: object) -> None:
        """Chooses the visit that a view shows, and of the timeline's views the row."""
        if not self.arranging:
            choose_view(self.application, view)

    def go_to_visit(self, visit: str) -> object | None:
        """Chooses a visit, and turns the page where it must; titles follow before views are drawn: no view is seen
        under the date of another visit. Returns its view; None where the timeline is off, or just being arranged."""
        view = None if self.arranging else go_to_visit(self.application, visit)
        self.titles.update(self.application)
        return view

    def turn_page(self, by: int) -> None:
        """Shows earlier (-1) or later (1) visits where there are more than fit side by side."""
        with drawn_one_by_one():
            timeline.turn_page(self.application, by)
            self.titles.update(self.application)  # no view is seen under the date of another visit

    def set_overlay_opacity(self, opacity: float) -> None:
        """Opacity (0 to 1) of the maps over the anatomy in the timeline's views."""
        set_opacity(self.application, opacity)

    def choose_rows(self, rows: Sequence[timeline.Row]) -> None:
        """Shows these rows in the timeline, at the same place as before."""
        look = look_of(self.application)
        with drawn_one_by_one():
            self._show(
                lambda veiled: timeline.choose_rows(self.application, list(rows), veiled),
                lambda: look_again(self.application, look),
                self._pause(self._epoch),
            )

    def show_change(
        self,
        earlier: str,
        later: str,
        name: str,
        show: Show = silent,
        cancel: threading.Event | None = None,
    ) -> timeline.Row:
        """Adds a row to the timeline: what changed of ``T1CE`` or a map between two visits. Raises InputError
        ``change_withheld`` where the alignment is not trusted, and as ``analysis.change_maps.change_map``."""
        analysis, patient, epoch = self._patient(), patient_node(self.application.scene), self._epoch
        show(Message("step_change", {"earlier": earlier, "later": later}), 0.1)
        change = run_in_background(
            lambda report, cancelled: change_map(analysis, earlier, later, name), show, cancel or threading.Event()
        )
        self._check_same(epoch)
        row = put_change(patient, later, earlier, change, name)
        self.choose_rows(list(dict.fromkeys([*timeline.shown_rows(patient), row])))
        return row

    def show_picture(self, visit: Visit, series: Series) -> Picture:
        """Puts a picture that is set aside (a secondary capture) into the scene, never into the analysis; a row of the
        timeline where it lies over the T1CE. Raises InputError."""
        patient, why = patient_node(self.application.scene), texts.sentence(why_never_measured(series))
        node, picture = put_picture(patient, self._patient().patient, visit, series, why)
        if marked(node, "overlay") and timeline.is_shown(self.application):
            row = timeline.Row("T1CE", marked(node, "name"))
            self.choose_rows(list(dict.fromkeys([*timeline.shown_rows(patient), row])))
        return picture

    def _redraw(self, before: Heads) -> None:
        """The timeline as the patient is now, with rows that there are maps for, at the place of the head that it
        showed. before: where the heads lay then."""
        if timeline.is_shown(self.application):
            patient = patient_node(self.application.scene)
            rows, look = timeline.rows_after_work(patient), go_along(patient, look_of(self.application), before)
            with unlinked(self.application):
                look_again(self.application, look)  # how a view lies in its image says how thick its slices are
            self._show(
                lambda veiled: timeline.show(self.application, rows, pause=veiled),
                lambda: look_again(self.application, look),
                self._pause(self._epoch),
            )
        else:
            timeline.show_drawn(self.application)
