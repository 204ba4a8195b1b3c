"""Between mien's values and the messages of ``mien.v1``, both ways; for server and clients alike."""
