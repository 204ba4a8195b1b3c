"""Checkpoints of a run: arrays as safetensors, and beside them a manifest in JSON; nothing is ever unpickled.

There are two: ``last``, from which a run goes on, and ``best``, the state of the best epoch so far. ``last.json`` says
after which epoch and with which settings it was made, and names the file of its arrays, whose SHA-256 is checked. It is
replaced when those are complete: a full disk or a kill half-way costs the new checkpoint, never the previous one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from mien.errors import InputError, MienError, WeightsError
from mien.weights import write_atomically

State = TypeVar("State")

FOLDER: Final = "checkpoints"
"""Of a run's folder."""

FORMAT: Final = 1
"""Version of the manifest's layout."""


class Kind(StrEnum):
    """Which of a run's checkpoints."""

    LAST = "last"
    BEST = "best"


class Checkpoints:
    """The checkpoints in a run's folder.

    Args:
        out: The run's folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._folder = out / FOLDER

    def epoch(self, kind: Kind) -> int | None:
        """The epoch after which a checkpoint was made; None where there is none.

        Raises:
            WeightsError: It cannot be read.
        """
        return int(self._manifest(kind)["epoch"]) if self._path(kind).is_file() else None

    def goes_on(self, *, resume: bool) -> bool:
        """Whether a run goes on from here: there is something to go on from, and it may.

        Raises:
            InputError: There is something, and the run may not go on.
        """
        found = self._path(Kind.LAST).is_file()
        if found and not resume:
            raise InputError(
                f"{self._out} holds the checkpoint of an earlier run: add --resume, or choose another --out"
            )
        return found

    def save(self, kind: Kind, state: Any, *, epoch: int, about: Mapping[str, Any]) -> None:
        """Keep a state in place of the kind's previous one.

        Args:
            kind: Which.
            state: Tuples and dictionaries of arrays and numbers.
            epoch: After which it was reached.
            about: What is said of it, as plain data; under ``settings``, what the run was given.

        Raises:
            MienError: It could not be written; the previous one is intact.
        """
        from safetensors.numpy import save

        # ascontiguousarray would make a vector of a number
        content = save({name: np.asarray(leaf, order="C") for name, leaf in _leaves(state)})
        file = f"{kind}-{epoch}.safetensors"
        manifest = {
            "format": FORMAT,
            "epoch": epoch,
            "file": file,
            "sha256": hashlib.sha256(content).hexdigest(),
            "about": dict(about),
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._folder / file, content)
            write_atomically(self._path(kind), (json.dumps(manifest, indent=2) + "\n").encode())
            for old in self._folder.glob(f"*{kind}*"):  # the previous arrays, and what a kill half-way left
                if old.name not in {file, self._path(kind).name}:
                    old.unlink()
        except OSError as error:
            raise MienError(
                f"cannot write the checkpoint of epoch {epoch} to {self._folder}; is the disk full? "
                f"The previous one is intact: go on with --resume. ({error.strerror or error})"
            ) from error

    def about(self, kind: Kind) -> dict[str, Any]:
        """What was said of a checkpoint when it was saved.

        Raises:
            WeightsError: There is none, or it cannot be read.
        """
        return dict(self._manifest(kind)["about"])

    def load(
        self, kind: Kind, like: State, *, settings: Mapping[str, Any] | None = None
    ) -> tuple[State, dict[str, Any]]:
        """Read a checkpoint.

        Args:
            kind: Which.
            like: A state of the same network, for its structure.
            settings: What the run that made it must have been given; None: anything.

        Returns:
            The state, and what ``about`` said when it was saved.

        Raises:
            WeightsError: There is none, it cannot be read, is of another network, or was made with other settings
                (which are named).
        """
        about = self.about(kind)
        if settings is not None:
            _check_settings(self._path(kind), about.get("settings", {}), settings)
        arrays = self._arrays(kind)
        expected = dict(_leaves(like))
        if {name: array.shape for name, array in arrays.items()} != {
            name: np.shape(leaf) for name, leaf in expected.items()
        }:
            raise self._unreadable(kind, "its arrays are of another network")
        return _with_leaves(like, arrays), about

    def part(self, kind: Kind, name: str) -> dict[str, npt.NDArray[Any]]:
        """Read a part of a state whatever the rest of it is, such as the weights for another run to start from.

        Args:
            kind: Which checkpoint.
            name: The state's field, arrays by name.

        Raises:
            WeightsError: There is no such checkpoint, it cannot be read, or the state has no such part.
        """
        prefix = f"{name}/"
        arrays = {key.removeprefix(prefix): each for key, each in self._arrays(kind).items() if key.startswith(prefix)}
        if not arrays:
            raise WeightsError(f"{self._path(kind)} is of another kind of network: there is nothing called {name!r}")
        return arrays

    def _path(self, kind: Kind) -> Path:
        return self._folder / f"{kind}.json"

    def _manifest(self, kind: Kind) -> dict[str, Any]:
        path = self._path(kind)
        if not path.is_file():
            raise WeightsError(f"{self._out} holds no checkpoint; expected the folder of an earlier run")
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise self._unreadable(kind, str(error)) from error
        keys = {"format", "epoch", "file", "sha256", "about"}
        if not isinstance(found, dict) or found.keys() != keys or found["format"] != FORMAT:
            raise self._unreadable(kind, f"expected a manifest of format {FORMAT} with {', '.join(sorted(keys))}")
        return found

    def _arrays(self, kind: Kind) -> dict[str, npt.NDArray[Any]]:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        manifest = self._manifest(kind)
        try:
            content = (self._folder / Path(manifest["file"]).name).read_bytes()
            if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
                raise self._unreadable(kind, f"{manifest['file']} is damaged: its sha256 is another")
            return dict(load(content))
        except (OSError, SafetensorError) as error:
            raise self._unreadable(kind, str(error)) from error

    def _unreadable(self, kind: Kind, why: str) -> WeightsError:
        return WeightsError(f"cannot read the checkpoint {self._path(kind)}: {why}")


def _check_settings(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    plain = json.loads(json.dumps(expected))
    different = sorted(key for key in plain.keys() | found.keys() if plain.get(key) != found.get(key))
    if different:
        raise WeightsError(f"{path} was made with another {', '.join(different)}; use the same, or another --out")


def _children(tree: Any) -> dict[str, Any] | None:
    """What a node of a state holds, by name; None for a leaf."""
    if isinstance(tree, Mapping):
        return {str(name): child for name, child in tree.items()}
    if isinstance(tree, tuple | list):
        names = getattr(tree, "_fields", range(len(tree)))
        return {str(name): child for name, child in zip(names, tree, strict=True)}
    return {} if tree is None else None


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Arrays and numbers by their path in the tree, so that a checkpoint says what is in it."""
    children = _children(tree)
    if children is None:
        yield path, tree
        return
    for name, child in children.items():
        yield from _leaves(child, f"{path}/{name}" if path else name)


def _with_leaves(tree: Any, leaves: Mapping[str, Any], path: str = "") -> Any:
    """A tree of the same structure with other leaves; numbers stay numbers."""
    children = _children(tree)
    if children is None:
        return type(tree)(leaves[path]) if isinstance(tree, int | float) else leaves[path]
    built = [_with_leaves(child, leaves, f"{path}/{name}" if path else name) for name, child in children.items()]
    if isinstance(tree, Mapping):
        return dict(zip(tree, built, strict=True))
    if hasattr(tree, "_fields"):
        return type(tree)(*built)
    return None if tree is None else type(tree)(built)
