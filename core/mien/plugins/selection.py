"""What the configuration chooses by name, held against what is registered."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from mien.config import Settings
from mien.errors import ConfigError
from mien.plugins.registry import Registrations

_log = logging.getLogger("mien.plugins.host")


def check_selection(settings: Settings, parts: Registrations, *, left_out: Sequence[str]) -> None:
    """Refuse names of analyzers, of the fuser and of the customer policy that nobody has registered.

    Args:
        settings: The whole configuration.
        parts: What is registered.
        left_out: Plugins that could not be loaded, each with its reason: theirs may be the name.

    Raises:
        ConfigError: A name is not registered; every one is listed, with those that are.
    """
    problems = [
        f"[engine] analyzers names {name!r}, which is not registered; known are: {names_of(parts.analyzers)}"
        for name in settings.engine.analyzers
        if name not in parts.analyzers
    ]
    fusion = settings.fusion
    # The default's absence is no mistake of the configuration; it is told when a score is asked for.
    if "fuser" in fusion.model_fields_set and fusion.fuser not in parts.fusers:
        known = names_of(parts.fusers)
        problems.append(f"[fusion] fuser names {fusion.fuser!r}, which is not registered; known are: {known}")
    policy = settings.session.customer_policy
    if policy not in parts.customer_policies:
        known = names_of(parts.customer_policies)
        problems.append(f"[session] customer_policy names {policy!r}, which is not registered; known are: {known}")
    if problems:
        problems += [f"plugin left out: {failure}" for failure in left_out]
        raise ConfigError("; ".join(problems))


def warn_of_unread_tables(settings: Settings, known: AbstractSet[str]) -> None:
    """Log the tables ``[plugins.<name>]`` that no plugin has read."""
    for section in sorted(set(settings.plugins) - known):
        _log.warning("no plugin reads the table [plugins.%s]; tables read are: %s", section, names_of(known))


def warn_of_unknown_weights(settings: Settings, known: AbstractSet[str]) -> None:
    """Log the weights of modalities that nobody has."""
    for modality in sorted(settings.fusion.weights.keys() - known):
        _log.warning(
            "[fusion] weights names the modality %r, which nobody has; known are: %s", modality, names_of(known)
        )


def names_of(names: Iterable[str]) -> str:
    """Names for a person, in order."""
    return ", ".join(sorted(names)) or "none"
