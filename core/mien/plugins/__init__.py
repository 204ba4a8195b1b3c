"""Plugins: finding them, holding what they register, calling into them, and their sinks."""
