"""Several tone models as one: each reads its language, and the first one whatever is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mien_voice import features, language
from mien_voice.tone import Tone, ToneModel


class ToneByLanguage:
    """Asks the model of a text's language. As thread-safe and deterministic as its models.

    Args:
        default: Reads what no other does, and abstains where it cannot.
        others: A language, as BCP 47's first part -> what reads it.
    """

    def __init__(self, default: ToneModel, others: Mapping[str, ToneModel]) -> None:
        self._default = default
        self._others = dict(others)

    def reads(self, tag: str) -> bool:
        """Whether any of them reads it."""
        return language.primary(tag) in self._others or self._default.reads(tag)

    def predict(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Tone]:
        """The tone of each text, in order; each model is asked once."""
        told = languages or [""] * len(texts)
        tags = [language.primary(tag or _tell(text)) for text, tag in zip(texts, told, strict=True)]
        found: dict[int, Tone] = {}
        for name in dict.fromkeys(tag if tag in self._others else "" for tag in tags):
            rows = [row for row, tag in enumerate(tags) if (tag if tag in self._others else "") == name]
            model = self._others.get(name, self._default)
            tones = model.predict([texts[row] for row in rows], [tags[row] if name else told[row] for row in rows])
            found.update(zip(rows, tones, strict=True))
        return [found[row] for row in range(len(texts))]

    def warm_up(self) -> None:
        """Warm up all of them."""
        for model in (self._default, *self._others.values()):
            model.warm_up()


def _tell(text: str) -> str:
    """The language that a text's words tell of."""
    return language.identify(features.tokenise(features.normalise(text))).language
