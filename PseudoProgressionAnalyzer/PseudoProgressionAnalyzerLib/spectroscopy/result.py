"""What a fit found in every voxel."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..measures import InputError, Message
from . import ratios
from .basis import Protocol
from .model import GAUSS, LORENTZ, Model
from .spins import SUMS

WIDEST = 0.1  # ppm: line width above which choline and creatine run together
LEAST_SNR = 3.0
MOST_ERROR = 0.2
"""Cramer-Rao bound over the amplitude above which an amount is called uncertain: 20 % is the conservative threshold of
Bonny and Pages, Magn Reson Med 2019 (doi 10.1002/mrm.27415). An amount beyond it is flagged and stays, as where NAA is
lost its relative bound is high. A voxel in which all three of tNAA, tCho and tCr are beyond it is not accepted: then
nothing is known that a ratio could rest on."""


@dataclass(frozen=True)
class Curves:
    """One voxel to plot, over ppm ``(n,)``: data, fit (baseline included), baseline, single metabolites by name.

    The metabolites are empty where the fit came back from a file or scene: it keeps the three curves only.
    """

    ppm: np.ndarray
    data: np.ndarray
    fit: np.ndarray
    baseline: np.ndarray
    metabolites: dict[str, np.ndarray]


@dataclass(frozen=True)
class Fit:
    """Amplitudes in every voxel; maps are ``(k, j, i)``, NaN where there was no signal to fit.

    Amplitudes count molecules on a scale of the scanner's own: only ratios have a meaning. names: of the columns;
    protocol: what was simulated; ppm: of the curves ``(n,)``; fwhm: line width in ppm that all metabolites share,
    beside which each has one of its own (``spins.WIDTHS``); snr: height of the fit over the baseline against twice the
    residual's standard deviation; residual: its variance in variances of the noise (1 for a fit down to the noise);
    shift: Hz by which the voxel's frequency differs from the stated one; phase: rad by which it was turned; accepted:
    bool, see ``fitting.fit``; affine: 4x4, index to RAS mm; flags: what a reader should know.
    amplitudes ``(k, j, i, names)`` with covariances ``(k, j, i, names, names)``, and the part of these that voxels of
    one kind have in common (``engine.covariances``), None where it is not known; spectra: phased data, fit with
    baseline, and baseline of every voxel, float32 ``(k, j, i, 3, n)``. model and parameters give single metabolites.
    widths: line widths (Hz) that the metabolites of a grid have in common, width_errors: their covariance, Hz^2
    ``(names, names)``; empty and None where each voxel was free.
    """

    names: tuple[str, ...]
    protocol: Protocol
    affine: np.ndarray
    ppm: np.ndarray
    fwhm: np.ndarray
    snr: np.ndarray
    residual: np.ndarray
    shift: np.ndarray
    phase: np.ndarray
    accepted: np.ndarray
    flags: tuple[Message, ...]
    amplitudes: np.ndarray
    covariances: np.ndarray
    spectra: np.ndarray
    model: Model | None = None
    parameters: np.ndarray | None = None
    widths: dict[str, float] = field(default_factory=dict)
    width_errors: np.ndarray | None = None
    common: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along ``(k, j, i)``."""
        return self.fwhm.shape

    def amplitude(self, name: str, where: np.ndarray | None = None) -> np.ndarray:
        """Amplitude of a metabolite or a sum (tNAA, tCho, tCr, Glx, Lip13, LipLac).

        where: bool ``(k, j, i)``, to have ``(n,)`` of these voxels only. Raises InputError ``spectra_metabolite``.
        """
        return (self.amplitudes if where is None else self.amplitudes[where]) @ self.weights(name)

    def bound(self, name: str) -> np.ndarray:
        """Cramer-Rao bound (standard deviation) of an amplitude, of a sum with the covariance of its parts."""
        return np.sqrt(self.covariance(name, name))

    def covariance(self, first: str, second: str, where: np.ndarray | None = None) -> np.ndarray:
        """Covariance of two amplitudes; where as in ``amplitude``."""
        covariances = self.covariances if where is None else self.covariances[where]
        return (covariances @ self.weights(second)) @ self.weights(first)

    @cached_property
    def singlets(self) -> np.ndarray:
        """NAA + Cr + 3 Cho of every voxel: how much tissue it shows."""
        return self.amplitude("tNAA") + self.amplitude("tCr") + 3 * self.amplitude("tCho")

    @cached_property
    def remembered(self) -> dict:
        """Room for what was summed up of this fit, so that it need not be done again after every stroke."""
        return {}

    @cached_property
    def usual(self) -> float:
        """Median of ``singlets`` over the accepted voxels; NaN without any."""
        return float(np.median(self.singlets[self.accepted])) if self.accepted.any() else np.nan

    def detected(self, name: str) -> np.ndarray:
        """Whether an amplitude can be told from zero (95 %), bool."""
        with np.errstate(invalid="ignore"):
            return self.amplitude(name) > ratios.Z * self.bound(name)

    def uncertain(self, name: str) -> np.ndarray:
        """Whether an amplitude is known to no better than MOST_ERROR, bool; what is not there at all is."""
        with np.errstate(invalid="ignore"):
            return ~(self.bound(name) <= MOST_ERROR * self.amplitude(name))

    def ratio(self, numerator: str, denominator: str, kind: str = "molar") -> ratios.Ratio:
        """Ratio of two amplitudes with its 95 % interval, molar or as peak areas (see ``ratios.kind_factor``)."""
        factor = ratios.kind_factor(numerator, denominator, kind)
        found = ratios.fieller(
            self.amplitude(numerator),
            self.amplitude(denominator),
            self.covariance(numerator, numerator),
            self.covariance(denominator, denominator),
            self.covariance(numerator, denominator),
        )
        return ratios.Ratio(*(factor * part for part in found))

    def share(self, name: str, other: str) -> ratios.Ratio:
        """Bounded index name / (name + other), such as Cho/(Cho+NAA), with its 95 % interval."""
        over = self.ratio(other, name)
        own, rest = self.amplitude(name), self.amplitude(other)
        # A share is 1 / (1 + other/name): it has a value where name is detected, up to 1 where other is not.
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(np.isfinite(over.high), own / (own + rest), np.nan)
        return ratios.Ratio(value, 1 / (1 + over.high), 1 / (1 + over.low))

    def curves(self, voxel: tuple[int, int, int]) -> Curves:
        """One voxel ``(k, j, i)`` to plot, in the scanner's units. Raises InputError ``spectra_voxel``."""
        if not all(0 <= place < length for place, length in zip(voxel, self.shape, strict=True)):
            raise InputError("spectra_voxel", voxel=str(voxel), shape=str(self.shape))
        data, fit, baseline = self.spectra[voxel]
        if not np.isfinite(data).all():
            raise InputError("spectra_voxel_empty", voxel=str(voxel))
        return Curves(self.ppm, data, fit, baseline, self._metabolites(voxel))

    def _metabolites(self, voxel: tuple[int, int, int]) -> dict[str, np.ndarray]:
        """The spectrum of every column in one voxel; empty without a model."""
        if self.model is None or self.parameters is None:
            return {}
        single = self.model.spectra(self.model.columns(self.parameters[voxel][None])[0]).real
        return dict(zip(self.names, single * self.amplitudes[voxel][:, None], strict=True))

    def holds(self, name: str) -> bool:
        """Whether a metabolite or all parts of a sum were fitted."""
        return set(SUMS.get(name, (name,))) <= set(self.names)

    def weights(self, name: str) -> np.ndarray:
        """What turns amplitudes ``(..., names)`` into that of a metabolite or a sum ``(names,)``. Raises InputError
        ``spectra_metabolite``."""
        parts = SUMS.get(name, (name,))
        if not self.holds(name):
            raise InputError("spectra_metabolite", name=name, known=", ".join((*SUMS, *self.names)))
        return np.array([float(own in parts) for own in self.names])


def line_width(parameters: np.ndarray, frequency: float) -> np.ndarray:
    """Full width at half maximum of the Voigt line in ppm (Olivero and Longbothum, J Quant Spectrosc 1977;17:233)."""
    lorentz = parameters[:, LORENTZ]
    gauss = 2 * np.sqrt(np.log(2) * np.maximum(parameters[:, GAUSS], 0)) / np.pi
    return (0.5346 * lorentz + np.sqrt(0.2166 * lorentz**2 + gauss**2)) / frequency
