"""An analysis into the MRML scene.

The patient is a text node; everything else hangs on it as node reference: images, maps, brains, transforms, regions,
measurements and assessment. Building again brings the scene up to date and leaves alone what is there already, so the
desktop builds after every step and the command line once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..analysis import Analysis
from ..analysis.mapping import TO_REFERENCE
from ..analysis.perfusion_changes import RESPONSE, waiting_response_maps
from ..imaging.resampling import resample
from ..measures import Image, Map, Patient, Series
from . import nodes
from .application import Application
from .captures import place_pictures
from .display import (
    Scale,
    chosen_scale,
    grey_windows,
    scale_of_name,
    show_anatomy,
    show_map,
    show_regions,
    trusted_values,
)
from .hierarchy import arrange
from .lesion_colours import colour_lesions
from .lines import write_lines
from .nodes import ANATOMY, Kind, find, mark, marked, put
from .noting import note_measured, note_volume
from .plain import to_plain
from .segments import fingerprint, note_use, put_segment, segment_mask, segment_of
from .spectra import build_spectra
from .spectrum_plot import GRIDS, show_grid
from .table import write_table
from .terminology import code_map
from .transforms import put_series_transform, put_visit_transform
from .windows import keep_matched, match_windows, set_by_user

COMPUTED_REFERENCE = "reference tissue"
"""Name of the reference tissue that was found, not drawn."""
VERSION = 1
SOURCE = "scene."
"""How the uid of a series begins that comes from a node of the scene: it has no file."""


def build_scene(
    application: Application,
    analysis: Analysis,
    assessment_json: str = "",
    pause: Callable[[], None] = lambda: None,
    prepared: Prepared | None = None,
) -> object:
    """Writes the analysis into the application's scene and returns the patient's text node.

    assessment_json: the content of assessment.json, kept as it is for people and programs that read the scene. pause is
    called after each node, so that an interface can stay alive; what it raises ends the building. prepared: what
    another thread made of this analysis with ``prepare``; made here where there is none.
    """
    scene = application.scene
    patient = nodes.patient_node(scene)
    prepared = prepared or prepare(analysis, known_checksums(scene))
    if patient is None:
        patient = scene.AddNewNodeByClass("vtkMRMLTextNode", analysis.patient.id)
        mark(patient, kind=Kind.PATIENT)
    write_patient(patient, analysis, prepared.checksums)
    for visit_id, matrix in analysis.visit_to_reference.items():
        put_visit_transform(patient, visit_id, analysis.reference_visit, matrix)
    pause()
    _build_images(patient, analysis, pause)
    _build_maps(patient, analysis, prepared.scales, pause)
    build_spectra(patient, analysis, pause)
    _build_regions(patient, analysis, pause)
    place_pictures(patient)
    write_lines(patient, analysis, pause)
    write_measurements(patient, analysis)
    pause()
    write_assessment(patient, assessment_json)
    pause()
    arrange(scene, patient, analysis.patient)
    return patient


@dataclass(frozen=True)
class Prepared:
    """What building needs that no scene is needed for. scales: colour scales by the map's name; checksums: SHA-256 by
    path of the series that stay on disk and were not known."""

    scales: dict[str, Scale]
    checksums: dict[str, str | None]


def prepare(
    analysis: Analysis, known: dict[str, str | None], cancelled: Callable[[], bool] = lambda: False
) -> Prepared:
    """What building takes long for and touches no scene: for any thread. known: ``known_checksums``. Raises
    CancelledError once ``cancelled`` says so."""
    checksums = {}
    for _, series in _on_disk(analysis):
        if not known.get(str(series.path)):
            if cancelled():
                raise CancelledError
            checksums[str(series.path)] = checksum(*_files_of(series))
    return Prepared(map_scales(analysis), checksums)


def known_checksums(scene: object) -> dict[str, str | None]:
    """SHA-256 by path of the series on disk that the scene knows."""
    patient = nodes.patient_node(scene)
    return {} if patient is None else {entry["path"]: entry["sha256"] for entry in _known_files(patient)}


def share_images(patient: object, analysis: Analysis) -> None:
    """Lets the analysis use the voxels of the scene's nodes from now on, so that they are kept once."""
    for (visit_id, role), image in analysis.images.items():
        node = find(patient, Kind.IMAGE, visit_id, role)
        there = nodes.get_image(node) if node is not None else None
        if there is not None and there.array.dtype == image.array.dtype:
            analysis.images[visit_id, role] = there


