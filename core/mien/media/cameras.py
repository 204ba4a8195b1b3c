"""The cameras of this machine, by what the Linux kernel says of them; none is opened, so that no light goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYSTEM_FOLDER: Final = Path("/sys/class/video4linux")
"""Where the kernel lists video devices, one folder each."""

_NODE: Final = re.compile(r"video(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraInfo:
    """One camera.

    Attributes:
        index: The number that OpenCV and browsers' settings know it by.
        name: As the driver gives it.
        path: Of its device file.
    """

    index: int
    name: str
    path: str


def list_cameras(folder: Path = SYSTEM_FOLDER) -> list[CameraInfo]:
    """All cameras, by index; empty where there is none, or where the system is not Linux.

    A camera has several video nodes; the first is the one that gives pictures.
    """
    cameras = []
    for node in folder.glob("video*"):
        match = _NODE.fullmatch(node.name)
        if match and _read(node / "index") in ("", "0"):
            name = _read(node / "name") or node.name
            cameras.append(CameraInfo(index=int(match[1]), name=name, path=f"/dev/{node.name}"))
    return sorted(cameras, key=lambda camera: camera.index)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # the device went away, or the driver does not say
        return ""
