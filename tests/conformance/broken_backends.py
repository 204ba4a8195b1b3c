"""Backends that break one rule each, with right ones to compare."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mien import (
    ExecutableNetwork,
    ExecutionBackend,
    Precision,
)

Floats = npt.NDArray[np.float32]


class Plain(ExecutionBackend):
    """Calls the function that JAX could trace, with numpy. Keeps every rule."""

    precision = "float32"

    def __init__(self, network: ExecutableNetwork, precision: Precision) -> None:
        self.function, self.arrays = network.traceable()

    def run(self, inputs: Floats) -> Floats:
        return np.asarray(self.function(self.arrays, inputs), np.float32)


class Half(Plain):
    precision = "float16"


class Double(Plain):
    def run(self, inputs: Floats) -> Floats:
        return super().run(inputs).astype(np.float64)  # type: ignore[return-value]


class Biased(Plain):
    def run(self, inputs: Floats) -> Floats:
        return super().run(inputs) + np.float32(0.01)


class OneForAll(Plain):
    """Weights of the newest network for all."""

    newest: OneForAll | None = None

    def __init__(self, network: ExecutableNetwork, precision: Precision) -> None:
        super().__init__(network, precision)
        OneForAll.newest = self

    def run(self, inputs: Floats) -> Floats:
        newest = OneForAll.newest or self
        return np.asarray(newest.function(newest.arrays, inputs), np.float32)


class OneBuffer(Plain):
    def __init__(self, network: ExecutableNetwork, precision: Precision) -> None:
        super().__init__(network, precision)
        self.outputs = np.zeros((8, 4), np.float32)

    def run(self, inputs: Floats) -> Floats:
        self.outputs[: len(inputs)] = super().run(inputs)
        return self.outputs[: len(inputs)]


class Noisy(Plain):
    calls = 0

    def run(self, inputs: Floats) -> Floats:
        self.calls += 1
        return super().run(inputs) + np.float32(1e-6 * self.calls)


class CompilesOnce(Plain):
    def __init__(self, network: ExecutableNetwork, precision: Precision) -> None:
        super().__init__(network, precision)
        self.compiled: set[int] = set()

    def compile(self, count: int) -> None:
        if count in self.compiled:
            raise ValueError("compiled already")
        self.compiled.add(count)


class BackendRaces(Plain):
    inputs: Floats

    def run(self, inputs: Floats) -> Floats:
        self.inputs = inputs
        time.sleep(0.002)  # what makes threads meet; no test waits for it
        return super().run(self.inputs)


class BackendSeeds(Plain):
    def run(self, inputs: Floats) -> Floats:
        np.random.seed(len(inputs))
        return super().run(inputs)


class BackendKeeps(Plain):
    def __init__(self, network: ExecutableNetwork, precision: Precision) -> None:
        super().__init__(network, precision)
        self.kept: list[Floats] = []

    def run(self, inputs: Floats) -> Floats:
        self.kept.append(super().run(inputs))
        return self.kept[-1].copy()


BACKENDS: dict[str, tuple[Callable[[ExecutableNetwork, Precision], ExecutionBackend], str]] = {
    "half": (Half, "test_precision_is_named"),
    "double": (Double, "test_it_answers_what_the_network_answers"),
    "biased": (Biased, "test_it_answers_what_the_network_answers"),
    "one_for_all": (OneForAll, "test_each_network_keeps_its_weights"),
    "one_buffer": (OneBuffer, "test_inputs_are_left_as_they_were"),
    "noisy": (Noisy, "test_the_same_call_gives_the_same_answer"),
    "compiles_once": (CompilesOnce, "test_compiling_twice_changes_nothing"),
    "races": (BackendRaces, "test_threads_do_not_disturb_each_other"),
    "seeds": (BackendSeeds, "test_the_process_is_left_as_it_was"),
    "keeps": (BackendKeeps, "test_memory_does_not_grow"),
}
