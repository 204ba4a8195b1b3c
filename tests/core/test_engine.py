"""The engine: what a bad analyzer, fuser or sample costs, and what the answer says about it."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from mien import (
    AnalysisError,
    AnalysisResult,
    Analyzer,
    AnalyzerNotFoundError,
    Fuser,
    FusionContext,
    ImageFrame,
    InputError,
    MienError,
    MismatchPolicy,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    StreamState,
    StreamStatus,
    TimeInterval,
    Transcript,
    Utterance,
    WeightsError,
)
from mien.config import Settings, parse_settings
from mien.engine import AnalysisRequest, Engine
from mien.plugins.guard import CallKind, Deadlines
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_clip, make_image, make_prediction

LONG = 60.0
KINDS = {"face": SampleKind.IMAGE, "voice": SampleKind.AUDIO, "text": SampleKind.TEXT}
IMAGE, CLIP, TEXT = make_image(), make_clip(), Utterance("thank you")

MakeEngine = Callable[..., Engine]
Answer = Callable[[Sample], Any]


@pytest.fixture
def make_engine() -> Iterator[MakeEngine]:
    engines: list[Engine] = []

    def make(
        analyzers: Mapping[str, Analyzer | Answer | None],
        *,
        fuser: Fuser | None = None,
        settings: Settings | None = None,
        opt_in: tuple[str, ...] = (),
        deadlines: Deadlines | None = None,
    ) -> Engine:
        """An engine whose analyzers (face, voice, text) answer as given; None is a healthy one."""
        parts: dict[str, Any] = {}
        for name, given in analyzers.items():
            analyzer = given if isinstance(given, Analyzer) else FakeAnalyzer(name, answer=given)
            info = analyzer_info(name, KINDS[name], opt_in=name in opt_in)
            parts[name] = (info, lambda analyzer=analyzer: analyzer)
        chosen = settings or Settings()
        plugin = FakePlugin(analyzers=parts, fusers={"fitted": lambda: fuser or FakeFuser()})
        engines.append(Engine(PluginHost.from_plugins({"p": plugin}, chosen), chosen, deadlines=deadlines))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def deadline(seconds: float) -> Settings:
    return parse_settings({"engine": {"deadline_seconds": seconds}})


def request(*samples: Sample, **fields: Any) -> AnalysisRequest:
    return AnalysisRequest(samples=samples, **fields)


def states(result: AnalysisResult) -> dict[str, StreamState]:
    return {status.analyzer: status.state for status in result.streams}


def test_predictions_of_all_streams_are_fused_and_signed(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": lambda _: [make_prediction("face", satisfaction=0.9)], "voice": None})
    result = engine.analyze(request(IMAGE, CLIP))
    assert [(prediction.modality, prediction.analyzer) for prediction in result.predictions] == [
        ("face", "face"),
        ("voice", "voice"),
    ]
    assert result.satisfaction.score == pytest.approx(0.7)
    assert states(result) == {"face": StreamState.OK, "voice": StreamState.OK}
    assert not result.missing


def test_nobody_there_is_an_answer(make_engine: MakeEngine) -> None:
    result = make_engine({"face": lambda _: []}).analyze(request(IMAGE))
    assert result.predictions == ()
    assert (result.satisfaction.score, result.satisfaction.coverage) == (0.5, 0.0)
    assert states(result) == {"face": StreamState.OK}


def raises(error: BaseException) -> Answer:
    def answer(sample: Sample) -> Any:
        raise error

    return answer


class Answers(Analyzer):
    """Answers the same, whatever it is given."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        return self._answer  # type: ignore[no-any-return]


