"""Fits that tell how far a registration can be trusted: one that failed is no agreement."""

from types import SimpleNamespace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging.search import apart
from PseudoProgressionAnalyzerLib.imaging.spread import spread

POINTS = np.random.default_rng(0).uniform(-60, 60, (50, 3))
CENTRE = np.zeros(3)


class Looks:
    """Heads whose fits end at the result, moved by ``by`` mm along x; those of ``failing`` (None: the whole) fail."""

    def __init__(self, failing=(), by=0.5, half=None):
        self.failing, self.by, self.half = failing, by, half

    def narrowed(self, samples, half=None):
        return Looks(self.failing, self.by, None if half is None else tuple(half[1]))

    def register(self, start, centre, watch, seed, *, correlate=False):
        if (self.half, correlate) in self.failing:
            return np.inf, start
        end = np.eye(4)
        end[0, 3] = self.by
        return -1.0, end


WATCH = SimpleNamespace(parallel=lambda work, items, begin, end: [work(item) for item in items])


@pytest.mark.parametrize(
    ("failing", "unknown"),
    [((None, False), "starts"), ((None, True), "metrics"), (((0.0, -1.0, 0.0), False), "halves")],
)
def test_a_fit_that_failed_is_not_agreement(failing, unknown):
    found = spread(Looks([failing]), np.eye(4), CENTRE, POINTS, WATCH, 0.0, 1.0)
    assert {kind for kind, value in found.items() if np.isinf(value)} == {unknown}
    known = {"starts": 0.5, "metrics": 0.5, "halves": 0.0}
    assert all(value == pytest.approx(known[kind]) for kind, value in found.items() if kind != unknown)


def test_a_fit_that_took_no_step_is_not_agreement(monkeypatch):
    monkeypatch.setattr(Looks, "register", lambda looks, start, *rest, **options: (-1.0, start))
    assert set(spread(Looks(), np.eye(4), CENTRE, POINTS, WATCH, 0.0, 1.0).values()) == {np.inf}


def test_displacements_by_hand():
    found = spread(Looks(), np.eye(4), CENTRE, POINTS, WATCH, 0.0, 1.0)
    assert found == {"starts": pytest.approx(0.5), "metrics": pytest.approx(0.5), "halves": pytest.approx(0)}
    assert apart((np.inf, np.eye(4)), (-1.0, np.eye(4)), POINTS) == np.inf
