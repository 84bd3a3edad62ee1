"""Perfusion on plain arrays: dynamic susceptibility contrast (DSC) and arterial spin labelling (ASL)."""
