"""Checkpoints of a run, kept by Orbax: written beside the old one and renamed when complete.

A full disk or a kill half-way therefore costs the new checkpoint, never the previous one. There are two: ``last``, from
which a run goes on, and ``best``, the state with the highest validation accuracy so far.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import jax
import numpy as np

from mien import MienError, MissingDependencyError, WeightsError

State = TypeVar("State")

FOLDER: Final = "checkpoints"
"""Of a run's folder."""


class Kind(StrEnum):
    """Which of a run's checkpoints."""

    LAST = "last"
    BEST = "best"


class Checkpoints:
    """The checkpoints in a run's folder.

    Args:
        out: The run's folder.

    Raises:
        MissingDependencyError: Orbax is not installed.
    """

    def __init__(self, out: Path) -> None:
        try:
            import orbax.checkpoint as orbax
        except ImportError as error:
            raise MissingDependencyError("training needs Orbax: pip install 'mien[train]'") from error
        self._orbax = orbax
        self._folder = out.absolute() / FOLDER

    def epoch(self, kind: Kind) -> int | None:
        """The epoch after which a checkpoint was made; None where there is none."""
        if not (self._folder / kind).is_dir():
            return None
        with self._manager(kind) as manager:
            latest: int | None = manager.latest_step()
        return latest

    def save(self, kind: Kind, state: Any, *, epoch: int, about: Mapping[str, Any]) -> None:
        """Keep a state in place of the kind's previous one; one of the same epoch is left as it is.

        Raises:
            MienError: It could not be written; the previous one is intact.
        """
        args = self._orbax.args
        items = args.Composite(state=args.StandardSave(_flat(state)), about=args.JsonSave(dict(about)))
        try:
            with self._manager(kind) as manager:
                if manager.latest_step() != epoch:
                    manager.save(epoch, args=items)
        except (OSError, ValueError, RuntimeError) as error:  # what TensorStore and Orbax make of a failed write
            raise MienError(
                f"cannot write the checkpoint of epoch {epoch} to {self._folder / kind}; is the disk full? "
                f"The previous one is intact: go on with --resume. ({_first_line(error)})"
            ) from error

    def about(self, kind: Kind) -> dict[str, Any]:
        """What was said of the latest checkpoint of a kind when it was saved.

        Raises:
            WeightsError: It cannot be read.
        """
        try:
            with self._manager(kind) as manager:
                restored = manager.restore(
                    manager.latest_step(), args=self._orbax.args.Composite(about=self._orbax.args.JsonRestore())
                )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise self._unreadable(kind, error) from error
        return dict(restored.about)

    def load(
        self, kind: Kind, like: State, *, settings: Mapping[str, Any] | None = None
    ) -> tuple[State, dict[str, Any]]:
        """Read the latest checkpoint of a kind.

        Args:
            kind: Which.
            like: A state of the same network, for its structure.
            settings: What the run that made it must have been given; None: anything.

        Returns:
            The state, and what ``about`` said when it was saved.

        Raises:
            WeightsError: It cannot be read, is of another network, or was made with other settings (which are named).
        """
        about = self.about(kind)
        if settings is not None:
            _check_settings(self._folder / kind, about.get("settings", {}), settings)
        args = self._orbax.args
        try:
            with self._manager(kind) as manager:
                items = args.Composite(state=args.StandardRestore(_flat(like)))
                found = manager.restore(manager.latest_step(), args=items).state
            return _unflat(like, found), about
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise self._unreadable(kind, error) from error

    def _unreadable(self, kind: Kind, error: Exception) -> WeightsError:
        return WeightsError(f"cannot read the checkpoint in {self._folder / kind}: {_first_line(error)}")

    def _manager(self, kind: Kind) -> Any:
        options = self._orbax.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)
        return self._orbax.CheckpointManager(self._folder / kind, options=options)


def _check_settings(place: Path, found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    plain = json.loads(json.dumps(expected))
    different = sorted(key for key in plain.keys() | found.keys() if plain.get(key) != found.get(key))
    if different:
        raise WeightsError(f"{place} was made with another {', '.join(different)}; use the same, or another --out")


def _flat(state: Any) -> dict[str, Any]:
    """Leaves by their path in the tree, so that a checkpoint says what is in it."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def _unflat(like: State, leaves: Mapping[str, Any]) -> State:
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    values = []
    for path, old in paths:
        value = leaves[jax.tree_util.keystr(path)]
        values.append(type(old)(value) if isinstance(old, (int, float)) else value)
    built: State = jax.tree_util.tree_unflatten(structure, values)
    return built


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
