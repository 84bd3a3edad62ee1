"""The colour tables of maps, one of each in the scene, readable with any colour vision.

Slicer's slices know transparent and opaque only: a colour of any opacity above 0 is drawn as opaque (the display
pipeline joins opacity and threshold by a logical AND, vtkMRMLScalarVolumeDisplayNode). What shall not be seen has
opacity 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vtkmodules.vtkRenderingCore import vtkColorTransferFunction

from .nodes import Kind, put

_STEPS = 256
_HEAT = ((48, 38, 127), (212, 64, 122), (255, 241, 116))
"""Violet, red and yellow of CIE L* 20, 50 and 94: between them straight lines in CIE L*a*b*, so that lightness rises
evenly and the scale reads the same in grey and with any colour vision."""
_BELOW_ZERO_ABOVE = ((86, 180, 233), (10, 10, 10), (230, 159, 0))
"""Sky blue, black and orange of Okabe and Ito's set for any colour vision."""
LESS, MORE = (33, 102, 172), (230, 97, 1)
"""Blue and orange, told apart by every colour vision, of like lightness."""
_LITTLE_LESS, _LITTLE_MORE = (166, 206, 240), (253, 208, 150)
_UNCHANGED = (128, 128, 128)
CLASS_NAMES = ("decreased", "increased")


def heat_colours(patient: object) -> object:
    """The scene's colour table of all maps."""
    heat = _between(_HEAT)
    return _table(patient, "heat", [(heat(step / (_STEPS - 1)), 1.0) for step in range(_STEPS)])


def signed_colours(patient: object) -> object:
    """The scene's colour table of maps with a sign: light blue below zero, dark at zero, light orange above."""
    signed = _between(_BELOW_ZERO_ABOVE)
    return _table(patient, "signed", [(signed(step / (_STEPS - 1)), 1.0) for step in range(_STEPS)])


def class_colours(patient: object) -> object:
    """The scene's colour table of what fell (1) and what rose (2), with names that a legend can show."""
    colours = [([channel / 255 for channel in colour], 1.0) for colour in (LESS, MORE)]
    return _table(patient, "classes", colours, CLASS_NAMES)


def change_colours(patient: object, name: str, hidden: float) -> object:
    """The colour table of one change (``name``): blue for less, orange for more, the stronger the darker, and nothing
    where it is smaller than a share (0 to 1) of the scale, which a legend shows in grey. Brought up to date."""
    less, more = _between((LESS, _LITTLE_LESS)), _between((_LITTLE_MORE, MORE))
    colours = []
    for step in range(_STEPS):
        position = 2 * step / (_STEPS - 1) - 1
        beyond = (abs(position) - hidden) / max(1 - hidden, 1e-9)
        if beyond < 0:
            colours.append(([channel / 255 for channel in _UNCHANGED], 0.0))
        else:
            colours.append((less(1 - beyond) if position < 0 else more(beyond), 1.0))
    return _table(patient, f"change {name}", colours, anew=True)


def _between(colours: Sequence[tuple[int, int, int]]) -> Callable[[float], list[float]]:
    """Colour (three numbers from 0 to 1) at a share of the way from the first to the last, straight in CIE L*a*b*."""
    function = vtkColorTransferFunction()
    function.SetColorSpaceToLab()
    for position, colour in enumerate(colours):
        function.AddRGBPoint(position / (len(colours) - 1), *(channel / 255 for channel in colour))
    return lambda share: [round(channel * 255) / 255 for channel in function.GetColor(share)]


def _table(
    patient: object, kind: str, colours: list[tuple[list[float], float]], names: Sequence[str] = (), anew: bool = False
) -> object:
    key = "" if kind == "heat" else kind
    node = put(patient, "vtkMRMLColorTableNode", f"PseudoProgressionAnalyzer {kind}", Kind.COLOURS, name=key)
    if node.GetNumberOfColors() == len(colours) and not anew:
        return node
    change = node.StartModify()
    if node.GetNumberOfColors() != len(colours):
        node.SetHideFromEditors(False)  # hidden colour tables are not offered to the user
        node.SetTypeToUser()
        node.SetNumberOfColors(len(colours))
    for step, (colour, opacity) in enumerate(colours):
        node.SetColor(step, names[step] if names else str(step), *colour, opacity)
    node.EndModify(change)
    return node
