"""Programs that are compiled once each, when they are first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Program = TypeVar("Program")


class Programs(Generic[Key, Program]):
    """Compiles what is asked for, and keeps it. Thread-safe: who needs one program waits for no other.

    Args:
        compile_one: Makes the program of a key.
    """

    def __init__(self, compile_one: Callable[[Key], Program]) -> None:
        self._compile_one = compile_one
        self._ready: dict[Key, Program] = {}
        self._locks: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Program:
        """The program of a key; raises what compiling it raises, and tries again the next time."""
        found = self._ready.get(key)
        if found is not None:
            return found
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._ready:
                self._ready[key] = self._compile_one(key)
            return self._ready[key]
