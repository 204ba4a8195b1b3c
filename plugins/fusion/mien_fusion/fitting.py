"""Weights and calibration from rated sessions; what comes out is plain numbers for the configuration.

Weights: ``P(good) = sigmoid(bias + exp(scale) * (score(w) - 0.5))`` with ``score`` the weighted sum, by maximum
likelihood. ``w_m = prior_m exp(v_m)`` keeps weights positive, and a penalty on ``v`` draws them to the prior where data
are few. The gain is out of fold: what the fit brings on sessions that it did not see. Needs ``mien[train]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mien import InputError, MissingDependencyError, ScoreInterval, start_jax
from mien_fusion.interval import Z_90
from mien_fusion.rated import Floats, RatedSessions
from mien_fusion.settings import IsotonicCalibration, PlattCalibration

MIN_SESSIONS: Final = 40
"""Rated sessions in which at least two streams spoke, without which weights are not fitted."""

MIN_EACH: Final = 10
"""Good ones, and poor ones, that both fits need."""

MIN_PLATT: Final = 40
MIN_ISOTONIC: Final = 200
"""Rated sessions that a calibration needs; the isotonic curve has more freedom and needs more."""

SHRINKAGE: Final = 4.0
"""Precision of the prior on ``v`` (log of fitted over prior weight): a standard deviation of one half."""

FOLDS: Final = 5
STEPS: Final = 200
LEARNING_RATE: Final = 0.1
SEED: Final = 2026


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What a fit brings on sessions it did not see.

    Attributes:
        mean: Log loss before minus after, nats a session; positive is better.
        interval: Where that mean lies with 90 % probability.
        before: Log loss with the prior.
        after: Log loss with the fit.
    """

    mean: float
    interval: ScoreInterval
    before: float
    after: float

    @property
    def is_certain(self) -> bool:
        """The interval lies above 0."""
        return self.interval.low > 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedWeights:
    """Fitted weights, with what they bring."""

    weights: Mapping[str, float]
    gain: Gain
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCalibration:
    """A fitted calibration, with what it brings."""

    calibration: PlattCalibration | IsotonicCalibration
    gain: Gain
    sessions: int


def fit_weights(sessions: RatedSessions, prior: Mapping[str, float]) -> FittedWeights:
    """Fit the modalities' weights.

    Args:
        sessions: Rated sessions.
        prior: Modality -> weight to shrink to; 1 for one that is not named. A modality of weight 0 stays out.

    Returns:
        Weights with the prior's sum, and their out-of-fold gain over the prior.

    Raises:
        InputError: There are too few sessions.
        MissingDependencyError: optax is not installed.
    """
    used = [column for column, name in enumerate(sessions.modalities) if prior.get(name, 1.0) > 0.0]
    names = [sessions.modalities[column] for column in used]
    scores, confidences = sessions.scores[:, used], sessions.confidences[:, used]
    spoke = (confidences > 0.0).sum(axis=1)
    _require_enough(int((spoke >= 2).sum()), sessions.good[spoke >= 1], need=MIN_SESSIONS, of="with two streams")
    heard = spoke >= 1
    scores, confidences, good = scores[heard], confidences[heard], sessions.good[heard]
    start = np.array([prior.get(name, 1.0) for name in names])
    fit = _weight_fitter(scores, confidences, good, start)
    before, after = np.zeros(len(good)), np.zeros(len(good))
    for train, test in _folds(good):
        before[test] = fit(train, False)[1][test]
        after[test] = fit(train, True)[1][test]
    ratios, _ = fit(np.ones(len(good), dtype=np.bool_), True)
    fitted = start * np.exp(ratios)
    fitted *= start.sum() / fitted.sum()
    return FittedWeights(
        weights=dict(zip(names, (float(weight) for weight in fitted), strict=True)),
        gain=_gain(before, after),
        sessions=len(good),
    )


