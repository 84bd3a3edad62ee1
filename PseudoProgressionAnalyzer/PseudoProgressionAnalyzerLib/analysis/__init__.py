"""The main job as a list of steps: patient -> aligned visits -> maps -> measurements -> assessments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..assessment.rules import Rules
from ..imaging.midline import Plane
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion
from ..measures import Assessment, Image, Map, Measurement, Message, Patient
from ..response import Choices, PatientResponse
from ..spectroscopy.result import Fit


@dataclass(frozen=True)
class DscChoices:
    """What the user chose for a visit's DSC series; what is None is found in the series.

    model: ``unidirectional`` or ``bidirectional`` leakage; steady_state, bolus_arrival: frame numbers, the baseline is
    ``[steady_state, bolus_arrival)``; preload: whether a dose of contrast agent was given before (for the grade of the
    protocol alone); with_k1: whether K1 becomes a map too.
    """

    model: str = "unidirectional"
    steady_state: int | None = None
    bolus_arrival: int | None = None
    preload: bool | None = None
    with_k1: bool = False


@dataclass
class Analysis:
    """Everything that the job knows of one patient; each step reads what earlier steps wrote.

    All images stay in their native grids.

    patient: what is analysed; reference_visit: id of the visit that the others are aligned to.
    images: (visit id, role) to anatomical image. brains: visit id to bool ``(k, j, i)`` on the visit's T1CE.
    visit_to_reference: visit id to 4x4 ``moving_to_fixed``, RAS points of the visit to those of the reference visit.
    alignment: visit id to what is known of its trust (``uncertainty`` mm, ``edge_distance_before`` and ``_after`` mm).
    series_to_visit: (visit id, role) to 4x4, RAS points of a series to those of its visit's T1CE.
    maps: (visit id, name) to Map on its own grid, for example ``rCBV_ratio`` or ``Cho_NAA_molar``.
    curves: (visit id, name) to what plots of a time series need, see ``dsc_maps.make_dsc_maps``.
    absent: (visit id, map name) to the reasons why the visit has no such map although it has the series for it.
    dsc_choices: visit id to what the user chose for its DSC series.
    regions: (visit id, region name) to bool Image on that visit's T1CE grid, for every region of ``patient.regions``;
    a region that is carried stands here once, under the visit in which it was drawn.
    spectra_fits: (visit id, ``MRSI`` or ``MRS``) to the fit of every voxel of its spectra.
    region_spectra: (visit id, visit it was drawn in, region name; empty for the reference tissue) to the fit of the
    region's mean spectrum in that visit.
    midlines: visit id to the mid-sagittal plane of its brain, where reference tissue was looked for.
    references: visit id to bool Image on that visit's T1CE grid: the tissue that ratios are taken against.
    uptake_noise: visit id to the standard deviation of the map ``T1_subtraction`` in brain that does not enhance (%).
    lesions: every lesion of every visit, followed over the visits. parts: visit id to volumes of ``enhancement``,
    ``non_enhancing``, ``necrosis``, ``oedema`` and ``cavity`` where they were drawn. reader_lines: (visit id, identity,
    rule) to ``(2 diameters, 2 ends, 3)`` RAS mm of the visit, where the reader drew them. response: what every
    criterion says, by the choices. outlines: what was measured of outlines, so that an edit measures only what changed.
    overlaps: (visit id, region name) to ``overlaps.RegionOverlaps``, for the same reason. reference_head: the
    reference visit's head as its other visits are aligned to it, until the last is: see ``aligning``.
    maps: also ``rCBV`` (relative units) and ``rCBV_ratio`` (over the reference tissue's mean) where there is a DSC, and
    ``rCBV_response`` (0, 1, 2) where the visit before has rCBV too.
    finished: steps that are done, as (step code, visit id or empty): a step runs again when it is taken out of here.
    rules: by what visits are assessed, as the user chose it.
    given: voxels of series that come from a scene instead of files, by the series' uid; needed until they are read.
    outcome: visit id to messages about what came after that visit, never evidence for it.
    """

    patient: Patient
    reference_visit: str = ""
    images: dict[tuple[str, str], Image] = field(default_factory=dict)
    brains: dict[str, np.ndarray] = field(default_factory=dict)
    visit_to_reference: dict[str, np.ndarray] = field(default_factory=dict)
    alignment: dict[str, dict[str, float]] = field(default_factory=dict)
    series_to_visit: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    maps: dict[tuple[str, str], Map] = field(default_factory=dict)
    curves: dict[tuple[str, str], dict[str, np.ndarray]] = field(default_factory=dict)
    spectra_fits: dict[tuple[str, str], Fit] = field(default_factory=dict)
    region_spectra: dict[tuple[str, str, str], Fit] = field(default_factory=dict)
    absent: dict[tuple[str, str], tuple[Message, ...]] = field(default_factory=dict)
    dsc_choices: dict[str, DscChoices] = field(default_factory=dict)
    regions: dict[tuple[str, str], Image] = field(default_factory=dict)
    midlines: dict[str, Plane] = field(default_factory=dict)
    references: dict[str, Image] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    rules: Rules = field(default_factory=Rules)
    assessments: list[Assessment] = field(default_factory=list)
    outcome: dict[str, tuple[Message, ...]] = field(default_factory=dict)
    uptake_noise: dict[str, float] = field(default_factory=dict)
    lesions: list[FollowedLesion] = field(default_factory=list)
    parts: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    reader_lines: dict[tuple[str, str, str], np.ndarray] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    response: PatientResponse = field(default_factory=PatientResponse)
    outlines: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)
    overlaps: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)
    reference_head: tuple | None = field(default=None, repr=False, compare=False)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    finished: set[tuple[str, str]] = field(default_factory=set)
    given: dict[str, Image] = field(default_factory=dict)
