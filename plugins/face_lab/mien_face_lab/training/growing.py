"""Lets a network begin where a narrower or shallower one of the same kind ended, without changing a single answer.

As Net2Net (Chen et al. 2016) does, but new channels are drawn like untrained ones instead of copied, and nothing
listens to them yet: they bring features that the old network did not have, and training decides what to hear of them.
"""

from __future__ import annotations

from mien import WeightsError
from mien_face.config import Arrays, NetworkConfig
from mien_face_lab.training.state import initial_arrays


def grow(arrays: Arrays, config: NetworkConfig, *, seed: int) -> Arrays:
    """Enlarge a trained network; evaluated, it answers as before.

    Args:
        arrays: Parameters and running statistics of the smaller network, or of one of this very shape.
        config: The network to be.
        seed: Of what is drawn for new channels.

    Raises:
        WeightsError: The arrays are of a network that is not of this kind, or has more stages, channels or blocks.
    """
    grown = initial_arrays(config, seed)
    if {name: array.shape for name, array in arrays.items()} == {name: each.shape for name, each in grown.items()}:
        return dict(arrays)
    old = _shape_of(arrays)
    if (old.stem == old.widths[0]) != (config.stem == config.widths[0]):
        raise WeightsError(f"the first block of {old} passes its input on otherwise than that of {config}")
    renamed = _renamed(arrays, old, config)
    for name, array in renamed.items():
        if name not in grown or any(old > new for old, new in zip(array.shape, grown[name].shape, strict=True)):
            raise WeightsError(f"the trained network does not fit into {config}: its array {name} is {array.shape}")
        known = tuple(slice(size) for size in array.shape)
        if name.endswith(".kernel"):  # the old outputs hear nothing of the new inputs
            grown[name][..., array.shape[-2] :, known[-1]] = 0
        grown[name][known] = array
    return grown


def _renamed(arrays: Arrays, old: NetworkConfig, new: NetworkConfig) -> Arrays:
    """The arrays under the names of the same places in the new network; new blocks end the stages."""
    if len(old.depths) != len(new.depths) or any(a > b for a, b in zip(old.depths, new.depths, strict=True)):
        raise WeightsError(f"a network with {old.depths} blocks does not fit into one with {new.depths}")
    names: dict[str, str] = {}
    for stage, depth in enumerate(old.depths):
        first, moved = sum(old.depths[:stage]), sum(new.depths[:stage])
        names |= {f"blocks.{first + index}": f"blocks.{moved + index}" for index in range(depth)}
    return {_with_block(name, names): array for name, array in arrays.items()}


def _with_block(name: str, names: dict[str, str]) -> str:
    parts = name.split(".")
    return ".".join([names[".".join(parts[:2])], *parts[2:]]) if parts[0] == "blocks" else name


def _shape_of(arrays: Arrays) -> NetworkConfig:
    """What the arrays are of: a block with a shortcut begins a stage."""
    try:
        widths: list[int] = []
        depths: list[int] = []
        for number in range(sum(name.endswith(".first.kernel") for name in arrays)):
            if number == 0 or f"blocks.{number}.shortcut.kernel" in arrays:
                widths.append(arrays[f"blocks.{number}.first.kernel"].shape[-1])
                depths.append(0)
            depths[-1] += 1
        return NetworkConfig(arrays["stem.kernel"].shape[-1], tuple(widths), tuple(depths))
    except (KeyError, ValueError) as error:
        raise WeightsError(f"these are not the weights of a network to start from: {error}") from error
