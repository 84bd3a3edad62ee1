"""Line widths that the voxels of a grid have in common, where the truth is known; and what others would do."""

from dataclasses import replace

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
    true = truth.LINE_WIDTHS[widths]
    for first, second in (("NAA", "Cr"), ("NAA", "GPC")):
        assert found.widths[first] - found.widths[second] == pytest.approx(true[first] - true[second], abs=0.5)
    ratio = amounts["tCho"] / amounts["tNAA"]
    away = np.median(found.ratio("tCho", "tNAA").value) / ratio - 1
    assert abs(away) < 0.06
    # The widths of the other case, held fast, miss it by far: what was found counts.
    wrong = fit(spectra, widths=truth.LINE_WIDTHS["alike" if widths == "basis" else "basis"])
    assert abs(np.median(wrong.ratio("tCho", "tNAA").value) / ratio - 1) > 0.09


def test_a_small_grid_knows_its_widths_less_well():
    """Ten voxels, of which five are learned from: more uncertain than forty, in no direction certain, and no more
    uncertain than what was expected of the widths before."""
    spectra, _ = truth.spectra("white", 123.2, 0.030, 30, 40, seed=8, widths="basis")
    few, many = fit(replace(spectra, fid=spectra.fid[:, :, :10])), fit(spectra)
    place = [few.names.index(name) for name in ("NAA", "Cr", "GPC", "Ins", "Glu", "Lac")]
    small, large = (one.width_errors[np.ix_(place, place)] for one in (few, many))
    assert np.linalg.eigvalsh(small).min() > 0.05**2 and np.linalg.eigvalsh(small).max() <= 0.6**2 + 1e-9
    assert (np.diagonal(small) > np.diagonal(large)).all()


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


def test_bounds_hold_the_errors_of_widths_that_were_learned():
    """Choline's width known to 0.5 Hz: each amplitude is uncertain by as much as it moves when that width is 0.25 Hz
    more and 0.25 Hz less, beside its own bound; a width that was not learned moves nothing."""
    spectra, _ = truth.spectra("white", 123.2, 0.030, 60, 6, seed=10)
    held = fit(spectra, widths=WIDTHS)
    moved = np.array([float(name in ("GPC", "PCh")) for name in held.names])
    unsure = fit(spectra, widths=WIDTHS, width_errors=0.5**2 * np.outer(moved, moved))
    more, less = (fit(spectra, widths=WIDTHS | dict.fromkeys(("GPC", "PCh"), 0.8 + away)) for away in (0.25, -0.25))
    for name in ("tCho", "tCr"):
        away = np.median(np.abs(more.amplitude(name) - less.amplitude(name)))
        added = unsure.covariance(name, name) - held.covariance(name, name)
        assert np.median(np.sqrt(added)) == pytest.approx(away, rel=0.25, abs=0.1 * np.median(held.bound(name)))
    assert np.allclose(unsure.amplitudes, held.amplitudes)
    weights = unsure.weights("tCho")
    common = (unsure.common - held.common) @ weights @ weights
    assert np.allclose(common, unsure.covariance("tCho", "tCho") - held.covariance("tCho", "tCho"), rtol=0.01)
    ratio, sure = unsure.ratio("tCho", "tNAA"), held.ratio("tCho", "tNAA")
    assert (ratio.high - ratio.low > 1.1 * (sure.high - sure.low)).all()
    with pytest.raises(ValueError, match="width_errors"):
        fit(spectra, widths=WIDTHS, width_errors=np.eye(3))
