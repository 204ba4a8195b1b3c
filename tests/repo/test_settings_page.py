"""``docs/settings.md`` is what the classes say, and they say something of every key."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from mien.config import Settings

SCRIPT = Path(__file__).resolve().parents[2] / "docs/write_settings.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_settings", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WRITER = load()


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """A model and every model inside of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(annotation):
        yield from models(part)


MODELS = list(dict.fromkeys(each for _, model in WRITER.SECTIONS for each in models(model)))


def test_the_page_is_current() -> None:
    assert WRITER.page() == WRITER.PAGE.read_text(encoding="utf-8"), "run `make settings`"


def test_every_table_of_mien_and_its_plugins_is_on_the_page() -> None:
    names = {name for name, _ in WRITER.SECTIONS}
    assert set(Settings.model_fields) - {"plugins"} <= names
    assert {"plugins.face", "plugins.fusion", "plugins.records", "plugins.voice"} <= names
    page = WRITER.PAGE.read_text(encoding="utf-8")
    assert all(f"## `[{name}]`" in page for name in names)
    assert "## `[plugins.records.sqlite]`" in page, "tables inside of tables too"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_has_a_sentence_and_every_sentence_a_key(model: type[BaseModel]) -> None:
    said = WRITER.sentences(model)
    assert set(said) == set(model.model_fields), f"the docstring of {model.__name__} lists its keys under Attributes:"
    assert all(sentence.endswith((".", ")")) for sentence in said.values())
