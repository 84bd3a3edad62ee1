"""Mean spectra of what was drawn never wait for ever: who judges at once has them fitted too."""

from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import mean_spectra
from PseudoProgressionAnalyzerLib.measures import Image, Series
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, patient_node
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_of
from PseudoProgressionAnalyzerLib.spectroscopy import Fit
from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol

FIRST = "2023-01-10"
NAMES = ("NAA", "NAAG", "GPC", "PCh", "Cr", "PCr")


def fit_of(shape):
    """A fit in which all amounts are 1, over all of the head."""
    numbers = {name: np.full(shape, 0.1) for name in ("fwhm", "residual", "shift", "phase")}
    return Fit(
        NAMES,
        Protocol(123.25, 0.030),
        np.diag([48.0, 48, 40, 1]),
        np.linspace(0.2, 4.0, 11),
        accepted=np.ones(shape, bool),
        flags=(),
        amplitudes=np.ones((*shape, len(NAMES))),
        covariances=np.full((*shape, len(NAMES), len(NAMES)), 0.01) * np.eye(len(NAMES)),
        spectra=np.ones((*shape, 3, 11)),
        snr=np.full(shape, 30.0),
        **numbers,
    )


@pytest.mark.parametrize(
    "judge", [lambda session: session.settle(), lambda session: session.set_prior((0.6, 0.5, 0.7))]
)
def test_judging_at_once_fits_them(session, grown, monkeypatch, judge):
    session.compute()
    analysis = session.analysis
    analysis.patient.visit(FIRST).series.append(Series("MRSI", Path("spectra")))
    analysis.spectra_fits[FIRST, "MRSI"] = fit_of((1, 2, 2))
    analysis.series_to_visit[FIRST, "MRSI"] = np.eye(4)
    mean = {(FIRST, FIRST, "lesion"): fit_of((1, 1, 1))}
    monkeypatch.setattr(mean_spectra, "read_spectra", lambda series: None)
    monkeypatch.setattr(mean_spectra, "fit_means", lambda *arguments, **options: mean)
    before, node = analysis.regions[FIRST, "lesion"], find(patient_node(session.application.scene), Kind.LESION, FIRST)
    put_segment(node, "lesion", "lesion", Image(grown(before.array), before.affine))
    session.remeasure(node, segment_of(node, "lesion"))
    assert mean_spectra.waiting(analysis) == list(mean)
    judge(session)
    assert not session.unsettled and mean_spectra.waiting(analysis) == []
    rows = [row for row in analysis.measurements if row.name == "Cho_NAA_molar_mean_spectrum"]
    assert [row.value for row in rows if row.visit == FIRST and row.kind == "own"] == [pytest.approx(1.0)]
