"""From the end of a brush stroke to the repainted number, in the real 3D Slicer desktop.

Three visits on 256 x 256 x 160 voxels, each turned against the others, with six measured maps (three perfusion ratios
and the response map among them), a carried lesion of 12 mL each and a free region: a stroke in a lesion changes its own
rows and the fixed rows of all visits, one in the reference tissue all ratios of its visit. Run it with

    Slicer --testing --no-splash --additional-module-paths PseudoProgressionAnalyzer --python-script \
        Testing/Benchmarks/desktop.py

PPA_BENCHMARK_OUTPUT names a file for the lines. The time begins with the release of the mouse button and ends when the
table with the new numbers is on the screen. Milliseconds on the clock and of the main thread's processor time: on a
busy machine the first are longer.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import slicer

sys.path.insert(0, str(Path(__file__).parent))

STROKES = 24
BRUSH = 6  # mm
LESION, TISSUE = (-30.0, 20.0), (30.0, 20.0)  # mm, R and A of their centres in each visit
GOLDEN = 2.39996  # rad from one stroke to the next, so that none lies on another


def prepared():
    """The patient of ``scene.py`` with more maps, in the module, with the timeline shown and the table in sight."""
    import scene as phantom

    from PseudoProgressionAnalyzerLib.analysis.mapping import make_ratio_maps
    from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
    from PseudoProgressionAnalyzerLib.analysis.perfusion_changes import make_response_maps
    from PseudoProgressionAnalyzerLib.analysis.run import steps
    from PseudoProgressionAnalyzerLib.measures import Image, Map, Region

    analysis = phantom.make()
    random = np.random.default_rng(1)
    shape, affine = (30, 128, 128), phantom.centred((30, 128, 128), (1.9, 1.9, 4))
    first = phantom.VISITS[0]
    cosine, sine = np.cos(0.07), np.sin(0.07)
    analysis.visit_to_reference[phantom.VISITS[2]] = np.eye(4)
    analysis.visit_to_reference[phantom.VISITS[2]][1:3, 1:3] = [[cosine, -sine], [sine, cosine]]
    grid = analysis.images[first, "T1CE"].affine
    analysis.regions[first, "rim"] = Image(phantom.ball(grid, (-30, 20, 10), 20), grid)
    analysis.patient.regions.append(Region("rim", first, "free", Path(first), carried=True))
    for visit in phantom.VISITS:
        analysis.brains[visit] = np.ones(phantom.SHAPE, bool)
        analysis.alignment[visit] = {"uncertainty": 0.3}
        for name in ("rCBV", "rCBF", "CBF", "ADC"):
            values = random.uniform(0.5, 1.5, shape).astype(np.float32)
            analysis.maps[visit, name] = Map(values, affine, name, "1", "random")
            analysis.series_to_visit[visit, name] = np.eye(4)
        make_ratio_maps(analysis, visit)
    make_response_maps(analysis)
    measure_visits(analysis)
    analysis.finished = {(step.code, step.visit) for step in steps(analysis)}
    slicer.util.mainWindow().showMaximized()
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    widget.logic.session._build(analysis)
    widget.panel.show_patient()
    widget.ui.measurementsSection.collapsed = False
    slicer.app.processEvents()
    scroll_to(widget.ui.measurementsTable)
    return widget, phantom.VISITS


def scroll_to(widget):
    """Brings a widget of the panel into sight."""
    parent = widget.parent()
    while parent is not None and parent.className() != "QScrollArea":
        parent = parent.parent()
    if parent is not None:
        parent.ensureWidgetVisible(widget)
    slicer.app.processEvents()


def strokes(widget, visit, centre, nearest, step, tissue=False, rest=0.8):
    """Milliseconds ``(strokes, 3)`` from the release of the button until the numbers are painted: on the clock, of it
    in the release itself (Slicer's effect), and of the processor.

    centre: R and A of the visit (mm) around which the strokes lie, the first at a distance of nearest, each next one
    further away by step. rest: seconds between strokes; from 1.5 on the visits are judged meanwhile.
    """
    from PseudoProgressionAnalyzerLib.desktop.selftest import view_of
    from PseudoProgressionAnalyzerLib.scene.nodes import Kind, from_vtk

    section = widget.panel.sections["measurements"]
    editors = widget.panel.sections["regions"].editors
    widget.logic.session.go_to_visit(visit)
    editors.turn_to(Kind.REFERENCE if tissue else Kind.LESION)
    editors.editor.setActiveEffectByName("Paint")
    effect = editors.editor.activeEffect()
    effect.setCommonParameter("BrushDiameterIsRelative", 0)
    effect.setCommonParameter("BrushAbsoluteDiameter", BRUSH)
    view = view_of(visit)
    interactor = slicer.app.layoutManager().sliceWidget(view.GetLayoutName()).sliceView().interactor()
    to_world = widget.logic.session.analysis.visit_to_reference[visit]
    from_world = np.linalg.inv(from_vtk(view.GetXYToRAS()))
    painted, measured = [], type(section).measured

    def watched():
        before = shown(widget.ui.measurementsTable)
        measured(section)
        if shown(widget.ui.measurementsTable) != before:
            painted.append((time.perf_counter(), time.thread_time()))

    section.measured = watched
    found = []
    for number in range(STROKES):
        points = []
        for along in np.linspace(0, BRUSH, 5):  # outwards
            distance, angle = nearest + step * number + along, GOLDEN * number
            place = (centre[0] + distance * np.cos(angle), centre[1] + distance * np.sin(angle), 10, 1)
            points.append(np.rint(from_world @ to_world @ place).astype(int))
        interactor.SetEventInformation(int(points[0][0]), int(points[0][1]), 0, 0)
        interactor.EnterEvent()
        interactor.MouseMoveEvent()
        interactor.LeftButtonPressEvent()
        for point in points[1:]:
            interactor.SetEventInformation(int(point[0]), int(point[1]), 0, 0)
            interactor.MouseMoveEvent()
        slicer.app.processEvents()
        painted.clear()
        start, processor = time.perf_counter(), time.thread_time()
        interactor.LeftButtonReleaseEvent()
        released = time.perf_counter()
        while not painted and time.perf_counter() - start < 3:
            slicer.app.processEvents()
        if painted:
            found.append((painted[0][0] - start, released - start, painted[0][1] - processor))
        pause = time.perf_counter()
        while time.perf_counter() - pause < rest:
            slicer.app.processEvents()
    del section.measured
    return 1000 * np.array(found)


def shown(table):
    """All numbers of the table."""
    return [table.item(row, column).text() for row in range(table.rowCount) for column in range(table.columnCount)]


def main():
    """Prints median and 95th percentile."""
    lines = []
    widget, visits = prepared()
    for name, case in {
        "lesion, at its edge": (visits[1], LESION, 12, 0.6),
        "lesion, far from it": (visits[1], LESION, 40, 0.8),
        "lesion of the first visit": (visits[0], LESION, 12, 0.6),
        "lesion, while the visits are judged": (visits[2], LESION, 12, 0.6, False, 1.6),
        "reference tissue": (visits[1], TISSUE, 8, 0.4, True),
    }.items():
        times = strokes(widget, *case)
        median, high = np.percentile(times, (50, 95), axis=0)
        lines.append(
            f"{name}: {len(times)} strokes; ms to the repainted number: median {median[0]:.0f}, p95 {high[0]:.0f}; "
            f"of it in Slicer's paint effect {median[1]:.0f}, {high[1]:.0f}; processor {median[2]:.0f}, {high[2]:.0f}"
        )
    text = "\n".join(lines)
    print(text)
    if os.environ.get("PPA_BENCHMARK_OUTPUT"):
        Path(os.environ["PPA_BENCHMARK_OUTPUT"]).write_text(text + "\n")


try:
    main()
except BaseException:
    import traceback

    if os.environ.get("PPA_BENCHMARK_OUTPUT"):
        Path(os.environ["PPA_BENCHMARK_OUTPUT"]).write_text(traceback.format_exc())
    raise
finally:
    slicer.util.exit(0)
