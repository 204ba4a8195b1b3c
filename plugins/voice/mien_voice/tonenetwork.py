"""The embedded tone model: loads the shipped network and says emotions, sentiment and satisfaction evidence of texts.

Abstains where it cannot read: another language, signs only, words it does not know. Knows no audio and no analyzer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import Manifest, WeightsError, load_weights, start_jax
from mien_voice import features, language
from mien_voice.calibration import Calibration, Probabilities, pool_groups
from mien_voice.featuretable import FeatureTable
from mien_voice.labels import EMOTIONS28, SENTIMENTS
from mien_voice.language import Readability
from mien_voice.tokenizer import SubwordTokenizer
from mien_voice.tone import Tone, abstention, valence_of

WEIGHTS: Final = Path(__file__).parent / "weights" / "tone.json"
NETWORK: Final = "tone-wide-deep-3"
"""The network that these weights fit, as their manifest names it."""

BATCH_SIZES: Final = (1, 8, 32)
"""Batches are padded to these, so that little is compiled."""

LENGTHS: Final = ((16, 256), (32, 512), (64, 1024))
"""Texts are padded to so many subwords and n-gram features."""

FEATURE_HASHES: Final = "features/hashes"
FEATURE_IDF: Final = "features/idf"

_UNKNOWN_SHARE: Final = 0.75
"""Above this share of unknown words a text is taken for gibberish."""


@dataclass(frozen=True, slots=True)
class _Encoded:
    """One text as the network takes it."""

    rows: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    subwords: npt.NDArray[np.int32]


class ToneNetwork:
    """The trained network. Thread-safe, deterministic; a text's answer does not depend on those beside it.

    Args:
        manifest_path: The weights' manifest; the tokenizer lies beside it.

    Raises:
        WeightsError: The weights or the tokenizer are missing, damaged or of another network.
    """

    def __init__(self, manifest_path: Path = WEIGHTS) -> None:
        from mien_voice import network

        manifest, arrays = load_weights(manifest_path)
        if manifest.network != NETWORK:
            raise WeightsError(f"{manifest_path} holds weights of {manifest.network!r}; this version runs {NETWORK!r}")
        try:
            self._config = network.NetworkConfig(**manifest.config)
            self._calibration = Calibration.from_dict(manifest.calibration)
            self._features = FeatureTable(arrays.pop(FEATURE_HASHES), arrays.pop(FEATURE_IDF).astype(np.float32))
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{manifest_path} does not fit this version's tone network: {error}") from error
        self._params = network.unflatten({name: array.astype(np.float32) for name, array in arrays.items()})
        self._tokenizer = SubwordTokenizer(manifest_path.parent / "tokenizer.json")
        self._compiled: dict[tuple[int, int, int], Callable[..., Any]] = {}
        self._lock = threading.Lock()
        self.manifest: Manifest = manifest

    @property
    def calibration(self) -> Calibration:
        """Temperatures and thresholds."""
        return self._calibration

    def reads(self, tag: str) -> bool:
        """English, of any region."""
        return language.primary(tag) == language.ENGLISH

    def warm_up(self) -> None:
        """Compile every shape that ``predict`` may need."""
        for size in BATCH_SIZES:
            for subwords, rows in LENGTHS:
                self._executable(size, subwords, rows)

    def predict(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Tone]:
        """The tone of each text, in order.

        Args:
            texts: Any text of any length; what is too long is cut, and the tone's notes say so.
            languages: Not asked: whether a text is English is told by its words.
        """
        if not texts:
            return []
        probabilities = self.probabilities(texts)
        return [self._tone(text, probabilities, index) for index, text in enumerate(texts)]

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Calibrated probabilities of many texts as arrays; no text is abstained from."""
        return self._calibration.apply(self.logits(texts))

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """What the probabilities are calibrated from: the network's outputs ``[N, 35]``, groups pooled."""
        logits = np.zeros((len(texts), self._config.outputs), np.float32)
        encoded = self._encode(texts)
        for start, stop, bucket in self._groups(encoded):
            logits[start:stop] = self._run(encoded[start:stop], *bucket)
        return pool_groups(logits)

    def _encode(self, texts: Sequence[str]) -> list[_Encoded]:
        most = LENGTHS[-1][1]
        subwords = self._tokenizer.encode(texts)
        return [
            _Encoded(*self._features.encode(text, limit=most), ids) for text, ids in zip(texts, subwords, strict=True)
        ]

    def _groups(self, encoded: Sequence[_Encoded]) -> list[tuple[int, int, tuple[int, int, int]]]:
        """Consecutive texts that go through the network together: start, stop, padded (batch, subwords, rows)."""
        groups = []
        for start in range(0, len(encoded), BATCH_SIZES[-1]):
            part = encoded[start : start + BATCH_SIZES[-1]]
            size = next(size for size in BATCH_SIZES if size >= len(part))
            subwords, rows = max(len(one.subwords) for one in part), max(len(one.rows) for one in part)
            lengths = next(pair for pair in LENGTHS if pair[0] >= subwords and pair[1] >= rows)
            groups.append((start, start + len(part), (size, *lengths)))
        return groups

    def _run(self, part: Sequence[_Encoded], size: int, subwords: int, rows: int) -> npt.NDArray[np.float32]:
        """Outputs ``[len(part), outputs]``."""
        ids, values = np.zeros((size, rows), np.int32), np.zeros((size, rows), np.float32)
        tokens = np.zeros((size, subwords), np.int32)
        for index, one in enumerate(part):
            ids[index, : len(one.rows)] = one.rows
            values[index, : len(one.values)] = one.values
            tokens[index, : len(one.subwords)] = one.subwords
        return np.asarray(self._executable(size, subwords, rows)(self._params, ids, values, tokens))[: len(part)]

    def _executable(self, size: int, subwords: int, rows: int) -> Callable[..., Any]:
        """The network compiled for one shape."""
        with self._lock:
            if (size, subwords, rows) not in self._compiled:
                self._compiled[size, subwords, rows] = self._compile(size, subwords, rows)
            return self._compiled[size, subwords, rows]

    def _compile(self, size: int, subwords: int, rows: int) -> Callable[..., Any]:
        import jax

        from mien_voice import network

        start_jax()
        self._params = jax.device_put(self._params)

        def forward(params: network.Params, ids: jax.Array, values: jax.Array, tokens: jax.Array) -> jax.Array:
            return network.apply(self._config, params, network.Inputs(ids, values, tokens))

        compiled: Callable[..., Any] = (
            jax.jit(forward)
            .lower(
                self._params,
                np.zeros((size, rows), np.int32),
                np.zeros((size, rows), np.float32),
                np.zeros((size, subwords), np.int32),
            )
            .compile()
        )
        return compiled

    def _tone(self, text: str, probabilities: Probabilities, index: int) -> Tone:
        """The answer about one text, or an abstention."""
        tokens = features.tokenise(features.normalise(text))
        unknown = self._unknown_share(tokens)
        notes = _cut_note(text, tokens)
        readability, tag = language.identify(tokens)
        if readability is Readability.NO_WORDS:
            return abstention("no words to read", *notes, language=tag, unknown=unknown)
        if readability is Readability.OTHER_LANGUAGE:
            return abstention(f"not English: {tag}", *notes, language=tag, unknown=unknown)
        if unknown > _UNKNOWN_SHARE:
            return abstention("hardly a word is known", *notes, language=language.UNDETERMINED, unknown=unknown)
        sentiment = _named(SENTIMENTS, probabilities.sentiment[index])
        return Tone(
            emotions28=_named(EMOTIONS28, probabilities.emotions28[index]),
            sentiment=sentiment,
            satisfaction=float(probabilities.satisfaction[index]),
            valence=valence_of(sentiment),
            confidence=min(max(float(probabilities.confidence[index]) * (1.0 - unknown), 0.0), 1.0),
            out_of_vocabulary=unknown,
            language=tag,
            notes=notes,
        )

    def _unknown_share(self, tokens: Sequence[str]) -> float:
        """Share of the words that neither half knows: no n-gram of the one, no entry of the other."""
        words = [token for token in tokens if token[0].isalpha()]
        if not words:
            return 1.0
        whole = np.array([self._tokenizer.knows(word) for word in words])
        return 1.0 - float(np.mean(whole | self._features.knows([f"1 {word}" for word in words])))


def _named(names: Sequence[str], values: npt.NDArray[np.float32]) -> Mapping[str, float]:
    return MappingProxyType({name: float(value) for name, value in zip(names, values, strict=True)})


def _cut_note(text: str, tokens: Sequence[str]) -> tuple[str, ...]:
    """What was left unread, if anything."""
    if len(text) <= features.MAX_CHARACTERS and len(tokens) < features.MAX_TOKENS:
        return ()
    return (f"only the first {len(tokens)} words and signs of {len(text)} characters were read",)
