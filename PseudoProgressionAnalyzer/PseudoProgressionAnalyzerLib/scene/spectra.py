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
    for (visit, role), found in analysis.spectra_fits.items():
        _write(put(patient, "vtkMRMLScalarVolumeNode", f"{visit} {role} spectra", Kind.SPECTRA, visit, role), found)
        pause()
    _prune(patient, Kind.SPECTRA, set(analysis.spectra_fits))
    write_region_spectra(patient, analysis, pause)


def write_region_spectra(patient: object, analysis: Analysis, pause: Callable[[], None] = lambda: None) -> None:
    """Brings the nodes of the regions' mean spectra up to date; pause is called after each, where it is new 50 ms."""
    known = set()
    for (visit, drawn_in, region), found in analysis.region_spectra.items():
        name = json.dumps([drawn_in, region])
        title = f"{visit} mean spectrum of {region or TISSUE}"
        _write(put(patient, "vtkMRMLScalarVolumeNode", title, Kind.REGION_SPECTRA, visit, name), found)
        known.add((visit, name))
        pause()
    _prune(patient, Kind.REGION_SPECTRA, known)


def _prune(patient: object, kind: str, known: set[tuple[str, str]]) -> None:
    """Removes the nodes of fits that are there no more."""
    for node in linked(patient, kind):
        if (marked(node, "visit"), marked(node, "name")) not in known:
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
