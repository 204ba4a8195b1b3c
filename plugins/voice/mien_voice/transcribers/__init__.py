"""Speech-to-text engines, one module an engine; each imports its packages when it is loaded."""
