"""What goes into a plugin and what comes out of it: its own copies in, plain checked values out.

Everything that a plugin gives back passes here before anything else sees it. The values are built anew from builtin
types, so that no subclass, numpy scalar or shared dict of a plugin's stays in them. A value that breaks the contract
is a ``PluginCallError`` in state INVALID.
"""

from __future__ import annotations

import functools
import math
import numbers
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

import mien.types
from mien.errors import MienError
from mien.interfaces import AnalyzerInfo, Findings
from mien.plugins.guard import CallKind, PluginCallError
from mien.types import (
    AudioClip,
    Box,
    Contribution,
    FaceRegion,
    ImageFrame,
    Prediction,
    Sample,
    SampleKind,
    Satisfaction,
    ScoreInterval,
    StreamState,
    TimeInterval,
    Transcript,
    Utterance,
    Verdict,
    Word,
    kind_of,
)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Scalar = TypeVar("Scalar", bound=np.generic)

SPAN_TOLERANCE_SECONDS: Final = 0.5
"""How far what a plugin says may lie outside of the time that its sample covers."""

MAX_REMARK_CHARACTERS: Final = 400
"""A longer remark is cut."""

SENTIMENTS: Final = frozenset({"positive", "negative", "ambiguous", "neutral"})
"""The labels of ``Prediction.sentiment``."""


# Into a plugin


