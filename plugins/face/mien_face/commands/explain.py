"""The command ``mien explain``; what it does is in ``mien_face.explain``, imported when it runs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from mien import ImageFrame, InputError, PluginContext
from mien_face.commands.shared import plain_errors
from mien_face.settings import FaceSettings

MAX_BYTES: Final = 64 << 20
MAX_PIXELS: Final = 64_000_000
"""A picture of one's own may be larger than what a server takes from anybody."""


class Emotion(StrEnum):
    """What can be explained: FER2013's classes."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"


def command(parts: PluginContext) -> Callable[..., None]:
    """The command, with what it takes settings, detector and backend from."""

    def explain(
        path: Annotated[Path, typer.Argument(metavar="PATH", help="A picture with faces: JPEG, PNG or WebP.")],
        out: Annotated[
            Path | None,
            typer.Option("--out", metavar="FILE", help="Picture to write (.png, .jpg); else NAME-explained.png here."),
        ] = None,
        emotion: Annotated[
            Emotion | None, typer.Option(help="Explain this emotion; else the most probable one of each face.")
        ] = None,
        whole: Annotated[
            bool, typer.Option("--whole", help="The picture is nothing but one face; look for none.")
        ] = False,
        weights: Annotated[
            Path | None,
            typer.Option(help="small, large or the manifest of weights; else those of the configuration, or small."),
        ] = None,
    ) -> None:
        """Show which parts of each face speak for an emotion, and how probable the network takes each emotion to be.

        Faces are found and read as `mien analyze` does it, by the table [plugins.face] of --config.
        """
        settings = parts.settings(
            "face", FaceSettings
        )  # what is wrong with the configuration is told as for any command
        if weights is not None:
            settings = settings.model_copy(update={"weights": weights})
        with plain_errors():
            written = _explain(path, out or Path(f"{path.stem}-explained.png"), emotion, settings, parts, whole=whole)
        typer.echo(written)

    return explain


def _explain(
    path: Path, out: Path, emotion: Emotion | None, settings: FaceSettings, parts: PluginContext, *, whole: bool
) -> str:
    """Write the picture; what was found, a line for each face."""
    from PIL import Image

    from mien_face.explain.faces import explain_crops, find_crops, whole_crop
    from mien_face.explain.picture import draw

    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"{out}: the explanation can be written as .png or .jpg")
    frame = _read(path)
    crops = whole_crop(frame) if whole else find_crops(frame, settings, parts)
    if not len(crops):
        raise InputError(f"no face was found in {path}; if the picture is nothing but a face, say --whole")
    faces = explain_crops(crops, settings, parts, emotion=emotion.value if emotion is not None else "")
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw(faces)).save(out)
    lines = [
        f"face {number}: {', '.join(f'{name} {share:.1%}' for name, share in face.probabilities.items())}"
        for number, face in enumerate(faces, start=1)
    ]
    return "\n".join([*lines, f"wrote {out}"])


def _read(path: Path) -> ImageFrame:
    from mien import decode_image

    if path.is_dir():
        raise InputError(f"{path} is a folder; name one picture")
    if not path.is_file():
        raise InputError(f"there is no file {path}; name a picture (JPEG, PNG or WebP)")
    try:
        return decode_image(path.read_bytes(), max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
