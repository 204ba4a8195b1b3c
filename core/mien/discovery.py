"""Finds installed plugins and takes each in by itself, so that a broken one is reported by name and costs only itself.

A plugin gets a pluggy manager of its own: its hooks are checked and called alone. What it registers counts only if
everything about it is right.
"""

from __future__ import annotations

import difflib
import inspect
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import pluggy

from mien import hookspecs
from mien.errors import ConfigError, PluginError
from mien.hookspecs import PROJECT, PluginContext
from mien.interfaces import API_VERSION
from mien.registry import PluginDescription, PluginState, Registrar, Registrations, explain

GROUP: Final = f"{PROJECT}.plugins"
"""The entry-point group that plugins are found by."""

_PREFIX: Final = f"{PROJECT}_"
_HOOKS: Final = frozenset(name for name in vars(hookspecs) if name.startswith(_PREFIX))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An installed plugin that has not been imported.

    Attributes:
        description: Name, version and distribution; LOADED unless its name is taken.
        source: The entry point, or the plugin itself where it was given directly.
    """

    description: PluginDescription
    source: object


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """What became of a candidate: its description, and its hooks and registrations where it could be loaded."""

    description: PluginDescription
    manager: pluggy.PluginManager | None = None
    added: Registrations | None = None


def find_candidates() -> list[Candidate]:
    """All installed plugins by name; of several with one name only mien's own, or the first distribution's, counts."""
    found = sorted(entry_points(group=GROUP), key=_order)
    owners: dict[str, str] = {}
    candidates = []
    for entry_point in found:
        distribution = entry_point.dist.name if entry_point.dist else ""
        description = PluginDescription(
            name=entry_point.name,
            version=entry_point.dist.version if entry_point.dist else "",
            distribution=distribution,
        )
        if entry_point.name in owners:
            reason = (
                f"there are two plugins named {entry_point.name!r}: the one of distribution "
                f"{owners[entry_point.name]!r} was taken, the one of {distribution!r} left out; uninstall one of them"
            )
            description = replace(description, state=PluginState.FAILED, reason=reason)
        owners.setdefault(entry_point.name, distribution)
        candidates.append(Candidate(description, entry_point))
    return candidates


def given_candidates(plugins: Mapping[str, object]) -> list[Candidate]:
    """Plugins that the caller holds already, by name."""
    return [Candidate(PluginDescription(name=name), plugins[name]) for name in sorted(plugins)]


def load_plugin(candidate: Candidate, context: PluginContext, taken: Registrations) -> LoadedPlugin:
    """Import one plugin, check it and let it register.

    Args:
        candidate: The plugin.
        context: What it is given.
        taken: What earlier plugins have registered; left unchanged.

    Returns:
        The loaded plugin, or its description with state FAILED and the reason. Only ``KeyboardInterrupt`` passes.
    """
    description = candidate.description
    if description.state is PluginState.FAILED:
        return LoadedPlugin(description)
    try:
        plugin = _import(candidate.source)
        _check_version(plugin)
        manager = _check_hooks(plugin, description.name)
        added = _register(manager, description.name, context, taken)
    except PluginError as error:
        return LoadedPlugin(replace(description, state=PluginState.FAILED, reason=str(error)))
    description = replace(
        description,
        analyzers=tuple(sorted(added.analyzers)),
        fusers=tuple(sorted(added.fusers)),
        transcribers=tuple(sorted(added.transcribers)),
    )
    return LoadedPlugin(description, manager, added)


def _order(entry_point: EntryPoint) -> tuple[str, bool, str, str]:
    distribution = entry_point.dist.name if entry_point.dist else ""
    return entry_point.name, distribution != PROJECT, distribution, entry_point.value


def _import(source: object) -> object:
    if not isinstance(source, EntryPoint):
        return source
    try:
        return source.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{source.value!r} could not be imported: {explain(error)}") from error


def _check_version(plugin: object) -> None:
    wanted = getattr(plugin, "MIEN_API_VERSION", API_VERSION)
    if wanted != API_VERSION:
        raise PluginError(
            f"it was written for version {wanted!r} of the plugin contract, and this mien has version {API_VERSION}; "
            "install a version of the plugin that fits"
        )


def _check_hooks(plugin: object, name: str) -> pluggy.PluginManager:
    """A manager with the plugin alone in it, all of whose hooks exist and are marked."""
    if inspect.isclass(plugin):
        raise PluginError(f"the entry point names the class {plugin.__name__!r}; name a module or an instance")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    for attribute in sorted(attribute for attribute in dir(plugin) if attribute.startswith(_PREFIX)):
        value = inspect.getattr_static(plugin, attribute)
        if attribute not in _HOOKS and callable(value) and not isinstance(value, types.ModuleType):
            raise PluginError(f"there is no hook {attribute!r}{_suggestion(attribute)}")
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(f"its hooks do not fit: {explain(error)}") from error
    implemented = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
    for attribute in sorted(_HOOKS & set(dir(plugin)) - implemented):
        raise PluginError(f"its function {attribute!r} lacks the decorator @mien.hookimpl")
    if not implemented:
        raise PluginError(f"it implements no hook; there are {', '.join(sorted(_HOOKS))}")
    return manager


def _suggestion(attribute: str) -> str:
    close = difflib.get_close_matches(attribute, _HOOKS, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(_HOOKS))}"


def _register(manager: pluggy.PluginManager, name: str, context: PluginContext, taken: Registrations) -> Registrations:
    registrar = Registrar(name, taken)
    calls: Iterable[tuple[str, Any]] = (
        ("mien_register_analyzers", registrar.add_analyzer),
        ("mien_register_fusers", registrar.add_fuser),
        ("mien_register_transcribers", registrar.add_transcriber),
    )
    for hook, register in calls:
        try:
            getattr(manager.hook, hook)(register=register, context=context)
        except ConfigError as error:
            raise PluginError(f"its settings are wrong: {explain(error)}") from error
        except (Exception, SystemExit) as error:
            if registrar.problems:
                break
            raise PluginError(f"{hook} raised {explain(error)}") from error
    if registrar.problems:
        raise PluginError("; ".join(registrar.problems))
    return registrar.added
