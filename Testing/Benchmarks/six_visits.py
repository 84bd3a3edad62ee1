"""A patient with six visits: seconds from the folder to the assessment, memory, and a scroll step with linked views.

The patient is the built-in case twice, the second time 26 weeks later; it serves for speed and memory, not for numbers.

    python Testing/Benchmarks/six_visits.py FOLDER                          makes the patient's folder
    /usr/bin/time -v pseudoprogression analyze FOLDER --output OUT          the command line
    PPA_BENCHMARK_PATIENT=FOLDER Slicer --testing --no-splash --additional-module-paths PseudoProgressionAnalyzer \
        --python-script Testing/Benchmarks/six_visits.py                    the Slicer desktop

Seconds on the clock, and of the main thread's and the whole process' processor time: on a busy machine the first are
longer. PPA_BENCHMARK_OUTPUT names a file for the lines. A scroll step is one step of a view's slider: it ends when the
last of the twelve views was drawn.
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


def scroll(view, views):
    """One step of a view's slider, until each view was drawn."""
    import slicer

    drawn = set()
    windows = [slicer.app.layoutManager().sliceWidget(one.GetLayoutName()).sliceView().renderWindow() for one in views]
    watched = [
        (window, window.AddObserver("EndEvent", lambda caller, event, number=number: drawn.add(number)))
        for number, window in enumerate(windows)
    ]
    clock, logic = Clock(), slicer.app.applicationLogic().GetSliceLogic(view)
    logic.StartSliceOffsetInteraction()
    logic.SetSliceOffset(logic.GetSliceOffset() + 1.0)
    logic.EndSliceOffsetInteraction()
    while len(drawn) < len(windows) and clock.read()[0] < LONGEST:
        slicer.app.processEvents()
    took = clock.read()
    for window, tag in watched:
        window.RemoveObserver(tag)
    return took, len(drawn)


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
    for _round in range(50):
        slicer.app.processEvents()
    steps = [scroll(views[0], views) for _step in range(STEPS)]
    every = np.array([took for took, drawn in steps if drawn == len(views)]) * 1000
    say(f"scroll step with {len(views)} linked views ({len(every)} of {STEPS} steps drawn in all): median and 95 % of")
    for name, column in zip(("the clock", "the main thread", "the process"), every.T, strict=True):
        say(f"  {name}: {np.median(column):.0f} and {np.percentile(column, 95):.0f} ms")
    say(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GB")


if "slicer" in sys.modules:
    desktop(Path(os.environ["PPA_BENCHMARK_PATIENT"]))
elif __name__ == "__main__":
    make(Path(sys.argv[1]))
