"""Regions and change between visits where both are known."""

import json
from dataclasses import replace

import numpy as np
import pytest
import truth

from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.spectroscopy import fit
from PseudoProgressionAnalyzerLib.spectroscopy.packing import pack, unpack
from PseudoProgressionAnalyzerLib.spectroscopy.regions import change, comparable, mean_spectrum, ratio, sums
from PseudoProgressionAnalyzerLib.spectroscopy.spins import WIDTHS
from PseudoProgressionAnalyzerLib.spectroscopy.water import early_points, remove_water

SIDE, SIZE = 6, 10.0  # voxels along a side, mm


def visit(naa, offset, degrees, seed):
    """A grid laid over a round lesion of 44 mm in white matter: fit, overlap with the lesion, true Cho/NAA of it."""
    inside, amounts = truth.spectra("tumour", 123.2, 0.030, 1e6, 1, seed, naa=naa)
    outside, _ = truth.spectra("white", 123.2, 0.030, 1e6, 1, seed)
    fine = (np.arange(10) + 0.5) / 10 - 0.5
    index = np.arange(SIDE) - (SIDE - 1) / 2
    x = (index[None, :, None, None] + fine[None, None, None, :]) * SIZE + offset[0]
    y = (index[:, None, None, None] + fine[None, None, :, None]) * SIZE + offset[1]
    turn = np.radians(degrees)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    overlap = (x**2 + y**2 < 22**2).mean(axis=(2, 3))[None]
    clean = overlap[..., None] * inside.fid[0, 0, 0] + (1 - overlap[..., None]) * outside.fid[0, 0, 0] * np.exp(
        1j * (np.angle(inside.fid[0, 0, 0, 0]) - np.angle(outside.fid[0, 0, 0, 0]))
    )
    random = np.random.default_rng(seed)
    size = np.abs(np.fft.fft(outside.fid[0, 0, 0])).max() / 30 / 32
    noise = random.normal(size=(2, *clean.shape))
    spectra = replace(inside, fid=(clean + size * (noise[0] + 1j * noise[1])).astype(np.complex64))
    return spectra, fit(spectra), overlap, amounts["tCho"] / amounts["tNAA"]


@pytest.fixture(scope="module")
def first():
    return visit(1.0, (0.0, 0.0), 0.0, 11)


@pytest.mark.parametrize(("factor", "seed"), [(1.5, 12), (1.0, 13), (0.7, 14)])
def test_changes_are_recovered_on_shifted_and_turned_grids(first, factor, seed):
    _, later, overlap, _ = visit(1 / factor, (3.0, -2.0), 12.0, seed)
    one, two = ratio(first[1], "tCho", "tNAA", first[2]), ratio(later, "tCho", "tNAA", overlap)
    found = change(one, two)
    assert found.value == pytest.approx(factor, rel=0.15)
    assert found.low < factor < found.high
    assert not found.low < factor * 1.5 < found.high and not found.low < factor / 1.5 < found.high
    assert found.value == pytest.approx(two.value / one.value)
    if factor != 1:
        assert not found.low < 1 < found.high
    assert comparable(first[1], later) == []


def test_ratio_of_sums_and_not_mean_of_ratios(first):
    _, found, overlap, true = first
    region = ratio(found, "tCho", "tNAA", overlap)
    counted = overlap >= 0.9
    assert region.voxels == counted.sum() > 4
    sums = [found.amplitude(name)[counted] @ overlap[counted] for name in ("tCho", "tNAA")]
    assert region.value == pytest.approx(sums[0] / sums[1])
    assert region.value == pytest.approx(true, rel=0.12)
    assert region.low < region.value < region.high
    one = ratio(found, "tCho", "tNAA", overlap * (np.arange(SIDE) == 2))
    assert one.high / one.low > region.high / region.low  # fewer voxels, wider interval
    area = ratio(found, "tCho", "tNAA", overlap, kind="area")
    assert area.value == pytest.approx(3 * region.value)


def test_noise_averages_out_and_what_voxels_have_in_common_does_not():
    """Voxels of one line and baseline that differ by their noise alone: these scatter by what is not common, and more
    of them do not make the common part smaller."""
    clean, _ = truth.spectra("tumour", 123.2, 0.030, 1e6, 1, seed=21)
    random, voxels = np.random.default_rng(22), 48
    size = np.abs(np.fft.fft(clean.fid[0, 0, 0])).max() / 30 / 32
    noise = size * random.normal(size=(voxels, clean.fid.shape[-1], 2)) @ [1, 1j]
    found = fit(replace(clean, fid=(clean.fid[0] + noise)[None].astype(np.complex64)), widths=WIDTHS)
    for name in ("tNAA", "tCho", "tCr"):
        weights = found.weights(name)
        whole, common = (np.median(weights @ part[0, 0] @ weights) for part in (found.covariances, found.common))
        assert 0.03 * whole < common < 0.9 * whole
        scatter = np.var(found.amplitude(name))
        assert scatter < whole
        if name != "tNAA":  # under NAA lie macromolecules, of which what is expected counts as each voxel's own
            # A variance of 48 values is known to a fifth; the non-linear fit adds a little of its own.
            assert scatter == pytest.approx(whole - common, rel=0.6)
    share = np.ones(found.shape)
    few, many = (sums(found, share * (np.arange(voxels) < count)) for count in (6, voxels))
    of = found.weights("tNAA")
    floor, scatter = (np.mean(part[0, 0] @ of @ of) for part in (found.common, found.covariances - found.common))
    assert floor < of @ many.covariances @ of < of @ few.covariances @ of
    assert of @ many.covariances @ of == pytest.approx(floor + scatter / voxels)
    unknown = ratio(replace(found, common=None), "tCho", "tNAA", share)
    known = ratio(found, "tCho", "tNAA", share)
    assert unknown.high - unknown.low < 0.8 * (known.high - known.low)


