"""``Analyze``: what comes back, and the status of everything that can be wrong with a request."""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image
from service.support import TIMEOUT, details_of, fake_host, picture_request, raw_image, running, settings, stub_of

from mien import Prediction, Sample, Transcript
from mien.config import Settings
from mien.testing import FakeAnalyzer, FakePlugin, FakeSink, make_prediction
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import MAX_MESSAGE_BYTES

INVALID = grpc.StatusCode.INVALID_ARGUMENT
SECRET = "my name is Ann"


def png(width: int = 6, height: int = 4, *, colour: tuple[int, int, int] = (200, 10, 20)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, format="PNG")
    return buffer.getvalue()


async def refused(request: pb.AnalyzeRequest, chosen: Settings | None = None, host: Any = None) -> Any:
    """The error that a request is answered with."""
    async with running(chosen, host) as server, stub_of(server) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(request, timeout=TIMEOUT)
        return caught.value


async def test_a_picture_and_words_are_analysed_and_fused() -> None:
    async with running() as server, stub_of(server) as stub:
        request = pb.AnalyzeRequest(image=pb.Image(encoded=png()), text=pb.Text(content="thank you"))
        answer = await stub.Analyze(request, timeout=TIMEOUT)
    assert [prediction.analyzer for prediction in answer.predictions] == ["face", "words"]
    assert {status.analyzer: status.state for status in answer.streams} == {
        "face": pb.STREAM_STATE_OK,
        "words": pb.STREAM_STATE_OK,
    }
    assert set(answer.satisfaction.contributions) == {"face", "text"}
    assert (answer.image_width, answer.image_height) == (6, 4)


async def test_nobody_in_the_picture_is_an_answer() -> None:
    chosen = settings()
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=lambda _: []))
    async with running(chosen, host) as server, stub_of(server) as stub:
        answer = await stub.Analyze(picture_request(), timeout=TIMEOUT)
    assert not answer.predictions
    assert answer.satisfaction.verdict == pb.VERDICT_UNDECIDED
    assert answer.satisfaction.confidence == 0


@pytest.mark.parametrize(
    ("pixel_format", "data"),
    [
        (pb.PIXEL_FORMAT_RGB, [1, 2, 3, 4, 5, 6]),
        (pb.PIXEL_FORMAT_BGR, [3, 2, 1, 6, 5, 4]),
        (pb.PIXEL_FORMAT_RGBA, [1, 2, 3, 255, 4, 5, 6, 0]),
    ],
)
async def test_raw_pixels_of_each_layout_reach_the_analyzer_as_rgb(pixel_format: int, data: list[int]) -> None:
    seen = await pixels_seen(pb.RawImage(data=bytes(data), width=2, height=1, format=pixel_format))
    assert seen.tolist() == [[[1, 2, 3], [4, 5, 6]]]


async def test_grey_pixels_reach_the_analyzer_as_rgb() -> None:
    seen = await pixels_seen(pb.RawImage(data=bytes([7, 9]), width=1, height=2, format=pb.PIXEL_FORMAT_GRAY))
    assert seen.tolist() == [[[7, 7, 7]], [[9, 9, 9]]]


async def pixels_seen(raw: pb.RawImage) -> Any:
    seen: list[Sample] = []

    def look(sample: Sample) -> list[Prediction]:
        seen.append(sample)
        return []

    chosen = settings()
    host = fake_host(chosen, face=FakeAnalyzer("face", answer=look))
    async with running(chosen, host) as server, stub_of(server) as stub:
        await stub.Analyze(pb.AnalyzeRequest(image=pb.Image(raw=raw, captured_at_seconds=1.5)), timeout=TIMEOUT)
    (frame,) = seen
    assert frame.captured_at == 1.5
    return frame.pixels  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (pb.AnalyzeRequest(), "at least one of image, audio and text"),
        (pb.AnalyzeRequest(image=pb.Image()), "either encoded"),
        (pb.AnalyzeRequest(audio=pb.Audio()), "either encoded"),
        (pb.AnalyzeRequest(image=pb.Image(encoded=b"")), "empty"),
        (pb.AnalyzeRequest(image=pb.Image(encoded=b"these are words")), "JPEG"),
        (pb.AnalyzeRequest(image=pb.Image(encoded=png()[:45])), "picture"),
        (pb.AnalyzeRequest(image=pb.Image(encoded=png(), captured_at_seconds=math.nan)), "captured_at"),
        (pb.AnalyzeRequest(image=pb.Image(raw=pb.RawImage(data=b"", format=pb.PIXEL_FORMAT_RGB))), "at least 1"),
        (pb.AnalyzeRequest(image=pb.Image(raw=pb.RawImage(data=b"abc", width=1, height=1))), "RGB, BGR"),
        (pb.AnalyzeRequest(text=pb.Text(content="  ")), "no words"),
        (pb.AnalyzeRequest(text=pb.Text(content="yes", duration_seconds=-1)), "duration"),
        (pb.AnalyzeRequest(text=pb.Text(content="yes", language="e" * 99)), "BCP 47"),
        (picture_request(weights={"face": math.nan}), "weights"),
        (picture_request(weights={"face": -1}), "weights"),
        (picture_request(analyzers=[f"a{number}" for number in range(65)]), "at most 64"),
        (picture_request(analyzers=["words"]), "takes text"),
    ],
)
async def test_a_request_that_cannot_be_used_is_invalid_and_says_why(request_: pb.AnalyzeRequest, words: str) -> None:
    error = await refused(request_)
    assert error.code() is INVALID
    assert words in error.details()


