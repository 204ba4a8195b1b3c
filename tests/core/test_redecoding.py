"""An engine without a stream, asked again and again: when it is asked, for whom, and what never waits for that."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mien import AudioClip, Transcriber, TranscriberStream, TranscriberStreamSettings, Transcript
from mien.plugins.host import PluginHost
from mien.plugins.redecoding import LONGEST_SECONDS, RedecodingStream, Turns
from mien.testing import FakePlugin

PATIENCE = 20.0
RATE = 16_000


class Counting(Transcriber):
    """Says a word for each whole half second of a clip; can be held up."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[AudioClip] = queue.SimpleQueue()
        self.free = threading.Event()
        self.free.set()

    def transcribe(self, clip: AudioClip) -> Transcript:
        self.asked.put(clip)
        assert self.free.wait(PATIENCE)
        return Transcript(" ".join(str(number) for number in range(int(2 * clip.duration_seconds))), engine="counting")


@pytest.fixture
def engine() -> Counting:
    return Counting()


@pytest.fixture
def transcriber(engine: Counting) -> Iterator[Transcriber]:
    """The engine as a plugin is given it."""
    host = PluginHost.from_plugins({"p": FakePlugin(transcribers={"counting": lambda: engine})})
    yield host.context.transcriber("counting")
    host.close()


class Told:
    """What a stream tells."""

    def __init__(self) -> None:
        self.transcripts: queue.SimpleQueue[Transcript] = queue.SimpleQueue()

    def next(self) -> Transcript:
        return self.transcripts.get(timeout=PATIENCE)


def opened(transcriber: Transcriber, told: Told, at: float = 0.0) -> TranscriberStream:
    stream = transcriber.open_stream(TranscriberStreamSettings(starts_at=at, tell=told.transcripts.put))
    assert stream is not None
    return stream


def noise(seconds: float, at: float = 0.0) -> AudioClip:
    return AudioClip(np.full(round(seconds * RATE), 0.1, np.float32), RATE, at)


def test_what_was_said_so_far_is_told_and_the_final_words_supersede_it(
    engine: Counting, transcriber: Transcriber
) -> None:
    told = Told()
    stream = opened(transcriber, told, at=30.0)
    found = []
    for number in range(3):
        stream.push(noise(0.8, 30.0 + 0.8 * number))
        found.append(told.next())
    assert [each.text for each in found] == ["0", "0 1 2", "0 1 2 3"]
    assert [(each.is_final, each.revision) for each in found] == [(False, 1), (False, 2), (False, 3)]
    assert [each.stability for each in found] == [0.0, 1 / 3, 0.75]
    stream.push(noise(0.2, 32.4))
    final = stream.finish()
    assert (final.text, final.is_final, final.revision) == ("0 1 2 3 4", True, 4)
    clips = [engine.asked.get_nowait() for _ in range(4)]
    assert [clip.captured_at for clip in clips] == [30.0] * 4
    assert [round(clip.duration_seconds, 3) for clip in clips] == [0.8, 1.6, 2.4, 2.6]
    stream.close()
    stream.close()


def test_too_little_new_sound_is_not_worth_a_decoding(engine: Counting, transcriber: Transcriber) -> None:
    told = Told()
    stream = opened(transcriber, told)
    for number in range(6):
        stream.push(noise(0.1, 0.1 * number))
    assert engine.asked.empty()
    stream.push(noise(0.1, 0.6))
    assert told.next().text == "0"
    stream.finish()
    assert [round(engine.asked.get_nowait().duration_seconds, 3) for _ in range(2)] == [0.7, 0.7]


class Paced(Transcriber):
    """An engine that takes as long as the test says, and a stream of it."""

    def __init__(self, engine: Counting) -> None:
        self.now = 0.0
        self.takes = 0.0
        self.asked = engine.asked
        self.turns = Turns("counting", clock=lambda: self.now)
        self.told = Told()
        self.engine = engine
        self.next_utterance()

    def next_utterance(self) -> None:
        settings = TranscriberStreamSettings(tell=self.told.transcripts.put)
        self.stream = RedecodingStream(self, self.turns, settings, engine="counting")

    def transcribe(self, clip: AudioClip) -> Transcript:
        self.now += self.takes
        return self.engine.transcribe(clip)

    def push(self, seconds: float) -> None:
        self.now += seconds
        self.stream.push(noise(seconds))

    def lengths(self) -> list[float]:
        """Of what was recognised so far, seconds."""
        found = []
        while not self.asked.empty():
            found.append(round(self.asked.get_nowait().duration_seconds, 3))
        return found


def test_a_slower_engine_is_asked_less_often(engine: Counting) -> None:
    paced = Paced(engine)
    paced.takes = 0.6
    paced.push(0.7)
    paced.told.next()
    paced.push(1.1)  # less than the 1.2 seconds that are now worth it
    paced.takes = 0.1
    paced.push(0.1)
    paced.told.next()
    paced.push(0.7)  # and back
    paced.told.next()
    paced.turns.close()
    assert paced.lengths() == [0.7, 1.9, 2.6]


def test_an_engine_that_does_not_keep_up_is_left_to_its_final_transcripts(engine: Counting) -> None:
    paced = Paced(engine)
    paced.takes = 1.7
    paced.push(0.7)
    paced.told.next()
    assert paced.stream.finish().text == "0"  # which also takes 1.7 s: none for twenty seconds
    assert paced.lengths() == [0.7, 0.7]
    paced.next_utterance()
    paced.push(10.0)
    paced.takes = 0.2
    paced.push(9.0)
    assert paced.lengths() == []
    paced.stream.finish()  # shows that it keeps up again
    paced.next_utterance()
    paced.push(0.7)
    paced.told.next()
    paced.turns.close()
    assert paced.lengths() == [19.0, 0.7]


