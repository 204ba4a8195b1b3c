"""The one way into a plugin: every call has a deadline of its kind, and whatever it raises becomes one error.

A plugin may raise what it likes (``SystemExit``, a panic of native code), answer late, or never. Behind a ``Guard``
that costs its caller a ``PluginCallError``, which names the part and the call. What a call gives back is not looked at
here: that is ``mien.plugins.checking``.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Generic, TypeAlias, TypeVar

from mien.config import Settings
from mien.errors import MienError, PluginError
from mien.plugins.workers import DEFAULT_THREADS, Call, CallTimeoutError, Lane, LaneBusyError, LaneClosedError
from mien.types import StreamState

Result = TypeVar("Result")

_log = logging.getLogger("mien.plugins.guard")


class CallKind(StrEnum):
    """What a plugin is called for."""

    IMPORT = "import"
    REGISTER = "register"
    FACTORY = "factory"
    WARM_UP = "warm_up"
    OPEN_STREAM = "open_stream"
    PARTS = "parts"
    PUSH = "push"
    OBSERVE = "observe"
    FLUSH = "flush"
    TELL = "tell"
    FINISH = "finish"
    ANALYZE = "analyze"
    FUSE = "fuse"
    ACCUMULATE = "accumulate"
    CHOOSE = "choose"
    SHOW = "show"
    SINK = "sink"
    COMMANDS = "commands"
    CLOSE = "close"


FIXED_SECONDS: Final[Mapping[CallKind, float]] = MappingProxyType(
    {
        CallKind.IMPORT: 30.0,
        CallKind.REGISTER: 10.0,
        CallKind.FACTORY: 120.0,
        CallKind.WARM_UP: 600.0,
        CallKind.SHOW: 2.0,
        CallKind.SINK: 10.0,
        CallKind.COMMANDS: 10.0,
        CallKind.CLOSE: 5.0,
    }
)
"""Deadlines that no setting changes; all other kinds have ``[engine] deadline_seconds``."""


PATIENT_KINDS: Final = (
    CallKind.PARTS,
    CallKind.PUSH,
    CallKind.OBSERVE,
    CallKind.FLUSH,
    CallKind.FINISH,
    CallKind.ANALYZE,
    CallKind.FUSE,
)
"""What takes what it takes for a patient caller: an analysis, from cutting a whole recording to fusing."""


class PluginCallError(PluginError):
    """A call into a plugin did not give what it should have.

    Attributes:
        plugin_part: Whose call it was, such as ``analyzer 'smileys'``.
        call: What it was called for.
        reason: What went wrong, in words that go on from "it"; never the message of an exception that is not mien's.
        state: FAILED where it raised, TIMED_OUT, INVALID where the answer broke the contract, UNAVAILABLE where it was
            not called at all.
    """

    def __init__(
        self, plugin_part: str, call: CallKind, reason: str, *, state: StreamState = StreamState.FAILED
    ) -> None:
        super().__init__(f"{plugin_part} failed in {call.value}: {reason}")
        self.plugin_part = plugin_part
        self.call = call
        self.reason = reason
        self.state = state

    @property
    def timed_out(self) -> bool:
        """Whether the deadline was missed."""
        return self.state is StreamState.TIMED_OUT


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each kind of call may take; see ``of`` and ``patient``.

    Attributes:
        seconds: Kind -> seconds from the moment it is asked for; None waits for ever.
    """

    seconds: Mapping[CallKind, float | None]

    @classmethod
    def of(cls, settings: Settings) -> Deadlines:
        """The configured ones."""
        return cls({kind: FIXED_SECONDS.get(kind, settings.engine.deadline_seconds) for kind in CallKind})

    @classmethod
    def patient(cls, settings: Settings | None = None) -> Deadlines:
        """For somebody who waits for the result and can interrupt: as ``of``, but for ``PATIENT_KINDS``."""
        return cls({**cls.of(settings or Settings()).seconds, **dict.fromkeys(PATIENT_KINDS)})

    def seconds_of(self, kind: CallKind) -> float | None:
        """Seconds for one call of this kind; None: no limit."""
        return self.seconds[kind]

    def plus(self, seconds: float) -> Deadlines:
        """The same, with so much more for an analysis."""
        allowed = self.seconds[CallKind.ANALYZE]
        if not seconds or allowed is None:
            return self
        return Deadlines({**self.seconds, CallKind.ANALYZE: allowed + seconds})


