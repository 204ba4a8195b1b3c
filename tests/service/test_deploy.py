"""The files under ``examples/deploy``: they parse, and every option, setting and metric in them exists."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from service.support import fake_host, settings

from mien.cli import build_app
from mien.config import Settings, parse_settings
from mien.plugins.sinks import Sinks
from mien.service.families import server_families
from mien.service.limits import Gate
from mien.service.metrics import PrometheusMetrics

DEPLOY = Path(__file__).resolve().parents[2] / "examples" / "deploy"


def checked(text: str) -> Settings:
    return parse_settings(tomllib.loads(text))


def check_command(arguments: list[str]) -> None:
    """A command of mien's has these options, and takes no value for another."""
    name, *rest = arguments
    command = typer.main.get_command(build_app([name])).commands[name]  # type: ignore[attr-defined]
    known = {option: parameter for parameter in command.params for option in parameter.opts}
    words = iter(rest)
    for word in words:
        assert word in known, f"mien {name} has no {word}"
        if not known[word].is_flag:
            next(words)


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def test_the_configuration_is_valid() -> None:
    found = checked((DEPLOY / "mien.toml").read_text())
    assert found.server.tls is not None
    assert not found.server.insecure


def test_the_unit_calls_what_exists() -> None:
    text = (DEPLOY / "mien.service").read_text()
    values = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    check_command(shlex.split(values["ExecStart"])[1:])
    assert values["Type"] == "notify"
    assert int(values["TimeoutStopSec"]) > Settings().server.drain_seconds


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "mien.service"
    unit.write_text((DEPLOY / "mien.service").read_text().replace("/opt/mien/bin/mien", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    about_it = [line for line in (done.stdout + done.stderr).splitlines() if "mien" in line]
    assert about_it == []


def test_the_image_and_its_composition_fit_each_other() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    entry = json.loads(next(line for line in lines if line.startswith("ENTRYPOINT")).removeprefix("ENTRYPOINT"))
    command = json.loads(next(line for line in lines if line.startswith("CMD")).removeprefix("CMD"))
    check_command([*entry, *command][1:])
    probe = next(line for line in lines if line.startswith("HEALTHCHECK"))
    check_command(json.loads(probe[probe.index("[") :])[1:])
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for volume in (each for service in services.values() for each in service.get("volumes", [])):
        source = volume.split(":")[0]
        assert (DEPLOY / source).exists() or source in ("./keys.json", "./tls"), source
    build = services["mien"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]


def test_the_pods_are_probed_as_the_server_can_be_asked() -> None:
    kinds = {document["kind"]: document for document in documents()}
    found = checked(kinds["ConfigMap"]["data"]["mien.toml"])
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        check_command(container[name]["exec"]["command"][1:])
    assert container["livenessProbe"]["exec"]["command"][-1] == "mien.live"
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert found.server.address.endswith(f":{ports['grpc']}")
    assert str(found.server.metrics_address).endswith(f":{ports['metrics']}")
    assert found.client.address.endswith(f":{ports['grpc']}")
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert found.server.tls is not None
    for path in (found.server.keys, found.server.tls.certificate, found.server.tls.key, found.client.ca):
        assert any(str(path).startswith(mount) for mount in mounted), path
    assert kinds["Service"]["spec"]["selector"] == kinds["Deployment"]["spec"]["selector"]["matchLabels"]
    assert pod["terminationGracePeriodSeconds"] > found.server.drain_seconds


def expressions() -> Iterator[str]:
    for panel in json.loads((DEPLOY / "grafana.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_the_dashboard_asks_for_metrics_and_labels_that_exist() -> None:
    metrics = PrometheusMetrics()
    chosen = settings()
    host = fake_host(chosen)
    metrics.collect_from(lambda: server_families(host, Sinks(host), Gate(chosen.limits)))
    known = {family.name for family in metrics.registry.collect()}
    host.close()
    asked = {name for text in expressions() for name in re.findall(r"\b(?:grpc_server|mien)_[a-z_]+", text)}
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked} <= known
    labels = {
        label for text in expressions() for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(", ")
    }
    assert labels <= {"le", "grpc_method", "grpc_code", "reason", "what", "analyzer", "plugin", "call", "state", "sink"}
