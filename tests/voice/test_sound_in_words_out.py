"""Sound as people have it, through decoding, cutting and the real engine: each kind gives the words that were said."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from voice.conftest import FakeTone

from mien import AudioClip, Transcript
from mien.media.audio import decode_audio
from mien_voice.analyzer import VoiceAnalyzer
from mien_voice.audio import SAMPLE_RATE
from mien_voice.settings import VoiceSettings
from mien_voice.transcribers.whisper import WhisperTranscriber

soundfile = pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")
soxr = pytest.importorskip("soxr", reason="the extra mien[voice] is not installed")
av = pytest.importorskip("av", reason="the extra mien[voice] is not installed")

Samples = npt.NDArray[np.float32]
SAID = "thank you so much, you have been very kind and helpful."


def by_libsndfile(samples: Samples, kind: str, subtype: str, rate: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, soxr.resample(samples, SAMPLE_RATE, rate), rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def by_ffmpeg(samples: Samples, muxer: str, codec: str, rate: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=muxer) as container:
        try:
            track = container.add_stream(codec, rate=rate, layout="mono")
        except ValueError:
            pytest.skip(f"this build of FFmpeg's libraries has no encoder {codec}")
        pcm = (32_767 * soxr.resample(samples, SAMPLE_RATE, rate)).astype("<i2")[np.newaxis]
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return buffer.getvalue()


def stereo(samples: Samples, left: float, right: float) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack([left * samples, right * samples], axis=1), SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda x: by_libsndfile(x, "WAV", "PCM_16", 8_000), id="telephone, 8 kHz"),
        pytest.param(lambda x: by_libsndfile(x, "WAV", "ULAW", 8_000), id="u-law"),
        pytest.param(lambda x: by_libsndfile(x, "WAV", "ALAW", 8_000), id="A-law"),
        pytest.param(lambda x: by_libsndfile(x, "WAV", "PCM_24", 48_000), id="24 bit"),
        pytest.param(lambda x: by_libsndfile(x, "WAV", "PCM_U8", 16_000), id="8 bit"),
        pytest.param(lambda x: by_libsndfile(x, "OGG", "OPUS", 48_000), id="Opus"),
        pytest.param(lambda x: by_ffmpeg(x, "adts", "aac", 16_000), id="AAC"),
        pytest.param(lambda x: stereo(x, 1.0, 0.0), id="one silent channel of two"),
        pytest.param(lambda x: stereo(x, 1.0, -1.0), id="two channels in opposite phase"),
        pytest.param(lambda x: stereo(x, 0.3, -1.0), id="two channels in opposite phase, one louder"),
    ],
)
def test_every_kind_of_sound_gives_the_words(
    recognizer: WhisperTranscriber, thanks: AudioClip, encode: Callable[[Samples], bytes]
) -> None:
    voice = VoiceAnalyzer(transcriber=recognizer, tone=FakeTone(), settings=VoiceSettings())
    ((prediction,),) = voice.analyze([decode_audio(encode(thanks.samples))])
    assert isinstance(prediction.evidence, Transcript)
    assert prediction.evidence.text.lower() == SAID
