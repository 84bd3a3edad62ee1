"""Every visit rigidly to one reference visit: found by registration, or given by the user."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..imaging import agreement
from ..imaging.head import Head
from ..imaging.registration import UNCERTAINTY_LIMIT, register_heads
from ..measures import InputError, Message
from . import Analysis
from .reading import lesion_of, warn

USER = "set_by_user"
"""Key of ``alignment[visit]`` (with the value 1) where the transform is the user's own."""
FAILED = {"registration_start_kept", "registration_disagrees"}
"""Doubts by which an alignment has failed: it was given up, or edges lie apart after it. The others ask to look."""
_RIGID = 1e-3  # by how much a matrix may miss being a rotation
DEPENDENT = ("step_reference_tissue", "step_ratios", "step_measure", "step_assess")
"""Steps that read the transforms between visits."""


def choose_reference_visit(analysis: Analysis) -> None:
    """The earliest visit with a T1CE, where none was chosen: so nothing that came later enters an earlier measurement,
    not even through the transforms. Raises InputError ``nothing_to_measure`` where no visit has one."""
    if not analysis.reference_visit:
        visits = [visit.id for visit in analysis.patient.visits if (visit.id, "T1CE") in analysis.images]
        if not visits:
            raise InputError("nothing_to_measure")
        analysis.reference_visit = visits[0]


