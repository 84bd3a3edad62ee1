"""The module's self-test in the real application: the whole way for a built-in case, by the panel's own buttons.

Load, align and compute, see the timeline, correct events and visits and take that back, draw with the editor's own
paint effect, measure, undo, assess, write the report, save, close, open again, compare number by number, and leave
Slicer as it was. Then the same in short for a patient of the user's own, where a folder is named.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import qt
import slicer

from ..analysis.measuring_spectra import MEAN_SPECTRUM
from ..measures import EVENT_KINDS
from ..scene import timeline
from ..scene.nodes import Kind, find, marked, patient_node
from . import pdf
from .selftest_untouched import assert_untouched, state_of_slicer

PICTURES = "PPA_SELFTEST_PICTURES"
"""Environment variable that names a folder for screenshots of each step."""
PATIENT = "PPA_SELFTEST_PATIENT"
"""Environment variable that names a patient's folder to be walked through after the built-in case."""
SILENCE = "PPA_SELFTEST_SILENCE"
"""Environment variable with the seconds that the interface may be silent at most, for machines that others work on."""
PATIENCE = 60  # s for what comes by itself
LONGEST_GAP = 0.2  # s that the interface may be silent while work runs
LONGEST_DRAWING = 0.3  # s that it may be silent while all views are drawn anew, and while the report is written


def walk(test: object, case: str = "") -> None:
    """Walks the whole way; ``test`` is the unittest case whose assertions are used."""
    begun, layout = time.monotonic(), slicer.app.layoutManager().layout
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    slicer.util.selectModule("Data")
    slicer_before = state_of_slicer()
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    session, editors = widget.logic.session, widget.panel.sections["regions"].editors
    if case:
        widget.ui.exampleSelector.setCurrentIndex(widget.ui.exampleSelector.findData(case))
    test.delayDisplay("Loading the example")
    press(test, widget.ui.exampleButton)
    analysis = session.analysis
    test.assertIsNotNone(analysis, widget.ui.progressLabel.text)
    visits = [visit.id for visit in analysis.patient.visits]
    test.assertEqual(widget.ui.visitsTable.rowCount, len(visits))
    test.assertEqual(slicer.app.layoutManager().layout, timeline.LAYOUT_ID)
    picture("1_loaded")

    test.delayDisplay("Aligning and computing")
    computing, drawing = compute(test, widget)
    test.assertGreater(len(session.analysis.measurements), 0, widget.ui.progressLabel.text)
    test.assertGreater(len(session.analysis.assessments), 0)
    picture("2_computed")
    look_at_sections(widget.panel)
    check_width(test, widget.panel)
    check_alignment(test, widget, visits)
    check_corrections(test, widget, visits)

    test.delayDisplay("Drawing in the second column")
    before = values(session)
    session.go_to_visit(visits[1])
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
    session.go_to_visit(visits[1])
    editors.editor.undo()
    editors.tell()
    test.assertEqual(
        values(session)[visits[1], "lesion", "own", "volume", ""], before[visits[1], "lesion", "own", "volume", ""]
    )
    session.go_to_visit(visits[0])
    editors.editor.undo()
    editors.tell()
    same(test, values(session), before)

    test.delayDisplay("Assessing and writing the report")
    session.assess()
    text = widget.ui.assessmentText.toPlainText()
    test.assertIn("favours", text)
    reporting = check_report(test, session)
    save_and_open(test, session, before, layout)
    picture("4_opened_again")
    test.delayDisplay("Leaving Slicer as it was")
    widget.ui.timelineCheckBox.checked = False
    test.assertEqual(slicer.app.layoutManager().layout, layout)
    test.assertEqual(timeline.view_nodes(session.application), [])
    slicer.mrmlScene.Clear()
    test.assertIsNone(patient_node(slicer.mrmlScene))
    slicer.util.selectModule("Data")
    assert_untouched(test, slicer_before)
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    print(f"self-test of the built-in case: {time.monotonic() - begun:.0f} s; longest silence of the interface:")
    for name, gaps in (("computing", computing), ("building and drawing", drawing), ("reporting", reporting)):
        print(f"  {name}: {gaps}")
    allowed = float(os.environ.get(SILENCE, 0))
    test.assertLess(computing.longest, allowed or LONGEST_GAP, "the interface was silent for too long while computing")
    test.assertLess(drawing.longest, allowed or LONGEST_DRAWING, "drawing the views took too long at a stretch")
    test.assertLess(reporting.longest, allowed or LONGEST_DRAWING, "the interface was silent for too long in reporting")