def write_patient(patient: object, analysis: Analysis, checksums: dict[str, str | None] | None = None) -> None:
    """Writes the patient, and all of the analysis that is neither image, region nor measurement, as JSON text.
    checksums: those of ``prepare``."""
    content = {
        "version": VERSION,
        "patient": analysis.patient,
        "reference_visit": analysis.reference_visit,
        "alignment": analysis.alignment,
        "curves": [{"visit": key[0], "name": key[1], "values": values} for key, values in analysis.curves.items()],
        "rules": analysis.rules,
        "midlines": analysis.midlines,
        "absent": [[*key, reasons] for key, reasons in analysis.absent.items()],
        "dsc_choices": analysis.dsc_choices,
        "assessments": analysis.assessments,
        "outcome": analysis.outcome,
        "uptake_noise": analysis.uptake_noise,
        "lesions": analysis.lesions,
        "parts": analysis.parts,
        "reader_lines": [[*key, ends] for key, ends in analysis.reader_lines.items()],
        "choices": analysis.choices,
        "response": analysis.response,
        "messages": analysis.messages,
        "finished": sorted(analysis.finished),
        "images": list(analysis.images),
        "brains": list(analysis.brains),
        "maps": list(analysis.maps),
        "regions": list(analysis.regions),
        "references": list(analysis.references),
        "visit_to_reference": list(analysis.visit_to_reference),
        "aligned_by": [[visit, matrix] for visit, matrix in analysis.visit_to_reference.items()],
        "series_to_visit": [[*key, matrix] for key, matrix in analysis.series_to_visit.items()],
    }
    patient.SetName(analysis.patient.id)
    patient.SetText(json.dumps(to_plain(content), allow_nan=False, indent=1))
    mark(patient, files=json.dumps(_files(patient, analysis, checksums or {})))


def write_measurements(patient: object, analysis: Analysis) -> None:
    """Writes the measurements into their table node."""
    node = put(patient, "vtkMRMLTableNode", "measurements", Kind.MEASUREMENTS)
    write_table(node, analysis.patient, analysis.measurements)
    note_measured(node, analysis)


def write_assessment(patient: object, assessment_json: str) -> None:
    """Writes the content of assessment.json into its text node; where it is empty, nothing stays of one of before."""
    if assessment_json or find(patient, Kind.ASSESSMENT) is not None:
        put(patient, "vtkMRMLTextNode", "assessment", Kind.ASSESSMENT).SetText(assessment_json)


def checksum(*paths: Path) -> str | None:
    """SHA-256 of files one after the other; None when one is not there."""
    if not all(path.is_file() for path in paths):
        return None
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _files(patient: object, analysis: Analysis, checksums: dict[str, str | None]) -> list[dict]:
    """Series that stay on disk: where they are and what they held when the scene was made."""
    known = {entry["path"]: entry["sha256"] for entry in _known_files(patient)}
    return [
        {
            "visit": visit,
            "role": series.role,
            "path": str(series.path),
            "files": [str(path) for path in _files_of(series)],
            "sha256": known.get(str(series.path)) or checksums.get(str(series.path)) or checksum(*_files_of(series)),
        }
        for visit, series in _on_disk(analysis)
    ]


def _known_files(patient: object) -> list[dict]:
    return json.loads(marked(patient, "files") or "[]")


def _files_of(series: Series) -> tuple[Path, ...]:
    return tuple(series.files or (series.path,))


def _on_disk(analysis: Analysis) -> list[tuple[str, Series]]:
    """(visit, series) of what stays on disk: time series and spectra."""
    return [
        (visit.id, series)
        for visit in analysis.patient.visits
        for series in visit.series
        if (visit.id, series.role) not in analysis.images
        and (visit.id, series.role) not in analysis.maps
        and not series.uid.startswith(SOURCE)
    ]