@pytest.mark.parametrize(
    ("request_", "limits"),
    [
        (pb.AnalyzeRequest(image=pb.Image(encoded=png())), {"max_image_bytes": 10}),
        (pb.AnalyzeRequest(image=pb.Image(encoded=png(20, 20))), {"max_image_pixels": 399}),
        (pb.AnalyzeRequest(image=raw_image(20, 20)), {"max_image_pixels": 399}),
        (pb.AnalyzeRequest(text=pb.Text(content="x" * 11)), {"max_text_characters": 10}),
    ],
)
async def test_a_sample_over_its_limit_is_invalid(request_: pb.AnalyzeRequest, limits: dict[str, int]) -> None:
    error = await refused(request_, settings(limits=limits))
    assert error.code() is INVALID
    assert details_of(error)["ErrorInfo"].reason == "INPUT_TOO_LARGE"


async def test_a_wrong_field_is_named_by_its_path() -> None:
    request = pb.AnalyzeRequest(
        image=pb.Image(raw=pb.RawImage(data=b"12", width=1, height=1, format=pb.PIXEL_FORMAT_RGB))
    )
    details = details_of(await refused(request))
    (violation,) = details["BadRequest"].field_violations
    assert violation.field == "image.raw.data"
    assert "are 3 bytes, got 2" in violation.description
    assert details["ErrorInfo"].reason == "INVALID_FIELD"
    assert details["ErrorInfo"].domain == "mien.v1.SentimentService"


@pytest.mark.parametrize("fields", [{"analyzers": ["nose"]}, {"fuser": "nose"}])
async def test_an_unknown_name_is_not_found_and_the_known_ones_are_told(fields: dict[str, Any]) -> None:
    error = await refused(picture_request(**fields))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert "'nose'" in error.details()
    assert "registered are" in error.details()


async def test_a_message_over_the_limit_is_refused_also_when_it_was_compressed_small() -> None:
    chosen = settings(limits={"max_message_bytes": 100_000})
    request = pb.AnalyzeRequest(image=pb.Image(encoded=bytes(1_000_000)))
    async with running(chosen) as server, stub_of(server) as stub:
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Analyze(request, timeout=TIMEOUT, compression=compression)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_policy_that_asks_for_consent_refuses_a_request_without() -> None:
    chosen = settings(privacy={"require_consent": True})
    for consent in (pb.CONSENT_UNSPECIFIED, 77):
        error = await refused(picture_request(consent=consent), chosen)
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "CONSENT_GIVEN" in error.details()
    async with running(chosen) as server, stub_of(server) as stub:
        for consent in (pb.CONSENT_NOTICE_SHOWN, pb.CONSENT_GIVEN):
            await stub.Analyze(picture_request(consent=consent), timeout=TIMEOUT)


@pytest.mark.parametrize(("asked", "policy"), [(True, False), (False, True)])
async def test_redaction_takes_the_words_out_of_the_answer_and_of_what_sinks_see(asked: bool, policy: bool) -> None:
    spoken = replace(make_prediction("text"), evidence=Transcript("my name is Ann", confidence=0.7))
    sink = FakeSink()
    chosen = settings(privacy={"redact_transcript": policy})
    plugin = FakePlugin(sinks={"sink": lambda: sink})
    host = fake_host(chosen, text=FakeAnalyzer("text", answer=lambda _: [spoken]), sink=plugin)
    async with running(chosen, host) as server, stub_of(server) as stub:
        request = pb.AnalyzeRequest(text=pb.Text(content="my name is Ann"), redact_transcript=asked)
        answer = await stub.Analyze(request, timeout=TIMEOUT)
    (prediction,) = answer.predictions
    assert prediction.transcript.redacted
    assert prediction.transcript.confidence == 0.7
    assert b"Ann" not in answer.SerializeToString()
    ((result, provenance),) = sink.written
    assert provenance.session_id == ""
    assert "Ann" not in repr(result)


