"""Sound files and the sound tracks of videos into results.

A sound file gives a result for each utterance. In a video, what was said goes to the first analysed frame after its
end and is fused with the face of that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mien.cli.hearing import Heard, Hearing
from mien.errors import AnalysisError, MienError
from mien.media.audio import read_audio, read_sound_track
from mien.types import AnalysisResult, Prediction, SampleKind, StreamState, StreamStatus

if TYPE_CHECKING:
    from mien.cli.reading import Run


def utterances_of(run: Run, path: Path) -> list[AnalysisResult]:
    """What is said in a sound file: one result for each utterance; one without predictions where nothing is said.

    Raises:
        InputError: The file cannot be read.
        AnalysisError: No analyzer takes sound, or none could analyse any of it.
    """
    hearing = Hearing(run.engine, run.host)
    heard = list(hearing.listen([read_audio(path)]))
    failed = [each.status for each in heard if each.status.state is not StreamState.OK]
    if failed and len(failed) == len(heard):
        raise AnalysisError(_reasons(failed))
    said = [each for each in heard if each.predictions or each.status in failed]
    if not said:
        streams = tuple(StreamStatus(name, modality, StreamState.OK) for name, modality in hearing.modalities.items())
        return [_result(run, (), streams)]
    return [_result(run, each.predictions, (each.status,)) for each in said]


class SoundTrack:
    """What is said in a video, to be joined with its frames as they are analysed, in order."""

    def __init__(self, run: Run, path: Path) -> None:
        """Listen to the whole track; what is wrong with it is in ``problem`` and costs no frame.

        Args:
            run: What the command was asked for.
            path: The video.
        """
        self._run = run
        self.problem = ""
        self._waiting: list[Heard] = []
        if not run.engine.enabled_for({SampleKind.AUDIO}):
            return
        try:
            clip = read_sound_track(path)
            if clip is not None:
                self._waiting = sorted(Hearing(run.engine, run.host).listen([clip]), key=lambda heard: heard.end)
        except MienError as error:
            self.problem = f"its sound is left out: {error}"

    def join(self, result: AnalysisResult, *, at: float) -> AnalysisResult:
        """A frame's result, with what was said since the frame before it."""
        ready = [heard for heard in self._waiting if heard.end <= at]
        self._waiting = self._waiting[len(ready) :]
        if not ready:
            return result
        streams = (*result.streams, *dict.fromkeys(heard.status for heard in ready))
        predictions = (*result.predictions, *(each for heard in ready for each in heard.predictions))
        return _result(self._run, predictions, streams)

    def rest(self) -> list[AnalysisResult]:
        """What was said after the last frame, utterance by utterance."""
        waiting, self._waiting = self._waiting, []
        return [_result(self._run, heard.predictions, (heard.status,)) for heard in waiting]


def _result(run: Run, predictions: Sequence[Prediction], streams: tuple[StreamStatus, ...]) -> AnalysisResult:
    satisfaction = run.engine.fuse(
        predictions,
        expected={status.modality for status in streams},
        fuser=run.fuser,
        weights=run.weights,
    )
    return AnalysisResult(predictions=tuple(predictions), satisfaction=satisfaction, streams=streams)


def _reasons(failed: Sequence[StreamStatus]) -> str:
    told = dict.fromkeys(f"{status.analyzer}: {status.reason}" for status in failed)
    return f"no stream could be analysed: {'; '.join(told)}"
