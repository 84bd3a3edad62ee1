"""Errors and speed of spectroscopy: ``python Testing/Benchmarks/spectroscopy.py [table ...]``.

Tables: files (every vendor's spectra), basis (against an independent one), mrsi (64 voxels against LCModel and ABfit),
svs (single voxels against LCModel), geometry (place of the grid), truth and single (simulated spectra with known
ratios, as grids and as single voxels), drawn (single ones whose truths differ by as much as is expected), wave (under
the spectrum), changes (two simulated dates), regions (sums and mean spectra of a lesion), speed. Without names all are
printed. The first five need the reference data.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import time
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.formats.spectra import load
from PseudoProgressionAnalyzerLib.formats.spectra_axis import scores
from PseudoProgressionAnalyzerLib.measures import InputError, Spectra
from PseudoProgressionAnalyzerLib.spectroscopy import Fit, fit, fitting
from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol, fids, ppm_axis
from PseudoProgressionAnalyzerLib.spectroscopy.regions import change, mean_spectrum, ratio
from PseudoProgressionAnalyzerLib.spectroscopy.spins import METABOLITES
from PseudoProgressionAnalyzerLib.spectroscopy.water import early_points

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", HERE.parents[2] / "shared" / "data")) / "spectroscopy"
sys.path.insert(0, str(HERE.parent / "Python" / "spectroscopy"))
import test_basis  # noqa: E402
import test_regions  # noqa: E402
import truth as simulated  # noqa: E402

RATIOS = {
    "Cho/NAA": ("choNAA", "tCho", "tNAA"),
    "Cho/Cr": ("choCr", "tCho", "tCr"),
    "NAA/Cr": ("naaCr", "tNAA", "tCr"),
    "Ins/Cr": ("insCr", "Ins", "tCr"),
    "Glx/Cr": ("glxCr", "Glx", "tCr"),
}
PARTS = {name: parts[1:] for name, parts in RATIOS.items()}
OF_REFERENCES = dict.fromkeys(METABOLITES, 2.0) | {"NAA": 0.5, "NAAG": 0.5, "Ins": 0.5}
"""Hz: line widths in the basis set that LCModel and ABfit were given."""
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


def files() -> None:
    """Every file of spectra in the reference data: what it is and on which side NAA stands (likeness with a brain)."""
    print("Files: grid, points, MHz, TE, likeness with the axis as loaded and turned, remarks")
    endings = (".rda", ".ima", ".dcm", ".sdat", ".7", ".nii.gz", ".nii", ".raw")
    found = sorted(path for path in DATA.rglob("*") if path.is_file() and path.name.lower().endswith(endings))
    known = {f"{name}.raw": dwell_time for name, dwell_time in SINGLE.items()}
    sides = {"right": 0, "turned": 0, "no brain": 0, "refused": 0}
    for path in found:
        try:
            spectra = load(path, dwell_time=known.get(path.name, 5e-4) if path.suffix == ".raw" else None)
        except InputError as error:
            if "_seg" not in path.name and "T1w" not in path.name:
                sides["refused"] += 1
                print(f"{path.name[-38:]:39}refused: {texts.what(error.message)[-90:]}")
            continue
        as_is, turned = scores(spectra.fid, spectra.dwell_time, spectra.spectrometer_frequency)
        side = "no brain" if max(as_is, turned) < 0.5 else "right" if as_is > turned else "turned"
        sides[side] += 1
        te = "-" if spectra.echo_time is None else f"{1000 * spectra.echo_time:.0f}"
        grid = "x".join(map(str, spectra.shape[::-1]))
        remarks = ", ".join(flag.code.removeprefix("spectra_") for flag in spectra.flags)
        print(
            f"{path.name[-38:]:39}{grid:9}{spectra.fid.shape[-1]:5}{spectra.spectrometer_frequency:8.2f}{te:>5}"
            f"{as_is:6.2f}{turned:6.2f}  {side:9}{remarks}"
        )
    first, second = load(DATA / "suspect" / "SVS_30.rda"), load(DATA / "suspect" / "SVS_30.IMA")
    away = np.abs(first.fid - second.fid).max() / np.abs(first.fid).max()
    print(f"in all: {sides}; RDA and IMA of one scan differ by at most {away:.1e} of the largest value\n")


def basis() -> None:
    """The simulated basis against the independent one of LCModel's test."""
    frequency, dwell_time, theirs = test_basis.independent_basis(DATA / "lcmodel_test" / "3t.basis")
    names = tuple(name for name in theirs if name in METABOLITES)
    start = time.process_time()
    ours = fids(Protocol(frequency, 0.03, delays=(0.005, 0.015, 0.010)), 1024, dwell_time, names)
    elapsed = time.process_time() - start
    ppm = ppm_axis(1024, dwell_time, frequency)
    print("Basis: complex correlation with the independent one (0.2 to 4.2 ppm)")
    for name, fid in zip(names, ours, strict=True):
        print(f"  {name:6}{test_basis.likeness(fid, theirs[name], ppm, dwell_time):8.5f}")
    print(f"{len(names)} molecules in {elapsed:.2f} s of CPU\n")


