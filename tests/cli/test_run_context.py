"""What plugins' commands are given: the settings of the run, once it is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from mien import ConfigError, PluginError
from mien.cli.run_context import RunContext
from mien.cli.state import CliState


class Greeting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = "hello"
    times: int = 1


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "mien.toml"


def run_with(config: Path, content: str) -> RunContext:
    config.write_text(content, encoding="utf-8")
    run = RunContext()
    run.begin(CliState(config=config))
    return run


def test_settings_are_those_of_the_configuration_that_was_named(config: Path) -> None:
    run = run_with(config, '[fusion.weights]\nface = 2.0\n[plugins.greeting]\ntext = "good morning"\n')
    assert run.settings("greeting", Greeting) == Greeting(text="good morning")
    assert run.settings("greeting") == {"text": "good morning"}
    assert run.settings("farewell", Greeting) == Greeting()
    assert run.configuration.fusion.weights == {"face": 2.0}


def test_wrong_settings_are_told_with_file_key_value_and_what_is_known(config: Path) -> None:
    run = run_with(config, '[plugins.greeting]\ntxt = "hi"\ntimes = "often"\n')
    with pytest.raises(ConfigError) as caught:
        run.settings("greeting", Greeting)
    message = str(caught.value)
    assert message.startswith(f"[plugins.greeting] of {config} is not valid:")
    assert "txt: there is no such key; known here: text, times" in message
    assert "times: Input should be a valid integer" in message
    assert "(got 'often')" in message


def test_before_the_run_nothing_is_known() -> None:
    with pytest.raises(PluginError, match="when a command runs"):
        RunContext().settings("greeting")
