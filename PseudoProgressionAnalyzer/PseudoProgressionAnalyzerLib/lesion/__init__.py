"""Lesions measured: volume, diameters, shape, and their change over time."""
