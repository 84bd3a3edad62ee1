"""What is to be done next with a patient, in one line of news."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..analysis import Analysis
from ..analysis.aligning import trust
from ..patient.choosing import open_roles

MEASURED = ("step_measure", "")
"""The step after which there are numbers."""


def next_step(analysis: Analysis | None) -> str:
    """The next step, by what is loaded, aligned, drawn and measured."""
    if analysis is None:
        return _("Choose in the section Patient where to load a patient from.")
    visits = analysis.patient.visits
    if MEASURED not in analysis.finished:
        waiting = [visit.id for visit in visits if open_roles(visit)]
        if waiting:
            said = _("Next: choose in Series of the chosen visit ({visits}), then Align and compute.")
            return said.format(visits=", ".join(waiting))
        return f"{_doubts(analysis)} {_('Next: Align and compute.')}".strip()
    if not any(region.purpose == "lesion" for region in analysis.patient.regions):
        return _("Next: draw the lesion of each visit in Regions, or click it in Lesions and response.")
    return _("Next: look at the views, correct outlines in Regions, then read Measurements and Assessment.")


def _doubts(analysis: Analysis) -> str:
    """Of aligned visits, whether each can be trusted; empty where none is aligned."""
    found = {visit.id: trust(analysis, visit.id) for visit in analysis.patient.visits}
    of = {word: ", ".join(visit for visit, one in found.items() if one == word) for word in ("failed", "check")}
    said = [_("Aligned.")] if set(found.values()) - {"none"} else []
    if of["failed"]:
        said.append(_("Failed: {visits}, use a transform of your own.").format(visits=of["failed"]))
    if of["check"]:
        said.append(_("Check by eye: {visits}.").format(visits=of["check"]))
    return " ".join(said)
