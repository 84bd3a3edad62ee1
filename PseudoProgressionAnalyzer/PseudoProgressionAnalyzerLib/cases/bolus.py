"""The passage of a contrast agent bolus through a DSC series (gradient echo, echo planar).

Vessels: concentration = blood volume x arterial input convolved with exp(-t / MTT) / MTT, the residue function of a
well-mixed compartment. Leakage: concentration = Ktrans x plasma concentration convolved with exp(-Ktrans t / ve)
(Tofts). Agent in vessels shortens T2*, agent that has leaked T2* and T1, each with relaxivities of its own, as in
digital reference objects for DSC (Semmineh et al. 2017, Tomography 3:41). What agent in vessels does to T1 is left out:
it reaches only the few percent of the water that are blood. Longitudinal magnetisation is followed from excitation to
excitation; nothing is assumed to be steady. This is no correction model run backwards: leaked agent washes back, T1
acts nonlinearly, and transit times differ between tissues.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .structural import RELAXIVITY
from .tissues import FAT_SUPPRESSION, TISSUES, Tissue

FINE_STEP = 0.1
"""Time step of concentrations in s."""
HAEMATOCRIT = 0.42
"""Of arterial blood: Donahue et al. 2016, table 1."""
EXTRAVASCULAR_SPACE = 0.285
"""ve of glioma voxels: Skinner et al. 2016, AJNR 37:80."""
VESSEL_RELAXIVITY = 90.0
"""T2* relaxivity in L/(mmol s) of agent in small vessels per tissue concentration: chosen so that white matter loses
about a fifth and grey matter nearly half of its signal."""
BLOOD_RELAXIVITY = 10.0
"""The same of agent within large vessels: chosen so that arteries peak near 70 1/s."""
LEAKED_RELAXIVITY = (5.0, 85.0)
"""The same of leaked agent, where T1 and where T2* dominates: chosen so that both kinds occur (Skinner et al. 2016
measured both with much the same Ktrans)."""
DUMMY_SCANS = 2


@dataclass(frozen=True)
class Protocol:
    """A DSC acquisition. Times in s, angle in degrees; arrival: s from the first frame."""

    echo_time: float = 0.030
    repetition_time: float = 1.5
    flip_angle: float = 60.0
    frames: int = 60
    arrival: float = 21.0

    @property
    def fine_times(self) -> np.ndarray:
        """Times in s of the concentrations, from the first dummy scan on."""
        start = -DUMMY_SCANS * self.repetition_time
        return np.arange(start, self.frames * self.repetition_time, FINE_STEP)

    def at_frames(self, curve: np.ndarray) -> np.ndarray:
        """Values of a curve over the fine times at every excitation, dummy scans included."""
        count = self.frames + DUMMY_SCANS
        return curve[np.rint(np.arange(count) * self.repetition_time / FINE_STEP).astype(int)]


def arterial_input(times: np.ndarray, arrival: float, peak: float = 7.0) -> np.ndarray:
    """Arterial blood concentration in mmol/L at times in s: a gamma variate, its second pass and what stays.

    The first pass is t^3 exp(-t / 1.5 s) scaled to its peak (chosen); the second pass comes 9 s later and broader.
    """

    def gamma_variate(t, power, scale):
        t = np.maximum(t, 0.0)
        top = power * scale
        return (t / top) ** power * np.exp(power - t / scale)

    after = np.maximum(times - arrival, 0.0)
    first = gamma_variate(after, 3.0, 1.5)
    second = 0.16 * gamma_variate(after - 9.0, 2.0, 3.5)
    remaining = 0.12 * (1 - np.exp(-np.maximum(after - 4.0, 0.0) / 6.0)) * np.exp(-after / 400.0)
    return peak * (first + second + remaining)


def convolved(curve: np.ndarray, rate: float) -> np.ndarray:
    """A curve over the fine times convolved with exp(-rate t), rate in 1/s: same length, unit times s."""
    weight = -np.expm1(-rate * FINE_STEP) / rate if rate else FINE_STEP  # the kernel's area over one step
    return np.convolve(curve, weight * np.exp(-rate * FINE_STEP * np.arange(curve.size)))[: curve.size]


def tissue_signal(
    protocol: Protocol,
    tissue: Tissue,
    arterial: np.ndarray,
    blood_volume: np.ndarray,
    transfer: float = 0.0,
    leaked_relaxivity: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Signal (frames, n) of n pieces of a tissue.

    arterial: blood concentration in mmol/L over the fine times. blood_volume: mL per mL, (n,). transfer: Ktrans in
    1/min. leaked_relaxivity: of T2* in L/(mmol s) per tissue concentration, scalar or (n,).
    """
    large = tissue.blood_volume == 1.0
    in_vessels = arterial if large else convolved(arterial, 1 / tissue.transit_time) / tissue.transit_time
    in_vessels = protocol.at_frames(in_vessels)
    per_second = transfer / 60.0
    plasma = arterial / (1 - HAEMATOCRIT)
    leaked = protocol.at_frames(per_second * convolved(plasma, per_second / EXTRAVASCULAR_SPACE))
    vessel_relaxivity = BLOOD_RELAXIVITY if large else VESSEL_RELAXIVITY

    cosine, sine = np.cos(np.radians(protocol.flip_angle)), np.sin(np.radians(protocol.flip_angle))
    blood_volume = np.asarray(blood_volume, dtype=np.float32)
    rest = np.float32(tissue.density * sine * np.exp(-protocol.echo_time / tissue.t2_star))
    longitudinal = np.float32(1.0)
    signal = np.empty((protocol.frames, blood_volume.size), np.float32)
    for excitation, (vascular, extravascular) in enumerate(zip(in_vessels, leaked, strict=True)):
        vascular, extravascular = np.float32(vascular), np.float32(extravascular)
        if excitation >= DUMMY_SCANS:
            r2_star = vessel_relaxivity * vascular * blood_volume + leaked_relaxivity * extravascular
            signal[excitation - DUMMY_SCANS] = rest * longitudinal * np.exp(-protocol.echo_time * r2_star)
        r1 = 1 / tissue.t1 + RELAXIVITY * extravascular
        longitudinal = 1 - (1 - longitudinal * cosine) * np.exp(-protocol.repetition_time * r1)
    return signal


