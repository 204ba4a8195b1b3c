"""Sound over gRPC: bad sound is refused at the door, and the real voice plugin answers for a spoken clip."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from service.support import TIMEOUT, raw_image, running, settings, stub_of

from mien import SampleKind
from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, FakeFuser, FakePlugin, analyzer_info
from mien.v1 import sentiment_pb2 as pb

pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")
pytest.importorskip("faster_whisper", reason="the extra mien[voice] is not installed")

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
PATIENCE = 150.0
"""Seconds for recognition on a machine that is busy with other things."""


def raw_sound(samples: np.ndarray, *, rate: int = 16_000, channels: int = 1) -> pb.Audio:
    raw = pb.RawAudio(
        data=samples.astype("<f4").tobytes(),
        format=pb.SAMPLE_FORMAT_FLOAT32,
        sample_rate_hz=rate,
        channels=channels,
    )
    return pb.Audio(raw=raw)


@pytest.fixture
async def stub() -> AsyncIterator[Any]:
    """A server whose fake analyzers take pictures and sound."""
    face = (analyzer_info("face"), lambda: FakeAnalyzer("face"))
    voice = (analyzer_info("voice", SampleKind.AUDIO), lambda: FakeAnalyzer("voice"))
    plugins = {"fake": FakePlugin(analyzers={"face": face, "voice": voice}, fusers={"fake": FakeFuser})}
    chosen = settings()
    async with running(chosen, PluginHost.from_plugins(plugins, chosen)) as server, stub_of(server) as found:
        yield found


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        pytest.param(pb.Audio(), "audio", id="nothing"),
        pytest.param(pb.Audio(encoded=b"dear sir"), "no WAV, FLAC, OGG, MP3", id="text"),
        pytest.param(pb.Audio(encoded=(MEDIA / "refusal.flac").read_bytes()[:9_000]), "cut short|damaged", id="cut"),
        pytest.param(raw_sound(np.array([0.0, np.nan])), "NaN", id="NaN"),
        pytest.param(raw_sound(np.zeros(8), rate=96_000, channels=8), "96000 Hz.*8 channels", id="96 kHz, 8 channels"),
        pytest.param(raw_sound(np.zeros(31 * 8_000), rate=8_000), "longer than the limit of 30 s", id="31 s"),
    ],
)
async def test_bad_sound_is_an_invalid_argument_with_its_reason(stub: Any, audio: pb.Audio, message: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match=message) as caught:
        await stub.Analyze(pb.AnalyzeRequest(image=raw_image(), audio=audio), timeout=TIMEOUT)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    answer = await stub.Analyze(pb.AnalyzeRequest(image=raw_image()), timeout=TIMEOUT)  # pictures go on
    assert [prediction.modality for prediction in answer.predictions] == ["face"]


async def test_a_picture_and_a_spoken_complaint_are_fused_by_the_real_plugin() -> None:
    from mien_voice import plugin

    if not plugin.WEIGHTS.exists():
        pytest.skip("the tone network's weights are not there")
    chosen = settings(engine={"analyzers": ["face", "voice"], "deadline_seconds": PATIENCE})
    face = (analyzer_info("face"), lambda: FakeAnalyzer("face"))
    plugins = {"voice": plugin, "fake": FakePlugin(analyzers={"face": face}, fusers={"fake": FakeFuser})}
    audio = pb.Audio(encoded=(MEDIA / "refusal.flac").read_bytes(), captured_at_seconds=20.0)
    async with running(chosen, PluginHost.from_plugins(plugins, chosen)) as server, stub_of(server) as stub:
        request = pb.AnalyzeRequest(image=raw_image(), audio=audio)
        answer = await stub.Analyze(request, timeout=PATIENCE)
        assert [stream.state for stream in answer.streams] == [pb.STREAM_STATE_OK] * 2
        assert set(answer.satisfaction.contributions) == {"face", "voice"}
        (voice,) = [prediction for prediction in answer.predictions if prediction.modality == "voice"]
        assert voice.transcript.text == "No, I do not want to pay for this."
        assert voice.transcript.engine == "whisper"
        assert voice.satisfaction < 0.5
        assert 20.0 <= voice.transcript.words[0].interval.start_seconds < 21.0
        audio.captured_at_seconds = 1.7e9
        today = await stub.Analyze(pb.AnalyzeRequest(image=raw_image(), audio=audio), timeout=PATIENCE)
        assert today.satisfaction.score == pytest.approx(answer.satisfaction.score, abs=1e-6), "whatever the date"
        (heard,) = [prediction for prediction in today.predictions if prediction.modality == "voice"]
        assert heard.transcript.text == voice.transcript.text
        assert heard.interval.start_seconds - 1.7e9 == pytest.approx(voice.interval.start_seconds - 20.0, abs=1e-6)
        words = pb.AnalyzeRequest(text=pb.Text(content="thank you so much"), redact_transcript=True)
        answer = await stub.Analyze(words, timeout=PATIENCE)
        (said,) = answer.predictions
        assert (said.transcript.text, said.transcript.redacted) == ("", True)
        assert said.satisfaction > 0.5