def test_mean_spectrum_has_less_noise(first):
    spectra, found, overlap, true = first
    weight = np.where(overlap >= 0.9, overlap, 0)
    mean = mean_spectrum(spectra, found, weight)
    assert mean.shape == (1, 1, 1)
    together = fit(mean)
    assert together.ratio("tCho", "tNAA").value.item() == pytest.approx(true, rel=0.12)
    assert together.snr.item() > 1.5 * np.median(found.snr[weight > 0])


def test_mean_spectrum_is_as_unsure_as_the_widths_it_is_fitted_with(first):
    """With the widths that the grid learned its interval is no narrower than what these leave unsure in each voxel."""
    spectra, found, overlap, true = first
    mean = mean_spectrum(spectra, found, np.where(overlap >= 0.9, overlap, 0))
    sure = fit(mean, widths=found.widths).ratio("tCho", "tNAA")
    ratio = fit(mean, widths=found.widths, width_errors=found.width_errors).ratio("tCho", "tNAA")
    assert ratio.value == sure.value and ratio.low < sure.low and ratio.high > sure.high
    assert ratio.low.item() < true < ratio.high.item()
    place = [found.names.index(name) for name in ("GPC", "NAA")]
    spread = np.sqrt(np.array([1, -1]) @ found.width_errors[np.ix_(place, place)] @ np.array([1, -1]))
    assert 0.05 < spread < 0.6  # Hz between choline and NAA: learned, and known better than what was expected of it


def test_small_regions_and_refusals(first):
    _, found, overlap, _ = first
    edge = np.where((overlap > 0) & (overlap < 0.9), overlap, 0)
    assert "spectra_partial_volume" in {flag.code for flag in ratio(found, "tCho", "tNAA", edge).flags}
    with pytest.raises(InputError, match="spectra_region_empty"):
        ratio(found, "tCho", "tNAA", 0 * overlap)
    with pytest.raises(InputError, match="spectra_overlap_shape"):
        ratio(found, "tCho", "tNAA", overlap[:, :3])
    poor = replace(found, accepted=np.zeros_like(found.accepted))
    with pytest.raises(InputError, match="spectra_region_empty"):
        ratio(poor, "tCho", "tNAA", overlap)


def test_voxels_of_fluid_and_fat_and_poor_ones_are_flagged(first):
    """Amplitudes changed by hand in one voxel that counts: the region says so, and only then."""
    _, found, overlap, _ = first
    inside = np.argwhere((overlap >= 0.9) & found.accepted)
    one, plain = tuple(inside[0]), ratio(found, "tCho", "tNAA", overlap)
    tissue = {"spectra_dilute", "spectra_lipids", "spectra_voxels_left_out"}
    assert not tissue & {flag.code for flag in plain.flags}

    def said(changed):
        return {flag.code: flag.parameters for flag in ratio(changed, "tCho", "tNAA", overlap).flags}

    fluid = found.amplitudes.copy()
    fluid[one] *= 0.2
    assert said(replace(found, amplitudes=fluid))["spectra_dilute"] == {"count": 1, "voxels": len(inside)}
    fat = found.amplitudes.copy()
    fat[one][found.names.index("Lip13a")] = 6 * found.singlets[one]
    assert said(replace(found, amplitudes=fat))["spectra_lipids"] == {"count": 1, "voxels": len(inside)}
    accepted = found.accepted.copy()
    accepted[one] = False
    assert said(replace(found, accepted=accepted))["spectra_voxels_left_out"]["count"] == 1


def test_a_single_voxel_is_not_like_a_grid(first):
    spectra, found, _, _ = first
    single = fit(replace(spectra, fid=spectra.fid[:, 2:3, 2:3]))
    assert [message.code for message in comparable(single, found)] == ["spectra_kinds_differ"]


