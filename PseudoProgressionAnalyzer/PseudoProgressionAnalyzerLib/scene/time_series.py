"""A time series of a NIfTI file as Slicer's volume sequence: Slicer's own dialogs do not open one."""

from __future__ import annotations

from pathlib import Path

import slicer

from ..measures import Image
from . import nodes
from .nodes import mark


def put_time_series(scene: object, image: Image, interval: float | None, file: Path, name: str) -> object:
    """A sequence node of the frames of ``(time, k, j, i)``; interval: s between them, None where it is not known: the
    index is then a plain number. The node remembers its file, for the sidecar and the folder's date."""
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName("time" if interval else "frame")
    sequence.SetIndexUnit("s" if interval else "")
    for number, values in enumerate(image.array):
        frame = slicer.vtkMRMLScalarVolumeNode()
        frame.SetName(f"{name} {number}")
        nodes.set_image(frame, Image(values, image.affine))
        sequence.SetDataNodeAtValue(frame, f"{number * interval:.6g}" if interval else str(number))
    mark(sequence, file=str(file))
    return sequence
