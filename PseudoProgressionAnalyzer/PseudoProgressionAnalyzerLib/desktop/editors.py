"""Segment Editors that work in the chosen visit.

Slicer's editor forgets its undo states when it changes to another segmentation. So each segmentation (lesions and
reference tissue of each visit) has an editor of its own with its own node, made when it is first needed; that of the
chosen visit (``scene.timeline_chosen``) comes to the front whoever chose it, with the effect, the brush and the masks
that are in use. Editors of a closed patient serve the next one, with settings as new: Slicer's leave widgets and more
behind when they are deleted.
"""

from __future__ import annotations

from collections.abc import Callable

import slicer
import vtk
from slicer.util import VTKObservationMixin

from ..scene.nodes import Kind, find, linked, marked, patient_node
from ..scene.segments import fingerprint, segment_mask
from ..scene.timeline_chosen import chosen_visit
from ..scene.timeline_layout import is_ours
from .brush_gaps import StrokeWatch, close_gaps
from .memory import garbage_later
from .soon import Soon

UNDO_STATES = 20
EDITS = tuple(
    getattr(slicer.vtkSegmentation, name)
    for name in (
        "SourceRepresentationModified", "RepresentationModified", "SegmentModified", "SegmentAdded", "SegmentRemoved",
    )
)  # fmt: skip
"""Any of these may change voxels: a stroke, an undo, a threshold. None says reliably which segment it was."""

DRAWING = ("Paint", "Draw", "Level tracing")
"""Effects that draw what was not there."""

EVERYWHERE = slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere
INSIDE_ONE = slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment

Edits = list[tuple[object, str]]
"""Segmentations with the id of a segment that changed."""


