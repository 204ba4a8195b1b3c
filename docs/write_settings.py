"""Writes ``docs/settings.md`` from the classes that check the configuration: ``make settings``. A test calls it too."""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mien.config import Settings
from mien_face.settings import FaceSettings
from mien_fusion.settings import FusionPluginSettings
from mien_records.settings import RecordsSettings
from mien_voice.settings import VoiceSettings

PAGE: Final = Path(__file__).with_name("settings.md")
SECTIONS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    *((name, type(table)) for name, table in Settings() if isinstance(table, BaseModel)),
    ("plugins.face", FaceSettings),
    ("plugins.voice", VoiceSettings),
    ("plugins.fusion", FusionPluginSettings),
    ("plugins.records", RecordsSettings),
)
"""Every table of ``mien.toml``, and the class that checks it; tables inside of tables are found by themselves."""

INTRODUCTION: Final = """\
# Settings

Every key of `mien.toml`, which `--config FILE` names. *Written by `make settings` from the classes that check the file;
change the sentences there.*

Each key has a default, so that an empty file, or none, is a configuration. A key that does not exist stops the start,
and so does a value outside its range; the message names the key and what was expected. An installed plugin of somebody
else's has a table `[plugins.<name>]` of its own, which its documentation describes.
"""
_NAMES: Final[Mapping[Any, str]] = {
    date: "date",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "path",
}
_BOUNDS: Final = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}


def page() -> str:
    """The whole page."""
    tables = [table for name, model in SECTIONS for table in _tables(name, model)]
    return "\n".join([INTRODUCTION, *tables])


def _tables(name: str, model: type[BaseModel], note: str = "") -> Iterator[str]:
    """A table and those inside of it."""
    meanings = sentences(model)
    lines = [f"## `[{name}]`{note}", "", *_lead(model), "| key | value | default | meaning |", "|---|---|---|---|"]
    lines += [_row(key, field, meanings.get(key, "")) for key, field in model.model_fields.items()]
    yield "\n".join([*lines, ""])
    for key, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        for each in inner:
            kind = each.model_fields["kind"].default if len(inner) > 1 else ""
            below = f"{name}.{key}.<name>" if get_origin(field.annotation) is dict else f"{name}.{key}"
            yield from _tables(below, each, f", `kind = {json.dumps(kind)}`" if kind else "")


def sentences(model: type[BaseModel]) -> dict[str, str]:
    """Key -> its sentence under ``Attributes:`` of the class's docstring."""
    found: dict[str, str] = {}
    key = ""
    for line in (inspect.getdoc(model) or "").partition("Attributes:\n")[2].splitlines():
        if start := re.match(r"    (\w+): (.*)", line):
            key = start[1]
            found[key] = start[2]
        elif key and line.startswith("        "):
            found[key] += f" {line.strip()}"
        elif line.strip():
            break
    return found


def _lead(model: type[BaseModel]) -> list[str]:
    """What the docstring says of the whole table, behind its name."""
    first = (inspect.getdoc(model) or "").partition("\n\n")[0].replace("\n", " ")
    said = re.sub(r"^(``\[[^\]]*\]``( and )?)+[:.]?\s*", "", first)
    return [_markdown(f"{said[0].upper()}{said[1:]}"), ""] if said else []


def _row(key: str, field: FieldInfo, meaning: str) -> str:
    value = _type(field.annotation)
    entries = "characters" if value == "text" else "entries"
    bounds = ", ".join(_bounds([field, *_inner(field.annotation)], entries))
    cells = (f"`{key}`", f"{value}, {bounds}" if bounds else value, _default(field), _markdown(meaning))
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _type(annotation: Any) -> str:
    """What to write for a value."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, types.UnionType):
        return ", ".join(dict.fromkeys(_type(each) for each in arguments if each is not type(None)))
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, StrEnum)):
        return ", ".join(f"`{json.dumps(str(word))}`" for word in (arguments if origin is Literal else annotation))
    if origin in (tuple, frozenset):
        items = [each for each in arguments if each is not Ellipsis]
        inner = _type(items[0])
        return f"list of {len(items)} ({inner})" if len(items) > 1 else f"list ({inner})"
    if origin is dict:
        inner = _type(arguments[1])
        return "table of names to tables, below" if inner == "table, below" else f"table of names to {inner}s"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table, below"
    return _NAMES[annotation]


def _inner(annotation: Any) -> Iterator[FieldInfo]:
    """What is said of the range of a value that lies inside of another type."""
    for part in get_args(annotation):
        if isinstance(part, FieldInfo):
            yield part
        else:
            yield from _inner(part)


def _bounds(fields: Iterable[FieldInfo], entries: str) -> list[str]:
    """The limits in words; ``entries`` is what the length of a value counts."""
    found: dict[str, None] = {}  # in order, each once
    for field in fields:
        for limit in field.metadata:
            for name, words in _BOUNDS.items():
                if hasattr(limit, name):
                    found.setdefault(words.format(f"{getattr(limit, name):,.10g}"))
            if hasattr(limit, "max_length"):
                found.setdefault(f"at most {limit.max_length} {entries}")
            if hasattr(limit, "min_length"):
                found.setdefault("not empty" if limit.min_length == 1 else f"at least {limit.min_length} {entries}")
    return list(found)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "unset"
    if isinstance(value, BaseModel):
        return "its own"
    return f"`{json.dumps(sorted(value) if isinstance(value, frozenset) else value)}`"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _markdown(text: str) -> str:
    return text.replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
