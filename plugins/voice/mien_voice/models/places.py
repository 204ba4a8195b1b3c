"""Where a speech model lies on this machine: a folder, the Hugging Face cache, an installed model package.

Nothing is fetched and nothing imported: of a package only its data files are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from mien import PluginError
from mien_voice.models.catalogue import (
    CONFIG_FILE,
    MODELS,
    OPTIONAL_FILES,
    PACKAGES,
    TAKEN_BY_ITSELF,
    TOKENIZER_FILE,
    VOCABULARY_FILES,
    WEIGHTS_FILE,
    ModelPackage,
)
from mien_voice.models.checksums import check_blobs, check_files

MODEL_FILES: Final = (WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE, *VOCABULARY_FILES, *OPTIONAL_FILES)
"""All that may belong to a model."""


class Origin(StrEnum):
    """Where a model was found."""

    FOLDER = "folder"
    CACHE = "cache"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A model on this machine.

    Attributes:
        name: Size name, hub id or folder, as it was asked for.
        origin: How it came here.
        folder: That holds its files.
        package: The model package that brought it; None if none did.
    """

    name: str
    origin: Origin
    folder: Path
    package: ModelPackage | None = None

    def check(self) -> None:
        """Compare the files with what is known of them: a package's with our record, the cache's with their names.

        Raises:
            PluginError: A file is missing, cut or another one; says which.
        """
        check_complete(self.folder)
        if self.package is not None:
            check_files(self.folder, self.package.sha256, whose=f"the package {self.package.distribution}")
        elif self.origin is Origin.CACHE:
            check_blobs(self.folder, MODEL_FILES)


def find(name: str, language: str = "") -> Place | None:
    """Look for a model.

    Args:
        name: A folder, a size or a hub id; empty for the first that is there: in the cache, or else in a package.
        language: That must be read, as the first part of a BCP 47 tag; empty for English.

    Returns:
        Where it is; None where it is not on this machine.

    Raises:
        PluginError: The name looks like a folder's, and there is none.
    """
    if name:
        return _named(name)
    return next(installed(language), None)


def installed(language: str = "") -> Iterator[Place]:
    """The models that the engine would take by itself, the first first."""
    foreign = language not in ("", "en")
    for size in TAKEN_BY_ITSELF:
        if foreign and not MODELS[size].is_multilingual:
            continue
        place = find_cached(size)
        if place is not None:
            yield place
    for package in PACKAGES:
        place = _packaged(package)
        if place is not None and not (foreign and not MODELS[package.size].is_multilingual):
            yield place


def find_cached(name: str) -> Place | None:
    """A model in the Hugging Face cache; None where not all of it is there."""
    from huggingface_hub import try_to_load_from_cache

    weights = try_to_load_from_cache(repository_of(name), WEIGHTS_FILE, cache_dir=cache_folder())
    if not isinstance(weights, str) or missing_files(Path(weights).parent):
        return None
    return Place(name=name, origin=Origin.CACHE, folder=Path(weights).parent)


def cache_folder() -> Path:
    """The Hugging Face cache: ``HF_HUB_CACHE``, or where that library keeps it."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def missing_files(folder: Path) -> list[str]:
    """The files that a model needs and the folder lacks."""
    there = {path.name for path in folder.iterdir()}
    missing = [name for name in (WEIGHTS_FILE, CONFIG_FILE, TOKENIZER_FILE) if name not in there]
    if not there.intersection(VOCABULARY_FILES):
        missing.append(" or ".join(VOCABULARY_FILES))
    return missing


def check_complete(folder: Path) -> None:
    """See that a folder has the files of a model.

    Raises:
        PluginError: One is missing, or they are those of a model in another format.
    """
    missing = missing_files(folder)
    if not missing:
        return
    if any((folder / name).exists() for name in ("model.safetensors", "pytorch_model.bin")):
        raise PluginError(
            f"the folder {folder} holds a checkpoint for transformers, and no Whisper in CTranslate2's format: use "
            'transcriber = "transformers", or convert it with ct2-transformers-converter'
        )
    raise PluginError(
        f"the folder {folder} is no whole speech model: {', '.join(missing)} is missing; expected a Whisper model in "
        "CTranslate2's format"
    )


def looks_local(name: str) -> bool:
    """Whether a model's name is a folder's: hub ids have one slash, and begin with none."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1


def repository_of(name: str) -> str:
    """The hub id of a size, or of itself.

    Raises:
        PluginError: It is neither; lists the sizes.
    """
    if name in MODELS:
        return MODELS[name].repository
    if name.count("/") == 1 and not looks_local(name):
        return name
    raise PluginError(f"{name!r} is no speech model: expected one of {', '.join(MODELS)}, a hub id or a folder")


def _named(name: str) -> Place | None:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Place(name=name, origin=Origin.FOLDER, folder=folder)
    if looks_local(name):
        raise PluginError(f"there is no folder {name} with a speech model")
    place = find_cached(name)
    if place is not None:
        return place
    return next((place for package in PACKAGES if package.size == name and (place := _packaged(package))), None)


def _packaged(package: ModelPackage) -> Place | None:
    """A model in an installed distribution; its code is not imported."""
    try:
        found: Distribution = distribution(package.distribution)
    except PackageNotFoundError:
        return None
    folder = Path(str(found.locate_file(package.folder)))
    if not folder.is_dir():
        return None
    return Place(name=package.size, origin=Origin.PACKAGE, folder=folder, package=package)