class Editors(VTKObservationMixin):
    """One editor per segmentation on a stack.

    Tells ``on_strokes`` after each edit which segments it changed (a stroke may take voxels from others), as pairs of
    segmentation and segment id, with an empty id when a segment was removed or got another name; and
    ``on_front(visit id)`` when another editor comes to the front, or none where there is nothing to draw on. An edit
    sends several events: it is told once, when they have all come. ``on_nothing(visit id, kind)`` is called when a
    stroke begins where there is no segment to draw in, and may make one; ``on_pointer(view)`` when the pointer moves
    in one of Slicer's own views that shows another visit.
    """

    def __init__(
        self,
        stack: object,
        on_strokes: Callable[[Edits], None],
        on_front: Callable[[str], None],
        on_nothing: Callable[[str, str], None] = lambda visit, kind: None,
        on_pointer: Callable[[object], None] = lambda view: None,
    ):
        VTKObservationMixin.__init__(self)
        self.stack = stack
        self.on_nothing = on_nothing
        self.on_pointer = on_pointer
        self.on_strokes = on_strokes
        self.on_front = on_front
        self.editors: dict[tuple[str, str], object] = {}
        self.spare: list[object] = []
        self.known: dict[str, dict[str, tuple[str, str]]] = {}
        self.kind = Kind.LESION
        self.visit = ""
        self.latest: object | None = None  # the editor that was in front last: its settings are those in use
        self.listening = True
        self.resting = ""  # the effect that comes back
        self.edited: dict[str, object] = {}
        self.held = False  # the views, until the numbers are told
        self.strokes = StrokeWatch(self._begin, self._let_go)  # in the view under the pointer
        self.soon = Soon(self.tell)

    @property
    def editor(self) -> object | None:
        """The editor in front; None where there is no patient, and in a visit without anything to draw on."""
        return self.editors.get((self.visit, self.kind))

    def open(self) -> None:
        """Begins to watch pointer and strokes of the scene's patient, with the chosen visit's editor in front."""
        self.tell()
        self.close()
        patient = patient_node(slicer.mrmlScene)
        if patient is None:
            return
        self.watch_all()
        crosshair = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
        self.addObserver(crosshair, slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent, self._pointer_moved)
        self.addObserver(patient, vtk.vtkCommand.ModifiedEvent, self.follow)
        self.follow()

    def close(self) -> None:
        """Ends watching and takes the editors away; the segmentations stay. The views must still be there."""
        self.soon.forget()
        self.edited = {}
        self._draw()
        self.removeObservers()
        self.strokes.follow(None)
        self.strokes.take()  # of the patient that goes
        for editor in self.editors.values():
            node = editor.mrmlSegmentEditorNode()
            editor.setActiveEffect(None)
            effect = editor.activeEffect()
            if effect is not None:  # an editor does not listen to a scene that closes: its effect would keep the views
                effect.deactivate()
            editor.removeViewObservations()
            editor.uninstallKeyboardShortcuts()  # they belong to the main window and would stay, and take Slicer's keys
            editor.setSegmentationNode(None)
            editor.setMRMLSegmentEditorNode(None)
            editor.setMRMLScene(None)
            self.stack.removeWidget(editor)  # hidden, and still a child of the stack
            self.spare.append(editor)
            if node is not None and slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)
        self.editors, self.known, self.latest = {}, {}, None
        self.kind, self.visit, self.resting = Kind.LESION, "", ""

    def follow(self, patient: object | None = None, event: object = None) -> None:
        """Brings the editor of the chosen visit to the front, where another one is."""
        patient = patient_node(slicer.mrmlScene)
        if patient is not None and patient.GetText():
            self._bring(chosen_visit(patient), self.kind)

    def turn_to(self, kind: str) -> None:
        """Draws lesions and free regions, or reference tissue, of the chosen visit."""
        self._bring(self.visit, kind)

    def _bring(self, visit: str, kind: str) -> None:
        """The editor of lesions or reference tissue of a visit comes to the front with the effect, brush and masks that
        are in use; none where the visit has no such segmentation."""
        before, editor = self.editor, self._made(visit, kind)
        if (visit, kind) == (self.visit, self.kind) and editor is before:
            return
        self._rest()
        self.visit, self.kind = visit, kind
        if editor is not None:
            if self.latest is not None:
                _copy_settings(self.latest.mrmlSegmentEditorNode(), editor.mrmlSegmentEditorNode())
            self.latest = editor
            self.stack.setCurrentWidget(editor)
        self._go_on()
        self.on_front(visit)

    def listen(self, on: bool) -> None:
        """Whether the effects listen to views and keys: not in another module, and not while long work runs. The effect
        that was in use comes back."""
        if on == self.listening:
            return
        self._rest()
        self.listening = on
        self._go_on()

    def _rest(self) -> None:
        """The editor in front stops listening; a stroke that is being drawn ends where it is."""
        if not self.listening or self.editor is None:
            return
        effect = self.editor.activeEffect()
        if effect is not None and self.strokes.end():
            self.tell()
        self.resting = effect.name if effect is not None else ""
        self.editor.setActiveEffect(None)
        self.editor.removeViewObservations()
        self.editor.uninstallKeyboardShortcuts()

    def _go_on(self) -> None:
        """The editor in front listens, with the effect that rested."""
        if not self.listening or self.editor is None:
            return
        self.editor.setupViewObservations()
        self.editor.installKeyboardShortcuts()
        if self.resting:
            self.editor.setActiveEffectByName(self.resting)

    def _made(self, visit: str, kind: str) -> object | None:
        """The editor of a segmentation, made when it is first needed; None where there is no such segmentation."""
        if (visit, kind) not in self.editors:
            patient = patient_node(slicer.mrmlScene)
            segmentation = find(patient, kind, visit) if patient else None
            anatomy = find(patient, Kind.IMAGE, visit, "T1CE") if patient else None
            if segmentation is None or anatomy is None:
                return None
            self.watch(segmentation)
            self.editors[visit, kind] = self._editor(segmentation, anatomy)
        return self.editors[visit, kind]

    def watch_all(self) -> None:
        """Watches segmentations that came into the scene since; the chosen visit may have waited for one."""
        patient = patient_node(slicer.mrmlScene)
        for kind in (Kind.LESION, Kind.REFERENCE) if patient else ():
            for segmentation in linked(patient, kind):
                self.watch(segmentation)
        if self.visit:
            self.follow()

    def watch(self, segmentation: object) -> None:
        """Hears of every edit of a segmentation, by whatever tool."""
        if segmentation.GetID() in self.known:
            return
        self.known[segmentation.GetID()] = _look(segmentation)

        def edited(caller: object, event: object) -> None:
            self.edited[segmentation.GetID()] = segmentation
            self._hold()
            self.soon.ask()

        for event in EDITS:
            self.addObserver(segmentation.GetSegmentation(), event, edited)

    def tell(self) -> None:
        """Tells of edits that were not told yet, without waiting for the event loop; the views are drawn after it."""
        self.soon.forget()
        try:
            with garbage_later():
                drawn = self.strokes.take()
                if self.edited and self.editor is not None:
                    close_gaps(self.editor, drawn)
                    self.soon.forget()  # that was an edit too
                strokes = self._strokes()
                if strokes:
                    self.on_strokes(strokes)
        finally:
            self._draw()

    def _begin(self) -> None:
        """A stroke begins, before the effect hears of it, which draws nothing where no segment is chosen: after the
        chosen one was removed, or in a visit without any."""
        editor = self.editor
        effect = editor.activeEffect() if self.listening and editor is not None else None
        if effect is None or editor.currentSegmentID():
            return
        segments = editor.segmentationNode().GetSegmentation()
        if segments.GetNumberOfSegments() == 0 and effect.name in DRAWING:
            self.on_nothing(self.visit, self.kind)
        if segments.GetNumberOfSegments() > 0:
            editor.setCurrentSegmentID(segments.GetNthSegmentID(0))

    def _let_go(self) -> None:
        """The end of a stroke, heard before the effect does, which would draw that view at once."""
        if self.listening and self.editor is not None and self.editor.activeEffect() is not None:
            self._hold()
            self.soon.ask()  # also where the effect changes nothing
        else:
            self.strokes.take()  # a click, no stroke

    def _hold(self) -> None:
        """Numbers come before pictures: twelve views that are drawn first take longer than the numbers themselves."""
        if not self.held:
            self.held = True
            slicer.app.pauseRender()

    def _draw(self) -> None:
        if self.held:
            self.held = False
            slicer.app.resumeRender()

    def _strokes(self) -> Edits:
        """What was edited and not told yet."""
        edited, self.edited = self.edited, {}
        strokes: Edits = []
        for node_id, segmentation in edited.items():
            before, now = self.known[node_id], _look(segmentation)
            self.known[node_id] = now
            listed = {segment_id: name for segment_id, (name, _) in now.items()}
            if any(listed.get(segment_id) != name for segment_id, (name, _) in before.items()):
                strokes.append((segmentation, ""))
            for segment_id, (_, voxels) in now.items():
                if segment_id not in before or before[segment_id][1] != voxels:
                    strokes.append((segmentation, segment_id))
        return strokes

    def _editor(self, segmentation: object, anatomy: object) -> object:
        editor = self.spare.pop() if self.spare else slicer.qMRMLSegmentEditorWidget()
        node = slicer.vtkMRMLSegmentEditorNode()
        node.SetName(f"{segmentation.GetName()} editor")
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

    def _pointer_moved(self, crosshair: object, event: object = None) -> None:
        view = crosshair.GetCursorPositionXYZ([0.0, 0.0, 0.0])
        if view is None or self.strokes.drawing:
            return
        self.strokes.follow(view)
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        image = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID() or "") if composite is not None else None
        visit = marked(image, "visit") if image is not None else ""
        if visit and is_ours(view.GetLayoutName()):
            self._made(visit, self.kind)  # or the first stroke would wait for it
        elif visit not in ("", self.visit):  # every move comes here
            self.on_pointer(view)


