"""The panel in 3D Slicer: Qt widgets around the scene. Needs Slicer's own Python (``qt``, ``ctk``, ``slicer``)."""
