"""A segmentation with several labels that came with a visit: its regions, where the images say what its numbers mean.

The dictionaries of common segmentations contradict each other (``lesion.labels``), so a number alone means nothing: the
label called enhancing must brighten after contrast, and more than every other one.
"""

from __future__ import annotations

import numpy as np

from ..formats.images import same_grid
from ..lesion.labels import check_enhancement, compartments, possible_conventions
from ..measures import Image, Message, Region
from . import Analysis
from .enhancement import find_uptake, uptake_of
from .reading import voxels_of, warn

PURPOSES = {"enhancement": "lesion", "necrosis": "necrosis", "oedema": "oedema", "cavity": "cavity"}


def read_labels(analysis: Analysis, visit_id: str) -> None:
    """Makes regions of the visit's segmentation, where no lesion was drawn or stated and its labels can be told.

    Of the conventions that know every label those remain that the contrast uptake does not contradict; what they agree
    on is taken, and the convention is named. Where they disagree, or there is no T1 before contrast to ask, nothing is
    taken: the label of the lesion must be stated in patient.json. Says ``labels_taken``, ``labels_open``,
    ``labels_unknown``, ``labels_other_grid``.
    """
    series = analysis.patient.visit(visit_id).of_role("segmentation")
    drawn = any(region.visit == visit_id and region.purpose == "lesion" for region in analysis.patient.regions)
    if series is None or drawn:
        return
    anatomy, found = analysis.images[visit_id, "T1CE"], voxels_of(analysis, series)
    shown = {"file": series.path.name, "visit": visit_id}
    if not same_grid(found, anatomy):
        warn(analysis, visit_id, Message("labels_other_grid", shown))
        return
    labels = np.rint(np.nan_to_num(found.array)).astype(int)
    shown["labels"] = ", ".join(str(label) for label in np.unique(labels) if label)
    known = possible_conventions(labels) if labels.any() else []
    if not known:
        warn(analysis, visit_id, Message("labels_unknown", shown))
        return
    find_uptake(analysis, visit_id)
    uptake = uptake_of(analysis, visit_id)
    fitting = [] if uptake is None else [name for name in known if not check_enhancement(labels, name, uptake)]
    meanings = [{name: mask for name, mask in compartments(labels, one).items() if mask.any()} for one in fitting]
    if not meanings or any(not _same(meanings[0], other) for other in meanings[1:]):
        warn(analysis, visit_id, Message("labels_open", {**shown, "conventions": ", ".join(fitting or known)}))
        return
    for compartment, mask in meanings[0].items():
        purpose = PURPOSES[compartment]
        label = int(labels[mask][0])
        analysis.patient.regions.append(Region(purpose, visit_id, purpose, series.path, label, files=series.files))
        analysis.regions[visit_id, purpose] = Image(mask, anatomy.affine)
    analysis.brains[visit_id] = analysis.brains[visit_id] | (labels != 0)
    warn(analysis, visit_id, Message("labels_taken", {**shown, "convention": " or ".join(fitting)}))


def _same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    """Whether two meanings give the same regions."""
    return first.keys() == second.keys() and all(np.array_equal(mask, second[name]) for name, mask in first.items())
