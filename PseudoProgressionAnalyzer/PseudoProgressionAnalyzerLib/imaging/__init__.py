"""Geometry: registration, resampling, brain mask, midline and reference tissue."""
