"""Cameras as the kernel lists them, in a made-up folder."""

from __future__ import annotations

from pathlib import Path

from mien.media.cameras import CameraInfo, list_cameras


def node(folder: Path, name: str, *, label: str, index: str) -> None:
    (folder / name).mkdir()
    (folder / name / "name").write_text(f"{label}\n")
    (folder / name / "index").write_text(f"{index}\n")


def test_a_camera_is_listed_once_in_the_order_of_numbers(tmp_path: Path) -> None:
    node(tmp_path, "video10", label="Front", index="0")
    node(tmp_path, "video2", label="Counter", index="0")
    node(tmp_path, "video3", label="Counter", index="1")  # its metadata
    assert list_cameras(tmp_path) == [
        CameraInfo(index=2, name="Counter", path="/dev/video2"),
        CameraInfo(index=10, name="Front", path="/dev/video10"),
    ]


def test_a_system_without_cameras_has_none(tmp_path: Path) -> None:
    assert list_cameras(tmp_path / "none") == []
