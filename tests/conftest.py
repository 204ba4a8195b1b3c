"""For all tests: hypothesis takes the same examples each time, and never minds a slow machine."""

from hypothesis import settings

settings.register_profile("mien", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("mien")
