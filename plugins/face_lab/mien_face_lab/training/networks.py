"""Finds the network that ``--network`` names and makes a learner of it: the shipped one, or any of the zoo.

A new network of the zoo needs an entry in ``mien_face_lab.zoo.catalogue``, a recipe in ``zoo_recipes`` and nothing
here; one with a learner of its own needs a line in ``learner_of``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from mien import InputError
from mien.training import Checkpoints, Decline, Kind, Schedule
from mien_face.config import Arrays, NetworkConfig
from mien_face.inference import load_folded
from mien_face_lab.training import architectures
from mien_face_lab.training.augment import ROBUST
from mien_face_lab.training.distilling import Teacher
from mien_face_lab.training.engines import EngineName, imported_for
from mien_face_lab.training.growing import grow
from mien_face_lab.training.learner import FaceLearner
from mien_face_lab.training.recipe import Recipe
from mien_face_lab.training.recipes import DEEP_RECIPE, DEEP_REFINING, FINISHING, REFINING, WIDE_RECIPE
from mien_face_lab.training.unfolding import unfold
from mien_face_lab.training.zoo_recipes import PUBLISHED
from mien_face_lab.zoo.catalogue import ZOO, ZooNetwork

if TYPE_CHECKING:
    from mien_face_lab.training.step import Engine
    from mien_face_lab.training.zoo_engine import ZooEngine

RESNET: Final = "resnet"
"""The start of the large one's training, which took no GPU; a quarter of its operations."""

RESNET_WIDE: Final = "resnet-wide"
"""Three times the operations of ``resnet``, from which it is grown, and the next step on the way."""

RESNET_DEEP: Final = "resnet-deep"
"""The large one that ships: one more block at 24x24."""

RESNET_SMALL: Final = "resnet-small"
"""The one that is taken where nothing else is said; ``mien train students`` made its weights."""


@dataclass(frozen=True, slots=True)
class Resnet:
    """A network of the shipped kind, which the plugin runs.

    Attributes:
        config: Its layers.
        recipe: How it is trained first.
        refining: How it is trained on.
        finishing: How it is trained at last, when refining brings no more.
    """

    config: NetworkConfig
    recipe: Recipe
    refining: Recipe = REFINING
    finishing: Recipe = FINISHING


RESNETS: Final = MappingProxyType(
    {
        RESNET: Resnet(NetworkConfig(), Recipe()),
        RESNET_WIDE: Resnet(architectures.WIDE, WIDE_RECIPE),
        RESNET_DEEP: Resnet(architectures.LARGE, DEEP_RECIPE, DEEP_REFINING),
        RESNET_SMALL: Resnet(architectures.SMALL, DEEP_RECIPE, DEEP_REFINING),
    }
)
"""Each by the name that ``--network`` takes."""

KNN: Final = "knn"
"""The baseline of nearest neighbours, which is fitted rather than trained (``mien_face_lab.training.knn``)."""

NAMES: Final = (*RESNETS, *sorted(ZOO), KNN)
"""All that ``--network`` takes."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a user wants otherwise than the recipe has it; None leaves it.

    Attributes:
        epochs: Passes over the data.
        batch_size: Faces a step.
        peak_rate: Highest learning rate.
        decline: How the learning rate goes down.
        patience: Epochs without a lower validation loss after which training ends; 0: never.
        class_weights: Whether a face counts in inverse proportion to its class's size.
        augmentation: Strength of the recipe's random changes.
        robust: Whether those are ``augment.ROBUST``: also covered, blurred, small and noisy faces.
        refine: Whether the recipe is the network's ``refining``, for one that is trained already.
        finish: Whether it is its ``finishing``, for one that refining brings no further.
        teacher_share: Share of a target that is the teacher's, the same for both heads.
        ships_best: Whether the best epoch's weights are exported rather than the last's (the shipped network only; all
            of the zoo export the best).
    """

    epochs: int | None = None
    batch_size: int | None = None
    peak_rate: float | None = None
    decline: Decline | None = None
    patience: int | None = None
    class_weights: bool | None = None
    augmentation: float | None = None
    robust: bool = False
    refine: bool = False
    finish: bool = False
    teacher_share: float | None = None
    ships_best: bool | None = None


def learner_of(
    name: str,
    changes: Changes,
    *,
    labels: tuple[str, ...],
    engine: EngineName = EngineName.JAX,
    start: Arrays | None = None,
    teacher: Teacher | None = None,
) -> FaceLearner:
    """Make a network ready to be trained.

    Args:
        name: One of ``NAMES`` but ``knn``.
        changes: To its recipe.
        labels: The classes of the data.
        engine: What computes.
        start: Weights to begin with; only a network of ``RESNETS`` takes any.
        teacher: What it learns from beside the labels; likewise.

    Raises:
        InputError: There is no such network, or a change does not fit it.
        MissingDependencyError: A package that computes it is not installed.
    """
    if name in RESNETS:
        return _resnet(name, changes, engine, start, teacher)
    if name not in ZOO:
        raise InputError(f"there is no network {name!r}; known are {', '.join(NAMES)}")
    refuse_unless_resnet(name, start=start, teacher=teacher, further=changes.refine or changes.finish)
    return _of_the_zoo(ZOO[name], changes, engine, labels)