def test_visits_that_cannot_be_compared(first):
    found = first[1]
    other = replace(found, protocol=replace(found.protocol, echo_time=0.135))
    assert [message.code for message in comparable(found, other)] == ["spectra_echo_times_differ"]
    field = replace(found, protocol=replace(found.protocol, frequency=64.0, sequence="STEAM"))
    assert [message.code for message in comparable(found, field)] == [
        "spectra_fields_differ",
        "spectra_sequences_differ",
    ]
    flags = ratio(other, "Ins", "tCr", first[2]).flags
    assert "spectra_echo_time_unsuited" in {flag.code for flag in flags}


def test_no_value_no_change(first):
    region = ratio(first[1], "tCho", "tNAA", first[2])
    assert change(region, replace(region, value=None)) is None


def test_the_mean_spectrum_undoes_each_voxels_own_eddy_currents(first):
    """Water phases that differ from voxel to voxel must not cancel the mean."""
    spectra, _, overlap, true = first
    time = np.arange(spectra.fid.shape[-1]) * spectra.dwell_time
    size = np.linspace(-1.5, 1.5, overlap.size).reshape(overlap.shape)[..., None]
    bent = np.exp(1j * size * (1 - np.exp(-time / 0.03)) + 1j * np.sign(size))
    water = (1e4 * np.exp(-20 * time) * bent).astype(np.complex64)
    turned = replace(spectra, fid=(spectra.fid * bent).astype(np.complex64), water=water)
    again = fit(turned)
    weight = np.where(overlap >= 0.9, overlap, 0)
    together = fit(mean_spectrum(turned, again, weight))
    assert together.ratio("tCho", "tNAA").value.item() == pytest.approx(true, rel=0.12)
    assert together.snr.item() > 1.5 * np.median(again.snr[weight > 0])


def test_points_that_belong_before_the_first_are_turned_the_other_way(first):
    """Decays that the scanner wrapped around by half a dwell time, of another frequency: turned back, the mean is the
    decay without that frequency, up to its last points."""
    _, found, overlap, _ = first
    spectra, _ = truth.spectra("white", 123.2, 0.030, 1e6, 1, seed=12)
    points = spectra.fid.shape[-1]
    half = np.exp(2j * np.pi * np.fft.fftfreq(points) * 0.5)
    wrapped = np.fft.ifft(np.fft.fft(spectra.fid[0, 0], axis=-1) * half, axis=-1).astype(np.complex64)
    plain = remove_water(wrapped, spectra.dwell_time, spectra.spectrometer_frequency)
    early = early_points(plain).item()
    assert early > 0
    index = np.arange(points)
    time = np.where(index < points - early, index, index - points) * spectra.dwell_time
    shift = 0.5 / (points * spectra.dwell_time)  # Hz: turned as if they came last, these points have the other sign
    turned = (wrapped[0] * np.exp(2j * np.pi * shift * time)).astype(np.complex64)
    grid = replace(spectra, fid=np.broadcast_to(turned, (*found.shape, points)), affine=found.affine)
    moved = replace(found, shift=np.full(found.shape, shift), phase=np.zeros(found.shape))
    mean = mean_spectrum(grid, moved, np.where(overlap >= 0.9, overlap, 0)).fid[0, 0, 0]
    assert np.linalg.norm((mean - plain[0])[-early:]) < 0.05 * np.linalg.norm(plain[0, -early:])


def test_a_packed_fit_gives_the_same_numbers(first):
    _, found, overlap, _ = first
    packed, about = pack(found)
    assert packed.dtype == np.float32 and len(packed) == np.isfinite(found.snr).sum()
    back = unpack(packed, json.loads(json.dumps(about)), found.flags)
    here, there = ratio(found, "tCho", "tNAA", overlap), ratio(back, "tCho", "tNAA", overlap)
    assert there == here  # to the last bit
    assert np.array_equal(back.curves((0, 2, 2)).fit, found.curves((0, 2, 2)).fit)
    assert back.curves((0, 2, 2)).metabolites == {}
    assert back.widths == found.widths and np.allclose(back.width_errors, found.width_errors)
    assert back.protocol == found.protocol and np.allclose(back.ppm, found.ppm)


def test_a_ratio_with_a_badly_known_part_says_so(first):
    """A bound of 39 % of NAA, as one voxel of a tumour may have: the value stays, with its width and the reason."""
    _, fitted, overlap, _ = first
    sure = ratio(fitted, "tCho", "tNAA", overlap)
    assert "spectra_uncertain" not in {flag.code for flag in sure.flags}
    summed = sums(fitted, overlap)
    weights = fitted.weights("tNAA")
    grown = (0.39 * (weights @ summed.amplitudes)) ** 2 / (weights @ summed.covariances @ weights)
    less = replace(fitted, covariances=fitted.covariances * grown, common=fitted.common * grown)
    poor = ratio(less, "tCho", "tNAA", overlap)
    assert poor.value == sure.value and poor.high - poor.low > 3 * (sure.high - sure.low)
    said = {flag.parameters["name"]: flag.parameters for flag in poor.flags if flag.code == "spectra_uncertain"}
    assert said["tNAA"] == {"name": "tNAA", "percent": 39, "limit": 20}