class UnspeakableError(InputError):
    """Raises where it is looked at."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class Empties(FakeAnalyzer):
    """Takes its batch apart."""

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        found = []
        while samples:
            found += super().analyze([samples.pop(0)])  # type: ignore[attr-defined]
        return found


HEARD = make_prediction("voice")

BROKEN: dict[str, tuple[Analyzer | Answer, StreamState, str]] = {
    "raises": (raises(RuntimeError("the customer said darn")), StreamState.FAILED, "it raised RuntimeError"),
    "exits": (raises(SystemExit(1)), StreamState.FAILED, "it raised SystemExit"),
    "is_cancelled": (raises(asyncio.CancelledError()), StreamState.FAILED, "it raised CancelledError"),
    "is_interrupted": (raises(KeyboardInterrupt()), StreamState.FAILED, "it raised KeyboardInterrupt"),
    "ends_a_generator": (raises(GeneratorExit()), StreamState.FAILED, "it raised GeneratorExit"),
    "cannot_be_told": (raises(UnspeakableError()), StreamState.FAILED, "it raised UnspeakableError"),
    "panics": (raises(BaseException("darn")), StreamState.FAILED, "it raised BaseException"),
    "raises_mien_error": (raises(WeightsError("of another network")), StreamState.FAILED, "of another network"),
    "not_a_number": (lambda _: [make_prediction("voice", satisfaction=math.nan)], StreamState.INVALID, "nan"),
    "out_of_range": (lambda _: [make_prediction("voice", confidence=1.5)], StreamState.INVALID, "got 1.5"),
    "own_value_error": (raises(ValueError("mine")), StreamState.FAILED, "it raised ValueError"),
    "too_few": (Answers([]), StreamState.INVALID, "a list of 0 to 1 samples"),
    "too_many": (Answers([[], []]), StreamState.INVALID, "a list of 2 to 1 samples"),
    "nothing": (Answers(None), StreamState.INVALID, "a NoneType to 1 samples"),
    "not_lists": (Answers([make_prediction("voice")]), StreamState.INVALID, "a Prediction where a list was expected"),
    "not_predictions": (Answers([["happy"]]), StreamState.INVALID, "a str, not a Prediction"),
    "unknown_label": (lambda _: [replace(HEARD, emotions={"hungry": 1.0})], StreamState.INVALID, "the label 'hungry'"),
    "other_clock": (
        lambda _: [replace(HEARD, interval=TimeInterval(time.time(), time.time()))],
        StreamState.INVALID,
        "its sample covers [0.000, 1.000] s of the caller's clock",
    ),
    "empties_its_batch": (Empties("voice"), StreamState.FAILED, "it raised AttributeError"),
    "writes_into_its_sample": (lambda sample: sample.samples.fill(0.0), StreamState.FAILED, "it raised ValueError"),
    "other_modality": (Answers([[make_prediction("face")]]), StreamState.INVALID, "registered for 'voice'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_analyzer_costs_its_own_stream_and_the_answer_says_why(make_engine: MakeEngine, name: str) -> None:
    broken, state, reason = BROKEN[name]
    result = make_engine({"face": None, "voice": broken}).analyze(request(IMAGE, CLIP))
    assert states(result) == {"face": StreamState.OK, "voice": state}
    (missing,) = result.missing
    assert reason in missing.reason
    assert missing.modality == "voice"
    assert [prediction.modality for prediction in result.predictions] == ["face"]
    assert result.satisfaction.coverage == 0.5, "the missing stream lowers the coverage, and nothing else"


@pytest.mark.parametrize("name", BROKEN)
def test_where_no_stream_is_left_the_error_lists_the_reasons(make_engine: MakeEngine, name: str) -> None:
    broken, _, reason = BROKEN[name]
    with pytest.raises(AnalysisError, match="no stream could be analysed: voice: ") as caught:
        make_engine({"voice": broken}).analyze(request(CLIP))
    assert reason in str(caught.value)


def test_what_a_customer_said_stays_out_of_the_logs(make_engine: MakeEngine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="mien")
    make_engine({"face": None, "voice": BROKEN["raises"][0]}).analyze(request(IMAGE, CLIP))
    assert "it raised RuntimeError" in caplog.text
    assert "darn" not in caplog.text


class Hang:
    """An answer that waits until it is told to go on; after that it is healthy."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __call__(self, sample: Sample) -> list[Prediction]:
        self.release.wait(LONG)
        return [make_prediction("voice")]