def refuse_unless_resnet(name: str, **given: object) -> None:
    """Raise rather than ignore what only the networks of ``RESNETS`` can make use of.

    Args:
        name: The network that is to be trained.
        given: What a user may have given: weights to start from, teachers, a recipe for trained weights.

    Raises:
        InputError: Something was given, and the network is of the zoo or a baseline.
    """
    if name not in RESNETS and any(given.values()):
        known = ", ".join(RESNETS)
        raise InputError(f"--start, --refine, --finish and --teacher are for {known}; leave them away for {name}")


def first_weights(name: str, changes: Changes, start: Path, *, crops: npt.NDArray[np.uint8], seed: int) -> Arrays:
    """Read the weights of an earlier run of a network of ``RESNETS``, to begin with; those of a smaller one are grown.

    Args:
        name: The network that is to be trained.
        changes: To its recipe.
        start: A run's folder, or the manifest of exported weights.
        crops: Faces that it is to learn from, uint8 ``[n, 48, 48]``: exported weights are unfolded with them.
        seed: Of what is drawn where a network grows.

    Raises:
        InputError: The network is another, or there is no face.
        WeightsError: They cannot be read, or are of a network that is not of this kind, or larger.
    """
    refuse_unless_resnet(name, start=start)
    if start.suffix == ".json":
        exported = load_folded(start)
        arrays = unfold(exported.config, exported.arrays, crops)
    else:
        arrays = Checkpoints(start).part(Kind.LAST, "averaged")
    return grow(arrays, resnet_recipe(name, changes)[0], seed=seed)


def resnet_recipe(name: str, changes: Changes) -> tuple[NetworkConfig, Recipe]:
    """A network of ``RESNETS``, and how it is trained with these changes.

    Raises:
        InputError: Fewer epochs than its recipe has phases, or two recipes are asked for.
    """
    resnet = RESNETS[name]
    if changes.refine and changes.finish:
        raise InputError(
            "--refine and --finish are two recipes: train with one, then --start the other from its folder"
        )
    recipe = resnet.refining if changes.refine else resnet.finishing if changes.finish else resnet.recipe
    try:
        recipe = recipe.with_epochs(changes.epochs or recipe.epochs)
    except ValueError as error:
        raise InputError(f"--epochs: {error}") from error
    if changes.peak_rate is not None:
        recipe = recipe.with_peak(changes.peak_rate)
    augmentation = ROBUST if changes.robust else recipe.augmentation
    if changes.teacher_share is not None:
        recipe = recipe.with_teacher_share(changes.teacher_share)
    return resnet.config, replace(
        recipe,
        batch_size=changes.batch_size or recipe.batch_size,
        augmentation=augmentation.scaled(1.0 if changes.augmentation is None else changes.augmentation),
    )


def _resnet(
    name: str, changes: Changes, engine: EngineName, start: Arrays | None, teacher: Teacher | None
) -> FaceLearner:
    config, recipe = resnet_recipe(name, changes)
    computes = _engine(engine, config, recipe)
    from mien_face_lab.training.resnet_learner import ResnetLearner

    return ResnetLearner(
        name,
        computes,
        config,
        recipe,
        start=start,
        teacher=teacher,
        schedule=None if changes.decline is None else Schedule(recipe.peak_rate, changes.decline),
        patience=changes.patience or None,
        weigh_classes=bool(changes.class_weights),
        ships_best=bool(changes.ships_best),
    )


def _engine(name: EngineName, config: NetworkConfig, recipe: Recipe) -> Engine:
    with imported_for(name):
        if name is EngineName.TORCH:
            from mien_face_lab.training.torch_engine import TorchEngine

            return TorchEngine(config, recipe)
        from mien_face_lab.training.jax_engine import JaxEngine

        return JaxEngine(config, recipe)


def _of_the_zoo(network: ZooNetwork, changes: Changes, engine: EngineName, labels: tuple[str, ...]) -> FaceLearner:
    if changes.ships_best is False:
        raise InputError(f"{network.name} always exports its best epoch; leave --ship away")
    with imported_for(EngineName.JAX):  # whatever computes the gradients
        from mien_face_lab.training.zoo_learner import ZooLearner
    own = network.labels or labels
    recipe = PUBLISHED[network.name]
    schedule = recipe.schedule.with_rate(changes.peak_rate)
    if changes.decline is not None:
        schedule = replace(schedule, decline=changes.decline)
    augmentation = recipe.augmentation
    if changes.augmentation is not None and augmentation is not None:
        augmentation = augmentation.scaled(changes.augmentation)
    recipe = replace(
        recipe,
        epochs=changes.epochs or recipe.epochs,
        batch_size=changes.batch_size or recipe.batch_size,
        schedule=schedule,
        patience=recipe.patience if changes.patience is None else (changes.patience or None),
        class_weights=recipe.class_weights if changes.class_weights is None else changes.class_weights,
        augmentation=augmentation,
    )
    return ZooLearner(network, own, recipe, _zoo_engine(engine, network, len(own)))


def _zoo_engine(name: EngineName, network: ZooNetwork, classes: int) -> ZooEngine:
    with imported_for(name):
        if name is EngineName.TORCH:
            from mien_face_lab.training.zoo_torch import TorchZooEngine

            return TorchZooEngine(network, classes)
        from mien_face_lab.training.zoo_engine import JaxZooEngine

        return JaxZooEngine(network, classes)
