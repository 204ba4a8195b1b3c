"""The engine: requests, batches, and what is fused of what came."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from core.engines import CLIP, IMAGE, LONG, TEXT, MakeEngine, request, states

from mien import (
    AnalysisError,
    AnalysisResult,
    AnalyzerNotFoundError,
    Findings,
    FusionContext,
    InputError,
    MienError,
    MismatchPolicy,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    StreamState,
    StreamStatus,
    Transcript,
)
from mien.config import parse_settings
from mien.testing import FakeAnalyzer, FakeFuser, make_image, make_prediction


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


@pytest.mark.parametrize(
    ("remark", "told"),
    [
        ("2 faces left out", "2 faces left out"),
        ("a line\nand\x1b[31m another", "a line and [31m another"),
        ("x" * 900, "x" * 400),
    ],
)
def test_a_remark_of_an_analyzer_stands_with_its_answer(make_engine: MakeEngine, remark: str, told: str) -> None:
    result = make_engine({"face": lambda _: Findings([make_prediction("face")], remark=remark)}).analyze(request(IMAGE))
    assert [(status.state, status.remark) for status in result.streams] == [(StreamState.OK, told)]
    assert len(result.predictions) == 1
    assert not result.missing


def test_a_remark_that_is_no_text_is_a_broken_contract(make_engine: MakeEngine) -> None:
    broken: Any = Findings(remark=b"bytes")  # type: ignore[arg-type]
    result = make_engine({"face": lambda _: broken, "voice": None}).analyze(request(IMAGE, CLIP))
    assert states(result)["face"] is StreamState.INVALID
    assert "its remark is a bytes" in result.missing[0].reason


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


def test_numbers_of_numpy_become_plain(make_engine: MakeEngine) -> None:
    def answer(sample: Sample) -> list[Prediction]:
        return [replace(make_prediction(), satisfaction=np.float32(0.75), confidence=np.float32(0.5))]  # type: ignore[arg-type]

    result = make_engine({"face": answer}).analyze(request(IMAGE))
    assert type(result.predictions[0].satisfaction) is float
    assert json.loads(json.dumps(asdict(result)))["satisfaction"]["score"] == 0.75


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
