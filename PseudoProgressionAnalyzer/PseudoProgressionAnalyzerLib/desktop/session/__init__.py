"""What the panel's buttons do, one function each, callable from Python without the panel.

The scene is the single source of truth; the Analysis that is kept here is read from it and can be read again at any
time. Each file holds one subject as a class; what a subject needs of others stands in its first line.
"""

from __future__ import annotations

from .computing import Computing
from .loading import Loading
from .reporting import Reporting


class Session(Loading, Computing, Reporting):
    """The patient of the scene at work: loaded, computed, corrected, drawn, judged, reported, shown over time."""
