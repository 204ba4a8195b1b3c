"""The mien fusion plugin."""
