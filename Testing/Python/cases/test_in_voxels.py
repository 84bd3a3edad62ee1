"""The truth as voxels see it, against voxels counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import disease, in_voxels, metabolites, plans, scans
from PseudoProgressionAnalyzerLib.cases.spectra import SEQUENCE, T2
from PseudoProgressionAnalyzerLib.cases.tissues import TISSUES
from PseudoProgressionAnalyzerLib.measures import Image

LESION = replace(plans.UNTREATED, naa=2.0, cho_naa=1.9)


@pytest.fixture(scope="module")
def state():
    """A slab of lesion, 10 mm wide along i, in white matter; the head is a cube of 40 mm around zero."""
    affine, nodes = np.eye(4), np.diag([40.0, 40.0, 40.0, 1.0])
    affine[:3, 3], nodes[:3, 3] = -19.5, -40.0
    lesion = np.zeros((40, 40, 40), np.float32)
    lesion[:, :, 10:20] = 1
    return disease.State(
        {**dict.fromkeys(TISSUES, 0 * lesion), "enhancing": lesion, "white": 1 - lesion},
        affine,
        blood_volume=3 * TISSUES["white"].blood_volume * lesion,
        t2_star_share=lesion,
        core_and_rim=lesion,
        perfusion=Image(np.ones((3, 3, 3), np.float32), nodes),
    )


def other_side(state):
    side = np.zeros(state.blood_volume.shape, bool)
    side[:, :, 30:] = True
    return side


def scan(width):
    """Voxels of this width along i (mm), as fine as the state else."""
    return scans.Prescription((4, 20, int(40 / width)), (width, 2.0, 2.0), (0.0, 0.0, 0.0), parts=(int(width), 2, 2))


def test_fine_voxels_see_the_plain_truth(state):
    found = in_voxels.rcbv_ratio(state, other_side(state), np.eye(4), scan(1.0))
    assert found == pytest.approx(disease.truth(state, other_side(state))["rCBV_ratio"], rel=1e-5) == pytest.approx(3)


def test_wide_voxels_see_the_surroundings(state):
    """Voxels of 8 mm from -20 mm on: the lesion, -10 to 0 mm, fills 3/4 of one and 1/2 of the next."""
    found = in_voxels.rcbv_ratio(state, other_side(state), np.eye(4), scan(8.0))
    stored_left_to_right = [6 / 8, 4 / 8]  # voxels are stored from the left to the right, the cube is symmetric
    by_hand = sum(w * (3 * w + (1 - w)) for w in stored_left_to_right) / sum(stored_left_to_right)
    assert found == pytest.approx(by_hand, rel=1e-5)
    assert found == pytest.approx(1 + 2 * sum(w**2 for w in stored_left_to_right) / sum(stored_left_to_right), rel=1e-5)
    assert found < 2.5


@pytest.mark.parametrize(("width", "share"), [(2.0, 1.0), (8.0, 0.75)])
def test_metabolites_of_the_voxels_that_count(state, width, share):
    """Those of 2 mm lie within the lesion; of those of 8 mm the one that lies in it by three quarters counts, and the
    one that lies in it by half, which counts two thirds as much."""
    found = in_voxels.metabolite_ratios(state, LESION, np.eye(4), scan(width))
    held = metabolites.amounts(LESION)
    shares = {1.0: 1.0} if share == 1.0 else {0.75: 0.6, 0.5: 0.4}

    def amount(*names):
        mixed = {
            name: sum(
                part * (inside * held["enhancing"].get(name, 0) + (1 - inside) * held["white"].get(name, 0))
                for inside, part in shares.items()
            )
            for name in names
        }
        return sum(value * np.exp(-SEQUENCE.echo_time / T2[name]) for name, value in mixed.items())

    choline, naa, creatine = amount("GPC", "PCh"), amount("NAA", "NAAG"), amount("Cr", "PCr")
    assert found["Cho_NAA"] == pytest.approx(choline / naa, rel=1e-4)
    assert found["Cho_Cr"] == pytest.approx(choline / creatine, rel=1e-4)
    assert (found["Cho_NAA"] == pytest.approx(1.9, rel=0.05)) == (share == 1.0)
