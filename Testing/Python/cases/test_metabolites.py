"""Amounts of metabolites: what each tissue holds, and what a voxel sees of it."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import metabolites
from PseudoProgressionAnalyzerLib.cases.scans import Prescription
from PseudoProgressionAnalyzerLib.cases.tissues import TISSUES


def total(held, name):
    return sum(held[part] for part in metabolites.SPLIT[name])


def test_amounts_of_the_lesion_are_those_of_the_plan(patient):
    lesion = patient.visit.lesion
    held = metabolites.amounts(lesion)["enhancing"]
    assert total(held, "cho") / total(held, "naa") == pytest.approx(lesion.cho_naa)
    assert total(held, "cho") / total(held, "cr") == pytest.approx(metabolites.cho_cr(lesion))
    white = metabolites.amounts(lesion)["white"]
    assert total(white, "naa") == pytest.approx(TISSUES["white"].naa)
    assert "NAA" not in metabolites.amounts(lesion)["fluid"] or metabolites.amounts(lesion)["fluid"]["NAA"] == 0


def test_a_voxel_sees_the_mean_of_its_tissues(patient):
    """A grid of one voxel over the whole head holds what the fine grid holds on the average."""
    size = 400.0
    scan = Prescription((1, 1, 1), (size, size, size), (0.0, -18.0, 10.0), parts=(100, 100, 100))
    affine = scan.affine(np.eye(4))
    held, water = metabolites.seen(patient.state, patient.visit.lesion, scan, affine, np.eye(4))
    shares = {name: share.sum(dtype=float) / size**3 for name, share in patient.state.tissues.items()}
    amounts = metabolites.amounts(patient.visit.lesion)
    expected = sum(shares[name] * total(amounts[name], "naa") for name in shares)
    assert total(held, "naa").item() == pytest.approx(expected, rel=0.02)
    assert water.item() == pytest.approx(sum(TISSUES[name].density * share for name, share in shares.items()), rel=0.02)
