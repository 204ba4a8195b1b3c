"""For all tests: hypothesis takes the same examples each time, never minds a slow machine; a network is compiled once.

The suite's processes (its workers, and every server, kiosk and command that a test starts) share what JAX compiled, in
a folder that goes with the run. It is set before anything imports JAX; a limit on its size is what makes JAX lock it.
"""

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    folder = tempfile.mkdtemp(prefix="mien-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ |= {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_COMPILATION_CACHE_MAX_SIZE": str(2**30),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.05",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
    }

settings.register_profile("mien", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("mien")
