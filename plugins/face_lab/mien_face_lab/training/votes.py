"""What FER+'s votes say of a FER2013 label: ten people looked at the face, where one search term named its label.

A network comes to know its training faces by heart, doubtful labels with them, and then teaches what it knows. Votes do
not suffer from that, so a teacher's answers are drawn towards what they make likely.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mien import MissingDependencyError
from mien_face.labels import FER2013_LABELS
from mien_face_lab.training.faces import FaceData
from mien_face_lab.training.targets import Floats

_LEAST = np.float32(1e-6)
"""What a probability counts as at least, so that no label is ruled out."""


def drawn_to_votes(answers: Floats, data: FaceData, *, share: float) -> Floats:
    """The weighted geometric mean of a teacher's answers and of what each face's votes make likely.

    Args:
        answers: A teacher's probabilities of the FER2013 labels, ``[count, 7]``.
        data: The faces that they are of; on those that nobody voted on the teacher's answer stays, and on all where
            those with votes have one label only, of which nothing can be learnt.
        share: Weight of the votes, 0 to 1.

    Returns:
        ``[count, 7]``, rows summing to 1.

    Raises:
        MissingDependencyError: scikit-learn is not installed.
    """
    voted = data.votes.sum(axis=1) > 0
    if share == 0 or len(np.unique(data.labels[voted])) < 2:
        return answers
    weight = np.float32(share)
    chances = _labels_given_votes(data.votes[voted], data.labels[voted])
    together = np.maximum(answers[voted], _LEAST) ** (1 - weight) * np.maximum(chances, _LEAST) ** weight
    drawn = answers.copy()
    drawn[voted] = together / together.sum(axis=1, keepdims=True)
    return drawn


def labels_by_votes(data: FaceData) -> Floats:
    """What each face's votes make likely of its FER2013 label, ``[count, 7]``; all 0 where nobody voted.

    Raises:
        MissingDependencyError: scikit-learn is not installed.
    """
    chances = np.zeros((len(data), len(FER2013_LABELS)), np.float32)
    voted = data.votes.sum(axis=1) > 0
    if len(np.unique(data.labels[voted])) > 1:
        chances[voted] = _labels_given_votes(data.votes[voted], data.labels[voted])
    return chances


def _labels_given_votes(votes: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> Floats:
    """Probabilities of the labels given the votes, ``[count, 7]``, by logistic regression over these very faces.

    Its 217 parameters are too few to learn 28,558 faces by heart.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingDependencyError(
            "a recipe with votes_share needs scikit-learn: pip install 'mien[train]'"
        ) from error
    features = _features(votes)
    model = LogisticRegression(max_iter=500).fit(features, labels)
    chances = np.zeros((len(votes), len(FER2013_LABELS)), np.float32)
    chances[:, model.classes_] = model.predict_proba(features)
    return chances


def _features(votes: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Each answer's share of the votes, that share's root (so that one vote is told from none), and who has most."""
    shares = votes / votes.sum(axis=1, keepdims=True, dtype=np.float64)
    most = votes == votes.max(axis=1, keepdims=True)
    return np.concatenate([shares, np.sqrt(shares), most], axis=1)
