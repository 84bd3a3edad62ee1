"""The module's self-test in the real application: the whole way for a built-in case, by the panel's own buttons.

Load, align and compute, see the timeline, draw with the editor's own paint effect, measure, undo, assess, save, close,
open again, compare number by number, and leave Slicer as it was.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import qt
import slicer

from ..analysis.measuring_spectra import MEAN_SPECTRUM
from ..scene import timeline
from ..scene.nodes import Kind, find, marked, patient_node

PICTURES = "PPA_SELFTEST_PICTURES"
"""Environment variable that names a folder for screenshots of each step."""
LONGEST_GAP = 0.2  # s that the interface may be silent while work runs
LONGEST_DRAWING = 1.0  # s that it may be silent while the views of all columns are drawn anew


def walk(test: object, case: str = "") -> None:
    """Walks the whole way; ``test`` is the unittest case whose assertions are used."""
    layout = slicer.app.layoutManager().layout
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    session, editors = widget.logic.session, widget.panel.sections["regions"].editors
    if case:
        widget.ui.exampleSelector.setCurrentText(case)
    test.delayDisplay("Loading the example")
    widget.ui.exampleButton.click()
    analysis = session.analysis
    test.assertIsNotNone(analysis, widget.ui.progressLabel.text)
    visits = [visit.id for visit in analysis.patient.visits]
    test.assertEqual(widget.ui.visitsTable.rowCount, len(visits))
    test.assertEqual(slicer.app.layoutManager().layout, timeline.LAYOUT_ID)
    picture("1_loaded")

    test.delayDisplay("Aligning and computing")
    for _round in range(20):  # what loading left to be drawn is no silence of the computation
        slicer.app.processEvents()
    gaps = Gaps()
    computing = []
    widget.ui.progressBar.connect("valueChanged(int)", lambda value: computing.append(gaps.longest))
    widget.ui.computeButton.click()
    drawing = gaps.stop()
    longest = computing[-2]  # the last change of the bar sets it back to 0
    test.assertGreater(len(session.analysis.measurements), 0, widget.ui.progressLabel.text)
    test.assertGreater(len(session.analysis.assessments), 0)
    picture("2_computed")
    look_at_sections(widget.panel)
    check_alignment(test, widget, visits)

    test.delayDisplay("Drawing in the second column")
    before = values(session)
    editors.bring(visits[1])
    segmentation = editors.editor.segmentationNode()
    paint(visits[1])
    after = values(session)
    picture("3_painted")
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    test.assertIn((visits[1], "lesion", "own", "volume", ""), changed)
    test.assertGreater(
        after[visits[1], "lesion", "own", "volume", ""], before[visits[1], "lesion", "own", "volume", ""]
    )
    for visit, _region, kind, name, compared_to in changed:
        # changes over time of later visits may follow: they are compared with this visit, or no more across it
        test.assertTrue(visit == visits[1] or compared_to or kind == "fixed", f"{visit} {kind} {name} changed too")
    test.assertIs(editors.editor.segmentationNode(), segmentation)

    test.delayDisplay("Undo in one visit after painting in another")
    paint(visits[0])
    editors.bring(visits[1])
    editors.editor.undo()
    editors.tell()
    test.assertEqual(
        values(session)[visits[1], "lesion", "own", "volume", ""], before[visits[1], "lesion", "own", "volume", ""]
    )
    editors.bring(visits[0])
    editors.editor.undo()
    editors.tell()
    same(test, values(session), before)

    test.delayDisplay("Assessing, saving, closing and opening again")
    session.assess()
    text = widget.ui.assessmentText.toPlainText()
    test.assertIn("favours", text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.mrb"
        test.assertTrue(slicer.util.saveScene(str(path)))
        slicer.mrmlScene.Clear()
        test.assertIsNone(session.analysis)
        test.assertEqual(slicer.app.layoutManager().layout, layout)
        test.assertEqual(timeline.view_nodes(session.application), [])
        slicer.util.loadScene(str(path))
        same(test, values(session), before)
        test.assertEqual(slicer.app.layoutManager().layout, timeline.LAYOUT_ID)
        picture("4_opened_again")
    test.delayDisplay("Leaving Slicer as it was")
    widget.ui.timelineCheckBox.checked = False
    test.assertEqual(slicer.app.layoutManager().layout, layout)
    test.assertEqual(timeline.view_nodes(session.application), [])
    slicer.mrmlScene.Clear()
    test.assertIsNone(patient_node(slicer.mrmlScene))
    print(
        f"longest silence of the interface: {longest:.3f} s while computing, {drawing:.3f} s with drawing the views; "
        f"longest work of the main thread at a stretch {gaps.work:.3f} s"
    )
    test.assertLess(longest, LONGEST_GAP, "the interface was silent for too long while computing")
    test.assertLess(drawing, LONGEST_DRAWING, "drawing the views took too long at a stretch")


def look_at_sections(panel: object) -> None:
    """Unfolds every section, which then shows what it has; a picture of each."""
    for name in panel.sections:
        button = panel.button(name)
        folded = button.collapsed
        button.collapsed = False
        for other in panel.sections:
            panel.button(other).visible = other == name
        picture(f"2_section_{name}")
        button.collapsed = folded
    for name in panel.sections:
        panel.button(name).visible = True


def check_alignment(test: object, widget: object, visits: list[str]) -> None:
    """The table of trust, and the view that fades a visit over the reference visit."""
    table, application = widget.ui.trustTable, widget.logic.session.application
    test.assertEqual(table.rowCount, len(visits))
    widget.panel.button("align").collapsed = False
    table.selectRow(1)
    reference = find(patient_node(slicer.mrmlScene), Kind.IMAGE, visits[0], "T1CE")
    widget.ui.checkBox.checked = True
    faded = [view for view in timeline.view_nodes(application) if marked(view, "check")]
    test.assertEqual(len(faded), 1)
    composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(faded[0])
    test.assertEqual(composite.GetBackgroundVolumeID(), reference.GetID())
    picture("2_check")
    widget.ui.checkBox.checked = False
    test.assertNotEqual(composite.GetBackgroundVolumeID(), reference.GetID())


class Gaps:
    """How long a 50 ms timer had to wait at most, and how long the main thread itself was at work meanwhile."""

    def __init__(self):
        self.longest = self.work = 0.0
        self.last, self.worked = time.monotonic(), time.thread_time()
        self.timer = qt.QTimer()
        self.timer.setInterval(50)
        self.timer.connect("timeout()", self.tick)
        self.timer.start()

    def tick(self) -> None:
        """One beat."""
        now, worked = time.monotonic(), time.thread_time()
        self.longest, self.work = max(self.longest, now - self.last), max(self.work, worked - self.worked)
        self.last, self.worked = now, worked

    def stop(self) -> float:
        """The longest time between two beats, in s."""
        self.timer.stop()
        return self.longest


def values(session: object) -> dict[tuple[str, ...], float | None]:
    """All measured values by what they are; without those of a region's mean spectrum, which a stroke drops until it is
    fitted again."""
    return {
        (row.visit, f"{row.region}", row.kind, row.name, row.compared_to): row.value
        for row in session.analysis.measurements
        if not row.name.removesuffix("_percent").endswith(MEAN_SPECTRUM)
    }


def same(test: object, found: dict, expected: dict) -> None:
    """Number by number, but for rounding: a region measured alone is cut to fewer voxels than with all others."""
    test.assertEqual(found.keys(), expected.keys())
    for key, value in expected.items():
        if value is None:
            test.assertIsNone(found[key], key)
        else:
            test.assertAlmostEqual(found[key], value, delta=1e-9 * max(1.0, abs(value)), msg=str(key))


def paint(visit: str) -> None:
    """One stroke of the paint effect in the visit's T1CE view, just outside its lesion, with real mouse events."""
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    editors = widget.panel.sections["regions"].editors
    editors.bring(visit)
    editor = editors.editor
    editor.setActiveEffectByName("Paint")
    effect = editor.activeEffect()
    effect.setCommonParameter("BrushSizeIsRelative", 0)
    effect.setCommonParameter("BrushAbsoluteDiameter", 12)
    view = view_of(visit)
    slice_widget = slicer.app.layoutManager().sliceWidget(view.GetLayoutName())
    interactor = slice_widget.sliceView().interactor()
    columns, lines, _ = view.GetDimensions()
    start, end = (columns // 2, lines // 2), (columns // 2 + 25, lines // 2)
    interactor.SetEventInformation(*start, 0, 0)
    interactor.EnterEvent()
    interactor.MouseMoveEvent()
    interactor.LeftButtonPressEvent()
    interactor.SetEventInformation(*end, 0, 0)
    interactor.MouseMoveEvent()
    interactor.LeftButtonReleaseEvent()
    slicer.app.processEvents()


def view_of(visit: str) -> object:
    """The first slice view of the timeline that shows a visit's image."""
    image = find(patient_node(slicer.mrmlScene), Kind.IMAGE, visit, "T1CE")
    for view in timeline.view_nodes(slicer.modules.PseudoProgressionAnalyzerWidget.logic.session.application):
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        if composite.GetBackgroundVolumeID() == image.GetID():
            return view
    raise LookupError(visit)


def picture(name: str) -> None:
    """A screenshot of the main window, where a folder for them is named."""
    folder = os.environ.get(PICTURES)
    if folder:
        slicer.app.processEvents()
        slicer.util.forceRenderAllViews()
        slicer.util.mainWindow().grab().save(str(Path(folder) / f"{name}.png"))
