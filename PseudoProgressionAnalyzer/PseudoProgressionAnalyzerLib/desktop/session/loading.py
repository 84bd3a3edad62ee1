"""Patients that come into the scene."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ...analysis import Analysis
from ...analysis.run import start
from ...formats.series import read_series_header
from ...measures import InputError, Message, Patient, Series
from ...patient import read
from ...patient.dicom import read_dicom_files
from ...scene.adopting import adopt, remember_sources
from ...scene.candidates import Candidate
from ...scene.nodes import patient_node
from ...scene.taking_away import take_away
from ...scene.timeline_kept_out import remember_drawn
from ..long_work import Show, run_in_background, silent
from .building import Building


class Loading(Building):
    """Reading, adopting and simulating patients; one that is not whole never stays."""

    def __init__(self):
        super().__init__()
        self._unfinished = False  # a new patient is being built: the first of the scene

    def forget(self) -> None:
        """As of every part. A patient that is being built is taken away first, for nobody may take it for a whole
        one."""
        self._drop_unfinished()
        super().forget()

    def load(self, folder: Path, show: Show = silent, cancel: threading.Event | None = None) -> None:
        """Reads a patient folder into the scene. Raises InputError; CancelledError leaves the scene as it was."""
        self._load(lambda: read(Path(folder)), show, cancel)

    def load_files(self, files: Sequence[Path], show: Show = silent, cancel: threading.Event | None = None) -> None:
        """Reads the DICOM files of one patient, wherever they lie; errors as ``load``."""
        self._load(lambda: read_dicom_files(files), show, cancel)

    def load_example(self, name: str, show: Show = silent, cancel: threading.Event | None = None) -> None:
        """Simulates an example case the first time, then loads it as any patient."""
        from ... import cases

        def make(report, cancelled):
            return cases.cached(name, progress=lambda share: report(Message("step_simulate"), share))

        self.load(run_in_background(make, show, cancel or threading.Event()), show, cancel)

    def adopt(self, chosen: Sequence[Candidate], show: Show = silent, cancel: threading.Event | None = None) -> None:
        """Makes a patient from nodes of the scene, which stay as they are. Raises InputError as
        ``scene.adopting.adopt``."""
        self._check_free()
        epoch = self._epoch
        analysis, sources = adopt(chosen)
        self._work(analysis, show, cancel, last_step="step_read")
        self._build_new(analysis, epoch, cancel)
        patient = patient_node(self.application.scene)
        remember_sources(patient, sources)
        remember_drawn(patient, [each.node for each in chosen if each.role and each.drawn])
        analysis.given = {}  # read again where it is needed

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

    def _check_free(self) -> None:
        if patient_node(self.application.scene) is not None:
            raise InputError("scene_has_patient")

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
