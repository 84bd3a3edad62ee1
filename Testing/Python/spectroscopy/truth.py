"""Spectra with known amounts, made with lineshapes and baselines that the fit's own model does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PseudoProgressionAnalyzerLib.measures import Spectra
from PseudoProgressionAnalyzerLib.spectroscopy.basis import Protocol, fids
from PseudoProgressionAnalyzerLib.spectroscopy.model import METABOLITE_RATE
from PseudoProgressionAnalyzerLib.spectroscopy.spins import (
    SOFT_RATIOS,
    WIDTH_OTHERS,
    WIDTH_SPREAD,
    WIDTHS,
    WIDTHS_ALIKE,
)

# mmol/L, of the order of published white matter and glioma values (chosen for the test).
WHITE = {
    "NAA": 8.0, "NAAG": 1.6, "Cr": 3.2, "PCr": 2.6, "GPC": 1.2, "PCh": 0.4, "Ins": 4.0, "Glu": 6.5, "Gln": 1.5,
    "GSH": 1.0, "Tau": 0.8, "Asp": 1.0, "GABA": 0.8, "sIns": 0.2, "Lac": 0.4,
}  # fmt: skip
TUMOUR = WHITE | {
    "NAA": 2.2, "NAAG": 0.3, "Cr": 2.2, "PCr": 1.8, "GPC": 1.5, "PCh": 1.5, "Ins": 4.5, "Glu": 4.0, "Gln": 3.0,
    "Lac": 5.0,
}  # fmt: skip
BROAD = {"MM09": 3.0, "MM12": 1.0, "MM14": 2.5, "MM17": 1.2, "MM20": 4.5}
LIPIDS = {"Lip13a": 4.0, "Lip13b": 2.0, "Lip09": 1.5, "Lip20": 0.9}
TISSUES = {"white": (WHITE, BROAD), "tumour": (TUMOUR, BROAD | LIPIDS)}
BROAD_T2 = 0.040  # s
# ms in white and grey matter at 3 T: Wyss et al., Magn Reson Med 2018;80:452, as listed in Osprey (of grey matter the
# mean of two regions; of GABA and taurine none in white matter, so that of grey matter stands for it).
T2 = {
    "NAA": (343, 258), "NAAG": (185, 117.5), "Cr": (166, 146), "PCr": (166, 146), "GPC": (218, 248), "PCh": (218, 248),
    "Ins": (161, 236.5), "Glu": (124, 128.5), "Gln": (168, 110.5), "GSH": (145, 88.5), "Tau": (112.5, 112.5),
    "Asp": (148, 100.5), "GABA": (88.5, 88.5), "sIns": (170, 116), "Lac": (159, 104.5),
}  # fmt: skip
# Hz at half maximum that a metabolite has beyond the rest: of published T2, of the basis set of LCModel's test, and all
# alike. The fit's own are none of these. The same at 1.5 T, where T2 is longer: the harder case.
LINE_WIDTHS = {
    "T2": {name: 1e3 / np.pi / white for name, (white, _) in T2.items()},
    "T2 grey": {name: 1e3 / np.pi / grey for name, (_, grey) in T2.items()},
    "basis": dict.fromkeys(WHITE, 2.0) | {"NAA": 0.5, "NAAG": 0.5, "Ins": 0.5},
    "alike": dict.fromkeys(WHITE, 1.5),
}


def spectra(
    tissue: str | tuple[dict[str, float], dict[str, float]],
    frequency: float,
    echo_time: float,
    snr: float,
    voxels: int,
    seed: int,
    *,
    naa: float = 1.0,
    widths: str | dict[str, float] = "T2",
) -> tuple[Spectra, dict[str, float]]:
    """A row of voxels of one tissue, and the true amounts of the sums; tissue, widths: one of those above, or its own.

    The line is that of a voxel over which the field falls off linearly and bends: the mean over a skewed spread of
    frequencies, which is neither Lorentzian nor Gaussian; the baseline is a broad bump and the foot of a fat signal at
    random phases. snr: highest metabolite line over the noise's standard deviation in the real spectrum at the points
    of the transform without zero filling.
    """
    random = np.random.default_rng(seed)
    points, width = (1024, 2000.0) if frequency > 100 else (1024, 1000.0)
    time = np.arange(points) / width
    amounts, broad = TISSUES[tissue] if isinstance(tissue, str) else tissue
    widths = LINE_WIDTHS[widths] if isinstance(widths, str) else widths
    amounts = amounts | {name: naa * amounts[name] for name in ("NAA", "NAAG")}
    protocol = Protocol(frequency, echo_time)
    names = tuple(amounts) + tuple(broad)
    decays = np.exp(-echo_time / BROAD_T2 * np.ones(len(names)))
    weights = np.array([*amounts.values(), *broad.values()])
    weights[len(amounts) :] *= decays[len(amounts) :]
    own = np.array([widths[name] if name in amounts else 0.0 for name in names])
    lines = fids(protocol, points, 1 / width, names) * np.exp(-np.pi * own[:, None] * time)

    result = np.empty((voxels, points), complex)
    for voxel in range(voxels):
        own_shift = random.normal(0, 0.002 * frequency, len(names))
        clean = weights @ (lines * np.exp(2j * np.pi * own_shift[:, None] * time))
        place = random.uniform(-1, 1, 400)
        spread = 0.022 * frequency * (place + random.uniform(-0.35, 0.35) * (place**2 - 1 / 3))
        shape = np.exp(2j * np.pi * np.outer(spread, time)).mean(axis=0) * np.exp(-np.pi * 1.5 * time)
        clean = clean * shape
        height = np.abs(np.fft.fft(clean)).max()
        bump = random.uniform(0.5, 1.5) * np.exp(
            2j * np.pi * frequency * (4.65 - random.uniform(2.2, 3.2)) * time - (0.45 * frequency * time) ** 2 * 2
        )
        foot = 0.5 * random.normal() * np.exp(2j * np.pi * frequency * (4.65 - 0.0) * time - 0.6 * frequency * time)
        rough = bump * np.exp(1j * random.normal(0, 0.3)) + foot * np.exp(1j * random.uniform(0, 6.3))
        clean = clean + 0.02 * weights[: len(amounts)].sum() * rough
        clean = clean * np.exp(1j * random.uniform(-np.pi, np.pi) + 2j * np.pi * random.uniform(-5, 5) * time)
        noise = height / snr / np.sqrt(points)  # of real and imaginary part of every point of the decay, each
        result[voxel] = clean + noise * (random.normal(size=points) + 1j * random.normal(size=points)) / np.sqrt(1)
    sums = {"tNAA": ("NAA", "NAAG"), "tCho": ("GPC", "PCh"), "tCr": ("Cr", "PCr"), "Glx": ("Glu", "Gln")}
    true = {name: sum(amounts[part] for part in parts) for name, parts in sums.items()}
    return (
        Spectra(
            result.astype(np.complex64).reshape(1, 1, voxels, points),
            1 / width,
            frequency,
            echo_time,
            "1H",
            np.diag([10.0, 10.0, 15.0, 1.0]),
            sequence="PRESS",
        ),
        true | amounts,
    )


def drawn(
    tissue: str, frequency: float, echo_time: float, snr: float, voxels: int, seed: int
) -> tuple[Spectra, list[dict[str, float]]]:
    """As ``spectra``, but line widths and what the soft ratios hold differ from voxel to voxel by as much as the fit
    expects, so that 95 % of its intervals must hold the truth (Cook et al., J Comput Graph Stat 2006;15:675); and the
    true amounts of each voxel."""
    random = np.random.default_rng(seed)
    rate = METABOLITE_RATE / np.pi * np.sqrt(frequency / 85.16)
    found, true = [], []
    for _ in range(voxels):
        widths = {}
        for alike in WIDTHS_ALIKE:
            away = 0.8 + WIDTH_SPREAD * random.normal()  # 0.8 Hz more for all, so that none is negative
            for name in alike:
                widths[name] = max(0.05, WIDTHS.get(name, WIDTH_OTHERS) + away + rate * random.normal())
        amounts, broad = (dict(part) for part in TISSUES[tissue])
        together = amounts | broad
        for soft in SOFT_RATIOS:
            if soft.name in together and soft.name not in soft.over:
                over = sum(weight * together.get(name, 0.0) for name, weight in soft.over.items())
                scale = over + sum(weight * together.get(name, 0.0) for name, weight in soft.others.items())
                together[soft.name] = abs(soft.ratio * over + soft.deviation * scale * random.normal())
        parts = tuple({name: together[name] for name in part} for part in (amounts, broad))
        one, amount = spectra(parts, frequency, echo_time, snr, 1, int(random.integers(2**31)), widths=widths)
        found.append(one.fid)
        true.append(amount)
    return replace(one, fid=np.concatenate(found, axis=2)), true


def orientation(folder) -> dict[str, float]:
    """Correlation of tNAA/tCr with the share of grey matter in a real grid, as stated and with its axes flipped."""
    import csv

    import SimpleITK as sitk

    from PseudoProgressionAnalyzerLib.formats.spectra import load
    from PseudoProgressionAnalyzerLib.spectroscopy import fit

    found = load(folder / "2D_MRSI_nifti-mrs.nii.gz")
    rows = [row for row in csv.DictReader((folder / "abfit_mrsi_reference.csv").open()) if row["corner"] == "False"]
    mask = np.zeros(found.shape, bool)
    for row in rows:
        mask[0, int(row["y"]), int(row["x"])] = True
    ratio = fit(found, sequence="sLASER", mask=mask).ratio("tNAA", "tCr").value
    labels = sitk.ReadImage(str(folder / "brain_seg.nii.gz"))
    tissue = sitk.GetArrayFromImage(labels)
    fine = (np.arange(8) + 0.5) / 8 - 0.5
    offsets = np.array(np.meshgrid(fine, fine, fine)).reshape(3, -1)
    k, j, i = np.nonzero(mask)

    def grey(i, j):
        share = []
        for x, y, z in zip(i, j, k, strict=True):
            places = np.vstack([offsets + np.array([[x], [y], [z]]), np.ones((1, offsets.shape[1]))])
            ras = (found.affine @ places)[:3]
            seen = []
            for point in ras.T:
                place = labels.TransformPhysicalPointToIndex((-point[0], -point[1], point[2]))
                inside = all(0 <= a < b for a, b in zip(place, labels.GetSize(), strict=True))
                seen.append(tissue[place[::-1]] if inside else 0)
            seen = np.array(seen)
            share.append((seen == 2).sum() / max(((seen == 2) | (seen == 3)).sum(), 1))
        return np.array(share)

    length = found.shape[1] - 1
    values = ratio[k, j, i]
    return {
        "as stated": np.corrcoef(values, grey(i, j))[0, 1],
        "left and right flipped": np.corrcoef(values, grey(length - i, j))[0, 1],
        "front and back flipped": np.corrcoef(values, grey(i, length - j))[0, 1],
        "both flipped": np.corrcoef(values, grey(length - i, length - j))[0, 1],
    }
