"""Finds installed plugins and takes each in by itself, so that a broken one is reported by name and costs only itself.

A plugin gets a pluggy manager of its own: its hooks are checked and called alone. What it registers counts only if
everything about it is right.
"""

from __future__ import annotations

import difflib
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Final

import pluggy

from mien import hookspecs
from mien.errors import ConfigError, MienError, MissingDependencyError, PluginError
from mien.hookspecs import PROJECT, PluginContext
from mien.interfaces import API_VERSION
from mien.plugins.guard import CallKind, Deadlines, Guard, PluginCallError, log_raised
from mien.plugins.parts import PART_TYPES
from mien.plugins.registry import PluginDescription, PluginState, Registrar, Registrations
from mien.plugins.slots import explain, outspoken
from mien.plugins.versions import agreed_version

GROUP: Final = f"{PROJECT}.plugins"
"""The entry-point group that plugins are found by."""

BUILT_IN: Final = PROJECT
"""Whose the parts are that the core registers itself."""

_BUILT_IN_MODULE: Final = f"{PROJECT}.builtin"
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
    owners: dict[str, str] = {}
    candidates = []
    for candidate in sorted(_all_candidates(), key=_order):
        name, distribution = candidate.description.name, candidate.description.distribution
        if name in owners:
            candidate = _fail(
                candidate.description,
                f"there are two plugins named {name!r}: the one of distribution {owners[name]!r} was taken, "
                f"the one of {distribution!r} left out; uninstall one of them",
            )
        owners.setdefault(name, distribution)
        candidates.append(candidate)
    return candidates


def given_candidates(plugins: Mapping[str, object]) -> list[Candidate]:
    """Plugins that the caller holds already, by name."""
    return [Candidate(PluginDescription(name=name), plugins[name]) for name in sorted(plugins)]


def load_built_in(context: PluginContext, deadlines: Deadlines) -> Registrations:
    """What the core itself registers, taken in as a plugin's is; no description lists it.

    Raises:
        PluginError: It is broken.
    """
    entry_point = EntryPoint(name=BUILT_IN, value=_BUILT_IN_MODULE, group=GROUP)
    loaded = load_plugin(Candidate(PluginDescription(name=BUILT_IN), entry_point), context, Registrations(), deadlines)
    if loaded.added is None:
        raise PluginError(f"mien's own parts could not be loaded: {loaded.description.reason}")
    return loaded.added


def load_plugin(
    candidate: Candidate, context: PluginContext, taken: Registrations, deadlines: Deadlines
) -> LoadedPlugin:
    """Import one plugin, check it and let it register, in a thread that is given up on where that takes too long.

    A stuck import holds the import locks of its own modules and no others.

    Args:
        candidate: The plugin.
        context: What it is given.
        taken: What earlier plugins have registered; left unchanged.
        deadlines: How long its calls may take, here and later.

    Returns:
        The loaded plugin, or its description with state FAILED or UNAVAILABLE and the reason.
    """
    description = candidate.description
    if description.state is PluginState.FAILED:
        return LoadedPlugin(description)
    guard = Guard(f"plugin {description.name!r}", deadlines, threads=1)
    registrar = Registrar(description.name, taken, deadlines)
    try:
        manager, version = guard.call(CallKind.IMPORT, outspoken(partial(_take_in, candidate.source, description.name)))
        added = guard.call(CallKind.REGISTER, partial(_register, manager, registrar, context))
    except PluginCallError as error:
        doing = "its import" if error.call is CallKind.IMPORT else "its registration"
        return LoadedPlugin(_fail(description, f"{doing} failed: {error.reason}").description)
    except MissingDependencyError as error:
        return LoadedPlugin(replace(description, state=PluginState.UNAVAILABLE, reason=explain(error)))
    except MienError as error:
        return LoadedPlugin(_fail(description, explain(error)).description)
    finally:
        guard.close()
    hooks = tuple(sorted(caller.name for caller in manager.get_hookcallers(manager.get_plugin(description.name)) or ()))
    known = replace(description, api_version=version, hooks=hooks, **added.names())
    return LoadedPlugin(known, manager, added)


def _all_candidates() -> Iterator[Candidate]:
    """Those of each distribution, read one by one, since one whose metadata is broken must not hide the others."""
    seen: set[str] = set()
    for distribution in distributions():
        if not _may_have_plugins(distribution):
            continue
        name, version = _field(distribution, "Name"), _field(distribution, "Version")
        if name and name in seen:  # further along the path, so it cannot be imported
            continue
        seen.add(name)
        try:
            found = list(distribution.entry_points.select(group=GROUP))
        except Exception as error:
            description = PluginDescription(name=name or "unknown", version=version, distribution=name)
            yield _fail(description, f"the metadata of its distribution is broken: {explain(error)}")
            continue
        for entry_point in found:
            description = PluginDescription(name=entry_point.name, version=version, distribution=name)
            yield Candidate(description, entry_point)


def _may_have_plugins(distribution: Distribution) -> bool:
    """Whether it is worth a closer look, found out quickly: there may be hundreds of distributions."""
    try:
        return GROUP in (distribution.read_text("entry_points.txt") or "")
    except Exception:  # it cannot be told, so the closer look will
        return True


def _field(distribution: Distribution, name: str) -> str:
    """A field of the metadata; empty where there is none, or no metadata that could be read."""
    try:
        return str(distribution.metadata[name] or "")
    except Exception:  # nothing rests on it but what is shown
        return ""


def _fail(description: PluginDescription, reason: str) -> Candidate:
    return Candidate(replace(description, state=PluginState.FAILED, reason=reason), None)


def _order(candidate: Candidate) -> tuple[str, bool, str]:
    description = candidate.description
    return description.name, description.distribution != PROJECT, description.distribution


def _take_in(source: object, name: str) -> tuple[pluggy.PluginManager, int]:
    """Import a plugin and check it: its manager, and the version of the contract that it is spoken to in.

    A plugin object can raise wherever it is looked at.
    """
    plugin = _import(source)
    version = agreed_version(getattr(plugin, "MIEN_API_VERSION", API_VERSION), plugin=repr(name))
    return _check_hooks(plugin, name), version


def _import(source: object) -> object:
    if not isinstance(source, EntryPoint):
        return source
    if not EntryPoint.pattern.match(source.value):
        raise PluginError(f"its entry point {source.value!r} names no module, as 'package.module' or 'module:object'")
    try:
        return source.load()
    except BaseException as error:
        log_raised(f"the import of {source.value!r}", error)
        raise PluginError(f"{source.value!r} could not be imported: {explain(error)}") from error


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


def _register(manager: pluggy.PluginManager, registrar: Registrar, context: PluginContext) -> Registrations:
    for kind, part_type in PART_TYPES.items():
        try:
            _call(part_type.hook, manager, register=registrar.callback(kind), context=context)
        except PluginError:
            if registrar.problems:
                break
            raise
    if registrar.problems:
        raise PluginError("; ".join(registrar.problems))
    return registrar.added


def _call(hook: str, manager: pluggy.PluginManager, **arguments: object) -> None:
    try:
        getattr(manager.hook, hook)(**arguments)
    except MissingDependencyError:
        raise
    except ConfigError as error:
        raise PluginError(f"its settings are wrong: {explain(error)}") from error
    except BaseException as error:
        log_raised(hook, error)
        raise PluginError(f"{hook} raised {explain(error)}") from error
