"""MR spectroscopy: simulated basis, water removal, linear-combination fit, ratios. Arrays in, arrays out."""

from .fitting import fit
from .result import Curves, Fit

__all__ = ["Curves", "Fit", "fit"]
