"""What a school learns from, as one pool of faces from all sources: crops, targets, and how often each is shown.

Arrays only; ``gathering`` makes them of labelled data. Shapes: n faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from mien_face.labels import Head

Floats = npt.NDArray[np.float32]

_LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Faces.

    Attributes:
        crops: uint8 grey, ``[n, 48, 48]``.
        values: Head -> what the labels say, distributions ``[n, labels]``.
        weights: Head -> how much that counts, ``[n]``; 0 where nothing is said.
        chances: What FER+'s votes make likely of the FER2013 label, ``[n, 7]``; all 0 where nobody voted.
        shown: How often each is shown in an epoch, ``[n]``; a part of 1 is a probability.
    """

    crops: npt.NDArray[np.uint8]
    values: Mapping[Head, Floats]
    weights: Mapping[Head, Floats]
    chances: Floats
    shown: Floats

    def __len__(self) -> int:
        return len(self.crops)

    def order(self, generator: np.random.Generator) -> npt.NDArray[np.int64]:
        """The faces of an epoch, in random order."""
        times = np.floor(self.shown + generator.random(len(self)))
        return generator.permutation(np.repeat(np.arange(len(self)), times.astype(np.int64)))


@dataclass(frozen=True, slots=True)
class Shares:
    """What a target is made of.

    Attributes:
        teacher: Head -> share of what teachers say, 0 to 1; the rest is the labels'.
        votes: How far answers about FER2013's labels are drawn to what FER+'s votes make likely, 0 to 1.
    """

    teacher: Mapping[Head, float]
    votes: float = 0.3


class Lessons:
    """A pool on a device, with targets of what labels and teachers say.

    Args:
        pool: The faces.
        shares: What targets are made of.
        device: Where they go.
    """

    def __init__(self, pool: Pool, shares: Shares, device: torch.device) -> None:
        def there(values: npt.NDArray[np.generic]) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)

        self.crops = there(pool.crops)
        self._values = {head: there(pool.values[head]) for head in Head}
        self._weights = {head: there(pool.weights[head]) for head in Head}
        self._chances = there(pool.chances)
        self._shares = shares

    def targets(self, chosen: torch.Tensor, said: Mapping[Head, torch.Tensor] | None) -> dict[Head, torch.Tensor]:
        """Unnormalised targets, already times their weights.

        Args:
            chosen: Positions of faces, ``[m]``.
            said: Head -> the teachers' logarithms of probabilities of these faces, ``[m, labels]``; None without any.

        Returns:
            Head -> ``[m, labels]``, rows summing to what the face counts.
        """
        drawn = self._chances[chosen]
        voted = drawn.sum(1, keepdim=True) > 0
        targets = {}
        for head in Head:
            values, weights = self._values[head][chosen], self._weights[head][chosen][:, None]
            if said is None:
                if head is Head.FER2013:
                    values = torch.where(voted, (1 - self._shares.votes) * values + self._shares.votes * drawn, values)
                targets[head] = values * weights
                continue
            answers = said[head]
            if head is Head.FER2013:
                votes = self._shares.votes
                mixed = torch.softmax((1 - votes) * answers + votes * drawn.clamp(min=_LEAST).log(), 1)
                answers = torch.where(voted, mixed, answers.exp())
            else:
                answers = answers.exp()
            share = self._shares.teacher[head] * torch.ones_like(weights)
            share = torch.where(weights > 0, share, 1.0)
            targets[head] = (1 - share) * values * weights + share * answers
        return targets
