"""A ledger as a few strings and numbers, and back: about 130 bytes for what was said of one picture.

Numbers are kept as they are, to the last bit, since a replay is to give the same summary; they go with bytes of equal
weight together, which packs well. Landmarks are left out: nothing that judges evidence uses them.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from mien.session.config import SessionConfig
from mien.session.values import Ledger, Marker, Observation, SessionEnd
from mien.types import Box, FaceRegion, Prediction, SampleKind, TimeInterval, Transcript

FORMAT: Final = 1
"""Goes up when a reader of the old form would misread the new one."""

_KINDS: Final = tuple(SampleKind)
_MARKER: Final = len(_KINDS)
_FACE_NUMBERS: Final = 7
_MEGABYTES: Final = 64 << 20
"""No ledger that mien writes unpacks to more."""

_CONFIG: Final = TypeAdapter(SessionConfig)
_TRANSCRIPT: Final = TypeAdapter(Transcript)

Floats = npt.NDArray[np.float64]
Value = TypeVar("Value")


def pack(ledger: Ledger) -> dict[str, Any]:
    """The ledger as JSON values."""
    packer = _Packer()
    for item in ledger.items:
        packer.add(item)
    return {
        "format": FORMAT,
        "config": _CONFIG.dump_python(ledger.config, mode="json"),
        "end": ledger.end.value,
        "frames_dropped": ledger.frames_dropped,
        **packer.packed(),
    }


def unpack(packed: Mapping[str, Any]) -> Ledger:
    """The ledger that was packed.

    Raises:
        ValueError: It is damaged, or of another format.
    """
    if packed.get("format") != FORMAT:
        raise ValueError(f"a ledger of format {packed.get('format')!r}; this mien knows format {FORMAT}")
    try:
        return Ledger(
            config=_CONFIG.validate_python(packed["config"]),
            items=tuple(_items(packed)),
            end=SessionEnd(packed["end"]),
            frames_dropped=int(packed["frames_dropped"]),
        )
    except (KeyError, IndexError, TypeError, StopIteration, zlib.error) as error:
        raise ValueError(f"the ledger is damaged ({type(error).__name__})") from error


class _Packer:
    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._labels: dict[tuple[str, ...], int] = {}
        self._sizes: dict[tuple[int, int] | None, int] = {}
        self._counts: list[int] = []
        self._numbers: list[float] = []
        self._markers: list[tuple[str, int]] = []
        self._transcripts: list[Any] = []

    def add(self, item: Observation | Marker) -> None:
        if isinstance(item, Marker):
            self._counts.append(_MARKER)
            self._numbers.append(item.at)
            self._markers.append((item.name, item.rating))
            return
        size = self._sizes.setdefault(item.frame_size, len(self._sizes))
        self._counts += [_KINDS.index(item.kind), size, len(item.predictions)]
        self._numbers.append(item.at)
        for prediction in item.predictions:
            self._add_prediction(prediction)

    def _add_prediction(self, prediction: Prediction) -> None:
        evidence = prediction.evidence
        self._counts += [
            *(self._name(each) for each in (prediction.modality, prediction.analyzer, prediction.subject_id)),
            self._label_set(prediction.emotions),
            self._label_set(prediction.sentiment),
            1 if isinstance(evidence, FaceRegion) else 2 if isinstance(evidence, Transcript) else 0,
        ]
        self._numbers += [prediction.interval.start, prediction.interval.end]
        self._numbers += [prediction.satisfaction, prediction.confidence, prediction.valence]
        self._numbers += [*prediction.emotions.values(), *prediction.sentiment.values()]
        if isinstance(evidence, FaceRegion):
            box = evidence.box
            light = math.nan if evidence.brightness is None else evidence.brightness
            self._numbers += [box.x, box.y, box.width, box.height, evidence.quality, evidence.detection_score, light]
            self._counts += [self._name(evidence.track_id), self._label_set(dict.fromkeys(evidence.issues))]
        elif isinstance(evidence, Transcript):
            self._transcripts.append(_TRANSCRIPT.dump_python(evidence, mode="json"))

    def packed(self) -> dict[str, Any]:
        return {
            "names": list(self._names),
            "labels": [list(labels) for labels in self._labels],
            "sizes": [None if size is None else list(size) for size in self._sizes],
            "markers": self._markers,
            "transcripts": self._transcripts,
            "counts": _packed(np.asarray(self._counts, np.uint32)),
            "numbers": _packed(np.asarray(self._numbers, np.float64)),
        }

    def _name(self, name: str) -> int:
        return self._names.setdefault(str(name), len(self._names))

    def _label_set(self, values: Mapping[str, object]) -> int:
        return self._labels.setdefault(tuple(values), len(self._labels))


def _items(packed: Mapping[str, Any]) -> Iterator[Observation | Marker]:
    counts = iter(_unpacked(packed["counts"], np.uint32).tolist())
    numbers = iter(_unpacked(packed["numbers"], np.float64).tolist())
    markers, transcripts = iter(packed["markers"]), iter(packed["transcripts"])
    for kind in counts:
        at = next(numbers)
        if kind == _MARKER:
            name, rating = next(markers)
            yield Marker(name=name, at=at, rating=rating)
            continue
        size, number = packed["sizes"][next(counts)], next(counts)
        predictions = tuple(_prediction(packed, counts, numbers, transcripts) for _ in range(number))
        frame_size = None if size is None else (int(size[0]), int(size[1]))
        yield Observation(kind=_KINDS[kind], at=at, predictions=predictions, frame_size=frame_size)


def _prediction(
    packed: Mapping[str, Any], counts: Iterator[int], numbers: Iterator[float], transcripts: Iterator[Any]
) -> Prediction:
    names, labels = packed["names"], packed["labels"]
    modality, analyzer, subject_id = (names[next(counts)] for _ in range(3))
    emotion_labels, sentiment_labels = labels[next(counts)], labels[next(counts)]
    kind = next(counts)
    start, end, satisfaction, confidence, valence = _take(numbers, 5)
    emotions = dict(zip(emotion_labels, _take(numbers, len(emotion_labels)), strict=True))
    sentiment = dict(zip(sentiment_labels, _take(numbers, len(sentiment_labels)), strict=True))
    evidence: FaceRegion | Transcript | None = None
    if kind == 1:
        x, y, width, height, quality, detection_score, light = _take(numbers, _FACE_NUMBERS)
        evidence = FaceRegion(
            box=Box(x, y, width, height),
            quality=quality,
            detection_score=detection_score,
            track_id=names[next(counts)],
            issues=tuple(labels[next(counts)]),
            brightness=None if math.isnan(light) else light,
        )
    elif kind == 2:
        evidence = _TRANSCRIPT.validate_python(next(transcripts))
    return Prediction(
        modality=modality,
        emotions=emotions,
        valence=valence,
        satisfaction=satisfaction,
        confidence=confidence,
        interval=TimeInterval(start, end),
        subject_id=subject_id,
        analyzer=analyzer,
        evidence=evidence,
        sentiment=sentiment,
    )


def _take(values: Iterator[Value], number: int) -> Sequence[Value]:
    return [next(values) for _ in range(number)]


def _packed(values: npt.NDArray[Any]) -> str:
    """Bytes of equal weight together, packed, as text that JSON takes as it is."""
    width = values.dtype.itemsize
    shuffled = values.view(np.uint8).reshape(-1, width).T.tobytes()
    return base64.b85encode(zlib.compress(shuffled, 9)).decode("ascii")


def _unpacked(text: str, kind: type[np.generic]) -> npt.NDArray[Any]:
    width = np.dtype(kind).itemsize
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(base64.b85decode(text), _MEGABYTES)
    if unpacking.unconsumed_tail or len(data) % width:
        raise ValueError("the ledger is damaged: it has no whole numbers")
    return np.frombuffer(data, np.uint8).reshape(width, -1).T.copy().reshape(-1).view(kind)
