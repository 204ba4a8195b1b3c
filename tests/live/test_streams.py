"""The one way into the analyzers' streams: what is shown to them, what they may get wrong, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mien import (
    AnalyzerNotFoundError,
    ImageFrame,
    InputError,
    PluginError,
    Prediction,
    Sample,
    SampleKind,
    Stream,
    StreamSettings,
    StreamState,
    StreamStatus,
    Utterance,
)
from mien.config import Settings, parse_settings
from mien.live import NoticeKind, Ready, Streams, open_streams
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info, make_clip, make_image, make_prediction

Told = list[tuple[NoticeKind, str]]


class Custom(FakeAnalyzer):
    """Opens the stream it is given."""

    def __init__(self, opened: Callable[[], Any], modality: str = "face") -> None:
        super().__init__(modality)
        self._opened = opened

    def open_stream(self, settings: StreamSettings) -> Any:
        return self._opened()


def host_of(analyzers: Mapping[str, FakeAnalyzer], *kinds: SampleKind, settings: Settings | None = None) -> PluginHost:
    registered = {
        name: (analyzer_info("face", *kinds), lambda analyzer=analyzer: analyzer)
        for name, analyzer in analyzers.items()
    }
    return PluginHost.from_plugins({"fakes": FakePlugin(analyzers=registered)}, settings or Settings())


def opened(
    analyzers: Mapping[str, FakeAnalyzer],
    *kinds: SampleKind,
    interval: float = 0.0,
    regions: Sequence[tuple[float, float, float, float]] = (),
    settings: Settings | None = None,
    names: Sequence[str] = (),
) -> tuple[Streams, Told]:
    told: Told = []
    settings = settings or Settings()
    streams = open_streams(
        host_of(analyzers, *kinds, settings=settings),
        names,
        settings,
        snapshot_interval_seconds=interval,
        exclude_regions=regions,
        tell=lambda kind, message: told.append((kind, message)),
    )
    return streams, told


def names_of(ready: Ready) -> list[str]:
    return [each.name for each in ready.participants]


def said(ready: Ready) -> dict[str, list[Prediction] | StreamStatus]:
    return {each.name: [make_prediction("face", at=ready.sample.captured_at)] for each in ready.participants}


def test_an_analyzer_with_the_default_stream_is_never_shown_an_excluded_pixel() -> None:
    streams, _ = opened({"plain": FakeAnalyzer()}, regions=((0.5, 0.0, 0.5, 1.0),))
    original = make_image(200)
    (ready,) = streams.push(original)
    assert isinstance(ready.sample, ImageFrame)
    assert np.all(ready.sample.pixels[:, 32:] == 0)
    assert np.all(ready.sample.pixels[:, :32] == 200)
    assert np.all(original.pixels == 200)


def test_an_analyzer_with_the_default_stream_gets_one_picture_an_interval() -> None:
    streams, _ = opened({"plain": FakeAnalyzer()}, interval=1.0)
    assert [len(streams.push(make_image(captured_at=number / 10))) for number in range(5)] == [1, 0, 0, 0, 0]


def test_sound_and_words_are_not_throttled() -> None:
    streams, _ = opened({"ears": FakeAnalyzer()}, SampleKind.AUDIO, SampleKind.TEXT, interval=10.0)
    for number in range(3):
        assert len(streams.push(make_clip(seconds=0.1, captured_at=0.1 * number))) == 1
        assert len(streams.push(Utterance("thank you", captured_at=0.1 * number))) == 1


class Copying(Stream):
    """Gives back a sample of its own making."""

    def push(self, sample: Sample) -> list[Sample]:
        return [replace(sample)]


def test_two_analyzers_that_take_the_same_picture_count_it_once_whatever_they_give_back() -> None:
    streams, _ = opened({"a": Custom(Copying), "b": Custom(Copying), "c": FakeAnalyzer()}, regions=((0, 0, 0.1, 0.1),))
    for number in range(5):
        (ready,) = streams.push(make_image(captured_at=float(number)))
        assert names_of(ready) == ["a", "b", "c"]
        assert ready.samples["a"] is not ready.samples["b"], "each is asked about what its own stream gave back"
        answer = streams.observe(ready, said(ready))
        assert [status.state for status in answer.statuses] == [StreamState.OK] * 3


class Twice(Stream):
    def push(self, sample: Sample) -> list[Sample]:
        return [sample, sample]


def test_a_stream_that_gives_one_moment_twice_is_asked_twice() -> None:
    streams, _ = opened({"a": Custom(Twice), "b": FakeAnalyzer()})
    first, second = streams.push(make_image())
    assert (names_of(first), names_of(second)) == (["a", "b"], ["a"])


def test_pieces_of_sound_that_begin_together_and_end_apart_are_two_moments() -> None:
    class Short(Stream):
        def push(self, sample: Sample) -> list[Sample]:
            return [make_clip(seconds=0.5, captured_at=sample.captured_at)]

    streams, _ = opened({"a": Custom(Short), "b": FakeAnalyzer()}, SampleKind.AUDIO)
    assert [names_of(ready) for ready in streams.push(make_clip(seconds=1.0))] == [["a"], ["b"]]


def test_what_streams_are_shown_cannot_be_written_to() -> None:
    streams, _ = opened({"plain": FakeAnalyzer()})
    (ready,) = streams.push(make_image())
    assert isinstance(ready.sample, ImageFrame)
    with pytest.raises(ValueError, match="read-only"):
        ready.sample.pixels[0, 0] = 1


class Giving(Stream):
    """Gives back whatever it is told to, or raises it."""

    def __init__(self, *, push: Any = None, observe: Any = None, flush: Any = None) -> None:
        self._push, self._observe, self._flush = push, observe, flush

    def push(self, sample: Sample) -> Any:
        return self._give(self._push, [sample])

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> Any:
        return self._give(self._observe, list(predictions))

    def flush(self) -> Any:
        return self._give(self._flush, [])

    @staticmethod
    def _give(wanted: Any, default: Any) -> Any:
        if isinstance(wanted, BaseException):
            raise wanted
        return default if wanted is None else wanted[0]


JUNK = [(None,), (17,), (["words"],), ([None],), RuntimeError("secret"), SystemExit(3)]
"""What a stream may give back in the place of a list, and what it may raise."""


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_push_that_fails_costs_its_stream_with_a_reason_that_names_it(junk: Any) -> None:
    streams, told = opened({"bad": Custom(lambda: Giving(push=junk)), "good": FakeAnalyzer()})
    for _ in range(2):
        (ready,) = streams.push(make_image())
        assert names_of(ready) == ["good"]
    ((kind, message),) = told
    assert kind is NoticeKind.STREAM
    assert message.startswith("bad is missing: analyzer 'bad'")
    assert "push" in message
    assert "secret" not in message
    (failure,) = streams.failures
    raised = isinstance(junk, BaseException)
    assert (failure.analyzer, failure.state) == ("bad", StreamState.FAILED if raised else StreamState.INVALID)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_an_observe_that_fails_costs_its_stream_and_not_the_others_evidence(junk: Any) -> None:
    streams, told = opened({"bad": Custom(lambda: Giving(observe=junk)), "good": FakeAnalyzer()})
    (ready,) = streams.push(make_image())
    answer = streams.observe(ready, said(ready), seconds={"good": 0.25})
    assert len(answer.predictions) == 1
    bad, good = answer.statuses
    raised = isinstance(junk, BaseException)
    assert (bad.analyzer, bad.state) == ("bad", StreamState.FAILED if raised else StreamState.INVALID)
    assert "analyzer 'bad'" in bad.reason
    assert "observe" in bad.reason
    assert good == StreamStatus("good", "face", StreamState.OK, seconds=0.25)
    assert [message.partition(":")[0] for _, message in told] == ["bad is missing"]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_flush_that_fails_costs_its_stream(junk: Any) -> None:
    held = make_clip(seconds=0.5)
    analyzers = {"bad": Custom(lambda: Giving(flush=junk)), "good": Custom(lambda: Giving(flush=([held],)))}
    streams, told = opened(analyzers, SampleKind.AUDIO)
    (ready,) = streams.flush()
    assert names_of(ready) == ["good"]
    assert "flush" in told[0][1]


def test_a_sample_that_a_stream_refuses_is_told_of_and_the_stream_is_not_missing() -> None:
    streams, told = opened({"picky": Custom(lambda: Giving(push=InputError("too dark")))})
    assert streams.push(make_image()) == []
    assert told == [(NoticeKind.BAD_INPUT, "picky: too dark")]
    assert streams.failures == ()


def test_an_analyzer_that_fails_and_comes_back_is_told_once_each() -> None:
    streams, told = opened({"face": FakeAnalyzer()})
    failed = StreamStatus("face", "face", StreamState.FAILED, "it raised ValueError")
    for answer in (failed, failed, [make_prediction()], [make_prediction()]):
        (ready,) = streams.push(make_image())
        streams.observe(ready, {"face": answer})
    assert [message for _, message in told] == ["face is missing: it raised ValueError", "face is back"]


def test_a_stream_that_cannot_be_opened_is_left_out_with_its_reason() -> None:
    def fail() -> Stream:
        raise RuntimeError("secret")

    streams, _ = opened({"bad": Custom(fail), "good": FakeAnalyzer(), "odd": Custom(lambda: "a stream")})
    assert [each.name for each in streams.participants] == ["good"]
    bad, odd = streams.unavailable
    assert (bad.analyzer, bad.modality, bad.state) == ("bad", "face", StreamState.UNAVAILABLE)
    assert bad.reason == "analyzer 'bad' failed in open_stream: it raised RuntimeError"
    assert odd.reason == "analyzer 'odd' failed in open_stream: it answered a str, not a mien.Stream"


def test_the_plugin_is_told_how_pictures_come() -> None:
    class Noting(FakeAnalyzer):
        def open_stream(self, settings: StreamSettings) -> Stream:
            self.settings = settings
            return super().open_stream(settings)

    noting = Noting()
    opened({"noting": noting}, interval=2.0, regions=((0.0, 0.0, 0.5, 0.5),))
    assert noting.settings == StreamSettings(snapshot_interval_seconds=2.0, exclude_regions=((0.0, 0.0, 0.5, 0.5),))


@pytest.mark.parametrize(
    ("analyzers", "names", "error", "words"),
    [
        ({"bad": Custom(lambda: None)}, (), PluginError, "no analyzer of the session can be used: bad: "),
        ({}, (), AnalyzerNotFoundError, "no analyzer is enabled"),
        ({"good": FakeAnalyzer()}, ("nose",), AnalyzerNotFoundError, "nose"),
    ],
)
def test_without_analyzers_nothing_is_opened(
    analyzers: dict[str, FakeAnalyzer], names: Sequence[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        opened(analyzers, names=names)


def test_a_stream_that_hangs_costs_itself_in_time() -> None:
    import threading

    release = threading.Event()

    class Hanging(Stream):
        def push(self, sample: Sample) -> list[Sample]:
            release.wait(20.0)
            return [sample]

    settings = parse_settings({"engine": {"deadline_seconds": 0.05}})
    streams, told = opened({"bad": Custom(Hanging), "good": FakeAnalyzer()}, settings=settings)
    for _ in range(2):
        (ready,) = streams.push(make_image())
        assert names_of(ready) == ["good"]
    assert [message.partition(":")[0] for _, message in told] == ["bad is missing"]
    release.set()
