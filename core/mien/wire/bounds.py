"""What the fields of a request may hold: how many entries, how many characters, which numbers.

Every repeated field, map, text and number of a request stands in ``BOUNDS``; a test walks the contract and fails for
one that does not. What is checked elsewhere, because it depends on a server's settings or on other fields, says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from mien.session.config import MAX_NAME_LENGTH
from mien.session.values import MAX_MARKER_NAME
from mien.wire.reading import MAX_FIELDS
from mien.wire.status import InvalidFieldError

MAX_NAMES: Final = 64
"""Analyzers, weights or modalities that one request or session may name."""

MAX_EXCLUDE_REGIONS: Final = 32
"""Parts of the picture that a session may leave out; each is painted over in every picture."""

MAX_TIME_SECONDS: Final = 1e11
"""A moment lies no further than this from 0 on the caller's clock. It takes seconds since 1970, or since any other day;
milliseconds and nanoseconds since then are mistakes, and would leave no room for fractions of a second."""

MAX_DURATION_SECONDS: Final = 86_400.0
"""No utterance, interval or memory of a session is longer than a day."""

MAX_WEIGHT: Final = 1e6
"""Of a modality, as in the configuration."""

MAX_LANGUAGE_CHARACTERS: Final = 35
"""The length that BCP 47 asks every reader of a tag to have room for."""


@dataclass(frozen=True, slots=True)
class Count:
    """Entries of a repeated field or map, at most."""

    most: int


@dataclass(frozen=True, slots=True)
class Length:
    """Characters of a text, at most; of a repeated text, of each. ``called`` says what it should be."""

    most: int
    entries: int = 1
    called: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """A finite number from ``least`` to ``most``."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Checked by whoever uses the field; ``where`` says who that is."""

    where: str


Bound: TypeAlias = Count | Length | Range | Elsewhere

_NAME: Final = Length(MAX_NAME_LENGTH)
_NAMES: Final = Length(MAX_NAME_LENGTH, entries=MAX_NAMES)
_TIME: Final = Range(-MAX_TIME_SECONDS, MAX_TIME_SECONDS)
_SECONDS: Final = Range(0.0, MAX_DURATION_SECONDS)
_SOME_SECONDS: Final = Range(1e-3, MAX_DURATION_SECONDS)
_WEIGHT: Final = Range(0.0, MAX_WEIGHT)
_FRACTION: Final = Range(0.0, 1.0)
_DECODER: Final = Elsewhere("mien.service.decoding, by the server's limits")
_MARKER: Final = Elsewhere("mien.session.Marker")

BOUNDS: Final[Mapping[str, Bound]] = MappingProxyType(
    {
        "mien.v1.Image.encoded": _DECODER,
        "mien.v1.Image.captured_at_seconds": _TIME,
        "mien.v1.RawImage.data": _DECODER,
        "mien.v1.RawImage.width": _DECODER,
        "mien.v1.RawImage.height": _DECODER,
        "mien.v1.Audio.encoded": _DECODER,
        "mien.v1.Audio.captured_at_seconds": _TIME,
        "mien.v1.RawAudio.data": _DECODER,
        "mien.v1.RawAudio.sample_rate_hz": _DECODER,
        "mien.v1.RawAudio.channels": _DECODER,
        "mien.v1.Text.content": _DECODER,
        "mien.v1.Text.language": Length(MAX_LANGUAGE_CHARACTERS, called="a BCP 47 tag such as en-GB"),
        "mien.v1.Text.captured_at_seconds": _TIME,
        "mien.v1.Text.duration_seconds": _SECONDS,
        "mien.v1.AnalyzeRequest.analyzers": _NAMES,
        "mien.v1.AnalyzeRequest.fuser": _NAME,
        "mien.v1.AnalyzeRequest.weights": Count(MAX_NAMES),
        "mien.v1.AnalyzeRequest.WeightsEntry.key": _NAME,
        "mien.v1.AnalyzeRequest.WeightsEntry.value": _WEIGHT,
        "mien.v1.AnalyzeStreamRequest.request_id": Elsewhere("mien.service.item_stream, which answers by it"),
        "mien.v1.SessionConfig.session_id": _NAME,
        "mien.v1.SessionConfig.analyzers": _NAMES,
        "mien.v1.SessionConfig.fuser": _NAME,
        "mien.v1.SessionConfig.weights": Count(MAX_NAMES),
        "mien.v1.SessionConfig.WeightsEntry.key": _NAME,
        "mien.v1.SessionConfig.WeightsEntry.value": _WEIGHT,
        "mien.v1.SessionConfig.snapshot_interval_seconds": _SECONDS,
        "mien.v1.SessionConfig.max_snapshots": Range(1, 2**32 - 1),
        "mien.v1.SessionConfig.half_life_seconds": _SOME_SECONDS,
        "mien.v1.SessionConfig.idle_timeout_seconds": _SOME_SECONDS,
        "mien.v1.SessionConfig.exclude_regions": Count(MAX_EXCLUDE_REGIONS),
        "mien.v1.SessionConfig.expected_modalities": _NAMES,
        "mien.v1.SessionConfig.site": _NAME,
        "mien.v1.SessionConfig.resume_token": Elsewhere("mien.service.kept, which knows no longer ones"),
        "mien.v1.Region.x": _FRACTION,
        "mien.v1.Region.y": _FRACTION,
        "mien.v1.Region.width": _FRACTION,
        "mien.v1.Region.height": _FRACTION,
        "mien.v1.Marker.name": Length(MAX_MARKER_NAME),
        "mien.v1.Marker.at_seconds": _TIME,
        "mien.v1.Marker.rating": _MARKER,
    }
)
"""Field of a request, by its full name -> what it may hold."""

