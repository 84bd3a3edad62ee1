"""Blood flow by deconvolution against another toolbox, OSIPI's cases, an explicit matrix and known residues."""

import csv
from concurrent.futures import CancelledError

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.perfusion.deconvolution import cbf

SPACING = 1.5


def arterial(frames=80, arrival=20, height=60.0):
    t = np.maximum(np.arange(frames) - arrival, 0) * SPACING / 4
    return height * t**3 * np.exp(3 * (1 - t))


def tissue(flows, transits, delays=0.0, frames=80, noise=0.0, fine=30):
    """Curves ``(time, n)`` of exponential residues; flows in ml/100 ml/min, transits and delays in s."""
    time = np.arange(frames * fine) * SPACING / fine
    inflow = np.interp(time, np.arange(frames) * SPACING, arterial(frames))
    curves = []
    for flow, transit, delay in np.broadcast(flows, transits, delays):
        residue = flow / 6000 * np.exp(-time / transit)
        late = np.interp(time - delay, time, inflow)
        curves.append(np.convolve(late, residue)[: time.size : fine] * SPACING / fine)
    return np.array(curves).T + np.random.default_rng(4).normal(0, noise, (frames, len(curves)))


def test_equals_the_fair_toolbox(reference_data):
    with np.load(reference_data("perfusion/fair_octave_synthetic") / "synthetic_leakage.npz") as data:
        signal = np.moveaxis(data["signal"], -1, 0).astype(float)
        change = -np.log(signal / signal[2:18].mean(axis=0)) / 0.03
        osvd = cbf(change, data["aif"], repetition_time=1.5)
        csvd = cbf(change, data["aif"], repetition_time=1.5, method="csvd")
        # The toolbox divides cSVD by the repetition time, but not oSVD.
        assert np.allclose(osvd.cbf / 6000 * 1.5, data["osvd_fair"], rtol=2e-6)
        assert np.allclose(csvd.cbf / 6000, data["csvd_fair"], rtol=2e-6)
        assert not np.allclose(osvd.cbf / 6000 * 1.5, data["csvd_fair"], rtol=0.05)
    assert osvd.converged.all()


@pytest.mark.parametrize(("method", "mean_error"), [("osvd", 0.16), ("csvd", 0.19)])
def test_osipi_cases(reference_data, method, mean_error):
    with (reference_data("perfusion/OSIPI_DCE-DSC-MRI_CodeCollection") / "dsc_data.csv").open() as file:
        cases = list(csv.DictReader(file))
    assert len(cases) == 14
    errors = []
    for case in cases:
        curve, inflow = (np.array(case[name].split(), dtype=float) for name in ("C_tis", "C_aif"))
        found = cbf(curve[:, None], inflow, repetition_time=float(case["tr"]), method=method)
        flow, volume = float(case["cbf"]), float(case["cbv"])
        assert found.cbf[0] == pytest.approx(flow, abs=15 + 0.1 * flow)  # OSIPI's own tolerances
        assert found.cbv[0] == pytest.approx(volume, abs=1 + 0.1 * volume)
        errors.append(abs(found.cbf[0] / flow - 1))
    assert np.mean(errors) < mean_error


def test_equals_truncated_singular_values_of_the_explicit_matrix():
    inflow, frames = arterial(), 80
    column = np.zeros(2 * frames)
    for n in range(frames + 1):
        around = [inflow[m] if 0 <= m < frames else 0.0 for m in (n - 1, n, n + 1)]
        column[n] = inflow[0] if n == 0 else (around[0] + 4 * around[1] + around[2]) / 6
    matrix = np.array([np.roll(column, shift) for shift in range(2 * frames)]).T
    u, s, v = np.linalg.svd(matrix)
    curves = tissue([20, 60], [5, 3], noise=0.3)
    padded = np.vstack([curves, np.zeros_like(curves)])
    residue = v.T @ (np.where(s >= 0.1 * s[0], 1 / s, 0)[:, None] * (u.T @ padded))
    found = cbf(curves, inflow, repetition_time=SPACING, method="csvd")
    assert np.allclose(found.cbf, 6000 * residue.max(axis=0) / SPACING, rtol=1e-4)


def test_order_volume_and_delay_of_known_residues():
    flows = np.array([10.0, 20, 40, 60])
    curves = tissue(flows, 4.0)
    found = cbf(curves, arterial(), repetition_time=SPACING)
    assert np.all(np.diff(found.cbf) > 0)
    assert np.all((found.cbf > 0.55 * flows) & (found.cbf < 1.05 * flows))  # truncation lowers the peak
    assert np.allclose(found.cbv, 100 * flows / 6000 * 4.0, rtol=0.02)  # central volume theorem
    assert np.allclose(found.mtt * found.cbf / 60, found.cbv, rtol=1e-4)
    delays = np.array([0.0, 3.0, 6.0])
    late = cbf(tissue(40, 4.0, delays), arterial(), repetition_time=SPACING)
    assert np.allclose(late.cbf, late.cbf[0], rtol=0.1)
    assert np.allclose(late.tmax - late.tmax[0], delays, atol=SPACING)
    early = cbf(tissue(40, 4.0), np.roll(arterial(), 4), repetition_time=SPACING)
    assert early.tmax[0] < 0


def test_factor_mask_and_missing_values():
    curves = tissue([20, 30, 40], 4.0)
    curves[5, 1] = np.nan
    mask = np.array([True, True, False])
    found = cbf(curves, arterial(), repetition_time=SPACING, mask=mask, factor=0.73 / 1.04)
    assert found.cbf[0] == pytest.approx(cbf(curves, arterial(), repetition_time=SPACING).cbf[0] * 0.73 / 1.04)
    assert np.isnan(found.cbf[1:]).all()
    assert np.isnan(found.cbv[1:]).all()
    assert not found.converged[1:].any()
    empty = cbf(np.zeros((80, 2)), arterial(), repetition_time=SPACING)
    assert np.isnan(empty.mtt).all()
    assert not empty.converged.any()


def test_bad_input_is_named(code_of):
    curves = tissue([20], 4.0)
    assert code_of(cbf, curves, arterial(), repetition_time=SPACING, method="magic") == "perfusion_option"
    assert code_of(cbf, curves, arterial(), repetition_time=1500) == "dsc_repetition_time"
    assert code_of(cbf, curves, arterial()[:-1], repetition_time=SPACING) == "deconvolution_shape"
    assert code_of(cbf, curves, 0 * arterial(), repetition_time=SPACING) == "deconvolution_arterial_input"
    assert code_of(cbf, curves, np.full(80, np.nan), repetition_time=SPACING) == "deconvolution_arterial_input"
    with pytest.raises(CancelledError):
        cbf(curves, arterial(), repetition_time=SPACING, cancelled=lambda: True)
