"""The Hugging Face engine on tiny random checkpoints: it loads, runs and says what is wrong; what it hears is noise."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from voice.checkpoints import save_wav2vec2, save_whisper
from voice.conftest import silence, sound

from mien import AudioClip, MissingDependencyError, PluginError
from mien.testing import TranscriberConformance
from mien_voice.settings import TransformersSettings
from mien_voice.transcribers.transformers import TransformersTranscriber

pytest.importorskip("torch", reason="the extra mien[transformers] is not installed")

# transformers' own loading code uses what newer versions of its dependencies have announced to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module", params=[save_whisper, save_wav2vec2], ids=["whisper", "wav2vec2"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TransformersTranscriber:
    folder = request.param(tmp_path_factory.mktemp("checkpoint"))
    return TransformersTranscriber(TransformersSettings(checkpoint=str(folder), language="en", offline=True))


class TestConformance(TranscriberConformance):
    odd_inputs = 6

    def test_memory_does_not_grow(self) -> None:  # 21 objects a call at first, 5 after 35 calls
        pytest.skip("PyTorch's own caches fill for longer than a test can look")

    @pytest.fixture
    def transcriber(self, engine: TransformersTranscriber) -> TransformersTranscriber:
        return engine

    @pytest.fixture
    def speech(self, refusal: AudioClip) -> AudioClip:
        return refusal


def test_a_local_checkpoint_gives_words_language_and_confidence(
    engine: TransformersTranscriber, refusal: AudioClip
) -> None:
    transcript = engine.transcribe(refusal)
    assert set(transcript.text) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert (transcript.language, transcript.engine) == ("en", "transformers")
    assert 0.0 < transcript.confidence < 0.5  # it is random, and must not be sure


def test_silence_is_not_given_to_the_model(engine: TransformersTranscriber) -> None:
    assert engine.transcribe(sound(silence(2.0))).confidence == 0.0


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="there is no folder"):
        TransformersTranscriber(TransformersSettings(checkpoint=str(tmp_path / "none")))


def test_a_folder_without_a_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="cannot load the speech-recognition checkpoint"):
        TransformersTranscriber(TransformersSettings(checkpoint=str(tmp_path)))


@pytest.mark.usefixtures("no_network")
def test_offline_asks_no_hub() -> None:
    with pytest.raises(PluginError, match=r"nobody/nothing.*local folder"):
        TransformersTranscriber(TransformersSettings(checkpoint="nobody/nothing", offline=True))


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"mien\[transformers\]"):
        TransformersTranscriber(TransformersSettings())
