"""Asks the analyzers what they run on, once they are warm. A plugin that cannot say costs itself that line."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from mien.errors import MienError
from mien.interfaces import AnalyzerRuntime
from mien.plugins.guard import CallKind
from mien.plugins.host import PluginHost
from mien.plugins.parts import PartKind

_log = logging.getLogger("mien.service")


async def runtimes_of(host: PluginHost, analyzers: Iterable[str]) -> dict[str, AnalyzerRuntime]:
    """Analyzer -> what it runs on, of those that said so."""
    found = {}
    for name in sorted(analyzers):
        guard = host.guard(name, PartKind.ANALYZER)
        try:
            found[name] = await guard.acall(CallKind.TELL, lambda name=name: _copied(host.analyzer(name).runtime()))  # type: ignore[misc]
        except MienError as error:
            _log.warning("analyzer %r does not say what it runs on: %s", name, error)
    return found


def _copied(runtime: AnalyzerRuntime) -> AnalyzerRuntime:
    """One of plain values; raises where a plugin's is none."""
    return AnalyzerRuntime(
        weights_sha256={str(name): str(digest) for name, digest in runtime.weights_sha256.items()},
        backend=str(runtime.backend),
        batch_sizes=tuple(int(size) for size in runtime.batch_sizes),
    )
