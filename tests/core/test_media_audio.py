"""Sound that comes from outside: what is taken, what is refused, and in which words."""

from __future__ import annotations

import io
import struct
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mien import InputError, InputTooLargeError, MissingDependencyError
from mien.media.audio import (
    SAMPLE_RATE,
    SampleFormat,
    decode_audio,
    decode_pcm,
    read_audio,
    read_sound_track,
)

soundfile = pytest.importorskip("soundfile", reason="the extra mien[voice] is not installed")
pytest.importorskip("soxr", reason="the extra mien[voice] is not installed")


def tone(seconds: float = 0.5, rate: int = SAMPLE_RATE, *, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encode(samples: np.ndarray, rate: int = SAMPLE_RATE, *, kind: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def dominant_hertz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(samples))


def with_data_size(wav: bytes, size: int) -> bytes:
    at = wav.index(b"data") + 4
    return wav[:at] + struct.pack("<I", size) + wav[at + 4 :]


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAVEX", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_becomes_16_khz_mono(kind: str, subtype: str, channels: int) -> None:
    sound = np.stack([tone(rate=48_000)] * channels, axis=1)
    clip = decode_audio(encode(sound, 48_000, kind=kind, subtype=subtype), captured_at=3.0)
    assert clip.sample_rate == SAMPLE_RATE
    assert clip.samples.dtype == np.float32
    assert clip.captured_at == 3.0
    assert clip.duration_seconds == pytest.approx(0.5, abs=0.06)  # MP3 pads to whole frames
    assert dominant_hertz(clip.samples) == pytest.approx(440, abs=4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_every_rate_keeps_pitch_length_and_loudness(rate: int) -> None:
    clip = decode_audio(encode(tone(1.0, rate), rate))
    assert clip.duration_seconds == pytest.approx(1.0, abs=1e-3)
    assert dominant_hertz(clip.samples) == pytest.approx(440, abs=1)
    assert np.abs(clip.samples).max() == pytest.approx(0.5, abs=0.03)


def test_two_channels_are_averaged() -> None:
    left, right = tone(), 0.5 * tone(hertz=880.0)
    clip = decode_audio(encode(np.stack([left, right], axis=1)))
    np.testing.assert_allclose(clip.samples, (left + right) / 2, atol=1e-4)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([-1.0], id="the other wired the wrong way round"),
        pytest.param([-0.6], id="the same, less loud"),
        pytest.param([0.0], id="the other not plugged in"),
        pytest.param([0.0] * 5, id="one of six speaks"),
        pytest.param([0.02] * 5, id="one of six speaks, the others overhear it"),
        pytest.param([1.0], id="twice the same"),
        pytest.param([1.0] * 7, id="eight times the same"),
    ],
)
def test_channels_become_one_as_loud_as_it_was_said(others: list[float]) -> None:
    channels = np.stack([tone() * gain for gain in [*others, 1.0]], axis=1)
    clip = decode_audio(encode(channels))
    assert np.abs(clip.samples).max() == pytest.approx(0.5, abs=0.02)
    assert dominant_hertz(clip.samples) == pytest.approx(440, abs=4)


def test_an_offset_is_no_sound() -> None:
    channels = np.stack([tone(), np.full_like(tone(), 0.2)], axis=1)
    assert np.abs(decode_audio(encode(channels)).samples).max() == pytest.approx(0.5, abs=0.02)


def test_silence_in_all_channels_stays_silence() -> None:
    assert not decode_audio(encode(np.zeros((1600, 6), np.float32))).samples.any()


def test_raw_pieces_of_one_recording_keep_one_level() -> None:
    """A channel that is silent in one piece speaks in the next; opposite phase is opposite in each."""
    options = {"sample_format": SampleFormat.FLOAT32, "sample_rate": SAMPLE_RATE, "channels": 2}
    agent = np.stack([tone(), 0 * tone()], axis=1)
    np.testing.assert_allclose(decode_pcm(agent.tobytes(), **options).samples, tone() / 2, atol=1e-6)
    opposite = np.stack([tone(), -tone()], axis=1)
    np.testing.assert_allclose(np.abs(decode_pcm(opposite.tobytes(), **options).samples), np.abs(tone()), atol=1e-6)


def test_loud_float_samples_are_clipped() -> None:
    clip = decode_audio(encode(tone() * 3, subtype="FLOAT"))
    assert np.abs(clip.samples).max() == 1.0


