"""Sound files of every kind that people have, made here by libsndfile and FFmpeg's libraries."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mien import InputError
from mien.media.audio import SAMPLE_RATE, decode_audio, read_sound_track

soundfile = pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")
av = pytest.importorskip("av", reason="the extra mien[voice] is not installed")
pytest.importorskip("soxr", reason="the extra mien[voice] is not installed")

LEVEL = 0.5


def tone(seconds: float, rate: int) -> np.ndarray:
    return (LEVEL * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def by_libsndfile(kind: str, subtype: str, rate: int, seconds: float = 1.0) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(seconds, rate), rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def by_ffmpeg(muxer: str, codec: str, rate: int, seconds: float = 1.0, **options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sound")
        write_by_ffmpeg(path, muxer, codec, rate, seconds, options)
        return path.read_bytes()


def write_by_ffmpeg(path: Path, muxer: str, codec: str, rate: int, seconds: float, options: dict[str, str]) -> None:
    with av.open(str(path), "w", format=muxer, options=options) as container:
        try:
            track = container.add_stream(codec, rate=rate, layout="mono")
        except ValueError:
            pytest.skip(f"this build of FFmpeg's libraries has no encoder {codec}")
        if codec.startswith("wma"):
            track.bit_rate = 64_000
        samples = (32_767 * tone(seconds, rate)).astype("<i2")[np.newaxis]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(track.encode(frame))
        container.mux(track.encode(None))


LIBSNDFILES = [
    *(("WAV", subtype, 8_000) for subtype in ("ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610", "PCM_U8")),
    *(("WAV", subtype, 44_100) for subtype in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *(("WAVEX", subtype, 48_000) for subtype in ("PCM_16", "PCM_24")),
    *(("RF64", subtype, 48_000) for subtype in ("PCM_16", "PCM_24")),
    *(("W64", subtype, 48_000) for subtype in ("PCM_16", "PCM_24", "ULAW")),
    *(("AIFF", subtype, 44_100) for subtype in ("PCM_16", "PCM_24", "PCM_S8", "FLOAT", "ULAW")),
    *(("CAF", subtype, 44_100) for subtype in ("PCM_16", "ALAW", "ALAC_16")),
    ("AU", "ULAW", 8_000),
    ("AU", "PCM_16", 16_000),
    ("FLAC", "PCM_24", 96_000),
    ("OGG", "OPUS", 48_000),
    ("OGG", "VORBIS", 44_100),
    ("MP3", "MPEG_LAYER_III", 22_050),
]
FFMPEGS = [
    ("adts", "aac", 16_000),
    ("ipod", "aac", 44_100),
    ("ipod", "alac", 44_100),
    ("mp4", "aac", 48_000),
    ("mp4", "libopus", 48_000),
    ("3gp", "aac", 16_000),
    ("3gp", "libopencore_amrnb", 8_000),
    ("amr", "libopencore_amrnb", 8_000),
    ("mov", "pcm_s16le", 44_100),
    ("webm", "libopus", 48_000),
    ("matroska", "flac", 16_000),
    ("asf", "wmav2", 44_100),
    ("caf", "alac", 44_100),
    ("aiff", "pcm_alaw", 8_000),
    ("wav", "adpcm_g726", 8_000),
    ("wav", "libmp3lame", 44_100),
    ("ogg", "flac", 16_000),
    ("rf64", "pcm_s16le", 16_000),
]


def check_tone(data: bytes, *, seconds: float = 1.0) -> None:
    clip = decode_audio(data)
    assert clip.sample_rate == SAMPLE_RATE
    assert clip.duration_seconds == pytest.approx(seconds, abs=0.13)  # codecs pad to whole frames
    middle = clip.samples[3_000:-3_000]
    assert float(np.sqrt(2 * np.mean(middle**2))) == pytest.approx(LEVEL, abs=0.08)
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(middle) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(("kind", "subtype", "rate"), LIBSNDFILES)
def test_what_libsndfile_writes_is_read(kind: str, subtype: str, rate: int) -> None:
    check_tone(by_libsndfile(kind, subtype, rate))


@pytest.mark.parametrize(("muxer", "codec", "rate"), FFMPEGS)
def test_what_ffmpeg_writes_is_read(muxer: str, codec: str, rate: int) -> None:
    if muxer == "rf64":
        check_tone(by_ffmpeg("wav", codec, rate, rf64="always"))
    else:
        check_tone(by_ffmpeg(muxer, codec, rate))


def id3(size: int) -> bytes:
    return b"ID3\4\0\0" + bytes((size >> 7 * place) & 0x7F for place in (3, 2, 1, 0)) + b"\1" * size


@pytest.mark.parametrize("size", [20, 300])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: by_libsndfile("FLAC", "PCM_16", 16_000), id="FLAC"),
        pytest.param(lambda: by_libsndfile("WAV", "PCM_16", 16_000), id="WAV"),
        pytest.param(lambda: by_libsndfile("MP3", "MPEG_LAYER_III", 16_000), id="MP3"),
        pytest.param(lambda: by_ffmpeg("adts", "aac", 16_000), id="AAC"),
    ],
)
def test_a_tag_may_come_before_any_sound(make: Callable[[], bytes], size: int) -> None:
    check_tone(id3(size) + make())


LIST = b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"


@pytest.mark.parametrize(
    "tail",
    [b"\0", b"\1\2\3", LIST, b"\0" + LIST, b"\0" * 40, id3(30), b"\0" + id3(31), b"TAG" + b"x" * 125, LIST[:12]],
    ids=range(9),
)
@pytest.mark.parametrize("promised", [-1, 0, 1])
def test_a_wav_a_byte_off_and_with_tags_behind_is_read(tail: bytes, promised: int) -> None:
    data = by_libsndfile("WAV", "PCM_16", 16_000)
    at = data.index(b"data") + 4
    told = data[:at] + struct.pack("<I", len(data) - at - 4 + promised) + data[at + 4 :]
    check_tone(told + tail)


def test_a_wav_that_lacks_the_last_byte_is_read() -> None:
    check_tone(by_libsndfile("WAV", "PCM_16", 16_000)[:-1])
    check_tone(by_libsndfile("WAV", "PCM_24", 16_000)[:-2])


@pytest.mark.parametrize("flags", ["faststart", "empty_moov+frag_keyframe"])
def test_an_mp4_of_which_half_is_missing_is_refused(flags: str) -> None:
    data = by_ffmpeg("mp4", "aac", 16_000, seconds=20.0, movflags=flags)
    check_tone(data, seconds=20.0)
    if flags == "faststart":
        with pytest.raises(InputError, match="cut short"):
            decode_audio(data[: len(data) // 2])


def test_a_rate_that_nothing_records_is_refused_before_anything_is_made_for_it() -> None:
    data = bytearray(by_libsndfile("CAF", "PCM_16", 16_000))
    data[20:28] = struct.pack(">d", 922_762_880.0)  # where CAF's description begins with the rate
    with pytest.raises(InputError, match="has 922762880 Hz"):
        decode_audio(bytes(data))


def test_packets_that_nobody_can_decode_are_told() -> None:
    with pytest.raises(InputError, match=r"WAV sound"):
        decode_audio(by_ffmpeg("wav", "aac", 16_000))  # such a file does not say where its packets end


def test_a_container_with_nothing_to_hear_is_told() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(video.encode(None))
    with pytest.raises(InputError, match="MP4 sound holds no samples"):
        decode_audio(buffer.getvalue())


@pytest.mark.parametrize("channels", [9, 12, 64])
def test_a_track_of_more_channels_than_people_have_is_refused(channels: int, tmp_path: Path) -> None:
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.zeros((1_600, channels), np.float32), 16_000)
    with pytest.raises(InputError, match=f"has {channels} channels"):
        read_sound_track(path)
    with pytest.raises(InputError, match=f"{channels} channels"):
        decode_audio(path.read_bytes())