async def test_a_sink_that_raises_costs_no_answer() -> None:
    chosen, broken = settings(), FakeSink(error=SystemExit(1))
    host = fake_host(chosen, sink=FakePlugin(sinks={"sink": lambda: broken}))
    async with running(chosen, host) as server, stub_of(server) as stub:
        assert (await stub.Analyze(picture_request(), timeout=TIMEOUT)).predictions


async def test_an_analyzer_that_raises_is_missing_from_the_answer_and_the_rest_stands() -> None:
    async with broken_words(RuntimeError(SECRET)) as stub:
        request = pb.AnalyzeRequest(image=raw_image(), text=pb.Text(content="yes"))
        answer = await stub.Analyze(request, timeout=TIMEOUT)
    assert [prediction.analyzer for prediction in answer.predictions] == ["face"]
    failed = next(status for status in answer.streams if status.analyzer == "words")
    assert failed.state == pb.STREAM_STATE_FAILED
    assert "RuntimeError" in failed.reason
    assert SECRET not in failed.reason


async def test_internal_only_where_no_stream_is_left_and_without_a_traceback() -> None:
    async with broken_words(RuntimeError(SECRET)) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(pb.AnalyzeRequest(text=pb.Text(content="yes")), timeout=TIMEOUT)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert details_of(caught.value)["ErrorInfo"].reason == "NO_STREAM_LEFT"
    assert no_traceback(caught.value)


def broken_words(error: Exception) -> Any:
    def fail(sample: Sample) -> list[Prediction]:
        raise error

    chosen = settings()
    return _stub(chosen, fake_host(chosen, text=FakeAnalyzer("text", answer=fail)))


@asynccontextmanager
async def _stub(chosen: Settings, host: Any) -> AsyncIterator[Any]:
    async with running(chosen, host) as server, stub_of(server) as stub:
        yield stub


async def test_an_error_that_nobody_expected_is_internal_with_a_reference_that_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("mien.service.decoding.decode_text_message", explode)
    error = await refused(pb.AnalyzeRequest(text=pb.Text(content="yes")))
    assert error.code() is grpc.StatusCode.INTERNAL
    reference = details_of(error)["ErrorInfo"].metadata["reference"]
    assert reference in error.details()
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text
    assert no_traceback(error)


def no_traceback(error: Any) -> bool:
    everything = f"{error.details()}{error.trailing_metadata()}"
    return not any(word in everything for word in ("Traceback", ".py", "ZeroDivisionError", SECRET))


async def test_a_long_name_is_cut_in_the_message_so_that_the_status_fits_its_headers() -> None:
    error = await refused(picture_request(analyzers=["\N{GRINNING FACE}" * 128] * 2))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert len(error.details().encode()) <= MAX_MESSAGE_BYTES
    assert error.details().endswith("\N{GRINNING FACE}…"), "a character is taken whole or not at all"
    sent = sum(len(key) + len(value) for key, value in error.trailing_metadata())
    assert sent + 3 * MAX_MESSAGE_BYTES < 8_192, "a third more for the base64 of the details leaves room, too"


async def test_many_callers_at_once_each_get_their_own_answer() -> None:
    chosen = settings()
    host = fake_host(
        chosen,
        face=FakeAnalyzer("face", answer=lambda s: [make_prediction(satisfaction=float(np.mean(s.pixels)) / 255)]),  # type: ignore[union-attr]
    )
    async with running(chosen, host) as server, stub_of(server) as stub:

        async def ask(level: int) -> float:
            raw = pb.RawImage(data=bytes([level] * 3), width=1, height=1, format=pb.PIXEL_FORMAT_RGB)
            answer = await stub.Analyze(pb.AnalyzeRequest(image=pb.Image(raw=raw)), timeout=TIMEOUT)
            return round(answer.predictions[0].satisfaction * 255)

        assert await asyncio.gather(*(ask(level) for level in range(0, 255, 5))) == list(range(0, 255, 5))
