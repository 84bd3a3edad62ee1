"""The colours of pictures and figures, chosen so that people with any colour vision can read them."""

from __future__ import annotations

import numpy as np

_HEAT_STEPS = (
    "30267f", "5f298b", "8e2a89", "b53083", "d4407a", "ed5771", "fd746a", "fd9771", "feb678", "fed47c", "fff174",
)  # fmt: skip
"""Equal steps of CIE L* from about 20 to 94, violet over red to yellow, colour differences even along the way."""

OWN = (0.20, 0.95, 1.00)
FIXED = (1.00, 1.00, 1.00)
REFERENCE = (0.62, 1.00, 0.45)
INK = (0.11, 0.13, 0.16)
FAINT_INK = (0.36, 0.40, 0.46)
PAPER = (1.0, 1.0, 1.0)
GRID = (0.82, 0.84, 0.87)
ABSENT = (0.93, 0.94, 0.95)


def rgb(hexadecimal: str) -> np.ndarray:
    """``rrggbb`` as three numbers from 0 to 1."""
    return np.frombuffer(bytes.fromhex(hexadecimal), dtype=np.uint8) / 255.0


_HEAT = np.stack([rgb(step) for step in _HEAT_STEPS])


def heat(fraction: np.ndarray) -> np.ndarray:
    """Colours ``(..., 3)`` of numbers from 0 (dark violet) to 1 (light yellow); beyond the ends, the ends' own."""
    position = np.linspace(0, 1, len(_HEAT))
    return np.stack([np.interp(fraction, position, _HEAT[:, channel]) for channel in range(3)], axis=-1)
