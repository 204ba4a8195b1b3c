"""``mien models``: what it prints, and its exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from huggingface_hub import constants
from typer.testing import CliRunner, Result
from voice.hub import Hub, serving

import mien_voice.plugin as voice_plugin
from mien.config import parse_settings
from mien.plugins.context import HostContext
from mien.plugins.host import PluginHost
from mien_voice.models import bench
from mien_voice.models.places import Place

REPOSITORY = "Systran/faster-whisper-base.en"
FILES = {"config.json": b"{}", "tokenizer.json": b"{}", "vocabulary.txt": b"a\nb", "model.bin": bytes(5_000)}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with serving(Hub(REPOSITORY, dict(FILES))) as found:
        monkeypatch.setattr(constants, "ENDPOINT", found.address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", found.address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield found


def models(*arguments: str) -> Result:
    settings = parse_settings({})
    host = PluginHost.from_plugins({"voice": voice_plugin}, settings)
    app = typer.Typer()
    voice_plugin.mien_register_commands(app, HostContext(host, settings))
    return CliRunner().invoke(app, ["models", *arguments])


@pytest.mark.usefixtures("hub")
def test_models_are_listed_fetched_verified_and_measured(
    model_place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = models("list").output.splitlines()
    assert next(line for line in before if "tiny.en" in line).startswith("* tiny.en")
    assert next(line for line in before if "base.en" in line).split() == ["base.en", "145", "English", "-", "-"]

    fetched = models("fetch", "base.en")
    assert fetched.exit_code == 0, fetched.output
    assert "base.en is whole: " in fetched.output

    monkeypatch.setattr(bench, "real_time_factor", lambda place, threads: 0.25)
    assert "base.en: 0.25 s of the processor for a second of speech" in models("bench", "base.en").output

    after = models("list").output.splitlines()
    taken = next(line for line in after if "base.en" in line)
    assert taken.startswith("* base.en")
    assert taken.split()[4:6] == ["0.25", "cache:"]

    whole = models("verify")
    assert whole.exit_code == 0
    assert "tiny.en: whole" in whole.output
    next((tmp_path / "hub").rglob("model.bin")).resolve().write_bytes(b"another")
    damaged = models("verify")
    assert damaged.exit_code == 1
    assert "base.en: " in damaged.output
    assert "model.bin is damaged" in damaged.output


@pytest.mark.usefixtures("hub")
def test_a_model_that_is_not_here_cannot_be_verified() -> None:
    done = models("verify", "small.en")
    assert done.exit_code != 0
    assert "small.en is not on this machine: mien models fetch small.en" in str(done.exception)
