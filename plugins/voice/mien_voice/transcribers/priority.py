"""Threads that give way: speech may be late by a little, a face may not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

NICENESS: Final = 3
"""Of threads that recognise speech; 0 is usual, 19 the most. With 3 they get a third of a core that somebody else keeps
busy, and are never shut out."""

Made = TypeVar("Made")


def in_a_nice_thread(make: Callable[[], Made]) -> Made:
    """Call something in a thread of lower priority, which the threads that it starts inherit; return what it returns.

    On Linux alone a thread has a priority of its own (setpriority(2), "C library/kernel differences"); elsewhere this
    changes nothing. What ``make`` raises is raised here.
    """
    made: Future[Made] = Future()

    def call() -> None:
        try:
            if sys.platform == "linux":
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
            made.set_result(make())
        except BaseException as error:
            made.set_exception(error)

    thread = threading.Thread(target=call, name="mien-nice-loader", daemon=True)
    thread.start()
    thread.join()
    return made.result()
