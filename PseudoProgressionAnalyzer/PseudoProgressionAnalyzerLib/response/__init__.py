"""Response criteria as pure functions over measurements and events: the RANO family and BT-RADS.

``course_of`` makes the inputs from a patient, ``judge`` gives every visit its category by one criterion of
``CRITERIA``, ``what_if`` repeats it for every baseline, ``judge_bt_rads`` follows the BT-RADS tree; ``respond`` does it
all.
"""

from .bt_rads import judge_bt_rads, published_share
from .deriving import course_of, course_with
from .inputs import Comparison, Course, Lesion, VisitInputs, sized
from .judging import CRITERIA, judge, what_if
from .patient_response import BANDS, Choices, PatientResponse, WhatIf, respond
from .settings import Settings
from .steroids import SteroidDose
from .verdict import Option, Response, Verdict

__all__ = [
    "BANDS",
    "CRITERIA",
    "Choices",
    "Comparison",
    "Course",
    "Lesion",
    "Option",
    "PatientResponse",
    "Response",
    "Settings",
    "SteroidDose",
    "Verdict",
    "VisitInputs",
    "WhatIf",
    "course_of",
    "course_with",
    "judge",
    "judge_bt_rads",
    "published_share",
    "respond",
    "sized",
    "what_if",
]
