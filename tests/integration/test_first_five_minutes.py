"""What the README promises a newcomer, with a real photograph and a real server in another process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MIEN = Path(sys.executable).with_name("mien")


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NASA's portrait of Eileen Collins, as scikit-image ships it."""
    from PIL import Image
    from skimage import data

    path = tmp_path_factory.mktemp("pictures") / "portrait.jpg"
    Image.fromarray(data.astronaut()).save(path, quality=92)
    return path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a real server answers."""
    folder = tmp_path_factory.mktemp("server")
    ready = folder / "address"
    command = [str(MIEN), "serve", "--address", "127.0.0.1:0", "--ready-file", str(ready)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        for _ in range(1200):
            assert process.poll() is None, (folder / "log").read_text()
            if ready.exists() and ready.read_text().strip():
                break
            time.sleep(0.1)
        yield ready.read_text().strip()
        process.terminate()
        assert process.wait(30) == 0


def test_the_demonstration_runs_from_start_to_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/demo.py"), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    assert "happy" in done.stdout
    assert (tmp_path / "annotated.png").stat().st_size > (10 << 10)
    assert "Traceback" not in done.stdout + done.stderr


def test_the_readme_client_prints_the_signal(address: str, portrait: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "Client(" in block)
    done = subprocess.run(
        [sys.executable, "-c", code.replace("127.0.0.1:50051", address)],
        capture_output=True,
        text=True,
        check=False,
        cwd=portrait.parent,
    )
    assert done.returncode == 0, done.stderr
    signal, face = done.stdout.splitlines()
    assert float(signal.split()[0]) > 0.5
    assert face.startswith("face-1 happy Box(")


def test_a_smile_is_satisfaction_and_an_empty_wall_is_undecided(portrait: Path, tmp_path: Path) -> None:
    from PIL import Image

    wall = tmp_path / "wall.png"
    Image.new("RGB", (640, 480), (200, 200, 190)).save(wall)
    done = subprocess.run(
        [str(MIEN), "analyze", str(portrait), str(wall), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    face, nobody = (json.loads(line) for line in done.stdout.splitlines())
    assert face["analysis"]["satisfaction"]["score"] > 0.6
    assert nobody["analysis"]["predictions"] == []
    assert nobody["analysis"]["satisfaction"]["verdict"] == "undecided"
