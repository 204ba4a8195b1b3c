"""The engine: what a bad analyzer or fuser costs, and what the answer says about it."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from core.engines import CLIP, IMAGE, LONG, TEXT, Answer, Hang, MakeEngine, deadline, raises, request, states

from mien import (
    AnalysisError,
    AnalysisResult,
    Analyzer,
    Fuser,
    FusionContext,
    ImageFrame,
    InputError,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    StreamState,
    StreamStatus,
    TimeInterval,
    WeightsError,
)
from mien.config import Settings
from mien.engine import Engine
from mien.plugins.guard import CallKind, Deadlines
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info, make_image, make_prediction


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


def test_an_analyzer_that_hangs_costs_its_stream_until_it_returns(make_engine: MakeEngine, hang: Hang) -> None:
    # What is heard lasts a second, which is added to what an analysis may take.
    engine = make_engine({"face": None, "voice": hang}, settings=deadline(1.0))
    first = engine.analyze(request(IMAGE, CLIP))
    assert states(first) == {"face": StreamState.OK, "voice": StreamState.TIMED_OUT}
    assert first.missing[0].reason == "it did not answer for 2 s"
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
    with pytest.raises(AnalysisError, match=r"voice: it did not answer for 1\.05 s"):
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


def test_a_fuser_that_hangs_is_given_up_on(make_engine: MakeEngine) -> None:
    release = threading.Event()
    engine = make_engine({"face": None}, fuser=BrokenFuser(lambda: release.wait(LONG)), settings=deadline(0.05))
    with pytest.raises(AnalysisError, match=r"did not answer for 0\.05 s"):
        engine.fuse([], expected=[])
    with pytest.raises(AnalysisError, match="has not returned"):
        engine.fuse([], expected=[])
    release.set()


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
