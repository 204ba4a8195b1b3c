"""How a kiosk follows customers: when an interaction begins and ends, what is recorded, and what is left alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from kiosk.support import Bench, Murmuring, ScriptFeed, picture, speech

from mien import (
    AnalysisResult,
    Box,
    ConfigError,
    FaceRegion,
    ImageFrame,
    InputError,
    Prediction,
    Sample,
    SessionError,
    SessionSummary,
    Transcript,
)
from mien.kiosk.brain import LocalBrain
from mien.kiosk.feed import Item, Trouble
from mien.live import Started, Update
from mien.session import Consent, SessionEnd
from mien.testing import FakeAnalyzer, make_prediction
from mien.types import Satisfaction


def test_an_interaction_begins_with_a_face_and_ends_with_the_file(bench: Bench) -> None:
    ran = bench.run([picture(0.0, 0), picture(1.0, 0), picture(2.0), picture(3.0)])
    assert ran.interactions == 1
    [summary] = ran.seen.summaries
    assert (summary.end, summary.snapshots) == (SessionEnd.CLOSED, 2)
    assert summary.interval.start == 2.0, "the empty pictures before are no part of it"


def test_nobody_is_no_interaction(bench: Bench) -> None:
    ran = bench.run([picture(float(at), 0) for at in range(5)])
    assert (ran.interactions, ran.seen.events, ran.records) == (0, [], [])


def test_a_customer_who_has_left_ends_the_interaction_and_the_next_begins_one(bench: Bench) -> None:
    items: list[Item | float] = [picture(0.0), picture(1.0)]
    items += [picture(float(at), 0) for at in range(2, 12)]
    items += [picture(20.0), picture(21.0)]
    ran = bench.run(items)
    assert [summary.end for summary in ran.seen.summaries] == [SessionEnd.IDLE, SessionEnd.CLOSED]
    assert len({summary.session_id for summary in ran.seen.summaries}) == 2
    assert ran.seen.waits == 2, "at the start, and after the first has left"


def test_a_camera_that_gives_nothing_ends_the_interaction_after_the_idle_timeout(bench: Bench) -> None:
    ran = bench.run([picture(0.0), Trouble("camera 0 gives no pictures any more; trying again"), 4.0, 5.5, 30.0])
    assert [summary.end for summary in ran.seen.summaries] == [SessionEnd.IDLE]
    assert ran.seen.notices == ["camera 0 gives no pictures any more; trying again"]


def test_enough_pictures_end_the_interaction(make_bench: Callable[..., Bench]) -> None:
    ran = make_bench(max_snapshots=3).run([picture(float(at)) for at in range(7)])
    assert [(s.end, s.snapshots) for s in ran.seen.summaries] == [
        (SessionEnd.MAX_SNAPSHOTS, 3),
        (SessionEnd.MAX_SNAPSHOTS, 3),
        (SessionEnd.CLOSED, 1),
    ]


def test_once_ends_after_the_first_customer(make_bench: Callable[..., Bench]) -> None:
    ran = make_bench(max_snapshots=2).run([picture(float(at)) for at in range(9)], once=True)
    assert ran.interactions == len(ran.seen.summaries) == 1


def test_a_stop_sums_up_what_there_is(bench: Bench) -> None:
    feed = ScriptFeed([picture(float(at)) for at in range(9)])
    feed.stop_after = 3
    [summary] = bench.run(feed).seen.summaries
    assert (summary.end, summary.snapshots) == (SessionEnd.CLOSED, 3)


def test_speech_counts_where_somebody_is_there_and_is_not_heard_before(bench: Bench) -> None:
    ran = bench.run([speech(0.0), picture(1.0), speech(2.0), picture(3.0)])
    [summary] = ran.seen.summaries
    assert (summary.snapshots, summary.utterances) == (2, 1)
    assert sum(bench.voice.batches) == 1, "nobody was there who was told when the first was said"


def test_the_signal_has_one_shape_with_and_without_a_voice(make_bench: Callable[..., Bench]) -> None:
    pictures = [picture(0.0), picture(1.0)]
    alone = make_bench(with_voice=False).run(pictures).seen.summaries[0]
    silent = make_bench().run(pictures).seen.summaries[0]
    assert isinstance(alone.overall, Satisfaction)
    assert alone.overall.score == silent.overall.score
    assert (alone.overall.coverage, silent.overall.coverage) == (1.0, 0.5)


def test_results_and_the_summary_are_recorded_under_the_sessions_name(bench: Bench) -> None:
    ran = bench.run([picture(0.0), picture(1.0), picture(2.0, 0)])
    [name] = {name for name, _ in ran.records}
    *results, summary = [record for _, record in ran.records]
    assert isinstance(summary, SessionSummary)
    assert summary.session_id == name
    assert len(results) == 2, "a picture without anybody is no result"
    assert all(isinstance(result, AnalysisResult) and result.predictions for result in results)


def test_words_are_neither_shown_nor_recorded_where_they_are_redacted(make_bench: Callable[..., Bench]) -> None:
    ran = make_bench(redact_transcript=True).run([picture(0.0), speech(1.0), picture(2.0)])
    heard = [
        prediction.evidence
        for event in ran.seen.events
        if isinstance(event, Update)
        for prediction in event.predictions
        if isinstance(prediction.evidence, Transcript)
    ]
    assert [(transcript.text, transcript.redacted) for transcript in heard] == [("", True)]
    assert "thank you" not in repr(ran.records)


def test_without_a_consent_there_is_no_kiosk(bench: Bench) -> None:
    bench.config = replace(bench.config, consent=Consent.UNSPECIFIED)
    with pytest.raises(SessionError, match="must be told"):
        bench.run([picture(0.0)])


def test_speech_that_takes_long_does_not_hold_up_the_face(bench: Bench) -> None:
    go_on, faces_done = threading.Event(), threading.Event()
    answer = bench.voice._answer

    def slowly(sample: object) -> object:
        assert go_on.wait(30), "the pictures waited for the speech"
        return answer(sample)  # type: ignore[arg-type]

    bench.voice._answer = slowly  # type: ignore[assignment]

    class Live(ScriptFeed):
        async def next(self, timeout: float) -> Item:
            while not self._items and not faces_done.is_set():
                if len(bench.face.batches) >= 4:  # one to see whether somebody is there, three for the session
                    faces_done.set()
                    go_on.set()
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            return await super().next(timeout)

    ran = bench.run(Live([picture(0.0), speech(0.5), picture(1.0), picture(2.0)], waits=False))
    [summary] = ran.seen.summaries
    assert (summary.snapshots, summary.utterances) == (3, 1)


def test_a_picture_that_cannot_be_analysed_is_told_of_once(bench: Bench) -> None:
    def fail(sample: object) -> object:
        raise InputError("the lens is covered")

    answer, bench.face._answer = bench.face._answer, fail  # type: ignore[assignment]
    assert len(bench.run([picture(float(at)) for at in range(4)]).seen.notices) == 1
    bench.face._answer = answer


def test_staff_areas_are_black_before_anybody_looks(make_bench: Callable[..., Bench]) -> None:
    everywhere = ((0.0, 0.0, 1.0, 1.0),)
    assert make_bench(exclude_regions=everywhere).run([picture(0.0), picture(1.0)]).interactions == 0


def see_posture(sample: Sample) -> list[Prediction]:
    assert isinstance(sample, ImageFrame)
    return [make_prediction("posture", at=sample.captured_at)] if sample.pixels.mean() >= 10 else []


def test_a_kiosk_follows_whom_any_analyzer_sees_be_it_a_face_or_not(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(seers={"posture": FakeAnalyzer("posture", answer=see_posture)}, idle_timeout_seconds=3.0)
    items = [
        picture(0.0, 0),
        *(picture(float(at)) for at in range(1, 8)),
        *(picture(float(at), 0) for at in range(8, 14)),
    ]
    [summary] = bench.run(items).seen.summaries
    assert (summary.end, summary.interval.start) == (SessionEnd.IDLE, 1.0)
    assert summary.snapshots >= 7, "whoever is seen keeps the interaction going"


def test_pictures_are_thinned_out_and_blanked_by_the_session_itself(make_bench: Callable[..., Bench]) -> None:
    seen: list[ImageFrame] = []

    def look(sample: Sample) -> list[Prediction]:
        assert isinstance(sample, ImageFrame)
        seen.append(sample)
        return [make_prediction("plain", at=sample.captured_at)]

    bench = make_bench(
        seers={"plain": FakeAnalyzer("plain", answer=look)},
        exclude_regions=((0.5, 0.0, 0.5, 0.5),),
        snapshot_interval_seconds=1.0,
    )
    [summary] = bench.run([picture(number / 10) for number in range(15)]).seen.summaries
    assert summary.snapshots == 2
    assert len(seen) == 3, "one to see whether somebody is there, two for the session"
    for frame in seen:
        assert np.all(frame.pixels[:24, 32:] == 0)
        assert np.all(frame.pixels[24:] == 200)
        assert np.all(frame.pixels[:, :32] == 200)


def test_a_feed_that_waits_needs_a_brain_that_can(bench: Bench) -> None:
    class Hasty(LocalBrain):
        @property
        def can_wait(self) -> bool:
            return False

    bench.brain = lambda: Hasty(bench.engine, bench.host, bench.settings)  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="leave --fast out"):
        bench.run([picture(0.0)])
    assert bench.run(ScriptFeed([picture(0.0)], waits=False)).interactions == 1


def test_every_interaction_says_who_takes_part(bench: Bench) -> None:
    started = [event for event in bench.run([picture(0.0)]).seen.events if isinstance(event, Started)]
    assert [(event.analyzers, event.expected_modalities) for event in started] == [
        (("face", "voice"), ("face", "voice"))
    ]


def test_words_are_shown_while_they_are_spoken_and_not_recorded(make_bench: Callable[..., Bench]) -> None:
    items = [picture(0.0), speech(0.5), picture(1.0)]
    ran = make_bench(voice_kind=Murmuring, partials=True).run(items)
    (partial,) = ran.seen.partials
    assert isinstance(partial.prediction.evidence, Transcript)
    assert partial.prediction.evidence.text == "thank"
    quiet = make_bench(voice_kind=Murmuring).run(items)
    assert quiet.seen.partials == []
    recorded, expected = (
        [(result.predictions, result.satisfaction) for _, result in each.records if isinstance(result, AnalysisResult)]
        for each in (ran, quiet)
    )
    assert recorded == expected
    assert ran.seen.summaries[0].overall == quiet.seen.summaries[0].overall


def test_words_that_are_withheld_are_withheld_while_they_are_spoken(make_bench: Callable[..., Bench]) -> None:
    items = [picture(0.0), speech(0.5), picture(1.0)]
    ran = make_bench(voice_kind=Murmuring, partials=True, redact_transcript=True).run(items)
    (partial,) = ran.seen.partials
    assert isinstance(partial.prediction.evidence, Transcript)
    assert (partial.prediction.evidence.text, partial.prediction.evidence.redacted) == ("", True)


def test_the_next_customer_has_a_visit_of_their_own(make_bench: Callable[..., Bench]) -> None:
    def see(sample: Sample) -> list[Prediction]:
        assert isinstance(sample, ImageFrame)
        first = sample.captured_at < 3.0
        box = Box(30, 10, 30, 30) if sample.captured_at != 2.5 else Box(0, 10, 10, 30)  # the first one leaves
        region = FaceRegion(box, quality=1.0)
        made = make_prediction("face", satisfaction=0.9 if first else 0.2, at=sample.captured_at)
        return [replace(made, evidence=region, subject_id="a" if first else "b")]

    bench = make_bench(snapshot_interval_seconds=0.0, seers={"face": FakeAnalyzer("face", answer=see)})
    ran = bench.run([picture(at / 2) for at in (0, 1, 2, 3, 4, 5, 9, 10, 11, 12)])
    first, second = ran.seen.summaries
    assert (first.end, second.end) == (SessionEnd.NEXT_CUSTOMER, SessionEnd.CLOSED)
    assert (first.interval.end, second.interval.start) == (2.5, 5.0)
    assert (first.snapshots, second.snapshots) == (7, 3), "the picture that showed the next one is theirs"
    assert (first.overall.score, second.overall.score) == (pytest.approx(0.9), pytest.approx(0.2))
