"""One served process under its operator's hands: metrics, logs, the service manager, and SIGHUP under load."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from service.processes import CONFIG, install, serve, serving

from mien.access import add_key, revoke_key
from mien.client import Client, ServiceError
from mien.config import parse_settings

WORDS = "the queue at the till is far too long"


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def said_before(manager: socket.socket, last: str) -> list[str]:
    """What the manager is told, up to and with this."""
    said = []
    while not said or last not in said[-1]:
        said.append(manager.recv(1024).decode())
    return said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def scraped(port: int) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and label values of every sample -> value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
        text = page.read().decode()
    assert WORDS not in text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Load(threading.Thread):
    """Asks again and again, and keeps what went wrong."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__()
        self.failures: list[Exception] = []
        self.answered = threading.Semaphore(0)
        self.enough = threading.Event()
        self._client = Client(address, key=key)

    def run(self) -> None:
        with self._client as client:
            while not self.enough.is_set():
                try:
                    client.analyze(text=WORDS)
                except ServiceError as error:
                    self.failures.append(error)
                self.answered.release()


def test_an_operator_sees_reloads_and_ends_it(tmp_path: Path, manager: socket.socket) -> None:
    installed = install(tmp_path)
    keys, port = installed / "keys.json", free_port()
    good, _ = add_key(keys, "kiosk-1")
    bad, _ = add_key(keys, "kiosk-2")
    (installed / "mien.toml").write_text(f'{CONFIG}[server]\nlog_format = "json"\nkeys = "keys.json"\n')
    variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    with serving(installed, "--metrics-address", str(port), **variables) as served:
        assert said_before(manager, "READY=1") == ["READY=1"]
        assert said_before(manager, "WATCHDOG=1") == ["WATCHDOG=1"]
        load = Load(served.address, good)
        load.start()
        load.answered.acquire(timeout=60)
        revoke_key(keys, "kiosk-2")
        config = (installed / "mien.toml").read_text()
        (installed / "mien.toml").write_text(config.replace('"json"', '"json"\nlog_level = "debug"'))
        os.kill(served.process, signal.SIGHUP)
        reloaded = said_before(manager, "READY=1")
        assert any(message.startswith("RELOADING=1\nMONOTONIC_USEC=") for message in reloaded)
        with Client(served.address, key=bad) as revoked, pytest.raises(ServiceError) as caught:
            revoked.analyze(text=WORDS)
        assert caught.value.reason == "KEY_REVOKED"
        for _ in range(5):
            assert load.answered.acquire(timeout=60)
        load.enough.set()
        load.join()
        assert load.failures == [], "a reload drops no call"
        seen = scraped(port)
    analyze = ("Analyze", "mien.v1.SentimentService", "unary")
    assert seen["grpc_server_started_total", analyze] >= 7
    assert seen["grpc_server_handled_total", ("OK", *analyze)] >= 6
    assert seen["grpc_server_handled_total", ("UNAUTHENTICATED", *analyze)] == 1
    assert seen["mien_rejections_total", ("KEY_REVOKED",)] == 1
    assert seen["mien_serving", ()] == 1
    assert seen["mien_plugin_healthy", ("echo",)] == 1
    assert seen["mien_queue_seconds_count", ("echo",)] >= 6
    assert said_before(manager, "STOPPING=1")
    assert served.code == 0
    assert not (installed / "ready").exists()
    lines = [json.loads(line) for line in served.errors.splitlines()]
    assert {"time", "level", "logger", "message"} <= set(lines[0])
    ended = [line for line in lines if line["message"].startswith("Analyze ended with OK")]
    assert ended, "from the reload on, debug has a line for every call"
    assert {line["key"] for line in ended} == {"kiosk-1"}
    assert len({line["request_id"] for line in ended}) == len(ended)
    assert all(line["peer"].startswith("ipv4:127.0.0.1:") for line in ended)
    for secret in (WORDS, good, bad, good.rpartition("_")[2], bad.rpartition("_")[2]):
        assert secret not in served.errors + served.output


def test_a_port_for_metrics_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    installed = install(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = serve(installed, "--config", "mien.toml", "--address", "127.0.0.1:0", "--metrics-address", str(port))
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"mien: cannot listen on 127.0.0.1:{port} for metrics" in complaint
    assert "Traceback" not in complaint
    assert not (installed / "ready").exists()


@pytest.mark.parametrize(
    ("given", "meant"), [("9464", "127.0.0.1:9464"), (9464, "127.0.0.1:9464"), ("0.0.0.0:9464", "0.0.0.0:9464")]
)
def test_a_port_alone_is_one_of_this_machine(given: object, meant: str) -> None:
    assert parse_settings({"server": {"metrics_address": given}}).server.metrics_address == meant
