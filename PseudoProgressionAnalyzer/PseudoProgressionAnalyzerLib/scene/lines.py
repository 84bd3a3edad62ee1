"""Both diameters of every lesion as line markups that people can move; moved ones are the reader's.

The lines lie on the acquisition plane, under the transform of their visit, in the visit's own RAS mm. Which ends were
measured stands in an attribute: lines that lie elsewhere were drawn by the reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from ..analysis import Analysis
from ..lesion.diameters import RULES
from ..lesion.following import FollowedLesion
from ..measures import Image
from .nodes import ANATOMY, Kind, find, linked, mark, marked, put

WHICH = ("longest", "perpendicular")
MOVED = 0.05
"""mm from which an end counts as moved."""
COLOURS = {"reader": (0.20, 0.95, 1.00), "product": (1.00, 0.70, 0.10)}
BY_READER = (1.00, 0.35, 0.70)


def write_lines(patient: object, analysis: Analysis, pause: Callable[[], None] = lambda: None) -> None:
    """Brings the line nodes up to date with ``analysis.lesions``; lines of lesions that are gone are taken away, unless
    the reader drew them. Lines that the reader moved and nobody took yet stay as they are. pause is called after
    each."""
    wanted = set()
    for lesion in analysis.lesions:
        if lesion.outline is None:
            continue
        for rule in RULES:
            for number, which in enumerate(WHICH):
                wanted.add(_put_line(patient, analysis, lesion, rule, number, which).GetID())
                pause()
    drawn = _found(patient)
    for node in linked(patient, Kind.LINE):
        pair = (marked(node, "visit"), *marked(node, "name").split(" ")[:2])
        if node.GetID() not in wanted and not marked(node, "by_reader") and pair not in drawn:
            patient.GetScene().RemoveNode(node)


def read_lines(patient: object, analysis: Analysis) -> bool:
    """Takes lines that the reader moved into ``analysis.reader_lines``; says whether anything changed.

    A line that the reader deleted is measured again.
    """
    found = _found(patient)
    same = _same(found, analysis.reader_lines)
    if not same:
        analysis.reader_lines = found
    return not same


def lines_wait(patient: object, analysis: Analysis) -> bool:
    """Whether ``read_lines`` would change anything."""
    return not _same(_found(patient), analysis.reader_lines)


def _found(patient: object) -> dict[tuple[str, str, str], np.ndarray]:
    """Pairs of lines of which the reader moved at least one, as ``Analysis.reader_lines``."""
    found = {}
    nodes = {(marked(node, "visit"), marked(node, "name")): node for node in linked(patient, Kind.LINE)}
    for visit, name in nodes:
        lesion, rule, which = name.split(" ")
        pair = [nodes.get((visit, f"{lesion} {rule} {one}")) for one in WHICH]
        if which == WHICH[0] and None not in pair and all(node.GetNumberOfControlPoints() == 2 for node in pair):
            ends = np.array([_ends(node) for node in pair])
            if any(_moved(node) for node in pair):
                found[visit, lesion, rule] = ends
    return found


def _same(found: dict[tuple[str, str, str], np.ndarray], before: dict[tuple[str, str, str], np.ndarray]) -> bool:
    return before.keys() == found.keys() and all(np.allclose(before[key], found[key], atol=1e-6) for key in found)


def measured_again(patient: object, analysis: Analysis, visit: str = "", lesion: str = "") -> None:
    """Forgets the reader's lines (of one visit, of one lesion): the measured ones come back with ``write_lines``."""
    for key in [key for key in analysis.reader_lines if visit in ("", key[0]) and lesion in ("", key[1])]:
        del analysis.reader_lines[key]
    for node in linked(patient, Kind.LINE):
        if visit in ("", marked(node, "visit")) and lesion in ("", marked(node, "name").split(" ")[0]):
            patient.GetScene().RemoveNode(node)


