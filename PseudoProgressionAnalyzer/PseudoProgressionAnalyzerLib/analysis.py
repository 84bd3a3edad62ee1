"""The main job as a list of steps: patient -> aligned visits -> maps -> measurements -> assessments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .measures import Assessment, Image, Map, Measurement, Message, Patient


@dataclass
class Analysis:
    """Everything that the job knows of one patient; each step reads what earlier steps wrote.

    Keys are visit ids. All images stay in their native grids; ``visit_to_reference`` maps RAS points of a visit to
    those of the reference visit (4x4 ``moving_to_fixed``); ``series_to_visit`` maps RAS points of a series, by
    (visit, role), to those of its visit's T1CE (identity where they share the scanner's frame).
    """

    patient: Patient
    reference_visit: str = ""
    images: dict[tuple[str, str], Image] = field(default_factory=dict)
    brains: dict[str, np.ndarray] = field(default_factory=dict)
    visit_to_reference: dict[str, np.ndarray] = field(default_factory=dict)
    alignment: dict[str, dict] = field(default_factory=dict)
    series_to_visit: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    maps: dict[tuple[str, str], Map] = field(default_factory=dict)
    regions: dict[str, Image] = field(default_factory=dict)
    references: dict[str, Image] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    assessments: list[Assessment] = field(default_factory=list)
    outcome: list[Message] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
