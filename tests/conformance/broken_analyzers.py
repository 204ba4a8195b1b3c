"""Analyzers that break one rule each, in ways that plugins do; ``BROKEN`` says which rule has to catch which."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from mien import (
    Analyzer,
    ImageFrame,
    InputError,
    PassThroughStream,
    Prediction,
    Sample,
    Stream,
    StreamSettings,
    TimeInterval,
)
from mien.testing import make_image, make_prediction

LONG = 30.0
"""Longer than any test waits, seconds."""

SAMPLES: list[Sample] = [make_image(brightness, captured_at=float(brightness)) for brightness in (0, 100, 200)]


def brightness(pixels: Any) -> list[Prediction]:
    value = float(pixels.mean()) / 255.0
    return [make_prediction("face", satisfaction=value)] if value else []


class Right(Analyzer):
    """Says how bright a picture is, and nothing of a black one. Keeps every rule."""

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        return [self.answer(sample) for sample in samples]

    def answer(self, sample: Sample) -> list[Prediction]:
        if not isinstance(sample, ImageFrame):
            raise InputError("pictures only")
        interval = TimeInterval(sample.captured_at, sample.captured_at)
        return [replace(each, interval=interval) for each in brightness(sample.pixels)]


class Hangs(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        threading.Event().wait(LONG)
        return []


class CloseHangs(Right):
    def close(self) -> None:
        threading.Event().wait(LONG)


class Leaves(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        sys.exit(3)


class WallClock(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        now = time.time()
        return [replace(each, interval=TimeInterval(now, now)) for each in super().answer(sample)]


class ClockFromZero(Right):
    """Right for a caller whose clock begins at 0, and for nobody else."""

    def answer(self, sample: Sample) -> list[Prediction]:
        at = min(sample.captured_at, 1000.0)
        return [replace(each, interval=TimeInterval(at, at)) for each in super().answer(sample)]


class NumpyNumbers(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        found = super().answer(sample)
        return [replace(each, confidence=np.float32(0.5)) for each in found]  # type: ignore[arg-type]


class NumpyTimes(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        at = np.float64(sample.captured_at)
        return [replace(each, interval=TimeInterval(at, at)) for each in super().answer(sample)]


class Clips(Right):
    """Changes pixels in place, the same each time, so that a second look sees no change."""

    def answer(self, sample: Sample) -> list[Prediction]:
        if isinstance(sample, ImageFrame) and sample.pixels.flags.writeable:
            np.clip(sample.pixels, 0, 150, out=sample.pixels)
        return super().answer(sample)


class WritesToIt(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        if isinstance(sample, ImageFrame):
            sample.pixels[0, 0] = sample.pixels[0, 0]
        return super().answer(sample)


class WantsAList(Right):
    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        return super().analyze(samples + [])  # type: ignore[operator]  # noqa: RUF005 - a list is what it wants


class FourAtATime(Right):
    """From the fifth sample of a batch on it answers of the first again."""

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        found = super().analyze(samples)
        return [each if index < 4 else found[0] for index, each in enumerate(found)]


class Padded(Right):
    """Batches above eight are spoiled by what they are filled up with."""

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        found = super().analyze(samples)
        spoiled = len(samples) > 8
        return [[replace(each, confidence=0.5) if spoiled else each for each in one] for one in found]


class CachesByTime(Right):
    def __init__(self) -> None:
        self.known: dict[float, list[Prediction]] = {}

    def answer(self, sample: Sample) -> list[Prediction]:
        if sample.captured_at not in self.known:
            self.known[sample.captured_at] = super().answer(sample)
        return self.known[sample.captured_at]


class CachesByIdentity(Right):
    def __init__(self) -> None:
        self.known: tuple[Any, list[Prediction]] = (None, [])

    def answer(self, sample: Sample) -> list[Prediction]:
        pixels = sample.pixels if isinstance(sample, ImageFrame) else None
        if self.known[0] is not pixels:
            self.known = (pixels, super().answer(sample))
        return self.known[1]


class Races(Right):
    """Keeps what it looks at in a field that all threads share."""

    current: Sample

    def answer(self, sample: Sample) -> list[Prediction]:
        self.current = sample
        time.sleep(0.002)  # what makes threads meet; no test waits for it
        return super().answer(self.current)


class WantsRoom(Right):
    """Takes the middle of a picture for granted."""

    def answer(self, sample: Sample) -> list[Prediction]:
        if isinstance(sample, ImageFrame):
            int(sample.pixels[12, 12, 0])
        return super().answer(sample)


class Divides(Right):
    """Normalises by the spread, which a picture of one colour lacks."""

    def answer(self, sample: Sample) -> list[Prediction]:
        found = super().answer(sample)
        if isinstance(sample, ImageFrame) and found and sample.pixels.shape[0] == 1:
            return [replace(each, satisfaction=float("nan")) for each in found]
        return found


class Wordless(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        if isinstance(sample, ImageFrame) and min(sample.pixels.shape[:2]) < 10:
            raise InputError("")
        return super().answer(sample)


class NeverRecovers(Right):
    """One bad picture, and it is silent for ever."""

    spoiled = False

    def answer(self, sample: Sample) -> list[Prediction]:
        self.spoiled = self.spoiled or (isinstance(sample, ImageFrame) and min(sample.pixels.shape[:2]) < 2)
        return [] if self.spoiled else super().answer(sample)


class Changes(Right):
    """Changes the process, in the way that it is made with."""

    def __init__(self, change: Callable[[], object]) -> None:
        self.change = change

    def answer(self, sample: Sample) -> list[Prediction]:
        self.change()
        return super().answer(sample)


class ChangesWhileWarming(Right):
    def warm_up(self) -> None:
        cv2.setNumThreads(1 + cv2.getNumThreads() % 2)


class Prints(Right):
    def answer(self, sample: Sample) -> list[Prediction]:
        sys.stdout.write("analysing\n")
        return super().answer(sample)


class Keeps(Right):
    """Keeps every sample, for debugging."""

    def __init__(self) -> None:
        self.seen: list[Sample] = []

    def answer(self, sample: Sample) -> list[Prediction]:
        self.seen.append(sample)
        return super().answer(sample)


class Swells(Right):
    """Adds to one buffer: no more objects, but more memory."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def answer(self, sample: Sample) -> list[Prediction]:
        self.buffer += b"x" * 200_000
        return super().answer(sample)


