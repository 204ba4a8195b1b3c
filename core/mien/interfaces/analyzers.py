"""Analyzers and their streams: samples in, predictions out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mien.types import Prediction, Sample, SampleKind


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
        parallel: Pieces of sound that it can work on at once, as a server gives them to it one by one.
    """

    modality: str
    accepts: frozenset[SampleKind]
    labels: tuple[str, ...]
    version: str
    weights_license: str
    description: str = ""
    load_cost: str = ""
    opt_in: bool = False
    parallel: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzerRuntime:
    """What a loaded analyzer runs on, for operators: it is told by ``GetServerInfo``.

    Attributes:
        weights_sha256: Name of each weight file -> its SHA-256, hexadecimal.
        backend: What computes, such as ``onnxruntime``; empty where nothing can be chosen.
        batch_sizes: Sizes that it is compiled for, ascending; empty where any will do.
    """

    weights_sha256: Mapping[str, str] = field(default_factory=dict)
    backend: str = ""
    batch_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """What a session tells an analyzer's stream of what it is going to give it, and of what it wants to be told.

    Attributes:
        snapshot_interval_seconds: Seconds from one picture to the next; 0 gives each one that comes.
        exclude_regions: Parts of each picture that are black, as fractions (x, y, width, height) of its size.
        tell: Takes what is to be said of an utterance that goes on, on any thread, and returns at once. Such a
            prediction is provisional: its evidence is a transcript with ``is_final`` false, it counts in no score, and
            one of the same start with a higher ``revision`` takes its place; an empty text takes it back. None where
            nobody wants to know.
    """

    snapshot_interval_seconds: float = 1.0
    exclude_regions: tuple[tuple[float, float, float, float], ...] = ()
    tell: Callable[[Prediction], None] | None = None


class Findings(list[Prediction]):
    """The predictions of one sample, with a remark on them; a plain list does where there is none.

    Attributes:
        remark: One sentence for a person, such as what was found and left out, and what to do about it; nothing of what
            was said, and of nobody in particular. It stands in ``StreamStatus.remark`` of a single request's answer;
            sessions and recordings pass none on.
    """

    def __init__(self, predictions: Iterable[Prediction] = (), *, remark: str = "") -> None:
        super().__init__(predictions)
        self.remark = remark


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

    def close(self) -> None:
        """Nothing more is asked, also where the session broke off. Called from any thread; may be called twice."""
        return


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
            One list of predictions for each sample, in the same order; ``Findings`` where there is something to remark.

        Raises:
            InputError: A sample cannot be used; the host then tries the others one by one.
        """

    def parts(self, sample: Sample) -> Sequence[Sample]:
        """Cut a long sample into parts that can be analysed one by one, between those of other callers.

        Args:
            sample: Of a kind named in ``AnalyzerInfo.accepts``.

        Returns:
            Parts whose predictions, one after the other, are those of the sample; none where nothing is in it.
        """
        return (sample,)

    def open_stream(self, settings: StreamSettings) -> Stream:
        """State for one session."""
        return PassThroughStream()

    def warm_up(self) -> None:
        """Load and compile all that the first call would otherwise wait for. May be called twice."""
        return

    def runtime(self) -> AnalyzerRuntime:
        """What it runs on, once it is warmed up."""
        return AnalyzerRuntime()

    def close(self) -> None:
        """Give resources back. The analyzer is not used again."""
        return
