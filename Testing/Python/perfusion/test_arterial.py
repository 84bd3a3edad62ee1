"""The automatic arterial input against a phantom whose vessels are known."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.perfusion.arterial import ArterialInput, arterial_doubts, arterial_input
from PseudoProgressionAnalyzerLib.perfusion.curves import relaxation_change
from PseudoProgressionAnalyzerLib.perfusion.deconvolution import cbf
from PseudoProgressionAnalyzerLib.perfusion.dsc import relative_cbv


@pytest.fixture(scope="module", params=[30, 100])
def scan(phantom, request):
    one = phantom.phantom(request.param, flip_angle=30, seed=request.param)
    maps = relative_cbv(one.signal, echo_time=one.echo_time, repetition_time=one.spacing, brain_mask=one.labels > 0)
    return one, maps


def test_vessels_are_found_among_bright_lesions(scan):
    one, maps = scan
    found = arterial_input(one.signal, echo_time=one.echo_time, frames=maps.frames, brain_mask=one.labels > 0)
    assert np.all(one.labels[found.mask] == 4)
    assert found.mask.sum() >= 5
    assert np.corrcoef(found.curve, one.arterial)[0, 1] > 0.96
    grey = relaxation_change(one.signal[:, one.labels == 2], maps.frames, one.echo_time).mean(axis=1)
    assert np.corrcoef(grey, one.arterial)[0, 1] < 0.9  # what a wrong choice would look like


def test_flow_with_the_found_input_has_the_right_ratio(scan):
    one, maps = scan
    inflow = arterial_input(one.signal, echo_time=one.echo_time, frames=maps.frames, brain_mask=one.labels > 0)
    change = relaxation_change(one.signal, maps.frames, one.echo_time)
    flow = cbf(change, inflow.curve, repetition_time=one.spacing, mask=np.isin(one.labels, (1, 2))).cbf
    ratio = np.median(flow[one.labels == 2]) / np.median(flow[one.labels == 1])
    truth = np.median(one.flow[one.labels == 2]) / np.median(one.flow[one.labels == 1])
    assert ratio == pytest.approx(truth, rel=0.15)


def test_given_voxels_are_averaged(scan):
    one, maps = scan
    mask = one.labels == 4
    found = arterial_input(one.signal, echo_time=one.echo_time, frames=maps.frames, mask=mask)
    change = relaxation_change(one.signal, maps.frames, one.echo_time)
    assert np.allclose(found.curve, change[:, mask].mean(axis=1))
    assert np.array_equal(found.mask, mask)


def test_brain_without_contrast_has_no_artery(scan, code_of):
    one, maps = scan
    options = {"echo_time": one.echo_time, "frames": maps.frames}
    assert code_of(arterial_input, one.signal, brain_mask=np.zeros(one.labels.shape, bool), **options) == (
        "arterial_not_found"
    )
    assert code_of(arterial_input, np.zeros_like(one.signal), mask=one.labels == 4, **options) == "arterial_not_found"
    assert code_of(arterial_input, one.signal, echo_time=30, frames=maps.frames) == "dsc_echo_time"


def test_a_found_artery_is_trusted_and_tissue_is_not(scan):
    """Lesions, grey matter, a late vein and a faint vessel must all be refused, each for its reason."""
    one, maps = scan
    options = {"echo_time": one.echo_time, "frames": maps.frames}
    found = arterial_input(one.signal, brain_mask=one.labels > 0, **options)
    assert arterial_doubts(found, maps.reference_curve, maps.frames) == ()

    def codes(curve):
        made = ArterialInput(curve, found.mask, found.flags)
        return {flag.code for flag in arterial_doubts(made, maps.reference_curve, maps.frames)}

    grey = arterial_input(one.signal, mask=one.labels == 2, **options).curve
    assert "arterial_low" in codes(grey)
    assert codes(np.roll(found.curve, 4)) == {"arterial_late"}
    assert codes(0.3 * found.curve) == {"arterial_low"}
    wide = np.convolve(found.curve, np.ones(12) / 12)[: found.curve.size]
    assert "arterial_broad" in codes(wide)
    single = np.zeros(one.labels.shape, bool)
    single[tuple(np.argwhere(one.labels == 4)[0])] = True
    alone = arterial_input(one.signal, mask=single, **options)
    assert "arterial_few_voxels" in {flag.code for flag in arterial_doubts(alone, maps.reference_curve, maps.frames)}
