"""Serial imaging of glioblastoma after radiotherapy: evidence for pseudoprogression or true progression.

For research and teaching. Not for clinical use.
"""

__version__ = "0.1.0"
