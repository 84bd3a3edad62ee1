"""A DSC phantom with known blood volumes, after the design of Chen 2021 (Med Phys 48:6051).

Nine lesions (three blood volumes by three kinds of leakage) lie in a brain of white matter, grey matter, fluid and
vessels, whose mean curve is the background that leakage correction rests on. The signal is that of a spoiled gradient
echo in which leaked contrast agent shortens T1 and T2* at once; it leaks and returns by the Tofts model. So no
correction is run backwards: its model is only an approximation of this one. Agent inside intact vessels shortens T1 of
the blood alone, as water leaves the vessels slowly against a repetition time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gamma

BLOOD_VOLUMES = (1.0, 2.5, 5.0)  # of the lesions, in units of white matter
# Transfer constant in 1/s and transverse relaxivity of the agent outside the vessels in 1/(s mM): the larger it is, the
# more T2* outweighs T1.
LEAKAGES = {"T1": (0.08 / 60, 3.0), "mixed": (0.15 / 60, 12.0), "T2*": (0.08 / 60, 30.0)}
EXTRAVASCULAR = 0.3  # volume fraction of the extravascular extracellular space
WHITE = 0.02  # blood volume fraction
VASCULAR_RELAXIVITY = 85.0  # 1/(s mM)
T1_RELAXIVITY = 4.5  # 1/(s mM)
FINE = 0.1  # s, step of the simulation


@dataclass
class Phantom:
    """signal ``(time, k, j, i)``, volume (in white matter's) and flow (ml/100 ml/min) ``(k, j, i)``.

    labels: 0 outside, 1 white matter, 2 grey matter, 3 fluid, 4 vessels, 10 to 18 lesions; arterial: mM ``(time,)``.
    """

    signal: np.ndarray
    labels: np.ndarray
    volume: np.ndarray
    echo_time: float
    spacing: float
    arterial: np.ndarray
    flow: np.ndarray

    def lesion(self, volume: int, leakage: int) -> np.ndarray:
        return self.labels == 10 + 3 * volume + leakage


def arterial_curve(time, arrival=25.0):
    """Blood concentration in mM at times in s: first pass, recirculation and slow washout."""

    def pass_(start, width, height):
        t = np.maximum(time - start, 0) / width
        return height * t**3 * np.exp(3 * (1 - t))

    late = np.maximum(time - arrival - 6, 0)
    washout = (1 - np.exp(-late / 8)) * np.exp(-late / 600)
    return pass_(arrival, 4.5, 6.0) + pass_(arrival + 14, 9.0, 0.9) + washout


def convolve(first, second):
    return FINE * np.convolve(first, second)[: first.size]


def phantom(
    snr=100.0, seed=0, slices=4, size=64, frames=90, spacing=1.5, echo_time=0.03, flip_angle=60.0, leakage=1.0,
    arrival=25.0, second_echo_time=None, preload=0.0,
):  # fmt: skip
    """The phantom; snr of white matter's baseline, flip angle in degrees; leakage scales the transfer constants.

    preload: concentration in mM that an earlier dose left in the lesions' extravascular space. With a second echo time
    the signal has a leading axis of two echoes.
    """
    random = np.random.default_rng(seed)
    shape = (slices, size, size)
    labels = np.zeros(shape, int)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    radius = np.hypot(x / 0.8, y / 0.95)
    labels[:, radius < 1] = 2
    labels[:, radius < 0.75] = 1
    labels[:, np.hypot(x / 0.12, y / 0.3) < 1] = 3
    labels[(random.random(shape) < 0.02) & (labels == 2)] = 4
    width = max(3, size // 12)
    for volume in range(3):
        for kind in range(3):
            top, left = int(size * (0.26 + 0.17 * volume)), int(size * (0.59 + 0.075 * kind * 1.35))
            labels[1:-1, top : top + width, left : left + width] = 10 + 3 * volume + kind

    time = np.arange(0, frames * spacing, FINE)
    blood = arterial_curve(time, arrival)
    tissue = {  # blood volume in units of white matter, transit time in s, T1 in s, T2* in s, proton density
        1: (1.0, 5.0, 0.85, 0.050, 0.7), 2: (2.0, 4.0, 1.35, 0.060, 0.8), 3: (0.1, 6.0, 4.0, 0.200, 1.0),
        4: (6.0, 0.5, 1.6, 0.060, 0.9),
    }  # fmt: skip
    leak = {}
    for number, volume in enumerate(BLOOD_VOLUMES):
        for kind, values in enumerate(LEAKAGES.values()):
            tissue[10 + 3 * number + kind] = (volume, 5.0, 1.4, 0.080, 0.85)
            leak[10 + 3 * number + kind] = values
    echoes = [echo_time] if second_echo_time is None else [echo_time, second_echo_time]
    signal = np.zeros((len(echoes), frames, *shape), np.float32)
    volume_map, flow_map = np.zeros(shape), np.zeros(shape)
    steps = np.arange(frames) * round(spacing / FINE)
    angle = np.deg2rad(flip_angle)
    for label, (volume, transit, t1, t2, density) in tissue.items():
        inside = labels == label
        count = int(inside.sum())
        factors = random.uniform(0.8, 1.2, count) if label < 10 else np.ones(count)
        delays = random.uniform(0, 1.5, count) if label < 10 else np.full(count, 0.7)
        residue = np.exp(-time / transit)
        plasma = convolve(blood, residue / (FINE * residue.sum()))
        transfer, relaxivity = leak.get(label, (0.0, 0.0))
        transfer *= leakage
        outside = transfer * convolve(blood, np.exp(-transfer / EXTRAVASCULAR * time))
        delayed = np.stack([np.interp(time[steps] - delay, time, plasma) for delay in delays], axis=1)
        leaked = np.stack([np.interp(time[steps] - delay, time, outside) for delay in delays], axis=1)
        inside_vessels = WHITE * volume * factors * delayed
        if label in leak:
            leaked = leaked + EXTRAVASCULAR * preload
        rate1 = 1 / t1 + T1_RELAXIVITY * (inside_vessels if label == 4 else leaked)
        rate2 = 1 / t2 + VASCULAR_RELAXIVITY * inside_vessels + relaxivity * leaked
        recovery = np.exp(-spacing * rate1)
        excited = density * np.sin(angle) * (1 - recovery) / (1 - np.cos(angle) * recovery)
        for number, one in enumerate(echoes):
            signal[number][:, inside] = 1000 * excited * np.exp(-one * rate2)
        volume_map[inside] = volume * factors
        flow_map[inside] = 6000 * WHITE * volume * factors / transit
    sigma = signal[0, 0][labels == 1].mean() / snr
    noise = random.normal(0, sigma, (2, *signal.shape)).astype(np.float32)
    magnitude = np.hypot(signal + noise[0], noise[1])
    arterial = np.interp(time[steps], time, blood)
    return Phantom(
        magnitude if second_echo_time is not None else magnitude[0], labels, volume_map, echo_time, spacing, arterial,
        flow_map,
    )  # fmt: skip


def gamma_area(height, shape, width):
    """Area of ``height * (t / width)**shape * exp(shape * (1 - t / width))`` over all t > 0."""
    return height * width * np.exp(shape) * shape ** -(shape + 1) * gamma(shape + 1)