FIXED_LIMITS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "max_names": MAX_NAMES,
        "max_name_characters": MAX_NAME_LENGTH,
        "max_exclude_regions": MAX_EXCLUDE_REGIONS,
        "max_time_seconds": MAX_TIME_SECONDS,
        "max_duration_seconds": MAX_DURATION_SECONDS,
        "max_weight": MAX_WEIGHT,
        "max_message_fields": MAX_FIELDS,
    }
)
"""Field of ``mien.v1.Limits`` -> what is the same on every server."""


def check_bounds(message: Message, path: str = "") -> None:
    """Check every field of a request, and of what is in it.

    The work is bounded, too: nothing is looked into before it was counted.

    Args:
        message: A request, or a part of one.
        path: Where it lies in the request; empty for the request itself.

    Raises:
        InvalidFieldError: A field holds too much, or a number out of range; names the field by its path.
    """
    for field, value in message.ListFields():
        where = f"{path}.{field.name}" if path else field.name
        bound = BOUNDS.get(field.full_name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _check_map(field, value, where, bound)
        elif field.is_repeated:
            _check_count(len(value), bound, where)
            for index, each in enumerate(value):
                _check_value(field, each, f"{where}[{index}]", bound)
        else:
            _check_value(field, value, where, bound)


def _check_map(field: FieldDescriptor, value: Mapping[str, Any], where: str, bound: Bound | None) -> None:
    _check_count(len(value), bound, where)
    parts: Any = field.message_type.fields_by_name  # type: ignore[union-attr]  # a map's entry is a message
    for key in value:
        inside = f"{where}[{key[:MAX_NAME_LENGTH]!r}]"
        _check_value(parts["key"], key, inside, BOUNDS.get(parts["key"].full_name))
        _check_value(parts["value"], value[key], inside, BOUNDS.get(parts["value"].full_name))


def _check_count(count: int, bound: Bound | None, where: str) -> None:
    most = bound.most if isinstance(bound, Count) else bound.entries if isinstance(bound, Length) else MAX_NAMES
    if count > most:
        raise InvalidFieldError(where, f"at most {most} entries, got {count}")


def _check_value(field: FieldDescriptor, value: Any, where: str, bound: Bound | None) -> None:
    if field.message_type is not None:
        check_bounds(value, where)
    elif isinstance(bound, Length):
        if len(value) > bound.most:
            called = f"expected {bound.called}, " if bound.called else ""
            raise InvalidFieldError(where, f"{called}at most {bound.most} characters, got {len(value)}")
    elif isinstance(bound, Range) and not (math.isfinite(value) and bound.least <= value <= bound.most):
        raise InvalidFieldError(
            where, f"expected a finite number from {bound.least:g} to {bound.most:g}, got {value:g}"
        )
