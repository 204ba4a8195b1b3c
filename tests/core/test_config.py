"""Settings: defaults, and errors that name every wrong key at once."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from mien import ConfigError
from mien.config import Settings, load_settings, parse_settings


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings(None) == Settings() == parse_settings({})


def test_a_file_is_read_and_plugin_tables_pass_unread(tmp_path: Path) -> None:
    path = tmp_path / "mien.toml"
    path.write_text('[engine]\nanalyzers = ["face"]\n[plugins.face]\nanything = { at = ["all"] }\n')
    settings = load_settings(path)
    assert settings.engine.analyzers == ("face",)
    assert settings.plugins == {"face": {"anything": {"at": ["all"]}}}


def test_all_errors_are_told_at_once_each_with_key_value_and_what_was_expected() -> None:
    data = {
        "engine": {"deadline_seconds": -1, "analizers": []},
        "server": {"address": "nowhere"},
        "fusion": {"weights": {"face": -2.0}, "mismatch_policy": "guess"},
        "limits": {"max_batch": 0},
        "privcy": {},
    }
    with pytest.raises(ConfigError) as caught:
        parse_settings(data, source="mien.toml")
    first, *lines = str(caught.value).splitlines()
    assert first == "mien.toml is not a valid configuration:"
    assert len(lines) == 7
    text = "\n".join(lines)
    for part in (
        "engine.deadline_seconds: Input should be greater than 0 (got -1)",
        "engine.analizers: there is no such key; known here: analyzers, deadline_seconds, strict",
        "server.address: expected host:port with a port from 0 to 65535, got 'nowhere'",
        "fusion.weights.face: Input should be greater than or equal to 0 (got -2.0)",
        "fusion.mismatch_policy: Input should be 'blend', 'trust_words', 'trust_face' or 'abstain'",
        "limits.max_batch: Input should be greater than or equal to 1 (got 0)",
        "privcy: there is no such key; known here: client, engine, fusion",
    ):
        assert part in text


def test_a_pair_of_modalities_needs_two_sides() -> None:
    pairs = [[["face"], ["voice", "text"]], [["prosody"], ["face"]]]
    settings = parse_settings({"fusion": {"mismatch_pairs": pairs}})
    assert settings.fusion.mismatch_pairs == ((("face",), ("voice", "text")), (("prosody",), ("face",)))
    for wrong in ([[["face"], []]], [[["face"], ["face", "voice"]]]):
        with pytest.raises(ConfigError, match=r"fusion\.mismatch_pairs: .* two groups of at least one modality"):
            parse_settings({"fusion": {"mismatch_pairs": wrong}})


def test_thresholds_must_be_in_order() -> None:
    with pytest.raises(ConfigError, match=r"poor_threshold must be below good_threshold, got 0\.7 and 0\.6"):
        parse_settings({"fusion": {"poor_threshold": 0.7}})


@pytest.mark.parametrize("address", ["localhost", ":50051", "host:", "host:65536", "host:-1", "host:http"])
def test_addresses_without_a_host_and_a_port_are_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="expected host:port"):
        parse_settings({"server": {"address": address}})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "soon", None, []])
def test_a_deadline_must_be_a_number_of_seconds(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"engine\.deadline_seconds"):
        parse_settings({"engine": {"deadline_seconds": value}})


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[engine", "is not valid TOML"), (b"\xff\xfe", "is not valid TOML"), (b"engine = 3", "engine: ")],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mien.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings(path)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*gone\.toml: No such file"):
        load_settings(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(tmp_path)


def test_settings_cannot_be_changed_once_they_are_made() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().engine.strict = True


TOML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)


KEYS = [
    (table, key)
    for table, kind in typing.get_type_hints(Settings).items()
    if isinstance(kind, type) and issubclass(kind, BaseModel)
    for key in kind.model_fields
]


def refusal(data: dict[str, Any]) -> str:
    """Why the settings were refused; empty where they were taken. Anything but a ConfigError passes through."""
    try:
        parse_settings(data)
    except ConfigError as error:
        return str(error)
    return ""


@given(table=st.sampled_from(sorted(Settings.model_fields)), key=st.text(min_size=1, max_size=8), value=TOML_VALUES)
def test_any_content_of_a_file_is_taken_or_refused_with_its_key(table: str, key: str, value: Any) -> None:
    assume(table != "plugins" and key not in Settings.model_fields and (table, key) not in KEYS)
    assert "there is no such key" in refusal({table: {key: value}})
    assert "there is no such key" in refusal({key: value})
    if not isinstance(value, dict):
        assert f"{table}: " in refusal({table: value})


@given(key=st.sampled_from(KEYS), value=TOML_VALUES)
def test_any_value_of_a_known_key_is_taken_or_refused_with_its_key(key: tuple[str, str], value: Any) -> None:
    reason = refusal({key[0]: {key[1]: value}})
    assert not reason or f"{key[0]}.{key[1]}" in reason or "poor_threshold must be below" in reason