def mrsi() -> None:
    """The 64 voxels of a real grid: with the line widths that the grid finds itself, those that its other half finds
    (nothing of the voxels that are compared), those of the references' own basis, and none."""
    rows = list(csv.DictReader((DATA / "abfit_paper" / "abfit_mrsi_reference.csv").open()))
    spectra = load(DATA / "abfit_paper" / "2D_MRSI_nifti-mrs.nii.gz")
    places = np.array([(0, int(row["y"]), int(row["x"])) for row in rows])
    mask = np.zeros(spectra.shape, bool)
    mask[tuple(places.T)] = True
    odd = np.indices(spectra.shape).sum(axis=0) % 2 == 1

    def halves() -> tuple[dict[str, np.ndarray], np.ndarray]:
        first, second = (fit(spectra, sequence="sLASER", mask=mask & half) for half in (odd, ~odd))
        one = fit(spectra, sequence="sLASER", mask=mask & ~odd, widths=first.widths)
        two = fit(spectra, sequence="sLASER", mask=mask & odd, widths=second.widths)
        found = {name: np.where(odd, two.ratio(*parts).value, one.ratio(*parts).value) for name, parts in PARTS.items()}
        return found, one.accepted | two.accepted

    def whole(widths: dict[str, float] | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
        found = fit(spectra, sequence="sLASER", mask=mask, widths=widths)
        if found.widths and widths is None:
            said = {name: round(found.widths[name], 2) for name in ("NAA", "Cr", "GPC", "Ins", "Glu")}
            print(f"line widths that the grid finds, Hz beyond what all share: {said}")
        return {name: found.ratio(*parts).value for name, parts in PARTS.items()}, found.accepted

    for title, fitted in (
        ("line widths found in the grid", lambda: whole(None)),
        ("line widths found in the other half of the grid", halves),
        ("line widths of the references' basis", lambda: whole(OF_REFERENCES)),
        ("no line widths of their own", lambda: whole(dict.fromkeys(METABOLITES, 0.0))),
    ):
        found, accepted = fitted()
        print(f"64 voxels of real MRSI, {title}: mean, mean absolute difference in %, correlation")
        print(f"{'':9}{'ours':>7}{'LCModel':>9}{'ABfit':>7}{'to mean':>9}{'r':>7}{'LCM-ABf':>9}{'r':>7}")
        for name, (column, _, _) in RATIOS.items():
            ours = found[name][tuple(places.T)]
            lcm, abf = (np.array([float(row[f"{kind}_{column}"]) for row in rows]) for kind in ("lcm", "abf"))
            mean = (lcm + abf) / 2
            away = 100 * np.abs(ours / mean - 1).mean()
            print(
                f"{name:9}{ours.mean():7.3f}{lcm.mean():9.3f}{abf.mean():7.3f}{away:9.1f}"
                f"{np.corrcoef(ours, mean)[0, 1]:7.2f}{100 * np.mean(np.abs(lcm / abf - 1)):9.1f}"
                f"{np.corrcoef(lcm, abf)[0, 1]:7.2f}"
            )
        values = found["NAA/Cr"][mask]
        print(f"accepted {accepted[mask].sum()} of {mask.sum()}, without NAA {int((~(values > 0)).sum())}\n")


def svs() -> None:
    """Single voxels in vivo, with the split of the echo time that the references assume: line widths free, and those
    of the references' basis, with which alone the comparison is like for like."""
    reference = json.loads((DATA / "lcmodel_reference_svs" / "lcm_svs.json").read_text())
    print("Single voxels in vivo: ratio [95 %], LCModel's, the difference in %, and that with its basis' line widths")
    for name, dwell_time in SINGLE.items():
        spectra = load(DATA / "lcmodel_reference_svs" / f"{name}.raw", dwell_time=dwell_time)
        te = reference[name]["te"]
        found, alike = (
            fit(spectra, sequence="PRESS", delays=(0.2 * te, 0.5 * te, 0.3 * te), widths=widths)
            for widths in (None, OF_REFERENCES)
        )
        theirs = reference[name]["lcm"]
        line = f"{name:22}"
        for label, numerator, denominator, their in (
            ("Cho/Cr", "tCho", "tCr", ("GPC+PCh", "Cr+PCr")),
            ("Cho/NAA", "tCho", "tNAA", ("GPC+PCh", "NAA+NAAG")),
        ):
            value, low, high = (part.item() for part in found.ratio(numerator, denominator))
            other = theirs[their[0]][0] / theirs[their[1]][0]
            away = [one.ratio(numerator, denominator).value.item() / other - 1 for one in (found, alike)]
            said = "".join(f"{100 * one:+6.1f}" if np.isfinite(one) else "     -" for one in away)
            line += f"  {label} {value:.3f} [{low:.3f}, {high:.3f}] {other:.3f}{said}"
        early = int(early_points(spectra.fid.reshape(1, -1)).item())
        line += f"  {early} points wrapped around" if early else ""
        print(line + ("" if found.detected("tNAA").all() else "  NAA not detected"))
    print()


def truth(single: bool = False) -> None:
    """Bias, spread and coverage where the truth is known: 64 voxels as a grid or as single voxels, for sets of line
    widths of which none is the fit's own."""
    print("Simulated spectra, lineshape and baseline unlike the model's: bias %, CV %, coverage of 95 % intervals")
    for widths in simulated.LINE_WIDTHS:
        kind = "single voxels" if single else "a grid"
        print(f"line widths of the truth: {widths}; {kind}{'Cho/NAA':>20}{'Cho/Cr':>22}")
        cells = [
            (field, echo_time, tissue, snr)
            for field in (64.0, 123.2)
            for echo_time in ((0.030, 0.144) if single else (0.030, 0.135, 0.144, 0.288))
            for tissue in ("white", "tumour")
            for snr in ((30, 10) if single or widths == "T2" else (30,))
        ]
        worst = dict.fromkeys((30, 10), 0.0)
        covered = []
        for field, echo_time, tissue, snr in cells:
            spectra, amounts = simulated.spectra(tissue, field, echo_time, snr, 64, seed=1, widths=widths)
            found = _one_by_one(spectra) if single else fit(spectra)
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
                worst[snr] = max(worst[snr], 100 * abs(middle / true - 1))
                covered.append(inside)
            print(line)
        rounded = [round(100 * inside) for inside in covered]
        low = f", {worst[10]:.1f} % at 10" if worst[10] else ""
        print(f"largest bias {worst[30]:.1f} % at signal to noise 30{low}; coverage "
              f"{100 * np.mean(covered):.1f} % ({100 * min(covered):.0f} to {100 * max(covered):.0f}), "
              f"{sum(one < 90 for one in rounded)} below 90 and {sum(one > 98 for one in rounded)} above 98 % of "
              f"{len(covered)} values\n")  # fmt: skip


def drawn() -> None:
    """Coverage where widths and soft ratios of each single voxel are drawn from what the fit expects of them."""
    print("Single voxels, each with widths and soft ratios drawn from what is expected: bias %, CV %, coverage %")
    for field, echo_time, tissue, snr in (
        (field, echo_time, tissue, snr)
        for snr in (30, 10)
        for field in (64.0, 123.2)
        for echo_time in (0.030, 0.144)
        for tissue in ("white", "tumour")
    ):
        spectra, amounts = simulated.drawn(tissue, field, echo_time, snr, 128, seed=1)
        found = _one_by_one(spectra)
        line = f"{field:6.1f} MHz TE {1000 * echo_time:3.0f} {tissue:7}{snr:3}"
        for numerator, denominator in (("tCho", "tNAA"), ("tCho", "tCr"), ("Glx", "tCr")):
            ratio = found.ratio(numerator, denominator)
            true = np.array([one[numerator] / one[denominator] for one in amounts])
            low, value, high = (part.ravel() / true for part in (ratio.low, ratio.value, ratio.high))
            middle = 100 * (np.median(np.where(np.isfinite(value), value, np.inf)) - 1)
            spread = 50 * np.subtract(*np.nanpercentile(value, [84, 16]))
            line += (
                f"  {numerator}/{denominator}{middle:+6.1f}{spread:6.1f}{100 * np.mean((low <= 1) & (high >= 1)):6.1f}"
            )
        print(line)
    print()


def _one_by_one(spectra: Spectra) -> Fit:
    """The fit of a row of voxels with the line widths of each of its own, as if each had come alone."""
    fewest, fitting.FEWEST_TO_LEARN = fitting.FEWEST_TO_LEARN, 10**6
    try:
        return fit(spectra)
    finally:
        fitting.FEWEST_TO_LEARN = fewest


def wave() -> None:
    """What neither model nor truth simulation holds: a smooth wave of 0.5 ppm under the spectrum, as an echo of water
    may leave it. White matter at 3 T, TE 30 ms, signal to noise 30."""
    print(
        "A wave of 0.5 ppm under the spectrum, 16 single voxels: median bias % of Cho/NAA, Cho/Cr, Glx/Cr, truth held"
    )
    spectra, amounts = simulated.spectra("white", 123.2, 0.030, 30, 16, seed=1)
    place = round(1 / (0.5 * 123.2) / spectra.dwell_time)  # a wave over frequency is a point of the decay
    heights = np.abs(np.fft.fft(spectra.fid, axis=-1)).max(axis=-1)
    random = np.random.default_rng(2)
    for share in (0.0, 0.1, 0.3):
        fid = spectra.fid.copy()
        fid[..., place] += share * heights * np.exp(2j * np.pi * random.random(heights.shape))
        found = _one_by_one(replace(spectra, fid=fid))
        line = f"  {share:.1f} of the highest line"
        for numerator, denominator in (("tCho", "tNAA"), ("tCho", "tCr"), ("Glx", "tCr")):
            true = amounts[numerator] / amounts[denominator]
            ratio = found.ratio(numerator, denominator)
            inside = (ratio.low <= true) & (true <= ratio.high)
            line += f"{100 * (np.nanmedian(ratio.value) / true - 1):+8.1f}{int(inside.sum()):4} of {inside.size}"
        print(f"{line}; accepted {int(found.accepted.sum())}")
    print()


def geometry() -> None:
    """tNAA/tCr against the share of grey matter, in the stated orientation and flipped."""
    print("Correlation of tNAA/tCr with the share of grey matter:")
    for label, value in simulated.orientation(DATA / "abfit_paper").items():
        print(f"  {label:22}{value:+.3f}")
    print()


def changes() -> None:
    """A lesion whose Cho/NAA changes between two dates, grids shifted and turned, each date noise of its own."""
    print("Two dates: true and found change of Cho/NAA in the lesion in %, interval of the log ratio")
    for factor in (1.5, 1.0, 0.7):
        for seed in (11, 31, 51):
            one = test_regions.visit(1.0, (0.0, 0.0), 0.0, seed)
            two = test_regions.visit(1 / factor, (3.0, -2.0), 12.0, seed + 1)
            first, second = ratio(one[1], "tCho", "tNAA", one[2]), ratio(two[1], "tCho", "tNAA", two[2])
            found = change(first, second)
            inside = found.low <= factor <= found.high
            print(
                f"  {100 * (factor - 1):+5.0f}  {100 * (found.value - 1):+6.1f}  [{100 * (found.low - 1):+.1f}, "
                f"{100 * (found.high - 1):+.1f}]  {'inside' if inside else 'outside'}"
            )
    print()


def regions() -> None:
    """Cho/NAA of a lesion over seeds: sum of its voxels and fit of its mean spectrum, with and without the error of the
    line widths that the grid learned."""
    found = {"sum of voxels": [], "mean spectrum": [], "mean spectrum, widths taken as known": []}
    for seed in range(200, 224):
        spectra, grid, overlap, true = test_regions.visit(1.0, (0.0, 0.0), 0.0, seed)
        region = ratio(grid, "tCho", "tNAA", overlap)
        found["sum of voxels"].append((region.value / true, region.low / true, region.high / true))
        mean = mean_spectrum(spectra, grid, overlap)
        for name, errors in zip(list(found)[1:], (grid.width_errors, None), strict=True):
            one = fit(mean, widths=grid.widths, width_errors=errors).ratio("tCho", "tNAA")
            found[name].append(tuple(part.item() / true for part in one))
    print("Cho/NAA of a simulated lesion, 24 seeds: median error %, root mean square %, said %, intervals that hold it")
    for name, rows in found.items():
        value, low, high = np.log(np.array(rows)).T
        held = int(((low <= 0) & (high >= 0)).sum())
        print(
            f"  {name:38}{100 * np.median(value):+6.1f}{100 * np.sqrt(np.mean(value**2)):6.1f}"
            f"{100 * np.mean(high - low) / 3.92:6.1f}  {held} of {len(rows)}"
        )
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


TABLES = {
    "files": files,
    "basis": basis,
    "mrsi": mrsi,
    "svs": svs,
    "geometry": geometry,
    "truth": truth,
    "single": lambda: truth(single=True),
    "drawn": drawn,
    "wave": wave,
    "changes": changes,
    "regions": regions,
    "speed": speed,
}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or TABLES:
        TABLES[chosen]()
