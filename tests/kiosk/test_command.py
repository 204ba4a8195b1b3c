"""``mien kiosk`` as its users run it: a process of its own, the example configurations, the real face network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from mien.cli import main
from mien.config import load_settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "kiosk"
THANKS = ROOT / "examples" / "media" / "thanks.flac"
FACE_WEIGHTS = ROOT / "plugins" / "face" / "mien_face" / "weights" / "expression.safetensors"
TONE_WEIGHTS = ROOT / "plugins" / "voice" / "mien_voice" / "weights" / "tone.safetensors"
MIEN = [sys.executable, "-c", "from mien.cli import main; main()", "kiosk"]
SECONDS = 300
"""For a whole process on a busy machine."""

needs_face = pytest.mark.skipif(not FACE_WEIGHTS.exists(), reason="the face network's weights are not in the tree")


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [*MIEN, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.timeout(SECONDS)
@needs_face
def test_face_only_follows_a_portrait_and_records_it(portrait_video: Path, tmp_path: Path) -> None:
    done = run(
        *("--config", EXAMPLES / "face_only.toml", "--consent", "notice_shown"),
        *("--video", portrait_video, "--fast", "--json"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    started, *updates, summary = events(done.stdout)
    assert (started["event"], started["analyzers"]) == ("started", ["face"])
    assert {update["event"] for update in updates} == {"update"}
    assert (summary["event"], summary["end"], summary["snapshots"]) == ("summary", "closed", len(updates))
    assert len(updates) >= 8, "more than two pictures a second"
    assert max(summary["emotion_percentages"], key=summary["emotion_percentages"].get) == "happy"
    assert summary["overall"]["score"] > 0.5
    [recorded] = events((tmp_path / "mien-records" / "face-only.jsonl").read_text())
    assert (recorded["kind"], recorded["session_id"], recorded["source"]) == (
        "summary",
        started["session_id"],
        "till 1",
    )
    assert 0.0 < recorded["summary"]["conditions"]["brightness"] < 1.0


@pytest.mark.timeout(SECONDS)
@needs_face
@pytest.mark.skipif(not TONE_WEIGHTS.exists(), reason="the tone network's weights are not in the tree")
@pytest.mark.skipif(
    "voice" not in {found.name for found in entry_points(group="mien.plugins")},
    reason="the voice plugin is not installed",
)
def test_face_and_voice_hears_what_is_said_and_withholds_the_words(portrait_video: Path, tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="speech needs mien[voice]")
    done = run(
        *("--config", EXAMPLES / "face_and_voice.toml", "--consent", "given"),
        *("--video", portrait_video, "--audio", THANKS, "--fast", "--json"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = events(done.stdout)
    summary = found[-1]
    assert (summary["event"], summary["utterances"]) == ("summary", 1)
    assert set(summary["overall"]["contributions"]) == {"face", "voice"}
    heard = [
        p for event in found if event["event"] == "update" for p in event["predictions"] if p["modality"] == "voice"
    ]
    assert [(p["evidence"]["text"], p["evidence"]["redacted"]) for p in heard] == [("", True)]


@pytest.mark.timeout(SECONDS)
@needs_face
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_with_the_summary(portrait_video: Path, tmp_path: Path, number: signal.Signals) -> None:
    command = [*MIEN, "--config", str(EXAMPLES / "face_only.toml"), "--consent", "given", "--json"]
    video = os.fspath(portrait_video)
    with subprocess.Popen(
        [*command, "--video", video], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = [json.loads(process.stdout.readline())]
        while first[-1]["event"] in ("started", "notice"):  # a busy machine may drop pictures, and say so
            first.append(json.loads(process.stdout.readline()))
        process.send_signal(number)
        rest, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    assert (first[0]["event"], first[-1]["event"]) == ("started", "update")
    assert events(rest)[-1]["event"] == "summary"
    assert "Traceback" not in errors


@pytest.mark.parametrize("name", ["face_only.toml", "face_and_voice.toml"])
def test_the_examples_are_valid_and_ask_for_a_consent(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings(EXAMPLES / name)
    assert settings.privacy.require_consent
    assert settings.kiosk.consent == "unspecified"
    with pytest.raises(SystemExit) as exit_:
        main(["kiosk", "--config", str(EXAMPLES / name)])
    assert exit_.value.code == 2
    assert "people must be told before a kiosk follows them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--audio", "a.wav"], "--audio goes with --video"),
        (["--video", "a.avi", "--camera", "1"], "--video stands in for camera"),
        (["--fast"], "--fast goes with --video"),
        (["--video", "a.avi", "--fast", "--server", "127.0.0.1:1"], "--fast goes with --video, and without --server"),
        (["--consent", "perhaps"], "expected notice_shown or given"),
        (["--json", "--view", "lines"], "--json is --view json"),
        (["--consent", "given", "--view", "opera"], "there is no view 'opera' for --view"),
        (["--consent", "given", "--view", "opera"], "known are: json, lines, terminal"),
        ([], "people must be told"),
    ],
)
def test_wrong_usage_is_said_in_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["kiosk", *arguments])
    assert exit_.value.code == 2
    assert words in capsys.readouterr().err


def test_the_configuration_names_a_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mien.toml").write_text('[kiosk]\nview = "opera"\nconsent = "given"\n')
    with pytest.raises(SystemExit) as exit_:
        main(["--config", str(tmp_path / "mien.toml"), "kiosk"])
    assert exit_.value.code == 2
    assert "there is no view 'opera'" in capsys.readouterr().err


def test_a_video_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["kiosk", "--consent", "given", "--video", str(tmp_path / "gone.avi")])
    assert exit_.value.code == 1
    assert "gone.avi: there is no such file" in capsys.readouterr().err
