"""What a conformance suite is made of: rules with a grade and a time limit. No pytest is imported here.

A rule is a method ``test_...`` under ``@rule``. It runs on a thread of its own, so that a part which hangs fails the
rule and not the run; where a part holds the interpreter, so that no thread goes on, ``faulthandler`` ends the process.
"""

from __future__ import annotations

import faulthandler
import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Concatenate, Final, ParamSpec, TypeVar
from unittest import SkipTest

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
Suite = TypeVar("Suite", bound="Conformance")

INTERPRETER_GRACE_SECONDS: Final = 30.0
"""How much longer than its limit a rule may take before the process is ended: nothing else helps by then."""

_THREADS: Final = 4
_PREFIX: Final = "test_"


class Grade(StrEnum):
    """What a plugin has that keeps all rules of that grade and of those before it."""

    BRONZE = "bronze"
    """It keeps the contract."""
    SILVER = "silver"
    """It does so under load, with odd input, and leaves the process around it alone."""
    GOLD = "gold"
    """It can be run for months, and says what a user must know."""


GRADES: Final = tuple(Grade)
"""From the lowest."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a suite.

    Attributes:
        method: Its name in the suite.
        grade: The lowest grade that needs it.
        text: What it asks for, one line.
        fixtures: What it is run on, by name.
    """

    method: str
    grade: Grade
    text: str
    fixtures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: ``each sample gets one list``."""
        return self.method.removeprefix(_PREFIX).replace("_", " ")


class HangError(AssertionError):
    """A call did not return; its thread is left behind."""


class Conformance:
    """The base of all suites.

    Attributes:
        seconds: How long one rule may take; raise it where the part is slow by nature.
        close_seconds: How long ``close`` may take: the host waits no longer.
        memory_seconds: How long to look whether memory grows; a leak needs a few calls, or hundreds.
    """

    seconds: ClassVar[float] = 60.0
    close_seconds: ClassVar[float] = 5.0
    memory_seconds: ClassVar[float] = 4.0


def rule(
    grade: Grade,
) -> Callable[
    [Callable[Concatenate[Suite, Parameters], None]],
    Callable[Concatenate[Suite, Parameters], None],
]:
    """Make a method of a suite a rule: of a grade, and with the suite's time limit."""

    def decorate(
        test: Callable[Concatenate[Suite, Parameters], None],
    ) -> Callable[Concatenate[Suite, Parameters], None]:
        def limited(self: Suite, /, *arguments: Parameters.args, **options: Parameters.kwargs) -> None:
            within(self.seconds, functools.partial(test, self, *arguments, **options))

        functools.update_wrapper(limited, test)

        text = (inspect.getdoc(test) or "").partition("\n")[0]
        fixtures = tuple(inspect.signature(test).parameters)[1:]
        vars(limited)["mien_rule"] = Rule(test.__name__, grade, text, fixtures)
        return limited

    return decorate


def rules_of(suite: type[Conformance]) -> list[Rule]:
    """The rules of a suite: those of its bases first, each class's in the order in which they are written."""
    found: dict[str, Rule] = {}
    for each in reversed(suite.__mro__):
        for method in vars(each).values():
            own = getattr(method, "mien_rule", None)
            if isinstance(own, Rule):
                found[own.method] = own
    return list(found.values())


def within(seconds: float, function: Callable[[], Answer], *, what: str = "it") -> Answer:
    """Call a function that may hang.

    Args:
        seconds: How long to wait for it.
        function: Called on a thread of its own, which is left behind where it does not return.
        what: Its name in the message.

    Raises:
        HangError: It did not return in time.
        AssertionError: It tried to end the process with ``SystemExit``, say.
        BaseException: Whatever else it raised.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(function())
        except BaseException as error:  # raised again where it is waited for
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True, name="mien-rule")
    with _interpreter_watched(seconds + INTERPRETER_GRACE_SECONDS):
        thread.start()
        thread.join(seconds)
    if errors:
        if isinstance(errors[0], SystemExit | KeyboardInterrupt | GeneratorExit):
            raise AssertionError(f"{what} raised {type(errors[0]).__name__}") from errors[0]
        raise errors[0]
    if not answers:
        raise HangError(f"{what} did not return within {seconds:g} s")
    return answers[0]


_watching = threading.Lock()


@contextmanager
def _interpreter_watched(seconds: float) -> Iterator[None]:
    """End the process, with where each thread was, if the interpreter is held for so long. One watch at a time."""
    if sys.__stderr__ is None or not _watching.acquire(blocking=False):
        yield
        return
    try:
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        _watching.release()


def require(condition: bool, message: str) -> None:
    """Fail a test with a message; a bare assert here would lose its values outside pytest's rewriting."""
    if not condition:
        raise AssertionError(message)


def not_applicable(why: str) -> SkipTest:
    """What to raise where a rule has nothing to look at; pytest counts it as skipped, and a grade does not mind it."""
    return SkipTest(why)


def in_threads(function: Callable[[int], Answer], *, seconds: float) -> list[Answer]:
    """What a function answers in several threads that start together and take turns as often as can be.

    Args:
        function: Takes the thread's number.
        seconds: How long to wait for all.
    """
    barrier = threading.Barrier(_THREADS)
    answers: dict[int, Answer] = {}
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            barrier.wait(seconds)
            answers[number] = function(number)
        except BaseException as error:  # raised again in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(_THREADS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds)
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]
    require(len(answers) == _THREADS, f"a thread did not answer within {seconds:g} s")
    return [answers[number] for number in range(_THREADS)]


def plain_number(value: Any) -> bool:
    """Whether it is a float or an int of Python's own, and no numpy scalar, which neither JSON nor the wire takes."""
    return type(value) in (float, int)
