"""The abstract classes that a plugin implements. They know the types and nothing of hosts, servers or networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, TypeAlias

from mien.types import AudioClip, Modality, Prediction, Sample, SampleKind, Satisfaction, Transcript

API_VERSION = 1
"""The version of this contract. A plugin module may say ``MIEN_API_VERSION = 1``; the host leaves out one that asks
for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzerInfo:
    """What is known of an analyzer before it is loaded; building one must import no model.

    Attributes:
        modality: What its predictions carry: ``face``, ``voice``, ``text`` or a name of the plugin's own.
        accepts: The kinds of sample it can be given.
        labels: The emotions it tells apart, in the order of its network's outputs.
        version: Of the analyzer and its weights together.
        weights_license: SPDX expression or a short phrase; ``none`` where there are no weights.
        description: One line.
        load_cost: What loading takes, for a person: memory and seconds.
        opt_in: True keeps it off unless the configuration names it.
    """

    modality: str
    accepts: frozenset[SampleKind]
    labels: tuple[str, ...]
    version: str
    weights_license: str
    description: str = ""
    load_cost: str = ""
    opt_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FuserInfo:
    """What is known of a fuser before it is built."""

    version: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriberInfo:
    """What is known of a speech-to-text engine before it is loaded.

    Attributes:
        version: Of the engine.
        languages: BCP 47 tags it understands; empty if it depends on the checkpoint.
        offline: It needs no network.
        description: One line.
    """

    version: str
    languages: tuple[str, ...] = ()
    offline: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """What a session tells an analyzer's stream.

    Attributes:
        snapshot_interval_seconds: Seconds between two pictures that are analysed; 0 analyses each one.
        exclude_regions: Parts of the picture to leave out, as fractions (x, y, width, height) of its size.
    """

    snapshot_interval_seconds: float = 1.0
    exclude_regions: tuple[tuple[float, float, float, float], ...] = ()


class Stream(ABC):
    """The state that an analyzer keeps for one session. Used by one thread at a time."""

    @abstractmethod
    def push(self, sample: Sample) -> list[Sample]:
        """Take a sample in, and give back those that are now ready to be analysed (often none)."""

    def observe(self, sample: Sample, predictions: Sequence[Prediction]) -> list[Prediction]:
        """See what the analyzer said of a sample that ``push`` gave back; may set stable subject ids."""
        return list(predictions)

    def flush(self) -> list[Sample]:
        """The session ends: give back what is still held."""
        return []


class PassThroughStream(Stream):
    """The default: every sample is ready at once."""

    def push(self, sample: Sample) -> list[Sample]:
        """Give the sample back."""
        return [sample]


class Analyzer(ABC):
    """Turns samples into predictions. Stateless, deterministic, and safe to call from several threads.

    ``analyze`` is batch first, because batching over callers is where throughput comes from. "Nobody is there" and
    "nothing was said" are empty lists, never errors.
    """

    @abstractmethod
    def analyze(self, samples: Sequence[Sample]) -> list[list[Prediction]]:
        """Analyse a batch.

        Args:
            samples: One to ``max batch`` samples, each of a kind named in ``AnalyzerInfo.accepts``.

        Returns:
            One list of predictions for each sample, in the same order.

        Raises:
            InputError: A sample cannot be used; the host then tries the others one by one.
        """

    def open_stream(self, settings: StreamSettings) -> Stream:
        """State for one session."""
        return PassThroughStream()

    def warm_up(self) -> None:
        """Load and compile all that the first call would otherwise wait for. May be called twice."""
        return

    def close(self) -> None:
        """Give resources back. The analyzer is not used again."""
        return


MismatchPair: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Two groups of modalities that are held against each other; those of one group speak as one."""

MISMATCH_PAIRS: Final[tuple[MismatchPair, ...]] = (
    ((Modality.FACE.value,), (Modality.VOICE.value, Modality.TEXT.value)),
)
"""Which are compared unless somebody says otherwise: the face, and words however they came."""


class MismatchPolicy(StrEnum):
    """What a fuser does where two groups of modalities point opposite ways.

    ``TRUST_WORDS`` leaves out what contradicts voice or text, ``TRUST_FACE`` what contradicts the face; a contradiction
    between others is blended.
    """

    BLEND = "blend"
    TRUST_WORDS = "trust_words"
    TRUST_FACE = "trust_face"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionContext:
    """What a fuser knows beside the predictions.

    Attributes:
        expected: The modalities that were asked for; those without a prediction lower the coverage.
        weights: Modality -> prior weight, not negative; 1 for a modality that is not named.
        now: The moment the score is for, seconds on the caller's clock; None takes the newest prediction's end.
        half_life_seconds: Seconds after which evidence counts half.
        good_threshold: A score at or above it may be GOOD.
        poor_threshold: A score at or below it may be POOR.
        min_confidence: Below it the verdict is UNDECIDED.
        mismatch_policy: What to do where two groups of modalities disagree.
        mismatch_pairs: Which groups of modalities are held against each other.
    """

    expected: frozenset[str] = frozenset()
    weights: Mapping[str, float] = field(default_factory=dict)
    now: float | None = None
    half_life_seconds: float = 10.0
    good_threshold: float = 0.6
    poor_threshold: float = 0.4
    min_confidence: float = 0.2
    mismatch_policy: MismatchPolicy = MismatchPolicy.BLEND
    mismatch_pairs: tuple[MismatchPair, ...] = MISMATCH_PAIRS


class Accumulator(ABC):
    """The running evidence about one subject in a session: constant in memory, however much is added."""

    @abstractmethod
    def add(self, prediction: Prediction) -> None:
        """Take one prediction in, mostly in the order of time."""

    @abstractmethod
    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """Fuse what was added so far.

        Args:
            now: The moment the score is for, seconds on the caller's clock; None takes the newest prediction's end.
        """


class Fuser(ABC):
    """Turns the predictions about one subject into one satisfaction. Stateless and deterministic."""

    @abstractmethod
    def fuse(self, predictions: Sequence[Prediction], context: FusionContext) -> Satisfaction:
        """Fuse; with no predictions, answer UNDECIDED with confidence and coverage 0."""

    def accumulator(self, context: FusionContext) -> Accumulator:
        """State for one subject of a session.

        The default keeps the newest predictions and fuses those; a fuser that can keep running sums overrides it.
        """
        return WindowAccumulator(self, context)


class WindowAccumulator(Accumulator):
    """Makes an accumulator of any fuser: keeps the newest ``size`` predictions and fuses them when asked."""

    def __init__(self, fuser: Fuser, context: FusionContext, *, size: int = 128) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, got {size}")
        self._fuser = fuser
        self._context = context
        self._window: deque[Prediction] = deque(maxlen=size)

    def add(self, prediction: Prediction) -> None:
        """Take one prediction in; the oldest of a full window goes."""
        self._window.append(prediction)

    def satisfaction(self, *, now: float | None = None) -> Satisfaction:
        """Fuse the window."""
        return self._fuser.fuse(tuple(self._window), replace(self._context, now=now))


class Transcriber(ABC):
    """Turns sound into words. Safe to call from several threads."""

    @abstractmethod
    def transcribe(self, clip: AudioClip) -> Transcript:
        """Recognise one utterance (16 kHz mono, up to 30 s); an empty text where nothing was said."""

    def close(self) -> None:
        """Give resources back. The transcriber is not used again."""
        return
