"""A patient with six visits: seconds from the folder to the assessment, memory, and a scroll step with linked views.

The patient is the built-in case twice, the second time 26 weeks later; it serves for speed and memory, not for numbers.

    python Testing/Benchmarks/six_visits.py FOLDER                          makes the patient's folder
    /usr/bin/time -v pseudoprogression analyze FOLDER --output OUT          the command line
    PPA_BENCHMARK_PATIENT=FOLDER Slicer --testing --no-splash --additional-module-paths PseudoProgressionAnalyzer \
        --python-script Testing/Benchmarks/six_visits.py                    the Slicer desktop

Seconds on the clock, and of the main thread's and the whole process' processor time: on a busy machine the first are
longer. PPA_BENCHMARK_OUTPUT names a file for the lines. A scroll step is one step of a view's slider: it ends when the
last of the twelve views was drawn at its new place. Beside it stands the same step in plain Slicer, whose views show
the same images and maps, and neither regions nor legends.
"""

import datetime
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np

LATER = datetime.timedelta(weeks=26)
STEPS = 40
FLICK = 20  # steps of a wheel
LONGEST = 5  # s that a view is waited for


def make(folder):
    """The built-in case, and each of its visits again 26 weeks later."""
    from PseudoProgressionAnalyzerLib import cases

    case = cases.cached("pseudoprogression")
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns("truth.json"))
    stated = json.loads((folder / "patient.json").read_text())
    for visit in sorted(path for path in case.iterdir() if path.is_dir()):
        later = (datetime.date.fromisoformat(visit.name) + LATER).isoformat()
        shutil.copytree(visit, folder / later)
        for region in [region for region in stated.get("regions", []) if region["visit"] == visit.name]:
            again = region | {"visit": later, "file": region["file"].replace(visit.name, later), "carried": False}
            stated["regions"].append(again)
    (folder / "patient.json").write_text(json.dumps(stated, indent=1))


def say(line):
    """One line of the result."""
    print(line, flush=True)
    if "PPA_BENCHMARK_OUTPUT" in os.environ:
        with Path(os.environ["PPA_BENCHMARK_OUTPUT"]).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


class Clock:
    """Seconds since it was made."""

    def __init__(self):
        self.begun = time.perf_counter(), time.thread_time(), time.process_time()

    def read(self):
        """On the clock, of the main thread, of the process."""
        return np.array([time.perf_counter(), time.thread_time(), time.process_time()]) - self.begun


class Drawn:
    """Which views (slice nodes) were drawn since they moved last."""

    def __init__(self, views):
        import slicer

        self.views, self.begun, self.done, self.watched = views, set(), set(), []
        for view in views:
            window = slicer.app.layoutManager().sliceWidget(view.GetLayoutName()).sliceView().renderWindow()
            self._watch(view, "ModifiedEvent", view, self._moved)
            self._watch(window, "StartEvent", view, self.begun.add)
            self._watch(window, "EndEvent", view, self._drawn)

    def _watch(self, what, event, view, work):
        self.watched.append((what, what.AddObserver(event, lambda caller, name: work(view), -1.0)))

    def _moved(self, view):
        self.begun.discard(view)
        self.done.discard(view)

    def _drawn(self, view):
        if view in self.begun:
            self.done.add(view)

    def wait(self):
        """Until all are drawn."""
        import slicer

        clock = Clock()
        while len(self.done) < len(self.views) and clock.read()[0] < LONGEST:
            slicer.app.processEvents()

    def forget(self):
        """Ends it."""
        for what, tag in self.watched:
            what.RemoveObserver(tag)


def scroll(view, views, by=1.0):
    """One step of a view's slider, until each view was drawn at its new place: what it took, views that were drawn."""
    import slicer

    drawn, bar = Drawn(views), slicer.app.layoutManager().sliceWidget(view.GetLayoutName()).sliceController()
    clock = Clock()
    bar.setSliceOffsetValue(view.GetSliceOffset() + by)
    drawn.wait()
    took = clock.read()
    drawn.forget()
    for _turn in range(3):
        slicer.app.processEvents()  # Slicer draws them once more
    return took, len(drawn.done)


