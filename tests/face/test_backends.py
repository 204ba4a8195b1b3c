"""What can run the expression network: that all of it says the same, and what is chosen when."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import numpy as np
import numpy.typing as npt
import pytest
import typer
from typer.testing import CliRunner

from mien import (
    ExecutableNetwork,
    ExecutionBackend,
    MissingDependencyError,
    PluginError,
    PluginHost,
    Precision,
)
from mien_face import commands
from mien_face.backends import choice, wire
from mien_face.backends.base import BUCKETS
from mien_face.backends.choice import FLOAT32_TOLERANCE, build_backend, departure, probe_images
from mien_face.backends.names import BackendName, built_in_backend
from mien_face.backends.onnx_model import onnx_model
from mien_face.backends.reference import reference_logits
from mien_face.config import Arrays, NetworkConfig
from mien_face.factory import EXPRESSION_MANIFEST
from mien_face.forward import forward, prepare
from mien_face.inference import ExpressionNetwork, load_folded

VALIDATION = Path(__file__).resolve().parents[3] / "shared" / "data" / "fer2013" / "validation.parquet"
OTHERS = (BackendName.OPENVINO, BackendName.ONNXRUNTIME)
SHAPES = (
    NetworkConfig(stem=4, widths=(4, 6, 8), depths=(1, 1, 2)),
    NetworkConfig(stem=8, widths=(6, 10, 12, 16), depths=(2, 1, 1, 2)),  # a shortcut without a stride; ends at 3 x 3
    NetworkConfig(stem=4, widths=(4,), depths=(1,)),
)
Floats = npt.NDArray[np.float32]


def installed(name: BackendName) -> BackendName:
    if importlib.util.find_spec(str(name)) is None:
        pytest.skip(f"{name} is not installed")
    return name


def random_arrays(config: NetworkConfig) -> Arrays:
    """Folded arrays of a network that keeps its values' size from layer to layer."""
    generator = np.random.default_rng(3)
    arrays: Arrays = {}
    for layer in config.layers():
        name, side, inputs, outputs = layer.name, layer.side, layer.inputs, layer.outputs
        spread = np.sqrt(1.5 / (side * side * inputs))
        arrays[f"{name}.kernel"] = generator.normal(0, spread, (side, side, inputs, outputs)).astype(np.float32)
        arrays[f"{name}.bias"] = generator.normal(0, 0.1, outputs).astype(np.float32)
    for head, labels in (("fer2013", 7), ("ferplus", 8)):
        arrays[f"{head}.kernel"] = generator.normal(0, 0.5, (config.widths[-1], labels)).astype(np.float32)
        arrays[f"{head}.bias"] = generator.normal(0, 0.5, labels).astype(np.float32)
    return arrays


def pictures(count: int) -> Floats:
    return np.random.default_rng(5).standard_normal((count, 48, 48, 1), np.float32)


@pytest.mark.parametrize("count", [1, 16])
@pytest.mark.parametrize("config", SHAPES, ids=["small", "four stages", "one stage"])
def test_jax_answers_as_the_reference_for_any_shape_of_network(config: NetworkConfig, count: int) -> None:
    arrays, images = random_arrays(config), pictures(count)
    expected = reference_logits(config, arrays, images)

    run = jax.jit(lambda arrays, images: forward(config, arrays, images))
    found = run(prepare(config, arrays), images)

    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("config", SHAPES, ids=["small", "four stages", "one stage"])
def test_other_runtimes_answer_as_the_reference_for_any_shape_of_network(
    config: NetworkConfig, name: BackendName
) -> None:
    arrays = random_arrays(config)
    backend = build_backend(config, arrays, name=installed(name), precision=Precision.FLOAT32)

    for count in (1, 16):
        images = pictures(count)
        np.testing.assert_allclose(backend.run(images), reference_logits(config, arrays, images), atol=1e-4)


@pytest.mark.parametrize("name", OTHERS)
def test_shipped_weights_get_the_same_probabilities_in_every_float32_runtime(name: BackendName) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (19, 48, 48), np.uint8)
    other = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=installed(name), precision=Precision.FLOAT32)

    found = other.probabilities(crops)
    expected = ExpressionNetwork.load(EXPRESSION_MANIFEST).probabilities(crops)

    np.testing.assert_allclose(found.combined, expected.combined, atol=1e-4)
    np.testing.assert_allclose(found.ferplus, expected.ferplus, atol=1e-4)


