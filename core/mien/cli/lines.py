"""One result as a line for a person, whatever modalities it is made of."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from typing import Final

from rich.text import Text

from mien.cli.findings import Finding
from mien.interfaces import Provenance
from mien.types import AnalysisResult, FaceRegion, Prediction, Transcript, Verdict

_VERDICT_STYLES: Final = {
    Verdict.GOOD: "bold blue",
    Verdict.POOR: "bold dark_orange",
    Verdict.UNDECIDED: "bold",
}
_MOST_NAMED: Final = 4
_QUOTED_CHARACTERS: Final = 80


def finding_line(finding: Finding, provenance: Provenance, *, seen: Collection[str]) -> Text:
    """The line of ``mien analyze``.

    Args:
        finding: What was found.
        provenance: Where.
        seen: The modalities that are looked for in pictures: of those, the line also says that nobody was found.
    """
    satisfaction = finding.result.satisfaction
    interval = satisfaction.interval
    line = Text()
    line.append(_where(provenance), style="bold")
    line.append(f"  {_who(finding.result, seen)}  satisfaction {satisfaction.score:.2f} ")
    line.append(f"({interval.low:.2f} to {interval.high:.2f}) ", style="dim")
    line.append(satisfaction.verdict.value.upper(), style=_VERDICT_STYLES[satisfaction.verdict])
    for status in finding.result.missing:
        line.append(f"  [{status.analyzer} missing: {status.reason}]", style="dark_orange")
    for remark in dict.fromkeys(status.remark for status in finding.result.streams if status.remark):
        line.append(f"  [{remark}]", style="dim")
    return line


def heard_line(result: AnalysisResult) -> str:
    """The line of ``mien listen``: ``0.2 to 1.9 s  "thank you"  joy 80%  satisfaction 0.86 GOOD``."""
    parts = []
    for prediction in result.predictions:
        said = prediction.evidence
        words = f'"{said.text}"' if isinstance(said, Transcript) and said.text else "(speech)"
        at = prediction.interval
        parts.append(f"{at.start:.1f} to {at.end:.1f} s  {words}  {_top(prediction)}")
    fused = result.satisfaction
    return f"{'; '.join(parts)}  satisfaction {fused.score:.2f} {fused.verdict.value.upper()}"


def partial_line(prediction: Prediction) -> str:
    """What is being said: ``0.2 s  thank you for ...``; empty where it was taken back."""
    said = prediction.evidence
    if not isinstance(said, Transcript) or not (said.text or said.redacted):
        return ""
    return f"{prediction.interval.start:.1f} s  {said.text or '(speech)'} ..."


def _where(provenance: Provenance) -> str:
    source = provenance.source or "text"
    return source if provenance.at_seconds is None else f"{source} at {provenance.at_seconds:.1f} s"


def _who(result: AnalysisResult, seen: Collection[str]) -> str:
    """``2 faces: happiness 92 %, neutral 60 %; text: joy 80 %``."""
    found = [prediction.modality for prediction in result.predictions]
    regions: dict[str, list[Prediction]] = {}
    others = []
    for prediction in result.predictions:
        if isinstance(prediction.evidence, FaceRegion):
            regions.setdefault(prediction.modality, []).append(prediction)
        else:
            others.append(f"{prediction.modality}: {_quote(prediction)}{_top(prediction)}")
    asked = dict.fromkeys(status.modality for status in result.streams)
    nobody = [f"no {modality}" for modality in asked if modality in seen and modality not in found]
    counted = [_counted(modality, predictions) for modality, predictions in regions.items()]
    return "; ".join([*counted, *nobody, *others]) or "nothing found"


def _counted(modality: str, predictions: Sequence[Prediction]) -> str:
    """``2 faces: happiness 92 %, neutral 60 %``."""
    named = ", ".join(_top(prediction) for prediction in predictions[:_MOST_NAMED])
    more = f" and {len(predictions) - _MOST_NAMED} more" if len(predictions) > _MOST_NAMED else ""
    return f"{len(predictions)} {modality}{'s' if len(predictions) > 1 else ''}: {named}{more}"


def _quote(prediction: Prediction) -> str:
    """The words that were heard, shortened; nothing where the caller brought them, or they were taken out."""
    said = prediction.evidence
    if not isinstance(said, Transcript) or said.engine == "caller" or not said.text:
        return ""
    return f'"{textwrap.shorten(said.text, _QUOTED_CHARACTERS, placeholder=" ...")}" '


def _top(prediction: Prediction) -> str:
    return f"{prediction.top_emotion} {prediction.emotions[prediction.top_emotion]:.0%}"
