"""Writes the expression network's model card from its manifest and a report's JSON; no figure is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mien import Manifest, write_atomically
from mien_face.config import NetworkConfig
from mien_face.labels import LabelSet
from mien_face_lab import counter, sizes
from mien_face_lab.markdown import table
from mien_face_lab.plots import draw_calibration, draw_confusion, draw_sizes
from mien_face_lab.report import Report
from mien_face_lab.robustness import CONDITIONS, CUT_SCALES, CUT_SHIFTS, cut_name

_DIGITS: Final = 5
"""Decimal places that are kept of figures."""

_INTENDED: Final = """\
It tells seven expressions apart on the grey 48 x 48 picture of one face, and gives each a probability. In mien it is
the face half of a customer-satisfaction signal: frontal faces of adults at a counter or kiosk, who have been told
about it, watched over seconds and judged as a group or a visit, with an answer of *undecided* where there is little
to go by.
"""

_NOT_FOR: Final = """\
- **Staff or pupils.** The EU AI Act bans emotion recognition at work and in education (Art. 5(1)(f)).
- **People who have not been told.** It is emotion recognition under the EU AI Act, and they must be (Art. 50(3)).
- **Decisions about a person**: hiring, credit, insurance, policing, access, prices, health.
- **What somebody feels.** It reads what a face shows, as strangers would name it on a still picture. A smile may be
  polite, and a face at rest may be read as sad or angry. People agree with FER2013's labels in about 65 % of the
  pictures.
- **Finding out who somebody is**, how old, or of what sex or origin: it was trained for none of it, and nothing that
  identifies a person is computed.
"""

_ABOUT_COUNTER: Final = """\
How people are read whom the product sees: portraits in colour go through its own detector, crop and network, and what
is judged is the combined answer that it tells of a face, not one of the heads below. Evidence is that of satisfaction,
0 to 1, by the tables that ship; 0.5 says nothing either way. Smiling: labelled happiness; negative: anger, sadness or
disgust. An AUC is the chance that a portrait of the first kind has more evidence than one of the second.
"""

_COUNTER_NOT_MEASURED: Final = """\
Not measured: `mien evaluate face --portraits FILE --card FILE` does it, on labelled portraits in colour.
"""

_DATA: Final = """\
- FER2013 (Goodfellow et al. 2013, the Kaggle challenge): grey faces of 48 x 48 pixels from web searches, one label of
  seven each. The pictures are meant for research and are not distributed with mien; nobody in them was asked.
- FER+ (Barsoum et al. 2016, MIT): ten people's votes for each of the same pictures. The majority counts as its authors
  count it: single votes are dropped, and an emotion needs more than half of what is left.
