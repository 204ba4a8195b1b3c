"""Live capture with a made-up ``sounddevice``: no sound card, no PortAudio, no waiting."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien import MissingDependencyError
from mien.media import microphone
from mien.media.audio import SAMPLE_RATE
from mien.media.microphone import Microphone, MicrophoneError, list_microphones

Callback = Callable[[np.ndarray, int, object, Any], None]
FINE, OVERFLOW = SimpleNamespace(input_overflow=False), SimpleNamespace(input_overflow=True)


class PortAudioError(Exception):
    """As ``sounddevice`` has it."""


class FakeStream:
    """Delivers what the test tells it to, in the test's own thread."""

    def __init__(self, *, samplerate: float, blocksize: int, callback: Callback, **options: Any) -> None:
        self.samplerate, self.blocksize, self.options = samplerate, blocksize, options
        self.active, self.closed = False, False
        self._callback = callback

    def start(self) -> None:
        self.active = True

    def deliver(self, count: int = 1, *, status: object = FINE, level: float = 0.1) -> None:
        for _ in range(count):
            self._callback(np.full((self.blocksize, 1), level, np.float32), self.blocksize, None, status)

    def unplug(self) -> None:
        self.active = False

    def close(self, ignore_errors: bool = True) -> None:
        self.active, self.closed = False, True


class FakeSoundDevice(types.ModuleType):
    """One camera's microphone and one loudspeaker."""

    PortAudioError = PortAudioError
    default = SimpleNamespace(device=(1, 0))

    def __init__(self, *, rates: tuple[float, ...] = (16_000.0,)) -> None:
        super().__init__("sounddevice")
        self.rates = rates
        self.streams: list[FakeStream] = []

    def query_devices(self, device: str | int | None = None, kind: str | None = None) -> Any:
        devices = [
            {"name": "Loudspeaker", "max_input_channels": 0, "default_samplerate": 48_000.0},
            {"name": "USB Camera", "max_input_channels": 2, "default_samplerate": 48_000.0},
        ]
        return devices if kind is None else devices[1]

    def check_input_settings(self, *, samplerate: float, **_: Any) -> None:
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate")

    def InputStream(self, *, device: str | int | None, **options: Any) -> FakeStream:  # noqa: N802 - sounddevice's name
        if device == "nothing":
            raise ValueError("No input device matching 'nothing'")
        self.streams.append(FakeStream(**options))
        return self.streams[-1]


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(microphone, "BLOCK_SECONDS", 0.02)
    monkeypatch.setattr(microphone, "STALL_SECONDS", 0.05)
    return fake


def test_microphones_are_listed_without_loudspeakers(sounddevice: FakeSoundDevice) -> None:
    (found,) = list_microphones()
    assert (found.index, found.name, found.channels, found.is_default) == (1, "USB Camera", 2, True)


def test_what_is_recorded_comes_out_in_order_with_its_times(sounddevice: FakeSoundDevice) -> None:
    with Microphone(start_at=100.0) as mic:
        (stream,) = sounddevice.streams
        stream.deliver(level=0.1)
        stream.deliver(level=0.2)
        first, second = mic.read(), mic.read()
    assert first.sample_rate == SAMPLE_RATE
    assert (first.captured_at, second.captured_at) == (100.0, pytest.approx(100.0 + first.duration_seconds))
    assert (float(first.samples[0]), float(second.samples[0])) == (pytest.approx(0.1), pytest.approx(0.2))
    assert mic.overruns == 0
    assert stream.closed


def test_what_did_not_fit_is_counted_and_leaves_a_gap_in_time(sounddevice: FakeSoundDevice) -> None:
    with Microphone(queue_seconds=0.06) as mic:
        (stream,) = sounddevice.streams
        stream.deliver(5)  # three fit
        assert mic.overruns == 2
        before = [mic.read() for _ in range(3)][-1]
        stream.deliver()
        after = mic.read()
    assert after.captured_at - before.captured_at == pytest.approx(3 * before.duration_seconds)


def test_overflows_that_the_device_reports_are_counted(sounddevice: FakeSoundDevice) -> None:
    with Microphone() as mic:
        sounddevice.streams[0].deliver(2, status=OVERFLOW)
        assert mic.overruns == 2


def test_a_microphone_unplugged_while_recording_is_told(sounddevice: FakeSoundDevice) -> None:
    with Microphone(device="USB") as mic:
        (stream,) = sounddevice.streams
        stream.deliver(2)
        stream.unplug()
        assert len([mic.read(), mic.read()]) == 2
        with pytest.raises(MicrophoneError, match="microphone 'USB' delivers no sound any more; was it unplugged"):
            mic.read()


def test_a_driver_that_only_goes_silent_is_noticed_too(sounddevice: FakeSoundDevice) -> None:
    with Microphone() as mic, pytest.raises(MicrophoneError, match="unplugged"):
        mic.read()


def test_a_device_without_16_khz_is_recorded_at_its_own_rate(sounddevice: FakeSoundDevice) -> None:
    pytest.importorskip("soxr", reason="the extra mien[voice] is not installed")
    sounddevice.rates = (48_000.0,)
    with Microphone() as mic:
        (stream,) = sounddevice.streams
        assert stream.samplerate == 48_000
        stream.deliver(20)
        clips = [mic.read() for _ in range(20)]
    assert {clip.sample_rate for clip in clips} == {SAMPLE_RATE}
    assert sum(clip.duration_seconds for clip in clips) == pytest.approx(20 * 0.02, abs=0.05)


def test_a_microphone_that_does_not_exist_is_told(sounddevice: FakeSoundDevice) -> None:
    with (
        pytest.raises(MicrophoneError, match=r"cannot open microphone 'nothing'.*mien devices"),
        Microphone(device="nothing"),
    ):
        pass


def test_without_portaudio_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> Any:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(microphone, "importlib", SimpleNamespace(import_module=import_module))
    with pytest.raises(MissingDependencyError, match="apt-get install libportaudio2") as caught:
        list_microphones()
    assert "\n" not in str(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependencyError, match=r"mien\[voice\]"):
        list_microphones()
