"""Writes a new plugin's package from the templates: those that every kind has, and those of its own kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from mien.errors import ConfigError
from mien.interfaces import API_VERSION

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""What a plugin's name may look like; its package is ``mien_`` and the name with ``_``."""

_TEMPLATES: Final = "templates"
_SUFFIX: Final = ".tmpl"
_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")
_MAX_NAME: Final = 40
_MAX_TEXT: Final = 80


class PluginKind(StrEnum):
    """What the new plugin registers."""

    ANALYZER = "analyzer"
    FUSER = "fuser"
    TRANSCRIBER = "transcriber"
    SINK = "sink"
    DETECTOR = "detector"
    BACKEND = "backend"
    COMMAND = "command"


class Accepts(StrEnum):
    """What a new analyzer is given."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is asked of whoever begins a plugin.

    Attributes:
        name: Of the plugin: ``smileys``.
        kind: What it registers.
        description: One line.
        author: Name for the package's metadata.
        license: SPDX expression.
        modality: Of an analyzer's predictions.
        accepts: What an analyzer is given.
    """

    name: str
    kind: PluginKind = PluginKind.ANALYZER
    description: str = ""
    author: str = ""
    license: str = "Apache-2.0"
    modality: str = ""
    accepts: Accepts = Accepts.TEXT

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name) or len(self.name) > _MAX_NAME:
            raise ConfigError(
                f"{self.name!r} is no name for a plugin: expected a-z first, then a-z and 0-9, words joined by '-', "
                f"up to {_MAX_NAME} characters"
            )
        for field in ("description", "author", "license", "modality"):
            value = getattr(self, field)
            if any(character in value for character in '"\\\n\r{}'):
                raise ConfigError(f"{field} {value!r} must be one line without quotes, backslashes and braces")
            if len(value) > _MAX_TEXT:
                raise ConfigError(f"{field} must have {_MAX_TEXT} characters at most, got {len(value)}")

    @property
    def package(self) -> str:
        """Of the Python package: ``mien_smileys``."""
        return f"mien_{self.name.replace('-', '_')}"

    @property
    def distribution(self) -> str:
        """Of the distribution: ``mien-smileys``."""
        return f"mien-{self.name}"

    def places(self) -> dict[str, str]:
        """Place in a template -> what stands there."""
        description = self.description or f"a mien {self.kind.value}"
        return {
            "name": self.name,
            "package": self.package,
            "distribution": self.distribution,
            "kind": self.kind.value,
            "description": description[:1].lower() + description[1:].rstrip("."),
            "summary": description[:1].upper() + description[1:].rstrip("."),
            "author": self.author or "The authors",
            "license": self.license,
            "modality": self.modality
            or {Accepts.TEXT: "text", Accepts.IMAGE: "face", Accepts.AUDIO: "voice"}[self.accepts],
            "accepts": self.accepts.value.upper(),
            "api_version": str(API_VERSION),
        }


def write_project(project: Project, folder: Path) -> list[Path]:
    """Write the package.

    Args:
        project: What it is.
        folder: Made for it; may exist if it is empty.

    Returns:
        The files, relative to the folder, in order.

    Raises:
        ConfigError: The folder is not empty, or cannot be written to.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not empty; name another folder with --out")
    rendered = render(project)
    try:
        for path, text in rendered.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror}") from error
    return sorted(rendered)


def render(project: Project) -> dict[Path, str]:
    """Path in the package -> text."""
    root = files("mien.scaffold") / _TEMPLATES
    kind: str = project.kind.value
    if project.kind is PluginKind.ANALYZER:
        kind = f"{kind}_{project.accepts.value}"
    places = project.places()
    found: dict[Path, str] = {}
    for folder in ("common", project.kind.value, kind):
        for path, source in _templates(root / folder):
            found[Path(_filled(path, places))] = _filled(source.read_text(encoding="utf-8"), places)
    return found


def _templates(folder: Traversable, before: str = "") -> list[tuple[str, Traversable]]:
    """The templates below a folder, with their paths as they will be."""
    found: list[tuple[str, Traversable]] = []
    if not folder.is_dir():
        return found
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{before}{each.name}"
        if each.is_dir():
            found += _templates(each, f"{path}/")
        elif each.name.endswith(_SUFFIX):
            found.append((path.removesuffix(_SUFFIX).replace("dot-", "."), each))
    return found


def _filled(text: str, places: dict[str, str]) -> str:
    return _PLACE.sub(lambda match: places[match[1]], text)