def flick(view, views, way):
    """Wheel steps that come while Slicer is busy: seconds until all views are drawn."""
    import slicer

    drawn, clock = Drawn(views), Clock()
    interactor = slicer.app.layoutManager().sliceWidget(view.GetLayoutName()).sliceView().interactor()
    for _step in range(FLICK):
        interactor.InvokeEvent(f"MouseWheel{way}Event")
    drawn.wait()
    took = clock.read()
    drawn.forget()
    return took


def plain(views):
    """The same images and maps in linked views of Slicer's, without anything of the module."""
    import slicer

    cell = '<item><view class="vtkMRMLSliceNode" singletontag="{}"><property name="orientation" action="default">Axial'
    cell += '</property><property name="viewgroup" action="default">9</property></view></item>'
    columns = {}
    for view in views:
        columns.setdefault(view.GetLayoutName().split("_")[1], []).append(view)
    stacks = ["".join(cell.format(f"plain {view.GetLayoutName()}") for view in each) for each in columns.values()]
    stacks = [f'<item><layout type="vertical" split="true">{each}</layout></item>' for each in stacks]
    composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode
    chosen = [
        (f"plain {view.GetLayoutName()}", one.GetBackgroundVolumeID(), one.GetForegroundVolumeID())
        for view, one in [(view, composite(view)) for each in columns.values() for view in each]
    ]
    offset, layout = views[0].GetSliceOffset(), slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    slicer.modules.PseudoProgressionAnalyzerWidget.logic.session.show_timeline(False)
    layout.AddLayoutDescription(9009, f'<layout type="horizontal" split="true">{"".join(stacks)}</layout>')
    layout.SetViewArrangement(9009)
    slicer.app.processEvents()
    nodes = {node.GetLayoutName(): node for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")}
    for name, background, foreground in chosen:
        composite(nodes[name]).SetBackgroundVolumeID(background)
        composite(nodes[name]).SetForegroundVolumeID(foreground)
        composite(nodes[name]).SetForegroundOpacity(0.6 if foreground else 0.0)
        slicer.app.applicationLogic().GetSliceLogic(nodes[name]).FitSliceToBackground()
        nodes[name].SetSliceOffset(offset)
    for name, *_volumes in chosen:
        composite(nodes[name]).SetLinkedControl(True)
    return [nodes[name] for name, *_volumes in chosen]


def time_steps(words, views):
    """Says what single steps and flicks take; returns the median of single steps on the clock in ms."""
    import slicer

    for _turn in range(50):
        slicer.app.processEvents()
    steps = [scroll(views[0], views, 1.0 if step < STEPS / 2 else -1.0) for step in range(STEPS)]
    every = np.array([took for took, drawn in steps if drawn == len(views)]) * 1000
    say(f"{words}: scroll step with {len(views)} linked views ({len(every)} of {STEPS} drawn), median and 95 % of")
    for name, column in zip(("the clock", "the main thread", "the process"), every.T, strict=True):
        say(f"  {name}: {np.median(column):.0f} and {np.percentile(column, 95):.0f} ms")
    flicks = [flick(views[0], views, way)[0] * 1000 for way in ("Forward", "Backward") * 2]
    say(f"  {FLICK} steps of the wheel at once: {np.median(flicks):.0f} ms")
    return np.median(every[:, 0])


def desktop(folder):
    """In Slicer: load, align and compute, scroll."""
    import slicer

    from PseudoProgressionAnalyzerLib.scene import timeline

    slicer.util.mainWindow().showMaximized()
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    session, clock = widget.logic.session, Clock()
    widget.ui.folderPath.setCurrentPath(str(folder))
    widget.ui.loadButton.click()
    loaded = clock.read()
    widget.ui.computeButton.click()
    done = clock.read()
    say(f"{len(session.analysis.patient.visits)} visits, {len(session.analysis.assessments)} assessments")
    for name, took in (("folder to timeline", loaded), ("folder to assessment", done)):
        say(f"{name}: {took[0]:.0f} s; main thread {took[1]:.0f} s, process {took[2]:.0f} s of processor time")
    session.choose_rows(timeline.shown_rows(widget.panel.sections["timeline"].watched[0])[:3])
    views = timeline.view_nodes(session.application)
    ours = time_steps("timeline", views)
    say(f"  {ours / time_steps('plain Slicer', plain(views)):.2f} times plain Slicer")
    say(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GB")


if "slicer" in sys.modules:
    desktop(Path(os.environ["PPA_BENCHMARK_PATIENT"]))
elif __name__ == "__main__":
    make(Path(sys.argv[1]))
