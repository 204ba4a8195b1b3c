"""The face plugin's settings, ``[plugins.face]`` of ``mien.toml``: validated here, used by the factory in ``plugin``.

It imports no JAX and no OpenCV, so that listing plugins stays light.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mien import ConfigError, DetectorSettings, Precision
from mien_face.backends.names import BackendName

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Level = Annotated[float, Field(ge=0.0, le=255.0)]


class DetectorName(StrEnum):
    """The face detectors that come with the plugin; others may register more."""

    MIEN = "mien"
    HAAR = "haar"


class WeightsName(StrEnum):
    """The weights of expression networks that come with the plugin."""

    SMALL = "small"
    LARGE = "large"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QualitySettings(_Table):
    """``[plugins.face.quality]``: what counts as good enough a picture of a face; see ``mien_face.quality``.

    Attributes:
        full_size: A face this wide (pixels) or wider loses nothing for its size.
        small: Narrower than this (pixels) is called ``small``.
        sharp: Sharpness (no unit) at and above which nothing is lost.
        blurred: Sharpness below which a face is called ``blurred``.
        dark: Mean grey level of the face below which it is called ``dark``.
        bright: Mean grey level above which it is called ``bright``.
        flat: Standard deviation of its grey levels below which it is called ``flat``.
    """

    full_size: Annotated[float, Field(gt=0.0)] = 48.0
    small: Annotated[float, Field(ge=0.0)] = 36.0
    sharp: Annotated[float, Field(gt=0.0)] = 0.1
    blurred: Annotated[float, Field(ge=0.0)] = 0.04
    dark: Level = 40.0
    bright: Level = 215.0
    flat: Level = 12.0

    @model_validator(mode="after")
    def _in_order(self) -> QualitySettings:
        for low, high in (("small", "full_size"), ("blurred", "sharp"), ("dark", "bright")):
            if getattr(self, low) >= getattr(self, high):
                raise ValueError(f"{low} must be below {high}, got {getattr(self, low)} and {getattr(self, high)}")
        return self


class FaceSettings(_Table):
    """``[plugins.face]``.

    Attributes:
        detector: Name of a registered face detector: ``mien``'s own, ``haar`` of OpenCV, or another plugin's.
        detector_weights: The manifest of weights of one's own for ``mien``; unset takes those that ship.
        search_side: Pictures are brought to this longer side (pixels) before faces are looked for; larger finds smaller
            faces, and takes time with its square. Unset takes the detector's own: 200 for Haar; for mien's 320, or more
            where the smallest face asked for would take less than 18 pixels there. Haar sees faces from 20 reduced
            pixels on: with 200, a tenth of the longer side, 64 pixels of 640; mien's from about 12.
        min_face_pixels: Faces narrower than this are not looked for.
        min_face_fraction: Nor those narrower than this share of the picture's shorter side.
        max_faces: Of more faces than this in a picture, the largest are taken.
        min_detection_score: A face that the detector trusts less is dropped; unset takes the detector's own threshold.
        weights: Which expression network: ``small``, ``large`` (three times the work a face), or the manifest of
            weights of one's own; unset takes the small one.
        mirror: Whether each face is looked at twice, as it is and mirrored, and the answers are averaged: steadier, and
            twice the work.
        backend: Name of the registered execution backend that runs the expression network; ``auto`` is the fastest of
            the plugin's own that is installed and agrees with the reference, ``jax`` is always there.
        precision: ``float32`` keeps to it where ``auto`` computes in bfloat16: in OpenVINO, on processors that have it.
        quality: When a face's picture is too poor to be trusted fully.
        valence: Emotion -> valence in [-1, 1], for the emotions whose built-in value is not wanted.
        satisfaction: Emotion -> evidence of satisfaction in [0, 1], likewise.
    """

    detector: Annotated[str, Field(min_length=1)] = DetectorName.MIEN.value
    detector_weights: Path | None = None
    search_side: Annotated[int, Field(ge=64, le=4096)] | None = None
    min_face_pixels: Annotated[int, Field(ge=8, le=4096)] = 40
    min_face_fraction: Unit = 0.1
    max_faces: Annotated[int, Field(ge=1, le=256)] = 32
    min_detection_score: Unit | None = None
    weights: WeightsName | Path | None = None
    mirror: bool = False
    backend: Annotated[str, Field(min_length=1)] = BackendName.AUTO.value
    precision: Precision = Precision.AUTO
    quality: QualitySettings = QualitySettings()
    valence: dict[str, Annotated[float, Field(ge=-1.0, le=1.0)]] = Field(default_factory=dict)
    satisfaction: dict[str, Unit] = Field(default_factory=dict)

    def for_detector(self) -> DetectorSettings:
        """What is asked of the detector, whichever it is."""
        return DetectorSettings(
            search_side=self.search_side,
            min_face_pixels=self.min_face_pixels,
            min_face_fraction=self.min_face_fraction,
            min_score=self.min_detection_score,
        )


def merged(defaults: Mapping[str, float], overrides: Mapping[str, float], *, key: str) -> dict[str, float]:
    """A table with some of its values replaced.

    Args:
        defaults: Emotion -> value, one for every emotion.
        overrides: Emotion -> value, for some.
        key: What to call the overrides in an error.

    Raises:
        ConfigError: An override names an emotion that does not exist.
    """
    unknown = sorted(set(overrides) - set(defaults))
    if unknown:
        raise ConfigError(
            f"[plugins.face] {key}: there is no emotion {', '.join(unknown)}; known: {', '.join(defaults)}"
        )
    return {**defaults, **overrides}
