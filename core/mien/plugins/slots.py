"""Registered factories, each behind the guard of its part: parts that are made once and kept, and parts made to order.

A slot makes its part when it is first needed, from whichever thread asks first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, TypeVar

from mien.errors import MienError, PluginError
from mien.interfaces import Analyzer, Sink, Transcriber
from mien.plugins.guard import CallKind, Deadlines, Guard, GuardedCall, PluginCallError, log_raised
from mien.plugins.workers import DEFAULT_THREADS

Info = TypeVar("Info")
Part = TypeVar("Part")
Result = TypeVar("Result")
Factory = TypeVar("Factory", bound=Callable[..., Any])


class Slot(Generic[Info, Part]):
    """One registered factory and, once it was needed, what it made.

    Attributes:
        guard: Stands before the part; its factory and its ``close`` are called through it here.
        opening: Stands before an analyzer's ``open_stream``, on threads that its analyses do not keep busy.
    """

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        info: Info,
        plugin: str,
        factory: Callable[[], Part],
        part_type: type[Any],
        deadlines: Deadlines,
    ) -> None:
        self.kind = kind
        self.name = name
        self.info = info
        self.plugin = plugin
        threads = max(DEFAULT_THREADS, getattr(info, "parallel", 1) + 1)
        self.guard = Guard(f"{kind} {name!r}", deadlines, threads=threads)
        self.opening = Guard(f"{kind} {name!r}", deadlines)
        self._where = f"{kind} {name!r} of plugin {plugin!r}"
        self._factory = factory
        self._part_type = part_type
        self._lock = threading.Lock()
        self._part: Part | None = None
        self._failure = ""
        self._closed = False

    @property
    def loaded(self) -> bool:
        """Whether ``load`` would answer at once, with the part or with the reason why there is none."""
        return self._part is not None or bool(self._failure)

    def load(self) -> Part:
        """Make the part, once; a failure is remembered and raised again.

        Raises:
            PluginError: The factory raised, made something else, needs itself, or has not answered in time. What it
                makes after its time is used from then on.
        """
        if not self.loaded:
            self._load()
        if self._part is None:
            raise PluginError(self._failure)
        return self._part

    def begin_close(self) -> GuardedCall[None] | None:
        """Begin to close the part; None where there is nothing to close. The slot makes no other."""
        self._closed = True
        self.opening.close()
        part, self._part = self._part, None
        self._failure = f"{self.kind} {self.name!r} is closed"
        if not isinstance(part, Analyzer | Transcriber | Sink):
            return None
        return self.guard.submit(CallKind.CLOSE, outspoken(part.close))

    def _load(self) -> None:
        if self in _loading.get():
            raise PluginError(f"{self._where} needs itself to load")
        try:
            self.guard.call(CallKind.FACTORY, self._make_once)
        except PluginCallError as error:
            raise PluginError(f"{self._where} could not be loaded: {error.reason}") from None

    def _make_once(self) -> None:
        with self._lock:  # taken on the guard's threads alone, so that whoever has it has a thread to go on with
            if not self.loaded:
                self._make()

    def _make(self) -> None:
        """Run the factory, and keep what it made, or the reason why it made nothing."""
        token = _loading.set(_loading.get() | {self})
        try:
            part = self._factory()
            fits = isinstance(part, self._part_type)
        except BaseException as error:
            log_raised(self._where, error)
            self._failure = self._failure or f"{self._where} could not be loaded: {explain(error)}"
            return
        finally:
            _loading.reset(token)
        if not fits:
            made, expected = type(part).__name__, self._part_type.__name__
            self._failure = f"{self._where}: its factory made a {made}, expected a mien.{expected}"
        elif self._closed:  # meanwhile
            self._close_late(part)
        else:
            self._part = part

    def _close_late(self, part: object) -> None:
        """Close what came after everything else was closed; nobody waits for it, so what it raises is logged only."""
        try:
            close = getattr(part, "close", None)  # a fuser has none
            if close is not None:
                close()
        except BaseException as error:
            log_raised(self._where, error)


_loading: ContextVar[frozenset[Slot[Any, Any]]] = ContextVar("mien_loading", default=frozenset())
"""The slots whose factories the code runs in, across the threads of their guards."""


class Recipe(Generic[Info, Factory]):
    """One registered factory of parts that are made to order, and kept by whoever asked.

    Attributes:
        guard: Stands before the factory.
    """

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        info: Info,
        plugin: str,
        factory: Factory,
        part_type: type[Any],
        deadlines: Deadlines,
    ) -> None:
        self.kind = kind
        self.name = name
        self.info = info
        self.plugin = plugin
        self.guard = Guard(f"{kind} {name!r}", deadlines)
        self._factory = factory
        self._part_type = part_type

    def make(self, *order: Any) -> Any:
        """Make one, of the recipe's part type.

        Raises:
            MienError: The factory raised it: its message is for whoever gave the order.
            PluginError: The factory raised something else, made something else, or has not answered in time.
        """
        where = f"{self.kind} {self.name!r} of plugin {self.plugin!r}"

        factory = outspoken(partial(self._factory, *order), f"{where} could not be made: ")
        try:
            part = self.guard.call(CallKind.FACTORY, factory)
        except PluginCallError as error:
            raise PluginError(f"{where} could not be made: {error.reason}") from None
        if not isinstance(part, self._part_type):
            what, expected = type(part).__name__, self._part_type.__name__
            raise PluginError(f"{where}: its factory made a {what}, expected a mien.{expected}")
        return part


def outspoken(function: Callable[[], Result], prefix: str = "") -> Callable[[], Result]:
    """The function, but what it raises is told with its message, for the plugin's developer.

    For calls that see nothing of a customer. Errors of mien's pass as they are; others become ``PluginError``.
    """

    def call() -> Result:
        try:
            return function()
        except MienError:
            raise
        except BaseException as error:
            raise PluginError(f"{prefix}{explain(error)}") from error

    return call


def explain(error: BaseException) -> str:
    """What went wrong, in one line for a person: mien's own messages as they are, others with their type."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # an exception of a plugin's can raise where it is looked at
        text = ""
    if isinstance(error, MienError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
