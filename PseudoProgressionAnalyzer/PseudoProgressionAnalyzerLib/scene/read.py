"""The MRML scene back into an analysis, number by number; what the user deleted is named, never made up."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis import Analysis, DscChoices
from ..analysis.correcting import forget_judgement, forget_numbers
from ..assessment import Rules
from ..imaging.midline import Plane
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion
from ..measures import Assessment, Image, InputError, Map, Message, Patient, Region
from ..response import Choices, PatientResponse
from . import nodes
from .build import ANATOMY, COMPUTED_REFERENCE, checksum
from .catching_up import follow_regions
from .lines import read_lines
from .nodes import Kind, find, linked, marked
from .noting import as_noted, noted_regions
from .plain import from_plain
from .region_list import keep_names_apart, rename
from .segments import fingerprint, name_segment, note_use, noted_use, on_grid, regions_of, segment_mask
from .spectra import read_spectra
from .table import read_table
from .transforms import take_transforms, written


@dataclass
class SceneContent:
    """What a scene holds: the analysis, the text of assessment.json (empty when there is none), and messages about
    what is missing."""

    analysis: Analysis
    assessment_json: str
    messages: list[Message]


def read_scene(scene: object) -> SceneContent:
    """The patient of the scene with everything that was built.

    Arrays of images and maps are those of the nodes, not copies. In a map, values that cannot be trusted come back as
    NaN. Steps of visits that lost a node are not finished any more. What was measured or judged and does not hold for
    the scene as it is now is measured again or not there (``catching_up``), and the messages say so. Raises
    InputError: ``scene_without_patient``, ``scene_version``, ``scene_text_broken``.
    """
    patient_node = nodes.patient_node(scene)
    if patient_node is None:
        raise InputError("scene_without_patient")
    content = _content(patient_node)
    messages: list[Message] = []
    incomplete: set[str] = set()

    def expected(kind: str, visit: str, name: str = "") -> object | None:
        node = find(patient_node, kind, visit, name)
        if node is None:
            incomplete.update((visit, "") if kind != Kind.IMAGE or name == ANATOMY else (visit,))
            messages.append(Message("scene_node_missing", {"title": f"{visit} {name or kind}".strip()}))
        return node

    def image_of(kind: str, visit: str, name: str = "") -> tuple[object, Image] | None:
        node = expected(kind, visit, name)
        image = node and nodes.get_image(node)
        if node is None:
            return None
        noted = image and as_noted(node, image)
        if noted is None:
            incomplete.update((visit, ""))
            code = "scene_node_empty" if image is None else "scene_node_changed"
            messages.append(Message(code, {"title": f"{visit} {name or kind}".strip()}))
            return None
        if noted is not image:
            messages.append(Message("scene_node_moved", {"title": f"{visit} {name or kind}".strip()}))
        return node, noted

    analysis = Analysis(
        from_plain(Patient, content["patient"]),
        reference_visit=content["reference_visit"],
        alignment=content["alignment"],
        curves={
            (curve["visit"], curve["name"]): {
                key: np.array(values, dtype=float) for key, values in curve["values"].items()
            }
            for curve in content["curves"]
        },
        rules=from_plain(Rules, content.get("rules", {})),
        midlines={
            visit: replace(plane, normal=np.array(plane.normal))
            for visit, plane in from_plain(dict[str, Plane], content.get("midlines", {})).items()
        },
        absent={
            (visit, name): from_plain(tuple[Message, ...], reasons)
            for visit, name, reasons in content.get("absent", [])
        },
        dsc_choices=from_plain(dict[str, DscChoices], content.get("dsc_choices", {})),
        assessments=from_plain(list[Assessment], content["assessments"]),
        outcome=from_plain(dict[str, tuple[Message, ...]], content["outcome"]),
        uptake_noise=content.get("uptake_noise", {}),
        lesions=from_plain(list[FollowedLesion], content.get("lesions", [])),
        parts=from_plain(dict[str, dict[str, Estimate]], content.get("parts", {})),
        reader_lines={
            (visit, lesion, rule): np.array(ends, dtype=float)
            for visit, lesion, rule, ends in content.get("reader_lines", [])
        },
        choices=from_plain(Choices, content["choices"]) if "choices" in content else Choices(),
        response=from_plain(PatientResponse, content["response"]) if "response" in content else PatientResponse(),
        messages=from_plain(dict[str, list[Message]], content["messages"]),
        finished={(step, visit) for step, visit in content["finished"]},
    )
    for visit, role in content["images"]:
        if found := image_of(Kind.IMAGE, visit, role):
            analysis.images[visit, role] = found[1]
    for visit in content["brains"]:
        if found := image_of(Kind.BRAIN, visit):
            analysis.brains[visit] = found[1].array > 0
    aligned_by = dict(content.get("aligned_by", []))
    for visit in content["visit_to_reference"]:
        if node := expected(Kind.VISIT_TO_REFERENCE, visit):
            analysis.visit_to_reference[visit] = written(node, aligned_by.get(visit))
    for visit, series, matrix in content["series_to_visit"]:
        node = find(patient_node, Kind.SERIES_TO_VISIT, visit, series)
        analysis.series_to_visit[visit, series] = written(node, matrix) if node else np.array(matrix)
    for visit, name in content["maps"]:
        if found := image_of(Kind.MAP, visit, name):
            analysis.maps[visit, name] = _map(*found, name)
    read_spectra(patient_node, analysis)
    assessments = analysis.assessments  # another list once they do not hold
    measured = expected(Kind.MEASUREMENTS, "")
    analysis.measurements = read_table(measured) if measured else []
    titles = _read_regions(patient_node, analysis, content, expected, messages)
    analysis.finished = {(step, visit) for step, visit in analysis.finished if visit not in incomplete}
    messages += take_transforms(patient_node, analysis)
    if ("step_measure", "") in analysis.finished:
        messages += follow_regions(scene, analysis, noted_regions(measured, titles))
    elif analysis.measurements:
        messages.append(Message("scene_numbers_gone"))
        forget_numbers(analysis)
    if read_lines(patient_node, analysis):  # the reader moved lines that nobody took yet
        forget_judgement(analysis)
    text = find(patient_node, Kind.ASSESSMENT)
    holds = text is not None and analysis.assessments is assessments
    return SceneContent(analysis, text.GetText() or "" if holds else "", messages)


def missing_files(scene: object) -> list[Message]:
    """Series that stay on disk and are not there any more, or hold something else than when the scene was made."""
    patient_node = nodes.patient_node(scene)
    messages = []
    for entry in json.loads(marked(patient_node, "files") or "[]") if patient_node else []:
        found = checksum(*map(Path, entry.get("files", [entry["path"]])))
        where = {"file": entry["path"], "visit": entry["visit"], "role": entry["role"]}
        if found is None:
            messages.append(Message("scene_file_missing", where))
        elif entry["sha256"] and found != entry["sha256"]:
            messages.append(Message("scene_file_changed", where))
    return messages


def _content(patient_node: object) -> dict[str, Any]:
    try:
        content = json.loads(patient_node.GetText() or "")
    except json.JSONDecodeError as error:
        raise InputError("scene_text_broken", node=patient_node.GetName(), detail=error.msg) from error
    if content.get("version") != 1:
        raise InputError("scene_version", node=patient_node.GetName(), version=content.get("version"))
    return content


def _map(node: object, image: Image, name: str) -> Map:
    return Map(
        image.array,
        image.affine,
        name=name,
        unit=marked(node, "unit"),
        method=marked(node, "method"),
        quality=np.isfinite(image.array) if marked(node, "quality") == "known" else None,
        flags=from_plain(tuple[Message, ...], json.loads(marked(node, "flags") or "[]")),
    )


def _read_regions(patient_node, analysis: Analysis, content, expected, messages: list[Message]) -> dict:
    """Regions as the segments are now: edited, renamed, removed and newly drawn ones. Returns (visit, name) of before
    to the name now of those that were renamed."""
    left = analysis.patient.left_out
    every = [*analysis.patient.regions, *(region for out in left for region in out.regions)]
    stated = {(region.visit, region.name): region for region in every}
    drawn = [tuple(key) for key in content["regions"]]
    found: dict[tuple[str, str], Region] = {}
    titles: dict[tuple[str, str], str] = {}
    for kind in (Kind.LESION, Kind.REFERENCE):
        wanted = {
            visit for visit, name in drawn if (stated[visit, name].purpose == "reference") == (kind == Kind.REFERENCE)
        }
        if kind == Kind.REFERENCE:
            wanted |= set(content["references"])
        for visit in wanted - {marked(node, "visit") for node in linked(patient_node, kind)}:
            expected(kind, visit)
        for node in linked(patient_node, kind):
            keep_names_apart(patient_node, marked(node, "visit"))
            _read_segmentation(node, kind, analysis, stated, found, titles)
    gone = {
        key
        for key, region in stated.items()
        if key not in found and (key[0], ANATOMY) in analysis.images and (key in drawn or region.path == Path())
    }
    for key in [key for key in drawn if key in gone]:
        messages.append(Message("scene_region_missing", {"visit": key[0], "name": key[1]}))
    analysis.references = _in_order(analysis.references, content["references"])
    analysis.regions = _in_order(analysis.regions, drawn)
    kept = [found.pop(key, region) for key, region in stated.items() if key not in gone] + list(found.values())
    used = {visit.id for visit in analysis.patient.visits}
    analysis.patient.regions = [region for region in kept if region.visit in used]
    for out in left:
        out.regions = [region for region in kept if region.visit == out.visit.id]
    for (visit, name), title in titles.items():
        rename(analysis, visit, name, title)
    return titles


def _in_order(found: dict, order: list) -> dict:
    return {key: found[key] for key in order if key in found} | found


def _read_segmentation(node, kind: str, analysis: Analysis, stated, found, titles) -> None:
    visit = marked(node, "visit")
    anatomy = analysis.images.get((visit, ANATOMY))
    if anatomy is None:
        return
    masks = []
    for segment_id, name in regions_of(node).items():
        cropped = segment_mask(node, segment_id)
        if not cropped.array.any() and (visit, name) not in stated:
            continue
        mask = on_grid(cropped, anatomy)
        masks.append(mask.array)
        if (
            (visit, name) not in stated
            and name == COMPUTED_REFERENCE
            and fingerprint(cropped) == marked(node, "computed")
        ):
            continue
        purpose = "reference" if kind == Kind.REFERENCE else "lesion"
        segment = node.GetSegmentation().GetSegment(segment_id)
        use, carried = noted_use(segment, purpose)
        found[visit, name] = replace(stated.get((visit, name)) or Region(name, visit, use, Path(), carried=carried))
        note_use(segment, found[visit, name])
        analysis.regions[visit, name] = mask
        if segment.GetName() != name:
            titles[visit, name] = segment.GetName()
        name_segment(segment, segment.GetName())
    if kind == Kind.REFERENCE and any(mask.any() for mask in masks):
        analysis.references[visit] = Image(np.logical_or.reduce(masks), anatomy.affine)
