"""Computing, and what the user changes of its course: transforms, choices, corrections."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ...analysis import DscChoices
from ...analysis.aligning import choose_another_reference, forget_transform, use_transform
from ...analysis.correcting import FOLLOWING, correct
from ...analysis.perfusion_changes import waiting_response_maps
from ...measures import Patient
from ...scene.adopting import given_again
from ...scene.build import write_patient
from ...scene.correcting import corrections, prune, remember, take_back
from ...scene.nodes import from_vtk, patient_node
from ...scene.region_list import forget_reference
from ..long_work import Show, silent
from .building import Building


class Computing(Building):
    """Aligning, mapping, measuring and assessing what is not done yet."""

    def compute(self, show: Show = silent, cancel: threading.Event | None = None, last_step: str = "") -> None:
        """Aligns, maps, measures and assesses what is not done yet, up to a step where one is named, then brings the
        scene up to date. Raises CancelledError also where the scene was closed or opened meanwhile."""
        analysis, epoch = self._patient(), self._epoch
        self._look_at_transforms()
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
        """Chooses the visit that ``compute`` aligns the others to; where it is another one than before, they are
        registered again, and transforms of the user's own brought to it (``choose_another_reference``)."""
        analysis = self._patient()
        if not visit or visit == analysis.reference_visit:
            return
        self._look_at_transforms()
        choose_another_reference(analysis, visit)
        analysis.finished -= {(step, "") for step in FOLLOWING}

    def use_transform(
        self, visit: str, node: object, show: Show = silent, cancel: threading.Event | None = None
    ) -> None:
        """Takes a linear transform node (from the visit's RAS to that of the reference visit) instead of the computed
        transform, and computes again what depends on it, where that was computed. Raises InputError, and then nothing
        is changed."""
        matrix = vtkMatrix4x4()
        node.GetMatrixTransformToWorld(matrix)
        self._look_at_transforms()  # what is chosen here counts, whatever was edited before
        use_transform(self._patient(), visit, from_vtk(matrix))
        self._follow_transform(show, cancel)

    def use_computed_transform(self, visit: str, show: Show = silent, cancel: threading.Event | None = None) -> None:
        """Registers a visit again that has a transform of the user's own."""
        self._look_at_transforms()
        forget_transform(self._patient(), visit)
        self._follow_transform(show, cancel)

    def _follow_transform(self, show: Show, cancel: threading.Event | None) -> None:
        analysis = self._patient()
        analysis.finished -= {(step, "") for step in FOLLOWING}
        self.compute(show, cancel, "" if analysis.measurements else "step_align")

    def map_again(
        self, visit: str, choices: DscChoices, show: Show = silent, cancel: threading.Event | None = None
    ) -> None:
        """Makes the maps of a visit's DSC series again with what the user chose, and all that follows from them."""
        analysis = self._patient()
        analysis.dsc_choices[visit] = choices
        analysis.finished -= {("step_maps", visit), ("step_ratios", visit)} | {(step, "") for step in FOLLOWING}
        self.compute(show, cancel)

    def restore_reference(self, visit: str, show: Show = silent, cancel: threading.Event | None = None) -> None:
        """Takes the drawn reference tissue of a visit away and finds it again, with all numbers that depend on it."""
        forget_reference(self.application.scene, self._patient(), visit)
        self._patient().finished -= {(step, "") for step in FOLLOWING}
        self.compute(show, cancel)

    def correct(
        self,
        edit: Callable[[Patient], Patient],
        show: Show = silent,
        cancel: threading.Event | None = None,
    ) -> None:
        """Corrects the patient (``patient.editing``) and computes again what depends on it; can be taken back. Where
        the edit itself raises InputError, nothing is changed."""
        before = self._patient().patient
        after = edit(before)
        if after != before:
            remember(patient_node(self.application.scene), before)
            self._follow(after, show, cancel)

    def take_back(self, show: Show = silent, cancel: threading.Event | None = None) -> None:
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
