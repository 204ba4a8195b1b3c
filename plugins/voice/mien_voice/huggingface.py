"""What the engines that run Hugging Face checkpoints share: optional packages, folders that are not there, errors.

Knows no model; used by the transcriber and by the tone of that kind.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mien import MissingDependencyError, PluginError

_LONGEST_REASON: Final = 300


def need(package: str, *, user: str) -> Any:
    """Import a package of the extra ``mien[transformers]``.

    Args:
        package: Its name.
        user: What needs it, to begin a sentence with.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingDependencyError(
            f"{user} needs the package {package!r}: pip install 'mien[transformers]'"
        ) from error


@contextmanager
def loading(checkpoint: str, *, kind: str, key: str) -> Iterator[None]:
    """Around the loading of a checkpoint: turn what transformers raises into one line.

    Args:
        checkpoint: Hub id or local folder.
        kind: Of the checkpoint, "speech-recognition" for instance.
        key: The setting that names it.

    Raises:
        PluginError: There is no such folder, or nothing of this kind could be loaded.
    """
    if _looks_local(checkpoint) and not Path(checkpoint).is_dir():
        raise PluginError(f"there is no folder {checkpoint} with a {kind} checkpoint")
    try:
        yield
    except (OSError, ValueError) as error:
        first = " ".join(str(error).split())[:_LONGEST_REASON]
        raise PluginError(
            f"cannot load the {kind} checkpoint {checkpoint!r}: {first}. Give the id of one on the Hugging Face "
            f"hub, or a local folder that holds one ({key})"
        ) from error


def _looks_local(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.count("/") > 1
