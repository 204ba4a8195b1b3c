"""Work that calls plugins, written so that whoever does it decides on which thread each call is made.

A ``Work`` is a generator: it gives out each call into a plugin instead of making it, and is sent what the call gave, or
has the error thrown into it. So a plugin that hangs holds up a thread, and not the work: what is left of it is done
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from mien.plugins.guard import CallKind, Guard

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PluginCall:
    """One call into a plugin.

    Attributes:
        guard: Of the part that is called.
        kind: What it is called for.
        function: Calls it, and copies and checks what it gives.
    """

    guard: Guard
    kind: CallKind
    function: Callable[[], object]


Work: TypeAlias = Generator[PluginCall, Any, Result]
"""Gives out calls, is sent what they gave, and returns a result."""


def do_through_guards(work: Work[Result]) -> Result:
    """Do work on the calling thread, each call through the guard of its part, on a thread of that.

    Raises:
        Exception: What the work raises.
    """
    try:
        call = next(work)
        while True:
            try:
                given = call.guard.call(call.kind, call.function)
            except Exception as error:
                call = work.throw(error)
            else:
                call = work.send(given)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
