"""What is being said, through a running session: told as it comes, withheld as final words are, counted in nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from live.support import PATIENCE, events_of, host_of, loaded

from mien import Prediction, Sample, Stream, StreamSettings, TimeInterval, Transcript
from mien.config import Settings
from mien.live import LiveSession, Partial, SessionLimits, Update, open_session, result_of
from mien.live.outbox import ROOM
from mien.live.partials import Finals
from mien.session import SessionConfig, SessionEnd
from mien.testing import FakeAnalyzer, make_clip, make_prediction


def heard(text: str, revision: int, *, start: float = 0.0, is_final: bool = False, **fields: Any) -> Prediction:
    """What a voice says of an utterance that began then; loud and clear, so that it would count."""
    words = Transcript(text, engine="fake", is_final=is_final, stability=0.5, revision=revision)
    prediction = make_prediction("voice", satisfaction=1.0 if is_final else 0.0)
    return replace(prediction, interval=TimeInterval(start, start + 1.0), evidence=words, **fields)


class Talking(FakeAnalyzer):
    """Its stream tells before it gives an utterance out, and once more after that."""

    def __init__(self, *told: Any, late: Any = None) -> None:
        super().__init__("voice")
        self.told = told
        self.late = late
        self.settings: StreamSettings | None = None
        self.closed_streams = threading.Event()

    def open_stream(self, settings: StreamSettings) -> Stream:
        self.settings = settings
        return _Talk(self)

    def tell(self, given: Any) -> None:
        assert self.settings is not None
        if self.settings.tell is not None:
            self.settings.tell(given)


class _Talk(Stream):
    def __init__(self, analyzer: Talking) -> None:
        self._analyzer = analyzer

    def push(self, sample: Sample) -> list[Sample]:
        for given in self._analyzer.told:
            self._analyzer.tell(given)
        return [sample]

    def close(self) -> None:
        self._analyzer.closed_streams.set()


def answering(analyzer: Talking) -> Callable[[str, Sample], Any]:
    """Predicts the final words; the analyzer's stream then comes late with something."""

    async def predict(name: str, sample: Sample) -> list[Prediction]:
        return [heard("thank you", 3, is_final=True, analyzer=name)]

    return predict


async def session_with(analyzer: Talking, **options: Any) -> LiveSession:
    config = SessionConfig(session_id="s", fuser="fake", **{"partials": True, **options})
    host = host_of(voice=analyzer)
    return await open_session(host, config, Settings(), answering(analyzer), limits=SessionLimits())


async def told_by(analyzer: Talking, **options: Any) -> list[Any]:
    session = await session_with(analyzer, **options)
    session.push_sound(loaded(make_clip(seconds=1.0)))
    await session.sound_taken()
    if analyzer.late is not None:
        await session._speech.wait_idle()
        analyzer.tell(analyzer.late)
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    return await events_of(session)


async def test_words_are_told_before_the_utterance_has_ended() -> None:
    events = await told_by(Talking(heard("thank", 1), heard("thank you", 2)))
    partials = [event.prediction for event in events if isinstance(event, Partial)]
    assert [each.evidence.text for each in partials] == ["thank", "thank you"]
    assert [each.analyzer for each in partials] == ["voice", "voice"]
    assert all(each.is_provisional for each in partials)
    (update,) = [event for event in events if isinstance(event, Update)]
    assert events.index(update) > max(index for index, event in enumerate(events) if isinstance(event, Partial))
    assert update.predictions[0].evidence.revision == 3
    assert update.predictions[0].interval.start == partials[0].interval.start


async def test_what_is_provisional_counts_in_nothing() -> None:
    with_partials = await told_by(Talking(*(heard("terrible", number) for number in range(1, 20))))
    without = await told_by(Talking(), partials=False)
    assert with_partials[-1] == without[-1]
    assert with_partials[-1].overall.score == 1.0
    updates = [[event for event in events if isinstance(event, Update)] for events in (with_partials, without)]
    assert updates[0][0].state == updates[1][0].state
    assert not any(result_of(event) for event in with_partials if isinstance(event, Partial))


async def test_partial_words_are_withheld_as_final_ones_are() -> None:
    events = await told_by(Talking(heard("my card number", 1)), redact_transcript=True)
    (partial,) = [event for event in events if isinstance(event, Partial)]
    assert (partial.prediction.evidence.text, partial.prediction.evidence.redacted) == ("", True)
    assert partial.prediction.is_provisional
    assert "card" not in repr(events)


async def test_words_that_were_taken_back_are_not_withheld_ones() -> None:
    events = await told_by(Talking(heard("", 2)), redact_transcript=True)
    (partial,) = [event for event in events if isinstance(event, Partial)]
    assert not partial.prediction.evidence.redacted


async def test_words_that_come_after_the_final_ones_are_not_told() -> None:
    events = await told_by(Talking(late=heard("thank", 2)))
    assert not [event for event in events if isinstance(event, Partial)]


async def test_a_session_that_does_not_ask_is_told_nothing() -> None:
    analyzer = Talking(heard("thank", 1))
    events = await told_by(analyzer, partials=False)
    assert analyzer.settings is not None
    assert analyzer.settings.tell is None
    assert not [event for event in events if isinstance(event, Partial)]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("words", "it told a str, not a Prediction"),
        (heard("thank you", 3, is_final=True), "rests on no partial transcript"),
        (make_prediction("voice"), "rests on no partial transcript"),
        (heard("thank you", 1, modality="face"), "it was registered for 'voice'"),
    ],
)
async def test_what_breaks_the_contract_is_logged_once_and_not_told(
    given: Any, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    events = await told_by(Talking(given, given))
    assert not [event for event in events if isinstance(event, Partial)]
    (message,) = [record.getMessage() for record in caplog.records if problem in record.getMessage()]
    assert message.startswith("analyzer 'voice' failed in tell: it ")
    assert len([event for event in events if isinstance(event, Update)]) == 1


async def test_a_caller_that_does_not_read_is_told_no_more_of_it() -> None:
    session = await session_with(Talking())
    for number in range(1, 4 * ROOM):
        session.partial(heard("thank", number, analyzer="voice"))
    await session.finish(SessionEnd.CLOSED, within=PATIENCE)
    assert len(await events_of(session)) == ROOM + 1  # with the summary


@pytest.mark.parametrize("abandoned", [False, True])
async def test_streams_are_closed_at_every_end(abandoned: bool) -> None:
    analyzer = Talking()
    session = await session_with(analyzer)
    await (session.abandon() if abandoned else session.finish(SessionEnd.CLOSED, within=PATIENCE))
    assert analyzer.closed_streams.wait(PATIENCE)
    analyzer.tell(heard("thank", 1))  # late, and for nobody


def test_only_the_newest_final_words_are_remembered() -> None:
    finals = Finals()
    finals.note(heard("yes", 1, start=float(number), is_final=True) for number in range(1000))
    assert finals.is_news(heard("yes", 1, start=0.0))
    assert not finals.is_news(heard("yes", 1, start=999.0))