def _look(segmentation: object) -> dict[str, tuple[str, str]]:
    """Name and fingerprint of the voxels of each segment, by its id; only the cropped labelmaps are looked at."""
    segments = segmentation.GetSegmentation()
    return {
        segment_id: (segments.GetSegment(segment_id).GetName(), fingerprint(segment_mask(segmentation, segment_id)))
        for segment_id in segments.GetSegmentIDs()
    }


def _copy_settings(source: object, target: object) -> None:
    """Brush size, threshold range and the like (attributes whose names hold the effect's name), and how a stroke is
    masked and what it overwrites: the same stroke must do the same in every column."""
    change = target.StartModify()
    for name in source.GetAttributeNames():
        target.SetAttribute(name, source.GetAttribute(name))
    target.SetOverwriteMode(source.GetOverwriteMode())
    target.SetSourceVolumeIntensityMask(source.GetSourceVolumeIntensityMask())
    target.SetSourceVolumeIntensityMaskRange(source.GetSourceVolumeIntensityMaskRange())
    mode, segment = source.GetMaskMode(), source.GetMaskSegmentID()
    if mode == INSIDE_ONE or (mode == EVERYWHERE and segment and not _has(source, segment)):
        # Where there is no such segment, the editor says "Everywhere", and its id waits for a column that has it.
        target.SetMaskSegmentID(segment)
        target.SetMaskMode(INSIDE_ONE if _has(target, segment) else EVERYWHERE)
    else:
        target.SetMaskSegmentID(None)
        target.SetMaskMode(mode)
    target.EndModify(change)


def _has(node: object, segment_id: str) -> bool:
    segmentation = node.GetSegmentationNode()
    return segmentation is not None and segmentation.GetSegmentation().GetSegment(segment_id) is not None