def _place(patient: object, node: object, analysis: Analysis, visit_id: str, series: str) -> None:
    """Puts a node under its visit's transform, with the series' own transform between where it is not the identity."""
    parent = find(patient, Kind.VISIT_TO_REFERENCE, visit_id)
    matrix = analysis.series_to_visit.get((visit_id, series))
    if matrix is not None:
        parent = put_series_transform(patient, visit_id, series, matrix) or parent
    node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)


def _differs(node: object, image: Image) -> bool:
    there = nodes.get_image(node)
    if there is not None and np.may_share_memory(there.array, image.array):
        return not np.allclose(there.affine, image.affine, atol=1e-9)
    return (
        there is None
        or there.array.shape != image.array.shape
        or not np.allclose(there.affine, image.affine, atol=1e-9)
        or not np.array_equal(there.array, image.array, equal_nan=image.array.dtype.kind == "f")
    )


def _build_images(patient: object, analysis: Analysis, pause: Callable[[], None]) -> None:
    images, brains = set(), False  # those whose voxels are new
    for (visit_id, role), image in analysis.images.items():
        node = put(patient, "vtkMRMLScalarVolumeNode", f"{visit_id} {role}", Kind.IMAGE, visit_id, role)
        if _differs(node, image):
            nodes.set_image(node, image)
            note_volume(node)
            images.add(node)
        _place(patient, node, analysis, visit_id, role)
        pause()
    for visit_id, brain in analysis.brains.items():
        node = put(patient, "vtkMRMLLabelMapVolumeNode", f"{visit_id} brain", Kind.BRAIN, visit_id)
        node.SetHideFromEditors(True)  # a mask of the computation, not something to read
        image = Image(brain.astype(np.uint8), analysis.images[visit_id, ANATOMY].affine)
        if _differs(node, image):
            nodes.set_image(node, image)
            note_volume(node)
            brains = True
        _place(patient, node, analysis, visit_id, ANATOMY)
        pause()
    if images or brains:
        for role in dict.fromkeys(role for _, role in analysis.images):
            _show_images(patient, analysis, role, images, pause)


def _show_images(patient: object, analysis: Analysis, role: str, new: set[object], pause: Callable[[], None]) -> None:
    """Matches the windows of one kind of image in all visits; a window that the user has set stays, and those of images
    that are new follow it."""
    shown, users = {}, []
    for (visit, name), image in analysis.images.items():
        if name == role:
            shown[visit] = image, _brain_on(analysis, visit, role, image)
            pause()
    for visit_id, window in grey_windows(shown).items():
        node = find(patient, Kind.IMAGE, visit_id, role)
        if node not in new and set_by_user(node):
            users.append(node)
        else:
            show_anatomy(node, window)
        keep_matched(node, window)
        pause()
    if users:
        match_windows(patient, users[0], but=users)


def _brain_on(analysis: Analysis, visit_id: str, role: str, image: Image) -> np.ndarray | None:
    """The visit's brain on the grid of one of its images."""
    brain, anatomy = analysis.brains.get(visit_id), analysis.images.get((visit_id, ANATOMY))
    if brain is None or anatomy is None or role == ANATOMY:
        return brain
    to_image = np.linalg.inv(analysis.series_to_visit.get((visit_id, role), np.eye(4)))
    return resample(Image(brain, anatomy.affine), image, to_image, interpolation="nearest").array


def _build_maps(patient: object, analysis: Analysis, scales: dict[str, Scale], pause: Callable[[], None]) -> None:
    for (visit_id, name), values in analysis.maps.items():
        node = _write_map(patient, analysis, visit_id, name, values)
        if name in scales:
            show_map(node, patient, name, chosen_scale(patient, name) or scales[name])
        pause()
    for name in GRIDS:
        show_grid(patient, name)


