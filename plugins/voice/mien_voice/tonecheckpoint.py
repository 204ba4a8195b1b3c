"""Any Hugging Face text-classification checkpoint as the tone model, its labels mapped to ours by the settings.

By hub id or local folder, on the CPU, with PyTorch (the extra ``mien[transformers]``). It is read as trained: nothing
is calibrated here. Nothing is fetched where the settings or ``HF_HUB_OFFLINE`` forbid it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import ConfigError, PluginError
from mien_voice import features, huggingface, language
from mien_voice.labels import (
    EMOTIONS28,
    NEUTRAL,
    SATISFACTION_OF,
    SENTIMENT_GROUPS,
    SENTIMENTS,
    TONE_LABELS,
    membership,
)
from mien_voice.language import Readability
from mien_voice.settings import ToneSettings
from mien_voice.tone import Tone, abstention, valence_of

BATCH_SIZE: Final = 32
"""Texts that go through the model together."""

MAX_TOKENS: Final = 512
"""Tokens read of one text, or as many as the checkpoint can take where that is fewer."""

_USER: Final = "a tone checkpoint"
_KEY: Final = "[plugins.voice.tone] checkpoint"
_MULTI_LABEL: Final = "multi_label_classification"


class ToneCheckpoint:
    """One model behind a lock. Deterministic.

    An emotion's share is what the checkpoint gives the labels that are mapped to it; a label mapped to a sentiment
    counts as spread evenly over that sentiment's emotions; what is left of one is neutral. Sentiment and satisfaction
    (``SATISFACTION_OF``) are sums over these shares, and the confidence is the largest sentiment's share.

    Args:
        settings: Which checkpoint, its labels and languages, and whether the hub may be asked.

    Raises:
        MissingDependencyError: PyTorch or transformers is not installed.
        PluginError: The checkpoint cannot be found or loaded, or is not one for text classification.
        ConfigError: Its labels are not those that the settings map.
    """

    def __init__(self, settings: ToneSettings) -> None:
        self._torch = huggingface.need("torch", user=_USER)
        self._languages = frozenset(language.primary(tag) for tag in settings.languages)
        self._tokenizer, self._model = _load(settings)
        self._weights = label_weights(_labels(self._model.config), settings.labels)
        self._max_tokens = min(MAX_TOKENS, self._tokenizer.model_max_length)
        self._lock = threading.Lock()

    def reads(self, tag: str) -> bool:
        """Whether the settings name the language, or no language at all."""
        return not self._languages or language.primary(tag) in self._languages

    def predict(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Tone]:
        """The tone of each text, in order; neutral where there are no words or it does not read the language."""
        told = languages or [""] * len(texts)
        verdicts = [self._verdict(text, tag) for text, tag in zip(texts, told, strict=True)]
        readable = [index for index, verdict in enumerate(verdicts) if not self._refusal(verdict)]
        shares = iter(self._shares([texts[index] for index in readable]))
        tones = []
        for verdict in verdicts:
            refusal = self._refusal(verdict)
            if refusal:
                tones.append(abstention(refusal, language=verdict.language))
            else:
                tones.append(_tone(next(shares), self._language_of(verdict)))
        return tones

    def warm_up(self) -> None:
        """Run it once."""
        self._shares(["fine"])

    def _verdict(self, text: str, told: str) -> language.Verdict:
        """What a text is: by its words, but in the language that was told."""
        found = language.identify(features.tokenise(features.normalise(text)))
        if not told or found.readability is Readability.NO_WORDS:
            return found
        english = language.primary(told) == language.ENGLISH
        return language.Verdict(Readability.ENGLISH if english else Readability.OTHER_LANGUAGE, language.primary(told))

    def _refusal(self, verdict: language.Verdict) -> str:
        """Why a text cannot be read; empty where it can."""
        if verdict.readability is Readability.NO_WORDS:
            return "no words to read"
        if verdict.readability is Readability.OTHER_LANGUAGE and not self.reads(verdict.language):
            return f"not a language that the checkpoint reads: {verdict.language}"
        return ""

    def _language_of(self, verdict: language.Verdict) -> str:
        """What was told, or the checkpoint's only language: a few words without a sign of another pass for English."""
        if not self.reads(verdict.language) and len(self._languages) == 1:
            return next(iter(self._languages))
        return verdict.language

    def _shares(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Each emotion's share of each text, ``[N, 28]``; rows sum to 1."""
        given = np.concatenate(
            [np.zeros((0, len(self._weights)))]
            + [self._probabilities(texts[start : start + BATCH_SIZE]) for start in range(0, len(texts), BATCH_SIZE)]
        )  # [N, checkpoint's labels]
        shares: npt.NDArray[np.float64] = given @ self._weights  # [N, 28]
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
        shares[:, EMOTIONS28.index(NEUTRAL)] += 1.0 - shares.sum(axis=1)
        return shares

    def _probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """What the checkpoint gives its own labels, ``[len(texts), labels]``."""
        inputs = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt"
        )
        with self._lock, self._torch.inference_mode():
            logits = self._model(**inputs).logits.double()
        several = self._model.config.problem_type == _MULTI_LABEL
        found: npt.NDArray[np.float64] = (logits.sigmoid() if several else logits.softmax(-1)).numpy()
        return found


