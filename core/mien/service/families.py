"""Metrics of what is counted anyway, made whenever Prometheus asks: plugins, sinks, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import mien
from mien.plugins.host import PluginHost, PluginState
from mien.plugins.sinks import Sinks
from mien.service.limits import Gate, GateState
from mien.service.metrics import counted, gauged

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


def server_families(host: PluginHost, sinks: Sinks, gate: Gate) -> Iterator[Metric]:
    """What a server knows of itself at this moment. Called on the thread that answers Prometheus."""
    yield gauged("mien_build_info", "Always 1.", ("version",), {(mien.__version__,): 1.0})
    yield gauged("mien_serving", "Whether calls are let in.", (), {(): float(gate.state is GateState.OPEN)})
    yield gauged("mien_sessions", "Sessions and streams that are open.", (), {(): float(gate.streams)})
    guards = [(plugin.name, guard) for plugin in host.plugins() for guard in host.guards(plugin.name)]
    healthy: dict[tuple[str, ...], float] = {
        (plugin.name,): float(
            plugin.state is PluginState.LOADED and all(guard.healthy for guard in host.guards(plugin.name))
        )
        for plugin in host.plugins()
    }
    yield gauged("mien_plugin_healthy", "Whether no call into it is stuck.", ("plugin",), healthy)
    failures: dict[tuple[str, ...], float] = {
        (plugin, guard.part, call.value, state.value): float(count)
        for plugin, guard in guards
        for (call, state), count in guard.failures.items()
    }
    labels = ("plugin", "part", "call", "state")
    yield counted("mien_plugin_failures", "Calls into plugins that did not give what they should.", labels, failures)
    failed: dict[tuple[str, ...], float] = {(sink,): float(count) for sink, count in sinks.failures.items()}
    yield counted("mien_sink_failures", "Results that a sink has not taken.", ("sink",), failed)
    yield counted("mien_sink_left_out", "Results that no sink has seen.", (), {(): float(sinks.left_out)})
