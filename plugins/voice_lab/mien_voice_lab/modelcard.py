"""Writes the tone network's model card from its manifest and an evaluation; no figure is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mien import Manifest

_TARGETS: Final = {"sentiment": (0.69, 0.69), "ekman": (0.62, 0.64), "emotions28": (0.46, 0.46)}
"""Task -> what was aimed at, and what BERT-base is published with (on GoEmotions' test part)."""

_INTENDED: Final = """\
Reads the words of one English utterance, written or recognised, and says which of GoEmotions' 28 labels it
expresses, its sentiment (positive, negative, ambiguous, neutral) and how satisfied the speaker sounds, from 0 to 1
with 0.5 saying nothing either way. Made for customer-service situations where people have been told about it.

Not for: judging a single person, staff or pupils (the EU AI Act bans emotion recognition of both), medical use, or
any language but English. It knows nothing of the voice itself, of who speaks, or of what was said before.
"""

_BEHAVIOUR: Final = """\
Sentences of our own with what is expected of them, in `tests/voice`; no sentence that was trained on contains one of
them. Whoever wrote the training templates knew `tone_behaviour.tsv`, and not `tone_behaviour_new.tsv`. The sentences of
`tone_behaviour_third.tsv` were written in customers' words before this network was trained and before any network had
answered them, and nothing was chosen by them: what they show is nearest to what a stranger's sentence can expect. Their
author wrote some of the templates too.
"""

_UNLISTED: Final = "tone_behaviour_third.tsv"
"""A table whose failures are not listed, so that nobody mends them one by one."""

_LIMITS: Final = """\
- Trained on Reddit comments of 2005 to 2019, labelled by raters in India: their slang, their topics, their reading
  of tone.
- Sarcasm is recognised only where the words give it away; what "great" means after a delay is often out of reach.
- Abstains (neutral, confidence 0.02) on other languages, signs without words and words it does not know; the
  language check is a list of function words and scripts, and a short sentence in another language can pass it.
- 28 labels are uneven: `grief`, `relief`, `pride` and `nervousness` have 77 to 164 training examples, and their
  figures rest on 13 to 21 sentences of dev.
- Ratings of User Satisfaction Simulation judge mostly what the system did, so words alone agree with them only
  weakly.
"""

_DATA: Final = """\
- GoEmotions (Demszky et al. 2020, CC BY 4.0): train to train, dev for every choice, thresholds and temperatures
  among them. Every text also in lower case without punctuation, and misheard by rule.
- Sentences of customer-service language made from our own templates (`mien_voice_lab/training/templates.txt` and
  `service.txt`), each weighted 0.15, and 1 for satisfaction; and pairs of GoEmotions' texts joined by "but" and
  its like.
- Word pairs that PocketSphinx's US English language model (Carnegie Mellon University, BSD) has seen, as the vectors
  that the subwords begin with.
- Word classes of our own (`mien_voice/lexicon.txt`) as features.
- User Satisfaction Simulation (Sun et al. 2021; texts SGD and CCPE, CC BY-SA 4.0; the ratings came without a licence
  file): the texts of all dialogues to pretrain the encoder, without labels; the ratings of the turns of half of the
  dialogues of either file as a second task of the satisfaction output, each weighted 0.5, and for its bias. The cuts of
  the three-class figures are fitted on the same half; the figures are of the other half.
"""


def write_card(path: Path, manifest: Manifest, figures: Mapping[str, Any]) -> None:
    """Write the card.

    Args:
        path: Where to.
        manifest: Of the weights that were measured.
        figures: As ``mien evaluate tone --json`` gives them.
    """
    parts = [
        f"# Model card: {manifest.name} {manifest.version}",
        "Written by `mien evaluate tone --card`; change the code, not this file.",
        "## What it is for",
        _INTENDED,
        "## What it is",
        _facts(manifest),
        "## Figures on GoEmotions",
        _emotions(manifest, figures),
        "## Satisfaction against rated dialogues",
        _dialogues(figures),
        "## Behaviour on customer-service language",
        _behaviour(figures),
        "## Data",
        _DATA,
        "## Limits",
        _LIMITS,
        "## Licence",
        f"Weights: {manifest.license}. {manifest.license_note}",
    ]
    path.write_text("\n\n".join(part.rstrip() for part in parts) + "\n", encoding="utf-8")


def _facts(manifest: Manifest) -> str:
    parameters = manifest.metrics.get("parameters", 0.0)
    config, training = manifest.config, manifest.training
    return (
        f"`{manifest.network}`: a linear half over {config['features']:,} hashed n-grams of words, characters and word "
        f"classes, and a deep half that embeds the same n-grams ({config['bag']} wide) and reads "
        f"{config['vocabulary']:,} subwords ({config['vector']} wide) with {config['blocks']} blocks of width "
        f"{config['width']}, each a convolution and an attention with {config['heads']} heads. "
        f"The answer is {config['linear_share']:.1f} of the one and the rest of the other, and a group of emotions is "
        f"judged half by its own output and half by its emotions'. "
        f"{parameters / 1e6:.2f} million parameters, inverse document frequencies counted in. Made by "
        f"`{training.get('command')}` on {training.get('host')}. "
        "See plugins/voice_lab/TRAINING.md."
    )


def _emotions(manifest: Manifest, figures: Mapping[str, Any]) -> str:
    if "macro_f1" not in figures:
        return "Not measured."
    rows = [
        f"Macro-F1 on {figures['data']} ({figures['examples']:,} texts). Thresholds were fitted on dev; in the "
        "crossed column, those from one half of dev are applied to the other.",
        "",
        "| grouping | macro-F1 | crossed on dev | aim | BERT-base, published, on test |",
        "| --- | --- | --- | --- | --- |",
    ]
    for task, value in figures["macro_f1"].items():
        aim, published = _TARGETS[task]
        crossed = manifest.metrics.get(f"dev_macro_f1_{task}_crossed", float("nan"))
        rows.append(f"| {task} | {value:.3f} | {crossed:.3f} | {aim:.2f} | {published:.2f} |")
    rows += [
        "",
        f"Expected calibration error of the likeliest sentiment: {figures['ece']:.3f}; it is right in "
        f"{100 * figures['sentiment_accuracy']:.1f} % of the texts. That of the confidence, the chance that the writer "
        f"is on the side that satisfaction tells, pleasant or unpleasant: {figures['confidence_ece']:.3f}.",
        "",
        "The same texts in lower case and without punctuation, as some engines write them: "
        + ", ".join(f"{task} {value:.3f}" for task, value in figures["macro_f1_without_signs"].items())
        + ".",
        "",
        "| label | F1 |",
        "| --- | --- |",
    ]
    rows += [f"| {name} | {value:.2f} |" for name, value in figures["f1"]["emotions28"].items()]
    return "\n".join(rows)


def _dialogues(figures: Mapping[str, Any]) -> str:
    rows = [
        "Satisfaction of single turns, by their text alone. 83 % of them are rated 3, so accuracy would say nothing.",
        "",
        "| data | score | turn macro-F1, 3 classes | turn recall | turn Spearman | dialogue Spearman |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    found = False
    for data, own in figures.items():
        if not isinstance(own, Mapping) or "majority" not in own:
            continue
        found = True
        rows += [
            f"| {data} | {name} | {one['turn_macro_f1']:.3f} | {one['turn_recall']:.3f} | "
            f"{one['turn_spearman']:.3f} | {one['dialogue_spearman']:.3f} |"
            for name, one in own.items()
        ]
    return "\n".join(rows) if found else "Not measured."


def _behaviour(figures: Mapping[str, Any]) -> str:
    tables: Mapping[str, Any] = figures.get("behaviour", {})
    if not tables:
        return "Not measured."
    return "\n\n".join([_BEHAVIOUR.rstrip(), *(_checks(name, own) for name, own in tables.items())])


def _checks(name: str, own: Mapping[str, Any]) -> str:
    """One table of behavioural checks."""
    rows = [
        f"### `{name}`: {100 * own['pass_rate']:.1f} % of {own['cases']} checks hold",
        "",
        "| topic | holds |",
        "| --- | --- |",
    ]
    rows += [f"| {topic} | {100 * share:.0f} % |" for topic, share in own["topics"].items()]
    if own["failed"] and name != _UNLISTED:
        rows += ["", "Those that do not hold:", ""]
        rows += [f"- {' / '.join(texts)}" for texts in own["failed"]]
    return "\n".join(rows)
