"""A mien plugin: what the melody of a voice says, whatever its words."""
