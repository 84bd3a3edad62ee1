"""Simulated patients with known truth, made with forward models of their own."""
