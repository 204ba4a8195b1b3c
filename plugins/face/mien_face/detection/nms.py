"""Picks faces out of a detector's raw answers: the best-scored cells, then one for each face. Plain JAX, fixed shapes.

Greedy non-maximum suppression keeps a box unless a better one that is kept overlaps it. That looks sequential, but
``kept[i]`` depends on better boxes only, so repeating it for all boxes at once until nothing changes ends with the same
answer, after as many rounds as the longest chain of overlaps, which is short. Equal scores go by the order of cells, so
the outcome depends on nothing but the input.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from mien_face.detection.forward import DetectorOutput

_SAME_FACE: Final = 0.6
"""Intersection over union from which answers of neighbouring cells have a say in each other's landmarks."""

_TRUST: Final = 4
"""Power of an answer's score by which its say counts."""

_LEAST_SCORE: Final = 1e-6
"""Lower ones count as this much: their power would vanish, and with it a face's own say."""


class Candidates(NamedTuple):
    """The best-scored answers of some pictures, best first; n pictures, k candidates.

    Attributes:
        scores: In [0, 1], [n, k].
        boxes: Left, top, right, bottom in pixels of the network's input, [n, k, 4].
        landmarks: (x, y) in the same pixels, [n, k, 5, 2]; agreed with the answers that show the same face.
        kept: Whether it is a face of its own, [n, k].
    """

    scores: jax.Array
    boxes: jax.Array
    landmarks: jax.Array
    kept: jax.Array


def candidates(answers: DetectorOutput, *, count: int, overlap: float, min_score: jax.Array | float) -> Candidates:
    """The best answers, and which of them are faces.

    Args:
        answers: Of all cells, at least ``count`` of them.
        count: How many to look at, k.
        overlap: Two boxes with a larger intersection over union show the same face.
        min_score: Answers below it are never kept, [0, 1].
    """
    logits, places = lax.top_k(answers.scores, count)  # [n, k]; the first of equals comes first
    scores = jax.nn.sigmoid(logits)
    boxes = jnp.take_along_axis(answers.boxes, places[..., None], axis=1)
    landmarks = jnp.take_along_axis(answers.landmarks, places[..., None, None], axis=1)
    kept = jax.vmap(lambda boxes, valid: suppress(boxes, valid, overlap=overlap))(boxes, scores >= min_score)
    return Candidates(scores, boxes, jax.vmap(agreed)(scores, boxes, landmarks), kept)


def agreed(scores: jax.Array, boxes: jax.Array, landmarks: jax.Array) -> jax.Array:
    """Average the landmarks of answers that show the same face: the errors of neighbouring cells cancel in part.

    Args:
        scores: In [0, 1], [k].
        boxes: [k, 4].
        landmarks: [k, 5, 2].

    Returns:
        Landmarks, [k, 5, 2].
    """
    same = (intersections_over_unions(boxes) > _SAME_FACE) | jnp.eye(len(boxes), dtype=bool)
    weights = jnp.maximum(scores, _LEAST_SCORE) ** _TRUST
    says = jnp.where(same, weights, 0)  # [k, k]: what the column says about the row's face
    return jnp.einsum("ij,jpx->ipx", says / says.sum(axis=1, keepdims=True), landmarks)


def suppress(boxes: jax.Array, valid: jax.Array, *, overlap: float) -> jax.Array:
    """Greedy non-maximum suppression.

    Args:
        boxes: Best first, [k, 4].
        valid: Which of them take part, [k].
        overlap: Two boxes with a larger intersection over union show the same face.

    Returns:
        Which are kept, [k].
    """
    before = jnp.tril(jnp.ones((len(boxes), len(boxes)), bool), k=-1)  # [k, k]: the column is better than the row
    rivals = before & (intersections_over_unions(boxes) > overlap)

    def changes(state: tuple[jax.Array, jax.Array]) -> jax.Array:
        kept, previous = state
        return jnp.any(kept != previous)

    def next_round(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        kept, _ = state
        return valid & ~jnp.any(rivals & kept[None, :], axis=1), kept

    kept, _ = lax.while_loop(changes, next_round, (valid, jnp.zeros_like(valid)))
    return kept


def intersections_over_unions(boxes: jax.Array) -> jax.Array:
    """Of every box with every other, [k, k]; 0 where both are empty."""
    low = jnp.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = jnp.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = jnp.prod(jnp.maximum(high - low, 0), axis=-1)
    areas = jnp.prod(jnp.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=-1)
    union = areas[:, None] + areas[None, :] - shared
    return jnp.where(union > 0, shared / jnp.where(union > 0, union, 1), 0)
