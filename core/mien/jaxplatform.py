"""Starts JAX for plugins whose networks need no more than the processor, and keeps what it compiles.

What XLA compiled is kept from one process to the next in the user's cache folder, so that only the first start waits
for it. It is machine code: it is kept apart for each processor and version, and taken only from a folder that nobody
else can write to.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import stat
import threading
import warnings
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

SWITCH: Final = "MIEN_KEEP_COMPILED"
"""Environment variable: ``0`` keeps nothing. A ``JAX_COMPILATION_CACHE_DIR`` of the user's own goes before it."""

_SUFFIX: Final = "-cache"
"""Of the files in which JAX keeps a program."""

_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_started = False


def start_jax() -> None:
    """Make sure that JAX has a device, and keep what it compiles; call it before the first array is made.

    ``JAX_PLATFORMS`` may have been set for other work, and name an accelerator that is not there. Then the processor is
    taken, with a warning: nothing in this process could use JAX otherwise. A platform that works is left as it is.

    Raises:
        RuntimeError: Not even the processor can be used.
    """
    import jax

    global _started
    with _lock:
        if _started:
            return
        _find_device(jax)
        _keep_compiled(jax)
        _started = True


def compiled_folder() -> Path:
    """Where programs for this processor, this mien and this JAX are kept: in ``XDG_CACHE_HOME``, or ``~/.cache``."""
    from mien import __version__

    of = "\n".join((__version__, version("jaxlib"), platform.machine(), _processor(), os.environ.get("XLA_FLAGS", "")))
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "mien" / "compiled" / hashlib.sha256(of.encode()).hexdigest()[:16]


def _find_device(jax: Any) -> None:
    try:
        jax.devices()
        return
    except (RuntimeError, AssertionError):  # the latter where JAX finds no platform at all
        asked = os.environ.get("JAX_PLATFORMS", "")
    jax.config.update("jax_platforms", "cpu")
    jax.devices()
    _log.warning("JAX cannot start on JAX_PLATFORMS=%s, so the processor is used; unset it to avoid this line", asked)


def _keep_compiled(jax: Any) -> None:
    """Tell JAX where to keep programs. Without a folder to trust, it compiles in each process as it always did."""
    if jax.config.jax_compilation_cache_dir or os.environ.get(SWITCH) == "0":
        return
    try:
        folder = compiled_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours_alone(folder):
            _log.warning("%s can be written to by others, so nothing that was compiled is taken from it", folder)
            return
        _drop_damaged(folder)
    except (OSError, RuntimeError) as error:  # a read-only or full disk; no home
        _log.debug("what JAX compiles is not kept: %s", error)
        return
    warnings.filterwarnings("ignore", message=".*persistent compilation cache.*")  # it compiles, and that is all
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def _is_ours_alone(folder: Path) -> bool:
    """Whether this user, or root, owns the folder, and nobody else can write to it."""
    found = folder.stat()
    owner = not hasattr(os, "getuid") or found.st_uid in (os.getuid(), 0)
    return owner and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _drop_damaged(folder: Path) -> None:
    """JAX writes in place, and a process that is killed meanwhile would leave a torn program for good."""
    for path in folder.glob(f"*{_SUFFIX}"):
        content = path.read_bytes()
        if content.startswith(_ZSTANDARD):  # which JAX takes where it is installed; this Python may not read it
            continue
        try:
            zlib.decompress(content)
        except zlib.error:
            path.unlink(missing_ok=True)


def _processor() -> str:
    """Model and features of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    told = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(told)}))