def label_weights(theirs: Sequence[str], mapping: Mapping[str, str]) -> npt.NDArray[np.float64]:
    """How each of a checkpoint's labels counts for each of our emotions.

    Args:
        theirs: The checkpoint's labels, in the order of its outputs.
        mapping: Theirs -> ours; one that is called like ours, whatever its case, needs no entry.

    Returns:
        ``[len(theirs), 28]``, rows sum to 1.

    Raises:
        ConfigError: A label of theirs is not mapped, or the mapping has one that they do not have.
    """
    known = {name.casefold() for name in theirs}
    wanted = {name.casefold(): ours for name, ours in mapping.items()}
    mapped = {name: wanted.get(name.casefold(), name.casefold()) for name in theirs}
    problems = [f"{name!r} is none of the checkpoint's" for name in mapping if name.casefold() not in known]
    problems += [f"{name!r} is not mapped" for name, ours in mapped.items() if ours not in TONE_LABELS]
    if problems:
        raise ConfigError(
            f"[plugins.voice.tone.labels] does not fit the checkpoint: {', '.join(problems)}. The checkpoint's labels "
            f"are {', '.join(theirs)}; map each to one of {', '.join(TONE_LABELS)}"
        )
    rows = membership({name: SENTIMENT_GROUPS.get(ours, (ours,)) for name, ours in mapped.items()}).T
    weights: npt.NDArray[np.float64] = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float64)
    return weights


def _tone(shares: npt.NDArray[np.float64], tag: str) -> Tone:
    """The tone of one text from its emotions' shares ``[28]``."""
    summed = np.clip(shares @ membership(SENTIMENT_GROUPS), 0.0, 1.0)
    sentiment = dict(zip(SENTIMENTS, (float(value) for value in summed), strict=True))
    worth = sum(share * SATISFACTION_OF[name] for name, share in zip(EMOTIONS28, shares, strict=True))
    return Tone(
        emotions28=MappingProxyType({name: float(share) for name, share in zip(EMOTIONS28, shares, strict=True)}),
        sentiment=MappingProxyType(sentiment),
        satisfaction=float(worth),
        valence=valence_of(sentiment),
        confidence=max(sentiment.values()),
        language=tag,
    )


def _load(settings: ToneSettings) -> tuple[Any, Any]:
    """The tokenizer and the model, on the CPU and ready to run."""
    transformers = huggingface.need("transformers", user=_USER)
    name, only_local = settings.checkpoint, settings.offline
    with huggingface.loading(name, kind="text-classification", key=_KEY):
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, local_files_only=only_local)
        model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            name, local_files_only=only_local, output_loading_info=True
        )
    if report["missing_keys"]:  # transformers would answer with a head of random weights
        missing = min(report["missing_keys"])
        raise PluginError(f"the checkpoint {name!r} is not one for text classification: it has no {missing} ({_KEY})")
    return tokenizer, model.eval()


def _labels(config: Any) -> list[str]:
    """The checkpoint's labels, in the order of its outputs."""
    return [str(config.id2label[index]) for index in range(config.num_labels)]