def own_samples(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Samples to give to a plugin: in a tuple, with arrays that cannot be written to. No pixel is copied."""
    return tuple(own_sample(sample) for sample in samples)


def own_sample(sample: Sample) -> Sample:
    """One sample to give to a plugin; see ``own_samples``."""
    if isinstance(sample, ImageFrame) and sample.pixels.flags.writeable:
        return replace(sample, pixels=_read_only(sample.pixels))
    if isinstance(sample, AudioClip) and sample.samples.flags.writeable:
        return replace(sample, samples=_read_only(sample.samples))
    return sample


def own_predictions(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """Predictions to give to a plugin: it may change the dicts in them, and nobody else sees it."""
    return tuple(replace(prediction) for prediction in predictions)  # which copies the dicts


# Out of a plugin


def checked_predictions(
    results: object, info: AnalyzerInfo, sample: Sample, *, analyzer: str, call: CallKind = CallKind.ANALYZE
) -> tuple[Prediction, ...]:
    """What an analyzer, or its stream, says of one sample.

    Args:
        results: What it gave back.
        info: What it was registered with.
        sample: What it was asked about.
        analyzer: Its registered name, which the predictions are signed with.
        call: What it was called for, for the error.

    Raises:
        PluginCallError: It is no list of predictions; or one of them has another modality, a label that is not among
            the info's, a number that is not finite or outside its range, or an interval outside of the sample's time.
    """
    return _Checker(f"analyzer {analyzer!r}", call).run(_predictions, results, info, span_of(sample), analyzer)


def checked_remark(results: object, *, analyzer: str) -> str:
    """What an analyzer remarks on its answer to one sample: a line that can be printed; empty for nothing.

    Raises:
        PluginCallError: The remark is no text.
    """
    return _Checker(f"analyzer {analyzer!r}", CallKind.ANALYZE).run(_remark, results)


def checked_partial(given: object, info: AnalyzerInfo, *, analyzer: str) -> Prediction:
    """What an analyzer's stream says of an utterance that goes on.

    Raises:
        PluginCallError: As for ``checked_predictions``, or it is not provisional.
    """
    return _Checker(f"analyzer {analyzer!r}", CallKind.TELL).run(_partial, given, info, analyzer)


def checked_transcript(given: object, *, transcriber: str, call: CallKind, is_final: bool | None = None) -> Transcript:
    """What a transcriber heard.

    Args:
        given: What it gave.
        transcriber: Its registered name.
        call: What it was called for, for the error.
        is_final: What the transcript has to say of itself; None takes either.

    Raises:
        PluginCallError: It is no ``Transcript``, a number in it is not finite or outside its range, or ``is_final`` is
            wrong.
    """
    return _Checker(f"transcriber {transcriber!r}", call).run(_heard, given, is_final)


def checked_samples(
    results: object,
    info: AnalyzerInfo,
    *,
    analyzer: str,
    call: CallKind = CallKind.PUSH,
    span: TimeInterval | None = None,
) -> tuple[Sample, ...]:
    """What a stream gives back to be analysed.

    Args:
        results: What it gave back.
        info: What its analyzer was registered with.
        analyzer: Its analyzer's registered name.
        call: What it was called for, for the error.
        span: From the first to the last moment that was pushed, seconds on the caller's clock; None: not known.

    Raises:
        PluginCallError: It is no list of samples of kinds that the analyzer accepts, or one lies outside of the span.
    """
    return _Checker(f"analyzer {analyzer!r}", call).run(_samples, results, info.accepts, span)


def checked_satisfaction(result: object, *, fuser: str, call: CallKind = CallKind.FUSE) -> Satisfaction:
    """What a fuser, or its accumulator, makes of predictions.

    Raises:
        PluginCallError: It is no ``Satisfaction``, or a number in it is not finite or outside its range.
    """
    return _Checker(f"fuser {fuser!r}", call).run(_satisfaction, result)


def span_of(sample: Sample) -> TimeInterval:
    """The time that a sample covers, seconds on the caller's clock; a moment for a picture."""
    seconds = 0.0 if isinstance(sample, ImageFrame) else sample.duration_seconds
    return TimeInterval(sample.captured_at, sample.captured_at + seconds)


def raised_by_types(error: BaseException) -> bool:
    """Whether a value of ``mien.types`` refused what it was made with; its message then holds that value alone."""
    last = list(traceback.walk_tb(error.__traceback__))[-1:]
    return isinstance(error, ValueError) and any(
        frame.f_globals.get("__name__") == mien.types.__name__ for frame, _ in last
    )


class _BrokenError(Exception):
    """What a plugin gave breaks the contract; the text is the reason."""


class _Checker:
    """Turns whatever goes wrong while a plugin's answer is looked at into the one error."""

    def __init__(self, part: str, call: CallKind) -> None:
        self._error = functools.partial(PluginCallError, part, call, state=StreamState.INVALID)

    def run(
        self, check: Callable[Parameters, Result], *arguments: Parameters.args, **options: Parameters.kwargs
    ) -> Result:
        try:
            return check(*arguments, **options)
        except _BrokenError as error:
            raise self._error(str(error)) from None
        except MienError:
            raise
        except BaseException as error:  # an object of a plugin's can raise wherever it is looked at
            if raised_by_types(error):
                raise self._error(f"it made a value that is not allowed: {error}") from None
            raise self._error(f"looking at its answer raised {type(error).__name__}") from None


def _predictions(results: object, info: AnalyzerInfo, span: TimeInterval, analyzer: str) -> tuple[Prediction, ...]:
    predictions = [_prediction(item, info, span, analyzer) for item in _items(results, Prediction, "not a Prediction")]
    if any(prediction.is_provisional for prediction in predictions):
        raise _BrokenError("it answered with a transcript that is not final; those go to StreamSettings.tell")
    return tuple(predictions)


def _remark(results: object) -> str:
    given: object = results.remark if isinstance(results, Findings) else ""
    if not isinstance(given, str):
        raise _BrokenError(f"its remark is a {type(given).__name__}, expected a text")
    printable = "".join(each if each.isprintable() else " " for each in given[:MAX_REMARK_CHARACTERS])
    return " ".join(printable.split())


def _partial(given: object, info: AnalyzerInfo, analyzer: str) -> Prediction:
    if not isinstance(given, Prediction):
        raise _BrokenError(f"it told a {type(given).__name__}, not a Prediction")
    prediction = _prediction(given, info, None, analyzer)
    if not prediction.is_provisional:
        raise _BrokenError("it told a prediction that rests on no partial transcript")
    return prediction


def _heard(given: object, is_final: bool | None) -> Transcript:
    if not isinstance(given, Transcript):
        raise _BrokenError(f"it gave a {type(given).__name__}, not a Transcript")
    transcript = _transcript(given)
    if is_final is not None and transcript.is_final is not is_final:
        raise _BrokenError(f"is_final is {transcript.is_final}, expected {is_final}")
    return transcript


def _prediction(given: Prediction, info: AnalyzerInfo, span: TimeInterval | None, analyzer: str) -> Prediction:
    modality = _text("modality", given.modality)
    if modality != info.modality:
        raise _BrokenError(f"it answered for modality {modality!r}, and it was registered for {str(info.modality)!r}")
    return Prediction(
        modality=modality,
        emotions=_labelled("emotions", given.emotions, info.labels),
        valence=_number("valence", given.valence),
        satisfaction=_number("satisfaction", given.satisfaction),
        confidence=_number("confidence", given.confidence),
        interval=_interval(given.interval) if span is None else _within(_interval(given.interval), span),
        subject_id=_text("subject_id", given.subject_id),
        analyzer=analyzer,
        evidence=_evidence(given.evidence),
        sentiment=_labelled("sentiment", given.sentiment, SENTIMENTS),
    )


def _samples(results: object, accepts: Collection[SampleKind], span: TimeInterval | None) -> tuple[Sample, ...]:
    given: Sequence[Sample] = _items(results, (ImageFrame, AudioClip, Utterance), "not a sample")
    return tuple(_sample(item, accepts, span) for item in given)


def _sample(given: Sample, accepts: Collection[SampleKind], span: TimeInterval | None) -> Sample:
    kind = kind_of(given)
    if kind not in accepts:
        raise _BrokenError(f"it gave a sample of kind {kind.value}, which its analyzer does not accept")
    captured_at = _number("captured_at", given.captured_at)
    sample: Sample
    if isinstance(given, ImageFrame):
        sample = ImageFrame(_array("pixels", given.pixels), captured_at)
    elif isinstance(given, AudioClip):
        rate = int(_number("sample_rate", given.sample_rate))
        sample = AudioClip(_array("samples", given.samples), rate, captured_at)
    else:
        seconds = _number("duration_seconds", given.duration_seconds)
        sample = Utterance(_text("text", given.text), _text("language", given.language), captured_at, seconds)
    if span is not None:
        _within(span_of(sample), span)
    return sample


def _satisfaction(result: object) -> Satisfaction:
    if not isinstance(result, Satisfaction):
        raise _BrokenError(f"it answered a {type(result).__name__}, not a Satisfaction")
    parts = result.contributions
    if not isinstance(parts, Mapping):
        raise _BrokenError(f"contributions is a {type(parts).__name__}, expected a mapping")
    return Satisfaction(
        score=_number("score", result.score),
        interval=ScoreInterval(
            _number("interval.low", result.interval.low), _number("interval.high", result.interval.high)
        ),
        confidence=_number("confidence", result.confidence),
        verdict=Verdict(result.verdict),
        contributions={_text("modality", name): _contribution(part) for name, part in parts.items()},
        agreement=_number("agreement", result.agreement),
        mismatch=bool(result.mismatch),
        coverage=_number("coverage", result.coverage),
    )


def _contribution(given: object) -> Contribution:
    if not isinstance(given, Contribution):
        raise _BrokenError(f"a contribution is a {type(given).__name__}, expected a Contribution")
    return Contribution(
        _number("weight", given.weight),
        _number("score", given.score),
        _number("confidence", given.confidence),
        int(_number("samples", given.samples)),
    )


def _evidence(given: object) -> FaceRegion | Transcript | None:
    if given is None:
        return None
    if isinstance(given, FaceRegion):
        return _face(given)
    if isinstance(given, Transcript):
        return _transcript(given)
    raise _BrokenError(f"evidence is a {type(given).__name__}, expected a FaceRegion or a Transcript")


def _face(given: FaceRegion) -> FaceRegion:
    box = given.box
    return FaceRegion(
        box=Box(*(_number(name, getattr(box, name)) for name in ("x", "y", "width", "height"))),
        quality=_number("quality", given.quality),
        detection_score=_number("detection_score", given.detection_score),
        track_id=_text("track_id", given.track_id),
        landmarks=tuple((_number("landmark", x), _number("landmark", y)) for x, y in given.landmarks),
        issues=tuple(_text("issue", issue) for issue in given.issues),
        brightness=None if given.brightness is None else _number("brightness", given.brightness),
    )


def _transcript(given: Transcript) -> Transcript:
    return Transcript(
        _text("text", given.text),
        words=tuple(_word(word) for word in given.words),
        language=_text("language", given.language),
        engine=_text("engine", given.engine),
        confidence=_number("confidence", given.confidence),
        redacted=bool(given.redacted),
        is_final=bool(given.is_final),
        stability=_number("stability", given.stability),
        revision=int(_number("revision", given.revision)),
    )


def _word(given: Word) -> Word:
    return Word(_text("word", given.text), _interval(given.interval), _number("confidence", given.confidence))


def _interval(given: TimeInterval) -> TimeInterval:
    return TimeInterval(_number("interval.start", given.start), _number("interval.end", given.end))


def _within(interval: TimeInterval, span: TimeInterval) -> TimeInterval:
    """The interval; times of another clock than the caller's are found out here."""
    early = interval.start < span.start - SPAN_TOLERANCE_SECONDS
    if early or interval.end > span.end + SPAN_TOLERANCE_SECONDS:
        raise _BrokenError(
            f"it speaks of [{interval.start:.3f}, {interval.end:.3f}] s, and its sample covers"
            f" [{span.start:.3f}, {span.end:.3f}] s of the caller's clock"
        )
    return interval


def _labelled(name: str, given: object, known: Collection[str]) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise _BrokenError(f"{name} is a {type(given).__name__}, expected a mapping")
    values = {_text(name, label): _number(f"{name}[{label!r}]", value) for label, value in given.items()}
    unknown = sorted(values.keys() - set(known))
    if unknown:
        raise _BrokenError(f"{name} has the label {unknown[0]!r}, which is not among {', '.join(known)}")
    return values


def _items(results: object, expected: type[Result] | tuple[type[Result], ...], otherwise: str) -> Sequence[Result]:
    if not isinstance(results, list | tuple):
        raise _BrokenError(f"it answered a {type(results).__name__} where a list was expected")
    copied = list(results)
    for item in copied:
        if not isinstance(item, expected):
            raise _BrokenError(f"it answered a {type(item).__name__}, {otherwise}")
    return copied


def _number(name: str, value: object) -> float:
    """A float, whatever kind of number it was; its range is checked by the value that it is put into."""
    if not isinstance(value, numbers.Real):
        raise _BrokenError(f"{name} is a {type(value).__name__}, expected a number")
    number = float(value)
    if not math.isfinite(number):
        raise _BrokenError(f"{name} must be finite, got {number}")
    return number


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _BrokenError(f"{name} is a {type(value).__name__}, expected a text")
    return str.__str__(value)  # an exact str, also of a subclass with a ``__str__`` of its own


def _array(name: str, value: object) -> npt.NDArray[Scalar]:
    """An array that nobody can write to: a plain one as it is, else a copy."""
    if not isinstance(value, np.ndarray):
        raise _BrokenError(f"{name} is a {type(value).__name__}, expected an array")
    if type(value) is np.ndarray and not value.flags.writeable:
        return value
    return _read_only(np.array(value, copy=True, subok=False))


def _read_only(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    view = array.view()
    view.setflags(write=False)
    return view
