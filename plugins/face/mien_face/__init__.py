"""The mien face plugin."""
