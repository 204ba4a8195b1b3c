"""The detector in Flax NNX, for training; inference runs the folded network in ``mien_face.detection.forward``.

Arrays go in and out by the names of ``mien_face.detection.config``.

Shapes: n pictures, h height, w width, c channels.
"""

from __future__ import annotations

from collections.abc import Mapping

import jax
from flax import nnx

from mien_face.config import Arrays
from mien_face.detection.config import STRIDES, DetectorConfig, Layer
from mien_face.detection.forward import DetectorOutput, decode, normalise, quarters
from mien_face_lab import flaxarrays
from mien_face_lab.network import ConvNorm, array_name


class Bottleneck(nnx.Module):
    """A 1x1, a 3x3 and a 1x1 convolution around which the input is added."""

    def __init__(self, layers: Mapping[str, Layer], prefix: str, *, rngs: nnx.Rngs) -> None:
        self.reduce = _normalised(layers[f"{prefix}.reduce"], rngs)
        self.mix = _normalised(layers[f"{prefix}.mix"], rngs)
        self.expand = _normalised(layers[f"{prefix}.expand"], rngs)

    def __call__(self, features: jax.Array) -> jax.Array:
        """[n, h, w, c] -> [n, h, w, c]."""
        inside = nnx.relu(self.mix(nnx.relu(self.reduce(features))))
        return nnx.relu(features + self.expand(inside))


class Stage(nnx.Module):
    """Halves the picture, then runs its blocks."""

    def __init__(self, layers: Mapping[str, Layer], number: int, depth: int, *, rngs: nnx.Rngs) -> None:
        prefix = f"stages.{number}"
        self.down = _normalised(layers[f"{prefix}.down"], rngs)
        self.blocks = nnx.List([Bottleneck(layers, f"{prefix}.blocks.{block}", rngs=rngs) for block in range(depth)])

    def __call__(self, features: jax.Array) -> jax.Array:
        """[n, h, w, inputs] -> [n, h / 2, w / 2, outputs]."""
        features = nnx.relu(self.down(features))
        for block in self.blocks:
            features = block(features)
        return features


class Level(nnx.Module):
    """One level of the pyramid: joins a stage with what is known on the coarser level, and answers."""

    def __init__(self, layers: Mapping[str, Layer], number: int, *, rngs: nnx.Rngs) -> None:
        prefix = f"levels.{number}"
        self.lateral = _normalised(layers[f"{prefix}.lateral"], rngs)
        coarser = layers.get(f"{prefix}.above")
        self.above = _normalised(coarser, rngs) if coarser is not None else None
        self.mix = _normalised(layers[f"{prefix}.mix"], rngs)
        answer = layers[f"{prefix}.answer"]
        self.answer = nnx.Conv(answer.inputs, answer.outputs, (1, 1), rngs=rngs)

    def __call__(self, features: jax.Array, above: jax.Array | None) -> tuple[jax.Array, jax.Array]:
        """From the stage's and the coarser level's features: this level's features, and its answers."""
        merged = self.lateral(features)
        if above is not None and self.above is not None:
            merged += quarters(self.above(above), merged.shape[1], merged.shape[2])
        joined = nnx.relu(merged)
        return joined, self.answer(nnx.relu(self.mix(joined)))


class DetectorNetwork(nnx.Module):
    """From pictures to the answers of all cells.

    Args:
        config: Sizes.
        rngs: Source of the first weights (stream ``params``).
    """

    def __init__(self, config: DetectorConfig, *, rngs: nnx.Rngs) -> None:
        layers = {layer.name: layer for layer in config.layers()}
        self.stem = _normalised(layers["stem"], rngs)
        self.stages = nnx.List([Stage(layers, number, depth, rngs=rngs) for number, depth in enumerate(config.depths)])
        self.levels = nnx.List([Level(layers, number, rngs=rngs) for number in range(len(STRIDES))])

    def __call__(self, images: jax.Array) -> DetectorOutput:
        """Run the network on RGB pictures in [0, 255], [n, h, w, 3]."""
        features = nnx.relu(self.stem(normalise(images)))
        stages = []
        for stage in self.stages:
            features = stage(features)
            stages.append(features)
        answers: list[jax.Array] = []
        above: jax.Array | None = None
        for level, stage_features in zip(reversed(list(self.levels)), reversed(stages), strict=True):
            above, answer = level(stage_features, above)
            answers.insert(0, answer)
        return decode(answers)


def network_of(config: DetectorConfig, arrays: Mapping[str, jax.Array] | Arrays) -> DetectorNetwork:
    """Build a network of given arrays (they may be traced).

    Raises:
        ValueError: An array is missing, left over, or of another shape.
    """
    return flaxarrays.with_arrays(lambda: DetectorNetwork(config, rngs=nnx.Rngs(0)), arrays, name_of=array_name)


def arrays_of(network: DetectorNetwork) -> dict[str, jax.Array]:
    """The arrays of a network, parameters and statistics, by name."""
    return flaxarrays.arrays_of(network, name_of=array_name)


def _normalised(layer: Layer, rngs: nnx.Rngs) -> ConvNorm:
    return ConvNorm(layer.inputs, layer.outputs, side=layer.side, stride=layer.stride, rngs=rngs)