- Trained on the training part alone. Everything was chosen on the validation part (FER2013's PublicTest), temperatures
  among it, and every figure here is measured on that part: they lean a little to the good side. The test part
  (PrivateTest) was not used.
- The portraits of "At a counter" (muxspace/facial_expressions, Apache-2.0, many from Labeled Faces in the Wild): people
  in front of cameras, with coarse labels.
"""

_NOT_LEARNT_FROM: Final = """\
  The network did not learn from them, but the detector did from four fifths, and what the combined answer is made of
  was chosen on them: those figures lean to the good side too.
"""

_LEARNT_FROM: Final = """\
  The network learnt from those of four fifths of the persons, and is judged by the other persons alone. The detector
  learnt from some of these, and the bias of the combined answer was held against them: those figures lean to the good
  side too.
"""

_LIMITS: Final = """\
- Nobody knows who is in FER2013. Its people are found by English search words, mostly posed or acting, many of them
  famous. No figure by age, sex or skin colour can be given, and faces that are rare there must be expected to fare
  worse. Measure on your own site before you rely on it: `mien evaluate face --data YOURS`.
- Rare emotions rest on few faces: see the number beside each recall.
- Faces from the side, covered faces and faces under 36 pixels are read worse than the figures say; mien lowers the
  confidence of small, blurred, dark and bright ones.
- Single pictures only: what a face does over time is left to the session.
"""

_ABOUT_ROBUSTNESS: Final = """\
Accuracy on the same faces, spoilt, and the percentage points that were lost, with their 95 % interval. The table is
`mien_face_lab/robustness.py`.
"""

_ABOUT_CUTS: Final = """\
Others cut faces more tightly, more loosely or off their middle: accuracy where the face is that much larger or smaller
in its square, and that share of the square's side off its middle, in any of four directions.
"""

_DONE: Final = """\
What was done about it: each crop is standardised to one mean and deviation before the network sees it, so that darkness
costs next to nothing; training changed its pictures at random; and the analyzer lowers the confidence of faces that are
small, blurred, dark, bright or cut off.
"""


def write_card(path: Path, manifest: Manifest, report: Report) -> None:
    """Write the card, and beside it its figures (``.json``) and pictures (``.calibration.svg``, ``.confusion.svg``).

    Where there are networks of other sizes, ``.cost.svg`` as well.

    Args:
        path: Of the card, such as ``MODEL_CARD.md``.
        manifest: Of the weights that were measured.
        report: With both label sets, robustness and speed.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    figures = rounded(report.to_json())
    first = report.judgements[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_calibration(first).save(path.with_suffix(".calibration.svg"))
    draw_confusion(first).save(path.with_suffix(".confusion.svg"))
    if report.sizes:
        draw_sizes(report.sizes).save(path.with_suffix(".cost.svg"))
    write_atomically(path.with_suffix(".json"), (json.dumps(figures, indent=2) + "\n").encode())
    write_atomically(path, card(manifest, figures, stem=path.stem).encode())


def card(manifest: Manifest, figures: Mapping[str, Any], *, stem: str) -> str:
    """The card's text: the same manifest and figures give the same card.

    Args:
        manifest: Of the weights that were measured.
        figures: As ``write_card`` writes them beside the card.
        stem: Of the names of the card's pictures.
    """
    judgements = [figures["judgements"][labels] for labels in LabelSet]
    parts = [
        f"# Model card: {manifest.name} {manifest.version}",
        "Written by `mien evaluate face --card`; change the code, not this file.",
        "## What it is for",
        _INTENDED,
        "## What it must not be used for",
        _NOT_FOR,
        "## What it is",
        _facts(manifest),
        "## At a counter",
        _counter(figures["counter"]),
        "## Figures",
        _summary(figures, judgements),
        *(part for each in judgements for part in (f"### {LabelSet(each['labels']).full_name}", _classes(each))),
        "### Calibration",
        f"![How often answers of a confidence are right]({stem}.calibration.svg)",
        "### Confusion",
        f"![Which emotions are taken for which]({stem}.confusion.svg)",
        "## Robustness",
        _ABOUT_ROBUSTNESS,
        _robustness(judgements),
        _done(manifest),
        "### Crops",
        _ABOUT_CUTS,
        _cuts(judgements),
        "## Speed",
        _speed(figures),
        _mirrored(figures),
        *(
            ("## Accuracy against cost", f"![Accuracy against operations]({stem}.cost.svg)", table(sizes.rows(found)))
            if (found := figures["sizes"])
            else ()
        ),
        "## Data",
        _DATA + (_LEARNT_FROM if "portraits" in manifest.training else _NOT_LEARNT_FROM),
        "## Limits",
        _LIMITS,
        "## How to reproduce",
        _reproduce(manifest, figures),
        "## Licence",
        f"Weights: {manifest.license}. {manifest.license_note}",
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def rounded(value: Any) -> Any:
    """Plain data with its fractions at a readable length."""
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value


def _facts(manifest: Manifest) -> str:
    config = NetworkConfig.from_json(manifest.config)
    labels = "; ".join(f"`{head}`: {', '.join(names)}" for head, names in manifest.labels.items())
    calibration = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in manifest.calibration.items())
    return (
        f"`{manifest.network}`: a residual network of ordinary convolutions with two heads ({labels}), "
        f"{config.parameters() / 1e6:.2f} million parameters and {config.operations() / 1e6:.0f} MFLOPs a face "
        f"(multiplications and additions counted apart). Calibration, fitted after training: {calibration}. Input: a "
        "grey crop of 48 x 48 pixels with some margin around the face, standardised to mean 0 and deviation 1."
        f"\n\nThe weights that this card is about have the sha256 `{manifest.sha256}`."
    )


def _counter(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return _COUNTER_NOT_MEASURED
    return (
        f"{_ABOUT_COUNTER}\nOn `{found['name']}` (digest `{found['digest']}`): {counter.lead(found)}. Intervals are by "
        f"bootstrap over the persons.\n\n{table(counter.rows(found))}"
    )


def _summary(figures: Mapping[str, Any], judgements: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        ("labels", "faces", "accuracy", "balanced accuracy", "macro-F1", "calibration error (15 bins)"),
        *(
            (
                LabelSet(each["labels"]).full_name,
                f"{each['n']:,}",
                _percent(each["accuracy"], each["intervals"]["accuracy"]),
                _percent(each["balanced_accuracy"], each["intervals"]["balanced_accuracy"]),
                "{:.3f} ({:.3f}-{:.3f})".format(each["macro_f1"], *each["intervals"]["macro_f1"]),
                f"{each['ece']:.3f}",
            )
            for each in judgements
        ),
    ]
    data = figures["data"]
    return (
        f"On `{data['name']}`, validation part, {data['faces']:,} faces (digest `{data['digest']}`): one network, one "
        "look at each face. In brackets the 95 % interval by bootstrap over the faces.\n\n" + table(rows)
    )


def _classes(judgement: Mapping[str, Any]) -> str:
    rows = [("emotion", "recall", "precision", "F1", "faces")]
    for label, each in judgement["per_class"].items():
        ends = judgement["intervals"]["recall"].get(label)
        recall = _percent(each["recall"], ends) if ends else "-"
        rows.append((label, recall, f"{each['precision']:.1%}", f"{each['f1']:.3f}", f"{each['support']:,}"))
    return table(rows)


def _robustness(judgements: Sequence[Mapping[str, Any]]) -> str:
    measured = [{each["condition"]: each for each in judgement["robustness"]} for judgement in judgements]
    head = ["picture"]
    clean = ["clean"]
    for judgement in judgements:
        head += [LabelSet(judgement["labels"]).full_name, "lost"]
        clean += [f"{judgement['accuracy']:.1%}", ""]
    rows = [tuple(head), tuple(clean)]
    for condition in CONDITIONS:
        row = [condition.description]
        for each in measured:
            found = each[condition.name]
            low, high = (100 * end for end in found["drop_interval"])
            row += [f"{found['accuracy']:.1%}", f"{100 * found['drop']:.1f} ({low:.1f} to {high:.1f})"]
        rows.append(tuple(row))
    return table(rows)


def _cuts(judgements: Sequence[Mapping[str, Any]]) -> str:
    """Accuracy by size and place of the face in its square, a table for each set of labels."""
    tables = []
    for judgement in judgements:
        found = {each["condition"]: each["accuracy"] for each in judgement["robustness"]}
        found[cut_name(1.0, 0.0)] = judgement["accuracy"]
        head = (f"{LabelSet(judgement['labels']).full_name}: size", *(f"{shift:.0%} off" for shift in CUT_SHIFTS))
        rows = [
            (f"x {scale:g}", *(f"{found[cut_name(scale, shift)]:.1%}" for shift in CUT_SHIFTS)) for scale in CUT_SCALES
        ]
        tables.append(table([head, *rows]))
    return "\n\n".join(tables)


def _done(manifest: Manifest) -> str:
    recipe = manifest.training.get("recipe")
    changes = recipe.get("augmentation") if isinstance(recipe, Mapping) else None
    if not isinstance(changes, Mapping):
        return _DONE
    named = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in changes.items())
    return f"{_DONE}\nThe random changes of the last training run: {named}."


def _speed(figures: Mapping[str, Any]) -> str:
    rows = [("faces in a call", "milliseconds a face, median", "fastest call")]
    rows += [(str(each["batch"]), f"{each['median']:.2f}", f"{each['fastest']:.2f}") for each in figures["speed"]]
    return (
        f"From crops to probabilities, without finding the faces, on {figures['host']}. Other programs may have run "
        "beside: the fastest of the calls is the better guide. `benchmarks/` compares the ways to run the network.\n\n"
        + table(rows)
    )


def _mirrored(figures: Mapping[str, Any]) -> str:
    found = figures["mirrored"]
    if found is None:
        return ""
    once = {str(each["labels"]): each["accuracy"] for each in figures["judgements"].values()}
    gains = ", ".join(
        f"{LabelSet(labels).full_name} {accuracy:.1%} ({100 * (accuracy - once[labels]):+.1f} points)"
        for labels, accuracy in found["accuracy"].items()
    )
    times = ", ".join(f"{each['fastest']:.2f} ms for {each['batch']}" for each in found["speed"])
    return (
        "`mirror = true` under `[plugins.face]` looks at each face a second time, mirrored, and averages: "
        f"{gains}; fastest calls, a face: {times}. Off unless it is asked for."
    )


def _reproduce(manifest: Manifest, figures: Mapping[str, Any]) -> str:
    training = {name: value for name, value in manifest.training.items() if name != "recipe"}
    portraits = f" --portraits {figures['counter']['name']}" if figures["counter"] else ""
    lines = [f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in training.items()]
    return (
        "These figures and this card:\n\n"
        f"    mien evaluate face --data {figures['data']['name']}{portraits} --card plugins/face/MODEL_CARD.md\n\n"
        "The weights, as their manifest says; [TRAINING.md](../face_lab/TRAINING.md) tells the whole story:\n\n"
        + "\n".join(lines)
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else f"`{json.dumps(rounded(value))}`"


def _percent(value: float, ends: Sequence[float]) -> str:
    return f"{value:.1%} ({100 * ends[0]:.1f}-{100 * ends[1]:.1f})"
