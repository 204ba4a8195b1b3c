"""Which version of the plugin contract a plugin and this host speak: the highest that both know.

A plugin states one version, or the oldest and the newest that it was tested with: ``MIEN_API_VERSION = (1, 2)``. What
each version is, and for how long one is kept, is in ``docs/plugin-versions.md``.
"""

from __future__ import annotations

import logging
from typing import Final, TypeGuard

from mien.errors import PluginError
from mien.interfaces import API_VERSION, OLDEST_API_VERSION

WARNED_VERSIONS: Final[frozenset[int]] = frozenset()
"""Versions that the next minor release will no longer know."""

_log = logging.getLogger("mien.plugins")


def agreed_version(
    stated: object,
    *,
    plugin: str = "it",
    oldest: int = OLDEST_API_VERSION,
    newest: int = API_VERSION,
    warned: frozenset[int] = WARNED_VERSIONS,
) -> int:
    """The version to speak with a plugin.

    Args:
        stated: Its ``MIEN_API_VERSION``: a number, or the oldest and newest that it knows.
        plugin: What to call it in a warning.
        oldest: The oldest version that this host knows.
        newest: The newest.
        warned: Those that will go; a plugin that gets no other is told.

    Raises:
        PluginError: It is none of the two, or no version is common.
    """
    low, high = _range(stated)
    version = min(high, newest)
    if version < max(low, oldest):
        host = f"versions {oldest} to {newest}" if oldest != newest else f"version {newest}"
        wanted = f"versions {low} to {high}" if low != high else f"version {low}"
        raise PluginError(
            f"it was written for {wanted} of the plugin contract, and this mien has {host}; "
            "install a version of the plugin that fits"
        )
    if version in warned:
        _log.warning(
            "plugin %s speaks version %d of the plugin contract, which the next minor release of mien will not know; "
            "ask its makers for one that speaks version %d",
            plugin,
            version,
            newest,
        )
    return version


def _range(stated: object) -> tuple[int, int]:
    if _is_version(stated):
        return stated, stated
    if isinstance(stated, tuple | list) and len(stated) == 2 and all(_is_version(each) for each in stated):
        low, high = stated
        if low <= high:
            return low, high
    raise PluginError(f"its MIEN_API_VERSION is {stated!r}; expected a number, or (oldest, newest), from 1 on")


def _is_version(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 1
