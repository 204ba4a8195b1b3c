"""The embedded recogniser in a process of its own: the same answers, and nothing of it left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from mien import AudioClip, InputError, PluginError
from mien.testing import TranscriberConformance
from mien_pocketsphinx import isolated
from mien_pocketsphinx.isolated import IsolatedPocketSphinx
from mien_pocketsphinx.transcriber import PocketSphinxTranscriber


@pytest.fixture(scope="module")
def child() -> Iterator[IsolatedPocketSphinx]:
    found = IsolatedPocketSphinx()
    yield found
    found.close()


@pytest.fixture(scope="class")
def transcriber() -> Iterator[IsolatedPocketSphinx]:
    """One of its own, because the suite closes it."""
    found = IsolatedPocketSphinx()
    yield found
    found.close()


class TestConformance(TranscriberConformance):
    @pytest.fixture
    def speech(self, few_words: AudioClip) -> AudioClip:
        return few_words


def test_it_answers_the_same_from_another_process(
    child: IsolatedPocketSphinx, recognizer: PocketSphinxTranscriber, refusal: AudioClip
) -> None:
    assert child.process_id not in (None, os.getpid())
    later = AudioClip(refusal.samples, refusal.sample_rate, captured_at=50.0)
    assert child.transcribe(later) == recognizer.transcribe(later)


def test_what_it_refuses_is_the_callers_mistake(child: IsolatedPocketSphinx) -> None:
    with pytest.raises(InputError, match="16000 Hz, got 8000"):
        child.transcribe(AudioClip(np.zeros(8_000, np.float32), 8_000))


def test_a_child_that_dies_costs_one_utterance(child: IsolatedPocketSphinx, refusal: AudioClip) -> None:
    died = child.process_id
    assert died is not None
    psutil.Process(died).kill()
    with pytest.raises(PluginError, match="it is started again"):
        child.transcribe(refusal)
    assert child.transcribe(refusal).text == "no i do not want to pay for this"
    assert child.process_id != died


def test_closing_ends_the_child_and_refuses_what_comes() -> None:
    closed = IsolatedPocketSphinx()
    process = closed.process_id
    assert process is not None
    closed.close()
    closed.close()
    assert not psutil.pid_exists(process)
    with pytest.raises(PluginError, match="is closed"):
        closed.transcribe(AudioClip(np.zeros(16_000, np.float32), 16_000))


def test_a_child_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "WORKER", "mien_pocketsphinx.no_such_module")
    with pytest.raises(PluginError, match="could not start"):
        IsolatedPocketSphinx()
