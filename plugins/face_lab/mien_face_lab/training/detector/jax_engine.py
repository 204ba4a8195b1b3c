"""Training of the detector computed by JAX: the reference, and the engine for accelerators.

The score learns how well its box fits (varifocal loss, Zhang et al. 2021), boxes by generalised intersection over
union (Rezatofighi et al. 2019), landmarks by smooth L1 (Girshick 2015) in sizes of the face. Boxes and landmarks of
cells that fit well weigh more.

Shapes: n pictures, a cells, k places for faces.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face.detection.forward import DetectorOutput, decode, normalise
from mien_face_lab.training.detector.loop import Gradients
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.targets import IGNORED, Batch
from mien_face_lab.training.jax_operations import JaxOperations
from mien_face_lab.training.state import is_statistic


class JaxEngine:
    """Differentiates the losses.

    Args:
        config: The network.
        recipe: Weights of the losses.
    """

    def __init__(self, config: DetectorConfig, recipe: Recipe) -> None:
        self._gradients = jax.jit(jax.grad(lambda *args: _loss(config, recipe, *args), has_aux=True))

    def gradients(self, arrays: Arrays, batch: Batch) -> Gradients:
        """Differentiate the losses of a batch."""
        parameters = {name: array for name, array in arrays.items() if not is_statistic(name)}
        statistics = {name: array for name, array in arrays.items() if is_statistic(name)}
        labels = (batch.assigned, batch.boxes, batch.landmarks)
        gradients, (losses, moved) = self._gradients(parameters, statistics, batch.images, *labels)
        return Gradients({name: float(loss) for name, loss in losses.items()}, _to_numpy(gradients), _to_numpy(moved))

    def close(self) -> None:
        """Nothing to give back."""


def detection_losses(
    recipe: Recipe, outputs: DetectorOutput, assigned: jax.Array, boxes: jax.Array, landmarks: jax.Array
) -> dict[str, jax.Array]:
    """The losses, weighted; their sum is minimised.

    Args:
        recipe: The weights.
        outputs: Answers of all cells.
        assigned: For each cell the number of its face, ``BACKGROUND`` or ``IGNORED``, [n, a].
        boxes: Of the faces, [n, k, 4].
        landmarks: Of the faces, [n, k, 5, 2].
    """
    positive = assigned >= 0
    face = jnp.maximum(assigned, 0)
    own_boxes = jnp.take_along_axis(boxes, face[..., None], axis=1)  # [n, a, 4]
    own_points = jnp.take_along_axis(landmarks, face[..., None, None], axis=1)  # [n, a, 5, 2]
    overlap, generalised = overlaps(outputs.boxes, own_boxes)
    quality = jnp.where(positive, jax.lax.stop_gradient(jnp.clip(overlap, 0, 1)), 0)
    share = jax.lax.stop_gradient(jax.nn.sigmoid(outputs.scores))
    background = recipe.negative_weight * share**recipe.focus * (assigned != IGNORED)
    entropy = optax.sigmoid_binary_cross_entropy(outputs.scores, quality)
    total = jnp.maximum(quality.sum(), 1)
    size = jnp.sqrt((own_boxes[..., 2] - own_boxes[..., 0]) * (own_boxes[..., 3] - own_boxes[..., 1]))
    error = jnp.abs(outputs.landmarks - own_points) / size[..., None, None]
    knee = recipe.landmark_knee
    smooth = jnp.where(error < knee, error**2 / (2 * knee), error - knee / 2).mean(axis=(2, 3))
    return {
        "score": (jnp.where(positive, quality, background) * entropy).sum() / total,
        "box": recipe.box_weight * (quality * (1 - generalised)).sum() / total,
        "landmark": recipe.landmark_weight * (quality * smooth).sum() / total,
    }


def overlaps(found: jax.Array, boxes: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Intersection over union, and its generalisation, of boxes in pairs: [..., 4] twice -> [...] twice."""
    inner = jnp.maximum(jnp.minimum(found[..., 2:], boxes[..., 2:]) - jnp.maximum(found[..., :2], boxes[..., :2]), 0)
    outer = jnp.maximum(found[..., 2:], boxes[..., 2:]) - jnp.minimum(found[..., :2], boxes[..., :2])
    shared, hull = inner[..., 0] * inner[..., 1], outer[..., 0] * outer[..., 1]
    union = _area(found) + _area(boxes) - shared
    overlap = shared / union
    return overlap, overlap - (hull - union) / hull


def _area(boxes: jax.Array) -> jax.Array:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _loss(
    config: DetectorConfig,
    recipe: Recipe,
    parameters: dict[str, jax.Array],
    statistics: dict[str, jax.Array],
    images: jax.Array,
    *labels: jax.Array,
) -> tuple[jax.Array, tuple[dict[str, jax.Array], dict[str, jax.Array]]]:
    """The summed losses of a batch; each of them, and the running statistics after it."""
    operations = JaxOperations(parameters | statistics, train=True)
    losses = detection_losses(recipe, decode(config.walk(operations, normalise(images))), *labels)
    return jnp.stack(list(losses.values())).sum(), (losses, operations.statistics)


def _to_numpy(arrays: dict[str, jax.Array]) -> Arrays:
    return {name: np.asarray(array) for name, array in arrays.items()}
