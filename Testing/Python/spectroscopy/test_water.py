"""Water removal and eddy-current correction where metabolites and water are known."""

from dataclasses import replace

import numpy as np
import pytest
import truth

from PseudoProgressionAnalyzerLib.spectroscopy import fit
from PseudoProgressionAnalyzerLib.spectroscopy.basis import ppm_axis
from PseudoProgressionAnalyzerLib.spectroscopy.water import (
    correct_eddy_currents,
    early_last,
    early_points,
    remove_water,
)

POINTS, DWELL, FREQUENCY = 1024, 5e-4, 123.0
TIME = np.arange(POINTS) * DWELL


def line(ppm, width=5.0):
    return np.exp((2j * np.pi * (4.65 - ppm) * FREQUENCY - np.pi * width) * TIME)


def test_water_goes_and_metabolites_stay():
    random = np.random.default_rng(0)
    metabolites = np.stack([line(2.01) * 3 + line(3.03) * 2 + line(3.92) for _ in range(3)])
    shape = np.exp(2j * np.pi * 2 * np.sin(8 * TIME) / 8)
    water = np.stack([amount * line(4.65 + shift, 7) * shape for amount, shift in ((100, 0), (300, 0.08), (0, 0))])
    noise = 0.02 * (random.normal(size=metabolites.shape) + 1j * random.normal(size=metabolites.shape))
    cleaned = remove_water(metabolites + water + noise, DWELL, FREQUENCY)
    ppm = ppm_axis(POINTS, DWELL, FREQUENCY)
    fitted = (ppm > 0.2) & (ppm < 4.0)
    around = np.abs(ppm - 4.65) < 0.3
    spectrum, true, before = (np.fft.fft(x, axis=-1) for x in (cleaned, metabolites, metabolites + water))
    highest = np.abs(true[:, fitted]).max()
    assert np.abs(spectrum - true)[:, fitted].max() < 0.03 * highest
    assert np.abs(before - true)[:2, fitted].max() > 0.05 * highest  # without removal the foot of the water is there
    assert np.abs(spectrum[:2, around]).max() < 0.02 * np.abs(before[:2, around]).max()


@pytest.mark.parametrize("frequency", [64.0, 123.2])
@pytest.mark.parametrize("water", [0.0, 1.0, 30.0])
def test_what_is_left_is_not_bent(frequency, water):
    """Strong metabolites outside of the band, whose tails in it are no water: with much, little or no water the
    spectrum that is fitted stays within 7 % of what it was (15 to 20 % where those tails are subtracted). Water of 30
    times the metabolites' height is seen there without removal."""
    spectra, _ = truth.spectra("tumour", frequency, 0.030, 1e6, 6, seed=41)
    fid, time = spectra.fid[0, 0], np.arange(spectra.fid.shape[-1]) * spectra.dwell_time
    ppm = ppm_axis(fid.shape[-1], spectra.dwell_time, frequency)
    fitted = (ppm > 0.2) & (ppm < 4.0)
    wet = np.exp((2j * np.pi * 2 - np.pi * 6) * time)
    wet *= water * np.abs(np.fft.fft(fid)).max() / np.abs(np.fft.fft(wet)).max()
    clean = remove_water((fid + wet).astype(np.complex64), spectra.dwell_time, frequency)
    size = np.linalg.norm(np.fft.fft(fid)[:, fitted], axis=1)

    def away(decays):
        return np.median(np.linalg.norm(np.fft.fft(decays - fid)[:, fitted], axis=1) / size)

    assert away(clean) < 0.07
    assert (away(fid + wet) > 0.5) == (water > 10)


def test_real_water(reference_data):
    from PseudoProgressionAnalyzerLib.formats.spectra import load

    spectra = load(reference_data("spectroscopy/suspect/SVS_30.rda"))
    fid = spectra.fid[0, 0]
    cleaned = remove_water(fid, spectra.dwell_time, spectra.spectrometer_frequency)
    around = np.abs(ppm_axis(fid.shape[-1], spectra.dwell_time, spectra.spectrometer_frequency) - 4.65) < 0.25
    before, after = (np.abs(np.fft.fft(x, axis=-1))[:, around].max() for x in (fid, cleaned))
    assert after < before / 20


def test_eddy_currents_are_taken_off():
    phase = 2.0 * (1 - np.exp(-TIME / 0.02))
    turned = line(2.01) * np.exp(1j * (phase + 0.3))
    water = 1000 * line(4.65, 3) * np.exp(1j * (phase + 0.3))
    assert np.allclose(correct_eddy_currents(turned, water), line(2.01), atol=1e-6)
    assert not np.allclose(turned, line(2.01), atol=0.1)
    decayed = np.where(np.abs(water) > 2, water, 0.01 * np.exp(1j * 100 * TIME**2))
    corrected = correct_eddy_currents(turned, decayed)
    assert np.abs(corrected - line(2.01)).max() < 0.02


def test_points_that_belong_before_the_first_are_put_there():
    """A decay that the scanner shifted by half a dwell time around: its amounts are found again."""
    spectra, amounts = truth.spectra("white", 123.2, 0.030, 30, 6, seed=12)
    points = spectra.fid.shape[-1]
    time = np.arange(points) * spectra.dwell_time
    water = 5 * np.abs(spectra.fid).max() * np.exp((2j * np.pi * 2 - 25) * time)
    spectra = replace(spectra, fid=(spectra.fid + water).astype(np.complex64))
    turn = np.exp(2j * np.pi * np.fft.fftfreq(points) * 0.5)
    shifted = np.fft.ifft(np.fft.fft(spectra.fid, axis=-1) * turn, axis=-1).astype(np.complex64)
    assert (early_points(shifted[0, 0]) > 0).all() and not early_points(spectra.fid[0, 0]).any()
    moved = early_last(shifted[0, 0], 2 * points)
    plain = np.zeros_like(moved)
    plain[:, :points] = spectra.fid[0, 0]
    linear = np.exp(-2j * np.pi * np.fft.fftfreq(2 * points) * 0.5)
    again = np.fft.fft(moved, axis=-1) * linear  # half a dwell time is a linear phase, nothing else
    whole = np.fft.fft(plain, axis=-1)
    cut = np.fft.fft(shifted[0, 0], 2 * points, axis=-1) * linear
    inner = np.abs(np.fft.fftfreq(2 * points)) < 0.4
    away, untouched = (np.linalg.norm((one - whole)[:, inner]) for one in (again, cut))
    assert away < 0.01 * np.linalg.norm(whole[:, inner]) < untouched
    found = fit(replace(spectra, fid=shifted)).ratio("tCho", "tNAA").value
    assert np.median(found) == pytest.approx(amounts["tCho"] / amounts["tNAA"], rel=0.06)