class GuardedCall(Generic[Result]):
    """One call on its way: wait with ``join`` or ``joined``, then ask for the ``result``."""

    def __init__(
        self,
        part: str,
        kind: CallKind,
        seconds: float | None,
        call: Call[Result] | None,
        refusal: str = "",
        *,
        failed: Callable[[CallKind, StreamState], object] = lambda kind, state: None,
    ) -> None:
        self._failed = failed
        self._part = part
        self._kind = kind
        self._seconds = seconds
        self._call = call
        self._refusal = refusal

    @property
    def submitted_at(self) -> float | None:
        """On the monotonic clock; None where it was refused."""
        return None if self._call is None else self._call.submitted_at

    @property
    def is_over(self) -> bool:
        """Whether ``result`` has an answer without waiting: it returned, was refused, or its deadline has passed."""
        return self._call is None or self._call.returned or self._call.left(self._seconds) == 0.0

    def join(self) -> None:
        """Wait until it has returned or its deadline has passed."""
        if self._call is not None:
            self._call.join(self._seconds)

    async def joined(self) -> None:
        """The same for an event loop. Who is cancelled meanwhile leaves the call to its deadline."""
        if self._call is None:
            return
        loop = asyncio.get_running_loop()
        returned: asyncio.Future[None] = loop.create_future()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, returned)

        self._call.notify(tell)
        left = self._call.left(self._seconds)
        deadline = None if left is None else loop.call_later(left, _settle, returned)
        try:
            await returned
        except asyncio.CancelledError:
            left = self._call.left(self._seconds)
            if left is not None:
                loop.call_later(left, self._give_up)
            raise
        finally:
            if deadline is not None:
                deadline.cancel()

    def result(self) -> Result:
        """What the call gave; one that has not returned is given up on.

        Raises:
            MienError: The plugin raised it.
            PluginCallError: It raised something else, missed its deadline, or was not called at all.
        """
        if self._call is None:
            raise self._error(self._refusal, StreamState.UNAVAILABLE)
        try:
            return self._call.result()
        except CallTimeoutError as error:
            doing = "it did not answer" if error.started else "it was busy with other requests"
            raise self._error(f"{doing} for {self._seconds or 0.0:g} s", StreamState.TIMED_OUT) from None
        except LaneClosedError:
            raise self._error(CLOSED, StreamState.UNAVAILABLE) from None
        except _RaisedError as error:
            raise self._error(f"it raised {error.type_name}", StreamState.FAILED) from None
        except PluginCallError as error:  # the answer broke the contract
            self._failed(self._kind, error.state)
            raise

    def _give_up(self) -> None:
        with contextlib.suppress(Exception):
            self.result()

    def _error(self, reason: str, state: StreamState) -> PluginCallError:
        self._failed(self._kind, state)
        return PluginCallError(self._part, self._kind, reason, state=state)


Steps: TypeAlias = Generator[GuardedCall[Any], None, Result]
"""Work that waits for plugins: it yields each call that it needs joined, and may then ask for its result."""


