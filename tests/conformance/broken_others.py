"""Transcribers, sinks, detectors, backends and commands that break one rule each, with right ones to compare."""

from __future__ import annotations

import os
import sys
import threading
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import typer

from mien import (
    AudioClip,
    Box,
    Detection,
    DetectorSettings,
    ExecutableNetwork,
    ExecutionBackend,
    FaceDetector,
    Precision,
    Provenance,
    Sink,
    TimeInterval,
    Transcriber,
    Transcript,
    Word,
)
from mien.testing import FakeTranscriber

LONG = 30.0
"""Longer than any test waits, seconds."""

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


# Transcribers


class Hearing(FakeTranscriber):
    """Dates its words. Keeps every rule."""

    def transcribe(self, clip: AudioClip) -> Transcript:
        heard = super().transcribe(clip)
        span = TimeInterval(clip.captured_at, clip.captured_at + clip.duration_seconds)
        return replace(heard, words=(Word(heard.text, span),) if heard.text else ())


class HearsFromZero(FakeTranscriber):
    def transcribe(self, clip: AudioClip) -> Transcript:
        heard = super().transcribe(clip)
        return replace(heard, words=(Word(heard.text, TimeInterval(0.0, clip.duration_seconds)),) if heard.text else ())


class NumpyConfidence(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        return replace(super().transcribe(clip), confidence=np.float32(0.5))  # type: ignore[arg-type]


class NumpyWords(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        heard = super().transcribe(clip)
        at = np.float64(clip.captured_at)
        return replace(heard, words=(Word(heard.text, TimeInterval(at, at)),) if heard.text else ())


class Normalises(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        if len(clip.samples) and np.abs(clip.samples).max() > 0:
            np.divide(clip.samples, np.abs(clip.samples).max(), out=clip.samples)
        return super().transcribe(clip)


class WantsSound(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        float(np.abs(clip.samples).max())
        return super().transcribe(clip)


class Remembers(Hearing):
    def __init__(self) -> None:
        super().__init__()
        self.history: list[Transcript] = []

    def transcribe(self, clip: AudioClip) -> Transcript:
        self.history.append(super().transcribe(clip))
        return self.history[-1]


class ClosesSlowly(Hearing):
    def close(self) -> None:
        threading.Event().wait(LONG)


class StepsAside(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        os.chdir("/" if os.getcwd() != "/" else "/tmp")  # noqa: PTH109
        return super().transcribe(clip)


class Stuck(Hearing):
    def transcribe(self, clip: AudioClip) -> Transcript:
        threading.Event().wait(LONG)
        return super().transcribe(clip)


TRANSCRIBERS: dict[str, tuple[Callable[[], Transcriber], str]] = {
    "hears_from_zero": (HearsFromZero, "test_words_keep_the_callers_clock"),
    "numpy_confidence": (NumpyConfidence, "test_numbers_are_plain"),
    "numpy_words": (NumpyWords, "test_numbers_are_plain"),
    "normalises_in_place": (Normalises, "test_sound_is_left_as_it_was"),
    "wants_sound": (WantsSound, "test_odd_sound_is_survived"),
    "remembers": (Remembers, "test_memory_does_not_grow"),
    "closes_slowly": (ClosesSlowly, "test_close_can_be_repeated"),
    "steps_aside": (StepsAside, "test_the_process_is_left_as_it_was"),
    "stuck": (Stuck, "test_speech_gives_words"),
}


# Sinks


class File:
    """Stands for a file: remembers how many lines it has."""

    lines = 0

    def append(self, line: str) -> None:
        self.lines += 1


class Lines(Sink):
    """A line for each result. Keeps every rule."""

    def __init__(self, file: File) -> None:
        self.file = file

    def write(self, result: Any, provenance: Provenance) -> None:
        self.file.append(repr((type(result).__name__, provenance.source)))


class Buffers(Lines):
    def __init__(self, file: File) -> None:
        super().__init__(file)
        self.waiting: list[str] = []

    def write(self, result: Any, provenance: Provenance) -> None:
        self.waiting.append(provenance.source)

    def flush(self) -> None:
        for line in self.waiting:
            self.file.append(line)
        self.waiting.clear()


class NeverFlushes(Buffers):
    def flush(self) -> None:
        return

    def close(self) -> None:
        super().flush()


class Splits(Lines):
    def write(self, result: Any, provenance: Provenance) -> None:
        for line in f"{type(result).__name__} {provenance.source}".splitlines():
            self.file.append(line)


class WantsAVisit(Lines):
    def write(self, result: Any, provenance: Provenance) -> None:
        if not provenance.session_id:
            raise ValueError("no session")
        super().write(result, provenance)


class Strips(Lines):
    """Takes out of the summary itself what it does not want to keep."""

    def write(self, result: Any, provenance: Provenance) -> None:
        if hasattr(result, "emotion_percentages"):
            result.emotion_percentages.clear()
        super().write(result, provenance)


class Header(Lines):
    def __init__(self, file: File) -> None:
        super().__init__(file)
        file.append("header")


class SinkCloseHangs(Lines):
    def close(self) -> None:
        threading.Event().wait(LONG)


class Doubles(Lines):
    """Closing twice writes the end twice."""

    def close(self) -> None:
        self.file.append("end")


class SinkSetsAVariable(Lines):
    def write(self, result: Any, provenance: Provenance) -> None:
        os.environ["MIEN_TEST_MARK"] = str(time.perf_counter_ns())
        super().write(result, provenance)


class SinkKeeps(Sink):
    """Writes nothing to the file, and forgets nothing."""

    def __init__(self, file: File) -> None:
        self.kept: list[Any] = []

    def write(self, result: Any, provenance: Provenance) -> None:
        self.kept.append([result, provenance])


SINKS: dict[str, tuple[Callable[[File], Sink], str]] = {
    "never_flushes": (NeverFlushes, "test_results_and_summaries_are_kept"),
    "loses_on_close": (Buffers, "test_closing_keeps_what_was_written"),
    "splits_lines": (Splits, "test_text_of_any_kind_is_taken"),
    "wants_a_visit": (WantsAVisit, "test_provenance_may_say_nothing"),
    "strips": (Strips, "test_what_is_written_is_left_as_it_was"),
    "header": (Header, "test_a_sink_that_was_shown_nothing_closes"),
    "close_hangs": (SinkCloseHangs, "test_closing_is_quick"),
    "doubles": (Doubles, "test_closing_keeps_what_was_written"),
    "sets_a_variable": (SinkSetsAVariable, "test_the_process_is_left_as_it_was"),
    "keeps": (SinkKeeps, "test_memory_does_not_grow"),
}


# Detectors


def pictures() -> list[Pixels]:
    """A bright square on black, and nothing."""
    seen = np.zeros((60, 80, 3), np.uint8)
    seen[10:40, 20:50] = 200
    return [seen, np.zeros((60, 80, 3), np.uint8)]


class Bright(FaceDetector):
    """Takes what is bright for a face. Keeps every rule."""

    margin = 0.1
    threshold = 0.3

    def __init__(self, settings: DetectorSettings) -> None:
        self.settings = settings

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        return [self.one(pixels) for pixels in pictures]

    def one(self, pixels: Pixels) -> list[Detection]:
        rows, columns = np.nonzero(pixels[..., 0] > 100)
        if not len(rows):
            return []
        left, top = float(columns.min()), float(rows.min())
        box = Box(left, top, float(columns.max()) - left + 1.0, float(rows.max()) - top + 1.0)
        score = float(pixels[rows, columns].mean()) / 255.0
        least = self.threshold if self.settings.min_score is None else self.settings.min_score
        small = box.width < min(self.settings.min_face_pixels, 1000) and self.settings.min_face_pixels > 40
        return [] if small or score < least else [Detection(box, score)]


class Blind(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return []


class OneList(Bright):
    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        return [[face for pixels in pictures for face in self.one(pixels)]]


class Outside(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return [replace(face, box=Box(500.0, 0.0, 9.0, 9.0)) for face in super().one(pixels)]


class OneEyed(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return [replace(face, landmarks=((1.0, 1.0),)) for face in super().one(pixels)]


class NumpyScores(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return [replace(face, score=np.float32(face.score)) for face in super().one(pixels)]  # type: ignore[arg-type]


class NoMargin(Bright):
    margin = float("nan")


class Draws(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        found = super().one(pixels)
        pixels[:2] = 7
        return found


class LargestOfAll(Bright):
    """Scores in a batch are against the best of the batch."""

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Detection]]:
        found = super().detect(pictures)
        return [[replace(face, score=face.score / len(pictures)) for face in faces] for faces in found]


class Trembles(Bright):
    calls = 0

    def one(self, pixels: Pixels) -> list[Detection]:
        self.calls += 1
        return [replace(face, score=face.score / (1 + self.calls / 1000)) for face in super().one(pixels)]


class OwnScore(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return Bright(replace(self.settings, min_score=None)).one(pixels)


class AnySize(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        return Bright(replace(self.settings, min_face_pixels=1)).one(pixels)


class DetectorRaces(Bright):
    current: Pixels

    def one(self, pixels: Pixels) -> list[Detection]:
        self.current = pixels
        time.sleep(0.002)  # what makes threads meet; no test waits for it
        return super().one(self.current)


class DetectorWantsRoom(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        int(pixels[8, 8, 0])
        return super().one(pixels)


class DetectorSteps(Bright):
    def one(self, pixels: Pixels) -> list[Detection]:
        np.random.seed(pixels.shape[0])
        return super().one(pixels)


class DetectorKeeps(Bright):
    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__(settings)
        self.kept: list[Pixels] = []

    def one(self, pixels: Pixels) -> list[Detection]:
        self.kept.append(pixels)
        return super().one(pixels)


DETECTORS: dict[str, tuple[Callable[[DetectorSettings], FaceDetector], str]] = {
    "blind": (Blind, "test_pictures_show_something"),
    "one_list": (OneList, "test_pictures_show_something"),
    "outside": (Outside, "test_faces_are_in_bounds"),
    "one_eyed": (OneEyed, "test_faces_are_in_bounds"),
    "numpy_scores": (NumpyScores, "test_numbers_are_plain"),
    "no_margin": (NoMargin, "test_margin_and_threshold_are_numbers"),
    "draws": (Draws, "test_pictures_are_left_as_they_were"),
    "largest_of_all": (LargestOfAll, "test_a_batch_says_what_single_calls_say"),
    "trembles": (Trembles, "test_the_same_call_gives_the_same_answer"),
    "own_score": (OwnScore, "test_the_least_score_counts"),
    "any_size": (AnySize, "test_the_smallest_face_counts"),
    "races": (DetectorRaces, "test_threads_do_not_disturb_each_other"),
    "wants_room": (DetectorWantsRoom, "test_odd_pictures_are_survived"),
    "seeds": (DetectorSteps, "test_the_process_is_left_as_it_was"),
    "keeps": (DetectorKeeps, "test_memory_does_not_grow"),
}


# Backends


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


# Commands


def greet() -> None:
    """Say hello."""
    typer.echo("hello")


def wordless() -> None:
    typer.echo("hello")


def right_commands(app: typer.Typer) -> None:
    app.command("greet")(greet)


def without_help(app: typer.Typer) -> None:
    app.command("greet")(wordless)


def no_commands(app: typer.Typer) -> None:
    return


def takes_a_name(app: typer.Typer) -> None:
    app.command("analyze")(greet)


def prints(app: typer.Typer) -> None:
    sys.stdout.write("adding commands\n")
    app.command("greet")(greet)


def imports(app: typer.Typer) -> None:
    sys.modules["pandas"] = types.ModuleType("pandas")
    app.command("greet")(greet)


def adding_once() -> Callable[[typer.Typer], object]:
    added: list[str] = []

    def add(app: typer.Typer) -> None:
        if not added:
            app.command("greet")(greet)
        app.command("other")(greet)
        added.append("greet")

    return add


COMMANDS: dict[str, tuple[Callable[[], Callable[[typer.Typer], object]], str]] = {
    "without_help": (lambda: without_help, "test_there_are_commands_and_each_has_help"),
    "none": (lambda: no_commands, "test_there_are_commands_and_each_has_help"),
    "adds_once": (adding_once, "test_commands_can_be_added_twice"),
    "takes_a_name": (lambda: takes_a_name, "test_no_name_is_taken"),
    "prints": (lambda: prints, "test_adding_is_silent_and_cheap"),
    "imports": (lambda: imports, "test_adding_is_silent_and_cheap"),
}
