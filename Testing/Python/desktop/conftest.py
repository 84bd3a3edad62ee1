"""A session without a desktop: the real scene, and of the application only its event loop is made up."""

import datetime
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.mapping import make_ratio_maps
from PseudoProgressionAnalyzerLib.analysis.run import steps
from PseudoProgressionAnalyzerLib.measures import Event, Image, Map, Patient, Region, Series, Visit
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene

VISITS = ("2023-01-10", "2023-03-01")


@pytest.fixture
def made_session(monkeypatch):
    """A Session on a new scene. Its ``events`` run whenever the application would process events."""
    app = application()
    events = []
    desktop = SimpleNamespace(
        processEvents=lambda: [event() for event in events],
        pauseRender=lambda: None,
        resumeRender=lambda: None,
        layoutManager=lambda: None,
    )
    monkeypatch.setattr(slicer, "app", desktop, False)
    monkeypatch.setitem(sys.modules, "qt", ModuleType("qt"))  # imported, and not used without a window
    from PseudoProgressionAnalyzerLib.desktop.session import Session, scene_patient

    monkeypatch.setattr(scene_patient, "application", lambda: app)
    made = Session()
    made.events = events
    return made


@pytest.fixture
def analysis() -> Analysis:
    """Two visits on 2 mm voxels with a box as lesion and rCBV; all steps done but measuring and assessing."""
    visits = [Visit(v, datetime.date.fromisoformat(v), [Series("T1CE", Path(f"{v}.nii"))]) for v in VISITS]
    regions = [Region("lesion", visit, "lesion", Path(), carried=visit == VISITS[0]) for visit in VISITS]
    patient = Patient("two", visits, [Event("radiotherapy", None, datetime.date(2022, 12, 1))], regions)
    made = Analysis(patient, VISITS[0])
    shape, affine = (20, 24, 24), np.diag([2.0, 2, 2, 1])
    random = np.random.default_rng(3)
    for visit in VISITS:
        made.images[visit, "T1CE"] = Image(random.random(shape, dtype=np.float32), affine)
        made.brains[visit] = np.ones(shape, bool)
        made.visit_to_reference[visit] = np.eye(4)
        lesion, white = np.zeros((2, *shape), bool)
        lesion[6:12, 5:11, 6:12], white[6:12, 5:11, 15:21] = True, True
        made.regions[visit, "lesion"] = Image(lesion, affine)
        made.references[visit] = Image(white, affine)
        values = random.uniform(1, 2, shape).astype(np.float32)
        made.maps[visit, "rCBV"] = Map(values, affine, "rCBV", "relative", "random")
        made.series_to_visit[visit, "rCBV"] = np.eye(4)
        made.series_to_visit[visit, "T1CE"] = np.eye(4)
        make_ratio_maps(made, visit)
    made.finished = {(step.code, step.visit) for step in steps(made)} - {("step_measure", ""), ("step_assess", "")}
    return made


@pytest.fixture
def session(made_session, analysis):
    """A session with the patient in the scene, not measured yet."""
    build_scene(made_session.application, analysis)
    return made_session


@pytest.fixture
def grown():
    """A mask that is a little larger."""

    def larger(mask: np.ndarray) -> np.ndarray:
        return mask | np.roll(mask, 1, axis=2) | np.roll(mask, 1, axis=1)

    return larger
