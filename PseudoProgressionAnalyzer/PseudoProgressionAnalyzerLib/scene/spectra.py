"""Fits of spectra in the scene: every voxel's spectrum and numbers, so that no source file is needed to show them.

Slicer stores volumes of one or three components only. A fit is therefore kept as a table of numbers in a scalar volume
that is no picture: one row for each voxel, its columns and the grid's place said in an attribute.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from ..analysis import Analysis
from ..measures import Image, Message
from ..spectroscopy.packing import pack, unpack
from ..spectroscopy.result import Fit
from . import nodes
from .nodes import Kind, linked, mark, marked, put
from .plain import from_plain, to_plain

TISSUE = "reference tissue"


def build_spectra(patient: object, analysis: Analysis, pause: Callable[[], None]) -> None:
    """Brings the nodes of all fits up to date."""
    fits = {(Kind.SPECTRA, visit, role): found for (visit, role), found in analysis.spectra_fits.items()}
    for (visit, drawn_in, region), found in analysis.region_spectra.items():
        fits[Kind.REGION_SPECTRA, visit, json.dumps([drawn_in, region])] = found
    for (kind, visit, name), found in fits.items():
        of = f"{name} spectra" if kind == Kind.SPECTRA else f"mean spectrum of {json.loads(name)[1] or TISSUE}"
        _write(put(patient, "vtkMRMLScalarVolumeNode", f"{visit} {of}", kind, visit, name), found)
        pause()
    for node in [*linked(patient, Kind.SPECTRA), *linked(patient, Kind.REGION_SPECTRA)]:
        if (marked(node, "kind"), marked(node, "visit"), marked(node, "name")) not in fits:
            patient.GetScene().RemoveNode(node)


def read_spectra(patient: object, analysis: Analysis) -> None:
    """The fits that the scene holds, into the analysis."""
    for node in linked(patient, Kind.SPECTRA):
        if (found := fit_of(node)) is not None:
            analysis.spectra_fits[marked(node, "visit"), marked(node, "name")] = found
    for node in linked(patient, Kind.REGION_SPECTRA):
        if (found := fit_of(node)) is not None:
            drawn_in, region = json.loads(marked(node, "name"))
            analysis.region_spectra[marked(node, "visit"), drawn_in, region] = found


def fit_of(node: object) -> Fit | None:
    """The fit that a node holds; None when it has no numbers any more."""
    held, said = nodes.get_image(node), marked(node, "spectra")
    if held is None or not said:
        return None
    flags = from_plain(tuple[Message, ...], json.loads(marked(node, "flags") or "[]"))
    return unpack(held.array[0], json.loads(said), flags)


def _write(node: object, found: Fit) -> None:
    packed, about = pack(found)
    said, there = json.dumps(about), nodes.get_image(node)
    if there is None or marked(node, "spectra") != said or not np.array_equal(there.array[0], packed):
        nodes.set_image(node, Image(packed[None], np.eye(4)))
    node.SetHideFromEditors(True)
    mark(node, spectra=said, flags=json.dumps(to_plain(found.flags)))
