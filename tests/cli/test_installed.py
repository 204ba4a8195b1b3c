"""``mien analyze`` in a process of its own, with the plugins that are installed, on a real photograph."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

WEIGHTS = Path(__file__).parents[2] / "plugins/face/mien_face/weights/expression.json"


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the face plugin's weights are not in this checkout")
def test_a_face_in_a_photograph_becomes_a_signal(tmp_path: Path) -> None:
    path = tmp_path / "astronaut.jpg"
    Image.fromarray(skimage.data.astronaut()).save(path)
    command = [sys.executable, "-c", "from mien.cli import main; main()"]
    asked = ["analyze", str(path), "--json", "--annotate", str(tmp_path / "out")]
    ran = subprocess.run([*command, *asked], capture_output=True, text=True, timeout=150, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)["analysis"]
    (prediction,) = found["predictions"]
    box = prediction["evidence"]["box"]
    assert box["x"] < 224 < box["x"] + box["width"]  # the middle of her face
    assert box["y"] < 120 < box["y"] + box["height"]
    assert found["satisfaction"]["contributions"]["face"]["samples"] == 1
    assert (tmp_path / "out" / "astronaut.jpg").stat().st_size > 10_000
