"""What is public is listed in ``mien``; plugins, examples and the documentation use nothing else."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mien

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SOURCES = sorted([*ROOT.glob("examples/**/*.py"), *ROOT.glob("plugins/**/*.py")])


def wrong_imports(source: str) -> Iterator[str]:
    """The imports from mien that are not of public names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "mien" and alias.name not in mien.PUBLIC_MODULES:
                    yield f"import {alias.name}"
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mien":
            yield from (f"from {node.module} import {name}" for name in not_public(node.module, node.names))


def not_public(module: str, names: list[ast.alias]) -> Iterator[str]:
    if module not in mien.PUBLIC_MODULES:
        yield from (alias.name for alias in names)
        return
    loaded = importlib.import_module(module)
    listed = getattr(loaded, "__all__", [name for name in vars(loaded) if not name.startswith("_")])
    submodules = [name.removeprefix("mien.") for name in mien.PUBLIC_MODULES] if module == "mien" else []
    yield from (alias.name for alias in names if alias.name not in listed and alias.name not in submodules)


def test_every_public_name_is_there() -> None:
    assert not [name for name in mien.__all__ if not hasattr(mien, name)]
    assert len(set(mien.__all__)) == len(mien.__all__)
    for module in mien.PUBLIC_MODULES:
        importlib.import_module(module)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_documentation_imports_public_names_only(page: Path) -> None:
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert not [wrong for block in blocks for wrong in wrong_imports(block)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_and_examples_import_public_names_only(path: Path) -> None:
    assert not list(wrong_imports(path.read_text(encoding="utf-8")))


def test_what_a_hook_takes_and_gives_is_public() -> None:
    from mien import hookspecs

    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    for name, hook in vars(hookspecs).items():
        if name.startswith("mien_register_") and name != "mien_register_commands":
            register = hook.__annotations__["register"]
            assert register in mien.__all__, f"{register}, which {name} is given, is not public"
        if name.startswith("mien_"):
            assert f"### `{name}(" in page, f"docs/plugins.md says nothing of {name}"


@pytest.mark.parametrize(
    "source", ["import mien.engine", "from mien.plugins.host import PluginHost", "from mien import hookspecs"]
)
def test_an_import_that_is_not_public_is_found(source: str) -> None:
    assert list(wrong_imports(source))
