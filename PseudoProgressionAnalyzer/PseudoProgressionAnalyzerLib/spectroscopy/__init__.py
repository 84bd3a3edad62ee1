"""MR spectroscopy: simulated basis, water removal, linear-combination fit, ratios."""
