"""What a backend is: the seam between the expression network and the runtimes that compute it."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

BUCKETS: Final = (1, 2, 4, 8, 16)
"""Batch sizes that are compiled, ascending."""


class Backend(Protocol):
    """Runs the folded network on one bucket. Deterministic, and safe to call from several threads."""

    def logits(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of both heads side by side, [n, 7 + 8], for normalised crops [n, 48, 48, 1]; n is a bucket."""

    def compile(self, count: int) -> None:
        """Make ready for batches of ``count``, a bucket."""
