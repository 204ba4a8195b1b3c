"""Sentences of customer-service language, made from our own templates, to teach what Reddit does not say.

GoEmotions has next to no counters, orders and refunds, and few plain negations. Each template (``templates.txt``)
carries the labels of the sentences it makes. None of the behavioural table's sentences is among them; a test holds it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TEMPLATES_FILE: Final = Path(__file__).with_name("templates.txt")

_SLOT: Final = re.compile(r"\{(\w+)\}")
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
    slots, templates = _read()
    chooser = random.Random(seed)  # noqa: S311 - not cryptography
    made: list[LabelledText] = []
    for number in range(count):
        template = templates[number % len(templates)]
        words = f"{chooser.choice(slots[_OPENING])} {chooser.choice(template.patterns)}"
        text = " ".join(_SLOT.sub(lambda match: chooser.choice(slots[match.group(1)]), words).split())
        made.append(LabelledText(_written(text, chooser), template.emotions, template.satisfaction))
    return made


@cache
def _read() -> tuple[dict[str, list[str]], list[_Template]]:
    """Slots and templates, in the file's order."""
    slots: dict[str, list[str]] = {}
    templates: list[_Template] = []
    for line in TEMPLATES_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("slot "):
            name, _, words = line.removeprefix("slot ").partition(":")
            slots[name] = [word.strip() for word in words.split("|")]
        elif line.startswith("["):
            emotions, _, satisfaction = line[1:].partition("] ")
            templates.append(_Template(tuple(emotions.split(", ")), float(satisfaction), []))
        elif line and not line.startswith("#"):
            templates[-1].patterns.append(line)
    return slots, templates


def _written(text: str, chooser: random.Random) -> str:
    """Half of the sentences get a capital and a stop."""
    if chooser.random() < 0.5:
        return text
    return text[0].upper() + text[1:] + chooser.choice(("", ".", ".", "!"))
