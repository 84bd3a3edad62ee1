"""Every kind of file into plain objects."""
