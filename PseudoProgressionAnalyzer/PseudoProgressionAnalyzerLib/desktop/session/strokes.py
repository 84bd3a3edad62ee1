"""Strokes, and the list of regions: taken into the analysis and measured at once."""

from __future__ import annotations

from ...scene.build import write_ratio_maps
from ...scene.lines import hide_left_behind
from ...scene.nodes import Kind, marked, patient_node
from ...scene.region_list import add_region, follow_segments, keep_names_apart, segment_at
from ...scene.regions import remeasure_segments, take
from ...scene.segments import dress_segment, note_use
from .scene_patient import ScenePatient


class Strokes(ScenePatient):
    """What is drawn. ``edits`` counts it."""

    def __init__(self):
        super().__init__()
        self._edits = 0
        self._taken: list[tuple[object, str]] = []
        self._tissue: set[str] = set()

    def forget(self) -> None:
        super().forget()
        self._tissue.clear()
        self._taken.clear()

    @property
    def edits(self) -> int:
        """Another number after each stroke."""
        return self._edits

    def remeasure(self, segmentation: object, *segment_ids: str) -> None:
        """Takes segments after a stroke, and measures them where the patient was measured before; ``show_maps`` and
        ``settle`` bring the scene up to date, later. An empty segment id: a segment was removed or renamed."""
        analysis = self.analysis
        if analysis is None:
            return
        self._edits += 1
        self._keep_names_apart(segmentation)
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

    def take(self, segmentation: object, *segment_ids: str) -> None:
        """Takes segments that were edited while long work ran; the work measures them again before it ends, or
        ``measure_taken`` after it. Segment ids as of ``remeasure``."""
        if self._analysis is None:
            return
        self._keep_names_apart(segmentation)
        for segment_id in segment_ids:
            changed = take if segment_id else lambda analysis, node, _: follow_segments(analysis, node)
            if changed(self._analysis, segmentation, segment_id):
                self._edits += 1
                self._taken.append((segmentation, segment_id))

    def _keep_names_apart(self, segmentation: object) -> None:
        patient = patient_node(self.application.scene)
        if patient is not None:
            keep_names_apart(patient, marked(segmentation, "visit"))

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
            segment = found[0].GetSegmentation().GetSegment(found[1])
            dress_segment(segment, region.purpose)
            note_use(segment, region)
            self.remeasure(*found)
