"""Programs are compiled once each, and nobody waits for another one's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mien_face.compiled import Programs

LONG = 60.0


def test_each_is_compiled_once_whoever_asks_at_the_same_time() -> None:
    compiled: list[int] = []
    together = threading.Barrier(4)

    def make(key: int) -> str:
        compiled.append(key)
        return f"program {key}"

    programs = Programs(make)

    def ask(key: int) -> str:
        together.wait(LONG)
        return programs.get(key)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, [1, 1, 2, 2])) == ["program 1", "program 1", "program 2", "program 2"]
    assert sorted(compiled) == [1, 2]


def test_one_that_is_ready_is_given_while_another_compiles() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def make(key: int) -> int:
        if key == 2:
            begun.set()
            assert go_on.wait(LONG)
        return key

    programs = Programs(make)
    programs.get(1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(programs.get, 2)
        assert begun.wait(LONG)
        assert programs.get(1) == 1
        assert programs.get(3) == 3
        go_on.set()
        assert slow.result(LONG) == 2


def test_what_failed_is_tried_again() -> None:
    tries: list[int] = []

    def make(key: int) -> int:
        tries.append(key)
        if len(tries) == 1:
            raise MemoryError
        return key

    programs = Programs(make)
    with pytest.raises(MemoryError):
        programs.get(5)
    assert programs.get(5) == 5
