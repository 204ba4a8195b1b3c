"""``--annotate DIR``: annotated pictures as JPEG, annotated videos as MP4. The drawing itself is ``mien.annotate``."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien.annotate import annotate
from mien.cli.findings import Finding
from mien.cli.inputs import InputKind, Source
from mien.cli.outputs import Output, writing
from mien.errors import ConfigError
from mien.interfaces import Provenance
from mien.media.images import encode_image

_FASTEST: Final = 30.0
_SLOWEST: Final = 1.0
"""Limits of an annotated video's frames a second; between them it plays at the speed of the original."""


class AnnotationOutput(Output):
    """Writes one JPEG for each picture, and for each video one MP4 of its analysed frames."""

    def __init__(self, folder: Path, *, every: float) -> None:
        """Create the folder.

        Args:
            folder: Where to write; files of the same names are written over.
            every: Seconds between two analysed frames of a video.

        Raises:
            ConfigError: It cannot be created.
        """
        self._folder = folder
        self._rate = min(max(1.0 / every, _SLOWEST), _FASTEST) if every > 0 else _FASTEST
        self._taken: dict[Path, Path] = {}
        self._video: _VideoFile | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--annotate: cannot create the folder {folder}: {error.strerror}") from error

    def write(self, finding: Finding, provenance: Provenance) -> None:
        """Draw and write one result; a text alone has no picture.

        Raises:
            OutputError: The file cannot be written.
            ConfigError: Its folder or its video cannot be created.
        """
        if finding.frame is None or finding.source is None:
            return
        if finding.source.kind is InputKind.VIDEO:
            self._write_frame(finding.source, finding)
            return
        target = self._target(finding.source, ".jpg")
        with writing(f"--annotate: {target}"):
            target.write_bytes(encode_image(annotate(finding.frame, finding.result)))

    def close(self) -> None:
        """Finish the video that is open."""
        if self._video is not None:
            self._video.close()
            self._video = None

    def _write_frame(self, source: Source, finding: Finding) -> None:
        if finding.frame is None:
            return
        if self._video is None or self._video.source != source:
            self.close()
            self._video = _VideoFile(source, self._target(source, ".mp4"), self._rate)
        caption = f"{finding.at_seconds or 0.0:.1f} s"
        self._video.write(annotate(finding.frame, finding.result, caption=caption))

    def _target(self, source: Source, suffix: str) -> Path:
        """A file of its own for each source: two that would share one get different names."""
        wished = self._folder / source.name.with_suffix(suffix)
        target, number = wished, 2
        while self._taken.setdefault(target, source.path) != source.path:
            target = wished.with_stem(f"{wished.stem}-{number}")
            number += 1
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--annotate: cannot create the folder {target.parent}: {error.strerror}") from error
        return target


class _VideoFile:
    """One MP4 file (H.264 where PyAV's libraries can write it, as browsers play it; else MPEG-4 part 2)."""

    def __init__(self, source: Source, path: Path, rate: float) -> None:
        self.source = source
        self._path = path
        self._rate = Fraction(rate).limit_denominator(1000)
        self._files = ExitStack()
        self._container: Any = None
        self._stream: Any = None
        self._count = 0

    def write(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Append a picture, RGB ``[height, width, 3]``; all must be of the first one's size.

        Raises:
            ConfigError: The file cannot be created.
            OutputError: It cannot be written.
        """
        import av

        height, width = pixels.shape[0] // 2 * 2, pixels.shape[1] // 2 * 2  # the codec takes even sides only
        if self._container is None:
            self._open(width, height)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgb24")
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._count += 1
        with writing(f"--annotate: {self._path}"):
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        if self._container is not None:
            with writing(f"--annotate: {self._path}"), self._files:
                self._container.mux(self._stream.encode(None))

    def _open(self, width: int, height: int) -> None:
        import av

        try:
            file = self._files.enter_context(self._path.open("wb"))  # by its bytes, since any name will do
        except OSError as error:
            raise ConfigError(f"--annotate: cannot write the video {self._path}: {error.strerror}") from error
        self._container = self._files.enter_context(av.open(file, "w", format="mp4"))
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = self._container.add_stream(codec, rate=self._rate)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
