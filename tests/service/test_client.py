"""The Python client, blocking and async: every kind of input, every error, and nothing heavy loaded."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image
from service.support import fake_host, running, settings

from mien import AudioClip, ImageFrame, InputError, SampleKind, Utterance
from mien.client import AsyncClient, Client, Consent, ServiceError
from mien.client.requests import audio_message, text_message
from mien.config import Settings
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info, make_clip, make_image, make_prediction
from mien.v1 import sentiment_pb2 as pb


def bright(sample: Any) -> list[Any]:
    """A prediction whose satisfaction is the picture's mean brightness."""
    level = float(np.mean(sample.pixels)) / 255
    return [make_prediction(satisfaction=level, at=sample.captured_at)]


@contextmanager
def serving(chosen: Settings | None = None, **parts: Any) -> Iterator[str]:
    """The address of a server that runs in a thread of its own."""
    chosen = chosen or settings()
    host = fake_host(chosen, **{"face": FakeAnalyzer("face", answer=bright), **parts})
    addresses: list[str] = []
    up, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with running(chosen, host) as server:
            addresses.append(server.address)
            up.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert up.wait(30)
        yield addresses[0]
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    voice = FakePlugin(analyzers={"voice": (analyzer_info("voice", SampleKind.AUDIO), lambda: FakeAnalyzer("voice"))})
    with serving(voice=voice) as found:
        yield found


def png(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (5, 5), (level,) * 3).save(buffer, format="PNG")
    return buffer.getvalue()


def test_a_picture_comes_as_path_bytes_array_or_frame(address: str, tmp_path: Path) -> None:
    path = tmp_path / "white.png"
    path.write_bytes(png(255))
    array = np.full((5, 5, 3), 255, np.uint8)
    with Client(address) as client:
        client.wait_until_ready(30)
        for source in (path, str(path), png(255), bytearray(png(255)), array, ImageFrame(array, captured_at=2.5)):
            (prediction,) = client.analyze(image=source).predictions
            assert prediction.satisfaction == 1.0
            assert prediction.analyzer == "face"
    assert prediction.interval.start == 2.5


def test_a_large_picture_as_an_array_is_sent_too(address: str) -> None:
    with Client(address) as client:
        (prediction,) = client.analyze(image=np.full((1300, 1300, 3), 255, np.uint8)).predictions
    assert prediction.satisfaction == 1.0


def test_words_and_sound_come_plain_or_as_types(address: str) -> None:
    with Client(address) as client:
        for text in ("thank you", Utterance("thank you", language="en", captured_at=1.0, duration_seconds=2.0)):
            assert [p.analyzer for p in client.analyze(text=text).predictions] == ["words"]
        assert [p.analyzer for p in client.analyze(audio=make_clip()).predictions] == ["voice"]


def test_messages_carry_times_and_language() -> None:
    assert text_message(Utterance("yes", language="de", captured_at=1.0, duration_seconds=2.0)) == pb.Text(
        content="yes", language="de", captured_at_seconds=1.0, duration_seconds=2.0
    )
    clip = AudioClip(np.array([0.5, -0.5], np.float32), 8000, captured_at=3.0)
    message = audio_message(clip)
    assert np.frombuffer(message.raw.data, "<f4").tolist() == [0.5, -0.5]
    assert (message.raw.sample_rate_hz, message.raw.channels, message.captured_at_seconds) == (8000, 1, 3.0)


def test_the_async_client_answers_the_same(address: str) -> None:
    async def ask() -> Any:
        async with AsyncClient(address) as client:
            await client.wait_until_ready(30)
            return await client.analyze(image=make_image(255), weights={"face": 2.0}, analyzers=["face"])

    with Client(address) as client:
        expected = client.analyze(image=make_image(255), weights={"face": 2.0}, analyzers=["face"])
    found = asyncio.run(ask())
    assert found.predictions == expected.predictions
    assert found.satisfaction == expected.satisfaction


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image": "/nowhere/face.jpg"}, "cannot read /nowhere/face.jpg: No such file"),
        ({"image": np.zeros((2, 2))}, "image is not a picture: pixels must be uint8"),
        ({"text": "yes", "consent": "maybe"}, "consent must be one of unspecified, notice_shown, given"),
        ({"text": "yes", "analyzers": "face"}, "must be a sequence of names"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_sent(arguments: Any, words: str) -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(InputError, match=words):
        client.analyze(**arguments)


def test_the_servers_words_reach_the_caller(address: str) -> None:
    with Client(address) as client, pytest.raises(ServiceError, match="registered are: face") as caught:
        client.analyze(text="yes", analyzers=["nose"])
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.reason == "NOT_FOUND"


def test_nothing_to_analyse_is_the_servers_to_refuse(address: str) -> None:
    with Client(address) as client, pytest.raises(ServiceError) as caught:
        client.analyze()
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_server_that_is_not_there_is_named() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ServiceError, match=r"127\.0\.0\.1:1 .*`mien serve`"):
        client.server_info()


def test_consent_goes_with_the_request() -> None:
    with serving(settings(privacy={"require_consent": True})) as address, Client(address) as client:
        with pytest.raises(ServiceError) as caught:
            client.analyze(text="yes")
        assert caught.value.reason == "CONSENT_REQUIRED"
        for consent in (Consent.GIVEN, "notice_shown"):
            assert client.analyze(text="yes", consent=consent).predictions


def test_the_client_loads_no_model_and_no_picture_library() -> None:
    code = (
        "import sys, mien.client; print([name for name in ('jax', 'flax', 'haiku', 'torch', 'cv2', 'mien_face')"
        " if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
