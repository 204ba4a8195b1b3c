"""The suites pass on what keeps the contract, and each test of them catches what does not."""

from __future__ import annotations

import inspect
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from mien import (
    UNKNOWN_SATISFACTION,
    Accumulator,
    Analyzer,
    AnalyzerInfo,
    AudioClip,
    Contribution,
    Fuser,
    FusionContext,
    LocalAgreement,
    PassThroughStream,
    PluginError,
    Prediction,
    Sample,
    Satisfaction,
    ScoreInterval,
    Stream,
    StreamSettings,
    TimeInterval,
    Transcriber,
    TranscriberStream,
    TranscriberStreamSettings,
    Transcript,
    Verdict,
    WindowAccumulator,
    Word,
)
from mien.testing import (
    AnalyzerConformance,
    FakeAnalyzer,
    FakeFuser,
    FakeTranscriber,
    FuserConformance,
    TranscriberConformance,
    analyzer_info,
    make_clip,
    make_image,
    make_prediction,
)

LONG = 20.0
INFO = analyzer_info("face")
SAMPLES: list[Sample] = [make_image(brightness, captured_at=float(brightness)) for brightness in (0, 100, 200)]


def brightness(sample: Sample) -> list[Prediction]:
    """Nothing for a black picture, else the brightness as evidence."""
    value = float(sample.pixels.mean()) / 255.0  # type: ignore[union-attr]
    return [make_prediction("face", satisfaction=value, at=sample.captured_at)] if value else []


class TestFakeAnalyzer(AnalyzerConformance):
    @pytest.fixture
    def analyzer(self) -> FakeAnalyzer:
        return FakeAnalyzer("face", answer=brightness)

    @pytest.fixture
    def info(self) -> AnalyzerInfo:
        return INFO

    @pytest.fixture
    def samples(self) -> list[Sample]:
        return SAMPLES


class TestFakeFuser(FuserConformance):
    ignores = FakeFuser.ignores

    @pytest.fixture
    def fuser(self) -> FakeFuser:
        return FakeFuser()


class TestFakeTranscriber(TranscriberConformance):
    @pytest.fixture
    def transcriber(self) -> FakeTranscriber:
        return FakeTranscriber()

    @pytest.fixture
    def speech(self) -> AudioClip:
        return make_clip(frequency=200.0)


class Broken(FakeAnalyzer):
    """An analyzer that spoils the right answer of a batch."""

    def __init__(self, spoil: Callable[[list[list[Prediction]]], Any]) -> None:
        super().__init__("face", answer=brightness)
        self._spoil = spoil

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        return self._spoil(super().analyze(samples))  # type: ignore[no-any-return]


def drifting() -> Analyzer:
    calls = itertools.count(1)

    def drift(lists: list[list[Prediction]]) -> list[list[Prediction]]:
        confidence = 1 / next(calls)
        return [[replace(each, confidence=confidence) for each in found] for found in lists]

    return Broken(drift)


class WithStream(FakeAnalyzer):
    def __init__(self, stream: Callable[[], Stream]) -> None:
        super().__init__("face", answer=brightness)
        self._stream = stream

    def open_stream(self, settings: StreamSettings) -> Stream:
        return self._stream()


class Forgetful(PassThroughStream):
    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        return []


class Deaf(PassThroughStream):
    def push(self, sample: Sample) -> list[Sample]:
        return [make_clip()]


class EverySecond(PassThroughStream):
    count = 0

    def push(self, sample: Sample) -> list[Sample]:
        self.count += 1
        return [sample] if self.count % 2 else []


class TellsAnswers(FakeAnalyzer):
    """Its stream tells what only ``analyze`` may answer."""

    def __init__(self) -> None:
        super().__init__("face", answer=brightness)

    def open_stream(self, settings: StreamSettings) -> Stream:
        class Telling(PassThroughStream):
            def push(self, sample: Sample) -> list[Sample]:
                if settings.tell is not None:
                    settings.tell(make_prediction("face"))
                return [sample]

        return Telling()


class ClosesOnce(FakeAnalyzer):
    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        super().close()


def state_shared() -> Analyzer:
    shared = EverySecond()
    return WithStream(lambda: shared)


def twins(lists: list[list[Prediction]]) -> list[list[Prediction]]:
    return [[replace(each, subject_id="x") for each in found * 2] for found in lists]


def relabelled(lists: list[list[Prediction]]) -> list[list[Prediction]]:
    return [[replace(each, emotions={"glad": 1.0}) for each in found] for found in lists]


