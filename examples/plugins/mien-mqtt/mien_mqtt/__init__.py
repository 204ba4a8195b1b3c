"""A mien plugin: each result as a message to an MQTT broker."""
