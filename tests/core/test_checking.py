"""What goes into a plugin is its own copy; what comes out is plain, checked and nobody else's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from mien import (
    AudioClip,
    FaceRegion,
    ImageFrame,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    StreamState,
    TimeInterval,
    Transcript,
    Utterance,
    Verdict,
)
from mien.plugins.checking import (
    checked_predictions,
    checked_samples,
    checked_satisfaction,
    own_predictions,
    own_samples,
)
from mien.plugins.guard import CallKind, PluginCallError
from mien.testing import analyzer_info, make_clip, make_image, make_prediction
from mien.types import Box, Contribution, ScoreInterval, Word

INFO = analyzer_info("face", SampleKind.IMAGE, SampleKind.AUDIO)
IMAGE = make_image(captured_at=100.0)


class Lying(str):
    """A text that shows as another."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no")


class Precise(float):
    """A number of a type of its own."""

    __slots__ = ()


def said(**changes: Any) -> Prediction:
    return replace(make_prediction("face", at=100.0), **changes)


def forced(prediction: Any, **changes: Any) -> Any:
    """A value whose constructor was passed by."""
    for name, value in changes.items():
        object.__setattr__(prediction, name, value)
    return prediction


def check(*predictions: Any, sample: Sample = IMAGE) -> tuple[Prediction, ...]:
    return checked_predictions(list(predictions), INFO, sample, analyzer="smileys")


def test_samples_are_given_in_a_tuple_and_cannot_be_written_to() -> None:
    image, clip, words = make_image(), make_clip(), Utterance("yes")
    own = own_samples([image, clip, words])
    assert isinstance(own, tuple)
    seen, heard, _ = own
    assert isinstance(seen, ImageFrame)
    assert isinstance(heard, AudioClip)
    with pytest.raises(ValueError, match="read-only"):
        seen.pixels[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        heard.samples *= 2.0
    assert image.pixels.flags.writeable, "the caller's own array is left as it is"
    assert np.shares_memory(seen.pixels, image.pixels), "no pixel is copied"
    assert own_samples(own) == own, "what cannot be written to is passed on"


def test_predictions_are_given_as_copies() -> None:
    prediction = said()
    (own,) = own_predictions([prediction])
    assert own == prediction
    own.emotions.clear()  # type: ignore[attr-defined]
    assert prediction.emotions


def numpy_prediction() -> Any:
    one = np.float32(1.0)
    made = Prediction(
        modality=Lying("face"),
        emotions={"happy": 1.0},
        valence=one,  # type: ignore[arg-type]
        satisfaction=Precise(0.75),
        confidence=np.float16(0.5),  # type: ignore[arg-type]
        interval=TimeInterval(np.float64(100.0), np.int64(100)),  # type: ignore[arg-type]
        subject_id=Lying("anna"),
        evidence=FaceRegion(
            Box(np.float32(1.0), 2, 3, 4),  # type: ignore[arg-type]
            quality=one,  # type: ignore[arg-type]
            landmarks=[np.array([1.0, 2.0], np.float32)],  # type: ignore[arg-type]
            issues=[Lying("small")],  # type: ignore[arg-type]
            brightness=np.float32(0.5),  # type: ignore[arg-type]
        ),
    )
    emotions = {Lying("happy"): one, "neutral": np.float64(0.0), "sad": 0}
    return forced(made, emotions=emotions, sentiment={Lying("positive"): one})


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in (key, *leaves(each))]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list | tuple) else [value]


def test_numbers_and_texts_of_other_types_become_plain_ones() -> None:
    (found,) = check(numpy_prediction())
    assert {type(leaf) for leaf in leaves(asdict(found))} <= {str, float, type(None)}
    assert json.loads(json.dumps(asdict(found)))["evidence"]["landmarks"] == [[1.0, 2.0]]
    assert isinstance(found.evidence, FaceRegion)
    assert found.evidence.brightness == 0.5
    assert (found.analyzer, found.subject_id, found.satisfaction) == ("smileys", "anna", 0.75)
    assert isinstance(found.evidence, FaceRegion)
    assert found.evidence.issues == ("small",)


def test_words_become_plain_too() -> None:
    word = Word(Lying("yes"), TimeInterval(100.0, 100.0), np.float32(0.5))  # type: ignore[arg-type]
    numbers = {"stability": np.float32(1.0), "revision": np.int64(3)}
    (found,) = check(said(evidence=Transcript(Lying("yes"), words=[word], engine=Lying("ear"), **numbers)))  # type: ignore[arg-type]
    assert isinstance(found.evidence, Transcript)
    assert {type(leaf) for leaf in leaves(asdict(found.evidence))} == {str, float, bool, int}


def test_a_plugin_that_keeps_what_it_gave_cannot_change_it_later() -> None:
    given = said()
    (found,) = check(given)
    given.emotions.clear()  # type: ignore[attr-defined]
    assert found.emotions == make_prediction("face").emotions


BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "not_a_list": (lambda: "happy", "it answered a str where a list was expected"),
    "not_predictions": (lambda: ["happy"], "it answered a str, not a Prediction"),
    "other_modality": (lambda: [said(modality="voice")], "for modality 'voice', and it was registered for 'face'"),
    "unknown_label": (lambda: [said(emotions={"hungry": 1.0})], "the label 'hungry', which is not among happy,"),
    "unknown_sentiment": (lambda: [said(sentiment={"meh": 1.0})], "sentiment has the label 'meh'"),
    "not_a_number": (lambda: [forced(said(), valence=math.nan)], "valence must be finite, got nan"),
    "no_number": (lambda: [forced(said(), confidence="0.5")], "confidence is a str, expected a number"),
    "out_of_range": (lambda: [forced(said(), confidence=7.0)], r"confidence must lie in \[0, 1\], got 7"),
    "no_distribution": (lambda: [forced(said(), emotions={"happy": 0.5})], "emotions must sum to 1"),
    "endless_landmark": (
        lambda: [said(evidence=FaceRegion(Box(0, 0, 1, 1), 1.0, landmarks=((math.inf, 0.0),)))],
        "landmark must be finite",
    ),
    "other_evidence": (lambda: [said(evidence="a face")], "evidence is a str, expected a FaceRegion or"),
    "other_clock": (
        lambda: [said(interval=TimeInterval(1_700_000_000.0, 1_700_000_000.0))],
        r"speaks of \[1700000000\.000, 1700000000\.000\] s, and its sample covers \[100\.000, 100\.000\] s of the",
    ),
    "earlier": (lambda: [said(interval=TimeInterval(0.0, 100.0))], "speaks of"),
    "no_interval": (lambda: [forced(said(), interval=None)], "looking at its answer raised AttributeError"),
}


class Raising:
    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_breaks_the_contract_is_invalid_and_says_why(name: str) -> None:
    make, reason = BROKEN[name]
    with pytest.raises(PluginCallError, match=reason) as caught:
        checked_predictions(make(), INFO, IMAGE, analyzer="smileys", call=CallKind.OBSERVE)
    assert (caught.value.state, caught.value.call) == (StreamState.INVALID, CallKind.OBSERVE)
    assert str(caught.value).startswith("analyzer 'smileys' failed in observe: ")


def test_an_answer_that_cannot_be_looked_at_is_invalid() -> None:
    with pytest.raises(PluginCallError, match="looking at its answer raised SystemExit"):
        check(forced(said(), evidence=Raising()))


def test_an_interval_lies_within_the_time_that_its_sample_covers() -> None:
    clip = make_clip(seconds=2.0, captured_at=100.0)
    for start, end in ((100.0, 102.0), (101.0, 101.5), (99.75, 102.25)):
        check(said(interval=TimeInterval(start, end)), sample=clip)
    for start, end in ((99.0, 101.0), (101.0, 103.0)):
        with pytest.raises(PluginCallError, match="speaks of"):
            check(said(interval=TimeInterval(start, end)), sample=clip)


def test_a_stream_gives_back_samples_that_its_analyzer_accepts_and_that_were_there() -> None:
    span = TimeInterval(100.0, 110.0)
    pixels = np.zeros((2, 2, 3), np.uint8)
    given = [ImageFrame(pixels, np.float64(100.0)), make_clip(captured_at=105.0)]  # type: ignore[arg-type]
    image, clip = checked_samples(given, INFO, analyzer="smileys", span=span)
    pixels[:] = 255
    assert isinstance(image, ImageFrame)
    assert not image.pixels.any(), "what the stream kept is no longer what it gave"
    assert type(image.captured_at) is float
    assert isinstance(clip, AudioClip)
    assert not clip.samples.flags.writeable
    assert checked_samples([], INFO, analyzer="smileys") == ()
    for broken, reason in (
        (None, "a NoneType where a list"),
        ([1], "a int, not a sample"),
        ([Utterance("yes")], "of kind text, which its analyzer does not accept"),
        ([make_image(captured_at=1_700_000_000.0)], "speaks of"),
        ([forced(make_image(), pixels=[1])], "pixels is a list, expected an array"),
        ([forced(make_image(), pixels=np.zeros(3))], "pixels must be uint8"),
    ):
        with pytest.raises(PluginCallError, match=reason):
            checked_samples(broken, INFO, analyzer="smileys", call=CallKind.FLUSH, span=span)


def satisfaction(**changes: Any) -> Satisfaction:
    made = Satisfaction(
        score=0.75,
        interval=ScoreInterval(0.5, 1.0),
        confidence=0.5,
        verdict=Verdict.GOOD,
        contributions={"face": Contribution(1.0, 0.75)},
    )
    return forced(made, **changes)  # type: ignore[no-any-return]


def test_a_satisfaction_becomes_plain() -> None:
    parts = {Lying("face"): Contribution(np.float32(1.0), 0.75, samples=np.int64(2))}  # type: ignore[arg-type]
    given = satisfaction(score=np.float32(0.75), mismatch=np.bool_(False), verdict="good", contributions=parts)
    found = checked_satisfaction(given, fuser="mean")
    assert {type(leaf) for leaf in leaves(asdict(found))} == {str, float, bool, int, Verdict}
    assert found.score == 0.75
    assert found.contributions["face"].samples == 2
    assert checked_satisfaction(satisfaction(), fuser="mean") == satisfaction()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (None, "it answered a NoneType, not a Satisfaction"),
        (0.5, "it answered a float, not a Satisfaction"),
        (satisfaction(score=math.nan), "score must be finite, got nan"),
        (satisfaction(score=1.5), r"score must lie in \[0, 1\], got 1\.5"),
        (satisfaction(interval=None), "looking at its answer raised AttributeError"),
        (satisfaction(contributions=[1]), "contributions is a list"),
        (satisfaction(contributions={"face": 1.0}), "a contribution is a float"),
        (satisfaction(verdict="great"), "looking at its answer raised ValueError"),
    ],
)
def test_a_satisfaction_that_is_none_is_invalid(made: Any, reason: str) -> None:
    with pytest.raises(PluginCallError, match=reason) as caught:
        checked_satisfaction(made, fuser="mean", call=CallKind.ACCUMULATE)
    assert str(caught.value).startswith("fuser 'mean' failed in accumulate: ")
    assert caught.value.state is StreamState.INVALID
