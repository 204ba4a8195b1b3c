"""How sure a score is: effective sample sizes and the interval made from them.

A reading of evidence ``s`` with confidence ``c`` is taken as an unbiased, noisy look at the customer's satisfaction
``theta``: mean ``theta``, variance ``theta (1 - theta) / (answers * c)``, which is what ``answers * c`` yes/no answers
of the customer would have. The weighted mean of several readings then has variance ``theta (1 - theta) / n``, where the
effective sample size ``n`` takes account of

- unequal weights, as Kish (Survey Sampling, 1965): ``(sum a)^2 / sum a^2``;
- readings of one subject, which err together: Kish's intraclass correlation, constant over time, and beside it a
  correlation that fades with the time between two readings (Bayley and Hammersley 1946), see ``mien_fusion.evidence``.

The interval solves ``|score - theta| <= z sqrt(theta (1 - theta) / n)`` for ``theta``: Wilson (1927). It stays inside
[0, 1], always contains the score, and holds for few readings, where the usual ``score +- z sd`` does not.
"""

from __future__ import annotations

import math
from typing import Final

from mien import ScoreInterval

LEVEL: Final = 0.90
"""Probability that the interval contains the truth."""

Z_90: Final = 1.6448536269514722
"""Standard normal quantile of (1 + LEVEL) / 2."""


MIN_SIZE: Final = 1e-9
"""Fewer answers say nothing, and would not survive being squared."""


def wilson_interval(score: float, size: float) -> ScoreInterval:
    """The 90 % interval of a score that rests on ``size`` effective yes/no answers.

    Args:
        score: [0, 1].
        size: Effective sample size, not negative, not necessarily whole; 0 gives [0, 1].
    """
    if size < MIN_SIZE:
        return ScoreInterval(0.0, 1.0)
    z2 = Z_90 * Z_90
    share = size / (size + z2)  # of the score in the middle; the rest is 0.5
    middle = share * score + (1.0 - share) * 0.5
    half = share * Z_90 * math.sqrt(score * (1.0 - score) / size + z2 / (4.0 * size * size))
    return ScoreInterval(max(0.0, min(middle - half, score)), min(1.0, max(middle + half, score)))