def series(
    protocol: Protocol,
    shares: dict[str, np.ndarray],
    perfusion: np.ndarray,
    blood_volume: np.ndarray,
    t2_star_share: np.ndarray,
    transfer: float,
) -> np.ndarray:
    """A DSC series without noise, float32 (time, k, j, i): in every voxel the sum of its tissues' signals.

    shares: of each tissue in each voxel (k, j, i). perfusion: factor on the blood volume of normal tissue.
    blood_volume (mL per mL) and t2_star_share of the enhancing tissue in each voxel. transfer: its Ktrans in 1/min.
    """
    arterial = arterial_input(protocol.fine_times, protocol.arrival)
    venous = convolved(arterial_input(protocol.fine_times, protocol.arrival + 3.5), 1 / 2.0) / 2.0
    shape = perfusion.shape
    total = np.zeros((protocol.frames, perfusion.size), np.float32)
    for name, share in shares.items():
        share, tissue = share.ravel(), TISSUES[name]
        voxels = np.flatnonzero(share > 1e-3)
        weight = share[voxels] * (FAT_SUPPRESSION if name == "fat" else 1.0)
        if name == "enhancing":
            low, high = LEAKED_RELAXIVITY
            relaxivity = (low + (high - low) * t2_star_share.ravel()[voxels]).astype(np.float32)
            part = tissue_signal(protocol, tissue, arterial, blood_volume.ravel()[voxels], transfer, relaxivity)
        elif name in ("white", "grey", "oedema"):
            part = tissue_signal(protocol, tissue, arterial, tissue.blood_volume * perfusion.ravel()[voxels])
        else:
            curve = venous if name == "vein" else arterial
            leak = 0.12 if name == "mucosa" else 0.0
            part = tissue_signal(protocol, tissue, curve, np.array([tissue.blood_volume]), leak, 20.0)
        total[:, voxels] += weight * part
    return total.reshape(protocol.frames, *shape)
