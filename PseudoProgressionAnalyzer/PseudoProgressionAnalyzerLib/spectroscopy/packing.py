"""A fit as one array and a few words, to be kept where no model is: all that plots and regions need of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ..measures import Message
from .basis import Protocol
from .result import Fit

MAPS = ("fwhm", "snr", "residual", "shift", "phase", "accepted")
CURVES = ("data", "fit", "baseline")


def pack(fit: Fit) -> tuple[np.ndarray, dict[str, Any]]:
    """All numbers of a fit, float32 ``(voxels, components)``, and what they are, as JSON values.

    One row for each voxel that was fitted. Components: the voxel's place in the flattened grid, data, fit and baseline
    over ppm, the maps of MAPS, amplitudes, upper triangle of the covariances.
    """
    count = len(fit.names)
    upper = np.triu_indices(count)
    fitted = np.isfinite(fit.snr)
    parts = [
        np.flatnonzero(fitted)[:, None],
        fit.spectra[fitted].reshape(-1, 3 * len(fit.ppm)),
        np.stack([getattr(fit, name)[fitted] for name in MAPS], axis=-1),
        fit.amplitudes[fitted],
        fit.covariances[fitted][:, upper[0], upper[1]],
    ]
    about = {
        "shape": list(fit.shape),
        "affine": fit.affine.tolist(),
        "names": list(fit.names),
        "protocol": dataclasses.asdict(fit.protocol),
        "widths": fit.widths,
        "ppm": {"first": float(fit.ppm[0]), "last": float(fit.ppm[-1]), "count": len(fit.ppm)},
        "components": ["voxel", *CURVES, *MAPS, "amplitudes", "covariances"],
    }
    return np.concatenate(parts, axis=-1).astype(np.float32), about


def unpack(packed: np.ndarray, about: dict[str, Any], flags: tuple[Message, ...]) -> Fit:
    """The fit from what ``pack`` made of it: without single metabolites, numbers with the digits of float32."""
    names, axis, shape = tuple(about["names"]), about["ppm"], tuple(about["shape"])
    count, points = len(names), axis["count"]
    whole = np.full((int(np.prod(shape)), packed.shape[1] - 1), np.nan, np.float32)
    whole[packed[:, 0].astype(int)] = packed[:, 1:]
    whole = whole.reshape(*shape, -1)
    spectra, maps, amplitudes, triangle = np.split(whole, np.cumsum([3 * points, len(MAPS), count]), axis=-1)
    covariances = np.empty((*shape, count, count))
    upper = np.triu_indices(count)
    covariances[..., upper[0], upper[1]] = triangle
    covariances[..., upper[1], upper[0]] = triangle
    said = dict(about["protocol"])
    delays = said.pop("delays", None)
    kept = {name: maps[..., number].astype(float) for number, name in enumerate(MAPS)}
    kept["accepted"] = kept["accepted"] > 0.5  # not where nothing was fitted
    return Fit(
        names,
        Protocol(**said, delays=None if delays is None else tuple(delays)),
        np.array(about["affine"]),
        np.linspace(axis["first"], axis["last"], points),
        flags=flags,
        amplitudes=amplitudes.astype(float),
        covariances=covariances,
        spectra=spectra.reshape(*shape, 3, points),
        widths=about.get("widths", {}),
        **kept,
    )
