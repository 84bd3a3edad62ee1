"""Courses in a few words: lesions by their diameters, visits by weeks after radiotherapy, everything else benign."""

import datetime
import math

from PseudoProgressionAnalyzerLib.lesion.estimate import Estimate
from PseudoProgressionAnalyzerLib.response import Course, Lesion, Settings, SteroidDose, VisitInputs, judge

RADIOTHERAPY_END = datetime.date(2020, 1, 1)
OPERATION = RADIOTHERAPY_END - datetime.timedelta(weeks=10)


def on_day(days):
    """The date so many days after radiotherapy."""
    return RADIOTHERAPY_END + datetime.timedelta(days=days)


def lesion(name="A", longest=20.0, perpendicular=None, **details):
    """A lesion with two diameters in mm, as long as wide where only one is given, on 1 mm slices.

    Its volume is that of the ball whose largest section has the same product of diameters.
    """
    perpendicular = longest if perpendicular is None else perpendicular
    diameter = math.sqrt(longest * perpendicular)
    shape = {
        "volume": Estimate(math.pi / 6 * diameter**3 / 1000, "mL"),
        "longest": longest,
        "perpendicular": perpendicular,
        "slices": max(int(perpendicular), 1),
        "slice_spacing": 1.0,
        "extents": (longest, perpendicular, perpendicular),
    }
    return Lesion(name, **{**shape, **details})


def of_area(name, area, **details):
    """A round lesion with this product of diameters in mm2."""
    return lesion(name, math.sqrt(area), **details)


def visit(name, week, *lesions, **details):
    """A visit at which nothing else is wrong, every lesion is drawn and no steroid is given."""
    benign = {
        "all_drawn": True,
        "leptomeningeal": False,
        "flair_worse": False,
        "clinical": "stable",
        "steroid": SteroidDose(0.0),
        "antiangiogenic": False,
    }
    return VisitInputs(name, on_day(round(7 * week)), tuple(lesions), **{**benign, **details})


def postoperative(*lesions, **details):
    """The scan two days after the operation, ten weeks before the end of radiotherapy."""
    details = {"surgery": OPERATION, **details}
    return visit("post-op", -10 + 2 / 7, *lesions, **details)


def course(*visits, **details):
    """A course with radiotherapy that ended on ``RADIOTHERAPY_END``."""
    return Course(visits, **{"radiotherapy_ends": (RADIOTHERAPY_END,), **details})


def verdicts(patient, criterion, measure="area", **settings):
    """Visit id to verdict by one measure."""
    return {response.visit: getattr(response, measure) for response in judge(patient, criterion, Settings(**settings))}


def provisional(patient, criterion, measure="area", **settings):
    """Visit id to the provisional categories that are possible."""
    return {name: found.possible for name, found in verdicts(patient, criterion, measure, **settings).items()}


def final(patient, criterion, measure="area", **settings):
    """Visit id to the final categories that are possible."""
    found = verdicts(patient, criterion, measure, **settings)
    return {name: tuple(option.category for option in verdict.final) for name, verdict in found.items()}


def codes(verdict):
    """Codes of everything that a verdict says."""
    options = [*verdict.provisional, *verdict.final]
    messages = [message for option in options for message in option.reasons]
    return {message.code for message in (*messages, *verdict.unknowns, *verdict.depends_on, *verdict.notes)}