class WarmsToAnother(Right):
    warm = 1.0

    def warm_up(self) -> None:
        self.warm = 0.5

    def answer(self, sample: Sample) -> list[Prediction]:
        return [replace(each, confidence=self.warm) for each in super().answer(sample)]


class WithStream(Right):
    def __init__(self, make: Callable[[], Stream]) -> None:
        self.make = make

    def open_stream(self, settings: StreamSettings) -> Stream:
        return self.make()


class OwnClock(PassThroughStream):
    def push(self, sample: Sample) -> list[Sample]:
        return [replace(sample, captured_at=time.time())]


class Blackens(PassThroughStream):
    def push(self, sample: Sample) -> list[Sample]:
        if isinstance(sample, ImageFrame):
            sample.pixels[:4] = 0
        return [sample]


class HoldsTheLast(PassThroughStream):
    last: Sample | None = None

    def push(self, sample: Sample) -> list[Sample]:
        self.last = sample
        return [sample]

    def flush(self) -> list[Sample]:
        return [self.last] if self.last is not None else []


class StartsWithSomething(PassThroughStream):
    def flush(self) -> list[Sample]:
        return [make_image(1)]


class StreamCloseHangs(PassThroughStream):
    def close(self) -> None:
        threading.Event().wait(LONG)


class Hoards(PassThroughStream):
    def __init__(self) -> None:
        self.all: list[Sample] = []

    def push(self, sample: Sample) -> list[Sample]:
        self.all.append(sample)
        return [sample]


class ObservesATuple(PassThroughStream):
    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return tuple(predictions)  # type: ignore[return-value]


class Numbers(PassThroughStream):
    """Numbers the faces of all sessions in one row."""

    count = 0

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        Numbers.count += len(predictions)
        return [replace(each, subject_id=f"face-{Numbers.count % 1000}") for each in predictions]


class FirstOnly(PassThroughStream):
    """Gives pictures to whichever session came first, by a switch that all share."""

    taken: FirstOnly | None = None

    def push(self, sample: Sample) -> list[Sample]:
        FirstOnly.taken = FirstOnly.taken or self
        return [sample] if FirstOnly.taken is self else []

    def flush(self) -> list[Sample]:
        if FirstOnly.taken is self:
            FirstOnly.taken = None
        return []


def shared(stream: Stream) -> Callable[[], Analyzer]:
    return lambda: WithStream(lambda: stream)