@pytest.fixture
def hang() -> Iterator[Hang]:
    made = Hang()
    yield made
    made.release.set()


def test_an_analyzer_that_hangs_costs_its_stream_until_it_returns(make_engine: MakeEngine, hang: Hang) -> None:
    engine = make_engine({"face": None, "voice": hang}, settings=deadline(1.0))
    first = engine.analyze(request(IMAGE, CLIP))
    assert states(first) == {"face": StreamState.OK, "voice": StreamState.TIMED_OUT}
    assert first.missing[0].reason == "it did not answer for 1 s"
    second = engine.analyze(request(IMAGE, CLIP))
    assert states(second) == {"face": StreamState.OK, "voice": StreamState.UNAVAILABLE}
    assert "has not returned from a call that ran out of time" in second.missing[0].reason
    hang.release.set()
    pause = threading.Event()
    for _ in range(2000):
        if not engine.analyze(request(IMAGE, CLIP)).missing:
            return
        pause.wait(0.005)
    raise AssertionError("the analyzer returned, and was not taken back")


async def test_a_hang_is_waited_for_beside_the_event_loop(make_engine: MakeEngine, hang: Hang) -> None:
    engine, settings = make_engine({"face": None, "voice": hang}, settings=deadline(0.2)), asyncio.Event()
    asyncio.get_running_loop().call_soon(settings.set)
    (result,) = await engine.analyze_batch_async([request(IMAGE, CLIP)])
    assert settings.is_set()
    assert isinstance(result, AnalysisResult)
    assert states(result) == {"face": StreamState.OK, "voice": StreamState.TIMED_OUT}
    (status,) = await engine.predict_async("voice", [CLIP])
    assert isinstance(status, StreamStatus)
    assert status.state is StreamState.UNAVAILABLE


async def test_no_plugin_runs_on_the_event_loop(make_engine: MakeEngine) -> None:
    threads: list[str] = []

    class Noting(FakeFuser):
        def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
            threads.append(threading.current_thread().name)
            return super().fuse(predictions, context)

    class Seeing(FakeAnalyzer):
        def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
            threads.append(threading.current_thread().name)
            return super().analyze(samples)

    engine = make_engine({"face": Seeing()}, fuser=Noting())
    (result,) = await engine.analyze_batch_async([request(IMAGE)])
    (predictions,) = await engine.predict_async("face", [IMAGE])
    assert isinstance(result, AnalysisResult)
    assert isinstance(predictions, list)
    assert {name.rpartition("-")[0] for name in threads} == {"mien-analyzer-face", "mien-fuser-fitted"}


