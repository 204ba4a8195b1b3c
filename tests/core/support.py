"""Plugins in small, for the tests of the host."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any

from mien import (
    hookimpl,
)
from mien.plugins.host import PluginDescription, PluginHost
from mien.testing import FakeAnalyzer, FakePlugin, analyzer_info

INFO = analyzer_info("face")


def plugin(*names: str, opt_in: bool = False) -> FakePlugin:
    """A plugin with analyzers of these names."""
    return FakePlugin(analyzers={name: (analyzer_info("face", opt_in=opt_in), FakeAnalyzer) for name in names})


def module(**attributes: Any) -> types.ModuleType:
    """A plugin that is a module."""
    made = types.ModuleType("generated")
    vars(made).update(attributes)
    return made


def describe(host: PluginHost, name: str) -> PluginDescription:
    """What the host says of one of its plugins."""
    return next(description for description in host.plugins() if description.name == name)


def raising(error: BaseException) -> Callable[..., None]:
    """A hook that registers an analyzer ``half``, then raises."""

    def mien_register_analyzers(register: Any) -> None:
        register("half", INFO, FakeAnalyzer)
        raise error

    return hookimpl(mien_register_analyzers)


LONG = 60.0
"""Seconds that no call of a test takes."""


class Hang:
    """A call that begins, and returns when it is told to."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.release = threading.Event()

    def __call__(self) -> str:
        self.began.set()
        self.release.wait(LONG)
        return "late"