def fit_calibration(sessions: RatedSessions, weights: Mapping[str, float], *, isotonic: bool) -> FittedCalibration:
    """Fit score -> probability.

    Args:
        sessions: Rated sessions.
        weights: Modality -> weight that the score is made with.
        isotonic: A curve of straight lines in place of Platt's logistic one.

    Raises:
        InputError: There are too few sessions, or the score does not rise with the ratings, or tells nothing of them.
        MissingDependencyError: scikit-learn is not installed.
    """
    need = MIN_ISOTONIC if isotonic else MIN_PLATT
    _require_enough(len(sessions), sessions.good, need=need, of="for this kind of calibration")
    scores, good = sessions.fused(weights), sessions.good
    fit: Callable[[Floats, npt.NDArray[np.bool_]], PlattCalibration | IsotonicCalibration]
    fit = _fit_isotonic if isotonic else _fit_platt
    before, after, constant = _log_loss(scores, good), np.zeros(len(good)), np.zeros(len(good))
    for train, test in _folds(good):
        constant[test] = _log_loss(np.full(test.sum(), good[train].mean()), good[test])
        probabilities = _apply(fit(scores[train], good[train]), scores[test])
        after[test] = _log_loss(probabilities, good[test])
    told = _gain(constant, after)
    if not told.is_certain:
        raise InputError(
            "the ratings do not follow the score: on sessions that it was not fitted to, a curve tells good from poor "
            "no better than the share of good ones does (gain "
            f"{told.mean:+.4f} nats a session, 90 % interval {told.interval.low:+.4f} to {told.interval.high:+.4f}). "
            "Nothing is changed: check that the ratings belong to these sessions, or collect more"
        )
    return FittedCalibration(calibration=fit(scores, good), gain=_gain(before, after), sessions=len(good))


def _require_enough(count: int, good: npt.NDArray[np.bool_], *, need: int, of: str) -> None:
    satisfied, dissatisfied = int(good.sum()), int((~good).sum())
    if count < need or min(satisfied, dissatisfied) < MIN_EACH:
        raise InputError(
            f"too few rated sessions: {need} {of} are needed, with at least {MIN_EACH} good and {MIN_EACH} poor ones; "
            f"there are {count}, and {satisfied} good and {dissatisfied} poor. Collect more tap ratings, or keep the "
            "configured values"
        )


def _folds(good: npt.NDArray[np.bool_]) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]]:
    """Masks (train, test) of each fold, every fold with its share of good and poor sessions."""
    random = np.random.default_rng(SEED)
    fold = np.zeros(len(good), dtype=np.int64)
    for label in (True, False):
        members = random.permutation(np.flatnonzero(good == label))
        fold[members] = np.arange(len(members)) % FOLDS
    for number in range(FOLDS):
        yield fold != number, fold == number


def _log_loss(probabilities: Floats, good: npt.NDArray[np.bool_]) -> Floats:
    """Of each session, nats; certainty is capped at 99.9 %, so that one wild answer does not decide."""
    capped = np.clip(probabilities, 1e-3, 1.0 - 1e-3)
    return -np.log(np.where(good, capped, 1.0 - capped))


def _gain(before: Floats, after: Floats) -> Gain:
    """The paired difference, its interval from the normal approximation over sessions."""
    difference = before - after
    mean = float(difference.mean())
    half = Z_90 * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return Gain(
        mean=mean,
        interval=ScoreInterval(mean - half, mean + half),
        before=float(before.mean()),
        after=float(after.mean()),
    )


