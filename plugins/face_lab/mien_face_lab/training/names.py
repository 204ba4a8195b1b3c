"""The names by which ``mien train face`` chooses how pictures are prepared. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum


class Crop(StrEnum):
    """Which part of a picture is kept."""

    AUTO = "auto"
    WHOLE = "whole"
    HAAR = "haar"


class Equalise(StrEnum):
    """How light is evened out."""

    NONE = "none"
    HISTOGRAM = "histogram"
    CLAHE = "clahe"


class Split(StrEnum):
    """A part of labelled data."""

    ALL = "all"
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
