"""What an operator's tools need: the extras that bring them, the service manager's protocol, exporters of traces."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from mien import ConfigError, MissingDependencyError
from mien.access import Door, add_key
from mien.service.metrics import PrometheusMetrics
from mien.service.systemd import ServiceManager, watchdog_seconds
from mien.service.tracing import OpenTelemetryTraces


def absent(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)


def test_what_a_missing_library_is_needed_for_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_key(tmp_path / "keys.json", "kiosk")
    for package in ("argon2", "prometheus_client", "opentelemetry"):
        absent(monkeypatch, package)
    with pytest.raises(MissingDependencyError, match=r"mien\[server\]"):
        Door(tmp_path / "keys.json")
    with pytest.raises(MissingDependencyError, match=r"mien\[server\]"):
        PrometheusMetrics()
    with pytest.raises(MissingDependencyError, match=r"mien\[tracing\]"):
        OpenTelemetryTraces()


def test_an_exporter_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    with pytest.raises(ConfigError, match=r"names 'carrier-pigeon'.*there are: .*console"):
        OpenTelemetryTraces()


async def test_the_service_manager_is_told_over_an_abstract_socket_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0mien-test-{id(listening)}")
        listening.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@mien-test-{id(listening)}")
        monkeypatch.setenv("WATCHDOG_USEC", "10000000")
        manager = ServiceManager()
        manager.ready()
        await asyncio.sleep(0)
        manager.stopping()
        await manager.close()
        assert [listening.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
    ],
)
def test_the_watchdog_is_somebody_elses_where_it_is(
    variables: dict[str, str], seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert watchdog_seconds() == seconds


async def test_nobody_is_told_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    manager = ServiceManager()
    manager.ready()
    await manager.close()
