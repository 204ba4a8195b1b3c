"""What a network in training is worth: accuracy by both label sets, and how portraits are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch

from mien_face.labels import Head
from mien_face_lab.training.school.course import Trainee
from mien_face_lab.training.school.storing import Exam

_SATISFACTION: Final = (0.5, 0.95, 0.5, 0.15, 0.05, 0.05, 0.2, 0.05)
"""Of FER+'s labels, near to the tables that ship."""


def judge(trainee: Trainee, exam: Exam, device: torch.device) -> dict[str, float]:
    """Figures of the averaged network, one look a face."""
    return judge_logits(trainee.logits(torch.from_numpy(exam.crops).to(device)[:, None]), exam)


def judge_logits(answers: Mapping[Head, torch.Tensor], exam: Exam) -> dict[str, float]:
    """The same of answers that are there, head -> ``[n, labels]``."""
    first, second = (answers[head].cpu().numpy() for head in Head)
    decided = exam.majority >= 0
    labelled = exam.labels >= 0
    figures = {
        "fer2013": float((first.argmax(1) == exam.labels)[labelled].mean()),
        "ferplus": float((second.argmax(1) == exam.majority)[decided].mean()),
        "fer2013_nll": _likelihood(first[labelled], exam.labels[labelled]),
        "ferplus_nll": _likelihood(second[decided], exam.majority[decided]),
    }
    powers = np.exp(second - second.max(1, keepdims=True))
    evidence = powers / powers.sum(1, keepdims=True) @ np.array(_SATISFACTION)
    kinds = {kind: evidence[exam.kinds == kind] for kind in (0, 1, 2)}
    if all(len(each) for each in kinds.values()):
        figures["neutral_negative"] = _auc(kinds[0], kinds[2])
        figures["smiling_neutral"] = _auc(kinds[1], kinds[0])
        figures |= {f"evidence_{kind}": float(each.mean()) for kind, each in kinds.items()}
    return figures


def _likelihood(logits: np.ndarray, labels: np.ndarray) -> float:
    logits = logits - logits.max(1, keepdims=True)
    return float((np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]).mean())


def _auc(above: np.ndarray, below: np.ndarray) -> float:
    return float((above[:, None] > below).mean() + 0.5 * (above[:, None] == below).mean())
