"""Speed and errors of the perfusion part, all in one run: ``python Testing/Benchmarks/perfusion.py [--large]``.

Speed is given as ratios to (a) the physical floor: reading the series, one float32 logarithm and one product with a
3-row matrix, in blocks on all cores; (b) plain least squares voxel by voxel; (c) plain numpy on whole arrays. Wall time
and CPU time are the medians of runs that take turns, so that other load hits all alike. ``--large`` adds a series of
256 x 256 x 60 x 90 (0.7 GB). The error tables need no reference data but where they say so.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import itertools
import os
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.integrate import cumulative_trapezoid

from PseudoProgressionAnalyzerLib.perfusion.arterial import arterial_doubts, arterial_input
from PseudoProgressionAnalyzerLib.perfusion.asl import cbf_multi_delay, control_label_difference
from PseudoProgressionAnalyzerLib.perfusion.curves import relaxation_change, signal_recovery
from PseudoProgressionAnalyzerLib.perfusion.deconvolution import cbf
from PseudoProgressionAnalyzerLib.perfusion.dsc import relative_cbv

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", HERE.parents[2] / "shared" / "data")) / "perfusion"
ECHO_TIME, SPACING, BASELINE = 0.03, 1.5, 20
THREADS = os.cpu_count() or 1
BLOCK = 4096


def series(shape: tuple[int, int, int], frames: int) -> np.ndarray:
    """An int16 series ``(time, k, j, i)`` of noisy bolus curves with leakage in every 20th row."""
    t = np.maximum(np.arange(frames) - BASELINE, 0) * SPACING / 6
    bolus = 8 * (t**3 * np.exp(3 * (1 - t)) + 0.1 * (1 - np.exp(-t / 3)))
    leak = cumulative_trapezoid(bolus, dx=SPACING, initial=0)
    random = np.random.default_rng(0)
    signal = np.empty((frames, *shape), np.int16)
    volumes = random.uniform(0.5, 2, shape).astype(np.float32)
    leaking = np.zeros(shape, np.float32)
    leaking[:, ::20] = 0.03
    noise = random.normal(0, 8, shape).astype(np.float32)
    for n in range(frames):
        clean = 800 * np.exp(-ECHO_TIME * (bolus[n] * volumes - leak[n] * leaking))
        signal[n] = clean + np.roll(noise.ravel(), 7919 * n).reshape(shape)
    return signal


def floor(signal: np.ndarray) -> None:
    """Reads the series, takes one float32 logarithm and one product with three rows, in blocks on all cores."""
    flat = signal.reshape(len(signal), -1)
    rows = np.zeros((4, len(signal)), np.float32)  # the fourth row only makes the product faster
    rows[:3] = np.random.default_rng(1).normal(size=(3, len(signal)))
    result = np.empty((4, flat.shape[1]), np.float32)
    counter = itertools.count()
    width = 1 << (262144 // (4 * len(signal))).bit_length() - 1

    def worker() -> None:
        scratch = np.empty((len(signal), BLOCK), np.float32)
        while (start := next(counter) * BLOCK) < flat.shape[1]:
            np.copyto(scratch, flat[:, start : start + BLOCK])
            np.log(scratch, out=scratch)
            pieces = scratch.reshape(len(signal), -1, width).transpose(1, 0, 2)
            np.matmul(rows, pieces, out=result[:, start : start + BLOCK].reshape(4, -1, width).transpose(1, 0, 2))

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(worker) for _ in range(THREADS)]:
            future.result()


def leakage_terms(change: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Reference curve and its negative integral ``(time, 2)``."""
    curve = change[:, reference].mean(axis=1)
    return np.stack([curve, -cumulative_trapezoid(curve, dx=SPACING, initial=0)], axis=1)


