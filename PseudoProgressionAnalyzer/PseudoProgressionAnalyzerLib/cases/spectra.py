"""Spectroscopic imaging of a simulated head: decays of every voxel with what a scanner does to them, as NIfTI-MRS.

Lines are not of any textbook shape: each is the mean over the points of a voxel of a field that bends across it. On top
lie relaxation, eddy currents, phases and frequencies that differ from voxel to voxel, what is left of the water, and
noise.
"""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import numpy as np

from ..measures import Image
from . import grids, metabolites
from .disease import State
from .plans import Lesion
from .resonances import Sequence, signals
from .scans import Prescription

SEQUENCE = Sequence()
BOX = (96.0, 96.0, 30.0)
"""mm along the grid's axes: what PRESS excites."""
EDGE = 3.0
"""mm over which the excitation falls off at the box's edge."""
NOISE = 1.8
"""Standard deviation of real and imaginary part of a point of the decay, mmol/L of protons (chosen)."""
T2 = {"NAA": 0.26, "NAAG": 0.26, "GPC": 0.22, "PCh": 0.22, "Cr": 0.16, "PCr": 0.16, "Lac": 0.24, "Ins": 0.20,
      "Glu": 0.18, "Gln": 0.18, "lipid": 0.06, "macromolecule": 0.035, "water": 0.08}  # fmt: skip
"""s, at 3 T (chosen, of the usual order)."""
BROADENING = 2.5
"""Hz: width of every line beyond what relaxation and the field make."""
WATER_PROTONS = 2 * 55000.0
"""mmol/L of protons in pure water."""
LEFT = 2e-4
"""Share of the water that suppression leaves, on the average."""


def simulated(
    state: State, lesion: Lesion, pose: np.ndarray, scan: Prescription, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decays with and without water suppression, complex64 ``(k, j, i, points)``, and the grid's affine (RAS mm)."""
    affine = scan.affine(pose)
    held, water = metabolites.seen(state, lesion, scan, affine, pose)
    known, time = signals(SEQUENCE), SEQUENCE.time
    clean = np.zeros((*scan.shape, SEQUENCE.points), complex)
    for molecule, amount in held.items():
        decay = np.exp(-(SEQUENCE.echo_time + time) / T2[molecule])
        clean += np.asarray(amount)[..., None] * (known[molecule] * decay)
    share = excited(scan, affine)[..., None]
    line = _line(scan, affine, pose, rng)
    turn = np.exp(1j * (rng.uniform(-np.pi, np.pi) + 0.25 * rng.standard_normal((*scan.shape, 1))))
    turn = turn * np.exp(1j * _eddy_phase(scan.shape, rng))
    pure = WATER_PROTONS * water[..., None] * np.exp(-(SEQUENCE.echo_time + time) / T2["water"]) * np.ones_like(clean)
    left = LEFT * np.exp(0.5 * rng.standard_normal((*scan.shape, 1)) + 1j * rng.uniform(0, 2 * np.pi, (*scan.shape, 1)))
    left = left * np.exp(2j * np.pi * rng.normal(0, 3.0, (*scan.shape, 1)) * time)

    def noisy(signal: np.ndarray) -> np.ndarray:
        noise = rng.standard_normal((*signal.shape, 2)) @ np.array([1, 1j])
        return (signal * share * line * turn + NOISE * noise).astype(np.complex64)

    return noisy(clean + left * pure), noisy(pure), affine


def write(path: Path, fid: np.ndarray, affine: np.ndarray, suppressed: bool) -> None:
    """Writes decays ``(k, j, i, points)`` as NIfTI-MRS 0.9 (NIfTI-2, complex64, JSON in a header extension)."""
    box = affine.copy()
    box[:3, :3] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) * BOX
    box[:3, 3] = (affine @ [*((np.array(fid.shape[2::-1]) - 1) / 2), 1.0])[:3]
    said = {
        "SpectrometerFrequency": [SEQUENCE.frequency],
        "ResonantNucleus": ["1H"],
        "EchoTime": SEQUENCE.echo_time,
        "RepetitionTime": SEQUENCE.repetition_time,
        "SequenceName": "PRESS",
        "WaterSuppressed": suppressed,
        "Manufacturer": "simulated",
        "VOI": np.round(box, 6).tolist(),
    }
    text = json.dumps(said).encode()
    extension = text + b"\x00" * (-(len(text) + 8) % 16)
    offset = 544 + 8 + len(extension)
    header = bytearray(544)
    struct.pack_into("<i8shh", header, 0, 540, b"n+2\x00\r\n\x1a\n", 32, 64)
    struct.pack_into("<8q", header, 16, 4, *fid.shape[2::-1], fid.shape[3], 1, 1, 1)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    struct.pack_into("<8d", header, 104, 1.0, *spacing, SEQUENCE.dwell_time, 1.0, 1.0, 1.0)
    struct.pack_into("<q", header, 168, offset)
    struct.pack_into("<2i", header, 344, 0, 2)  # qform unset, sform of an aligned kind
    struct.pack_into("<12d", header, 400, *affine[:3].ravel())
    struct.pack_into("<i", header, 500, 2 | 8)  # mm, s
    struct.pack_into("<16s", header, 504, b"mrs_v0_9")
    header[540] = 1
    values = np.asfortranarray(fid.transpose(2, 1, 0, 3)).tobytes(order="F")
    content = bytes(header) + struct.pack("<2i", 8 + len(extension), 44) + extension + values
    path.write_bytes(gzip.compress(content, compresslevel=1, mtime=0))