def walk_patient(test: object) -> None:
    """Loads, aligns, computes, saves and opens the patient whose folder ``PPA_SELFTEST_PATIENT`` names."""
    folder = os.environ.get(PATIENT)
    if not folder:
        print(f"skipped: the walk through a real patient ({PATIENT} names no patient's folder)")
        return
    layout = slicer.app.layoutManager().layout
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    session = widget.logic.session
    test.delayDisplay("Loading a patient of the user's own")
    widget.ui.folderPath.setCurrentPath(folder)
    press(test, widget.ui.loadButton)
    test.assertIsNotNone(session.analysis, widget.ui.progressLabel.text)
    computing, drawing = compute(test, widget)
    analysis = session.analysis
    aligned = [visit.id for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
    test.assertEqual(aligned, [visit.id for visit in analysis.patient.visits])
    for region in analysis.patient.regions:
        if region.purpose == "lesion":
            test.assertGreater(values(session)[region.visit, region.name, "own", "volume", ""], 0)
    picture("5_patient")
    save_and_open(test, session, values(session), layout)
    slicer.mrmlScene.Clear()
    print(f"real patient: silence while computing {computing}, building and drawing {drawing}")


def compute(test: object, widget: object) -> tuple[Gaps, Gaps]:
    """*Align and compute*; the silence of the interface until all was computed, and while it was built and drawn."""
    for _round in range(20):  # what loading left to be drawn is no silence of the computation
        slicer.app.processEvents()
    computing = Gaps()
    drawing: list[Gaps] = []

    def finished(value: int) -> None:
        if value == 100 and not drawing:
            computing.stop()
            drawing.append(Gaps())

    widget.ui.progressBar.connect("valueChanged(int)", finished)
    press(test, widget.ui.computeButton)
    widget.ui.progressBar.disconnect("valueChanged(int)", finished)
    drawing = drawing or [Gaps()]
    drawing[0].stop()
    return computing, drawing[0]


def save_and_open(test: object, session: object, expected: dict, layout: int) -> None:
    """Saves the scene, closes it (Slicer is as it was), opens it again, and compares number by number."""
    test.delayDisplay("Saving, closing and opening again")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.mrb"
        test.assertTrue(slicer.util.saveScene(str(path)))
        slicer.mrmlScene.Clear()
        test.assertIsNone(session.analysis)
        test.assertEqual(slicer.app.layoutManager().layout, layout)
        test.assertEqual(timeline.view_nodes(session.application), [])
        slicer.util.loadScene(str(path))
        same(test, values(session), expected)
        begun = time.monotonic()  # the timeline comes once Slicer has finished opening the scene
        while not timeline.is_shown(session.application) and time.monotonic() - begun < PATIENCE:
            slicer.app.processEvents()
        test.assertEqual(slicer.app.layoutManager().layout, timeline.LAYOUT_ID)


def check_report(test: object, session: object) -> Gaps:
    """The report's files and its PDF; the silence of the interface meanwhile."""
    settle()  # what strokes and judging left to be drawn is no silence of the report
    gaps = Gaps()
    with tempfile.TemporaryDirectory() as folder:
        written = session.save_report(Path(folder) / "report")
        pdf.write(session.report_page(), Path(folder) / "report.pdf", lambda share: slicer.app.processEvents())
        gaps.stop()
        names = {path.name for path in written}
        test.assertLessEqual({"report.html", "timeline.png", "measurements.csv", "assessment.json"}, names)
        test.assertIn("favours", (Path(folder) / "report" / "report.html").read_text(encoding="utf-8"))
        test.assertEqual((Path(folder) / "report.pdf").read_bytes()[:5], b"%PDF-")
    return gaps


def check_corrections(test: object, widget: object, visits: list[str]) -> None:
    """An event added, dated and taken back; a visit left out and taken back: then all is as it was."""
    test.delayDisplay("Correcting events and visits, and taking it back")
    ui, session = widget.ui, widget.logic.session
    events, before = list(session.analysis.patient.events), values(session)
    for box in (widget.panel.button("patient"), ui.eventsGroup):
        box.collapsed = False
    ui.eventKindSelector.setCurrentIndex(EVENT_KINDS.index("dexamethasone"))
    press(test, ui.addEventButton)
    test.assertEqual(ui.eventsTable.rowCount, len(events) + 1)
    date = session.analysis.patient.visits[1].date
    widget.panel.sections["patient"].events.fields["date"].setText(date.isoformat())
    press(test, ui.applyEventButton)
    test.assertIn(("dexamethasone", date), [(one.kind, one.date) for one in session.analysis.patient.events])
    picture("2_event")
    press(test, ui.takeBackButton)
    press(test, ui.takeBackButton)
    test.assertEqual(session.analysis.patient.events, events)

    ui.visitsTable.item(len(visits) - 1, 0).setCheckState(qt.Qt.Unchecked)
    settle()
    test.assertEqual([visit.id for visit in session.analysis.patient.visits], visits[:-1])
    test.assertEqual({key[0] for key in values(session)}, set(visits[:-1]))
    columns = {view.GetLayoutName().split("_")[1] for view in timeline.view_nodes(session.application)}
    test.assertEqual(len(columns), len(visits) - 1)
    picture("2_left_out")
    press(test, ui.takeBackButton)
    same(test, values(session), before, 1e-6)


def press(test: object, button: object) -> None:
    """A click of a button that can be clicked: Qt drops those of one that is off, as all in a folded box are."""
    test.assertTrue(button.enabled, f"{button.objectName} is off: {button.toolTip}")
    button.click()


def settle() -> None:
    """What a click put off to the next turn of the event loop is done."""
    for _round in range(5):
        slicer.app.processEvents()


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


def check_width(test: object, panel: object) -> None:
    """No section asks for more width than the panel has at least, and no label is cut: not on a small screen either."""
    scroll = panel.ui.sectionScroll
    room = scroll.minimumWidth - scroll.verticalScrollBar().sizeHint.width()
    for name in panel.sections:
        boxes = [panel.button(name), *panel.button(name).findChildren("ctkCollapsibleGroupBox")]
        folded = [box.collapsed for box in boxes]
        for box in boxes:
            box.collapsed = False
        for _turn in range(20):  # boxes in boxes: each has its place once that around it has
            slicer.app.processEvents()
        test.assertLessEqual(scroll.widget().minimumSizeHint.width(), room, f"section {name}")
        for label in panel.button(name).findChildren(qt.QLabel):
            if label.visible and label.wordWrap and label.text:
                missing = label.heightForWidth(label.width) - label.height
                test.assertLess(missing, label.fontMetrics().lineSpacing() / 2, label.text)
        for box, was in zip(boxes, folded, strict=True):
            box.collapsed = was


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
    """How long a 50 ms timer had to wait at most; and, to tell our own work from that of others, how long the main
    thread worked at a stretch at most, and waited for a core in the longest gap (where the system tells: Linux)."""

    def __init__(self):
        self.longest = self.work = self.waited = 0.0
        self.last, self.worked, self.queued = time.monotonic(), time.thread_time(), queued()
        self.timer = qt.QTimer()
        self.timer.setInterval(50)
        self.timer.connect("timeout()", self.tick)
        self.timer.start()

    def tick(self) -> None:
        """One beat."""
        now, worked, in_queue = time.monotonic(), time.thread_time(), queued()
        if now - self.last > self.longest:
            self.longest, self.waited = now - self.last, in_queue - self.queued
        self.work = max(self.work, worked - self.worked)
        self.last, self.worked, self.queued = now, worked, in_queue

    def stop(self) -> None:
        """No more beats."""
        self.timer.stop()
        self.tick()

    def __str__(self) -> str:
        return (
            f"{self.longest:.3f} s (of which the main thread waited {self.waited:.3f} s for a core); "
            f"its longest work at a stretch {self.work:.3f} s"
        )


def queued() -> float:
    """Seconds that the main thread has waited for a core since it began; 0 where the system does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def values(session: object) -> dict[tuple[str, ...], float | None]:
    """All measured values by what they are; without those of a region's mean spectrum, which a stroke drops until it is
    fitted again."""
    return {
        (row.visit, f"{row.region}", row.kind, row.name, row.compared_to): row.value
        for row in session.analysis.measurements
        if not row.name.removesuffix("_percent").endswith(MEAN_SPECTRUM)
    }


def same(test: object, found: dict, expected: dict, precision: float = 1e-9) -> None:
    """Number by number, but for rounding: a region measured alone is cut to fewer voxels than with all others."""
    test.assertEqual(found.keys(), expected.keys())
    for key, value in expected.items():
        if value is None:
            test.assertIsNone(found[key], key)
        else:
            test.assertAlmostEqual(found[key], value, delta=precision * max(1.0, abs(value)), msg=str(key))


def paint(visit: str) -> None:
    """One stroke of the paint effect in the visit's T1CE view, just outside its lesion, with real mouse events."""
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    editors = widget.panel.sections["regions"].editors
    widget.logic.session.go_to_visit(visit)
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