def test_one_sample_is_sound() -> None:
    assert len(decode_audio(encode(np.zeros(1, np.float32))).samples) == 1
    assert decode_pcm(b"\0\0", sample_format=SampleFormat.PCM16, sample_rate=48_000).samples.ndim == 1


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFC, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF], ids=hex)
@pytest.mark.parametrize("whole", [0, 36, 0x7FFFF024, 0xFFFFFFFF], ids=hex)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_wav_of_unknown_length_is_read_to_its_end(size: int, whole: int, subtype: str) -> None:
    right = encode(tone(), subtype=subtype)
    piped = with_data_size(right[:4] + struct.pack("<I", whole) + right[8:], size)
    np.testing.assert_array_equal(decode_audio(piped).samples, decode_audio(right).samples)
    np.testing.assert_array_equal(decode_audio(piped + b"\1").samples, decode_audio(right).samples)


def test_a_stereo_wav_of_unknown_length_ends_at_a_whole_sample() -> None:
    right = encode(np.stack([tone(), tone()], axis=1))
    piped = with_data_size(right, 0x7FFFF000)
    assert len(decode_audio(piped[:-2]).samples) == len(tone()) - 1


def test_an_empty_wav_with_a_chunk_behind_has_no_samples() -> None:
    data = encode(np.zeros(0, np.float32)) + b"LIST" + struct.pack("<I", 12) + b"INFOISFT\0\0\0\0"
    with pytest.raises(InputError, match="no samples"):
        decode_audio(data)


def test_a_flac_of_unknown_length_is_read_to_its_end() -> None:
    right = encode(tone(), kind="FLAC")
    piped = bytearray(right)
    piped[21] &= 0xF0
    piped[22:26] = bytes(4)  # STREAMINFO's number of samples: 0 is "unknown"
    np.testing.assert_array_equal(decode_audio(bytes(piped)).samples, decode_audio(right).samples)
    with pytest.raises(InputTooLargeError):
        decode_audio(bytes(piped), max_seconds=0.4)


def nan_wav() -> bytes:
    sound = tone()
    sound[10] = np.nan
    return encode(sound, subtype="FLOAT")


def wrong_scale_wav() -> bytes:
    return encode(tone() * 32_767, subtype="FLOAT")


def nine_channels() -> bytes:
    return encode(np.zeros((100, 9), np.float32), 192_000)