def excited(scan: Prescription, affine: np.ndarray) -> np.ndarray:
    """How much of each voxel PRESS excites, 0 to 1 ``(k, j, i)``: a box with soft edges around the grid's centre."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    share = np.ones(scan.shape)
    for axis, size in enumerate(BOX):
        length = scan.shape[2 - axis]
        fine = (np.arange(8 * length) + 0.5) / 8 * spacing[axis] - length * spacing[axis] / 2
        inside = np.clip((size / 2 - np.abs(fine)) / EDGE + 0.5, 0, 1).reshape(length, 8).mean(axis=1)
        share = share * inside.reshape([-1 if 2 - axis == each else 1 for each in range(3)])
    return share


def _line(scan: Prescription, affine: np.ndarray, pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the field does to every decay of a voxel, complex ``(k, j, i, points)``: the mean over its points."""
    parts = np.array(scan.parts)
    fine = affine.copy()
    fine[:3, :3] = affine[:3, :3] / parts
    fine[:3, 3] = affine[:3, 3] - affine[:3, :3] @ ((parts - 1) / (2.0 * parts))
    shape = tuple(int(size) for size in np.array(scan.shape) * parts[::-1])
    spacing = np.diag([*np.linalg.norm(fine[:3, :3], axis=0), 1.0])
    upright = Image(np.empty(shape, np.bool_), spacing)
    hertz = sum(
        size * grids.resampled(grids.smooth_field(rng, upright, length), shape, spacing)
        for size, length in ((6.0, 25.0), (2.5, 7.0))
    )
    points = np.indices(shape, dtype=np.float32)[::-1].reshape(3, -1)
    to_head = np.linalg.inv(pose) @ fine
    x, y, z = (to_head[:3, :3] @ points + to_head[:3, 3:]).reshape(3, *shape)
    hertz = hertz + 90.0 * np.exp(-(x**2 + (y - 32) ** 2 + (z + 30) ** 2) / (2 * 25.0**2))  # above the sinuses
    k, j, i = scan.shape
    inside = hertz.reshape(k, parts[2], j, parts[1], i, parts[0]).transpose(0, 2, 4, 1, 3, 5).reshape(k, j, i, -1)
    time = SEQUENCE.time
    step = np.exp(2j * np.pi * inside * SEQUENCE.dwell_time)
    decay, power = np.empty((k, j, i, len(time)), complex), np.ones_like(step)
    for point in range(len(time)):
        decay[..., point] = power.mean(axis=-1)
        power *= step
    return decay * np.exp(-np.pi * BROADENING * time)


def _eddy_phase(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Phase in rad that eddy currents add to every point of the decays ``(k, j, i, points)``."""
    size = 0.6 + 0.2 * rng.standard_normal((*shape, 1))
    return size * (1 - np.exp(-SEQUENCE.time / 0.04))
