"""Whether a region is one piece: what was painted beside a lesion by mistake belongs to its volume like the lesion."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..measures import Message


def piece_sizes(mask: np.ndarray) -> list[int]:
    """Voxels of each piece of a bool mask ``(k, j, i)``, the largest first; voxels that touch by face, edge or corner
    are one piece, as in ``matching.label_lesions``."""
    sizes: list[int] = []
    blocks = [mask]
    while blocks:
        parts = _between_empty_planes(blocks.pop())
        if len(parts) > 1:
            blocks += parts
            continue
        for part in parts:
            labels, _ = ndimage.label(part, structure=np.ones((3, 3, 3)))
            sizes += np.bincount(labels.ravel())[1:].tolist()
    return sorted(sizes, reverse=True)


def _between_empty_planes(block: np.ndarray) -> list[np.ndarray]:
    """The parts of a block that planes without any voxel keep apart; itself without its empty border where none does.

    Two small pieces far apart have a large box with next to nothing in it, which takes long to label.
    """
    for axis in range(3):
        held = block.any(axis=tuple(other for other in range(3) if other != axis))
        bounds = np.flatnonzero(np.diff(np.pad(held.astype(np.int8), 1))).reshape(-1, 2)
        parts = [block[(slice(None),) * axis + (slice(first, end),)] for first, end in bounds.tolist()]
        if len(parts) != 1:
            return parts
        block = parts[0]
    return [block]


def remark_on_pieces(mask: np.ndarray) -> tuple[Message, ...]:
    """That a region is not one piece: how many there are, and the share of its voxels in all but the largest.

    mask: bool ``(k, j, i)``. Flag: ``lesion_pieces``; none for one piece or an empty region.
    """
    sizes = piece_sizes(mask)
    if len(sizes) < 2:
        return ()
    percent = 100 * sum(sizes[1:]) / sum(sizes)
    return (Message("lesion_pieces", {"pieces": len(sizes), "percent": float(f"{percent:.2g}")}),)