class SlowStart(FakeAnalyzer):
    """Compiles until it is told to go on: in ``warm_up``, or else in the first analysis."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.began = threading.Event()

    def warm_up(self) -> None:
        super().warm_up()
        self.began.set()
        self.go_on.wait(LONG)

    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        if not self.warmed_up:
            self.warm_up()
        return super().analyze(samples)


@pytest.mark.parametrize("patient", [True, False])
async def test_compiling_does_not_count_against_the_deadline(make_engine: MakeEngine, patient: bool) -> None:
    slow, seconds, callers = SlowStart(), 0.5, 1 if patient else 2
    settings = deadline(seconds)
    engine = make_engine({"face": slow}, settings=settings, deadlines=Deadlines.patient(settings) if patient else None)
    calls = [asyncio.create_task(engine.analyze_batch_async([request(IMAGE)])) for _ in range(callers)]
    assert await asyncio.to_thread(slow.began.wait, LONG)
    _, waiting = await asyncio.wait(calls, timeout=1.5 * seconds)
    assert len(waiting) == callers, "all wait for the compiling, for longer than an analysis may take"
    slow.go_on.set()
    for (result,) in await asyncio.gather(*calls):
        assert isinstance(result, AnalysisResult)
        assert not result.missing
    assert slow.warmed_up == 1


def test_who_is_patient_waits_for_an_analysis(make_engine: MakeEngine, hang: Hang) -> None:
    engine = make_engine({"voice": hang}, settings=deadline(0.05), deadlines=Deadlines.patient(deadline(0.05)))
    assert Deadlines.patient().seconds_of(CallKind.ANALYZE) is None
    threading.Timer(0.2, hang.release.set).start()
    assert not engine.analyze(request(CLIP)).missing


def test_where_the_only_analyzer_hangs_the_request_fails_with_the_reason(make_engine: MakeEngine, hang: Hang) -> None:
    with pytest.raises(AnalysisError, match=r"voice: it did not answer for 0\.05 s"):
        make_engine({"voice": hang}, settings=deadline(0.05)).analyze(request(CLIP))


def test_a_process_exits_although_an_analyzer_hangs() -> None:
    code = (
        "import threading, mien.testing as t\n"
        "from mien import AnalysisError\n"
        "from mien.config import parse_settings\n"
        "from mien.engine import AnalysisRequest, Engine\n"
        "from mien.plugins.host import PluginHost\n"
        "settings = parse_settings({'engine': {'deadline_seconds': 0.05}})\n"
        "face = (t.analyzer_info(), lambda: t.FakeAnalyzer(answer=lambda sample: threading.Event().wait()))\n"
        "plugin = t.FakePlugin(analyzers={'face': face}, fusers={'fitted': t.FakeFuser})\n"
        "engine = Engine(PluginHost.from_plugins({'p': plugin}, settings), settings)\n"
        "try:\n"
        "    engine.analyze(AnalysisRequest(samples=(t.make_image(),)))\n"
        "except AnalysisError as error:\n"
        "    print(error)\n"
    )
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "it did not answer for 0.05 s" in done.stdout


def refuse_dark(sample: Sample) -> list[Prediction]:
    if sample.captured_at == 13.0:
        raise InputError("the picture is upside down")
    return [make_prediction("face", at=sample.captured_at)]


def test_a_bad_sample_costs_its_own_request_only(make_engine: MakeEngine) -> None:
    face = FakeAnalyzer("face", answer=refuse_dark)
    engine = make_engine({"face": face, "text": None})
    results = engine.analyze_batch(
        [
            request(make_image(captured_at=1.0)),
            request(make_image(captured_at=13.0)),
            request(make_image(captured_at=3.0)),
            request(make_image(captured_at=13.0), TEXT),
        ]
    )
    good, bad, also_good, half = results
    assert isinstance(bad, InputError)
    assert str(bad) == "the picture is upside down"
    for result, at in ((good, 1.0), (also_good, 3.0)):
        assert isinstance(result, AnalysisResult)
        assert [prediction.interval.start for prediction in result.predictions] == [at]
    assert isinstance(half, AnalysisResult)
    assert half.missing[0].reason == "the picture is upside down"
    assert [prediction.modality for prediction in half.predictions] == ["text"]
    assert face.batches == [4, 1, 1, 1, 1], "one batch, then one by one"


def test_samples_of_all_requests_go_in_one_batch_up_to_the_limit(make_engine: MakeEngine) -> None:
    face = FakeAnalyzer("face", answer=refuse_dark)
    engine = make_engine({"face": face}, settings=parse_settings({"limits": {"max_batch": 4}}))
    results = engine.analyze_batch([request(make_image(captured_at=float(index))) for index in range(10)])
    assert face.batches == [4, 4, 2]
    starts = [result.predictions[0].interval.start for result in results if isinstance(result, AnalysisResult)]
    assert starts == [float(index) for index in range(10)]


def test_a_request_with_errors_of_its_own_does_not_disturb_a_batch(make_engine: MakeEngine) -> None:
    results = make_engine({"face": None}).analyze_batch([request(), request(IMAGE), request(IMAGE, analyzers=("x",))])
    assert [type(result) for result in results] == [InputError, AnalysisResult, AnalyzerNotFoundError]


def test_an_empty_batch_is_an_empty_answer(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": None})
    assert engine.analyze_batch([]) == []
    assert engine.predict("face", []) == []


@pytest.mark.parametrize(
    ("fields", "samples", "error", "message"),
    [
        ({}, (), InputError, "holds no picture, sound or text"),
        ({}, (CLIP,), InputError, r"no enabled analyzer takes audio \(enabled: face takes image\); add voice to"),
        ({}, (TEXT,), InputError, "install a plugin that does"),
        ({}, (IMAGE, TEXT), InputError, "no enabled analyzer takes text"),
        ({"analyzers": ("face",)}, (TEXT,), InputError, "'face' takes image, not text"),
        ({"analyzers": ("face",)}, (IMAGE, TEXT), InputError, r"none of the named analyzers \(face\) takes text"),
        ({"analyzers": ("fcae",)}, (IMAGE,), AnalyzerNotFoundError, "no analyzer 'fcae'; registered are: face, voice"),
        ({"analyzers": ("voice",)}, (CLIP,), AnalyzerNotFoundError, "'voice' is installed but not enabled"),
        ({"weights": {"face": -1.0}}, (IMAGE,), InputError, "the weight of 'face' must be finite and not negative"),
        ({"weights": {"face": math.nan}}, (IMAGE,), InputError, "got nan"),
        (
            {"weights": {"fcae": 1.0}},
            (IMAGE,),
            InputError,
            "no modality 'fcae' to give a weight to; known are: face",
        ),
        ({"fuser": "sum"}, (IMAGE,), AnalyzerNotFoundError, "no fuser 'sum'; registered are: fitted"),
    ],
)
def test_a_request_that_cannot_be_served_says_what_can(
    make_engine: MakeEngine,
    fields: dict[str, Any],
    samples: tuple[Sample, ...],
    error: type[MienError],
    message: str,
) -> None:
    engine = make_engine({"face": None, "voice": None}, opt_in=("voice",))
    with pytest.raises(error, match=message):
        engine.analyze(request(*samples, **fields))


def test_named_analyzers_alone_are_asked(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": None, "voice": None, "text": None})
    result = engine.analyze(request(TEXT, CLIP, analyzers=("text", "voice")))
    assert states(result) == {"text": StreamState.OK, "voice": StreamState.OK}


def test_subject_ids_are_unique_in_a_request(make_engine: MakeEngine) -> None:
    ids = ["", "face-1", "", "face-1", "anna"]
    answer = [make_prediction("face", subject_id=subject) for subject in ids]
    result = make_engine({"face": lambda _: answer}).analyze(request(IMAGE, IMAGE))
    found = [prediction.subject_id for prediction in result.predictions]
    assert len(set(found)) == len(found) == 10
    assert all(found)
    assert found[4] == "anna"


class Recorder(FakeFuser):
    def __init__(self) -> None:
        self.contexts: list[FusionContext] = []

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        self.contexts.append(context)
        return super().fuse(predictions, context)


def test_the_fuser_is_told_what_the_settings_and_the_request_say(make_engine: MakeEngine) -> None:
    recorder = Recorder()
    table = {
        "weights": {"face": 2.0, "text": 3.0},
        "half_life_seconds": 7.0,
        "good_threshold": 0.7,
        "poor_threshold": 0.3,
        "min_confidence": 0.1,
        "mismatch_policy": "abstain",
        "mismatch_pairs": [[["face"], ["text"]]],
    }
    engine = make_engine({"face": None, "text": None}, fuser=recorder, settings=parse_settings({"fusion": table}))
    engine.analyze(request(IMAGE, weights={"face": 5.0}))
    engine.fuse([], expected=["voice"], now=4.0, half_life_seconds=1.0, mismatch_policy=MismatchPolicy.TRUST_FACE)
    first, second = recorder.contexts
    assert first == FusionContext(
        expected=frozenset({"face"}),
        weights={"face": 5.0, "text": 3.0},
        half_life_seconds=7.0,
        good_threshold=0.7,
        poor_threshold=0.3,
        min_confidence=0.1,
        mismatch_policy=MismatchPolicy.ABSTAIN,
        mismatch_pairs=((("face",), ("text",)),),
    )
    assert (second.expected, second.now, second.half_life_seconds) == (frozenset({"voice"}), 4.0, 1.0)
    assert second.mismatch_policy is MismatchPolicy.TRUST_FACE


class BrokenFuser(Fuser):
    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        return self._answer()  # type: ignore[no-any-return]


def test_a_fuser_that_raises_or_answers_nonsense_is_named(make_engine: MakeEngine) -> None:
    for answer, reason in BROKEN_FUSERS:
        engine = make_engine({"face": None}, fuser=BrokenFuser(answer))
        for _ in range(2):
            with pytest.raises(AnalysisError, match=f"fuser 'fitted' {reason}"):
                engine.analyze(request(IMAGE))


def scored(score: float) -> Satisfaction:
    """A satisfaction whose constructor was passed by."""
    made = FakeFuser().fuse([make_prediction()], FusionContext())
    object.__setattr__(made, "score", score)
    return made


BROKEN_FUSERS: list[tuple[Callable[[], Any], str]] = [
    (lambda: 1 / 0, "failed: it raised ZeroDivisionError"),
    (lambda: sys.exit(1), "failed: it raised SystemExit"),
    (lambda: raises(GeneratorExit())(IMAGE), "failed: it raised GeneratorExit"),
    (lambda: 0.5, "answered a float, not a Satisfaction"),
    (lambda: None, "answered a NoneType, not a Satisfaction"),
    (lambda: scored(math.nan), "score must be finite, got nan"),
    (lambda: scored(1.5), r"made a value that is not allowed: score must lie in \[0, 1\], got 1\.5"),
]


class Spoils(FakeFuser):
    """Changes what it is given."""

    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        for prediction in predictions:
            prediction.emotions.clear()  # type: ignore[attr-defined]
        context.weights.clear()  # type: ignore[attr-defined]
        return super().fuse(predictions, context)


def test_a_fuser_that_changes_what_it_is_given_changes_nothing_else(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": None}, fuser=Spoils())
    for _ in range(2):
        assert engine.analyze(request(IMAGE)).predictions[0].emotions == make_prediction().emotions


def test_an_analyzer_that_changes_its_samples_changes_nobody_elses(make_engine: MakeEngine) -> None:
    shown = make_image(200)

    def blacken(sample: Sample) -> list[Prediction]:
        assert isinstance(sample, ImageFrame)
        sample.pixels[:] = 0
        return []

    make_engine({"face": blacken}).analyze_batch([request(shown)])
    assert shown.pixels.min() == 200


def test_numbers_of_numpy_become_plain(make_engine: MakeEngine) -> None:
    def answer(sample: Sample) -> list[Prediction]:
        return [replace(make_prediction(), satisfaction=np.float32(0.75), confidence=np.float32(0.5))]  # type: ignore[arg-type]

    result = make_engine({"face": answer}).analyze(request(IMAGE))
    assert type(result.predictions[0].satisfaction) is float
    assert json.loads(json.dumps(asdict(result)))["satisfaction"]["score"] == 0.75


def test_a_fuser_that_hangs_is_given_up_on(make_engine: MakeEngine) -> None:
    release = threading.Event()
    engine = make_engine({"face": None}, fuser=BrokenFuser(lambda: release.wait(LONG)), settings=deadline(0.05))
    with pytest.raises(AnalysisError, match=r"did not answer for 0\.05 s"):
        engine.fuse([], expected=[])
    with pytest.raises(AnalysisError, match="has not returned"):
        engine.fuse([], expected=[])
    release.set()


def test_predict_gives_a_session_each_samples_predictions_or_why_not(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": refuse_dark})
    good, bad = engine.predict("face", [make_image(captured_at=1.0), make_image(captured_at=13.0)])
    assert isinstance(good, list)
    assert good[0].analyzer == "face"
    assert isinstance(bad, StreamStatus)
    assert (bad.state, bad.reason) == (StreamState.FAILED, "the picture is upside down")
    with pytest.raises(InputError, match="'face' takes image, not text"):
        engine.predict("face", [TEXT])
    with pytest.raises(AnalyzerNotFoundError, match="no analyzer 'fcae'"):
        engine.predict("fcae", [IMAGE])


def broken_factory() -> Analyzer:
    raise WeightsError("the weights are damaged")


def test_an_analyzer_that_cannot_be_loaded_is_unavailable(make_engine: MakeEngine) -> None:
    parts: dict[str, Any] = {
        "face": (analyzer_info("face"), broken_factory),
        "text": (analyzer_info("text", SampleKind.TEXT), lambda: FakeAnalyzer("text")),
    }
    plugin = FakePlugin(analyzers=parts, fusers={"fitted": FakeFuser})
    engine = Engine(PluginHost.from_plugins({"p": plugin}), Settings())
    assert "the weights are damaged" in engine.warm_up()["face"]
    result = engine.analyze(request(IMAGE, TEXT))
    assert states(result) == {"face": StreamState.UNAVAILABLE, "text": StreamState.OK}
    assert "the weights are damaged" in result.missing[0].reason
    engine.close()


def test_warming_up_reaches_every_enabled_analyzer(make_engine: MakeEngine) -> None:
    face, voice = FakeAnalyzer("face"), FakeAnalyzer("voice")
    engine = make_engine({"face": face, "voice": voice}, opt_in=("voice",))
    assert engine.warm_up() == {}
    assert (face.warmed_up, voice.warmed_up) == (1, 0)
    assert engine.enabled_for({SampleKind.IMAGE, SampleKind.AUDIO}) == ("face",)


def test_many_callers_at_once_each_get_their_own_answer(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": lambda sample: [make_prediction("face", at=sample.captured_at)]})
    found: dict[int, list[float]] = {}

    def call(caller: int) -> None:
        samples = [make_image(captured_at=float(100 * caller + index)) for index in range(20)]
        results = [engine.analyze(request(sample)) for sample in samples]
        found[caller] = [result.predictions[0].interval.start for result in results]

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert found == {caller: [float(100 * caller + index) for index in range(20)] for caller in range(4)}


def test_a_closed_engine_says_so(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": None})
    engine.close()
    engine.close()
    assert engine.warm_up() == {"face": "the engine is closed"}
    with pytest.raises(AnalysisError, match="the engine is closed"):
        engine.analyze(request(IMAGE))


def provisional(satisfaction: float = 0.0) -> Prediction:
    words = Transcript("terrible", is_final=False, stability=0.5, revision=1)
    return replace(make_prediction("voice", satisfaction=satisfaction), evidence=words)


def test_a_provisional_prediction_is_no_answer(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": None, "voice": lambda _: [provisional()]})
    result = engine.analyze(request(IMAGE, CLIP))
    assert states(result) == {"face": StreamState.OK, "voice": StreamState.INVALID}
    assert "a transcript that is not final" in result.missing[0].reason


def test_a_provisional_prediction_is_fused_into_nothing(make_engine: MakeEngine) -> None:
    engine = make_engine({"face": None})
    said = make_prediction("voice", satisfaction=0.9)
    assert engine.fuse([said, provisional()], expected={"voice"}) == engine.fuse([said], expected={"voice"})