def whole_array(signal: np.ndarray) -> np.ndarray:
    """The same corrected blood volume in plain numpy on whole arrays."""
    values = signal.reshape(len(signal), -1).astype(float)
    baseline = values[:BASELINE].mean(axis=0)
    change = -np.log(values / baseline) / ECHO_TIME
    reference = values[-10:].mean(axis=0) <= baseline + values[:BASELINE].std(axis=0, ddof=1)
    terms = leakage_terms(change, reference)
    fit = np.linalg.pinv(terms[BASELINE:]) @ change[BASELINE:]
    area = ((change[BASELINE:-1] + change[BASELINE + 1 :]) / 2).sum(axis=0) * SPACING
    return area - fit[1] * ((terms[BASELINE:-1, 1] + terms[BASELINE + 1 :, 1]) / 2).sum() * SPACING


def voxel_by_voxel(signal: np.ndarray, share: int) -> None:
    """The same, one least-squares problem for each of every share-th voxel."""
    values = signal.reshape(len(signal), -1)[:, ::share].astype(float)
    reference = np.ones(values.shape[1], bool)
    change = -np.log(values / values[:BASELINE].mean(axis=0)) / ECHO_TIME
    terms = leakage_terms(change, reference)[BASELINE:]
    for voxel in range(values.shape[1]):
        curve = values[:, voxel]
        change = -np.log(curve / curve[:BASELINE].mean()) / ECHO_TIME
        np.linalg.lstsq(terms, change[BASELINE:], rcond=None)


def timed(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds of each job, run in turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            job()
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: tuple(np.median(values, axis=0)) for name, values in times.items()}


def speed(shape: tuple[int, int, int], frames: int, rounds: int) -> None:
    signal = series(shape, frames)
    mask = np.ones(shape, bool)
    options = {"echo_time": ECHO_TIME, "repetition_time": SPACING, "brain_mask": mask}
    share = 200
    jobs: dict[str, Callable[[], object]] = {
        "floor (a)": lambda: floor(signal),
        "unidirectional": lambda: relative_cbv(signal, **options),
        "bidirectional": lambda: relative_cbv(signal, model="bidirectional", **options),
    }
    slow: dict[str, Callable[[], object]] = {"voxel by voxel (b)": lambda: voxel_by_voxel(signal, share)}
    if signal.nbytes < 2e8:
        slow["whole arrays (c)"] = lambda: whole_array(signal)
    found = timed(jobs, rounds) | timed(slow, 2)
    found["voxel by voxel (b)"] = tuple(share * one for one in found["voxel by voxel (b)"])
    print(f"\n{shape[2]}x{shape[1]}x{shape[0]}x{frames} int16, {THREADS} threads, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'wall s':>9}{'CPU s':>9}{'wall/(a)':>10}{'CPU/(a)':>10}{'CPU of it/ours':>16}")
    ours = found["unidirectional"][1]
    for name, (wall, cpu) in found.items():
        base = found["floor (a)"]
        print(f"{name:22}{wall:9.3f}{cpu:9.3f}{wall / base[0]:10.2f}{cpu / base[1]:10.2f}{cpu / ours:16.1f}")
    if signal.nbytes < 2e8:
        maps = relative_cbv(signal, steady_state=0, bolus_arrival=BASELINE, **options)
        difference = maps.cbv.ravel() / whole_array(signal) - 1
        print(f"median |difference| to (c): {100 * np.median(np.abs(difference)):.3f} %")


def peak_memory(shape: tuple[int, int, int], frames: int) -> None:
    """Extra memory of one run, relative to the series."""
    signal, mask = series(shape, frames), np.ones(shape, bool)
    for model in ("unidirectional", "bidirectional"):
        tracemalloc.start()
        maps = relative_cbv(signal, echo_time=ECHO_TIME, repetition_time=SPACING, brain_mask=mask, model=model)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"peak extra memory, {maps.model}: {peak / signal.nbytes:.2f} times the series")