class Guard:
    """Stands before one part of a plugin and owns the threads that its calls run on. Thread-safe.

    A call that a part makes to itself, such as a factory that asks for what it is making, runs within the first one.
    """

    def __init__(
        self, part: str, deadlines: Deadlines, *, threads: int = DEFAULT_THREADS, parent: Guard | None = None
    ) -> None:
        """Start no thread yet.

        Args:
            part: What it is called in errors, such as ``analyzer 'smileys'``.
            deadlines: How long its calls may take.
            threads: Calls that it works on at once.
            parent: Of the part that this one is a piece of, such as a stream of an analyzer: the piece's stuck calls
                are shown there, too.
        """
        self.part: Final = part
        self._parent = parent
        self._elsewhere = 0  # stuck calls of pieces, and those on threads that are not of the lane
        self._counting = threading.Lock()
        self._shown = False  # to the parent, that a call of this lane is stuck
        self._deadlines = deadlines
        self._watchers: list[Callable[[], object]] = []
        self._noting = threading.Lock()
        self._failures: Counter[tuple[CallKind, StreamState]] = Counter()
        self._lane = Lane(part.replace("'", "").replace(" ", "-"), threads=threads, on_change=self._changed)

    @property
    def healthy(self) -> bool:
        """False while a call that missed its deadline has not returned, be it one of a piece of the part."""
        with self._counting:
            elsewhere = self._elsewhere
        return self.takes_calls and not elsewhere

    @property
    def takes_calls(self) -> bool:
        """False while a call that missed its deadline has not returned; no other is taken until it does."""
        return self._lane.stuck == 0

    @property
    def failures(self) -> Mapping[tuple[CallKind, StreamState], int]:
        """How many calls did not give what they should have, by what they were for and how they failed.

        What a part refuses with an error of mien's own, such as a picture that it cannot use, is no failure of it.
        """
        with self._noting:
            return dict(self._failures)

    def note_failure(self, kind: CallKind, state: StreamState) -> None:
        """Count a call that did not give what it should have; for whoever looks at what it gave."""
        with self._noting:
            self._failures[kind, state] += 1

    def hangs(self) -> None:
        """Note a call that missed its deadline on a thread of somebody else's; ``hangs_no_more`` when it returns."""
        self._hang(1)

    def hangs_no_more(self) -> None:
        """Such a call has returned."""
        self._hang(-1)

    def watch(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have ``callback`` called, on any thread, whenever ``healthy`` has changed; the answer ends that."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    def seconds_of(self, kind: CallKind) -> float | None:
        """How long a call of this kind may take; None: no limit."""
        return self._deadlines.seconds_of(kind)

    def submit(
        self, kind: CallKind, function: Callable[[], Result], *, deadlines: Deadlines | None = None
    ) -> GuardedCall[Result]:
        """Begin a call. Its deadline counts from now.

        Args:
            kind: What the part is called for.
            function: Calls the part; better also copies and checks what it gives, so that this is guarded, too.
            deadlines: In the place of the guard's own.
        """
        seconds = (deadlines or self._deadlines).seconds_of(kind)
        context = contextvars.copy_context()  # the caller's, so that a call from within is known as one
        try:
            call = self._lane.submit(lambda: context.run(self._run, function))
        except LaneBusyError:
            return GuardedCall(self.part, kind, seconds, None, STUCK, failed=self.note_failure)
        except LaneClosedError:
            return GuardedCall(self.part, kind, seconds, None, CLOSED, failed=self.note_failure)
        return GuardedCall(self.part, kind, seconds, call, failed=self.note_failure)

    def call(self, kind: CallKind, function: Callable[[], Result]) -> Result:
        """Run a call and wait for it; for threads.

        Raises:
            MienError: The plugin raised it.
            PluginCallError: It raised something else, missed its deadline, or an earlier call has not returned.
        """
        if self in _inside.get():
            return function()
        call = self.submit(kind, function)
        call.join()
        return call.result()

    async def acall(self, kind: CallKind, function: Callable[[], Result]) -> Result:
        """Run a call and wait for it on an event loop, which it never blocks. Raises as ``call`` does."""
        call = self.submit(kind, function)
        await call.joined()
        return call.result()

    def close(self) -> None:
        """Take no more calls, and let the threads end. Does not wait for calls that run."""
        self._lane.close()

    def _run(self, function: Callable[[], Result]) -> Result:
        _inside.set(_inside.get() | {self})
        try:
            return function()
        except BaseException as error:
            if isinstance(error, MienError) and can_be_told(error):
                raise
            log_raised(self.part, error)
            raise _RaisedError(type(error).__name__) from None

    def _hang(self, count: int) -> None:
        with self._counting:
            before, self._elsewhere = self._elsewhere, self._elsewhere + count
            changed = not before or not self._elsewhere
        if self._parent is not None:
            self._parent._hang(count)
        if changed:
            self._tell()

    def _changed(self) -> None:
        """The lane has its first stuck call, or its last one has returned."""
        if self._parent is not None:
            with self._counting:
                stuck = self._lane.stuck > 0
                count, self._shown = int(stuck) - int(self._shown), stuck
            if count:
                self._parent._hang(count)
        self._tell()

    def _tell(self) -> None:
        for callback in list(self._watchers):
            try:
                callback()
            except Exception as error:  # its event loop was closed, say; the thread has other work
                _log.debug("%s: who watches it raised %s", self.part, type(error).__name__)


def run_steps(steps: Steps[Result]) -> Result:
    """Do work that waits for plugins; for threads."""
    while True:
        try:
            call = next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        call.join()


async def run_steps_async(steps: Steps[Result]) -> Result:
    """Do work that waits for plugins on an event loop, which it never blocks."""
    while True:
        try:
            call = next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        await call.joined()


def can_be_told(error: MienError) -> bool:
    """Whether an error has a message: the class may be a plugin's own, and do anything where it is looked at."""
    try:
        return isinstance(str(error), str)
    except BaseException:
        return False


def log_raised(part: str, error: BaseException) -> None:
    """Tell a plugin's developer where it raised, but not the exception's message, which may hold a customer's words."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.debug("%s raised %s\n%s", part, type(error).__name__, where)


STUCK: Final = "it has not returned from a call that ran out of time, and takes no new one until it does"
"""The reason of a call that was refused because an earlier one is stuck."""

CLOSED: Final = "it is closed"
"""The reason of a call that came too late."""

_inside: contextvars.ContextVar[frozenset[Guard]] = contextvars.ContextVar("mien_guards", default=frozenset())
"""The guards whose calls the code runs in."""


class _RaisedError(Exception):
    """A call raised something that is not mien's. Its message and frames may hold what nobody should keep."""

    def __init__(self, type_name: str) -> None:
        super().__init__(type_name)
        self.type_name = type_name


def _settle(returned: asyncio.Future[None]) -> None:
    if not returned.done():
        returned.set_result(None)
