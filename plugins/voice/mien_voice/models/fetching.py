"""Speech models from the Hugging Face hub into its cache on this machine; whole and checked, or not at all.

The transfer is huggingface_hub's: into a file of another name, which it renames when all has come. Weights come last,
and a cache without them holds no model, so that what breaks off is never taken for one.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mien import PluginError
from mien_voice.models.catalogue import (
    CONFIG_FILE,
    MODELS,
    OPTIONAL_FILES,
    TOKENIZER_FILE,
    VOCABULARY_FILES,
    WEIGHTS_FILE,
)
from mien_voice.models.checksums import is_blob
from mien_voice.models.places import Origin, Place, cache_folder, find_cached, repository_of

HUB_TIMEOUT_SECONDS: Final = 10.0
"""To answer a question about a file."""

_MEGABYTE: Final = 1_000_000
_IN_ORDER: Final = (CONFIG_FILE, TOKENIZER_FILE, *VOCABULARY_FILES, *OPTIONAL_FILES, WEIGHTS_FILE)
_REQUIRED: Final = (CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE)


def fetch(name: str, *, endpoint: str | None = None, say: Callable[[str], None] = lambda _: None) -> Place:
    """Fetch a model with a progress bar on stderr, and check it.

    Args:
        name: Its size or hub id.
        endpoint: The hub's address; None for the usual one, or ``HF_ENDPOINT``'s.
        say: Takes a line about what is going on.

    Returns:
        Where it is: files that were there already are not fetched again.

    Raises:
        PluginError: The hub cannot be reached, has no such model, or sent something else; the disk is full. What had
            come is not taken for a model.
    """
    repository, cache = repository_of(name), cache_folder()
    _need_room(name, cache)
    blobs = cache / f"models--{repository.replace('/', '--')}" / "blobs"
    for file in _IN_ORDER:
        with _explained(name, repository, blobs):
            path = _fetched(repository, file, endpoint)
        if path is None:
            continue
        say(f"{file}: {path.stat().st_size / _MEGABYTE:.1f} MB")
        if not is_blob(path.resolve()):
            _forget(path)
            raise PluginError(
                f"{file} of {repository} came damaged: its content is not what the hub's checksum says; it was "
                "deleted, fetch it again"
            )
    place = find_cached(name)
    if place is None:
        raise PluginError(f"{repository} holds no Whisper model in CTranslate2's format: no file of its words")
    return Place(name=name, origin=Origin.CACHE, folder=place.folder)


def _fetched(repository: str, file: str, endpoint: str | None) -> Path | None:
    """One file in the cache; None where the repository does without it."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        path = hf_hub_download(
            repository, file, endpoint=endpoint, cache_dir=cache_folder(), etag_timeout=HUB_TIMEOUT_SECONDS
        )
    except LocalEntryNotFoundError:
        raise  # it is an EntryNotFoundError, and says that nobody could be asked
    except EntryNotFoundError as error:
        if file in _REQUIRED:
            raise PluginError(
                f"{repository} holds no Whisper model in CTranslate2's format: it has no file {file}"
            ) from error
        return None
    return Path(path)


@contextmanager
def _explained(name: str, repository: str, blobs: Path) -> Iterator[None]:
    """Around a transfer: what went wrong, in one line, and nothing half-written left on a disk that is full."""
    from huggingface_hub import constants
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled, RepositoryNotFoundError

    try:
        yield
    except PluginError:
        raise
    except RepositoryNotFoundError as error:
        raise PluginError(f"the hub has no model {repository}, or does not show it without a login") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        if constants.HF_HUB_OFFLINE:
            raise PluginError(f"cannot fetch {name}: HF_HUB_OFFLINE forbids to ask the hub") from error
        raise PluginError(
            f"cannot fetch {name}: the hub cannot be reached. Try again with a network, or copy the folder of a model "
            "here and name it ([plugins.voice.whisper] model)"
        ) from error
    except OSError as error:
        for path in blobs.glob("*.incomplete"):
            path.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PluginError(f"the disk is full: {blobs} has no room for {name}; what had come was deleted") from error
        raise PluginError(f"fetching {name} broke off ({type(error).__name__}); try again") from error
    except Exception as error:  # the HTTP library's, which has changed its types more than once
        raise PluginError(f"fetching {name} broke off ({type(error).__name__}); try again") from error


def _need_room(name: str, cache: Path) -> None:
    needed = MODELS[name].megabytes if name in MODELS else 0
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free // _MEGABYTE
    if find_cached(name) is None and free < needed:
        raise PluginError(f"the disk is full: {name} needs {needed} MB, and {existing} has {free} MB left")


def _forget(path: Path) -> None:
    """Delete a file of the cache and what it links to."""
    with suppress(FileNotFoundError):
        path.resolve().unlink()
    path.unlink(missing_ok=True)
