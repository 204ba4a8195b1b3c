"""The client scripts under ``examples/``, against a server in another thread."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from service.support import TIMEOUT, fake_host, running, settings

from mien.plugins.host import PluginHost
from mien.testing import FakeAnalyzer, make_prediction

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def serving(host: PluginHost) -> Iterator[str]:
    """The address of a server that runs in a thread of its own."""
    found: list[str] = []
    up, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with running(settings(), host) as server:
            found.append(server.address)
            up.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert up.wait(TIMEOUT)
        yield found[0]
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    face = FakeAnalyzer("face", answer=lambda s: [make_prediction(satisfaction=0.9, at=s.captured_at)])
    with serving(fake_host(settings(), face=face)) as found:
        yield found


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two seconds of grey at 10 pictures a second."""
    import cv2

    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    assert writer.isOpened()
    for level in range(20):
        writer.write(np.full((48, 64, 3), 5 * level, np.uint8))
    writer.release()
    return path


def test_pictures_are_answered_a_line_each_and_a_bad_one_is_named(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (8, 8)).save(good)
    bad.write_text("not a picture")
    code = example("grpc_client").main([str(good), str(bad), str(tmp_path / "absent.png"), "--address", address])
    out, err = capsys.readouterr()
    assert code == 1
    assert out == f"{good}: satisfaction 0.90 (good), face: happy\n"
    assert f"{bad}: " in err
    assert f"cannot read {tmp_path / 'absent.png'}" in err


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good.png"
    Image.new("RGB", (8, 8)).save(good)
    assert example("grpc_client").main([str(good), "--address", "127.0.0.1:1"]) == 1
    assert "is `mien serve` running there?" in capsys.readouterr().err


def test_a_video_is_followed_to_its_summary(address: str, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert example("grpc_session").main([str(video), "--every", "0.5", "--rating", "5", "--address", address]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "0.90 good" in lines[0]
    assert "after 4 pictures" in lines[-2]
    assert lines[-1].startswith("ended by closed: overall 0.90 (good)")
    assert "happy 100 %" in lines[-1]


def test_a_video_that_cannot_be_read_is_said_in_one_line(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert example("grpc_session").main([str(tmp_path / "absent.avi"), "--address", address]) == 1
    assert "absent.avi" in capsys.readouterr().err
