"""What a process's parts share and no plugin may change: the working directory, handlers, switches of libraries."""

from __future__ import annotations

import gc
import locale
import logging
import os
import random
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from mien.testing.rules import require

_LIBRARY_VARIABLES: Final = ("KMP_", "TF2_", "XLA_", "CUDA_", "JAX_PLATFORM", "TOKENIZERS_")
"""Libraries set variables of these beginnings when they are loaded; that is theirs."""


def surroundings() -> dict[str, object]:
    """What is to be as it was: name -> a value to compare."""
    found: dict[str, object] = {
        "the working directory": os.getcwd(),  # noqa: PTH109 - a name for people and a value to compare, no path to use
        "the environment": {k: v for k, v in os.environ.items() if not k.startswith(_LIBRARY_VARIABLES)},
        "a signal handler": {number: _handler(number) for number in signal.valid_signals()},
        "the module search path": list(sys.path),
        "sys.excepthook": sys.excepthook,
        "sys.stdout": sys.stdout,
        "the recursion limit": sys.getrecursionlimit(),
        "the thread switch interval": sys.getswitchinterval(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the level or handlers of the root logger": (logging.root.level, list(logging.root.handlers)),
        "the default timeout of sockets": socket.getdefaulttimeout(),
        "numpy's handling of floating-point errors": np.geterr(),
        "the state of the random module": hash(random.getstate()),
        "the state of numpy's random numbers": _numpy_state(),
        "garbage collection": gc.isenabled(),
        "what warnings do": len(warnings.filters),
    }
    found.update(_of_opencv())
    found.update(_of_jax())
    return found


@contextmanager
def left_alone(what: str, *, ignore: frozenset[str] = frozenset()) -> Iterator[None]:
    """Fail where what is done inside changes the surroundings; libraries that it loads bring theirs.

    Args:
        what: The doing, for the message: ``analyze``.
        ignore: Names of ``surroundings`` that do not count.
    """
    before = surroundings()
    yield
    after = surroundings()
    changed = [name for name in before if name not in ignore and before[name] != after[name]]
    require(not changed, f"{what} changed {' and '.join(changed)}")


def _handler(number: int) -> Any:
    try:
        return signal.getsignal(number)
    except ValueError:
        return None


def _numpy_state() -> object:
    state = np.random.get_state(legacy=False)
    inner = state["state"] if isinstance(state, dict) else state
    return repr(inner["key"][:4]) + repr(inner["pos"]) if isinstance(inner, dict) and "key" in inner else repr(inner)


def _of_opencv() -> dict[str, object]:
    opencv = sys.modules.get("cv2")
    get: Callable[[], int] | None = getattr(opencv, "getNumThreads", None)
    return {} if get is None else {"the number of OpenCV's threads": get()}


def _of_jax() -> dict[str, object]:
    values = getattr(getattr(sys.modules.get("jax"), "config", None), "values", None)
    return {f"JAX's setting {name}": value for name, value in values.items()} if isinstance(values, dict) else {}