def hide_left_behind(patient: object, analysis: Analysis, visit: str) -> None:
    """Hides measured pairs of lines of a visit where an end touches nothing that is drawn any more, as after an undo:
    the lesion is measured only when the pen rests, and ``write_lines`` then brings them up to date."""
    drawn = [mask for (drawn_in, _), mask in analysis.regions.items() if drawn_in == visit]
    pairs: dict[str, list[object]] = {}
    for node in linked(patient, Kind.LINE):
        if marked(node, "visit") == visit and not marked(node, "by_reader") and not _moved(node):
            pairs.setdefault(marked(node, "name").rsplit(" ", 1)[0], []).append(node)
    for pair in pairs.values():
        ends = [end for node in pair for end in _ends(node)]
        if not all(any(_touches(mask, end) for mask in drawn) for end in ends):
            for node in pair:
                if node.GetDisplayNode() is not None:
                    node.GetDisplayNode().SetVisibility(False)


def _touches(mask: Image, point: np.ndarray) -> bool:
    """Whether a point (RAS mm, (3,)) lies within about a voxel of a mask."""
    i, j, k = np.rint(np.linalg.solve(mask.affine, [*point, 1.0])[:3]).astype(int)
    return bool(mask.array[max(k - 1, 0) : k + 2, max(j - 1, 0) : j + 2, max(i - 1, 0) : i + 2].any())


def show_rule(patient: object, rule: str, shown: bool = True) -> None:
    """Shows the lines of one rule alone, or none: in the views of the timeline that show their visit."""
    for node in linked(patient, Kind.LINE):
        hidden = not shown or marked(node, "name").split(" ")[1] != rule
        mark(node, hidden="1" if hidden else "")
        display = node.GetDisplayNode()
        if display is not None:
            display.SetVisibility(not hidden and display.GetNumberOfViewNodeIDs() > 0)


def _put_line(
    patient: object, analysis: Analysis, lesion: FollowedLesion, rule: str, number: int, which: str
) -> object:
    name = f"{lesion.lesion} {rule} {which}"
    known = find(patient, Kind.LINE, lesion.visit, name)
    node = put(patient, "vtkMRMLMarkupsLineNode", f"{lesion.visit} {name}", Kind.LINE, lesion.visit, name)
    drawn = analysis.reader_lines.get((lesion.visit, lesion.lesion, rule))
    if known is not None and drawn is None and _moved(known):
        return known
    lines = lesion.outline.lines[rule]
    ends = drawn[number] if drawn is not None else (lines.longest_ends, lines.perpendicular_ends)[number]
    change = node.StartModify()
    if known is None or node.GetNumberOfControlPoints() != 2 or np.abs(_ends(node) - ends).max() > 1e-6:
        node.RemoveAllControlPoints()
        for end in ends:
            node.AddControlPoint(*(float(one) for one in end))
    if drawn is None:
        mark(node, measured=json.dumps(np.asarray(ends, float).tolist()))
    mark(node, by_reader="1" if drawn is not None else "")
    anatomy = find(patient, Kind.IMAGE, lesion.visit, ANATOMY)
    node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID() if anatomy is not None else None)
    if known is None:
        _show(node, rule)
    if node.GetDisplayNode() is not None:
        colour = BY_READER if drawn is not None else COLOURS[rule]
        node.GetDisplayNode().SetColor(*colour)
        node.GetDisplayNode().SetSelectedColor(*colour)
    node.EndModify(change)
    return node


def _show(node: object, rule: str) -> None:
    """Thin lines with their length; those of the largest product hidden until somebody wants them."""
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    mark(node, hidden="" if rule == RULES[0] else "1")
    if display is None:
        return
    display.SetVisibility(False)  # the timeline shows them in the column of their visit
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetGlyphScale(1.2)
    display.SetLineThickness(0.25)
    display.SetTextScale(2.5)


def _ends(node: object) -> np.ndarray:
    """Both ends ``(2, 3)`` in the visit's RAS mm."""
    return np.array([node.GetNthControlPointPosition(number) for number in range(2)])


def _moved(node: object) -> bool:
    if node.GetNumberOfControlPoints() != 2:
        return False
    measured = json.loads(marked(node, "measured") or "null")
    return measured is None or float(np.abs(_ends(node) - np.array(measured)).max()) > MOVED