def batch_dependent(lists: list[list[Prediction]]) -> list[list[Prediction]]:
    return [[replace(each, confidence=1 / len(lists)) for each in found] for found in lists]


def first_is_special(lists: list[list[Prediction]]) -> list[list[Prediction]]:
    return [
        [replace(each, confidence=0.5) for each in found] if index == 0 else found for index, found in enumerate(lists)
    ]


BROKEN_ANALYZERS: dict[str, tuple[Callable[[], Analyzer], str]] = {
    "says_nothing": (lambda: Broken(lambda lists: [[] for _ in lists]), "test_samples_show_something"),
    "loses_a_sample": (lambda: Broken(lambda lists: lists[1:]), "test_each_sample_gets_one_list"),
    "gives_strings": (lambda: Broken(lambda lists: [["x"] for _ in lists]), "test_each_sample_gets_one_list"),
    "gives_a_tuple": (lambda: Broken(tuple), "test_each_sample_gets_one_list"),
    "other_labels": (lambda: Broken(relabelled), "test_predictions_fit_the_info"),
    "other_modality": (lambda: FakeAnalyzer("voice"), "test_predictions_fit_the_info"),
    "twins": (lambda: Broken(twins), "test_subjects_of_one_sample_are_told_apart"),
    "batch_dependent": (lambda: Broken(batch_dependent), "test_a_batch_says_what_single_calls_say"),
    "order_dependent": (lambda: Broken(lambda lists: lists[::-1]), "test_a_batch_says_what_single_calls_say"),
    "first_is_special": (lambda: Broken(first_is_special), "test_order_is_kept"),
    "drifts": (drifting, "test_the_same_call_gives_the_same_answer"),
    "drifts_in_threads": (drifting, "test_threads_do_not_disturb_each_other"),
    "forgetful_stream": (lambda: WithStream(Forgetful), "test_a_stream_gives_samples_that_can_be_analysed"),
    "deaf_stream": (lambda: WithStream(Deaf), "test_a_stream_gives_samples_that_can_be_analysed"),
    "tells_answers": (TellsAnswers, "test_what_a_stream_tells_is_provisional"),
    "shared_stream": (state_shared, "test_streams_do_not_share_state"),
    "closes_once": (lambda: ClosesOnce("face", answer=brightness), "test_warm_up_and_close_can_be_repeated"),
}


def run(suite: object, name: str, **fixtures: Any) -> None:
    test = getattr(suite, name)
    test(**{fixture: fixtures[fixture] for fixture in inspect.signature(test).parameters})


@pytest.mark.parametrize("name", BROKEN_ANALYZERS)
def test_an_analyzer_that_breaks_the_contract_is_caught(name: str) -> None:
    make, test = BROKEN_ANALYZERS[name]
    with pytest.raises((AssertionError, RuntimeError)):
        run(AnalyzerConformance(), test, analyzer=make(), info=INFO, samples=SAMPLES)


def test_an_info_without_a_licence_is_caught() -> None:
    with pytest.raises(AssertionError, match="weights_license is empty"):
        AnalyzerConformance().test_info_says_what_a_user_must_know(replace(INFO, weights_license=""))


def test_fixtures_that_test_nothing_are_caught() -> None:
    suite = AnalyzerConformance()
    with pytest.raises(AssertionError, match="at least two"):
        suite.test_samples_show_something(FakeAnalyzer(), INFO, SAMPLES[:1])
    with pytest.raises(AssertionError, match="does not name"):
        suite.test_samples_show_something(FakeAnalyzer(), INFO, [make_clip(), *SAMPLES])


class BrokenFuser(Fuser):
    """A fuser that spoils the right answer."""

    def __init__(self, spoil: Callable[[Satisfaction, Sequence[Prediction]], Any]) -> None:
        self._spoil = spoil

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        return self._spoil(FakeFuser().fuse(predictions, context), predictions)  # type: ignore[no-any-return]


def counting() -> Fuser:
    calls = itertools.count(1)
    return BrokenFuser(lambda right, _: replace(right, agreement=1 / next(calls)))


def first_counts(right: Satisfaction, predictions: Sequence[Prediction]) -> Satisfaction:
    return replace(right, score=predictions[0].satisfaction) if predictions else right


def simple_mean(right: Satisfaction, predictions: Sequence[Prediction]) -> Satisfaction:
    if not predictions:
        return right
    return replace(right, score=sum(each.satisfaction for each in predictions) / len(predictions))


class Sieve(WindowAccumulator):
    def add(self, prediction: Prediction) -> None:
        if prediction.modality == "face":
            super().add(prediction)


