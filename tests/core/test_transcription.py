"""Engines with a stream of their own: what is handed on, and what a stream that misbehaves costs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mien import (
    AudioClip,
    LocalAgreement,
    PluginError,
    Transcriber,
    TranscriberStream,
    TranscriberStreamSettings,
    Transcript,
)
from mien.config import parse_settings
from mien.plugins.host import PluginHost
from mien.testing import FakePlugin, make_clip

PATIENCE = 20.0
WHOLE = Transcript("the whole utterance", engine="own")


class Own(TranscriberStream):
    """Hears a word in each piece; a test may replace what it does."""

    def __init__(self, settings: TranscriberStreamSettings) -> None:
        self.settings = settings
        self.agreement = LocalAgreement()
        self.pieces: list[AudioClip] = []
        self.closed = threading.Event()

    def push(self, clip: AudioClip) -> None:
        self.pieces.append(clip)
        self.settings.tell(self.agreement.partial(self._heard()))

    def finish(self) -> Transcript:
        return self.agreement.final(self._heard())

    def close(self) -> None:
        self.closed.set()

    def _heard(self) -> Transcript:
        return Transcript(" ".join(["word"] * len(self.pieces)), engine="own")


class Streaming(Transcriber):
    """Opens what the test says."""

    def __init__(self, opened: Callable[[TranscriberStreamSettings], Any]) -> None:
        self.opened = opened
        self.streams: list[Any] = []

    def transcribe(self, clip: AudioClip) -> Transcript:
        return WHOLE

    def open_stream(self, settings: TranscriberStreamSettings) -> TranscriberStream | None:
        self.streams.append(self.opened(settings))
        return self.streams[-1]


class Following:
    """One utterance through the host."""

    def __init__(self, opened: Callable[[TranscriberStreamSettings], Any], *, deadline: float = PATIENCE) -> None:
        self.engine = Streaming(opened)
        settings = parse_settings({"engine": {"deadline_seconds": deadline}})
        self.host = PluginHost.from_plugins({"p": FakePlugin(transcribers={"own": lambda: self.engine})}, settings)
        self.told: queue.SimpleQueue[Transcript] = queue.SimpleQueue()
        wish = TranscriberStreamSettings(starts_at=5.0, tell=self.told.put)
        stream = self.host.context.transcriber("own").open_stream(wish)
        assert stream is not None
        self.stream = stream

    def push(self, seconds: float = 0.1) -> None:
        self.stream.push(make_clip(seconds=seconds, frequency=200.0, captured_at=5.0))


@pytest.fixture
def release() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def test_an_engines_own_stream_is_handed_the_sound_and_tells() -> None:
    follow = Following(Own)
    follow.push()
    follow.push()
    assert [follow.told.get(timeout=PATIENCE).text for _ in range(2)] == ["word", "word word"]
    final = follow.stream.finish()
    assert (final.text, final.is_final, final.revision) == ("word word", True, 3)
    assert follow.engine.streams[0].settings.starts_at == 5.0
    assert follow.engine.streams[0].closed.wait(PATIENCE)


def test_an_utterance_that_was_none_is_closed_and_tells_nothing_more() -> None:
    follow = Following(Own)
    follow.push()
    follow.told.get(timeout=PATIENCE)
    follow.stream.close()
    follow.stream.close()
    own = follow.engine.streams[0]
    assert own.closed.wait(PATIENCE)
    own.settings.tell(own.agreement.partial(WHOLE))
    assert follow.told.empty()


def test_an_engine_that_has_no_stream_this_time_is_asked_again_and_again() -> None:
    follow = Following(lambda settings: None)
    follow.push(0.9)
    assert follow.told.get(timeout=PATIENCE).text == WHOLE.text
    assert follow.stream.finish().text == WHOLE.text


class Raising(Own):
    def push(self, clip: AudioClip) -> None:
        raise RuntimeError("what a customer said")


class Wrong(Own):
    def finish(self) -> Transcript:
        return "words"  # type: ignore[return-value]


class NotFinal(Own):
    def finish(self) -> Transcript:
        return self.agreement.partial(WHOLE)


class TellingNonsense(Own):
    def push(self, clip: AudioClip) -> None:
        self.settings.tell("words")  # type: ignore[arg-type]


class TellingFinals(Own):
    def push(self, clip: AudioClip) -> None:
        self.settings.tell(WHOLE)


def opening_something_else(settings: TranscriberStreamSettings) -> str:
    return "no stream"


@pytest.mark.parametrize("opened", [Raising, Wrong, NotFinal, TellingNonsense, TellingFinals, opening_something_else])
def test_a_stream_that_breaks_the_contract_costs_its_partial_transcripts(
    opened: Callable[[TranscriberStreamSettings], Any], caplog: pytest.LogCaptureFixture
) -> None:
    follow = Following(opened)
    follow.push()
    assert follow.stream.finish().text == WHOLE.text
    assert follow.told.empty()
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert message.startswith("transcriber 'own' failed in ")
    assert message.endswith("there are no partial transcripts of this utterance")
    assert "what a customer said" not in message


def test_a_stream_that_hangs_holds_up_nobody_who_pushes(release: threading.Event) -> None:
    class Hanging(Own):
        def push(self, clip: AudioClip) -> None:
            release.wait(PATIENCE)

    follow = Following(Hanging, deadline=0.2)
    for _ in range(20):
        follow.push()
    assert follow.stream.finish().text == WHOLE.text


def test_what_the_engine_says_of_the_utterance_is_raised() -> None:
    class Gone(Own):
        def finish(self) -> Transcript:
            raise PluginError("the speech server went away")

    follow = Following(Gone)
    follow.push()
    with pytest.raises(PluginError, match="the speech server went away"):
        follow.stream.finish()


def test_revisions_that_go_back_are_passed_over() -> None:
    class Back(Own):
        def push(self, clip: AudioClip) -> None:
            for revision in (2, 1, 2, 3):
                self.settings.tell(Transcript("word", is_final=False, stability=0.5, revision=revision))

        def finish(self) -> Transcript:
            return Transcript("word", revision=1)

    follow = Following(Back)
    follow.push()
    assert [follow.told.get(timeout=PATIENCE).revision for _ in range(2)] == [2, 3]
    assert follow.stream.finish().revision == 4
    assert follow.told.empty()


def test_a_stream_that_opens_after_its_utterance_was_dropped_is_closed(release: threading.Event) -> None:
    def slowly(settings: TranscriberStreamSettings) -> Own:
        opening.set()
        assert release.wait(PATIENCE)
        own = Own(settings)
        own.closed = closed
        return own

    opening, closed = threading.Event(), threading.Event()
    follow = Following(slowly)
    assert opening.wait(PATIENCE)
    follow.stream.close()
    release.set()
    assert closed.wait(PATIENCE)