def test_an_engine_that_did_not_keep_up_is_tried_again_later(engine: Counting) -> None:
    paced = Paced(engine)
    paced.takes = 1.2
    paced.push(0.7)
    paced.told.next()
    paced.takes = 0.2
    for _ in range(10):  # ten seconds and a little
        paced.push(1.05)
    paced.told.next()
    paced.turns.close()
    assert paced.lengths()[0] == 0.7
    assert paced.told.transcripts.empty()


def test_streams_take_turns(engine: Counting, transcriber: Transcriber) -> None:
    told = Told()
    talker, other = opened(transcriber, told, at=1.0), opened(transcriber, told, at=2.0)
    engine.free.clear()
    talker.push(noise(0.8))
    order = [engine.asked.get(timeout=PATIENCE).captured_at]
    for _ in range(3):  # more is new while the engine is busy: one decoding for each stream, and no more
        talker.push(noise(0.8))
        other.push(noise(0.8))
    engine.free.set()
    order += [engine.asked.get(timeout=PATIENCE).captured_at for _ in range(2)]
    for _ in range(3):
        told.next()
    assert order == [1.0, 1.0, 2.0]
    other.push(noise(0.8))
    talker.push(noise(0.8))
    order = [engine.asked.get(timeout=PATIENCE).captured_at for _ in range(2)]
    assert order == [2.0, 1.0]
    assert engine.asked.empty()


def test_no_partial_transcript_is_begun_while_a_final_one_is_made(engine: Counting, transcriber: Transcriber) -> None:
    told = Told()
    stream = opened(transcriber, told, at=1.0)
    engine.free.clear()
    final = in_background(lambda: transcriber.transcribe(noise(2.0, 9.0)))
    assert engine.asked.get(timeout=PATIENCE).captured_at == 9.0
    stream.push(noise(0.8))
    assert engine.asked.empty()
    engine.free.set()
    assert final().text == "0 1 2 3"
    assert told.next().text == "0"


def test_a_final_transcript_does_not_wait_for_a_partial_one(engine: Counting, transcriber: Transcriber) -> None:
    told = Told()
    stream, other = opened(transcriber, told), opened(transcriber, told)
    other.push(noise(0.5))
    engine.free.clear()
    stream.push(noise(0.8))
    engine.asked.get(timeout=PATIENCE)  # the partial one is being made
    final = in_background(other.finish)
    assert round(engine.asked.get(timeout=PATIENCE).duration_seconds, 3) == 0.5
    engine.free.set()
    assert final().text == "0"


def test_a_decoding_that_comes_after_the_end_is_not_told(engine: Counting, transcriber: Transcriber) -> None:
    told = Told()
    stream = opened(transcriber, told)
    engine.free.clear()
    stream.push(noise(0.8))
    engine.asked.get(timeout=PATIENCE)
    stream.close()
    later = opened(transcriber, told)
    later.push(noise(1.6))
    engine.free.set()
    assert told.next().text == "0 1 2"  # the other stream's, which waited for the first


def test_an_engine_that_fails_on_partial_ones_tells_with_the_final_one(transcriber: Transcriber) -> None:
    class Failing(Transcriber):
        def transcribe(self, clip: AudioClip) -> Transcript:
            raise RuntimeError("what a customer said")

    host = PluginHost.from_plugins({"p": FakePlugin(transcribers={"failing": Failing})})
    told = Told()
    stream = opened(host.context.transcriber("failing"), told)
    stream.push(noise(0.8))
    with pytest.raises(RuntimeError):
        stream.finish()
    assert told.transcripts.empty()


def test_partial_transcripts_are_drafts() -> None:
    class Drafting(Counting):
        def draft(self, clip: AudioClip) -> Transcript:
            return Transcript("a draft", engine="counting")

    host = PluginHost.from_plugins({"p": FakePlugin(transcribers={"counting": Drafting})})
    told = Told()
    stream = opened(host.context.transcriber("counting"), told)
    stream.push(noise(0.8))
    assert told.next().text == "a draft"
    assert stream.finish().text == "0"
    host.close()


def test_a_draft_that_is_none_costs_the_partial_transcripts() -> None:
    class Wordless(Counting):
        def draft(self, clip: AudioClip) -> Transcript:
            self.asked.put(clip)
            return "words"  # type: ignore[return-value]

    engine, told = Wordless(), Told()
    host = PluginHost.from_plugins({"p": FakePlugin(transcribers={"counting": lambda: engine})})
    stream = opened(host.context.transcriber("counting"), told)
    stream.push(noise(0.8))
    engine.asked.get(timeout=PATIENCE)
    stream.push(noise(0.8))
    assert stream.finish().text == "0 1 2"
    assert told.transcripts.empty()
    host.close()


def test_memory_is_bounded(engine: Counting, transcriber: Transcriber) -> None:
    stream = opened(transcriber, Told())
    for number in range(40):
        stream.push(noise(1.0, float(number)))
    stream.finish()
    longest = 0.0
    while not engine.asked.empty():
        longest = max(longest, engine.asked.get_nowait().duration_seconds)
    assert longest == LONGEST_SECONDS


def in_background(function: Callable[[], Transcript]) -> Callable[[], Transcript]:
    """Begin a call; the answer waits for it."""
    answers: queue.SimpleQueue[Transcript] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(function()), daemon=True).start()
    return lambda: answers.get(timeout=PATIENCE)
