"""The plugin's hook. Importing this loads no decoder: that waits until somebody has sound to recognise."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from mien import RegisterTranscriber, Transcriber, TranscriberInfo, hookimpl

MIEN_API_VERSION = 1
"""The version of mien's plugin contract that this was written for."""


@hookimpl
def mien_register_transcribers(register: RegisterTranscriber) -> None:
    """Register the engine ``pocketsphinx``."""
    info = TranscriberInfo(
        version=_version("pocketsphinx"),
        languages=("en-US",),
        description="PocketSphinx, embedded and offline; for clear, close speech on very small machines",
    )
    register("pocketsphinx", info, _load)


def _load() -> Transcriber:
    from mien_pocketsphinx.isolated import IsolatedPocketSphinx

    return IsolatedPocketSphinx()


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
