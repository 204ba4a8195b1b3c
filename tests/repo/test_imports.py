"""The architecture, as a test: who may import whom, and what must not be loaded early."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core" / "mien"
PLUGINS = {
    "mien_face": ROOT / "plugins/face/mien_face",
    "mien_face_lab": ROOT / "plugins/face_lab/mien_face_lab",
    "mien_voice": ROOT / "plugins/voice/mien_voice",
    "mien_voice_lab": ROOT / "plugins/voice_lab/mien_voice_lab",
    "mien_fusion": ROOT / "plugins/fusion/mien_fusion",
    "mien_records": ROOT / "plugins/records/mien_records",
}
# Lower layers first; a room may import from the layers before its own, and from no other room of its own layer.
LAYERS = [
    {"errors", "types"},
    {"interfaces", "redaction", "weights", "metrics", "jaxplatform", "websettings"},
    {"config", "plots"},
    {"hookspecs", "training", "access"},
    {"session"},
    {"plugins", "media"},
    {"engine"},
    {"live", "records", "annotate"},
    {"testing"},
    {"v1"},
    {"wire"},
    {"service", "client", "web"},
    {"kiosk"},
    {"cli", "builtin"},  # what the core registers is named by its entry point, as plugins are
]
LAYER_OF = {room: depth for depth, layer in enumerate(LAYERS) for room in layer}
# The face laboratory's, likewise; rooms of one layer do not know each other.
LABORATORY = [
    {"decoding", "folding", "evaluation", "robustness", "sizes", "bygroup", "markdown"},
    {"judgement", "counter", "portraits", "zoo", "detection"},
    {"plots"},
    {"training"},
    {"classifiers"},
    {"asking"},
    {"report"},
    {"reportpage", "modelcard"},
    {"commands"},
    {"plugin"},
]
TRANSPORT = {"service", "client", "web", "wire", "v1"}
HEAVY = (
    "jax",
    "jaxlib",
    "flax",
    "haiku",
    "torch",
    "tensorflow",
    "cv2",
    "grpc",
    "transformers",
    "sklearn",
    "matplotlib",
)


def imported_modules(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth, but for those under ``if TYPE_CHECKING``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in node.body
        for inner in ast.walk(child)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*.py") if "v1" not in path.relative_to(folder).parts[:1])
    assert files, f"no source under {folder}"
    return files


def room_of(path: Path, root: Path = CORE) -> str:
    """The first part of a module's path: ``service`` for ``service/wire.py``, ``types`` for ``types.py``."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def test_every_room_of_the_core_has_one_layer() -> None:
    rooms = {room_of(path) for path in sources(CORE)} - {"__init__"} | {"v1"}
    assert rooms == set(LAYER_OF), "name a new room's layer in LAYERS and in CONTRIBUTING.md"
    assert len(LAYER_OF) == sum(map(len, LAYERS)), "a room has one layer"


def test_contributing_states_the_same_layers() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^    (errors.* -> .*(?:\n    .*)*)$", text, re.MULTILINE)
    assert [set(layer.replace(",", " ").split()) for layer in line.split("->")] == LAYERS


@pytest.mark.parametrize("path", sources(CORE), ids=lambda path: str(path.relative_to(CORE)))
def test_core_imports_run_one_way_and_know_no_plugin(path: Path) -> None:
    room = room_of(path)
    for name in imported_modules(path):
        top, _, rest = name.partition(".")
        assert top not in PLUGINS, f"the core must not import a plugin: {name}"
        if top == "grpc" or top.startswith("grpc_"):
            assert room in TRANSPORT, f"only {sorted(TRANSPORT)} may know gRPC, not {room}"
        target = rest.split(".")[0]
        if top == "mien" and target in LAYER_OF and target != room:
            if room != "__init__":
                assert LAYER_OF[target] < LAYER_OF[room], f"{room} must not import {target}, which is no earlier layer"
            if target == "v1":
                assert room in TRANSPORT, f"only {sorted(TRANSPORT)} may know the wire, not {room}"


def test_every_room_of_the_face_laboratory_has_a_layer() -> None:
    root = PLUGINS["mien_face_lab"]
    assert {room_of(path, root) for path in sources(root)} - {"__init__"} == set().union(*LABORATORY)


def test_imports_of_the_face_laboratory_run_one_way() -> None:
    """Training knows the zoo and what judges answers, never the other way round."""
    root = PLUGINS["mien_face_lab"]
    depths = {room: depth for depth, layer in enumerate(LABORATORY) for room in layer}
    for path in sources(root):
        room = room_of(path, root)
        for name in imported_modules(path):
            top, _, rest = name.partition(".")
            target = rest.split(".")[0]
            if top == root.name and target in depths.keys() - {room}:
                assert depths[target] < depths[room], f"{room} must not import {target} ({path.name} does)"


@pytest.mark.parametrize("name", PLUGINS)
def test_plugins_never_import_each_other(name: str) -> None:
    for path in sources(PLUGINS[name]):
        for module in imported_modules(path):
            top = module.partition(".")[0]
            allowed = {name, name.removesuffix("_lab")}  # a laboratory knows the plugin that it is of
            assert top not in set(PLUGINS) - allowed, f"{path.name} imports another plugin: {module}"


def test_what_only_laboratories_need_is_not_loaded_with_the_rest() -> None:
    code = "import sys, mien; assert 'mien.training' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "import mien",
        "import mien.training",
        "import mien_face.plugin",
        "import mien_face_lab.plugin",
        "import mien_fusion.plugin",
        "import mien_records.plugin",
        "import mien_voice.plugin",
        "import mien_voice_lab.plugin",
        "import mien.client",
        "import mien.cli; sys.argv = ['mien', '--help']; mien.cli.main()",
    ],
)
def test_light_imports_stay_light(statement: str) -> None:
    may_load = {"grpc"} if "client" in statement else set()
    code = f"""
import sys
try:
    {statement}
except SystemExit:
    pass
print("LOADED", *sorted(set(sys.modules) & set({HEAVY!r})))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.rsplit("LOADED", 1)[1].split())
    assert loaded <= may_load