class Leaky(FakeFuser):
    """One accumulator for everybody."""

    def __init__(self) -> None:
        self._shared: Accumulator | None = None

    def accumulator(self, context: FusionContext) -> Accumulator:
        self._shared = self._shared or super().accumulator(context)
        return self._shared


class Sieving(FakeFuser):
    def accumulator(self, context: FusionContext) -> Accumulator:
        return Sieve(self, context)


BROKEN_FUSERS: dict[str, tuple[Callable[[], Fuser], str]] = {
    "always_good": (
        lambda: BrokenFuser(lambda right, _: replace(right, verdict=Verdict.GOOD)),
        "test_no_predictions_are_undecided",
    ),
    "trusts_nobody": (
        lambda: BrokenFuser(lambda right, _: replace(right, verdict=Verdict.GOOD)),
        "test_no_confidence_is_undecided",
    ),
    "outside_its_interval": (
        lambda: BrokenFuser(lambda right, _: replace(right, interval=ScoreInterval(0.3, 0.4))),
        "test_every_answer_is_in_bounds",
    ),
    "a_float": (lambda: BrokenFuser(lambda right, _: 0.5), "test_any_set_of_modalities_gives_the_same_schema"),
    "a_stranger": (
        lambda: BrokenFuser(lambda right, _: replace(right, contributions={"smell": Contribution(1.0, 0.5)})),
        "test_any_set_of_modalities_gives_the_same_schema",
    ),
    "half_a_share": (
        lambda: BrokenFuser(lambda right, _: replace(right, contributions={"face": Contribution(0.5, 0.5)})),
        "test_any_set_of_modalities_gives_the_same_schema",
    ),
    "hides_what_is_missing": (
        lambda: BrokenFuser(lambda right, _: replace(right, coverage=1.0)),
        "test_a_missing_modality_lowers_the_coverage",
    ),
    "trusts_everybody": (lambda: BrokenFuser(simple_mean), "test_evidence_without_confidence_changes_nothing"),
    "first_counts": (lambda: BrokenFuser(first_counts), "test_the_order_of_predictions_does_not_matter"),
    "sieving": (Sieving, "test_an_accumulator_says_what_fusing_at_once_says"),
    "leaky": (Leaky, "test_an_accumulator_says_what_fusing_at_once_says"),
    "remembers": (counting, "test_a_fuser_remembers_nothing"),
    "remembers_in_threads": (counting, "test_threads_do_not_disturb_each_other"),
}


@pytest.mark.parametrize("name", BROKEN_FUSERS)
def test_a_fuser_that_breaks_the_contract_is_caught(name: str) -> None:
    make, test = BROKEN_FUSERS[name]
    with pytest.raises(AssertionError):
        run(FuserConformance(), test, fuser=make())


class BrokenTranscriber(Transcriber):
    def __init__(self, *answers: Transcript) -> None:
        self._answers = itertools.cycle(answers)

    def transcribe(self, clip: AudioClip) -> Transcript:
        return next(self._answers)


WORDS = (Word("you", TimeInterval(1.0, 2.0)), Word("thank", TimeInterval(0.0, 1.0)))
BROKEN_TRANSCRIBERS = {
    "hears_nothing": ([Transcript("", engine="x")], "test_speech_gives_words"),
    "no_name": ([Transcript("hello")], "test_speech_gives_words"),
    "hears_things": ([Transcript("hello", engine="x")], "test_silence_gives_an_empty_text"),
    "backwards": ([Transcript("you thank", WORDS, engine="x")], "test_words_are_in_order"),
    "hears_no_draft": ([Transcript("", engine="x")], "test_a_draft_has_words"),
    "own_clock": ([Transcript("you", WORDS[:1], engine="x")], "test_words_keep_the_callers_clock"),
    "moody": (
        [Transcript("a", engine="x"), Transcript("b", engine="x"), Transcript("c", engine="x")],
        "test_the_same_clip_gives_the_same_words",
    ),
    "moody_in_threads": (
        [Transcript("a", engine="x"), Transcript("b", engine="x")],
        "test_threads_do_not_disturb_each_other",
    ),
}


@pytest.mark.parametrize("name", BROKEN_TRANSCRIBERS)
def test_a_transcriber_that_breaks_the_contract_is_caught(name: str) -> None:
    answers, test = BROKEN_TRANSCRIBERS[name]
    with pytest.raises(AssertionError):
        run(TranscriberConformance(), test, transcriber=BrokenTranscriber(*answers), speech=make_clip(frequency=99.0))


