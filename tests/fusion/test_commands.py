"""The commands, from a file of rated sessions to settings that load."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.config import parse_settings

pytest.importorskip("optax", reason="fitting needs mien[train]")
pytest.importorskip("sklearn", reason="calibrating needs mien[train]")


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("sessions") / "sessions.jsonl"
    lines = []
    for _ in range(300):
        face, voice = random.uniform(size=2)
        good = random.uniform() < 1 / (1 + np.exp(-15 * (0.2 * face + 0.8 * voice - 0.5)))
        contributions = {
            name: {"score": float(score), "confidence": 0.8} for name, score in (("face", face), ("voice", voice))
        }
        lines.append(json.dumps({"overall": {"contributions": contributions}, "rating": 5 if good else 1}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    return int(done.value.code or 0)


def test_fit_writes_weights_that_load(sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "weights.toml"
    assert run("fusion", "fit", str(sessions), "--out", str(out)) == 0
    weights = parse_settings(tomllib.loads(out.read_text())).fusion.weights
    assert weights["voice"] > 2 * weights["face"]
    assert "gain +" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--isotonic",)])
def test_calibrate_prints_a_table_that_the_plugin_takes(
    sessions: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    from mien.testing import read_settings
    from mien_fusion.settings import FusionPluginSettings

    assert run("fusion", "calibrate", str(sessions), *options) == 0
    printed = tomllib.loads(capsys.readouterr().out)
    assert read_settings(FusionPluginSettings, printed["plugins"]["fusion"]).calibration is not None


def test_too_few_sessions_end_with_a_message_and_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "few.jsonl"
    path.write_text('{"contributions": {"face": {"score": 1, "confidence": 1}}, "rating": 5}\n', encoding="utf-8")
    assert run("fusion", "fit", str(path)) == 1
    assert "too few rated sessions: 40" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(sessions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fusion", "calibrate", str(sessions), "--out", str(sessions / "no" / "out.toml")) == 1
    assert "cannot write" in capsys.readouterr().err
