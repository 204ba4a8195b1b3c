"""One request to the engine, and which analyzer is given which of its samples."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mien.errors import InputError
from mien.plugins.host import PluginHost
from mien.plugins.parts import RegisteredAnalyzer
from mien.types import Sample, SampleKind, is_weight, kind_of

__all__ = ["AnalysisRequest", "check_accepts", "check_weights", "enabled_for", "kind_of", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRequest:
    """One moment to analyse.

    Attributes:
        samples: What was seen, heard and said; at least one.
        analyzers: Names; empty takes every enabled analyzer that accepts one of the samples.
        fuser: Name; empty takes the configured one.
        weights: Modality -> prior weight, over the configured ones.
    """

    samples: tuple[Sample, ...]
    analyzers: tuple[str, ...] = ()
    fuser: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)


def enabled_for(host: PluginHost, kinds: Collection[SampleKind]) -> tuple[str, ...]:
    """Names of the enabled analyzers that accept at least one of these kinds, in the order of names."""
    return tuple(
        name
        for name, registered in host.analyzers.items()
        if registered.enabled and not registered.info.accepts.isdisjoint(kinds)
    )


def plan(host: PluginHost, request: AnalysisRequest) -> dict[str, list[Sample]]:
    """Analyzer -> the samples of this request that it is given.

    Raises:
        InputError: There is no sample, or one that nobody takes; a named analyzer takes none; a weight is wrong.
        AnalyzerNotFoundError: A named analyzer does not exist or is not enabled.
    """
    if not request.samples:
        raise InputError("the request holds no picture, sound or text; give at least one")
    check_weights(host, request.weights)
    kinds = {kind_of(sample) for sample in request.samples}
    chosen = {name: host.enabled_analyzer(name) for name in request.analyzers or enabled_for(host, kinds)}
    for registered in chosen.values():
        check_accepts(registered, kinds)
    left_over = kinds.difference(*(registered.info.accepts for registered in chosen.values()))
    if left_over:
        raise InputError(_nobody_takes(host, left_over, request.analyzers))
    return {
        name: [sample for sample in request.samples if kind_of(sample) in registered.info.accepts]
        for name, registered in chosen.items()
    }


def check_accepts(registered: RegisteredAnalyzer, kinds: Collection[SampleKind]) -> None:
    """Refuse samples none of which the analyzer accepts.

    Raises:
        InputError: It accepts none of the kinds.
    """
    if registered.info.accepts.isdisjoint(kinds):
        raise InputError(f"analyzer {registered.name!r} takes {_join(registered.info.accepts)}, not {_join(kinds)}")


def check_weights(host: PluginHost, weights: Mapping[str, float]) -> None:
    """Refuse weights that no fuser could use, and those that would be of no use.

    Raises:
        InputError: One is negative, NaN or infinite, or of a modality that neither mien nor an analyzer knows.
    """
    for modality, weight in weights.items():
        if not is_weight(weight):
            raise InputError(f"the weight of {modality!r} must be finite and not negative, got {weight}")
        if modality not in host.modalities:
            known = ", ".join(sorted(host.modalities))
            raise InputError(f"there is no modality {modality[:64]!r} to give a weight to; known are: {known}")


def _nobody_takes(host: PluginHost, kinds: Collection[SampleKind], named: Sequence[str]) -> str:
    if named:
        return f"none of the named analyzers ({', '.join(named)}) takes {_join(kinds)}"
    known = host.analyzers
    enabled = "; ".join(f"{name} takes {_join(entry.info.accepts)}" for name, entry in known.items() if entry.enabled)
    off = [name for name, entry in known.items() if not entry.enabled and not entry.info.accepts.isdisjoint(kinds)]
    advice = f"add {' or '.join(off)} to [engine] analyzers" if off else "install a plugin that does"
    return f"no enabled analyzer takes {_join(kinds)} (enabled: {enabled or 'none'}); {advice} (see: mien plugins list)"


def _join(kinds: Iterable[SampleKind]) -> str:
    return " and ".join(sorted(kind.value for kind in kinds))
