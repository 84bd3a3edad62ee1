"""Structural contrasts: hand values of the signal equation, and the order of tissues that a reader expects."""

from math import exp

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import structural
from PseudoProgressionAnalyzerLib.cases.tissues import TISSUES


def signal(sequence, name, concentration=0.0):
    tissue = TISSUES[name]
    t1 = structural.with_contrast(tissue, concentration)
    return float(structural.inversion_recovery(sequence, tissue.density, t1, tissue.t2))


def test_signal_equation_by_hand():
    expected = 0.73 * (1 - 2 * exp(-2.5 / 0.758) + exp(-9.0 / 0.758)) * exp(-0.120 / 0.077)
    assert signal(structural.FLAIR, "white") == pytest.approx(expected)
    assert structural.inversion_recovery(structural.FLAIR, 1.0, 2.5 / np.log(2), 1e9) == pytest.approx(
        exp(-9.0 * np.log(2) / 2.5)
    )  # at the null of an infinite TR only the finite TR is left


def test_contrast_agent_shortens_t1_by_its_relaxivity():
    """1/1.5 s + 4.97 L/(mmol s) x 0.2 mmol/L = 1.6607 1/s."""
    assert structural.with_contrast(TISSUES["enhancing"], 0.2) == pytest.approx(1 / 1.66067, rel=1e-4)


def test_flair_nulls_fluid_and_shows_oedema():
    white, grey, fluid, oedema = (signal(structural.FLAIR, name) for name in ("white", "grey", "fluid", "oedema"))
    assert fluid < 0.1 * white < white < grey < oedema
    assert oedema > 1.3 * white


def test_t1_shows_the_lesion_dark_before_and_bright_after_contrast():
    white, grey, fluid = (signal(structural.T1_WEIGHTED, name) for name in ("white", "grey", "fluid"))
    before, after = (signal(structural.T1_WEIGHTED, "enhancing", c) for c in (0.0, 0.16))
    assert fluid < 0.1 * white and 0.5 < grey / white < 0.8
    assert before < grey < white < after


def test_images_of_a_state(patient):
    before, after = (structural.t1_weighted(patient.state, patient.visit.lesion, c) for c in (False, True))
    inside = patient.state.tissues["enhancing"] > 0.99
    white = patient.state.tissues["white"] > 0.99
    assert before[inside].mean() < before[white].mean() < after[inside].mean()
    assert after[white].mean() == pytest.approx(before[white].mean(), rel=0.06)
    assert after[inside].std() / after[inside].mean() > 0.02  # enhancement is not flat
    air = sum(patient.state.tissues.values()) == 0
    assert not after[air].any()
