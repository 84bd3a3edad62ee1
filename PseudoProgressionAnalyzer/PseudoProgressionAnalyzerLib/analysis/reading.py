"""First steps: voxels of anatomical images and regions, and the brain in each visit."""

from __future__ import annotations

import numpy as np

from ..formats.images import same_grid
from ..formats.series import read_mask, read_series
from ..imaging.brain import brain_mask, complete_by_symmetry
from ..imaging.resampling import resample
from ..measures import Image, InputError, Message, Region, Series
from . import Analysis

ANATOMICAL = ("T1CE", "T1", "T2", "FLAIR")


def voxels_of(analysis: Analysis, series: Series) -> Image:
    """The voxels of a series: those that were given, else from its files, with the errors of ``read_series``."""
    given = analysis.given.get(series.uid) if series.uid else None
    return read_series(series) if given is None else given


def read_visit(analysis: Analysis, visit_id: str) -> None:
    """Reads the visit's anatomical images and the regions drawn in it; errors as ``formats.images.read_image``.

    Raises InputError ``image_flat``, ``mask_empty``, ``mask_labels``, ``mask_on_other_grid``.
    """
    visit = analysis.patient.visit(visit_id)
    for series in visit.series:
        if series.role in ANATOMICAL:
            image = voxels_of(analysis, series)
            if image.array.min() == image.array.max():
                raise InputError("image_flat", file=str(series.path), role=series.role)
            analysis.images[visit_id, series.role] = Image(
                np.nan_to_num(image.array, nan=0.0, posinf=0.0, neginf=0.0), image.affine
            )
            analysis.series_to_visit[visit_id, series.role] = np.eye(4)
    anatomy = analysis.images.get((visit_id, "T1CE"))
    if anatomy is None:
        return
    for region in analysis.patient.regions:
        if region.visit == visit_id:
            drawn = analysis.regions.get((visit_id, region.name))
            analysis.regions[visit_id, region.name] = (
                read_region(region, anatomy) if drawn is None else _on_anatomy(analysis, region, drawn, anatomy)
            )


def _on_anatomy(analysis: Analysis, region: Region, drawn: Image, anatomy: Image) -> Image:
    """A region that is known already, on the grid of its visit's T1CE: by the nearest voxel where that is another image
    now. Raises InputError ``region_outside`` where nothing of it lies in that image."""
    if same_grid(drawn, anatomy):
        return drawn
    brought = resample(drawn, anatomy, np.eye(4), interpolation="nearest")
    if not brought.array.any():
        raise InputError("region_outside", region=region.name, visit=region.visit)
    warn(analysis, region.visit, Message("region_brought", {"region": region.name, "visit": region.visit}))
    return Image(brought.array > 0, anatomy.affine)


def read_region(region: Region, anatomy: Image) -> Image:
    """The drawn region as bool image on the grid of its visit's T1CE."""
    mask = read_mask(region, anatomy)
    labels = [label for label in np.unique(mask.array) if label != 0]
    if region.label is None and len(labels) > 1:
        shown = ", ".join(f"{label:g}" for label in labels[:8])
        raise InputError("mask_labels", file=str(region.path), labels=shown)
    drawn = mask.array == region.label if region.label is not None else mask.array != 0
    if not drawn.any():
        raise InputError("mask_empty", file=str(region.path), label=region.label or "any")
    return Image(drawn, anatomy.affine)


def find_brain(analysis: Analysis, visit_id: str) -> None:
    """The brain on the grid of the visit's T1CE, drawn lesions in; without one, with what a side lacks."""
    anatomy, lesion = analysis.images[visit_id, "T1CE"], lesion_of(analysis, visit_id)
    brain = brain_mask(anatomy, lesion)
    analysis.brains[visit_id] = complete_by_symmetry(anatomy, brain) if lesion is None else brain
    if not brain.any():
        raise InputError("visit_brain_not_found", file=str(analysis.patient.visit(visit_id).of_role("T1CE").path))


def lesion_of(analysis: Analysis, visit_id: str) -> np.ndarray | None:
    """All lesions drawn in the visit on its T1CE grid, or None when nothing is drawn."""
    lesion = drawn_as(analysis, visit_id, "lesion")
    return lesion if lesion is not None and lesion.any() else None


def drawn_as(analysis: Analysis, visit_id: str, purpose: str) -> np.ndarray | None:
    """All regions of a purpose in the visit on its T1CE grid, which may be empty by now; None where there is none."""
    masks = [
        analysis.regions[visit_id, region.name].array
        for region in analysis.patient.regions
        if region.visit == visit_id and region.purpose == purpose and (visit_id, region.name) in analysis.regions
    ]
    return np.logical_or.reduce(masks) if masks else None


def warn(analysis: Analysis, visit_id: str, *messages: Message) -> None:
    """Notes messages of a visit, each once."""
    noted = analysis.messages.setdefault(visit_id, [])
    noted.extend(message for message in messages if message not in noted)


def unsay(analysis: Analysis, visit_id: str, *codes: str) -> None:
    """Takes back what was noted of a visit with these codes, before what it was said of is made again."""
    if visit_id in analysis.messages:
        analysis.messages[visit_id] = [noted for noted in analysis.messages[visit_id] if noted.code not in codes]
