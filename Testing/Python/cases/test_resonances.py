"""One molecule's signal: by hand where that is possible, and against the library's simulation, which shares no code."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import resonances
from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol, fids

SEQUENCE = resonances.Sequence()


@pytest.fixture(scope="module")
def known():
    return resonances.signals(SEQUENCE)


def test_a_singlet_by_hand(known):
    turn = np.exp(2j * np.pi * (4.65 - 3.212) * SEQUENCE.frequency * SEQUENCE.time)
    assert np.allclose(known["GPC"], 9 * turn, atol=1e-9)


def test_lactate_by_hand():
    """The doublet turns with cos(pi J TE): upside down at 144 ms, upright at 288 ms."""
    for echo, sign in ((0.144, -1), (0.288, 1)):
        sequence = resonances.Sequence(first_echo=echo / 2, second_echo=echo / 2)
        spectrum = np.fft.fft(resonances.signals(sequence)["Lac"] * np.exp(-20 * sequence.time))
        ppm = 4.65 - np.fft.fftfreq(sequence.points, sequence.dwell_time) / sequence.frequency
        doublet = spectrum[np.abs(ppm - 1.314) < 0.2].real.sum()
        assert np.sign(doublet) == sign


@pytest.mark.parametrize("name", ["Cr", "PCr", "Ins", "Glu", "Gln", "Lac"])
def test_two_simulations_agree(known, name):
    delays = (SEQUENCE.first_echo / 2, SEQUENCE.echo_time / 2, SEQUENCE.second_echo / 2)
    protocol = Protocol(SEQUENCE.frequency, SEQUENCE.echo_time, "PRESS", delays=delays)
    other = fids(protocol, SEQUENCE.points, SEQUENCE.dwell_time, (name,))[0]
    assert np.linalg.norm(known[name] - other) < 1e-3 * np.linalg.norm(other)
    wrong = fids(Protocol(SEQUENCE.frequency, 0.060, "PRESS"), SEQUENCE.points, SEQUENCE.dwell_time, (name,))[0]
    if name not in ("Cr", "PCr"):
        assert np.linalg.norm(known[name] - wrong) > 0.1 * np.linalg.norm(other)