WAV = encode(tone())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"hello, I am a text file called .wav\n", "no WAV, FLAC, OGG, MP3, .*hello", id="text"),
        pytest.param(b"RIFF\0\0\0\0AVI LIST", "not followed by WAVE", id="another RIFF"),
        pytest.param(WAV[:20], "data chunk|cut short", id="header only"),
        pytest.param(WAV[:-1000], "cut short.*promises 16000 bytes.*15000", id="truncated WAV"),
        pytest.param(with_data_size(WAV, 1 << 30), "cut short.*promises", id="header promises too much"),
        pytest.param(with_data_size(WAV, 200), "lies about its length", id="header promises too little"),
        pytest.param(encode(tone(), kind="FLAC")[:2000], "damaged|cut short", id="truncated FLAC"),
        pytest.param(b"OggS" + bytes(200), "OGG sound is damaged", id="damaged OGG"),
        pytest.param(b"ID3" + bytes(200), "MP3 sound is damaged", id="damaged MP3"),
        pytest.param(encode(np.zeros(0, np.float32)), "no samples", id="no samples"),
        pytest.param(nan_wav(), "NaN", id="NaN"),
        pytest.param(wrong_scale_wav(), r"must lie in \[-1, 1\]", id="never scaled"),
        pytest.param(nine_channels(), "192000 Hz.*9 channels", id="192 kHz and 9 channels"),
        pytest.param(encode(tone(rate=4_000), 4_000), "4000 Hz", id="4 kHz"),
    ],
)
def test_bad_sound_is_refused_in_plain_words(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode_audio(data)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_sound_over_the_limit_is_refused(kind: str) -> None:
    with pytest.raises(InputTooLargeError, match=r"31\.\d s, longer than the limit of 30 s"):
        decode_audio(encode(np.zeros(31 * SAMPLE_RATE, np.float32), kind=kind))


def test_too_long_is_said_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded a sound that is over the limit")

    data = encode(np.zeros(31 * SAMPLE_RATE, np.float32), kind="FLAC")
    monkeypatch.setattr(soundfile.SoundFile, "read", never)
    with pytest.raises(InputTooLargeError):
        decode_audio(data)


def test_a_stream_header_does_not_get_round_the_limit() -> None:
    data = with_data_size(encode(np.zeros(31 * SAMPLE_RATE, np.float32)), 0xFFFFFFFF)
    with pytest.raises(InputTooLargeError):
        decode_audio(data)


@pytest.mark.parametrize("sample_format", list(SampleFormat))
def test_raw_samples_are_taken(sample_format: SampleFormat) -> None:
    stereo = np.stack([tone(rate=44_100)] * 2, axis=1)
    data = (stereo * 32_768).astype("<i2") if sample_format is SampleFormat.PCM16 else stereo.astype("<f4")
    clip = decode_pcm(data.tobytes(), sample_format=sample_format, sample_rate=44_100, channels=2, captured_at=1.5)
    assert clip.captured_at == 1.5
    assert clip.duration_seconds == pytest.approx(0.5, abs=1e-3)
    assert np.abs(clip.samples).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        pytest.param(b"", {}, "empty", id="empty"),
        pytest.param(b"\0\0\0", {}, "cut inside a sample", id="odd bytes"),
        pytest.param(b"\0" * 8, {"sample_rate": 96_000, "channels": 8}, "96000 Hz.*8 channels", id="layout"),
        pytest.param(b"\0" * 8, {"sample_rate": 0}, "0 Hz", id="no rate"),
        pytest.param(b"\0" * 8, {"channels": 0}, "0 channels", id="no channels"),
        pytest.param(b"\0" * (2 * 31 * 8_000), {"sample_rate": 8_000}, "longer than the limit", id="31 s"),
        pytest.param(
            np.array([0, np.inf], "<f4").tobytes(), {"sample_format": SampleFormat.FLOAT32}, "NaN", id="infinity"
        ),
    ],
)
def test_bad_raw_samples_are_refused_in_plain_words(data: bytes, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode_pcm(data, **{"sample_format": SampleFormat.PCM16, "sample_rate": SAMPLE_RATE, **options})


def test_an_infinite_time_is_refused() -> None:
    with pytest.raises(InputError, match="captured_at"):
        decode_audio(WAV, captured_at=float("inf"))


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with pytest.raises(InputError, match=r"cannot read .*talk\.wav"):
        read_audio(path)
    path.write_text("not sound")
    with pytest.raises(InputError, match=r"talk\.wav: this is no WAV"):
        read_audio(path)
    path.write_bytes(WAV)
    assert read_audio(path).duration_seconds == pytest.approx(0.5)
    with pytest.raises(InputTooLargeError, match=r"talk\.wav"):
        read_audio(path, max_seconds=0.2)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingDependencyError, match=r"mien\[voice\]"):
        decode_audio(WAV)


def write_video(path: Path, sound: np.ndarray | None, *, rate: int = 44_100) -> None:
    import av

    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("aac", rate=rate, layout="stereo") if sound is not None else None
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(picture.encode(frame))
        if track is not None:
            stereo = np.ascontiguousarray(np.stack([sound, sound]))
            frame = av.AudioFrame.from_ndarray(stereo, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
        container.mux(picture.encode(None))


def test_the_sound_track_of_a_video_is_read(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="the extra mien[voice] is not installed")
    path = tmp_path / "clip.mp4"
    write_video(path, tone(1.0, 44_100))
    clip = read_sound_track(path, captured_at=5.0)
    assert clip is not None
    assert clip.sample_rate == SAMPLE_RATE
    assert clip.captured_at == pytest.approx(5.0, abs=0.1)
    assert clip.duration_seconds == pytest.approx(1.0, abs=0.1)
    assert dominant_hertz(clip.samples) == pytest.approx(440, abs=4)
    with pytest.raises(InputTooLargeError):
        read_sound_track(path, max_seconds=0.5)


def test_of_two_sound_tracks_the_first_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "two.mka"
    with av.open(str(path), "w", format="matroska") as container:
        tracks = [container.add_stream("flac", rate=SAMPLE_RATE, layout="mono") for _ in range(2)]
        for track, hertz in zip(tracks, (440, 880), strict=True):
            times = np.arange(SAMPLE_RATE) / SAMPLE_RATE
            samples = (0.3 * np.sin(2 * np.pi * hertz * times) * 32_767).astype(np.int16)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
    clip = read_sound_track(path)
    assert clip is not None
    assert dominant_hertz(clip.samples) == pytest.approx(440, abs=4)


def test_a_video_without_sound_has_no_track(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="the extra mien[voice] is not installed")
    path = tmp_path / "silent.mp4"
    write_video(path, None)
    assert read_sound_track(path) is None


def test_a_broken_video_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="the extra mien[voice] is not installed")
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"not a video at all")
    with pytest.raises(InputError, match=r"broken\.mp4"):
        read_sound_track(path)