def deconvolution_speed(voxels: int = 147456, frames: int = 100) -> None:
    t = np.maximum(np.arange(frames) - BASELINE, 0) * SPACING / 4
    inflow = 60 * t**3 * np.exp(3 * (1 - t))
    random = np.random.default_rng(0)
    time_axis = SPACING * np.arange(frames)
    curves = np.stack(
        [
            SPACING * np.convolve(inflow, flow * np.exp(-time_axis / transit))[:frames]
            for flow, transit in zip(random.uniform(0.003, 0.02, 256), random.uniform(2, 8, 256), strict=True)
        ],
        axis=1,
    )
    curves = np.tile(curves, (1, voxels // 256)) + random.normal(0, 0.5, (frames, voxels))
    curves = curves.astype(np.float32)
    jobs = {
        name: lambda name=name: cbf(curves, inflow, repetition_time=SPACING, method=name) for name in ("csvd", "osvd")
    }
    print(f"\ndeconvolution, {voxels} voxels x {frames} frames")
    for name, (wall, cpu) in timed(jobs, 3).items():
        print(f"{name:22}{wall:9.3f} s wall{cpu:9.3f} s CPU")


def leakage_table() -> None:
    """Errors of nine lesions' ratio to white matter on the phantom of the tests."""
    phantom = _phantom()
    protocols = {
        "60 degrees, preload": {"flip_angle": 60, "preload": 0.7},
        "30 degrees, no preload": {"flip_angle": 30},
        "60 degrees, no preload (not recommended)": {"flip_angle": 60},
    }
    print("\nerror of rCBV / white matter in nine lesions (%): median and largest absolute")
    print(f"{'protocol':42}{'SNR':>5}{'uncorrected':>16}{'unidirectional':>16}{'bidirectional':>16}{'grey matter':>13}")
    for name, protocol in protocols.items():
        for snr in (20, 50, 100):
            one = phantom.phantom(snr, **protocol)
            options = {"echo_time": one.echo_time, "repetition_time": one.spacing, "brain_mask": one.labels > 0}
            uni = relative_cbv(one.signal, **options)
            bi = relative_cbv(one.signal, model="bidirectional", **options)
            line = f"{name:42}{snr:5d}"
            for values in (uni.cbv_uncorrected, uni.cbv, bi.cbv):
                unit = np.nanmean(values[one.labels == 1]) / one.volume[one.labels == 1].mean()
                errors = [
                    np.nanmean(values[one.lesion(v, k)]) / unit / phantom.BLOOD_VOLUMES[v] - 1
                    for v in range(3)
                    for k in range(3)
                ]
                line += f"{100 * np.median(np.abs(errors)):8.1f}{100 * np.max(np.abs(errors)):8.1f}"
            white, grey = (np.nanmean(uni.cbv[one.labels == k]) / one.volume[one.labels == k].mean() for k in (1, 2))
            print(line + f"{100 * (grey / white - 1):13.1f}")


def reference_tables() -> None:
    """Errors on reference data, where it is at hand."""
    fair = DATA / "fair_octave_synthetic" / "synthetic_leakage.npz"
    if fair.exists():
        with np.load(fair) as stored:
            data = dict(stored)
        signal, truth, leaky = np.moveaxis(data["signal"], -1, 0), data["K1_true"], data["K2_true"] != 0
        maps = relative_cbv(signal, echo_time=0.03, repetition_time=1.5, brain_mask=np.ones(truth.shape, bool))
        print("\nFAIR phantom, median error of the ratio to voxels without leakage, in leaky voxels (%)")
        for name, values in (("uncorrected", maps.cbv_uncorrected), ("corrected", maps.cbv), ("k1", maps.k1)):
            ratio = values / truth
            print(f"{name:22}{100 * np.median(np.abs(ratio[leaky] / np.median(ratio[~leaky]) - 1)):9.2f}")
        change = -np.log(signal / signal[2:18].mean(axis=0)) / 0.03
        for name, unit in (("osvd", 1.5), ("csvd", 1.0)):
            ratio = cbf(change, data["aif"], repetition_time=1.5, method=name).cbf * unit / 6000 / data[f"{name}_fair"]
            print(f"{name + ' to the toolbox':22}{100 * np.abs(ratio - 1).max():12.5f} % at most")
    osipi = DATA / "OSIPI_DCE-DSC-MRI_CodeCollection" / "dsc_data.csv"
    if osipi.exists():
        with osipi.open() as file:
            cases = list(csv.DictReader(file))
        print("\nOSIPI, 14 cases: mean absolute relative error (%), cases within OSIPI's tolerance")
        for method in ("osvd", "csvd"):
            flow, volume, within = [], [], 0
            for case in cases:
                curve, inflow = (np.array(case[name].split(), dtype=float) for name in ("C_tis", "C_aif"))
                found = cbf(curve[:, None], inflow, repetition_time=float(case["tr"]), method=method)
                true_flow, true_volume = float(case["cbf"]), float(case["cbv"])
                flow.append(abs(found.cbf[0] / true_flow - 1))
                volume.append(abs(found.cbv[0] / true_volume - 1))
                within += abs(found.cbf[0] - true_flow) <= 15 + 0.1 * true_flow
            print(
                f"{method:8} CBF {100 * np.mean(flow):6.1f}   CBV {100 * np.mean(volume):6.1f}   within {within} of 14"
            )


def flow_table() -> None:
    """Flow and transit time of grey over white matter on the phantom, with the arterial input found in it."""
    phantom = _phantom()
    print("\nflow with the input found in the series, 30 degrees: ratio of grey to white matter against truth (%)")
    print(f"{'SNR':>5}{'CBF ratio':>12}{'CBV ratio':>12}{'MTT found / true s, white':>30}")
    for snr in (20, 50, 100):
        one = phantom.phantom(snr, flip_angle=30)
        brain = one.labels > 0
        maps = relative_cbv(one.signal, echo_time=one.echo_time, repetition_time=one.spacing, brain_mask=brain)
        artery = arterial_input(one.signal, echo_time=one.echo_time, frames=maps.frames, brain_mask=brain)
        doubts = arterial_doubts(artery, maps.reference_curve, maps.frames)
        change = relaxation_change(one.signal, maps.frames, one.echo_time)
        found = cbf(change, artery.curve, repetition_time=one.spacing, mask=np.isin(one.labels, (1, 2)))
        white, grey = one.labels == 1, one.labels == 2
        errors = []
        for values, truth in ((found.cbf, one.flow), (found.cbv, one.volume)):
            ratio = np.median(values[grey]) / np.median(values[white])
            errors.append(100 * (ratio / (np.median(truth[grey]) / np.median(truth[white])) - 1))
        note = f"{np.median(found.mtt[white]):.1f} / 5.0"
        print(f"{snr:5d}{errors[0]:12.1f}{errors[1]:12.1f}{note:>30}   doubts: {len(doubts)}")


def recovery_table() -> None:
    """Percent signal recovery of lesions: mean curve and ratio of sums against the curve without noise."""
    phantom = _phantom()
    clean = phantom.phantom(1e6, flip_angle=60, preload=0.7)
    print("\npercent signal recovery, error in points over nine lesions: median and largest absolute")
    print(f"{'SNR':>5}{'mean curve':>18}{'ratio of sums':>18}{'mean of voxels':>18}")
    for snr in (20, 50, 100):
        one = phantom.phantom(snr, flip_angle=60, preload=0.7)
        options = {"echo_time": one.echo_time, "repetition_time": one.spacing, "brain_mask": one.labels > 0}
        frames = relative_cbv(one.signal, **options).frames
        voxels = signal_recovery(one.signal, frames)
        errors: dict[str, list[float]] = {"curve": [], "sums": [], "voxels": []}
        for label in range(10, 19):
            lesion = one.labels == label
            truth = float(signal_recovery(clean.signal[:, lesion].mean(axis=1), frames).recovery)
            seen = lesion & np.isfinite(voxels.recovery)
            heights = voxels.peak_height[seen]
            errors["curve"].append(float(signal_recovery(one.signal[:, lesion].mean(axis=1), frames).recovery) - truth)
            errors["sums"].append(float(np.average(voxels.recovery[seen], weights=heights)) - truth)
            errors["voxels"].append(float(voxels.recovery[seen].mean()) - truth)
        line = f"{snr:5d}"
        for found in errors.values():
            line += f"{np.median(np.abs(found)):9.1f}{np.max(np.abs(found)):9.1f}"
        print(line)


def asl_tables() -> None:
    """Real pCASL, calibrated: what its constants give, and why another package's output differs."""
    folder = DATA / "LOAMRI_asltk"
    if folder.exists():
        differences, m0, mask = (
            sitk.GetArrayFromImage(sitk.ReadImage(str(folder / name))).astype(float)
            for name in ("pcasl_mte.nii.gz", "m0.nii.gz", "m0_brain_mask.nii.gz")
        )
        options = {
            "labeling": "PCASL", "field_strength": 3.0, "mask": mask > 0,
            "labeling_durations": np.array([0.1, 0.1, 0.15, 0.15, 0.4, 0.8, 1.8]),
            "post_labeling_delays": np.array([0.17, 0.27, 0.37, 0.52, 0.67, 1.07, 1.87]),
        }  # fmt: skip
        found = cbf_multi_delay(differences[0], m0, **options)
        middle = np.percentile(found.cbf[found.quality], (25, 50, 75))
        print("\nreal multi-delay pCASL (a slab of cortex and white matter), M0 taken as fully relaxed")
        transit = np.nanmedian(found.transit_time[found.quality])
        quartiles = ", ".join(f"{one:.0f}" for one in middle)
        print(f"CBF quartiles {quartiles} ml/100 g/min; median transit time {transit:.2f} s")
        for name, constant in found.constants.items():
            print(f"  {name:22}{constant.value:8.3f} {constant.unit:6}{constant.source}")
        with np.load(folder / "asltk_1.1.3_output.npz") as stored:
            theirs, normalised, att = (np.asarray(stored[name]) for name in ("cbf", "cbf_norm", "att"))
        both = found.quality & (theirs > 0)
        print("against the stored output of asltk 1.1.3, median ratio ours / theirs:")
        same = cbf_multi_delay(differences[0], m0, **options, partition_coefficient=1.0)
        apart = np.nanmedian(np.abs(found.transit_time - att / 1000)[both])
        for what, ours, other in (
            ("its cbf_norm as stored", found.cbf, normalised),
            ("its cbf times 6.0e6 (it multiplies by 3.6e6)", found.cbf, 6e6 * theirs),
            ("and without M0/lambda, as it calibrates", same.cbf, 6e6 * theirs),
        ):
            print(f"  {what:46}{np.median(ours[both] / other[both]):6.3f}")
        print(f"  transit time, median absolute difference in s {apart:6.3f}")
    philips = DATA / "dcm_qa_philips_asl" / "Ref"
    if philips.exists():
        series, derived = (
            sitk.GetArrayFromImage(sitk.ReadImage(str(philips / name))).astype(float)
            for name in ("402_SOURCE_-_3D_pCASL_6mm_classic.nii", "401_3D_pCASL_6mm_classic.nii")
        )
        m0, pairs = series[:2].mean(axis=0), series[2:]
        inside = m0 > 0.3 * np.percentile(m0, 98)
        difference = control_label_difference(pairs, np.arange(len(pairs)) % 2 == 0)
        share = 100 * np.median(np.abs(difference[inside] / m0[inside]))
        agreement = np.corrcoef(difference[inside], derived[inside])[0, 1]
        print(
            "\nPhilips 3D pCASL of quality assurance: the same disc in every slice, header without delay and labelling"
        )
        print(f"|difference| / M0 {share:.3f} % (nothing to calibrate); correlation with its own map {agreement:.2f}")


def _phantom():
    """The module of the phantom of the tests."""
    path = HERE.parent / "Python" / "perfusion" / "phantom.py"
    specification = importlib.util.spec_from_file_location("phantom", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also 256 x 256 x 60 x 90")
    large = parser.parse_args().large
    speed((30, 128, 128), 100, rounds=9)
    peak_memory((30, 128, 128), 100)
    if large:
        speed((60, 256, 256), 90, rounds=5)
        peak_memory((60, 256, 256), 90)
    deconvolution_speed()
    leakage_table()
    recovery_table()
    flow_table()
    reference_tables()
    asl_tables()


if __name__ == "__main__":
    main()