def test_bfloat16_gives_the_same_labels() -> None:
    installed(BackendName.OPENVINO)
    from mien_face.backends.openvino_backend import has_bfloat16

    if not has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    if not VALIDATION.exists():
        pytest.skip(f"needs the FER2013 validation faces at {VALIDATION}")
    from mien_face_lab.training.data import read_faces

    crops = read_faces(VALIDATION).crops
    quick = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=BackendName.OPENVINO).classify(crops)
    exact = ExpressionNetwork.load(
        EXPRESSION_MANIFEST, backend=BackendName.OPENVINO, precision=Precision.FLOAT32
    ).classify(crops)

    assert np.mean(quick.argmax(axis=1) == exact.argmax(axis=1)) >= 0.997


@pytest.mark.parametrize("name", [*OTHERS, BackendName.JAX])
def test_answers_do_not_depend_on_the_thread(name: BackendName) -> None:
    network = ExpressionNetwork.load(EXPRESSION_MANIFEST, backend=installed(name))
    batches = [np.random.default_rng(seed).integers(0, 256, (2, 48, 48), np.uint8) for seed in range(8)]
    expected = [network.classify(batch) for batch in batches]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(network.classify, batches))

    np.testing.assert_array_equal(answers, expected)


@pytest.mark.parametrize("name", OTHERS)
def test_an_answer_is_not_overwritten_by_the_next(name: BackendName) -> None:
    config = SHAPES[0]
    backend = build_backend(config, random_arrays(config), name=installed(name))
    first = backend.run(pictures(1))
    kept = first.copy()

    backend.run(-pictures(1))

    np.testing.assert_array_equal(first, kept)


WATCHED = """
import sys
from pathlib import Path
seen = set()
sys.addaudithook(lambda event, arguments: seen.add(event))
import numpy as np
from mien_face.inference import ExpressionNetwork
network = ExpressionNetwork.load(Path(sys.argv[1]), backend=sys.argv[2])
network.classify(np.zeros((1, 48, 48), np.uint8))
print(*sorted(seen & {"os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.getaddrinfo"}))
print("jax" in sys.modules)
"""


@pytest.mark.parametrize("name", OTHERS)
def test_another_runtime_loads_no_jax_starts_no_process_calls_nobody_and_writes_nothing_home(
    name: BackendName, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(EXPRESSION_MANIFEST), str(installed(name))],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"HOME": str(tmp_path)},
    )

    assert done.stdout.splitlines() == ["", "False"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "extra"), [(BackendName.OPENVINO, "mien[openvino]"), (BackendName.ONNXRUNTIME, "mien[onnx]")]
)
def test_a_named_backend_that_is_not_installed_names_its_extra(
    name: BackendName, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, str(name), None)

    with pytest.raises(MissingDependencyError, match=extra.replace("[", r"\[")):
        build_backend(SHAPES[0], random_arrays(SHAPES[0]), name=name)


class Wrong(ExecutionBackend):
    """A backend that gives one answer to everything."""

    precision = "float32"

    def __init__(self, answer: float) -> None:
        self.answer = answer

    def run(self, inputs: Floats) -> Floats:
        return np.full((len(inputs), 15), self.answer, np.float32)


