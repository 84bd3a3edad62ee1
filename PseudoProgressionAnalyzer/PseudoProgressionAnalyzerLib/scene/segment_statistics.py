"""A segment measured in any volume as this module measures: on the volume's own grid, with overlap weights.

Used by the plug-in of Slicer's Segment Statistics module.
"""

from __future__ import annotations

import numpy as np

from ..analysis.map_estimates import FEWEST_EFFECTIVE_VOXELS, SMALLEST_COVERED_SHARE
from ..imaging.resampling import overlap_weights
from ..lesion.statistics import Statistics, region_statistics
from ..patient.roles import purpose_of_label
from . import nodes
from .nodes import Kind, find, marked, patient_node, to_world
from .segments import segment_mask


def measure_segment(segmentation: object, segment_id: str, volume: object) -> dict[str, float]:
    """Statistics of the volume's values under a segment; what cannot be trusted is not in the answer.

    ``mean``, ``median``, ``p95`` in the volume's unit, weighted by the share of each voxel inside the segment;
    ``effective_voxels``; ``covered_percent`` of the whole segment that lies on finite values; ``ratio_mean`` and
    ``ratio_p95`` over the mean of reference tissue, where there is some: the visit's own for a map of this module, else
    another segment of the same segmentation that is called reference, NAWM, white matter or contralateral.
    """
    found = _statistics(segmentation, segment_id, volume)
    if found is None:
        return {}
    answer = {"effective_voxels": found.n_effective, "covered_percent": 100 * found.covered_fraction}
    if not _trusted(found):
        return answer
    answer |= {"mean": found.mean, "median": found.median, "p95": found.p95}
    reference = _reference_mean(segmentation, segment_id, volume)
    if reference is not None and reference > 0:
        answer |= {"ratio_mean": found.mean / reference, "ratio_p95": found.p95 / reference}
    return answer


def _trusted(found: Statistics) -> bool:
    enough = found.n_effective >= FEWEST_EFFECTIVE_VOXELS and found.covered_fraction >= SMALLEST_COVERED_SHARE
    return enough and found.mean is not None


def _statistics(segmentation: object, segment_id: str, volume: object) -> Statistics | None:
    colours = volume is None or volume.IsA("vtkMRMLVectorVolumeNode")  # pictures are never measured
    image = nodes.get_image(volume) if not colours else None
    mask = segment_mask(segmentation, segment_id)
    if image is None or not mask.array.any():
        return None
    to_volume = np.linalg.inv(to_world(volume)) @ to_world(segmentation)
    weights = overlap_weights(mask, image, to_volume)
    whole = np.count_nonzero(mask.array) * mask.voxel_volume * abs(np.linalg.det(to_volume[:3, :3]))  # mL
    return region_statistics(image.array, weights, image.voxel_volume, np.isfinite(image.array), whole)


def _reference_mean(segmentation: object, segment_id: str, volume: object) -> float | None:
    """The mean of the volume in reference tissue; None where there is none that can be trusted. A map that is a ratio
    already has none."""
    name, visit = marked(volume, "name"), marked(volume, "visit")
    if name.endswith("_ratio") or name.startswith("Cho_"):
        return None
    patient = patient_node(volume.GetScene())
    tissue = find(patient, Kind.REFERENCE, visit) if patient is not None and visit else None
    if tissue is not None:
        places = [(tissue, segment) for segment in tissue.GetSegmentation().GetSegmentIDs()]
    else:
        held = segmentation.GetSegmentation()
        named = [s for s in held.GetSegmentIDs() if purpose_of_label(held.GetSegment(s).GetName()) == "reference"]
        places = [(segmentation, segment) for segment in named if segment != segment_id]
    found = [_statistics(node, segment, volume) for node, segment in places]
    trusted = [each for each in found if each is not None and _trusted(each)]
    if not trusted:
        return None
    weights = [each.covered_volume for each in trusted]
    return float(np.average([each.mean for each in trusted], weights=weights))
