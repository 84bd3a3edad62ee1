"""The MRML side: nodes, timeline views, overlays, and measuring in regions. Needs ``slicer``, never Qt."""
