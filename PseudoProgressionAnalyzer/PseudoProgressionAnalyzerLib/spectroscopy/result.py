"""What a fit found in every voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import InputError, Message
from . import ratios
from .model import GAUSS, LORENTZ, PHASE, PIVOT, SLOPE, Model
from .spins import SUMS

WIDEST = 0.1  # ppm: line width above which choline and creatine run together
LEAST_SNR = 3.0
MOST_ERROR = 0.2  # of at least one of tNAA, tCho, tCr


@dataclass(frozen=True)
class Curves:
    """One voxel to plot, over ppm ``(n,)``: data, fit (baseline included), baseline, single metabolites by name."""

    ppm: np.ndarray
    data: np.ndarray
    fit: np.ndarray
    baseline: np.ndarray
    metabolites: dict[str, np.ndarray]


@dataclass(frozen=True)
class Fit:
    """Amplitudes in every voxel; maps are ``(k, j, i)``, NaN where there was no signal to fit.

    Amplitudes count molecules on a scale of the scanner's own: only ratios have a meaning. fwhm: line width in ppm;
    snr: height of the fit over the baseline against twice the residual's standard deviation; residual: its variance in
    variances of the noise (1 for a fit down to the noise); shift: Hz by which the voxel's frequency differs from the
    stated one; phase: rad by which it was turned; accepted: bool, see ``fitting.fit``; affine: 4x4, index to RAS mm;
    flags: what a reader should know.
    """

    names: tuple[str, ...]
    affine: np.ndarray
    fwhm: np.ndarray
    snr: np.ndarray
    residual: np.ndarray
    shift: np.ndarray
    phase: np.ndarray
    accepted: np.ndarray
    model: Model
    flags: tuple[Message, ...]
    _amplitudes: np.ndarray
    _covariances: np.ndarray
    _parameters: np.ndarray
    _data: np.ndarray
    _kept: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along ``(k, j, i)``."""
        return self.fwhm.shape

    def amplitude(self, name: str) -> np.ndarray:
        """Amplitude of a metabolite or a sum (tNAA, tCho, tCr, Glx). Raises InputError ``spectra_metabolite``."""
        return (self._amplitudes @ self._weights(name)).reshape(self.shape)

    def bound(self, name: str) -> np.ndarray:
        """Cramer-Rao bound (standard deviation) of an amplitude, of a sum with the covariance of its parts."""
        return np.sqrt(self.covariance(name, name))

    def covariance(self, first: str, second: str) -> np.ndarray:
        """Covariance of two amplitudes."""
        weights = self._weights(first), self._weights(second)
        return np.einsum("k,vkl,l->v", weights[0], self._covariances, weights[1]).reshape(self.shape)

    def detected(self, name: str) -> np.ndarray:
        """Whether an amplitude can be told from zero (95 %), bool."""
        with np.errstate(invalid="ignore"):
            return self.amplitude(name) > ratios.Z * self.bound(name)

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
        ratio = self.ratio(other, name)
        # A share is 1 / (1 + other/name): nothing of either is an index of 0 or 1, never infinite.
        return ratios.Ratio(1 / (1 + ratio.value), 1 / (1 + ratio.high), 1 / (1 + ratio.low))

    def curves(self, voxel: tuple[int, int, int]) -> Curves:
        """One voxel ``(k, j, i)`` to plot, in the scanner's units. Raises InputError ``spectra_voxel``."""
        if not all(0 <= place < length for place, length in zip(voxel, self.shape, strict=True)):
            raise InputError("spectra_voxel", voxel=str(voxel), shape=str(self.shape))
        place = int(np.ravel_multi_index(voxel, self.shape))
        model, parameters = self.model, self._parameters[place]
        if not np.isfinite(parameters).all():
            raise InputError("spectra_voxel_empty", voxel=str(voxel))
        phases = parameters[PHASE] + parameters[SLOPE] * (model.ppm - PIVOT)
        data = np.real(self._data[place] * np.exp(1j * phases))
        single = model.spectra(model.columns(parameters[None])[0]).real
        single = single * self._amplitudes[place, :, None]
        curves = model.baseline.curves
        baseline = curves @ (self._kept[place] * (curves.T @ (data - single.sum(axis=0))))
        return Curves(
            model.ppm,
            data,
            baseline + single.sum(axis=0),
            baseline,
            dict(zip(self.names, single, strict=True)),
        )

    def _weights(self, name: str) -> np.ndarray:
        parts = SUMS.get(name, (name,))
        if not all(part in self.names for part in parts):
            raise InputError("spectra_metabolite", name=name, known=", ".join((*SUMS, *self.names)))
        return np.array([float(own in parts) for own in self.names])


def line_width(parameters: np.ndarray, frequency: float) -> np.ndarray:
    """Full width at half maximum of the Voigt line in ppm (Olivero and Longbothum, J Quant Spectrosc 1977;17:233)."""
    lorentz = parameters[:, LORENTZ]
    gauss = 2 * np.sqrt(np.log(2) * np.maximum(parameters[:, GAUSS], 0)) / np.pi
    return (0.5346 * lorentz + np.sqrt(0.2166 * lorentz**2 + gauss**2)) / frequency
