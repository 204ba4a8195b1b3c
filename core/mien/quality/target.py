"""Which plugin is to be checked: an installed one by name, a module, or the one of the project that one stands in."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from mien.errors import ConfigError
from mien.plugins.discovery import GROUP, Candidate, find_candidates


@dataclass(frozen=True, slots=True)
class Target:
    """A plugin to load.

    Attributes:
        name: Of its entry point.
        value: What the entry point names, such as ``package.module``.
        version: Of its distribution; empty where it is not installed.
        distribution: The installed package that brought it; empty where there is none.
        path: Folders to look for modules in, before all others.
    """

    name: str
    value: str
    version: str = ""
    distribution: str = ""
    path: tuple[str, ...] = ()


def find_target(name: str | None, folder: Path) -> Target:
    """Find a plugin.

    Args:
        name: Of an installed plugin, or of a module (``package.module`` or ``package.module:object``); None takes the
            plugin that the ``pyproject.toml`` of the folder names.
        folder: Where one stands; modules are looked for there as well.

    Raises:
        ConfigError: There is none.
    """
    installed = {each.description.name: each for each in find_candidates() if isinstance(each.source, EntryPoint)}
    if name is None:
        name, value = _of_project(folder)
        return _installed(installed[name], folder) if name in installed else Target(name, value, path=(str(folder),))
    if name in installed:
        return _installed(installed[name], folder)
    if _is_module(name, folder):
        return Target(name.rpartition(".")[2].partition(":")[0].replace("_", "-"), name, path=(str(folder),))
    known = ", ".join(sorted(installed)) or "none"
    raise ConfigError(f"there is no plugin and no module {name!r}; installed plugins are: {known}")


def _installed(candidate: Candidate, folder: Path) -> Target:
    described, source = candidate.description, candidate.source
    value = source.value if isinstance(source, EntryPoint) else ""
    return Target(described.name, value, described.version, described.distribution, (str(folder),))


def _is_module(name: str, folder: Path) -> bool:
    top = name.partition(":")[0].partition(".")[0]
    if not top.isidentifier():
        return False
    if (folder / top).is_dir() or (folder / f"{top}.py").is_file():
        return True
    try:
        return find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _of_project(folder: Path) -> tuple[str, str]:
    """Name and value of the one entry point that a project has for mien."""
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(
            f"name a plugin: there is no pyproject.toml in {folder}, whose plugin could be checked"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no TOML file: {error}") from None
    entries = project.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if len(entries) != 1:
        listed = ", ".join(sorted(entries)) or "none"
        raise ConfigError(f'name a plugin: {path} has several or none in [project.entry-points."{GROUP}"]: {listed}')
    ((name, value),) = entries.items()
    return str(name), str(value)