def stub_of_jax() -> None:
    sys.modules["jax"].config.values["jax_enable_x64"] ^= True


def step_aside() -> None:
    os.chdir("/" if os.getcwd() != "/" else "/tmp")  # noqa: PTH109


BROKEN: dict[str, tuple[Callable[[], Analyzer], str]] = {
    "hangs": (Hangs, "test_samples_show_something"),
    "leaves": (Leaves, "test_samples_show_something"),
    "close_hangs": (CloseHangs, "test_warm_up_and_close_can_be_repeated"),
    "warms_to_another": (WarmsToAnother, "test_warm_up_and_close_can_be_repeated"),
    "wall_clock": (WallClock, "test_intervals_are_on_the_callers_clock"),
    "clock_from_zero": (ClockFromZero, "test_intervals_are_on_the_callers_clock"),
    "numpy_numbers": (NumpyNumbers, "test_numbers_are_plain"),
    "numpy_times": (NumpyTimes, "test_numbers_are_plain"),
    "clips_in_place": (Clips, "test_samples_are_left_as_they_were"),
    "writes_to_it": (WritesToIt, "test_read_only_arrays_are_taken"),
    "wants_a_list": (WantsAList, "test_read_only_arrays_are_taken"),
    "four_at_a_time": (FourAtATime, "test_batches_of_every_size_say_the_same"),
    "padded": (Padded, "test_batches_of_every_size_say_the_same"),
    "caches_by_time": (CachesByTime, "test_samples_of_one_moment_are_not_confused"),
    "caches_by_identity": (CachesByIdentity, "test_a_buffer_that_is_filled_anew_is_looked_at_anew"),
    "races": (Races, "test_threads_do_not_disturb_each_other"),
    "wants_room": (WantsRoom, "test_odd_inputs_are_survived"),
    "divides": (Divides, "test_odd_inputs_are_survived"),
    "wordless": (Wordless, "test_odd_inputs_are_survived"),
    "never_recovers": (NeverRecovers, "test_odd_inputs_are_survived"),
    "changes_directory": (lambda: Changes(step_aside), "test_the_process_is_left_as_it_was"),
    "sets_a_variable": (
        lambda: Changes(lambda: os.environ.update(MIEN_TEST_MARK=str(time.perf_counter_ns()))),
        "test_the_process_is_left_as_it_was",
    ),
    "seeds_numpy": (lambda: Changes(lambda: np.random.seed(os.getpid())), "test_the_process_is_left_as_it_was"),
    "sets_opencv": (
        lambda: Changes(lambda: cv2.setNumThreads(1 + cv2.getNumThreads() % 2)),
        "test_the_process_is_left_as_it_was",
    ),
    "sets_jax": (lambda: Changes(stub_of_jax), "test_the_process_is_left_as_it_was"),
    "silences_numpy": (lambda: Changes(lambda: np.seterr(divide="raise")), "test_the_process_is_left_as_it_was"),
    "sets_opencv_while_warming": (ChangesWhileWarming, "test_the_process_is_left_as_it_was"),
    "prints": (Prints, "test_nothing_is_printed"),
    "keeps": (Keeps, "test_memory_does_not_grow"),
    "swells": (Swells, "test_memory_does_not_grow"),
    "shared_stream": (shared(PassThroughStream()), "test_every_session_gets_a_stream_of_its_own"),
    "first_session_only": (lambda: WithStream(FirstOnly), "test_streams_do_not_share_state"),
    "one_row_of_numbers": (lambda: WithStream(Numbers), "test_streams_do_not_share_state"),
    "own_clock": (lambda: WithStream(OwnClock), "test_a_stream_keeps_the_callers_clock"),
    "blackens": (lambda: WithStream(Blackens), "test_a_stream_leaves_what_is_pushed_as_it_was"),
    "holds_the_last": (lambda: WithStream(HoldsTheLast), "test_flush_gives_what_is_held_once"),
    "starts_with_something": (lambda: WithStream(StartsWithSomething), "test_flush_gives_what_is_held_once"),
    "stream_close_hangs": (lambda: WithStream(StreamCloseHangs), "test_a_stream_can_be_closed_at_any_time"),
    "hoards": (lambda: WithStream(Hoards), "test_a_long_session_needs_no_more_memory"),
    "observes_a_tuple": (lambda: WithStream(ObservesATuple), "test_a_stream_gives_samples_that_can_be_analysed"),
}
