"""Trains a network of the zoo: Adam on the cross-entropy of one head, by the recipe that its authors published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from mien import Manifest
from mien_face.config import Arrays
from mien_face.inference import softmax
from mien_face_lab.evaluation import negative_log_likelihood
from mien_face_lab.training.augment import augment
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.learner import Judgement, StepFigures
from mien_face_lab.training.schedule import Schedule
from mien_face_lab.training.weighing import class_weights
from mien_face_lab.training.zoo_engine import ZooBatch, ZooEngine
from mien_face_lab.training.zoo_recipe import ZooRecipe
from mien_face_lab.zoo.catalogue import ZooNetwork
from mien_face_lab.zoo.classifier import network_input, save_network
from mien_face_lab.zoo.network import initial_arrays, is_kernel, is_statistic


class ZooState(NamedTuple):
    """Everything that training carries on.

    Attributes:
        arrays: Parameters and running statistics.
        optimizer: Adam's means.
        step: Steps made.
    """

    arrays: Arrays
    optimizer: Any
    step: int


class ZooLearner:
    """A network of the zoo with its recipe.

    Args:
        network: Which.
        labels: The classes that it tells apart.
        recipe: How it is trained.
        engine: Computes gradients and answers.
    """

    ships_best = True

    def __init__(self, network: ZooNetwork, labels: tuple[str, ...], recipe: ZooRecipe, engine: ZooEngine) -> None:
        self._network = network
        self._labels = labels
        self._recipe = recipe
        self._engine = engine
        self._adam = optax.scale_by_adam()
        self._update = jax.jit(self._updated)

    @property
    def name(self) -> str:
        """As ``--network`` calls it."""
        return self._network.name

    @property
    def epochs(self) -> int:
        """Passes over the data."""
        return self._recipe.epochs

    @property
    def batch_size(self) -> int:
        """Faces a step."""
        return self._recipe.batch_size

    @property
    def patience(self) -> int | None:
        """Of early stopping."""
        return self._recipe.patience

    @property
    def schedule(self) -> Schedule:
        """The learning rate."""
        return self._recipe.schedule

    def describe(self) -> dict[str, Any]:
        """Network and recipe as plain data."""
        return {"network": self.name, "labels": list(self._labels), "recipe": self._recipe.to_json()}

    def select(self, data: FaceData) -> FaceData:
        """The faces whose class the network tells apart."""
        return data.within(self._labels)

    def steps(self, data: FaceData) -> int:
        """Batches of an epoch."""
        return len(data) // self._recipe.batch_size

    def initial(self, seed: int) -> ZooState:
        """An untrained network."""
        arrays = initial_arrays(self._network, len(self._labels), seed)
        return ZooState(arrays, jax.device_get(self._adam.init(_parameters(arrays))), 0)

    def batches(self, data: FaceData, *, seed: int, epoch: int) -> Iterator[ZooBatch]:
        """One epoch in random order, augmented as the recipe says; a last, smaller batch is left out."""
        generator = np.random.default_rng([seed, epoch])
        order = generator.permutation(len(data))
        weights = class_weights(data.labels, len(self._labels)) if self._recipe.class_weights else None
        for start in range(0, self.steps(data) * self.batch_size, self.batch_size):
            chosen = order[start : start + self.batch_size]
            crops, labels = data.crops[chosen], data.labels[chosen]
            if self._recipe.augmentation is not None:
                crops = augment(crops, self._recipe.augmentation, generator)
            counts = np.ones(len(labels), np.float32) if weights is None else weights[labels]
            yield ZooBatch(network_input(crops, self._network.input_side), labels, counts)

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """What the schedule says."""
        return self._recipe.schedule.at(step=step, steps=steps, reductions=reductions)

    def step(self, state: ZooState, batch: ZooBatch, *, rate: float) -> tuple[ZooState, StepFigures]:
        """Learn from a batch."""
        gradients = self._engine.gradients(state.arrays, batch, seed=state.step)
        parameters, optimizer = self._update(
            _parameters(state.arrays), dict(gradients.parameters), state.optimizer, np.float32(rate)
        )
        arrays = {**parameters, **gradients.statistics}
        figures = StepFigures(gradients.loss, gradients.accuracy)
        return ZooState(arrays, optimizer, state.step + 1), figures

    def judge(self, state: ZooState, data: FaceData) -> Judgement:
        """Loss and accuracy on other faces."""
        logits = self._engine.logits(state.arrays, network_input(data.crops, self._network.input_side))
        loss = negative_log_likelihood(softmax(logits, temperature=1), data.labels)
        return Judgement(loss, float(np.mean(logits.argmax(axis=1) == data.labels)))

    def finish(self, state: ZooState, data: FaceData) -> ZooState:
        """The state as it is."""
        return state

    def export(self, state: ZooState, *, validation: FaceData, out: Path, training: Mapping[str, Any]) -> Manifest:
        """Write weights and manifest."""
        judged = self.judge(state, validation)
        metrics = {"accuracy": judged.accuracy, "nll": judged.loss, "n": float(len(validation))}
        arrays = {name: np.asarray(array) for name, array in state.arrays.items()}
        path = out / f"{self.name}.json"
        return save_network(path, self._network, self._labels, arrays, metrics=metrics, training=training)

    def close(self) -> None:
        """Give the engine back."""
        self._engine.close()

    def _updated(self, parameters: Arrays, gradients: Arrays, optimizer: Any, rate: jax.Array) -> tuple[Arrays, Any]:
        penalty = self._recipe.kernel_penalty
        if penalty:
            gradients = {
                name: gradient + penalty * parameters[name] if is_kernel(name) else gradient
                for name, gradient in gradients.items()
            }
        updates, optimizer = self._adam.update(gradients, optimizer)
        return {name: parameters[name] - rate * updates[name] for name in parameters}, optimizer


def _parameters(arrays: Arrays) -> Arrays:
    return {name: array for name, array in arrays.items() if not is_statistic(name)}
