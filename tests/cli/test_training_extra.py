"""The laboratories' commands are there without ``mien[train]``, and then say that they need it."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

COMMANDS = {
    "train face": ("train", "face", "--data", "faces", "--batch-size", "1"),
    "train face knn": ("train", "face", "--data", "faces", "--network", "knn"),
    "train face mini_xception": ("train", "face", "--data", "faces", "--network", "mini_xception"),
    "train face parquet": ("train", "face", "--data", "train.parquet"),
    "train detector": ("train", "detector", "--data", ".", "--out", "out"),
    "train tone": ("train", "tone", "--data", ".", "--out", "out"),
    "train distilled-tone": ("train", "distilled-tone", "--data", ".", "--out", "out"),
    "evaluate face html": ("evaluate", "face", "--data", "faces", "--html", "page.html"),
    "evaluate face parquet": ("evaluate", "face", "--data", "train.parquet"),
    "evaluate detector": ("evaluate", "detector", "--data", "train.parquet"),
    "evaluate tone plots": ("evaluate", "tone", "--data", "dev.tsv", "--plots", "."),
}
CODE = """
import contextlib, io, json, sys
for name in ("flax", "optax", "matplotlib", "pyarrow", "sklearn"):
    sys.modules[name] = None  # as if it were not installed
from mien.cli import main
told = {}
for name, command in json.loads(sys.argv[1]).items():
    sys.argv = ["mien", *command]
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
        except Exception as error:
            code = repr(error)
    told[name] = [code, errors.getvalue()]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int | str, str]]:
    """Each command's exit status and what it says, where nothing of the extra is installed."""
    folder = tmp_path_factory.mktemp("work")
    generator = np.random.default_rng(0)
    for part in ("train", "validation"):
        for name in ("happy", "sad"):
            (folder / "faces" / part / name).mkdir(parents=True)
            crop = generator.integers(0, 256, (48, 48)).astype(np.uint8)
            assert cv2.imwrite(str(folder / "faces" / part / name / "one.png"), crop)
    (folder / "train.parquet").write_bytes(b"not looked at")
    (folder / "dev.tsv").write_text("thank you\t15\tid\nhow rude\t2\tid\n")
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(COMMANDS)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_that_the_extra_is_missing(told: dict[str, tuple[int | str, str]], name: str) -> None:
    code, errors = told[name]

    assert code == 1, errors
    assert "pip install 'mien[" in errors
    assert "train]'" in errors
    assert "Traceback" not in errors


def test_a_run_of_tone_that_needs_the_voice_extra_names_it() -> None:
    code = "import sys; sys.modules['haiku'] = None\nfrom mien.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "tone", "--data", "dev.tsv"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "the tone network needs haiku: pip install 'mien[voice]'" in done.stderr
