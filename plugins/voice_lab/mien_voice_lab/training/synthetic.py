"""Sentences of customer-service language, made from our own templates, to teach what Reddit does not say.

GoEmotions has next to no counters, orders and refunds, and few plain negations. Each template (``templates.txt``,
``service.txt``) carries the labels of the sentences it makes. None of
those contains one of the behavioural tables'; a test holds it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TEMPLATES_FILES: Final = tuple(Path(__file__).with_name(name) for name in ("templates.txt", "service.txt"))

_SLOT: Final = re.compile(r"\{(\w+)\}")
_WORD: Final = r"[\w']+"
_OPENING: Final = "so"
"""The slot of the words that may open any sentence."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One sentence with what it expresses.

    Attributes:
        text: The sentence.
        emotions: Some of GoEmotions' 28 labels, at least one.
        satisfaction: [0, 1]; 0.5 says nothing either way.
    """

    text: str
    emotions: tuple[str, ...]
    satisfaction: float


@dataclass(frozen=True, slots=True)
class _Template:
    """One kind of sentence."""

    emotions: tuple[str, ...]
    satisfaction: float
    patterns: list[str]


def generate(count: int, *, seed: int) -> list[LabelledText]:
    """Make sentences, about half of them as a recogniser would write them: lower case, without punctuation.

    Args:
        count: How many; kinds of sentence take turns, so each has about the same share.
        seed: Of the choices.

    Returns:
        ``count`` sentences, the same for the same arguments.
    """
    slots, templates, unwanted = _read()
    chooser = random.Random(seed)  # noqa: S311 - not cryptography
    made: list[LabelledText] = []
    for number in range(count):
        template = templates[number % len(templates)]
        text = _fill(template, slots, chooser)
        while unwanted.search(_plain(text)):
            text = _fill(template, slots, chooser)
        made.append(LabelledText(_written(text, chooser), template.emotions, template.satisfaction))
    return made


def distinct(made: Sequence[LabelledText]) -> list[LabelledText]:
    """Each text once, with its last labels."""
    return list({one.text: one for one in made}.values())


def _fill(template: _Template, slots: dict[str, list[str]], chooser: random.Random) -> str:
    """One sentence of this kind."""
    words = f"{chooser.choice(slots[_OPENING])} {chooser.choice(template.patterns)}"
    while "{" in words:  # what fills a slot may have slots of its own
        words = _SLOT.sub(lambda match: chooser.choice(slots[match.group(1)]), words)
    return " ".join(words.split())


def _plain(text: str) -> str:
    """The words alone, in blanks."""
    return f" {' '.join(re.findall(_WORD, text))} "


@cache
def _read() -> tuple[dict[str, list[str]], list[_Template], re.Pattern[str]]:
    """Slots and templates, in the file's order, and what no sentence may contain."""
    slots: dict[str, list[str]] = {}
    templates: list[_Template] = []
    unwanted: list[str] = []
    lines = [line for path in TEMPLATES_FILES for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if line.startswith("slot "):
            name, _, words = line.removeprefix("slot ").partition(":")
            slots[name] = [word.strip() for word in words.split("|")]
        elif line.startswith("without: "):
            unwanted += [_plain(words) for words in line.removeprefix("without: ").split("|")]
        elif line.startswith("["):
            emotions, _, satisfaction = line[1:].partition("] ")
            templates.append(_Template(tuple(emotions.split(", ")), float(satisfaction), []))
        elif line and not line.startswith("#"):
            templates[-1].patterns.append(line)
    return slots, templates, re.compile("|".join(map(re.escape, unwanted)))


def _written(text: str, chooser: random.Random) -> str:
    """Half of the sentences get a capital and a stop."""
    if chooser.random() < 0.5:
        return text
    return text[0].upper() + text[1:] + chooser.choice(("", ".", ".", "!"))