class StreamingTranscriber(FakeTranscriber):
    """Hears a word in each piece that is not silent; a test may spoil what its stream does."""

    def __init__(self, stream: Callable[[TranscriberStreamSettings], Any] | None = None) -> None:
        super().__init__("word")
        self._stream = stream or WordByWord

    def open_stream(self, settings: TranscriberStreamSettings) -> Any:
        return self._stream(settings)


class WordByWord(TranscriberStream):
    def __init__(self, settings: TranscriberStreamSettings) -> None:
        self.settings = settings
        self.agreement = LocalAgreement()
        self.clips: list[AudioClip] = []

    def push(self, clip: AudioClip) -> None:
        if clip.samples.any():
            self.clips.append(clip)
            self.settings.tell(self.agreement.partial(self.heard()))

    def finish(self) -> Transcript:
        return self.agreement.final(self.heard())

    def heard(self) -> Transcript:
        words = tuple(Word("word", TimeInterval(clip.captured_at, clip.captured_at + 0.1)) for clip in self.clips)
        return Transcript(" ".join(word.text for word in words), words, engine="fake")


class TestStreamingTranscriber(TranscriberConformance):
    @pytest.fixture
    def transcriber(self) -> StreamingTranscriber:
        return StreamingTranscriber()

    @pytest.fixture
    def speech(self) -> AudioClip:
        return make_clip(seconds=2.0, frequency=99.0)


class TellsFinals(WordByWord):
    def push(self, clip: AudioClip) -> None:
        self.settings.tell(self.heard())


class OwnClock(WordByWord):
    def heard(self) -> Transcript:
        return Transcript("word", (Word("word", TimeInterval(0.0, 0.5)),), engine="fake")


class HearsThings(WordByWord):
    def finish(self) -> Transcript:
        return self.agreement.final(Transcript("word", engine="fake"))


class Talkative(WordByWord):
    def close(self) -> None:
        self.settings.tell(self.agreement.partial(self.heard()))


class ClosesTheStreamOnce(WordByWord):
    def close(self) -> None:
        self.closed = not getattr(self, "closed", False)
        if not self.closed:
            raise RuntimeError("closed twice")


class NeverFinal(WordByWord):
    def finish(self) -> Transcript:
        return self.agreement.partial(self.heard())


def one_for_all() -> StreamingTranscriber:
    shared: list[AudioClip] = []

    class Shared(WordByWord):
        def __init__(self, settings: TranscriberStreamSettings) -> None:
            super().__init__(settings)
            self.clips = shared

    return StreamingTranscriber(Shared)


def hanging() -> StreamingTranscriber:
    class Hanging(WordByWord):
        def push(self, clip: AudioClip) -> None:
            threading.Event().wait(LONG)

    return StreamingTranscriber(Hanging)


class Hasty(TranscriberConformance):
    push_seconds = 0.1


BROKEN_STREAMS: dict[str, tuple[Callable[[], Transcriber], str]] = {
    "tells_finals": (lambda: StreamingTranscriber(TellsFinals), "test_a_stream_tells_and_finishes"),
    "never_final": (lambda: StreamingTranscriber(NeverFinal), "test_a_stream_tells_and_finishes"),
    "no_stream": (lambda: StreamingTranscriber(lambda settings: "stream"), "test_a_stream_tells_and_finishes"),
    "hangs": (hanging, "test_a_stream_tells_and_finishes"),
    "talkative": (lambda: StreamingTranscriber(Talkative), "test_a_stream_tells_and_finishes"),
    "own_clock": (lambda: StreamingTranscriber(OwnClock), "test_a_stream_keeps_the_callers_clock"),
    "hears_things": (lambda: StreamingTranscriber(HearsThings), "test_a_stream_hears_nothing_in_silence"),
    "shared": (one_for_all, "test_streams_do_not_disturb_each_other"),
    "closes_once": (lambda: StreamingTranscriber(ClosesTheStreamOnce), "test_a_stream_can_be_closed_at_any_time"),
}


@pytest.mark.parametrize("name", BROKEN_STREAMS)
def test_a_transcribers_stream_that_breaks_the_contract_is_caught(name: str) -> None:
    make, test = BROKEN_STREAMS[name]
    suite = Hasty() if name == "hangs" else TranscriberConformance()
    with pytest.raises((AssertionError, PluginError)):
        run(suite, test, transcriber=make(), speech=make_clip(frequency=99.0))


def test_importing_the_suites_needs_no_pytest() -> None:
    code = "import sys, mien.testing; sys.exit('pytest' in sys.modules)"
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=60).returncode == 0


def test_the_fake_fuser_has_nothing_to_say_about_nothing() -> None:
    assert FakeFuser().fuse([], FusionContext()) == UNKNOWN_SATISFACTION