def write_ratio_maps(patient: object, analysis: Analysis, *visits: str) -> None:
    """Brings the ratio and response maps of these visits in the scene up to date after reference tissue changed.

    Response maps that wait, of whatever visit, show nothing until they are made again.
    """
    ratios = itertools.product(visits, [ratio.name for ratio in TO_REFERENCE.values()])
    waiting = waiting_response_maps(analysis)
    for visit, name in (*ratios, *((visit, RESPONSE) for visit in dict.fromkeys([*visits, *waiting]))):
        node, values = find(patient, Kind.MAP, visit, name), analysis.maps.get((visit, name))
        if values is not None:
            new = _write_map(patient, analysis, visit, name, values)
            if node is None:
                show_map(new, patient, name, chosen_scale(patient, name) or map_scales(analysis)[name])
        elif node is not None and name == RESPONSE and visit in waiting:
            there = nodes.get_image(node)
            nothing = Image(np.full(there.shape, np.nan, there.array.dtype), there.affine)
            if _differs(node, nothing):
                nodes.set_image(node, nothing)
                note_volume(node, voxels=True)
        elif node is not None:
            patient.GetScene().RemoveNode(node)


def _write_map(patient: object, analysis: Analysis, visit_id: str, name: str, values: Map) -> object:
    node = put(patient, "vtkMRMLScalarVolumeNode", f"{visit_id} {name}", Kind.MAP, visit_id, name)
    image = Image(trusted_values(values), values.affine)
    change = node.StartModify()  # every view looks at a map after each of its events
    if _differs(node, image):
        nodes.set_image(node, image)
        note_volume(node, voxels=True)
    mark(
        node,
        unit=values.unit,
        method=values.method,
        flags=json.dumps(to_plain(values.flags)),
        quality="unknown" if values.quality is None else "known",
    )
    code_map(node, name, values.unit)
    node.EndModify(change)
    _place(patient, node, analysis, visit_id, name)
    return node


def map_scales(analysis: Analysis) -> dict[str, Scale]:
    """The colour scale of every map by its name, the same for all visits."""
    scales = {}
    maps = list(analysis.maps.items())
    for name in dict.fromkeys(name for (_, name), _ in maps):
        shown: list[tuple[Map, Image | None, np.ndarray | None]] = []
        for (visit_id, map_name), values in maps:
            if map_name == name:
                to_map = np.linalg.inv(analysis.series_to_visit.get((visit_id, name), np.eye(4)))
                shown.append((values, analysis.references.get(visit_id), to_map))
        scale = scale_of_name(name, shown)
        if scale is not None:
            scales[name] = scale
    return scales


def _build_regions(patient: object, analysis: Analysis, pause: Callable[[], None]) -> None:
    patient_now: Patient = analysis.patient
    every = [*patient_now.regions, *(region for left in patient_now.left_out for region in left.regions)]
    for region in every:
        mask = analysis.regions.get((region.visit, region.name))
        if mask is not None and (region.visit, ANATOMY) in analysis.images:
            kind = Kind.REFERENCE if region.purpose == "reference" else Kind.LESION
            node = segmentation_of(patient, region.visit, kind)
            segment_id = put_segment(node, region.name, region.purpose, mask)
            note_use(node.GetSegmentation().GetSegment(segment_id), region)
            pause()
    for visit_id, mask in analysis.references.items():
        node = segmentation_of(patient, visit_id, Kind.REFERENCE)
        drawn = [region for region in every if (region.visit, region.purpose) == (visit_id, "reference")]
        if not drawn:
            put_segment(node, COMPUTED_REFERENCE, "reference", mask)
            mark(node, computed=fingerprint(segment_mask(node, segment_of(node, COMPUTED_REFERENCE))))
        pause()
    for visit_id, role in analysis.images:
        if role == ANATOMY:
            segmentation_of(patient, visit_id, Kind.LESION)  # something to draw in
    colour_lesions(patient, analysis)


def segmentation_of(patient: object, visit_id: str, kind: str) -> object:
    """The visit's segmentation of a kind, in the geometry of its T1CE and under the same transform."""
    title = f"{visit_id} {kind}" if kind == Kind.LESION else f"{visit_id} {COMPUTED_REFERENCE}"
    node = put(patient, "vtkMRMLSegmentationNode", title, kind, visit_id)
    anatomy = find(patient, Kind.IMAGE, visit_id, ANATOMY)
    node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())
    if node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is not anatomy:
        node.SetReferenceImageGeometryParameterFromVolumeNode(anatomy)
        show_regions(node)
    return node