def align_visit(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """The transform of a visit to the reference visit, with what is known of its trust; a user's own one stays.

    ``alignment[visit]``: ``uncertainty`` (mm, of how far other fits of the same heads end from it: ``spread_samples``,
    ``spread_starts``, ``spread_metrics``, ``spread_halves``, see ``imaging.spread``); ``edge_distance_before`` and
    ``edge_distance_after`` (mm, of the edges of brain, ventricles and skull outside the lesions, by the scanner's own
    coordinates and by the transform). What could not be told is absent.
    """
    _align(analysis, visit_id, progress, cancelled)
    if visit_id == [visit.id for visit in analysis.patient.visits if visit.of_role("T1CE")][-1]:
        analysis.reference_head = None  # no other visit needs it


def _align(analysis: Analysis, visit_id: str, progress, cancelled) -> None:
    if visit_id == analysis.reference_visit:
        analysis.visit_to_reference[visit_id] = np.eye(4)
        analysis.alignment[visit_id] = {"uncertainty": 0.0}
        return
    if is_users(analysis, visit_id) and visit_id in analysis.visit_to_reference:
        return
    registration = register_heads(
        _reference_head(analysis), _head(analysis, visit_id), progress=progress, cancelled=cancelled
    )
    analysis.visit_to_reference[visit_id] = registration.moving_to_fixed
    spreads = {"uncertainty": registration.uncertainty}
    spreads |= {f"spread_{kind}": apart for kind, apart in registration.spread.items()}
    known = {name: value for name, value in spreads.items() if np.isfinite(value)}
    edges = _edge_distances(registration.agreement_before, registration.agreement)
    analysis.alignment[visit_id] = known | edges
    warn(analysis, visit_id, *registration.flags)


def use_transform(analysis: Analysis, visit_id: str, matrix: np.ndarray) -> None:
    """Takes the user's own transform of a visit: 4x4, RAS mm of the visit to RAS mm of the reference visit.

    It is accepted whatever the images say, and marked as the user's; its edge distances are shown, its uncertainty is
    unknown. Steps that depend on it run again. Raises InputError ``transform_not_rigid``, ``transform_of_reference``,
    ``unknown_visit``.
    """
    analysis.patient.visit(visit_id)
    matrix = np.asarray(matrix, dtype=float)
    if not is_rigid(matrix):
        raise InputError("transform_not_rigid", visit=visit_id)
    if visit_id == analysis.reference_visit:
        raise InputError("transform_of_reference", visit=visit_id)
    analysis.visit_to_reference[visit_id] = matrix
    make_users(analysis, visit_id)
    if (visit_id, "T1CE") in analysis.images and (analysis.reference_visit, "T1CE") in analysis.images:
        heads = [_head(analysis, one) for one in (analysis.reference_visit, visit_id)]
        before, after = (agreement.head_distance(*heads, one) for one in (np.eye(4), matrix))
        analysis.alignment[visit_id] |= _edge_distances(before, after)


def is_rigid(matrix: np.ndarray) -> bool:
    """Whether a matrix is 4x4 and turns and shifts, nothing else."""
    turn = matrix[:3, :3] if matrix.shape == (4, 4) else np.zeros((3, 3))
    rigid = np.isfinite(matrix).all() and np.allclose(turn @ turn.T, np.eye(3), atol=_RIGID)
    return bool(rigid and np.linalg.det(turn) > 0 and np.allclose(matrix[3], [0, 0, 0, 1], atol=_RIGID))


def make_users(analysis: Analysis, visit_id: str) -> None:
    """Marks the visit's transform, as it is, as the user's own: it stays, and nothing is known of its trust."""
    analysis.alignment[visit_id] = {USER: 1.0}
    _forget_registration(analysis, visit_id)
    analysis.finished.add(("step_align", visit_id))


def forget_transform(analysis: Analysis, visit_id: str) -> None:
    """Gives a user's own transform up: the visit is registered again, and what depends on it runs again."""
    analysis.alignment.pop(visit_id, None)
    analysis.visit_to_reference.pop(visit_id, None)
    _forget_registration(analysis, visit_id)
    analysis.finished.discard(("step_align", visit_id))


def choose_another_reference(analysis: Analysis, visit_id: str) -> None:
    """Aligns all visits to another reference visit from now on: they are registered again, but for those whose
    transform is the user's own, which is brought to the new reference visit by the transform that this one had. Where
    that one was in doubt, nothing is: what came of it would count as the user's own, without the doubt."""
    old, before = analysis.reference_visit, dict(analysis.visit_to_reference)
    known = visit_id in before and by_voxel(analysis, visit_id)
    users = [visit.id for visit in analysis.patient.visits if is_users(analysis, visit.id)]
    for visit in analysis.patient.visits:
        forget_transform(analysis, visit.id)
    analysis.reference_visit = visit_id
    if visit_id in users:  # the user has said how these two lie to each other
        users[users.index(visit_id)] = old
    for visit in users if known else ():
        analysis.visit_to_reference[visit] = np.linalg.inv(before[visit_id]) @ before[visit]
        make_users(analysis, visit)


def is_users(analysis: Analysis, visit_id: str) -> bool:
    """Whether the visit's transform is the user's own."""
    return bool(analysis.alignment.get(visit_id, {}).get(USER))


def doubts(analysis: Analysis, visit_id: str) -> list[Message]:
    """What speaks against comparing a visit with others voxel by voxel; nothing where the transform is the user's own,
    which is the user's own judgement."""
    if is_users(analysis, visit_id):
        return []
    return [message for message in analysis.messages.get(visit_id, []) if message.code.startswith("registration_")]


def by_voxel(analysis: Analysis, visit_id: str) -> bool:
    """Whether an aligned visit may be compared with others voxel by voxel: where its transform is the user's own, or
    without any doubt known within ``UNCERTAINTY_LIMIT``."""
    uncertainty = analysis.alignment.get(visit_id, {}).get("uncertainty")
    known = uncertainty is not None and uncertainty <= UNCERTAINTY_LIMIT and not doubts(analysis, visit_id)
    return is_users(analysis, visit_id) or known


def trust(analysis: Analysis, visit_id: str) -> str:
    """How far the transform of a visit can be trusted, in one word (of our own, see Docs/methods.md): ``good`` without
    any doubt; ``failed`` where the fit was given up or edges lie apart after it; ``check`` with any other doubt;
    ``own`` of the user's own transform, ``reference`` of the reference visit, ``none`` before alignment."""
    if visit_id not in analysis.visit_to_reference or visit_id not in analysis.alignment:
        return "none"
    if visit_id == analysis.reference_visit:
        return "reference"
    if is_users(analysis, visit_id):
        return "own"
    found = {message.code for message in doubts(analysis, visit_id)}
    return "failed" if found & FAILED else "check" if found else "good"


def failed_alignments(analysis: Analysis, visit_ids: Iterable[str]) -> list[Message]:
    """A remark ``alignment_failed`` for each of these visits whose alignment has failed: it may show another place or
    another patient, so a change to or from it is in doubt, also one that is measured without the transform."""
    return [Message("alignment_failed", {"visit": one}) for one in visit_ids if trust(analysis, one) == "failed"]


def unchecked_alignments(analysis: Analysis, visit_ids: Iterable[str], rests: str) -> list[Message]:
    """A remark ``alignment_check_<rests>`` for each of these visits whose alignment is to be checked by eye.

    rests: what rests on it, ``carried`` (the place of a carried region) or ``identity`` (which lesion is which).
    """
    return [Message(f"alignment_check_{rests}", {"visit": one}) for one in visit_ids if trust(analysis, one) == "check"]


def visit_to_visit(analysis: Analysis, moving: str, fixed: str) -> np.ndarray:
    """4x4, RAS points of one visit to those of another; exactly the identity within a visit."""
    if moving == fixed:
        return np.eye(4)
    return np.linalg.inv(analysis.visit_to_reference[fixed]) @ analysis.visit_to_reference[moving]


def _reference_head(analysis: Analysis) -> Head:
    """The reference visit's head with what was made of it for an earlier visit, while nothing that it is of changed."""
    of = analysis.images[analysis.reference_visit, "T1CE"], analysis.brains.get(analysis.reference_visit)
    lesion = lesion_of(analysis, analysis.reference_visit)
    if analysis.reference_head is not None:
        *kept, kept_lesion, head = analysis.reference_head
        same = lesion is kept_lesion or (
            lesion is not None and kept_lesion is not None and np.array_equal(lesion, kept_lesion)
        )
        if same and all(one is other for one, other in zip(kept, of, strict=True)):
            return head
    head = Head(*of, lesion)
    analysis.reference_head = (*of, lesion, head)
    return head


def _head(analysis: Analysis, visit_id: str) -> Head:
    return Head(analysis.images[visit_id, "T1CE"], analysis.brains.get(visit_id), lesion_of(analysis, visit_id))


def _edge_distances(before: float | None, after: float | None) -> dict[str, float]:
    told = {"edge_distance_before": before, "edge_distance_after": after}
    return {name: distance for name, distance in told.items() if distance is not None}


def _forget_registration(analysis: Analysis, visit_id: str) -> None:
    """Takes what was said of an earlier transform away, and reopens the steps that used it; of mean spectra those of
    regions that it carried."""
    said = analysis.messages.get(visit_id, [])
    said[:] = [message for message in said if not message.code.startswith("registration_")]
    analysis.finished = {step for step in analysis.finished if step[0] not in DEPENDENT}
    for key in [key for key in analysis.region_spectra if key[0] != key[1] and visit_id in key[:2]]:
        del analysis.region_spectra[key]
        analysis.finished.discard(("step_region_spectra", key[0]))
