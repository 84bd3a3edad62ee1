"""Response criteria as pure functions over measurements and events: the RANO family and BT-RADS.

``course_of`` makes the inputs from a patient, ``judge`` gives every visit its category by one criterion of
``CRITERIA``, ``what_if`` repeats it for every baseline, ``judge_bt_rads`` follows the BT-RADS tree.
"""

from .bt_rads import judge_bt_rads, published_share
from .deriving import course_of
from .inputs import Comparison, Course, Lesion, VisitInputs, sized
from .judging import CRITERIA, judge, what_if
from .settings import Settings
from .steroids import SteroidDose
from .verdict import Option, Response, Verdict

__all__ = [
    "CRITERIA",
    "Comparison",
    "Course",
    "Lesion",
    "Option",
    "Response",
    "Settings",
    "SteroidDose",
    "Verdict",
    "VisitInputs",
    "course_of",
    "judge",
    "judge_bt_rads",
    "published_share",
    "sized",
    "what_if",
]
