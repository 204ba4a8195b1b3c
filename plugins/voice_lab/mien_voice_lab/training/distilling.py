"""``mien train distilled-tone``: files in and out. Training is ``distilled``'s, shipping ``ship``'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mien import InputError, MissingDependencyError
from mien_voice_lab.training import data, languagemodel, ship, vocabulary

VECTOR_WIDTH: Final = 96
"""Of the subwords' vectors."""

_DECOMPOSED: Final = 160
"""Of the decomposition that they are the first part of."""

_INSTALLED: Final = Path("model", "en-us", "en-us.lm.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where the data lies; the language model is PocketSphinx's where none is named."""

    data: Path
    dialogues: tuple[Path, ...] = ()
    language_model: Path | None = None


def train(given: Given, out: Path, *, seconds: float, device: str, seed: int, say: Callable[[str], None]) -> Path:
    """Train within the time given; returns the file of the last student's arrays.

    Raises:
        InputError: A file is missing or not what it should be, or there is no such device.
        MissingDependencyError: PyTorch or PocketSphinx is not installed.
    """
    if find_spec("torch") is None:
        raise MissingDependencyError("the distillation needs torch: pip install torch")
    import torch

    from mien_voice_lab.training import distilled

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("there is no graphics card that PyTorch can use here; pass --device cpu, which takes hours")
    sources = distilled.Sources(
        train=data.read_goemotions(given.data / "train.tsv"),
        dev=data.read_goemotions(given.data / "dev.tsv"),
        rated=data.rated_turns(given.dialogues),
        spare=data.all_turns(given.dialogues),
        words=word_vectors(given.language_model or _installed_model(), out / "words.npz"),
    )
    sizes = distilled.Sizes()
    distilled.run(sources, out, seconds=seconds, device=device, sizes=sizes, seed=seed, say=say)
    return out / f"student_{len(sizes.students) - 1}.npz"


def ship_arrays(given: Given, arrays: Path, out: Path, *, seed: int) -> dict[str, float]:
    """Calibrate the arrays and write the weights; returns what was measured on dev."""
    origin = {
        "command": f"mien train distilled-tone --seed {seed}",
        "data": "GoEmotions train, our own sentences, word pairs of PocketSphinx's language model, half of the rated "
        "dialogues; choices on GoEmotions dev",
        "seed": seed,
        "host": "a graphics card",
    }
    dev = data.read_goemotions(given.data / "dev.tsv")
    return ship.ship(arrays, out, dev=dev, rated=data.rated_turns(given.dialogues), origin=origin)


def word_vectors(language_model: Path, kept: Path) -> vocabulary.WordVectors:
    """The vectors of the words that the language model has seen; kept in a file, since they take minutes."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        found = vocabulary.from_pairs(*languagemodel.read_pairs(language_model), width=_DECOMPOSED)
        vocabulary.save(found, kept, width=VECTOR_WIDTH)
    return vocabulary.load(kept)


def _installed_model() -> Path:
    spec = find_spec("pocketsphinx")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("the word vectors need pocketsphinx's language model: pip install pocketsphinx")
    return Path(spec.origin).parent / _INSTALLED
