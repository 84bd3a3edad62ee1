"""Small patients with a simulated DSC series of known truth, as the analysis tests need them."""

import importlib.util
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import Image, Patient, Region, Series, Visit

AFFINE = np.diag([3.0, 3.0, 5.0, 1.0])


def simulation():
    """The module of the DSC phantom of the perfusion tests."""
    path = Path(__file__).resolve().parents[1] / "perfusion" / "phantom.py"
    specification = importlib.util.spec_from_file_location("phantom", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def patient_of(folder, series, brain, lesion=None, reference=None, acquisition=None, **others):
    """An analysis before its maps: one visit per entry of series (name to ``(time, k, j, i)``), heads all in one place.

    brain, lesion, reference: bool ``(k, j, i)`` on the grid of the series, which is the T1CE's too. others: role to
    name to (array, acquisition) of further series.
    """
    visits, regions = [], []
    for name, values in series.items():
        found = []
        if values is not None:
            path = Path(folder) / f"{name}_DSC.nii"
            write_image(Image(np.asarray(values), AFFINE), path)
            found.append(Series("DSC", path, acquisition or {"EchoTime": 0.03, "RepetitionTime": 1.5}))
        for role, given in others.items():
            if name in given:
                path = Path(folder) / f"{name}_{role}.nii"
                write_image(Image(np.asarray(given[name][0]), AFFINE), path)
                found.append(Series(role, path, given[name][1]))
        visits.append(Visit(name, None, [Series("T1CE", Path("none")), *found]))
        if lesion is not None:
            regions.append(Region("lesion", name, "lesion", Path("none")))
    analysis = Analysis(Patient("p", visits, [], regions), reference_visit=visits[0].id)
    for visit in visits:
        analysis.images[visit.id, "T1CE"] = Image(np.zeros(brain.shape, np.float32), AFFINE)
        analysis.brains[visit.id] = brain
        analysis.visit_to_reference[visit.id] = np.eye(4)
        analysis.alignment[visit.id] = {"uncertainty": 0.1}
        if lesion is not None:
            analysis.regions[visit.id, "lesion"] = Image(lesion, AFFINE)
        if reference is not None:
            analysis.references[visit.id] = Image(reference, AFFINE)
    return analysis
