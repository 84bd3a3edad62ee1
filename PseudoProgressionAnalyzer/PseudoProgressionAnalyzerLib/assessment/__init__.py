"""Criteria as cited data, evidence held against them, and its honest sum."""
