"""What every execution backend must do, as tests to subclass. No pytest is imported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mien.interfaces import ExecutableNetwork, ExecutionBackend, Precision
from mien.testing.memory import require_no_growth
from mien.testing.networks import LinearNetwork
from mien.testing.rules import Conformance, Grade, in_threads, require, rule
from mien.testing.surroundings import left_alone

Floats = npt.NDArray[np.float32]
Make = Callable[[ExecutableNetwork, Precision], ExecutionBackend]


class BackendConformance(Conformance):
    """The contract of ``mien.ExecutionBackend``. Subclass it, name the subclass ``Test...``, define one fixture.

    Fixtures:
        make_backend: Takes an ``ExecutableNetwork`` and a ``Precision`` and makes a backend, as the registered factory
            does. The suite brings the network, ``mien.testing.LinearNetwork``.

    Attributes:
        tolerance: How far an answer may be from the reference, by precision.
    """

    tolerance: ClassVar[dict[str, float]] = {"float32": 1e-4, "bfloat16": 0.2}

    @rule(Grade.BRONZE)
    def test_precision_is_named(self, make_backend: Make) -> None:
        """``float32`` or ``bfloat16``; where float32 was asked for, that."""
        precision = make_backend(LinearNetwork(), Precision.AUTO).precision
        require(precision in self.tolerance, f"precision {precision!r}, expected one of {sorted(self.tolerance)}")
        asked = make_backend(LinearNetwork(), Precision.FLOAT32).precision
        require(asked == "float32", f"precision {asked!r} where float32 was asked for")

    @rule(Grade.BRONZE)
    def test_it_answers_what_the_network_answers(self, make_backend: Make) -> None:
        """For each batch size, and in both precisions: float32 ``[n, outputs]``."""
        network = LinearNetwork()
        for precision in Precision:
            backend = make_backend(network, precision)
            for count in network.batch_sizes:
                found, inputs = backend.run(_inputs(count)), _inputs(count)
                require(isinstance(found, np.ndarray), f"run gave a {type(found).__name__}, expected an array")
                require(found.dtype == np.float32, f"run gave {found.dtype}, expected float32")
                expected = network.outputs(inputs)
                require(found.shape == expected.shape, f"run gave {list(found.shape)}, expected {list(expected.shape)}")
                far = float(np.abs(found - expected).max())
                allowed = self.tolerance.get(backend.precision, 1e-4)
                require(far <= allowed, f"{far:g} away from the network in a batch of {count}, {allowed:g} allowed")

    @rule(Grade.BRONZE)
    def test_each_network_keeps_its_weights(self, make_backend: Make) -> None:
        """Two networks side by side are not mixed up."""
        one, other = LinearNetwork(seed=1), LinearNetwork(seed=2)
        backends = [make_backend(one, Precision.FLOAT32), make_backend(other, Precision.FLOAT32)]
        for network, backend in zip((one, other), backends, strict=True):
            far = float(np.abs(backend.run(_inputs(2)) - network.outputs(_inputs(2))).max())
            require(far <= self.tolerance["float32"], f"a second network changed the answers of the first by {far:g}")

    @rule(Grade.BRONZE)
    def test_inputs_are_left_as_they_were(self, make_backend: Make) -> None:
        """They are not written to, and need not be writable; outputs are the caller's to keep."""
        backend, inputs = make_backend(LinearNetwork(), Precision.FLOAT32), _inputs(4)
        inputs.setflags(write=False)
        first = backend.run(inputs)
        kept = first.copy()
        backend.run(_inputs(4, seed=9))
        require(np.array_equal(inputs, _inputs(4)), "run changed its inputs")
        require(np.array_equal(first, kept), "an answer changed when the next was asked for")

    @rule(Grade.BRONZE)
    def test_the_same_call_gives_the_same_answer(self, make_backend: Make) -> None:
        """To the last bit."""
        backend = make_backend(LinearNetwork(), Precision.AUTO)
        require(np.array_equal(backend.run(_inputs(4)), backend.run(_inputs(4))), "two equal calls differ")

    @rule(Grade.BRONZE)
    def test_compiling_twice_changes_nothing(self, make_backend: Make) -> None:
        """Before the first call, and again."""
        network = LinearNetwork()
        backend = make_backend(network, Precision.FLOAT32)
        for count in network.batch_sizes:
            backend.compile(count)
            backend.compile(count)
        far = float(np.abs(backend.run(_inputs(8)) - network.outputs(_inputs(8))).max())
        require(far <= self.tolerance["float32"], f"after compiling twice it is {far:g} away from the network")

    @rule(Grade.SILVER)
    def test_threads_do_not_disturb_each_other(self, make_backend: Make) -> None:
        """Several threads at once, each with inputs of its own, get the answers that one gets."""
        backend = make_backend(LinearNetwork(), Precision.FLOAT32)
        expected = [backend.run(_inputs(2, seed=seed)) for seed in range(8)]

        def work(number: int) -> bool:
            order = [(number + step) % len(expected) for step in range(len(expected))]
            return all(np.array_equal(backend.run(_inputs(2, seed=seed)), expected[seed]) for seed in order)

        require(all(in_threads(work, seconds=self.seconds)), "a call that ran beside another got a different answer")

    @rule(Grade.SILVER)
    def test_the_process_is_left_as_it_was(self, make_backend: Make) -> None:
        """No working directory, variable, signal handler, random state or library switch is changed by a call."""
        backend = make_backend(LinearNetwork(), Precision.FLOAT32)
        backend.compile(2)
        with left_alone("run"):
            backend.run(_inputs(2))

    @rule(Grade.GOLD)
    def test_memory_does_not_grow(self, make_backend: Make) -> None:
        """Hundreds of batches leave nothing behind."""
        backend = make_backend(LinearNetwork(), Precision.FLOAT32)
        inputs = _inputs(2)
        require_no_growth(
            lambda _: backend.run(inputs), calls=400, warm_up=50, budget_seconds=self.memory_seconds, what="run"
        )


def _inputs(count: int, *, seed: int = 5) -> Floats:
    shape = (count, *LinearNetwork().input_shape)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
