"""Which series plays which role, which studies make a visit, and what is missing."""

from .reading import read

__all__ = ["read"]
