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
from scipy.integrate import cumulative_trapezoid

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
    path = HERE.parent / "Python" / "perfusion" / "phantom.py"
    specification = importlib.util.spec_from_file_location("phantom", path)
    phantom = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(phantom)
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
    reference_tables()


if __name__ == "__main__":
    main()
