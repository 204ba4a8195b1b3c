"""Reads which words a statistical language model has seen beside each other, out of PocketSphinx's binary file.

The file (``en-us.lm.bin``, of the package ``pocketsphinx``, BSD) holds a trie: its words, and for each the words that
may follow. Probabilities are left alone.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from mien import InputError

_MAGIC: Final = b"Trie Language Model"
_QUANTISED: Final = 16
"""Bits of a probability and of a back-off weight, each an index into a table of floats."""

_UNIGRAM: Final = np.dtype([("probability", "<f4"), ("backoff", "<f4"), ("next", "<u4")])


def read_pairs(path: Path) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The words, and the pairs of neighbours.

    Args:
        path: A language model of order 3 in PocketSphinx's binary form.

    Returns:
        All words, and ``[N, 2]``: numbers of a word and of one after it.

    Raises:
        InputError: There is no such file, or it is of another form.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    start = len(_MAGIC)
    if not data.startswith(_MAGIC) or data[start : start + 1] != b"\x03":
        raise InputError(f"{path} is not a language model of order 3 in PocketSphinx's binary form")
    counts = struct.unpack_from("<3I", data, start + 1)
    start += 1 + 12 + 4 + 4 * 3 * 2**_QUANTISED  # counts, kind of quantisation, tables: of pairs two, of triples one
    unigrams = np.frombuffer(data, _UNIGRAM, counts[0] + 1, start)
    start += unigrams.nbytes
    word_bits = counts[0].bit_length()
    pair_bits = word_bits + 2 * _QUANTISED + counts[2].bit_length()
    before = _words_of(data, start, pair_bits, int(unigrams["next"][-1]), word_bits)
    starts: npt.NDArray[np.int64] = unigrams["next"].astype(np.int64)
    here = np.repeat(np.arange(counts[0]), starts[1:] - starts[:-1])  # the trie runs backwards
    start += _size(counts[1], pair_bits) + _size(counts[2], word_bits + _QUANTISED)
    (length,) = struct.unpack_from("<I", data, start)
    words = data[start + 4 : start + 4 + length].decode("utf-8").split("\0")
    return words[: counts[0]], np.stack([before, here], axis=1).astype(np.int32)


def _size(records: int, bits: int) -> int:
    """Bytes of packed records: one more than there are, and a word of padding."""
    return ((records + 1) * bits + 7) // 8 + 8


def _words_of(data: bytes, start: int, bits: int, count: int, word_bits: int) -> npt.NDArray[np.int64]:
    """The number of the word with which each packed record begins, ``[count]``."""
    packed = np.frombuffer(data, np.uint8, offset=start)
    position = np.arange(count, dtype=np.int64) * bits
    found = np.zeros(count, np.int64)
    for byte in range(4):  # 7 bits of offset and 17 of the word
        found |= packed[(position >> 3) + byte].astype(np.int64) << (8 * byte)
    return (found >> (position & 7)) & ((1 << word_bits) - 1)
