"""From the end of a brush stroke to the repainted number, in the real 3D Slicer desktop.

Three visits on 256 x 256 x 160 voxels with four maps each, a carried lesion of 12 mL and a free region. Run it with

    Slicer --testing --no-splash --additional-module-paths PseudoProgressionAnalyzer --python-script \
        Testing/Benchmarks/desktop.py

PPA_BENCHMARK_OUTPUT names a file for the lines. Seconds on the clock and of the main thread's processor time: on a busy
machine the first are longer.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import slicer

sys.path.insert(0, str(Path(__file__).parent))

STROKES = 24


def prepared():
    """The patient of ``scene.py`` with more maps, in the module, with the timeline shown."""
    import scene as phantom

    from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
    from PseudoProgressionAnalyzerLib.analysis.run import steps
    from PseudoProgressionAnalyzerLib.measures import Image, Map, Region

    analysis = phantom.make()
    random = np.random.default_rng(1)
    shape, affine = (30, 128, 128), phantom.centred((30, 128, 128), (1.9, 1.9, 4))
    first = phantom.VISITS[0]
    grid = analysis.images[first, "T1CE"].affine
    analysis.regions[first, "rim"] = Image(phantom.ball(grid, (-30, 20, 10), 20), grid)
    analysis.patient.regions.append(Region("rim", first, "free", Path(first), carried=True))
    for visit in phantom.VISITS:
        analysis.brains[visit] = np.ones(phantom.SHAPE, bool)
        for name in ("rCBV", "CBF_ratio", "ADC"):
            analysis.maps[visit, name] = Map(random.random(shape), affine, name, "1", "random")
            analysis.series_to_visit[visit, name] = np.eye(4)
    measure_visits(analysis)
    analysis.finished = {(step.code, step.visit) for step in steps(analysis)}
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    widget.logic.session._build(analysis)
    widget.panel.show_patient()
    slicer.app.processEvents()
    return widget, phantom.VISITS


def strokes(widget, visit):
    """Seconds from the release of the button to the repainted table: on the clock, of it in the release itself, and of
    the processor."""
    from PseudoProgressionAnalyzerLib.desktop.selftest import view_of

    editors = widget.panel.sections["regions"].editors
    editors.bring(visit)
    editors.editor.setActiveEffectByName("Paint")
    effect = editors.editor.activeEffect()
    effect.setCommonParameter("BrushSizeIsRelative", 0)
    effect.setCommonParameter("BrushAbsoluteDiameter", 6)
    view = view_of(visit)
    interactor = slicer.app.layoutManager().sliceWidget(view.GetLayoutName()).sliceView().interactor()
    columns, lines, _ = view.GetDimensions()
    table = widget.ui.measurementsTable
    found = []
    random = np.random.default_rng(2)
    for _number in range(STROKES):
        place = [int(size / 2 + random.uniform(-0.12, 0.12) * min(columns, lines)) for size in (columns, lines)]
        interactor.SetEventInformation(*place, 0, 0)
        interactor.EnterEvent()
        interactor.MouseMoveEvent()
        interactor.LeftButtonPressEvent()
        for step in range(1, 6):
            interactor.SetEventInformation(place[0] + 2 * step, place[1], 0, 0)
            interactor.MouseMoveEvent()
        slicer.app.processEvents()
        before = shown(table)
        start, processor = time.perf_counter(), time.thread_time()
        interactor.LeftButtonReleaseEvent()
        released = time.perf_counter()
        while shown(table) == before and time.perf_counter() - start < 3:
            slicer.app.processEvents()
        table.viewport().repaint()
        end = time.perf_counter()
        if shown(table) != before:
            found.append((end - start, released - start, time.thread_time() - processor))
        rest = time.perf_counter()
        while time.perf_counter() - rest < 0.8:  # the next stroke comes before assessment and scene follow
            slicer.app.processEvents()
    return np.array(found)


def shown(table):
    """All numbers of the table."""
    return [table.item(row, column).text() for row in range(table.rowCount) for column in range(table.columnCount)]


def main():
    """Prints median and 95th percentile."""
    lines = []
    widget, visits = prepared()
    for visit in visits[:2]:
        times = 1000 * strokes(widget, visit)
        median, high = np.percentile(times, (50, 95), axis=0)
        lines.append(
            f"{visit}: {len(times)} strokes; ms to the repainted number: median {median[0]:.0f}, p95 {high[0]:.0f}; "
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