def broken() -> ExecutionBackend:
    raise RuntimeError("no such instruction")


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: Wrong(0.0), "from the reference's; 0.0001 is allowed"),
        (lambda: Wrong(float("nan")), "in float32 a probability is 1 from the reference's"),
        (broken, "RuntimeError: no such instruction"),
    ],
    ids=["wrong", "not a number", "broken"],
)
def test_auto_says_why_it_passes_over_a_runtime_and_a_named_one_stops(
    build: Callable[[], ExecutionBackend],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config, arrays = SHAPES[0], random_arrays(SHAPES[0])

    def make(name: str, network: ExecutableNetwork, precision: Precision) -> ExecutionBackend:
        return build() if name == BackendName.ONNXRUNTIME else built_in_backend(name, network, precision)

    monkeypatch.setattr(choice, "_is_installed", (BackendName.ONNXRUNTIME,).__contains__)

    with caplog.at_level(logging.INFO, "mien.face"):
        backend = build_backend(config, arrays, make=make)

    assert departure(backend, config, arrays) <= FLOAT32_TOLERANCE
    assert caplog.records[0].levelno == logging.WARNING
    assert "does not run on onnxruntime" in caplog.text
    assert reason in caplog.text
    assert caplog.messages[-1] == "the face network runs on jax in float32"
    with pytest.raises(PluginError, match='backend = "auto" or "jax"'):
        build_backend(config, arrays, name=BackendName.ONNXRUNTIME, make=make)


@pytest.mark.parametrize(
    ("bfloat16", "precision", "there", "order"),
    [
        (True, Precision.AUTO, OTHERS, ["openvino auto", "onnxruntime float32", "openvino float32"]),
        (False, Precision.AUTO, OTHERS, ["onnxruntime float32", "openvino float32"]),
        (True, Precision.FLOAT32, OTHERS, ["onnxruntime float32", "openvino float32"]),
        (True, Precision.AUTO, (BackendName.ONNXRUNTIME,), ["onnxruntime float32"]),
        (True, Precision.AUTO, (), []),
    ],
)
def test_auto_tries_the_fastest_first(
    bfloat16: bool,
    precision: Precision,
    there: tuple[BackendName, ...],
    order: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mien_face.backends import openvino_backend

    monkeypatch.setattr(openvino_backend, "has_bfloat16", lambda: bfloat16)
    monkeypatch.setattr(choice, "_is_installed", there.__contains__)

    assert [f"{each.name} {each.precision}" for each in choice._installed(precision)] == order


def test_an_openvino_that_cannot_say_what_the_processor_does_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setattr(choice, "_is_installed", (BackendName.OPENVINO,).__contains__)

    backend = build_backend(SHAPES[0], random_arrays(SHAPES[0]))

    assert backend.run(pictures(1)).shape == (1, 15)
    assert "OpenVINO does not say what this processor can do" in caplog.text


def test_the_probe_is_always_the_same() -> None:
    np.testing.assert_array_equal(probe_images(), probe_images())
    assert probe_images().shape == (choice.PROBE_FACES, 48, 48, 1)


def test_every_bucket_can_be_made_ready() -> None:
    config = SHAPES[0]
    arrays = random_arrays(config)
    for name in OTHERS:
        if choice._is_installed(name):
            backend = build_backend(config, arrays, name=name)
            for count in BUCKETS:
                backend.compile(count)
                assert backend.run(pictures(count)).shape == (count, 15)


def test_the_model_file_is_the_same_for_the_same_weights() -> None:
    network = load_folded(EXPRESSION_MANIFEST)

    first, second = (onnx_model(network.config, network.arrays) for _ in range(2))

    assert first == second


def test_numbers_are_written_as_protobuf_does() -> None:
    assert wire.number(1, 300) == bytes([0x08, 0xAC, 0x02])
    assert wire.text(2, "testing") == b"\x12\x07testing"
    assert wire.packed(4, (3, 270, 86942)) == bytes([0x22, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    with pytest.raises(ValueError, match="-1"):
        wire.number(1, -1)


def test_the_exported_file_gives_our_answers_and_says_how_to_read_them(tmp_path: Path) -> None:
    app = typer.Typer()
    commands.register(app, PluginHost.from_plugins({}).context)
    path = tmp_path / "face.onnx"

    result = CliRunner().invoke(app, ["export", "face", "--onnx", str(path)])

    assert result.exit_code == 0, result.output
    installed(BackendName.ONNXRUNTIME)
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["logits"], {"images": probe_images().reshape(-1, 1, 48, 48)})
    network = load_folded(EXPRESSION_MANIFEST)
    expected = reference_logits(network.config, network.arrays, probe_images())
    np.testing.assert_allclose(found, expected, atol=1e-4)
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["logits"]) == network.manifest.labels
    assert json.loads(about["calibration"]) == network.manifest.calibration
    assert about["sha256_of_weights"] == network.manifest.sha256


def test_an_export_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    app = typer.Typer()
    commands.register(app, PluginHost.from_plugins({}).context)

    result = CliRunner().invoke(app, ["export", "face", "--onnx", str(tmp_path / "missing" / "face.onnx")])

    assert result.exit_code == 1
    assert "cannot write" in result.output
    assert "Traceback" not in result.output
