"""Tables, figures, HTML and JSON that people and programs read."""
