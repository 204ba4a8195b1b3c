"""The subwords of the deep half and the vectors they begin with.

The vectors come from the word pairs that a statistical language model of English has seen: words with the same
neighbours get similar ones (log of the ratio to chance, then a singular value decomposition; Levy and Goldberg 2014).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mien_voice import features
from mien_voice.tokenizer import PADDING, UNKNOWN

MIN_NEIGHBOURS: Final = 18
"""A word of the language model is known if so many others stand beside it."""

_SMALLEST: Final = 1e-3

FloatArray = npt.NDArray[np.float32]


class WordVectors(NamedTuple):
    """Words, their vectors ``[N, E]`` of unit mean square, and how many different neighbours each has ``[N]``."""

    words: Sequence[str]
    vectors: FloatArray
    neighbours: npt.NDArray[np.int32]


def from_pairs(words: Sequence[str], pairs: npt.NDArray[np.int32], *, width: int) -> WordVectors:
    """Vectors of words from the pairs that were seen.

    Args:
        words: All words.
        pairs: ``[N, 2]``, numbers of a word and of the one after it.
        width: Of the vectors.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.utils.extmath import randomized_svd

    size = len(words)
    after = csr_matrix((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    beside = hstack([after, after.T]).tocoo()  # [N, words after, words before]
    here, there = np.asarray(beside.sum(axis=1)).ravel(), np.asarray(beside.sum(axis=0)).ravel()
    ratio = np.log1p(beside.sum() / (here[beside.row] * there[beside.col])).astype(np.float32)
    left, sizes, _ = randomized_svd(
        csr_matrix((ratio, (beside.row, beside.col)), shape=beside.shape), width, n_iter=3, random_state=0
    )
    vectors = (left * np.sqrt(sizes)).astype(np.float32)
    return WordVectors(words, vectors, here.astype(np.int32))


def save(found: WordVectors, path: Path, *, width: int) -> None:
    """Keep the words that have enough neighbours, their vectors cut to ``width`` and rounded to eight bits."""
    kept = [i for i, word in enumerate(found.words) if found.neighbours[i] >= MIN_NEIGHBOURS and _plain(word)]
    vectors = found.vectors[kept, :width]
    scale = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), _SMALLEST) / 127.0
    np.savez_compressed(
        path,
        words=np.array([found.words[i] for i in kept]),
        vectors=np.round(vectors / scale).astype(np.int8),
        scale=scale.astype(np.float16),
        neighbours=found.neighbours[kept],
    )


def load(path: Path) -> WordVectors:
    """Read them back; each column is scaled so that the mean square of all is one."""
    with np.load(path) as held:
        vectors = held["vectors"].astype(np.float32) * held["scale"].astype(np.float32)
        vectors /= np.sqrt(np.mean(vectors**2))
        return WordVectors([str(word) for word in held["words"]], vectors, held["neighbours"])


def _plain(word: str) -> bool:
    """Whether the tokenizer could give it as one word."""
    return features.tokenise(features.normalise(word)) == [word]


def build_tokenizer(texts: Iterable[str], known: Sequence[str], path: Path, *, pieces: int) -> dict[str, int]:
    """Write a WordPiece tokenizer of known words and of the pieces that the texts are best cut into.

    Args:
        texts: The training texts.
        known: Words that are whole entries.
        path: Where to write ``tokenizer.json``.
        pieces: Entries learned from the texts.

    Returns:
        Entry -> number.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.trainers import WordPieceTrainer

    learner: Any = Tokenizer(WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=40))
    learner.pre_tokenizer = WhitespaceSplit()
    trainer = WordPieceTrainer(
        vocab_size=pieces, special_tokens=[PADDING, UNKNOWN], min_frequency=2, show_progress=False
    )
    learner.train_from_iterator((" ".join(features.tokenise(features.normalise(text))) for text in texts), trainer)
    learned = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    entries = list(dict.fromkeys([PADDING, UNKNOWN, *(name for name, _ in learned), *known]))
    vocabulary = {entry: number for number, entry in enumerate(entries)}
    whole: Any = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=40))
    whole.pre_tokenizer = WhitespaceSplit()
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(str(path))
    return vocabulary


def starting_vectors(vocabulary: dict[str, int], known: WordVectors, *, seed: int) -> FloatArray:
    """``[V, E]``: of each entry that is a known word its vector, of any other a small random one."""
    width = known.vectors.shape[1]
    table = np.random.default_rng(seed).normal(0.0, 0.5, (len(vocabulary), width)).astype(np.float32)
    for word, vector in zip(known.words, known.vectors, strict=True):
        if word in vocabulary:
            table[vocabulary[word]] = vector
    table[vocabulary[PADDING]] = 0.0
    return table


def read_entries(path: Path) -> dict[str, int]:
    """Entry -> number of a ``tokenizer.json``."""
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    return found