def _weight_fitter(
    scores: Floats, confidences: Floats, good: npt.NDArray[np.bool_], prior: Floats
) -> Callable[[npt.NDArray[np.bool_], bool], tuple[Floats, Floats]]:
    """A function of (which sessions to fit to, whether weights are free) that gives ``v`` and each session's log loss.

    Sessions are masked, not left out, so that it is compiled once for all folds.
    """
    try:
        import optax
    except ImportError as error:
        raise MissingDependencyError("fitting weights needs optax: pip install 'mien[train]'") from error
    import jax
    import jax.numpy as jnp

    start_jax()
    sign = jnp.asarray(np.where(good, 1.0, -1.0))
    evidence, certainty, start = jnp.asarray(scores), jnp.asarray(confidences), jnp.asarray(prior)
    optimizer = optax.adam(LEARNING_RATE)

    def losses(parameters: dict[str, Any], is_free: Any) -> Any:
        strength = certainty * start * jnp.exp(is_free * parameters["ratios"])  # [sessions, modalities]
        score = (strength * evidence).sum(axis=1) / strength.sum(axis=1)
        logit = parameters["bias"] + jnp.exp(parameters["scale"]) * (score - 0.5)
        return jax.nn.softplus(-sign * logit)  # [sessions]

    def objective(parameters: dict[str, Any], mask: Any, is_free: Any) -> Any:
        # The weak prior on bias and scale keeps them finite where the sessions can be told apart without error.
        shrunk = SHRINKAGE * (parameters["ratios"] ** 2).sum() + 0.1 * parameters["bias"] ** 2
        return (mask * losses(parameters, is_free)).sum() + 0.5 * (shrunk + (parameters["scale"] - 2.0) ** 2)

    @jax.jit
    def run(mask: Any, is_free: Any) -> tuple[Any, Any]:
        initial = {"ratios": jnp.zeros(len(prior)), "bias": jnp.zeros(()), "scale": jnp.full((), 2.0)}

        def step(carry: Any, _: None) -> tuple[Any, None]:
            parameters, state = carry
            updates, state = optimizer.update(jax.grad(objective)(parameters, mask, is_free), state, parameters)
            return (optax.apply_updates(parameters, updates), state), None

        (parameters, _), _ = jax.lax.scan(step, (initial, optimizer.init(initial)), None, length=STEPS)
        return parameters["ratios"], losses(parameters, is_free)

    def fit(mask: npt.NDArray[np.bool_], is_free: bool) -> tuple[Floats, Floats]:
        ratios, loss = run(jnp.asarray(mask, dtype=jnp.float32), float(is_free))
        return np.asarray(ratios, dtype=np.float64), np.asarray(loss, dtype=np.float64)

    return fit


def _fit_platt(scores: Floats, good: npt.NDArray[np.bool_]) -> PlattCalibration:
    """Platt's fit, with his targets a little inside 0 and 1, which keep few sessions from promising certainty."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingDependencyError("calibrating needs scikit-learn: pip install 'mien[train]'") from error
    positive, negative = int(good.sum()), int((~good).sum())
    target = np.where(good, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))
    # Each session stands twice: as good with its target's weight, and as poor with the rest.
    model = LogisticRegression(C=1e4, max_iter=1000).fit(
        np.concatenate([scores, scores])[:, None],
        np.concatenate([np.ones(len(scores)), np.zeros(len(scores))]),
        sample_weight=np.concatenate([target, 1.0 - target]),
    )
    slope = float(model.coef_[0, 0])
    if slope <= 0.0:
        raise InputError(
            f"the score does not rise with the ratings (slope {slope:.3g}): a calibration would turn it upside down. "
            "Check that the ratings belong to these sessions, and the fusion weights"
        )
    return PlattCalibration(slope=slope, intercept=float(model.intercept_[0]))


def _fit_isotonic(scores: Floats, good: npt.NDArray[np.bool_]) -> IsotonicCalibration:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingDependencyError("calibrating needs scikit-learn: pip install 'mien[train]'") from error
    edge = 1.0 / (len(good) + 2.0)  # no number of sessions proves certainty
    model = IsotonicRegression(y_min=edge, y_max=1.0 - edge, out_of_bounds="clip").fit(scores, good.astype(np.float64))
    knots = np.asarray(model.X_thresholds_, dtype=np.float64)
    probabilities = np.maximum.accumulate(np.asarray(model.y_thresholds_, dtype=np.float64))
    if len(knots) < 2 or probabilities[0] == probabilities[-1]:
        raise InputError(
            "the score does not rise with the ratings: a calibration would make it a constant. Check that the ratings "
            "belong to these sessions, and the fusion weights"
        )
    return IsotonicCalibration(
        scores=tuple(float(knot) for knot in knots), probabilities=tuple(float(each) for each in probabilities)
    )


def _apply(calibration: PlattCalibration | IsotonicCalibration, scores: Floats) -> Floats:
    from mien_fusion.calibration import calibrate

    return np.array([calibrate(float(score), calibration) for score in scores])
