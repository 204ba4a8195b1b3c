"""A mien plugin: a weighted mean, with rules of your own as floors and caps."""
