"""What the panel's buttons do, one function each, callable from Python without the panel.

The scene is the single source of truth; the Analysis that is kept here is read from it and can be read again at any
time.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from .. import texts
from ..analysis import Analysis, DscChoices
from ..analysis.aligning import forget_transform, use_transform
from ..analysis.change_maps import change_map
from ..analysis.correcting import correct
from ..analysis.judging import assess_visits
from ..analysis.known import known_analysis, latest_assessed
from ..analysis.mean_spectra import STEP as MEAN_SPECTRA
from ..analysis.mean_spectra import follow_mean_spectra
from ..analysis.measuring import measure_waiting
from ..analysis.perfusion_changes import waiting_response_maps
from ..analysis.responding import update_lesions
from ..analysis.run import run, start
from ..formats.dicom_pictures import Picture, why_never_measured
from ..formats.series import read_series_header
from ..measures import InputError, Message, Patient, Series, Visit
from ..patient import read
from ..patient.dicom import read_dicom_files
from ..report import assessment_json, results
from ..scene import timeline
from ..scene.adopting import adopt, given_again, remember_sources
from ..scene.application import application
from ..scene.as_of import choose_as_of, chosen_as_of
from ..scene.build import (
    build_scene,
    known_checksums,
    prepare,
    share_images,
    write_assessment,
    write_measurements,
    write_patient,
    write_ratio_maps,
)
from ..scene.candidates import Candidate
from ..scene.captures import put_picture
from ..scene.correcting import corrections, prune, remember, take_back
from ..scene.lines import hide_left_behind, lines_wait, read_lines, write_lines
from ..scene.nodes import Kind, from_vtk, marked, patient_node
from ..scene.pictures import ScenePictures
from ..scene.read import read_scene
from ..scene.region_list import add_region, follow_segments, forget_reference, segment_at
from ..scene.regions import remeasure_segments, take
from ..scene.segments import dress_segment
from ..scene.spectra import write_region_spectra
from ..scene.taking_away import take_away
from ..scene.timeline_change import put_change
from ..scene.timeline_look import look_again, look_of
from ..scene.timeline_overlays import set_opacity
from ..scene.timeline_put_away import fill_empty_views
from .drawing import drawn_one_by_one, new_views_veiled
from .long_work import Calls, run_in_background
from .view_titles import ViewTitles

Show = Callable[[Message, float], None]

FOLLOWING = ("step_response_maps", "step_measure", "step_lesions", "step_responses", "step_assess")
"""Steps that depend on what is drawn."""

REMADE = ("maps", "series_to_visit", "absent", "messages", "overlaps", "measurements")
"""What making the maps that wait writes into the analysis."""

JUDGED = (*REMADE, "lesions", "parts", "outlines", "response", "assessments", "outcome")
"""What judging writes into the analysis; and with it the mean spectra that it fitted again."""


@dataclass(frozen=True)
class Judged:
    """An analysis judged beside the interface, its assessment.json, visits with a response map made again, and of which
    state of the session."""

    analysis: Analysis
    text: str
    mapped: list[str]
    edits: int
    epoch: int


@dataclass(frozen=True)
class PicturesOfMain:
    """Pictures of the scene for a worker: the main thread makes them."""

    calls: Calls
    pictures: ScenePictures

    def cell(self, *arguments: Any) -> Any:
        """As ``ScenePictures.cell``."""
        return self.calls(self.pictures.cell, *arguments)

    def scale(self, overlay: str) -> Any:
        """As ``ScenePictures.scale``."""
        return self.calls(self.pictures.scale, overlay)


def _silent(message: Message, share: float) -> None:
    """No progress display."""


class Session:
    """The patient of the scene at work."""

    def __init__(self):
        self.application = application()
        self._analysis: Analysis | None = None
        self._epoch = 0
        self._edits = self._settled = 0
        self.written = 0
        self._taken: list[tuple[object, str]] = []
        self._arranging = False
        self._tissue: set[str] = set()
        self._unfinished = False  # a new patient is being built: the first of the scene
        self.titles = ViewTitles()

    @property
    def analysis(self) -> Analysis | None:
        """The scene's patient; read from the scene when it is not in memory, None when the scene has none, or not
        yet (while it is opened) or not any more (while it is closed)."""
        scene = self.application.scene
        if self._analysis is None and not scene.IsImporting() and not scene.IsClosing():
            node = patient_node(scene)
            if node is not None and node.GetText():
                self._analysis = read_scene(scene).analysis
        return self._analysis

    @property
    def epoch(self) -> int:
        """Another number whenever the scene was closed, opened or edited by others."""
        return self._epoch

    @property
    def edits(self) -> int:
        """Another number after each stroke."""
        return self._edits

    def forget(self) -> None:
        """After the scene was closed, opened or edited by others: the next use reads it again. A patient that is being
        built is taken away first, for nobody may take it for a whole one."""
        self._drop_unfinished()
        self._analysis = None
        self._settled = self._edits
        self._tissue.clear()
        self._taken.clear()
        self._epoch += 1

    def load(self, folder: Path, show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Reads a patient folder into the scene. Raises InputError; CancelledError leaves the scene as it was."""
        self._load(lambda: read(Path(folder)), show, cancel)

    def load_files(self, files: Sequence[Path], show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Reads the DICOM files of one patient, wherever they lie; errors as ``load``."""
        self._load(lambda: read_dicom_files(files), show, cancel)

    def adopt(self, chosen: Sequence[Candidate], show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Makes a patient from nodes of the scene, which stay as they are. Raises InputError as
        ``scene.adopting.adopt``."""
        self._check_free()
        epoch = self._epoch
        analysis, sources = adopt(chosen)
        self._work(analysis, show, cancel, last_step="step_read")
        self._build_new(analysis, epoch, cancel)
        remember_sources(patient_node(self.application.scene), sources)
        analysis.given = {}  # read again where it is needed

    def show_picture(self, visit: Visit, series: Series) -> Picture:
        """Puts a picture that is set aside (a secondary capture) into the scene, never into the analysis; a row of the
        timeline where it lies over the T1CE. Raises InputError."""
        patient, why = patient_node(self.application.scene), texts.sentence(why_never_measured(series))
        node, picture = put_picture(patient, self._patient().patient, visit, series, why)
        if marked(node, "overlay") and timeline.is_shown(self.application):
            row = timeline.Row("T1CE", marked(node, "name"))
            self.choose_rows(list(dict.fromkeys([*timeline.shown_rows(patient), row])))
        return picture

    def dimensions_of(self, series: Series) -> int | None:
        """3, or 4 of a time series, from its header; None where it cannot be read."""
        given = self._patient().given.get(series.uid) if series.uid else None
        try:
            return (given or read_series_header(series)).array.ndim
        except InputError:
            return None

    def _load(self, look: Callable[[], Patient], show: Show, cancel: threading.Event | None) -> None:
        self._check_free()
        epoch, asked = self._epoch, cancel or threading.Event()
        show(Message("step_look"), 0.0)
        analysis = start(run_in_background(lambda report, cancelled: look(), show, asked))
        self._work(analysis, show, asked, last_step="step_read")
        self._build_new(analysis, epoch, asked)

    def load_example(self, name: str, show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Simulates an example case the first time, then loads it as any patient."""
        from .. import cases

        def make(report, cancelled):
            return cases.cached(name, progress=lambda share: report(Message("step_simulate"), share))

        self.load(run_in_background(make, show, cancel or threading.Event()), show, cancel)

    def compute(self, show: Show = _silent, cancel: threading.Event | None = None, last_step: str = "") -> None:
        """Aligns, maps, measures and assesses what is not done yet, up to a step where one is named, then brings the
        scene up to date. Raises CancelledError also where the scene was closed or opened meanwhile."""
        analysis, epoch = self._patient(), self._epoch
        analysis.given = given_again(patient_node(self.application.scene), analysis.patient)
        dropped = any(("step_region_spectra", visit) not in analysis.finished for visit in analysis.visit_to_reference)
        if self.take_lines() or dropped or waiting_response_maps(analysis):
            analysis.finished -= {(step, "") for step in FOLLOWING}  # strokes dropped what is made again
        try:
            self._work(analysis, show, cancel, last_step)
        finally:
            analysis.given = {}  # time series of the scene are large, and read
            self._bring(analysis, epoch)

    def set_reference_visit(self, visit: str) -> None:
        """Chooses the visit that ``compute`` aligns the others to; their transforms, also the user's own, are given
        up where it is another one than before."""
        analysis = self._patient()
        if not visit or visit == analysis.reference_visit:
            return
        for other in [each.id for each in analysis.patient.visits]:
            forget_transform(analysis, other)
        analysis.finished -= {(step, "") for step in FOLLOWING}
        analysis.reference_visit = visit

    def use_transform(
        self, visit: str, node: object, show: Show = _silent, cancel: threading.Event | None = None
    ) -> None:
        """Takes a linear transform node (from the visit's RAS to that of the reference visit) instead of the computed
        transform, and computes again what depends on it, where that was computed. Raises InputError, and then nothing
        is changed."""
        matrix = vtkMatrix4x4()
        node.GetMatrixTransformToWorld(matrix)
        use_transform(self._patient(), visit, from_vtk(matrix))
        self._follow_transform(show, cancel)

    def use_computed_transform(self, visit: str, show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Registers a visit again that has a transform of the user's own."""
        forget_transform(self._patient(), visit)
        self._follow_transform(show, cancel)

    def _follow_transform(self, show: Show, cancel: threading.Event | None) -> None:
        analysis = self._patient()
        analysis.finished -= {(step, "") for step in FOLLOWING}
        self.compute(show, cancel, "" if analysis.measurements else "step_align")

    def correct(
        self,
        edit: Callable[[Patient], Patient],
        show: Show = _silent,
        cancel: threading.Event | None = None,
    ) -> None:
        """Corrects the patient (``patient.editing``) and computes again what depends on it; can be taken back. Where
        the edit itself raises InputError, nothing is changed."""
        before = self._patient().patient
        after = edit(before)
        if after != before:
            remember(patient_node(self.application.scene), before)
            self._follow(after, show, cancel)

    def take_back(self, show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Takes the last correction back; does nothing without one."""
        node, analysis = patient_node(self.application.scene), self._patient()
        if corrections(node):
            self._follow(take_back(node, analysis.patient), show, cancel)

    def _follow(self, patient: Patient, show: Show, cancel: threading.Event | None) -> None:
        analysis, before = self._patient(), self._patient().patient
        measured = ("step_measure", "") in analysis.finished
        correct(analysis, patient)
        prune(patient_node(self.application.scene), analysis, before)
        write_patient(patient_node(self.application.scene), analysis)
        if measured:
            self.compute(show, cancel)
            return
        epoch = self._epoch
        self._work(analysis, show, cancel, last_step="step_read")
        self._bring(analysis, epoch)

    def timeline_is(self, shown: bool) -> bool:
        """Whether the timeline is shown, or (shown is False) none of its views is there."""
        return timeline.is_shown(self.application) if shown else not timeline.view_nodes(self.application)

    def show_timeline(self, shown: bool, opened: bool = False) -> None:
        """Shows the visits side by side, or brings back the earlier layout. opened: of a scene that was just opened,
        whose views Slicer pulled to 0 meanwhile; they come back to where they looked when it was saved."""
        if self._arranging or self.timeline_is(shown):
            return
        self._arranging, pause = True, self._pause(self._epoch)
        try:
            with contextlib.suppress(CancelledError), drawn_one_by_one(pause):
                if shown:
                    look = {} if opened else look_of(self.application)
                    with new_views_veiled(pause) as veiled:
                        timeline.show(self.application, pause=veiled)
                    self.arrange(lambda: timeline.look_as_left(self.application, look))
                else:
                    timeline.hide(self.application, pause)
                    fill_empty_views(self.application)
        finally:
            self._arranging = False

    def arrange(self, look: Callable[[], None]) -> None:
        """Titles, equal shares of the window, and where to look, once the layout has made its views."""
        if slicer.app.layoutManager() is None:  # no window
            look()
            return
        from .timeline_window import arrange

        arrange(self.application, self.titles, look)

    def turn_page(self, by: int) -> None:
        """Shows earlier (-1) or later (1) visits where there are more than fit side by side."""
        with drawn_one_by_one():
            timeline.turn_page(self.application, by)
            self.titles.update(self.application)  # no view is seen under the date of another visit

    def set_overlay_opacity(self, opacity: float) -> None:
        """Opacity (0 to 1) of the maps over the anatomy in the timeline's views."""
        set_opacity(self.application, opacity)

    def show_change(
        self,
        earlier: str,
        later: str,
        name: str,
        show: Show = _silent,
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

    def choose_rows(self, rows: Sequence[timeline.Row]) -> None:
        """Shows these rows in the timeline, at the same place as before."""
        look = look_of(self.application)
        with drawn_one_by_one():
            timeline.choose_rows(self.application, list(rows))
            if timeline.is_shown(self.application):
                self.arrange(lambda: look_again(self.application, look))

    def remeasure(self, segmentation: object, *segment_ids: str) -> None:
        """Takes segments after a stroke, and measures them where the patient was measured before; ``show_maps`` and
        ``settle`` bring the scene up to date, later. An empty segment id: a segment was removed or renamed."""
        analysis = self.analysis
        if analysis is None:
            return
        self._edits += 1
        drawn = [segment_id for segment_id in segment_ids if segment_id]
        if "" in segment_ids:
            follow_segments(analysis, segmentation)
        if self.measured:
            remeasure_segments(self.application.scene, analysis, segmentation, drawn, write=False)
        else:
            for segment_id in drawn:
                take(analysis, segmentation, segment_id)
        patient = patient_node(self.application.scene)
        if patient is not None and marked(segmentation, "kind") == Kind.LESION:
            hide_left_behind(patient, analysis, marked(segmentation, "visit"))
        if (self.measured or "" in segment_ids) and marked(segmentation, "kind") == Kind.REFERENCE:
            self._tissue.add(marked(segmentation, "visit"))

    def show_maps(self) -> None:
        """Brings the maps of visits whose reference tissue was edited up to date in the scene."""
        if self._tissue:
            write_ratio_maps(patient_node(self.application.scene), self._patient(), *self._tissue)
            self._tissue.clear()

    @property
    def measured(self) -> bool:
        """Whether the patient was measured; strokes are then measured at once."""
        return self.analysis is not None and ("step_measure", "") in self.analysis.finished

    def take(self, segmentation: object, *segment_ids: str) -> None:
        """Takes segments that were edited while long work ran; the work measures them again before it ends, or
        ``measure_taken`` after it. Segment ids as of ``remeasure``."""
        for segment_id in segment_ids if self._analysis is not None else ():
            changed = take if segment_id else lambda analysis, node, _: follow_segments(analysis, node)
            if changed(self._analysis, segmentation, segment_id):
                self._edits += 1
                self._taken.append((segmentation, segment_id))

    def measure_taken(self) -> bool:
        """After long work: measures what was drawn meanwhile and not measured by it; whether there was anything."""
        taken, self._taken = list(dict.fromkeys(self._taken)), []
        for node, segment_id in taken:
            there = self.application.scene.IsNodePresent(node)
            if there and (not segment_id or node.GetSegmentation().GetSegment(segment_id) is not None):
                self.remeasure(node, segment_id)
        return bool(taken)

    def add_region(self, visit: str, purpose: str, name: str = "") -> tuple[object, str]:
        """Adds an empty region (``lesion``, ``free`` or ``reference``) to draw in a visit; returns its segmentation and
        the segment's id. Raises InputError."""
        self._edits += 1
        return add_region(self.application.scene, self._patient(), visit, purpose, name)

    def change_region(self, visit: str, name: str, purpose: str = "", carried: bool | None = None) -> None:
        """Gives a region another purpose (of ``measures.PURPOSES``, but not ``reference``), or carries it into every
        visit, or no more."""
        analysis = self._patient()
        region = next(each for each in analysis.patient.regions if (each.visit, each.name) == (visit, name))
        if purpose and purpose != region.purpose:
            region.purpose, region.carried = purpose, purpose == "free"
        region.carried = region.carried if carried is None else carried
        found = segment_at(self.application.scene, region)
        self._edits += 1
        if found is not None:
            dress_segment(found[0].GetSegmentation().GetSegment(found[1]), region.purpose)
            self.remeasure(*found)

    def restore_reference(self, visit: str, show: Show = _silent, cancel: threading.Event | None = None) -> None:
        """Takes the drawn reference tissue of a visit away and finds it again, with all numbers that depend on it."""
        forget_reference(self.application.scene, self._patient(), visit)
        self._patient().finished -= {(step, "") for step in FOLLOWING}
        self.compute(show, cancel)

    @property
    def unsettled(self) -> bool:
        """Whether lesions, responses and assessments are older than the measurements or than lines that the reader
        moved, or maps wait."""
        if self._edits != self._settled or bool(self._analysis and waiting_response_maps(self._analysis)):
            return True
        patient = patient_node(self.application.scene)
        return bool(self._analysis and patient and lines_wait(patient, self._analysis))

    def take_lines(self) -> bool:
        """Takes lines that the reader moved; says whether anything is to be judged again."""
        patient = patient_node(self.application.scene)
        taken = patient is not None and read_lines(patient, self._patient())
        self._edits += taken
        return taken

    def map_again(
        self, visit: str, choices: DscChoices, show: Show = _silent, cancel: threading.Event | None = None
    ) -> None:
        """Makes the maps of a visit's DSC series again with what the user chose, and all that follows from them."""
        analysis = self._patient()
        analysis.dsc_choices[visit] = choices
        analysis.finished -= {("step_maps", visit), ("step_ratios", visit)} | {(step, "") for step in FOLLOWING}
        self.compute(show, cancel)

    def in_background(self, work: Callable[[], Any], cancel: threading.Event) -> Any:
        """The result of work that touches no scene, with the interface alive."""
        return run_in_background(lambda report, cancelled: work(), _silent, cancel)

    def settle(self) -> None:
        """Judges and writes what strokes changed, where anything did: before the scene is saved."""
        if self.unsettled:
            self.assess()

    def judging(
        self, sheltered: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext
    ) -> Callable[[], Judged | None]:
        """The work of judging what is measured now, with the maps that wait, for any thread: it touches neither the
        scene nor the analysis, and ends early where strokes come meanwhile. ``accept`` takes what it returns. What
        waits for threads of its own is ``sheltered``: it ends by itself."""
        self.take_lines()
        edits, epoch, part = self._edits, self._epoch, self._copy()

        def work() -> Judged | None:
            mapped = measure_waiting(part)
            try:
                with sheltered():
                    follow_mean_spectra(part, lambda: (self._edits, self._epoch) != (edits, epoch))
            except CancelledError:
                return None
            update_lesions(part)
            if self._edits != edits:
                return None
            assess_visits(part)
            return Judged(part, assessment_json.text(part), mapped, edits, epoch)

        return work

    def accept(self, judged: Judged | None) -> bool:
        """Takes what was judged beside, and writes it; does nothing, and says so, where strokes came or all was judged
        at once meanwhile."""
        if judged is None or not self.unsettled or (judged.edits, judged.epoch) != (self._edits, self._epoch):
            return False
        analysis = self._patient()
        for name in JUDGED:
            setattr(analysis, name, getattr(judged.analysis, name))
        analysis.region_spectra.update(judged.analysis.region_spectra)
        analysis.finished |= {step for step in judged.analysis.finished if step[0] == MEAN_SPECTRA}
        self._tissue.update(judged.mapped)
        self._write(judged.text)
        return True

    def assess(self) -> None:
        """Judges all visits again from the present measurements, where there are any, and writes it."""
        analysis = self._patient()
        self.take_lines()
        if self.measured:
            self._tissue.update(measure_waiting(analysis))
            follow_mean_spectra(analysis)
            update_lesions(analysis)
            assess_visits(analysis)
        self._write(assessment_json.text(analysis) if analysis.assessments else "")

    def _write(self, assessment: str) -> None:
        """All text of the scene, the lines of diameters and maps that were made again, as the analysis is now."""
        analysis, patient = self._patient(), patient_node(self.application.scene)
        self._settled = self._edits
        self.written += 1
        self.show_maps()
        write_patient(patient, analysis)
        write_measurements(patient, analysis)
        write_region_spectra(patient, analysis)
        write_assessment(patient, assessment)
        write_lines(patient, analysis)
        timeline.show_drawn(self.application)

    def set_prior(self, prior: Sequence[float] | None, visit: str = "") -> None:
        """Assesses again with a prior (median, low, high) of the user's for a visit, or for all (empty); None takes it
        back. Raises InputError ``prior_invalid``, and then nothing is changed."""
        analysis = self._patient()
        analysis.rules = analysis.rules.with_prior(prior, visit)
        self._judge()

    def set_criteria(self, file: Path | None) -> None:
        """Assesses again with a criteria file of the user's, or with the default set (None). Raises InputError, which
        names the line or the field, and then nothing is changed."""
        analysis = self._patient()
        analysis.rules = analysis.rules.with_criteria(file)
        self._judge()

    def _judge(self) -> None:
        """Assesses again where only the rules changed."""
        analysis = self._patient()
        if self.unsettled:
            self.assess()
            return
        if self.measured:
            assess_visits(analysis)
        patient = patient_node(self.application.scene)
        write_patient(patient, analysis)
        write_assessment(patient, assessment_json.text(analysis) if analysis.assessments else "")

    def report_page(
        self,
        show_patient: bool = False,
        as_of: str = "",
        show: Show = _silent,
        cancel: threading.Event | None = None,
    ) -> str:
        """The report as one HTML page with everything in it. as_of: the visit that it opens with, else the
        latest; of an earlier one nothing later is in it."""

        def make(analysis: Analysis, rest: dict[str, Any]) -> str:
            return results.page(analysis, show_patient, as_of=as_of, **rest)

        return self._report(make, show, cancel)

    @property
    def as_of(self) -> str:
        """The visit whose assessment is shown: the chosen one, else the latest; empty where there is no assessment."""
        assessed = [found.as_of for found in self.analysis.assessments] if self.analysis else []
        chosen = chosen_as_of(self.application.scene)
        return chosen if chosen in assessed else latest_assessed(self.analysis) if assessed else ""

    def choose_as_of(self, visit: str) -> None:
        """Chooses the visit whose assessment is shown; it is saved with the scene. Raises InputError
        ``unknown_visit``."""
        analysis = self._patient()
        if visit:
            analysis.patient.visit(visit)
        choose_as_of(self.application.scene, "" if visit == latest_assessed(analysis) else visit)

    def save_assessment(self, file: Path, show_patient: bool = False, as_of: str = "") -> None:
        """Writes assessment.json, judged up to the last stroke. as_of: as in ``save_report``."""
        self.settle()
        known, not_used = known_analysis(self._patient(), as_of)
        shown = results.shown_analysis(known, show_patient)
        assessment_json.write(shown, Path(file), as_of=as_of, not_used=not_used)

    def save_report(
        self,
        folder: Path,
        overwrite: bool = False,
        show_patient: bool = False,
        as_of: str = "",
        show: Show = _silent,
        cancel: threading.Event | None = None,
    ) -> list[Path]:
        """Writes report, timeline, tables and maps into a folder; the scene itself is saved by Slicer. as_of: the visit
        that the report opens with, else the latest; of an earlier one nothing later is in it. Raises InputError;
        CancelledError leaves the folder as it was."""
        results.check_output(Path(folder), overwrite)

        def write(analysis: Analysis, rest: dict[str, Any]) -> list[Path]:
            return results.write_results(analysis, Path(folder), overwrite, show_patient, as_of=as_of, **rest)

        return self._report(write, show, cancel)

    def _report(
        self, make: Callable[[Analysis, dict[str, Any]], Any], show: Show, cancel: threading.Event | None
    ) -> Any:
        """What ``make`` makes of the analysis, judged up to the last stroke, beside the interface; its pictures come
        from the scene."""
        cancel = cancel or threading.Event()
        if self.unsettled and self.measured:
            judge = self.judging()
            self.accept(run_in_background(lambda report, cancelled: judge(), _silent, cancel))
        calls, analysis = Calls(), self._copy()
        pictures = PicturesOfMain(calls, ScenePictures(self.application.scene))

        def work(report: Show, cancelled: Callable[[], bool]) -> Any:
            def done(share: float) -> None:
                if cancelled():
                    raise CancelledError
                report(Message("step_write"), share)

            return make(analysis, {"pictures": pictures, "done": done})

        return run_in_background(work, show, cancel, calls)

    def _copy(self) -> Analysis:
        """The analysis as it is now, whatever strokes come: arrays are shared, for a stroke makes new ones."""
        analysis = self._patient()
        part = Analysis(**{name: copy.copy(value) for name, value in vars(analysis).items()})
        part.patient.regions = [copy.copy(region) for region in analysis.patient.regions]
        return part

    def _patient(self) -> Analysis:
        if self.analysis is None:
            raise InputError("scene_without_patient")
        return self.analysis

    def _work(self, analysis: Analysis, show: Show, cancel: threading.Event | None, last_step: str = "") -> None:
        """Runs the steps that are not done; again those that depend on regions edited meanwhile."""
        cancel = cancel or threading.Event()
        edited = True
        while edited:
            try:
                run_in_background(
                    lambda report, cancelled: run(analysis, report, cancelled, last_step=last_step), show, cancel
                )
            finally:
                taken, self._taken = self._taken, []
                edited = bool(taken)
                if edited:
                    analysis.finished -= {(step, "") for step in FOLLOWING}
                for visit in {marked(node, "visit") for node, _ in taken}:
                    analysis.finished -= {("step_reference_tissue", visit), ("step_ratios", visit)}

    def _check_free(self) -> None:
        if patient_node(self.application.scene) is not None:
            raise InputError("scene_has_patient")

    def _check_same(self, epoch: int) -> None:
        if self._epoch != epoch:
            raise CancelledError

    def _build_new(self, analysis: Analysis, epoch: int, cancel: threading.Event | None = None) -> None:
        """Brings a new patient into the scene that it was read for; nothing of it stays where that was stopped. Raises
        InputError ``scene_has_patient`` where another one came meanwhile, CancelledError where it was stopped, or the
        scene was closed or opened."""
        self._check_free()
        self._check_same(epoch)
        try:
            self._build(analysis, self._begin, cancel)
        except BaseException:
            self._drop_unfinished()
            raise
        self._unfinished = False

    def _begin(self) -> None:
        self._check_free()
        self._unfinished = True

    def _drop_unfinished(self) -> None:
        """Takes a patient away whose building ends early; does nothing where there is none."""
        if not self._unfinished:
            return
        self._unfinished, self._analysis = False, None
        scene = self.application.scene
        half = patient_node(scene)  # patients of a scene that is added come after it
        if half is not None and not scene.IsClosing():
            take_away(half)

    def _bring(self, analysis: Analysis, epoch: int) -> None:
        """Brings the work on a patient into the scene that has it. Raises CancelledError where the scene was closed or
        another one opened while the work ran."""
        self._check_same(epoch)
        with drawn_one_by_one(self._pause(epoch)):
            self._build(analysis)
            self._redraw()

    def _build(
        self,
        analysis: Analysis,
        check: Callable[[], None] = lambda: None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Brings the scene up to date, with the interface alive; ends where the scene is closed meanwhile, between two
        nodes where ``cancel`` is set, or where ``check`` raises, before anything is written."""
        self._settled = self._edits
        pause, known = self._pause(self._epoch, cancel), known_checksums(self.application.scene)

        def make(report, cancelled):
            return prepare(analysis, known, cancelled), assessment_json.text(analysis) if analysis.assessments else ""

        prepared, text = run_in_background(make, _silent, cancel or threading.Event())
        with drawn_one_by_one(pause):
            pause()
            check()
            self._analysis = analysis
            share_images(build_scene(self.application, analysis, text, pause, prepared), analysis)

    def _redraw(self) -> None:
        """The timeline as the patient is now, with rows that there are maps for."""
        if timeline.is_shown(self.application):
            rows = timeline.rows_after_work(patient_node(self.application.scene))
            look = look_of(self.application)
            with new_views_veiled(self._pause(self._epoch)) as veiled:
                timeline.show(self.application, rows, pause=veiled)
            self.arrange(lambda: look_again(self.application, look))
        else:
            timeline.show_drawn(self.application)

    def _pause(self, epoch: int, cancel: threading.Event | None = None) -> Callable[[], None]:
        """Lets the interface live between two pieces of work on the scene; ends the work when the scene was closed, or
        it was asked to stop."""

        def pause() -> None:
            slicer.app.processEvents()
            self._check_same(epoch)
            if cancel is not None and cancel.is_set():
                raise CancelledError

        return pause
