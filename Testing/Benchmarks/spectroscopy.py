"""Errors and speed of spectroscopy: ``python Testing/Benchmarks/spectroscopy.py [table ...]``.

Tables: mrsi (64 voxels against LCModel and ABfit), svs (single voxels against LCModel), truth (simulated spectra with
known ratios), geometry (place of the grid), speed. Without names all are printed. mrsi, svs and geometry need the
reference data.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.formats.spectra import load
from PseudoProgressionAnalyzerLib.spectroscopy import fit

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", HERE.parents[2] / "shared" / "data")) / "spectroscopy"
sys.path.insert(0, str(HERE.parent / "Python" / "spectroscopy"))
import truth as simulated  # noqa: E402

RATIOS = {
    "Cho/NAA": ("choNAA", "tCho", "tNAA"),
    "Cho/Cr": ("choCr", "tCho", "tCr"),
    "NAA/Cr": ("naaCr", "tNAA", "tCr"),
    "Ins/Cr": ("insCr", "Ins", "tCr"),
    "Glx/Cr": ("glxCr", "Glx", "tCr"),
}
SINGLE = {
    "sus_rda": 8.33e-4,
    "gstt_LN": 1 / 1199.904,
    "osp_s1": 1 / 2000,
    "gstt_philA": 1e-3,
    "gstt_philB": 1e-3,
    "gstt_phil_mouse": 1e-3,
    "tarquin_Siemens_1000": 1e-3,
    "tarquin_unknown": 1e-3,
}


def mrsi() -> None:
    """The 64 voxels of a real grid; the corners are left out as in the publication."""
    rows = list(csv.DictReader((DATA / "abfit_paper" / "abfit_mrsi_reference.csv").open()))
    spectra = load(DATA / "abfit_paper" / "2D_MRSI_nifti-mrs.nii.gz")
    places = np.array([(0, int(row["y"]), int(row["x"])) for row in rows])
    mask = np.zeros(spectra.shape, bool)
    mask[tuple(places.T)] = True
    found = fit(spectra, sequence="sLASER", mask=mask)
    inner = [number for number, row in enumerate(rows) if row["corner"] == "False"]
    print("64 voxels of real MRSI: mean, mean absolute difference in % and correlation")
    print(f"{'':9}{'ours':>7}{'LCModel':>9}{'ABfit':>7}{'to mean':>9}{'r':>7}{'to LCM':>8}{'to ABf':>8}{'LCM-ABf':>9}")
    for name, (column, numerator, denominator) in RATIOS.items():
        ours = found.ratio(numerator, denominator).value[tuple(places.T)][inner]
        lcm, abf = (np.array([float(rows[number][f"{kind}_{column}"]) for number in inner]) for kind in ("lcm", "abf"))
        mean = (lcm + abf) / 2

        def away(one: np.ndarray, other: np.ndarray) -> float:
            return 100 * np.mean(np.abs(one / other - 1))

        print(
            f"{name:9}{ours.mean():7.3f}{lcm.mean():9.3f}{abf.mean():7.3f}{away(ours, mean):9.1f}"
            f"{np.corrcoef(ours, mean)[0, 1]:7.3f}{away(ours, lcm):8.1f}{away(ours, abf):8.1f}{away(lcm, abf):9.1f}"
        )
    empty = int((found.amplitude("tNAA")[mask] <= 0).sum())
    print(f"accepted {found.accepted[mask].sum()} of {mask.sum()}, without NAA {empty}\n")


def svs() -> None:
    """Single voxels in vivo, with the split of the echo time that the references assume."""
    reference = json.loads((DATA / "lcmodel_reference_svs" / "lcm_svs.json").read_text())
    print("Single voxels: ratio [95 %] and LCModel's")
    for name, dwell_time in SINGLE.items():
        spectra = load(DATA / "lcmodel_reference_svs" / f"{name}.raw", dwell_time=dwell_time)
        te = reference[name]["te"]
        found = fit(spectra, sequence="PRESS", delays=(0.2 * te, 0.5 * te, 0.3 * te))
        theirs = reference[name]["lcm"]
        line = f"{name:22}"
        for label, numerator, denominator, their in (
            ("Cho/Cr", "tCho", "tCr", ("GPC+PCh", "Cr+PCr")),
            ("Cho/NAA", "tCho", "tNAA", ("GPC+PCh", "NAA+NAAG")),
        ):
            value, low, high = (part.item() for part in found.ratio(numerator, denominator))
            line += f"  {label} {value:.3f} [{low:.3f}, {high:.3f}] {theirs[their[0]][0] / theirs[their[1]][0]:.3f}"
        print(line + ("" if found.detected("tNAA").all() else "  NAA not detected"))
    print()


def truth() -> None:
    """Bias, spread and coverage where the truth is known."""
    print("Simulated spectra, lineshape and baseline unlike the model's: bias %, CV %, coverage of 95 % intervals")
    print(f"{'':26}{'Cho/NAA':>20}{'Cho/Cr':>22}")
    for field in (64.0, 123.2):
        for echo_time in (0.030, 0.135, 0.144, 0.288):
            for tissue in ("white", "tumour"):
                for snr in (30, 10):
                    spectra, amounts = simulated.spectra(tissue, field, echo_time, snr, 64, seed=1)
                    found = fit(spectra)
                    line = f"{field:6.1f} MHz TE {1000 * echo_time:3.0f} {tissue:7}{snr:3}"
                    for numerator, denominator in (("tCho", "tNAA"), ("tCho", "tCr")):
                        ratio = found.ratio(numerator, denominator)
                        true = amounts[numerator] / amounts[denominator]
                        seen = np.isfinite(ratio.value)
                        values = ratio.value[seen] if seen.any() else np.array([np.nan])
                        inside = np.mean((ratio.low <= true) & (true <= ratio.high))
                        middle = np.median(np.where(seen, ratio.value, np.inf))
                        spread = 100 * (np.percentile(values, 84) - np.percentile(values, 16)) / 2 / true
                        line += f"{100 * (middle / true - 1):+8.1f}{spread:6.1f}{100 * inside:6.0f}"
                    print(line)
    print()


def geometry() -> None:
    """tNAA/tCr against the share of grey matter, in the stated orientation and flipped."""
    print("Correlation of tNAA/tCr with the share of grey matter:")
    for label, value in simulated.orientation(DATA / "abfit_paper").items():
        print(f"  {label:22}{value:+.3f}")
    print()


def speed() -> None:
    """2048 voxels of 1024 points with water, and how soon a cancel ends it."""
    spectra, _ = simulated.spectra("white", 123.2, 0.030, 30, 64, seed=2)
    random = np.random.default_rng(3)
    fid = np.tile(spectra.fid[0, 0], (32, 1))
    noise = 0.3 * np.abs(fid[:, -100:]).std() * random.normal(size=(2, *fid.shape))
    spectra.fid = fid + noise[0] + 1j * noise[1]
    time_axis = np.arange(1024) * spectra.dwell_time
    water = 20 * np.abs(spectra.fid).max() * np.exp((2j * np.pi * 3 - 15) * time_axis)
    spectra.fid = (spectra.fid + water).astype(np.complex64).reshape(1, 32, 64, -1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, start_cpu = time.perf_counter(), time.process_time()
    fit(spectra)
    elapsed, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    start, stop = time.perf_counter(), 2.0
    asked = []

    def cancelled() -> bool:
        if time.perf_counter() - start > stop and not asked:
            asked.append(time.perf_counter())
        return bool(asked)

    try:
        fit(spectra, cancelled=cancelled)
    except CancelledError:
        late = time.perf_counter() - asked[0]
    print(f"2048 voxels x 1024 points: {elapsed:.1f} s ({cpu:.1f} s of CPU), {peak / 1e3:.0f} MB more")
    print(f"cancelled within {late:.2f} s\n")


TABLES = {"mrsi": mrsi, "svs": svs, "truth": truth, "geometry": geometry, "speed": speed}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or TABLES:
        TABLES[chosen]()
