"""The built wheel, installed in an empty environment beside a stranger's plugin, works as the README says.

Slow, and it installs packages: run by ``make test-wheel``, not by ``make test``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    (built,) = out.glob("mien-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel, a stranger's plugin, and nothing else of ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    pip = (folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "-c", ROOT / "constraints.txt", wheel, ROOT / "examples/plugins/mien-lexicon")
    return folder


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = pytest.importorskip("skimage.data")
    image = pytest.importorskip("PIL.Image")
    path = tmp_path_factory.mktemp("pictures") / "portrait.png"
    image.fromarray(data.astronaut()).save(path)
    return path


def test_wheel_holds_generated_code_weights_and_type_information(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "mien/proto/mien/v1/sentiment.proto",
        "mien/py.typed",
        "mien/v1/sentiment_pb2.py",
        "mien/v1/sentiment_pb2.pyi",
        "mien/v1/sentiment_pb2_grpc.py",
        "mien_face/py.typed",
        "mien_face/weights/expression.json",
        "mien_face/weights/expression.safetensors",
        "mien_face/weights/expression-large.json",
        "mien_face/weights/expression-large.safetensors",
        "mien_fusion/py.typed",
        "mien_records/py.typed",
        "mien_voice/py.typed",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "examples/", "benchmarks/"))]


def test_base_install_brings_neither_pytorch_nor_tensorflow(environment: Path) -> None:
    installed = {item["name"].lower() for item in json.loads(run(environment / "bin/pip", "list", "--format", "json"))}
    assert not installed & {"torch", "tensorflow", "keras", "opencv-python"}


def test_both_plugins_and_the_strangers_are_listed(environment: Path, tmp_path: Path) -> None:
    listed = json.loads(run(environment / "bin/mien", "plugins", "list", "--json", cwd=tmp_path))
    states = {entry["plugin"]: entry["state"] for entry in listed}
    assert states["face"] == states["fusion"] == states["records"] == states["lexicon"] == "loaded", listed
    assert states["voice"] == "unavailable", "its packages are an extra"


def test_a_photograph_is_analysed(environment: Path, portrait: Path, tmp_path: Path) -> None:
    answer = json.loads(run(environment / "bin/mien", "analyze", portrait, "--json", cwd=tmp_path))["analysis"]
    assert len(answer["predictions"]) == 1
    assert answer["predictions"][0]["modality"] == "face"
    assert answer["satisfaction"]["score"] > 0.5, "a smiling astronaut is a satisfied one"


def test_words_are_analysed_by_the_strangers_plugin(environment: Path, tmp_path: Path) -> None:
    command = (environment / "bin/mien", "analyze", "--json", "--text")
    kind = json.loads(run(*command, "The staff were lovely, thank you!", cwd=tmp_path))["analysis"]
    unkind = json.loads(run(*command, "Terrible service, I am very disappointed.", cwd=tmp_path))["analysis"]
    assert kind["satisfaction"]["contributions"].keys() == {"text"}
    assert kind["satisfaction"]["score"] > 0.5 > unkind["satisfaction"]["score"]


def test_a_photograph_and_words_are_fused_over_grpc(environment: Path, portrait: Path, tmp_path: Path) -> None:
    script = """
import subprocess, sys, time, pathlib
from mien.client import Client
ready = pathlib.Path("ready")
server = subprocess.Popen([sys.argv[1], "serve", "--address", "127.0.0.1:0", "--ready-file", "ready"])
try:
    for _ in range(600):
        if ready.exists() and ready.read_text().strip(): break
        assert server.poll() is None
        time.sleep(0.1)
    with Client(ready.read_text().strip()) as client:
        client.wait_until_ready(timeout=60)
        result = client.analyze(image=pathlib.Path(sys.argv[2]), text="What a lovely day, thank you!")
        print(*sorted(result.satisfaction.contributions))
finally:
    server.terminate()
    assert server.wait(30) == 0
"""
    printed = run(environment / "bin/python", "-c", script, environment / "bin/mien", portrait, cwd=tmp_path)
    assert printed.split()[-2:] == ["face", "text"]


def test_the_contract_can_be_written_out(environment: Path, tmp_path: Path) -> None:
    run(environment / "bin/mien", "proto", "--out", tmp_path, cwd=tmp_path)
    contract = tmp_path / "mien/v1/sentiment.proto"
    assert contract.read_text() == (ROOT / "proto/mien/v1/sentiment.proto").read_text()
    assert (tmp_path / "google/rpc/error_details.proto").exists()


def test_what_an_extra_brings_is_named_where_it_is_missing(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "faces.parquet").touch()
    for command in ("train face --data faces.parquet --out out", "evaluate face --data faces.parquet"):
        done = subprocess.run(
            [str(environment / "bin/mien"), *command.split()], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "mien[train]" in done.stderr
        assert "Traceback" not in done.stderr
