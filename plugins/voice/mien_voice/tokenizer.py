"""The subword tokenizer of the tone network's deep half: a WordPiece vocabulary trained on the training text.

Wraps transformers' fast tokenizer and pads; how text is normalised first is ``features.normalise``'s.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mien import WeightsError
from mien_voice import features

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TOKENIZER_FILE: Final = Path(__file__).parent / "weights" / "tokenizer.json"
PADDING: Final = "[PAD]"
UNKNOWN: Final = "[UNK]"
UNKNOWN_ID: Final = 1
MAX_TOKENS: Final = 64
"""Subwords that the deep half reads of one utterance; more are cut."""


class SubwordTokenizer:
    """Text -> subword numbers.

    Args:
        path: A ``tokenizer.json``.

    Raises:
        WeightsError: There is no such file, or it is not a tokenizer.
    """

    def __init__(self, path: Path = TOKENIZER_FILE) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from transformers import PreTrainedTokenizerFast

        if not path.is_file():
            raise WeightsError(f"there is no tokenizer at {path}; reinstall mien or pass the path of a tokenizer.json")
        try:
            self._tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
                tokenizer_file=str(path), pad_token=PADDING, unk_token=UNKNOWN
            )
        except Exception as error:  # the Rust side raises plain Exception
            raise WeightsError(f"{path} is not a tokenizer: {error}") from error
        self._entries = frozenset(self._tokenizer.get_vocab())

    @property
    def size(self) -> int:
        """Entries of the vocabulary."""
        return len(self._tokenizer)

    def knows(self, word: str) -> bool:
        """Whether a word, normalised, is an entry of its own."""
        return word in self._entries

    def encode(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """The subwords of each text, at most ``MAX_TOKENS``.

        Returns:
            One int32 array ``[0..MAX_TOKENS]`` for each text.
        """
        if not texts:
            return []
        normal = [" ".join(features.tokenise(features.normalise(text))) for text in texts]
        encoded = self._tokenizer(normal, add_special_tokens=False, return_attention_mask=False)
        return [np.asarray(ids[:MAX_TOKENS], np.int32) for ids in encoded["input_ids"]]


def train_tokenizer(texts: Iterable[str], path: Path, *, size: int) -> None:
    """Learn a WordPiece vocabulary and write it as ``tokenizer.json``.

    Args:
        texts: The training text, as people wrote it.
        path: Where to write.
        size: Entries of the vocabulary.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.trainers import WordPieceTrainer

    model: Any = WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=40)
    tokenizer: Any = Tokenizer(model)
    tokenizer.pre_tokenizer = WhitespaceSplit()
    trainer = WordPieceTrainer(vocab_size=size, special_tokens=[PADDING, UNKNOWN], min_frequency=2, show_progress=False)
    normal = (" ".join(features.tokenise(features.normalise(text))) for text in texts)
    tokenizer.train_from_iterator(normal, trainer)
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
