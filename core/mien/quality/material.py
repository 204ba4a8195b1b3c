"""What the parts of a plugin are tried with: files of the caller's, or what ``mien.testing`` draws."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mien.errors import InputError
from mien.media.audio import read_audio
from mien.media.images import decode_image
from mien.testing import make_clip, make_face, make_image, make_speech
from mien.types import AudioClip, ImageFrame, Sample, SampleKind, Utterance

_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_APART_SECONDS: Final = 40.0  # the longest sound that is given to an analyzer is 30 s
_TEXTS: Final = (
    "Thank you so much, that was lovely!",
    "This is terrible, I waited for an hour.",
    "The cup is on the table.",
)


@dataclass
class Material:
    """What the parts are tried with.

    Attributes:
        files: Pictures, sounds and texts of the caller's; without any, what ``mien.testing`` draws.
        labels: A CSV file of ``file,label``; None where there is none.
    """

    files: tuple[Path, ...] = ()
    labels: Path | None = None

    @cached_property
    def given(self) -> list[Sample]:
        """The caller's samples, each at a moment of its own."""
        return [sample for index, path in enumerate(self.files) for sample in read_sample(path, index * _APART_SECONDS)]

    def of_kinds(self, accepts: frozenset[SampleKind]) -> list[Sample]:
        """Samples of these kinds."""
        drawn: dict[SampleKind, list[Sample]] = {
            SampleKind.IMAGE: [make_face(1.0), make_face(-1.0, captured_at=1.0), make_image(captured_at=2.0)],
            SampleKind.AUDIO: [make_speech(captured_at=3.0), make_clip(seconds=0.5, captured_at=6.0)],
            SampleKind.TEXT: [Utterance(text, captured_at=7.0 + index) for index, text in enumerate(_TEXTS)],
        }
        own = {kind: [each for each in self.given if isinstance(each, _TYPES[kind])] for kind in accepts}
        return [sample for kind in sorted(accepts) for sample in (own[kind] or drawn[kind])]

    @cached_property
    def labelled(self) -> list[tuple[Sample, str]]:
        """The labelled samples; their files are named from the CSV file's folder."""
        if self.labels is None:
            return []
        with self.labels.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if rows and not {"file", "label"} <= rows[0].keys():
            raise InputError(f"{self.labels} needs the columns 'file' and 'label', and has {', '.join(rows[0])}")
        folder = self.labels.parent
        return [(sample, row["label"]) for row in rows for sample in read_sample(folder / row["file"], 0.0)[:1]]


_TYPES: Final[Mapping[SampleKind, type[Any]]] = {
    SampleKind.IMAGE: ImageFrame,
    SampleKind.AUDIO: AudioClip,
    SampleKind.TEXT: Utterance,
}


def read_sample(path: Path, at: float) -> list[Sample]:
    """A picture, a sound, or each line of a text.

    Raises:
        InputError: It cannot be read.
    """
    try:
        if path.suffix.lower() in _PICTURES:
            return [replace(decode_image(path.read_bytes()), captured_at=at)]
        if path.suffix.lower() in (".txt", ".md"):
            lines = path.read_text(encoding="utf-8").splitlines()
            return [Utterance(line, captured_at=at + index) for index, line in enumerate(lines) if line.strip()]
        return [read_audio(path, captured_at=at)]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
