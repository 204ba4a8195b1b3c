"""Every field of a request has a bound, which is told, and holds before anything is done with what the field holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st
from service.support import TIMEOUT, details_of, raw_image, running, stub_of

from mien.client import AsyncClient
from mien.v1 import sentiment_pb2 as pb
from mien.wire.bounds import BOUNDS, FIXED_LIMITS, MAX_TIME_SECONDS, Count, Length, Range, check_bounds
from mien.wire.reading import MAX_FIELDS, Unreadable, tolerant
from mien.wire.status import InvalidFieldError

SERVICE = pb.DESCRIPTOR.services_by_name["SentimentService"]
UNBOUNDED_KINDS = {FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_ENUM}
HARMLESS = {"mien.v1.StreamSessionRequest.sequence"}
"""A number that is only handed back."""


def messages_within(kind: Descriptor) -> Iterator[Descriptor]:
    """A kind of message, and those of its fields."""
    yield kind
    for field in kind.fields:
        if field.message_type is not None:
            yield from messages_within(field.message_type)


REQUESTS = {inside.full_name: inside for call in SERVICE.methods for inside in messages_within(call.input_type)}
FIELDS = {field.full_name: field for kind in REQUESTS.values() for field in kind.fields}


def test_every_field_of_a_request_has_a_bound() -> None:
    needed = {
        name
        for name, field in FIELDS.items()
        if field.is_repeated or (field.message_type is None and field.type not in UNBOUNDED_KINDS)
    }
    assert needed - HARMLESS == BOUNDS.keys()


def test_a_repeated_field_is_counted_and_a_number_has_a_range() -> None:
    for name, bound in BOUNDS.items():
        field = FIELDS[name]
        if field.is_repeated:
            assert isinstance(bound, Count | Length), name
        if field.type == FieldDescriptor.TYPE_DOUBLE:
            assert isinstance(bound, Range), name


async def test_a_server_tells_its_bounds() -> None:
    async with running() as server, AsyncClient(server.address) as client:
        limits = (await client.server_info()).limits
    assert {name: getattr(limits, name) for name in FIXED_LIMITS} == dict(FIXED_LIMITS)


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (pb.AnalyzeRequest(analyzers=["a"] * 65), "analyzers"),
        (pb.AnalyzeRequest(analyzers=["a", "b" * 129]), "analyzers[1]"),
        (pb.AnalyzeRequest(fuser="b" * 129), "fuser"),
        (pb.AnalyzeRequest(weights={str(number): 1.0 for number in range(65)}), "weights"),
        (pb.AnalyzeRequest(weights={"face": math.nan}), "weights['face']"),
        (pb.AnalyzeRequest(weights={"face": 1e7}), "weights['face']"),
        (pb.AnalyzeRequest(image=pb.Image(captured_at_seconds=1.7e12)), "image.captured_at_seconds"),
        (pb.AnalyzeRequest(audio=pb.Audio(captured_at_seconds=1.7e18)), "audio.captured_at_seconds"),
        (pb.AnalyzeRequest(text=pb.Text(captured_at_seconds=-math.inf)), "text.captured_at_seconds"),
        (pb.AnalyzeRequest(text=pb.Text(duration_seconds=86_401)), "text.duration_seconds"),
        (pb.StreamSessionRequest(frame=pb.Image(captured_at_seconds=-2e11)), "frame.captured_at_seconds"),
        (pb.StreamSessionRequest(marker=pb.Marker(at_seconds=1e300)), "marker.at_seconds"),
        (
            pb.StreamSessionRequest(config=pb.SessionConfig(exclude_regions=[pb.Region()] * 33)),
            "config.exclude_regions",
        ),
        (
            pb.StreamSessionRequest(config=pb.SessionConfig(exclude_regions=[pb.Region(), pb.Region(width=2)])),
            "config.exclude_regions[1].width",
        ),
        (
            pb.StreamSessionRequest(config=pb.SessionConfig(expected_modalities=["a"] * 65)),
            "config.expected_modalities",
        ),
        (pb.StreamSessionRequest(config=pb.SessionConfig(half_life_seconds=1e-300)), "config.half_life_seconds"),
    ],
)
def test_a_field_over_its_bound_is_named_by_its_path(message: Any, path: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        check_bounds(message)
    assert caught.value.violation.field == path
    assert str(caught.value).startswith(f"{path}: ")


@given(seconds=st.floats(-MAX_TIME_SECONDS, MAX_TIME_SECONDS))
def test_a_moment_within_the_range_is_taken(seconds: float) -> None:
    check_bounds(pb.AnalyzeRequest(image=pb.Image(captured_at_seconds=seconds)))


BLOATED = {
    "regions": b"\x5a\x00",
    "analyzers": b"\x12\x00",
    "modalities": b"\x72\x01a",
    "weights": b"\x22\x03\x0a\x01a",
    "unknown fields": b"\xf8\x07\x01",
    "groups": b"\xf3\x07\xf4\x07",
}


def config_of(part: bytes, *, size: int) -> bytes:
    """The first message of a session, whose config holds one part as often as it fits."""
    body = part * (size // len(part))
    length, rest = b"", len(body)
    while True:
        rest, low = rest >> 7, rest & 0x7F
        length += bytes([low | (0x80 if rest else 0)])
        if not rest:
            return b"\x0a" + length + body


@pytest.mark.parametrize("part", BLOATED.values(), ids=BLOATED)
def test_a_message_of_countless_fields_is_refused_before_it_is_read(part: bytes) -> None:
    read = tolerant(pb.StreamSessionRequest.FromString)
    assert read is not None
    found = read(config_of(part, size=4_000_000))
    assert isinstance(found, Unreadable)
    assert f"more than {MAX_FIELDS:,} fields" in str(found.error)


def test_a_large_message_of_few_fields_is_read() -> None:
    message = pb.StreamSessionRequest(frame=pb.Image(encoded=b"\x5a\x00" * 1_000_000))
    read = tolerant(pb.StreamSessionRequest.FromString)
    assert read is not None
    assert read(message.SerializeToString()) == message


async def test_two_million_regions_are_refused_and_hold_nobody_up() -> None:
    async with running() as server, stub_of(server) as stub:
        async with grpc.aio.insecure_channel(server.address) as channel:
            raw = channel.stream_stream("/mien.v1.SentimentService/StreamSession")
            call = raw(iter([config_of(BLOATED["regions"], size=4_000_000)]), timeout=TIMEOUT)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert details_of(caught.value)["ErrorInfo"].reason == "INVALID_INPUT"
        await stub.Analyze(pb.AnalyzeRequest(image=raw_image()), timeout=TIMEOUT)


async def test_a_modality_that_nobody_knows_is_refused_by_its_field() -> None:
    request = pb.AnalyzeRequest(image=raw_image(), weights={"fcae": 2.0})
    async with running() as server, stub_of(server) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(request, timeout=TIMEOUT)
        (violation,) = details_of(caught.value)["BadRequest"].field_violations
        assert (violation.field, "known are: face" in violation.description) == ("weights['fcae']", True)
        config = pb.SessionConfig(expected_modalities=["fcae"])
        call = stub.StreamSession(iter([pb.StreamSessionRequest(config=config)]), timeout=TIMEOUT)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    (violation,) = details_of(caught.value)["BadRequest"].field_violations
    assert violation.field == "config.expected_modalities['fcae']"
