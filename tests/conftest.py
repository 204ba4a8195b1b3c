"""For all tests: hypothesis takes the same examples each time, and never minds a slow machine; and nothing that lies in
this user's Hugging Face cache, or on the hub, changes what a test finds."""

import os
from pathlib import Path

from hypothesis import settings

os.environ["HF_HUB_CACHE"] = str(Path(__file__).with_name("no-such-cache"))
os.environ["HF_HUB_OFFLINE"] = "1"

settings.register_profile("mien", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("mien")
