"""Filters in one thread: all that a picture depends on, and nothing is computed otherwise."""

import sys
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

from vtkmodules.vtkImagingCore import vtkImageBlend, vtkImageReslice, vtkImageThreshold

from PseudoProgressionAnalyzerLib.scene.nodes import array_of, image_data


@pytest.fixture
def limit(monkeypatch):
    monkeypatch.setitem(sys.modules, "qt", ModuleType("qt"))
    from PseudoProgressionAnalyzerLib.desktop.one_thread import limit

    return limit


def test_all_filters_before_the_last_one(limit):
    image = image_data(np.random.default_rng(1).integers(0, 200, (4, 30, 30)).astype(np.uint8))
    reslice, threshold, blend = vtkImageReslice(), vtkImageThreshold(), vtkImageBlend()
    reslice.SetInputData(image)
    threshold.SetInputConnection(reslice.GetOutputPort())
    threshold.ThresholdByUpper(100)
    blend.AddInputConnection(threshold.GetOutputPort())
    blend.AddInputConnection(reslice.GetOutputPort())
    for each in (reslice, threshold, blend):
        each.SetNumberOfThreads(3)
    blend.Update()
    before = array_of(blend.GetOutput()).copy()
    seen = set()
    limit(blend, seen)
    assert [each.GetNumberOfThreads() for each in (reslice, threshold, blend)] == [1, 1, 1]
    changed = reslice.GetMTime()
    limit(blend, set())
    assert reslice.GetMTime() == changed, "what is limited already is not computed again"
    blend.Modified()
    blend.Update()
    assert np.array_equal(array_of(blend.GetOutput()), before)
