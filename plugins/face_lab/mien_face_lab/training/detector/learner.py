"""Trains the face detector, by a ``recipe``.

In the last third, photographs without a face in which the detector sees one are shown more often (as in Shrivastava et
al. 2016, but whole pictures): few background pictures are hard, and most of those that are not teach nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mien.training import Curves, Figures
from mien_face.config import Arrays
from mien_face.detection.config import DetectorConfig
from mien_face_lab.detection.folding import fold
from mien_face_lab.training.detector.batches import BatchSource
from mien_face_lab.training.detector.export import quote
from mien_face_lab.training.detector.mining import hard_names
from mien_face_lab.training.detector.pictures import KINDS, Pictures
from mien_face_lab.training.detector.recipe import Recipe
from mien_face_lab.training.detector.step import Engine, TrainState, initial_state, train_step
from mien_face_lab.training.detector.targets import Batch
from mien_face_lab.training.detector.validation import Validation, answer, figures

HARD: Final = "hard_pictures"
"""Photographs that are shown more often, among the figures of a step."""

_WATCHED_THRESHOLD: Final = 0.5
_WATCHED_PICTURES: Final = 250
_MINED_FROM: Final = 2 / 3
"""Share of the epochs after which hard photographs are shown more often."""


class DetectorLearner:
    """The detector with its recipe; the last epoch's weights are those that ship.

    Args:
        engine: Computes the steps.
        config: The network.
        recipe: How to train it.
        source: Of the batches.
        start: Weights to begin with instead of random ones.
    """

    patience = None
    schedule = None
    best_by = None
    ships_best = False
    curves = Curves(
        "face detector: training and validation",
        "recall",
        {"training loss": "loss", **{f"recall, {kind}": f"validation_{kind}_recall" for kind in KINDS}},
    )

    def __init__(
        self,
        engine: Engine,
        config: DetectorConfig,
        recipe: Recipe,
        source: BatchSource,
        *,
        start: Arrays | None = None,
    ) -> None:
        self.epochs = recipe.epochs
        self.batch_size = recipe.batch_size
        self._engine = engine
        self._config = config
        self._recipe = recipe
        self._source = source
        self._start = start

    def describe(self) -> dict[str, Any]:
        """Network and recipe as plain data."""
        return {"network": self._config.to_json(), "recipe": self._recipe.to_json()}

    def steps(self, data: Pictures) -> int:
        """Batches of an epoch."""
        return self._recipe.steps

    def initial(self, seed: int) -> TrainState:
        """An untrained network, or the weights to start from.

        Raises:
            WeightsError: The weights to start from are of another network.
        """
        return initial_state(self._config, self._recipe, seed, self._start)

    def batches(self, data: Pictures, *, state: TrainState, seed: int, epoch: int) -> Iterator[tuple[int, Batch]]:
        """One epoch of the source, which has its seed already; with each batch, how many pictures count as hard."""
        mined = epoch > _MINED_FROM * self.epochs
        hard = hard_names(self._config, fold(self._config, state.averaged), data) if mined else []
        self._source.show_more(hard)
        for batch in self._source.batches(state.step, self._recipe.steps):
            yield len(hard), batch

    def rate(self, *, step: int, steps: int, reductions: int) -> float:
        """The recipe's."""
        return self._recipe.rate(step)

    def step(self, state: TrainState, batch: tuple[int, Batch], *, rate: float) -> tuple[TrainState, Figures]:
        """Learn from a batch."""
        hard, composed = batch
        state, losses = train_step(self._engine, self._recipe, state, composed, rate=rate)
        return state, {"loss": sum(losses.values()), **losses, HARD: hard}

    def judge(self, state: TrainState, data: Validation) -> dict[str, float]:
        """Figures of the averaged weights by kind of picture, on the first of each."""
        answers = answer(self._config, fold(self._config, state.averaged), data.first(_WATCHED_PICTURES))
        return quote(figures(answers, threshold=_WATCHED_THRESHOLD))
