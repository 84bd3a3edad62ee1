"""Metabolite maps: ratios of concentrations, and nothing where nothing was measured."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import metabolites
from PseudoProgressionAnalyzerLib.cases.tissues import TISSUES


def test_concentrations_of_a_state(patient):
    maps = metabolites.concentrations(patient.state, patient.visit.lesion)
    tissues = patient.state.tissues
    pure = tissues["enhancing"] >= 1.0
    ratio = maps["cho"][pure].mean() / maps["naa"][pure].mean()
    assert ratio == pytest.approx(patient.visit.lesion.cho_naa, rel=1e-3)
    white = tissues["white"] > 0.999
    assert maps["naa"][white].mean() == pytest.approx(TISSUES["white"].naa, rel=1e-3)
    assert maps["naa"][tissues["fluid"] > 0.999].max() < 0.1


def test_ratio_without_noise_is_exact(monkeypatch):
    monkeypatch.setattr(metabolites, "NOISE", {"cho": 0.0, "naa": 1e-9})
    cho, naa = np.array([[[2.4, 2.4, 0.0, 1.0]]]), np.array([[[12.0, 1.2, 5.0, 0.0]]])
    inside = np.array([[[True, True, True, True]]])
    found = metabolites.ratio_map(cho, naa, inside, np.random.default_rng(1))
    assert np.allclose(found, [[[0.2, 2.0, 0.0, 0.0]]])


def test_undetected_naa_and_scalp_are_not_measured():
    shape = (5, 20, 20)
    rng = np.random.default_rng(2)
    inside = np.ones(shape, bool)
    inside[:, :, :3] = False
    found = metabolites.ratio_map(np.full(shape, 2.0), np.full(shape, 10.0), inside, rng)
    assert not found[~inside].any() and (found[inside] > 0.1).all()
    assert found[inside].std() > 0.001
    none = metabolites.ratio_map(np.full(shape, 0.3), np.full(shape, 0.3), inside, rng)
    assert (none == 0).mean() > 0.95
