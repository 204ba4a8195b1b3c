"""Weight files: arrays as safetensors, and beside them a manifest that says what they are and how they were made.

A manifest ``NAME.json`` names its ``NAME.safetensors``, whose SHA-256 is checked before a byte of it is parsed. Nothing
is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mien.errors import WeightsError

MAX_WEIGHTS_BYTES: Final = 1 << 30
"""A weight file over this size (1 GiB) is refused unread."""


class Manifest(BaseModel):
    """What a weight file is.

    Attributes:
        format: Version of this manifest's layout.
        name: Of these weights.
        version: Of these weights.
        network: Which network they fit, as the plugin that made them names it.
        file: The safetensors file, in the manifest's own folder.
        sha256: Of that file, hexadecimal.
        labels: Head -> the labels of its outputs, in order.
        license: Of the weights: SPDX expression or short phrase.
        license_note: What the data's licences ask of a user.
        config: What the network's constructor needs (sizes, input shape, normalisation constants).
        calibration: Constants fitted after training, such as temperatures and thresholds.
        training: How they were made: command, data, seed, epochs, host.
        metrics: Figures on the validation data, by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    name: str
    version: str
    network: str
    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    labels: dict[str, list[str]]
    license: str
    license_note: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    calibration: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        WeightsError: There is no such file, or it is not a manifest.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"cannot read the weight manifest {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise WeightsError(f"{path} is not a weight manifest: {where}: {first['msg']}") from error


def load_weights(manifest_path: Path) -> tuple[Manifest, dict[str, npt.NDArray[Any]]]:
    """Load the weights that a manifest names.

    Returns:
        The manifest, and the arrays by name.

    Raises:
        WeightsError: A file is missing or too large, its SHA-256 differs, or it is not safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    manifest = read_manifest(manifest_path)
    if Path(manifest.file).name != manifest.file:
        raise WeightsError(f"{manifest_path}: 'file' must name a file in the same folder, got {manifest.file!r}")
    path = manifest_path.parent / manifest.file
    try:
        if path.stat().st_size > MAX_WEIGHTS_BYTES:
            raise WeightsError(f"{path} is larger than {MAX_WEIGHTS_BYTES} bytes; is it a weight file of mien's?")
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read the weights {path}: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        raise WeightsError(f"{path} is damaged or of another version: its sha256 is {found}, not {manifest.sha256}")
    try:
        return manifest, dict(load(content))
    except SafetensorError as error:
        raise WeightsError(f"{path} is not a safetensors file: {error}") from error


def save_weights(
    manifest_path: Path, arrays: Mapping[str, npt.NDArray[Any]], *, labels: Mapping[str, list[str]], **fields: Any
) -> Manifest:
    """Write arrays as safetensors with a manifest beside them; the old pair survives a failure half-way.

    Args:
        manifest_path: Where the manifest goes (``NAME.json``); the arrays go to ``NAME.safetensors``.
        arrays: By name; made contiguous.
        labels: Head -> labels.
        **fields: The other fields of ``Manifest`` but ``file`` and ``sha256``, which are made here.

    Returns:
        The manifest as written.
    """
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    weights_path = manifest_path.with_suffix(".safetensors")
    manifest = Manifest(
        file=weights_path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        labels=dict(labels),
        **fields,
    )
    manifest_path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False) + "\n"
    write_atomically(weights_path, content)
    write_atomically(manifest_path, text.encode())
    return manifest


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old content or the new, never half of it; ``mode`` is its permissions."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
