"""Spectra of visits in the job: a grid whose left half is tumour and right half white matter, amounts known."""

import copy
import sys
from concurrent.futures import CancelledError
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis import Analysis, fitting_spectra, mean_spectra
from PseudoProgressionAnalyzerLib.analysis.fitting_spectra import fit_region_spectra, fit_spectra
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.cases.spectra import write
from PseudoProgressionAnalyzerLib.measures import Image, InputError, Patient, Region, Series, Visit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spectroscopy"))
import truth

SIDE, ROWS, SIZE = 4, 3, 10.0  # voxels along i and j, mm
GRID = np.diag([SIZE, SIZE, SIZE, 1.0])
FINE = 5  # anatomical voxels of 2 mm along each edge of a spectroscopic one
ANATOMY = np.diag([SIZE / FINE] * 3 + [1.0])
ANATOMY[:3, 3] = -SIZE / 2 + SIZE / FINE / 2
SHAPE = (FINE, ROWS * FINE, SIDE * FINE)


def simulated(naa, seed):
    """Spectra (1, ROWS, SIDE) and true amounts of both tissues; naa: factor on the tumour's NAA."""
    tumour, held = truth.spectra("tumour", 123.2, 0.030, 40, ROWS * SIDE // 2, seed, naa=naa)
    white, normal = truth.spectra("white", 123.2, 0.030, 40, ROWS * SIDE // 2, seed + 1)
    fid = np.empty((1, ROWS, SIDE, tumour.fid.shape[-1]), np.complex64)
    fid[:, :, : SIDE // 2] = tumour.fid.reshape(1, ROWS, SIDE // 2, -1)
    fid[:, :, SIDE // 2 :] = white.fid.reshape(1, ROWS, SIDE // 2, -1)
    return replace(tumour, fid=fid, affine=GRID), held, normal


def half(first, last):
    """A mask over columns first to last (in spectroscopic voxels) of the anatomy."""
    mask = np.zeros(SHAPE, bool)
    mask[:, :, round(first * FINE) : round(last * FINE)] = True
    return Image(mask, ANATOMY)


def two_visits(role="MRSI"):
    """The analysis of visits a and b as far as it is before their spectra are fitted."""
    visits = [Visit(name, None, [Series("T1CE", Path()), Series(role, Path(name))]) for name in "ab"]
    regions = [Region("lesion", name, "lesion", Path()) for name in "ab"]
    analysis = Analysis(Patient("p", visits, [], regions), reference_visit="a")
    for name in "ab":
        analysis.visit_to_reference[name] = np.eye(4)
        analysis.images[name, "T1CE"] = Image(np.zeros(SHAPE), ANATOMY)
        analysis.brains[name] = np.ones(SHAPE, bool)
        analysis.regions[name, "lesion"] = half(0, 2)
        analysis.references[name] = half(2, 4)
    return analysis


def fitted(analysis, spectra, monkeypatch):
    monkeypatch.setattr(fitting_spectra, "read_spectra", lambda series: spectra[str(series.path)])
    for name in "ab":
        fit_spectra(analysis, name)
        fit_region_spectra(analysis, name)
    measure_visits(analysis)
    return analysis


def row(analysis, visit, name, compared_to=""):
    (found,) = [r for r in analysis.measurements if (r.visit, r.name, r.compared_to) == (visit, name, compared_to)]
    return found


def codes(measurement):
    return {flag.code for flag in measurement.flags}


@pytest.fixture(scope="module")
def both_fitted():
    """Both visits fitted: in the second the tumour's NAA has doubled."""
    first, held, normal = simulated(1.0, 21)
    second, later, _ = simulated(2.0, 31)
    spectra = {"a": first, "b": second}
    with pytest.MonkeyPatch.context() as patch:
        return fitted(two_visits(), spectra, patch), held, later, normal, spectra


@pytest.fixture
def job(both_fitted):
    """The same, with lists and dictionaries of its own that a test may change."""
    analysis, *rest = both_fitted
    return replace(analysis, **{one.name: copy.copy(getattr(analysis, one.name)) for one in fields(analysis)}), *rest


def test_ratios_in_the_lesion(job):
    analysis, held, _, normal, _ = job
    molar = row(analysis, "a", "Cho_NAA_molar")
    assert molar.value == pytest.approx(held["tCho"] / held["tNAA"], rel=0.08)
    assert molar.low < molar.value < molar.high and molar.unit == "1"
    assert row(analysis, "a", "Cho_NAA_area").value == pytest.approx(3 * molar.value)
    assert row(analysis, "a", "Cho_Cr_molar").value == pytest.approx(held["tCho"] / held["tCr"], rel=0.08)
    index = row(analysis, "a", "Cho_index_molar")
    assert index.value == pytest.approx(molar.value / (1 + molar.value))
    ratio = row(analysis, "a", "Cho_NAA_ratio")
    true = held["tCho"] / held["tNAA"] / (normal["tCho"] / normal["tNAA"])
    assert ratio.value == pytest.approx(true, rel=0.1) and ratio.reference == "contralateral white matter"
    crossed = 3 * held["tCho"] / normal["tCr"]
    assert row(analysis, "a", "Cho_nCr_area").value == pytest.approx(crossed, rel=0.1)


def test_a_ratio_of_sums_not_the_mean_of_the_map(job):
    analysis = job[0]
    found, values = analysis.spectra_fits["a", "MRSI"], analysis.maps["a", "Cho_NAA_molar"]
    inside = found.accepted[0, :, :2]
    sums = [found.amplitude(name)[0, :, :2][inside].sum() for name in ("tCho", "tNAA")]
    assert row(analysis, "a", "Cho_NAA_molar").value == pytest.approx(sums[0] / sums[1])
    assert values.array[0, :, :2].mean() != pytest.approx(sums[0] / sums[1], rel=1e-4)


def test_maps_with_quality_and_bounds(job):
    analysis = job[0]
    values, found = analysis.maps["a", "Cho_NAA_molar"], analysis.spectra_fits["a", "MRSI"]
    assert np.array_equal(values.quality, found.accepted) and values.quality.mean() > 0.9
    ratio = found.ratio("tCho", "tNAA")
    held = np.where(np.isfinite(ratio.value), ratio.value, ratio.low)[found.accepted]
    assert np.allclose(values.array[found.accepted], held)
    assert values.array[0, :, :2].mean() > 2 * values.array[0, :, 2:].mean()
    assert "TE 30 ms" in values.method
    assert {"Cho_Cr_molar", "NAA_Cr_molar", "Cho_index_molar"} <= {name for _, name in analysis.maps}


def test_the_mean_spectrum_agrees_and_is_forgotten_with_its_region(job):
    analysis, held, *_ = job
    mean = row(analysis, "a", "Cho_NAA_molar_mean_spectrum")
    assert mean.value == pytest.approx(held["tCho"] / held["tNAA"], rel=0.1)
    assert analysis.region_spectra["a", "a", "lesion"].snr.item() > np.median(analysis.spectra_fits["a", "MRSI"].snr)
    assert ("a", "a", "") in analysis.region_spectra


def test_the_mean_spectrum_of_a_changed_region_waits_and_follows(job, monkeypatch):
    """As after a stroke: its fit was dropped, its rows say that they wait, then they come back as they were."""
    before = job[0]
    key, name = ("a", "a", "lesion"), "Cho_NAA_molar_mean_spectrum"
    monkeypatch.setattr(mean_spectra, "read_spectra", lambda series: job[4][str(series.path)])
    finished = {("step_region_spectra", "a"), ("step_region_spectra", "b")}
    analysis = replace(
        before, region_spectra=dict(before.region_spectra), measurements=list(before.measurements), finished=finished
    )
    assert not mean_spectra.follow_mean_spectra(analysis)  # nothing changed
    del analysis.region_spectra[key]
    finished.discard(("step_region_spectra", "a"))
    measure_visits(analysis)
    waiting = row(analysis, "a", name)
    assert waiting.value is None and [flag.code for flag in waiting.flags] == ["spectra_mean_waiting"]
    assert mean_spectra.waiting(analysis) == [key]
    with pytest.raises(CancelledError):
        mean_spectra.follow_mean_spectra(analysis, lambda: True)
    assert mean_spectra.waiting(analysis) == [key]
    assert mean_spectra.follow_mean_spectra(analysis)
    assert row(analysis, "a", name).value == pytest.approx(row(before, "a", name).value)
    assert mean_spectra.waiting(analysis) == [] and key in analysis.region_spectra
    assert row(analysis, "b", name, "a").value == pytest.approx(row(before, "b", name, "a").value)


def test_change_as_log_ratio(job):
    analysis, held, later, *_ = job
    change = row(analysis, "b", "Cho_NAA_molar_percent", "a")
    true = 100 * (later["tCho"] / later["tNAA"] / (held["tCho"] / held["tNAA"]) - 1)
    assert true == pytest.approx(-50) and change.low < true < change.high
    assert change.method.startswith("log ratio -0.") and "standard error" in change.method


def test_another_echo_time_is_refused_and_another_sequence_said(job):
    analysis = job[0]
    again = replace(analysis, spectra_fits=dict(analysis.spectra_fits))
    found = analysis.spectra_fits["b", "MRSI"]
    for protocol, refused, code in (
        (replace(found.protocol, echo_time=0.135), True, "spectra_echo_times_differ"),
        (replace(found.protocol, frequency=64.0), True, "spectra_fields_differ"),
        (replace(found.protocol, sequence="STEAM"), False, "spectra_sequences_differ"),
    ):
        again.spectra_fits["b", "MRSI"] = replace(found, protocol=protocol)
        measure_visits(again)
        change = row(again, "b", "Cho_NAA_molar_percent", "a")
        assert (change.value is None) == refused and code in codes(change)
    again.spectra_fits["b", "MRSI"] = replace(found, protocol=replace(found.protocol, echo_time=0.135))
    measure_visits(again)
    unsuited = row(again, "b", "Ins_Cr_molar")
    assert unsuited.value is None and "spectra_echo_time_unsuited" in codes(unsuited)
    assert row(again, "b", "Lac_Cr_molar").value is not None


def test_a_region_without_accepted_voxels_is_absent_with_its_reason(job):
    analysis = job[0]
    found = analysis.spectra_fits["a", "MRSI"]
    poor = replace(analysis, spectra_fits={("a", "MRSI"): replace(found, accepted=np.zeros_like(found.accepted))})
    measure_visits(poor)
    assert row(poor, "a", "Cho_NAA_molar").value is None
    assert "spectra_region_empty" in codes(row(poor, "a", "Cho_NAA_molar"))


def test_a_region_that_reaches_beyond_the_grid_says_so(job):
    """The grid is one slab: a lesion twice as high lies in it by half."""
    analysis = job[0]
    high = Image(np.concatenate([half(0, 2).array] * 2), ANATOMY)
    beyond = replace(analysis, regions={("a", "lesion"): high})
    measure_visits(beyond)
    inside, reaching = row(analysis, "a", "Cho_NAA_molar"), row(beyond, "a", "Cho_NAA_molar")
    assert reaching.value == pytest.approx(inside.value)
    said = [flag.parameters for flag in reaching.flags if flag.code == "spectra_region_beyond"]
    assert said == [{"percent": 50}] and "spectra_region_beyond" not in codes(inside)


def test_undetected_naa_leaves_a_bound(job):
    analysis = job[0]
    found = analysis.spectra_fits["a", "MRSI"]
    amplitudes = found.amplitudes.copy()
    amplitudes[..., [found.names.index("NAA"), found.names.index("NAAG")]] = 0
    none = replace(analysis, spectra_fits={("a", "MRSI"): replace(found, amplitudes=amplitudes)}, region_spectra={})
    measure_visits(none)
    bound = row(none, "a", "Cho_NAA_molar")
    assert bound.value is None and bound.low > 1 and bound.high is None
    assert "spectra_not_detected" in codes(bound)
    assert row(none, "a", "Cho_index_molar").value == 1
    fitting_spectra._add_maps(none, "a", none.spectra_fits["a", "MRSI"])
    shown = none.maps["a", "Cho_NAA_molar"]
    assert np.isfinite(shown.array[found.accepted]).all() and "spectra_bounds_in_map" in {f.code for f in shown.flags}


def test_maps_hold_bounds_and_nothing_where_nothing_is_known(job):
    """Choline gone in one voxel, NAA in a second, both in a third: upper bound, lower bound, no number."""
    analysis = job[0]
    found = analysis.spectra_fits["a", "MRSI"]
    places = [tuple(place) for place in np.argwhere(found.accepted)[:3]]
    amplitudes = found.amplitudes.copy()
    for place, gone in zip(places, (("GPC", "PCh"), ("NAA", "NAAG"), ("GPC", "PCh", "NAA", "NAAG")), strict=True):
        amplitudes[place][[found.names.index(name) for name in gone]] = 0
    changed = replace(found, amplitudes=amplitudes)
    analysis = replace(
        analysis, maps=dict(analysis.maps), spectra_fits=analysis.spectra_fits | {("a", "MRSI"): changed}
    )
    fitting_spectra._add_maps(analysis, "a", changed)
    shown, ratio = analysis.maps["a", "Cho_NAA_molar"], changed.ratio("tCho", "tNAA")
    no_choline, no_naa, neither = places
    assert shown.array[no_choline] == pytest.approx(ratio.high[no_choline]) and shown.array[no_choline] > 0
    assert shown.array[no_naa] == pytest.approx(ratio.low[no_naa]) and shown.array[no_naa] > 0
    assert np.isnan(shown.array[neither]) and not shown.quality[neither]
    said = {flag.code: flag.parameters for flag in shown.flags}
    assert said["spectra_bounds_in_map"]["count"] == said["spectra_upper_bounds_in_map"]["count"] == 1
    index = analysis.maps["a", "Cho_index_molar"]
    assert index.array[no_naa] == 1 and np.isnan(index.array[no_choline]) and np.isnan(index.array[neither])


def test_a_single_voxel_stands_for_the_region_that_its_box_lies_in(monkeypatch):
    spectra, held, _ = simulated(1.0, 41)
    box = np.diag([20.0, 20.0, 10.0, 1.0])
    box[:3, 3] = 5.0, 5.0, 0.0  # over columns 0 and 1, rows 0 and 1
    single = replace(spectra, fid=spectra.fid[:, :1, :1], affine=box)
    aside = box.copy()
    aside[0, 3] = 18.0  # most of it beside the lesion
    both = {"a": single, "b": replace(single, affine=aside)}
    analysis = fitted(two_visits("MRS"), both, monkeypatch)
    inside = row(analysis, "a", "Cho_NAA_molar")
    assert inside.value == pytest.approx(held["tCho"] / held["tNAA"], rel=0.15)
    (said,) = [flag for flag in inside.flags if flag.code == "spectra_box"]
    assert said.parameters == {"volume": 4.0, "percent": 100, "share": 67}
    outside = row(analysis, "b", "Cho_NAA_molar")
    assert outside.value is None and {"spectra_box", "spectra_box_outside"} <= codes(outside)


def test_what_cannot_be_fitted_is_a_warning(monkeypatch):
    spectra, _, _ = simulated(1.0, 51)
    both = {"a": replace(spectra, echo_time=None), "b": replace(spectra, affine=GRID.copy())}
    both["b"].affine[:3, 3] = 500.0  # far from the head
    analysis = fitted(two_visits(), both, monkeypatch)
    assert not analysis.spectra_fits and not any(r.name.startswith("Cho") for r in analysis.measurements)
    assert [message.code for message in analysis.messages["a"]] == ["spectra_echo_time_missing"]
    assert [message.code for message in analysis.messages["b"]] == ["spectra_outside_brain"]


def test_a_lesion_outside_of_the_brain_that_was_found_is_fitted(monkeypatch):
    spectra, _, _ = simulated(1.0, 71)
    analysis = two_visits()
    analysis.brains["a"] = half(3, 4).array
    monkeypatch.setattr(fitting_spectra, "read_spectra", lambda series: spectra)
    fit_spectra(analysis, "a")
    fitted_columns = np.isfinite(analysis.spectra_fits["a", "MRSI"].snr).all(axis=(0, 1))
    assert fitted_columns.tolist() == [True, True, False, True]


def test_mean_spectra_without_their_file_are_a_warning(job, monkeypatch):
    def missing(series):
        raise InputError("file_missing", file="x")

    analysis = replace(job[0], region_spectra={}, messages={})
    monkeypatch.setattr(fitting_spectra, "read_spectra", missing)
    fit_region_spectra(analysis, "a")
    assert not analysis.region_spectra and [m.code for m in analysis.messages["a"]] == ["file_missing"]


def test_what_is_wrong_with_voxels_reaches_the_table(job):
    """Fluid, fat and voxels left out of the lesion are said in its row, in the file that others read, with a value."""
    found = job[0].spectra_fits["a", "MRSI"]
    amplitudes, accepted = found.amplitudes.copy(), found.accepted.copy()
    amplitudes[0, 0, 0] *= 0.2
    amplitudes[0, 1, 0][found.names.index("Lip13a")] = 50 * found.singlets[0, 1, 0]
    accepted[0, 2, 0] = False
    changed = replace(found, amplitudes=amplitudes, accepted=accepted)
    analysis = replace(job[0], spectra_fits=job[0].spectra_fits | {("a", "MRSI"): changed}, measurements=[])
    measure_visits(analysis)
    said = {"spectra_dilute", "spectra_lipids", "spectra_voxels_left_out"}
    for name in ("Cho_NAA_molar", "Lac_Cr_molar", "Lip13Lac_Cr_molar", "Ins_Cr_molar", "Glx_Cr_molar"):
        assert said <= codes(row(analysis, "a", name)) and not said & codes(row(job[0], "a", name))
        assert row(analysis, "a", name).value is not None


def test_a_stop_is_heard(monkeypatch):
    spectra, _, _ = simulated(1.0, 61)
    monkeypatch.setattr(fitting_spectra, "read_spectra", lambda series: spectra)
    analysis = two_visits()
    with pytest.raises(CancelledError):
        fit_spectra(analysis, "a", cancelled=lambda: True)
    assert not analysis.spectra_fits


def test_remarks_of_a_file_do_not_tell_where_the_patient_lies(tmp_path):
    random = np.random.default_rng(1)
    noise = random.normal(size=(1, 2, 2, 512)) + 1j * random.normal(size=(1, 2, 2, 512))
    path = tmp_path / "Jane Doe" / "2023-05-08" / "MRSI.nii.gz"
    path.parent.mkdir(parents=True)
    write(path, noise.astype(np.complex64), GRID, True)
    (flag,) = fitting_spectra.read_spectra(Series("MRSI", path)).flags
    assert flag.code == "spectra_axis_unknown" and flag.parameters["file"] == "2023-05-08/MRSI.nii.gz"


def test_a_single_voxel_without_water_says_so(tmp_path):
    spectra, _, _ = simulated(1.0, 61)
    water = 1e4 * np.exp(-20 * np.arange(spectra.fid.shape[-1]) * spectra.dwell_time).astype(np.complex64)
    for name, size, beside, wanted in (
        ("MRS", 1, False, {"spectra_no_water"}), ("MRS", 1, True, set()), ("MRSI", 2, False, set())
    ):  # fmt: skip
        folder = tmp_path / f"{name}{beside}"
        folder.mkdir()
        fid = spectra.fid[:, :size, :size]
        write(folder / f"{name}.nii.gz", fid, GRID, True)
        if beside:
            write(folder / f"{name}_water.nii.gz", np.broadcast_to(water, fid.shape), GRID, False)
        found = fitting_spectra.read_spectra(Series(name, folder / f"{name}.nii.gz"))
        assert {flag.code for flag in found.flags} - {"spectra_axis_unknown"} == wanted
