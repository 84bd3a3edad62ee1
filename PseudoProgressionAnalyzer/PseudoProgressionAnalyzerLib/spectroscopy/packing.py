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
    over ppm, the maps of MAPS, amplitudes, upper triangles of the covariances and, where known, of their common part.
    """
    count = len(fit.names)
    upper = np.triu_indices(count)
    fitted = np.isfinite(fit.snr)
    matrices = [fit.covariances] if fit.common is None else [fit.covariances, fit.common]
    parts = [
        np.flatnonzero(fitted)[:, None],
        fit.spectra[fitted].reshape(-1, 3 * len(fit.ppm)),
        np.stack([getattr(fit, name)[fitted] for name in MAPS], axis=-1),
        fit.amplitudes[fitted],
        *(matrix[fitted][:, upper[0], upper[1]] for matrix in matrices),
    ]
    about = {
        "shape": list(fit.shape),
        "affine": fit.affine.tolist(),
        "names": list(fit.names),
        "protocol": dataclasses.asdict(fit.protocol),
        "widths": fit.widths,
        "width_errors": None if fit.width_errors is None else fit.width_errors[upper].tolist(),
        "ppm": {"first": float(fit.ppm[0]), "last": float(fit.ppm[-1]), "count": len(fit.ppm)},
        "components": ["voxel", *CURVES, *MAPS, "amplitudes", *("covariances", "common")[: len(matrices)]],
    }
    return np.concatenate(parts, axis=-1).astype(np.float32), about


def unpack(packed: np.ndarray, about: dict[str, Any], flags: tuple[Message, ...]) -> Fit:
    """The fit from what ``pack`` made of it: without single metabolites, numbers with the digits of float32."""
    names, axis, shape = tuple(about["names"]), about["ppm"], tuple(about["shape"])
    count, points = len(names), axis["count"]
    whole = np.full((int(np.prod(shape)), packed.shape[1] - 1), np.nan, np.float32)
    whole[packed[:, 0].astype(int)] = packed[:, 1:]
    whole = whole.reshape(*shape, -1)
    triangle = count * (count + 1) // 2
    sizes = np.cumsum([3 * points, len(MAPS), count, triangle])
    spectra, maps, amplitudes, covariances, common = np.split(whole, sizes, axis=-1)
    said, errors = dict(about["protocol"]), about.get("width_errors")
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
        covariances=_whole(covariances, count),
        common=_whole(common, count) if common.shape[-1] else None,
        spectra=spectra.reshape(*shape, 3, points),
        widths=about.get("widths", {}),
        width_errors=None if errors is None else _whole(np.array(errors), count),
        **kept,
    )


def _whole(triangle: np.ndarray, count: int) -> np.ndarray:
    """Symmetric matrices ``(..., count, count)`` of upper triangles."""
    matrices = np.empty((*triangle.shape[:-1], count, count))
    upper = np.triu_indices(count)
    matrices[..., upper[0], upper[1]] = triangle
    matrices[..., upper[1], upper[0]] = triangle
    return matrices
