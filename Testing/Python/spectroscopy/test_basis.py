"""The simulated basis against an independent one, against formulas of weak coupling and against brute force."""

import re

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol, fids, ppm_axis
from PseudoProgressionAnalyzerLib.spectroscopy.echoes import SEQUENCES, delays, lines
from PseudoProgressionAnalyzerLib.spectroscopy.spins import METABOLITES, SpinSystem

COUPLED = ("Ala", "Asp", "GABA", "Gln", "GSH", "Glu", "Ins", "Lac", "NAA", "NAAG", "Tau")


def independent_basis(path):
    """MHz, dwell time in s and spectra by name of a basis file in the format of LCModel."""
    text = path.read_text()
    frequency = float(re.search(r"HZPPPM\s*=\s*([\d.]+)", text)[1])
    dwell_time = float(re.search(r"BADELT\s*=\s*([\de.+-]+)", text)[1])
    spectra = {}
    for part in text.split("$BASIS\n")[1:]:
        numbers = part.split("$END", 1)[1].split("$NMUSED")[0].split()
        spectra[re.search(r"METABO\s*=\s*'(.*?)'", part)[1]] = np.array(numbers, float).reshape(-1, 2) @ [1, 1j]
    return frequency, dwell_time, spectra


def likeness(ours, theirs, ppm, dwell_time):
    """Complex correlation over 0.2 to 4.2 ppm at the best of a few line widths (theirs differ by metabolite)."""
    window = (ppm > 0.2) & (ppm < 4.2)
    times = np.arange(len(ours)) * dwell_time
    best = 0
    for width in np.arange(0.25, 4, 0.25):
        decay = np.exp(-np.pi * width * times)
        decay[0] = 0.5
        spectrum = np.fft.fft(ours * decay)[window]
        best = max(
            best, np.real(np.vdot(spectrum, theirs[window])) / np.linalg.norm(spectrum) / np.linalg.norm(theirs[window])
        )
    return best


def test_independent_basis(reference_data):
    frequency, dwell_time, theirs = independent_basis(reference_data("spectroscopy/lcmodel_test/3t.basis"))
    names = tuple(name for name in theirs if name in METABOLITES)
    assert len(names) == 16
    ppm = ppm_axis(1024, dwell_time, frequency)
    ours = fids(Protocol(frequency, 0.03, delays=(0.005, 0.015, 0.010)), 1024, dwell_time, names)
    found = {name: likeness(fid, theirs[name], ppm, dwell_time) for name, fid in zip(names, ours, strict=True)}
    assert all(found[name] >= 0.999 for name in COUPLED), found
    assert all(value >= 0.99 for value in found.values()), found
    wrong = fids(Protocol(frequency, 0.04, delays=(0.010, 0.020, 0.010)), 1024, dwell_time, names)
    unlike = {name: likeness(fid, theirs[name], ppm, dwell_time) for name, fid in zip(names, wrong, strict=True)}
    assert min(unlike[name] for name in ("Gln", "Glu", "GABA", "Ins")) < 0.95


def test_the_usual_delays_are_those_of_the_reference():
    assert np.allclose(delays("PRESS", 0.03), (0.005, 0.015, 0.010))
    assert np.allclose(delays("sLASER", 0.04), (0.006, 0.009, 0.006, 0.011, 0.008))
    assert np.dot(delays("sLASER", 0.1), (1, -1, 1, -1, 1)) == pytest.approx(0)


@pytest.mark.parametrize("echo_time", [0.03, 0.0721, 0.144, 0.288])
def test_lactate_in_a_spin_echo_turns_with_its_coupling(echo_time):
    # The in-phase part of a weakly coupled doublet is cos(pi J TE) (Levitt 2008); at 400 MHz lactate is one.
    ppm, amplitude = lines(METABOLITES["Lac"][0], 400.0, "spin_echo", delays("spin_echo", echo_time), 0.0)
    assert np.real(amplitude[ppm < 2].sum()) == pytest.approx(3 * np.cos(np.pi * 6.933 * echo_time), abs=0.02)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_singlet_stays_as_it_is(sequence):
    ppm, amplitude = lines(SpinSystem((3.027,), copies=3), 127.0, sequence, delays(sequence, 0.03), 0.01)
    assert ppm == pytest.approx([3.027])
    assert amplitude == pytest.approx([3.0])


def test_phosphorus_splits_and_is_refocused():
    system = SpinSystem((3.9,), heteronuclei=(((-0.5, 0.5), {0: 6.0}),))
    ppm, amplitude = lines(system, 100.0, "PRESS", delays("PRESS", 0.07), 0.0)
    assert np.allclose(ppm, [3.87, 3.93])
    assert np.allclose(amplitude, 0.5)


def test_stimulated_echo_against_gradients_averaged_by_brute_force():
    first, coupling, frequency, echo, mixing = (1.3, 4.1), 6.9, 64.0, 0.04, 0.013
    x, y, z = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
    spin = [[np.kron(axis, np.eye(2)), np.kron(np.eye(2), axis)] for axis in (x, y, z)]
    total = [sum(pair) for pair in spin]
    shift = sum(frequency * (ppm - 4.65) * iz for ppm, iz in zip(first, spin[2], strict=True))
    hamiltonian = shift + coupling * sum(pair[0] @ pair[1] for pair in spin)

    def exponential(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * np.exp(-1j * values)) @ vectors.conj().T

    pulse = exponential(np.pi / 2 * total[0])
    half, middle = exponential(np.pi * hamiltonian * echo), exponential(2 * np.pi * hamiltonian * mixing)
    signal = 0
    steps = 2 * np.pi * np.arange(8) / 8
    for angle in steps:
        for spoil in steps:
            gradient, crusher = exponential(angle * total[2]), exponential(spoil * total[2])
            whole = half @ gradient @ pulse @ middle @ crusher @ pulse @ gradient @ half
            signal += np.trace((total[0] + 1j * total[1]) @ whole @ total[0] @ whole.conj().T) / 64
    _, amplitude = lines(
        SpinSystem(first, {(0, 1): coupling}), frequency, "STEAM", delays("STEAM", echo), mixing_time=mixing
    )
    assert abs(2 * signal - amplitude.sum()) < 1e-6  # a stimulated echo has half of the signal


def test_the_axis_has_naa_at_a_positive_frequency():
    decay = fids(Protocol(123.25, 0.03), 1024, 5e-4, ("NAA",))[0] * np.exp(-np.arange(1024) * 5e-4 * 10)
    spectrum = np.abs(np.fft.fft(decay))
    assert ppm_axis(1024, 5e-4, 123.25)[spectrum.argmax()] == pytest.approx(2.008, abs=0.02)
    assert spectrum.argmax() < 512


def test_refusals():
    for wrong in (Protocol(123.0, 30.0), Protocol(123.0, 0.03, "LASER"), Protocol(3.0, 0.03)):
        with pytest.raises(InputError):
            fids(wrong, 64, 5e-4, ("NAA",))
