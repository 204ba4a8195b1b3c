"""The mien voice plugin."""
