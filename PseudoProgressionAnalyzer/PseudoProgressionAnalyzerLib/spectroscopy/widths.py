"""Line widths of single metabolites: what the voxels of a study say together, where each says little."""

from __future__ import annotations

import numpy as np

from .model import SHARED, Model
from .result import line_width
from .spins import WIDTH_OTHERS, WIDTH_SPREAD, WIDTHS, WIDTHS_ALIKE

FURTHEST = 1.0  # Hz that a width may move in one round
FEWEST_PER_GROUP = 2  # voxels for each group of widths, below which the scatter of their slopes says nothing


def learned(
    model: Model, parameters: np.ndarray, covariances: np.ndarray, widths: dict[str, float]
) -> tuple[dict[str, float], np.ndarray]:
    """The widths (Hz) that the voxels of a study are likeliest to have in common, from fits with these widths expected.

    parameters: ``(voxels, parameters)``; covariances: of the widths, ``(voxels, names, names)``. The widths of each
    voxel lie around the common ones with the model's precision P, these around WIDTHS with WIDTH_SPREAD. With the
    voxel's widths w and their covariance C at the expectation m, the slope of the likelihood of m is P (w - m) and its
    curvature P - P C P (Laplace's approximation); one Newton step. Voxels that cannot tell have w = m and C = 1 / P and
    do not count. Nor does the half with the broader lines: a voxel over two tissues, which differ in frequency by a few
    Hz, mixes the choline of one with the NAA of the other and has no widths in common with the rest.

    Also the covariance of what was found, Hz^2 ``(names, names)``: the inverse of the curvature with the slopes' own
    scatter between, which is more where the voxels disagree (White, Econometrica 1982;50:1). Of few voxels that scatter
    leaves some widths out; there it is the curvature, as if they agreed as much as they should.
    """
    count = len(model.names)
    groups = [[model.names.index(name) for name in alike if name in model.names] for alike in WIDTHS_ALIKE]
    groups = [group for group in groups if group]
    seen = np.isfinite(parameters).all(axis=1) & np.isfinite(covariances).all(axis=(1, 2))
    lines = line_width(parameters, model.protocol.frequency)
    seen &= lines <= np.median(lines[seen]) if seen.any() else seen
    own = parameters[seen, SHARED + count :] - model.expected[SHARED + count :]
    precision = model.precision[SHARED + count :, SHARED + count :]
    slope = precision @ own.sum(axis=0)
    curvature = len(own) * precision - precision @ covariances[seen].sum(axis=0) @ precision
    members = np.zeros((len(groups), count))
    for number, group in enumerate(groups):
        members[number, group] = 1
    now = np.array([widths[model.names[group[0]]] for group in groups])
    usual = np.array([WIDTHS.get(model.names[group[0]], WIDTH_OTHERS) for group in groups])
    curvature = members @ curvature @ members.T
    before = np.eye(len(groups)) / WIDTH_SPREAD**2
    whole = curvature + before
    change = np.linalg.solve(whole, members @ slope - (now - usual) / WIDTH_SPREAD**2)
    change = np.clip(change, -FURTHEST, FURTHEST)
    moved = {model.names[place]: float(now[n] + change[n]) for n, group in enumerate(groups) for place in group}
    slopes = own @ precision @ members.T
    inverse = np.linalg.inv(whole)
    enough = len(own) >= FEWEST_PER_GROUP * len(groups)
    scatter = np.cov(slopes, rowvar=False) * len(own) if enough else curvature
    return widths | moved, members.T @ inverse @ (scatter + before) @ inverse @ members
