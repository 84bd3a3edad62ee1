"""Line widths that the voxels of a grid have in common, where the truth is known; and what others would do."""

import numpy as np
import pytest
import truth

from PseudoProgressionAnalyzerLib.spectroscopy import fit
from PseudoProgressionAnalyzerLib.spectroscopy.model import SHARED
from PseudoProgressionAnalyzerLib.spectroscopy.spins import WIDTHS


@pytest.mark.parametrize("widths", ["basis", "alike"])
def test_a_grid_finds_its_own_widths(widths):
    spectra, amounts = truth.spectra("white", 123.2, 0.030, 30, 24, seed=8, widths=widths)
    found = fit(spectra)
    said = truth.LINE_WIDTHS[widths]
    true = {name: said.get(name, truth.OTHER_WIDTH) for name in ("NAA", "Cr", "GPC")}
    for first, second in (("NAA", "Cr"), ("NAA", "GPC")):
        assert found.widths[first] - found.widths[second] == pytest.approx(true[first] - true[second], abs=0.5)
    ratio = amounts["tCho"] / amounts["tNAA"]
    away = np.median(found.ratio("tCho", "tNAA").value) / ratio - 1
    assert abs(away) < 0.06
    # The widths of the other case, held fast, miss it by far: what was found counts.
    other = truth.LINE_WIDTHS["alike" if widths == "basis" else "basis"]
    wrong = fit(spectra, widths={name: other.get(name, truth.OTHER_WIDTH) for name in truth.WHITE})
    assert abs(np.median(wrong.ratio("tCho", "tNAA").value) / ratio - 1) > 0.09


def test_few_voxels_are_free_and_say_so():
    spectra, amounts = truth.spectra("white", 123.2, 0.030, 30, 6, seed=9, widths="basis")
    found, held = fit(spectra), fit(spectra, widths=WIDTHS)
    assert found.widths == {} and held.widths == WIDTHS
    true = amounts["tCho"] / amounts["tNAA"]
    free, fast = found.ratio("tCho", "tNAA"), held.ratio("tCho", "tNAA")
    assert (free.high - free.low > 1.2 * (fast.high - fast.low)).all()  # widths that are not known cost certainty
    assert ((free.low <= true) & (true <= free.high)).mean() > 0.8


def test_what_is_alike_is_off_together():
    spectra, _ = truth.spectra("white", 123.2, 0.030, 30, 6, seed=9, widths="alike")
    found = fit(spectra)
    count = len(found.names)
    own = found.parameters[0, 0, :, SHARED + count :]
    for first, second in (("Cr", "PCr"), ("GPC", "PCh"), ("NAA", "NAAG")):
        apart = own[:, found.names.index(first)] - own[:, found.names.index(second)]
        assert (np.abs(apart) < 3 * 0.16 * np.sqrt(2)).all()  # Hz; each of them has 0.15 Hz of its own
    # Together they follow the spectrum: NAA is broader here than creatine is by 0.8 Hz more than is expected.
    moved = np.median(own[:, found.names.index("NAA")] - own[:, found.names.index("Cr")])
    assert moved > WIDTHS["NAA"] - WIDTHS["Cr"] + 0.2
