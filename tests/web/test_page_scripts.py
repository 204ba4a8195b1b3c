"""The page's pure functions, by Node's own test runner."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "core" / "mien" / "web" / "static"


def test_pure_functions() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js, which runs the tests of pure functions, is not installed")
    command = [node, "--test", *map(str, sorted((HERE / "js").glob("*.test.mjs")))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_nothing_is_inline_and_nobody_else_is_asked() -> None:
    for path in [*STATIC.rglob("*.html"), *STATIC.rglob("*.js"), *STATIC.rglob("*.css")]:
        text = path.read_text()
        assert " style=" not in text, path
        assert "innerHTML" not in text, path
        for line in text.splitlines():
            code = line.strip()
            outside = re.search(r"https?://(?!www\.w3\.org)[\w-]+\.\w", code)
            assert not outside or code.startswith(("*", "/*", "//", "<!--")), f"{path}: {code}"
