"""Segment Editors that work in the column one draws in.

Slicer's editor forgets its undo states when it changes to another segmentation. So each visit has an editor of its own
with its own node; the pointer entering a column brings that visit's editor to the front, with the effect and the brush
that are in use.
"""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
from slicer.util import VTKObservationMixin

from ..scene.nodes import Kind, find, linked, marked, patient_node
from ..scene.segments import fingerprint, segment_mask

UNDO_STATES = 20
EDITS = tuple(
    getattr(slicer.vtkSegmentation, name)
    for name in (
        "SourceRepresentationModified", "RepresentationModified", "SegmentModified", "SegmentAdded", "SegmentRemoved",
    )
)  # fmt: skip
"""Any of these may change voxels: a stroke, an undo, a threshold. None says reliably which segment it was."""


class Editors(VTKObservationMixin):
    """One editor per visit on a stack.

    Tells ``on_stroke(segmentation, segment id)`` after each edit, with an empty id when a segment was removed, and
    ``on_visit(visit id)`` when another visit's editor comes to the front. An edit sends several events: it is told
    once, when they have all come.
    """

    def __init__(self, stack: object, on_stroke: Callable[[object, str], None], on_visit: Callable[[str], None]):
        VTKObservationMixin.__init__(self)
        self.stack = stack
        self.on_stroke = on_stroke
        self.on_visit = on_visit
        self.editors: dict[str, object] = {}
        self.known: dict[str, dict[str, str]] = {}
        self.visit = ""
        self.listening = True
        self.edited: dict[str, object] = {}
        self.timer = qt.QTimer()
        self.timer.setSingleShot(True)
        self.timer.setInterval(0)
        self.timer.connect("timeout()", self.tell)

    def open(self) -> None:
        """Makes the editors of the scene's patient, and begins to watch pointer and strokes."""
        self.tell()
        self.close()
        patient = patient_node(slicer.mrmlScene)
        if patient is None:
            return
        for segmentation in linked(patient, Kind.LESION):
            visit = marked(segmentation, "visit")
            anatomy = find(patient, Kind.IMAGE, visit, "T1CE")
            if anatomy is not None:
                self.editors[visit] = self._editor(segmentation, anatomy)
                self._watch(segmentation)
        for reference in linked(patient, Kind.REFERENCE):
            self._watch(reference)
        crosshair = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
        self.addObserver(crosshair, slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent, self._pointer_moved)
        if self.editors:
            self.bring(next(iter(self.editors)))

    def close(self) -> None:
        """Ends watching and takes the editors away; the segmentations stay."""
        self.timer.stop()
        self.edited = {}
        self.removeObservers()
        for editor in self.editors.values():
            node = editor.mrmlSegmentEditorNode()
            editor.setActiveEffect(None)
            editor.removeViewObservations()
            editor.setSegmentationNode(None)
            editor.setMRMLSegmentEditorNode(None)
            editor.setMRMLScene(None)
            self.stack.removeWidget(editor)
            editor.deleteLater()
            if node is not None and slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)
        self.editors, self.known = {}, {}
        self.visit = ""

    def bring(self, visit: str) -> None:
        """Brings a visit's editor to the front with the effect and brush of the one before."""
        if visit == self.visit or visit not in self.editors:
            return
        editor, before = self.editors[visit], self.editors.get(self.visit)
        effect = before.activeEffect() if before else None
        name = effect.name if effect else ""
        if before:
            _copy_parameters(before.mrmlSegmentEditorNode(), editor.mrmlSegmentEditorNode())
            before.setActiveEffect(None)
            before.removeViewObservations()
        self.visit = visit
        self.stack.setCurrentWidget(editor)
        if self.listening:
            editor.setupViewObservations()
        if name:
            editor.setActiveEffectByName(name)
        self.on_visit(visit)

    def listen(self, on: bool) -> None:
        """Whether the effects listen to views and keys: not in another module, and not while long work runs."""
        if on == self.listening:
            return
        self.listening = on
        editor = self.editors.get(self.visit)
        if editor and on:
            editor.setupViewObservations()
            editor.installKeyboardShortcuts()
        elif editor:
            editor.setActiveEffect(None)
            editor.removeViewObservations()
            editor.uninstallKeyboardShortcuts()

    def _editor(self, segmentation: object, anatomy: object) -> object:
        editor = slicer.qMRMLSegmentEditorWidget()
        node = slicer.vtkMRMLSegmentEditorNode()
        node.SetName(f"{marked(segmentation, 'visit')} editor")
        node.SetSaveWithScene(False)
        node = slicer.mrmlScene.AddNode(node)
        # The empty node comes before the scene, so that the editor's own choices are kept in it.
        editor.setMRMLSegmentEditorNode(node)
        editor.setMRMLScene(slicer.mrmlScene)
        editor.setAutoShowSourceVolumeNode(False)
        editor.setSegmentationNodeSelectorVisible(False)
        editor.setSourceVolumeNodeSelectorVisible(False)
        editor.setSwitchToSegmentationsButtonVisible(False)
        editor.setMaximumNumberOfUndoStates(UNDO_STATES)
        editor.setSegmentationNode(segmentation)
        editor.setSourceVolumeNode(anatomy)
        segment = segmentation.GetSegmentation().GetNthSegmentID(0)
        if segment:
            editor.setCurrentSegmentID(segment)
        self.stack.addWidget(editor)
        return editor

    def _watch(self, segmentation: object) -> None:
        self.known[segmentation.GetID()] = _fingerprints(segmentation)

        def edited(caller: object, event: object) -> None:
            self.edited[segmentation.GetID()] = segmentation
            self.timer.start()

        for event in EDITS:
            self.addObserver(segmentation.GetSegmentation(), event, edited)

    def tell(self) -> None:
        """Which segments hold other voxels than before; at once, for what cannot wait for the event loop."""
        self.timer.stop()
        edited, self.edited = self.edited, {}
        for node_id, segmentation in edited.items():
            before, now = self.known[node_id], _fingerprints(segmentation)
            self.known[node_id] = now
            for segment_id, fingerprint_ in now.items():
                if before.get(segment_id) != fingerprint_:
                    self.on_stroke(segmentation, segment_id)
            if before.keys() - now.keys():
                self.on_stroke(segmentation, "")

    def _pointer_moved(self, crosshair: object, event: object = None) -> None:
        view = crosshair.GetCursorPositionXYZ([0.0, 0.0, 0.0])
        # A drag that leaves its column still belongs to it.
        if view is None or qt.QApplication.mouseButtons():
            return
        composite = slicer.app.applicationLogic().GetSliceLogic(view)
        image = composite.GetBackgroundLayer().GetVolumeNode() if composite else None
        if image is not None:
            self.bring(marked(image, "visit"))


def _fingerprints(segmentation: object) -> dict[str, str]:
    """What each segment's voxels are, by its id; only the cropped labelmaps are looked at."""
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    return {segment_id: fingerprint(segment_mask(segmentation, segment_id)) for segment_id in ids}


def _copy_parameters(source: object, target: object) -> None:
    """Brush size, threshold range and the like: attributes whose names hold the effect's name."""
    change = target.StartModify()
    for name in source.GetAttributeNames():
        target.SetAttribute(name, source.GetAttribute(name))
    target.EndModify(change)
