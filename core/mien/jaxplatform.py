"""Starts JAX for plugins whose networks need no more than the processor."""

from __future__ import annotations

import logging
import os
import threading

_log = logging.getLogger(__name__)
_lock = threading.Lock()


def start_jax() -> None:
    """Make sure that JAX has a device; call it before the first array is made.

    ``JAX_PLATFORMS`` may have been set for other work, and name an accelerator that is not there. Then the processor is
    taken, with a warning: nothing in this process could use JAX otherwise. A platform that works is left as it is.

    Raises:
        RuntimeError: Not even the processor can be used.
    """
    import jax

    with _lock:
        try:
            jax.devices()
            return
        except (RuntimeError, AssertionError):  # the latter where JAX finds no platform at all
            asked = os.environ.get("JAX_PLATFORMS", "")
        jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]
        jax.devices()
    _log.warning("JAX cannot start on JAX_PLATFORMS=%s, so the processor is used; unset it to avoid this line", asked)
