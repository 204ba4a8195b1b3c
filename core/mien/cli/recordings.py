"""Videos and sound files into results, moment by moment.

A sound file gives a result for each utterance. In a video, what was said goes to the first analysed frame after its
end and is fused with the face of that moment. A video without a picture, or with nobody to look at it, is a sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from mien.cli.chatter import decoders_chatter
from mien.cli.findings import Failure, Finding, Notice, Read, Run, is_full
from mien.cli.following import Follower, Moment, nobody_left
from mien.cli.inputs import Source
from mien.cli.utterances import joined
from mien.errors import AnalysisError, InputError, MienError, PluginError
from mien.media.audio import read_audio, read_sound_track
from mien.media.containers import has_picture
from mien.media.video import VideoEndsEarlyError, read_video
from mien.types import AnalysisResult, AudioClip, ImageFrame, Prediction, SampleKind, StreamState, StreamStatus


def read_videos(run: Run, sources: Sequence[Source]) -> Iterator[Read]:
    """Analyse videos, one after the other."""
    for source in sources:
        try:
            if _is_heard_alone(run, source):
                yield from _read_sound(run, source, _only_track(source))
            else:
                yield from _read_video(run, source)
        except MienError as error:
            yield Failure(source.path, error)


def read_sounds(run: Run, sources: Sequence[Source]) -> Iterator[Read]:
    """Analyse sound files, one after the other."""
    for source in sources:
        try:
            with decoders_chatter() as chatter:
                clip = read_audio(source.path)
            if chatter.lines:
                yield Notice(source.path, "its decoder met something wrong; what could be decoded is heard")
            yield from _read_sound(run, source, clip)
        except MienError as error:
            yield Failure(source.path, error)


@dataclass(slots=True)
class _Told:
    """The failures that the results of a recording have told of already."""

    statuses: set[StreamStatus] = field(default_factory=set)

    def result(self, run: Run, moment: Moment) -> AnalysisResult:
        """The moment's result."""
        self.statuses.update(moment.statuses)
        return run.result(moment.predictions, moment.statuses)

    def rest(self, follower: Follower, source: Source) -> Iterator[Notice]:
        """What failed and is in no result, such as a stream that broke at the very end."""
        for status in follower.failures:
            if status not in self.statuses:
                yield Notice(source.path, f"{status.analyzer} is missing: {status.reason}")
        yield from (Notice(source.path, refusal) for refusal in follower.refusals)


def _is_heard_alone(run: Run, source: Source) -> bool:
    """Whether there is nothing to see in a video, or nobody who would look."""
    if run.engine.enabled_for({SampleKind.IMAGE}):
        return not has_picture(source.path)
    return bool(run.engine.enabled_for({SampleKind.AUDIO}))


def _only_track(source: Source) -> AudioClip:
    clip = read_sound_track(source.path)
    if clip is None:
        raise InputError("the video has no sound, and no enabled analyzer takes pictures (see: mien plugins list)")
    return clip


def _read_sound(run: Run, source: Source, clip: AudioClip) -> Iterator[Read]:
    """What is said in a sound: a result for each utterance; one without predictions where nothing is said.

    Raises:
        AnalysisError: No analyzer takes sound, or none could analyse any of it.
    """
    with closing(Follower(run, SampleKind.AUDIO)) as follower:
        heard = _hear(follower, clip)
        if heard and all(moment.is_missing for moment in heard):
            raise AnalysisError(nobody_left([status for moment in heard for status in moment.statuses]))
        if not heard and not follower.is_working:
            raise AnalysisError(nobody_left(follower.failures))
        said = [moment for moment in heard if moment.predictions or moment.failures]
        told = _Told()
        for moment in said:
            result = told.result(run, moment)
            yield Finding(result=result, source=source, at_seconds=_start(moment.predictions))
        if not said:
            yield Finding(result=run.result((), follower.analyzers), source=source)
        yield from told.rest(follower, source)


def _read_video(run: Run, source: Source) -> Iterator[Read]:
    """What is seen in a video, frame by frame, and said meanwhile.

    Raises:
        InputError: It cannot be read.
        AnalysisError: No analyzer takes pictures, or a frame could not be analysed.
    """
    track, problems = _heard_in(run, source)
    yield from (Notice(source.path, problem) for problem in problems)
    told = _Told()
    ended_early: list[str] = []
    with closing(Follower(run, SampleKind.IMAGE, every=run.every)) as follower:
        for moment in _seen(follower, _frames(run, source, ended_early)):
            if moment.is_missing:
                raise AnalysisError(nobody_left(moment.statuses))
            yield Finding(
                result=told.result(run, track.join(moment)),
                source=source,
                frame=moment.sample if isinstance(moment.sample, ImageFrame) else None,
                at_seconds=moment.start,
            )
        for moment in track.rest():
            result = told.result(run, moment)
            yield Finding(result=result, source=source, at_seconds=_start(moment.predictions))
        yield from told.rest(follower, source)
    yield from (Notice(source.path, message) for message in ended_early)


def _seen(follower: Follower, batches: Iterator[list[ImageFrame]]) -> Iterator[Moment]:
    for batch in batches:
        yield from follower.follow(batch)
    yield from follower.finish()


def _heard_in(run: Run, source: Source) -> tuple[_SoundTrack, tuple[str, ...]]:
    """The whole sound track, and what is wrong with it: that costs no frame."""
    names = run.engine.enabled_for({SampleKind.AUDIO})
    if not names:
        return _SoundTrack(), ()
    try:
        clip = read_sound_track(source.path)
        if clip is None:
            return _SoundTrack(), ()
        with closing(Follower(run, SampleKind.AUDIO)) as follower:
            heard = _hear(follower, clip)
            return _SoundTrack(heard, follower.failures), follower.refusals
    except PluginError as error:
        modalities = {name: run.host.analyzers[name].info.modality for name in names}
        missing = [StreamStatus(name, modalities[name], StreamState.UNAVAILABLE, str(error)) for name in names]
        return _SoundTrack((), missing), ()
    except MienError as error:
        return _SoundTrack(), (f"its sound is left out: {error}",)


def _hear(follower: Follower, clip: AudioClip) -> list[Moment]:
    """All utterances of a sound."""
    return joined([*follower.follow([clip]), *follower.finish()])


class _SoundTrack:
    """What is said in a video, to be joined with its frames as they are analysed, in order."""

    def __init__(self, heard: Sequence[Moment] = (), missing: Sequence[StreamStatus] = ()) -> None:
        """Take what was heard, and which analyzers of sound do not work: the first frame tells of those."""
        self._waiting = sorted(heard, key=lambda moment: moment.end)
        self._missing = tuple(missing)

    def join(self, frame: Moment) -> Moment:
        """A frame, with what was said since the frame before it."""
        ready = [moment for moment in self._waiting if moment.end <= frame.start]
        self._waiting = self._waiting[len(ready) :]
        missing, self._missing = self._missing, ()
        statuses = dict.fromkeys([*missing, *(status for moment in ready for status in moment.statuses)])
        return replace(
            frame,
            predictions=(*frame.predictions, *(each for moment in ready for each in moment.predictions)),
            statuses=(*frame.statuses, *statuses),
        )

    def rest(self) -> list[Moment]:
        """What was said after the last frame, utterance by utterance."""
        waiting, self._waiting = self._waiting, []
        return waiting


def _frames(run: Run, source: Source, ended_early: list[str]) -> Iterator[list[ImageFrame]]:
    """The frames of a video in batches; that it ends early is told in the list."""
    batch: list[ImageFrame] = []
    try:
        for frame in read_video(source.path, every=run.every):
            batch.append(frame)
            if is_full(batch):
                yield batch
                batch = []
    except VideoEndsEarlyError as error:
        ended_early.append(str(error))
    if batch:
        yield batch


def _start(predictions: Sequence[Prediction]) -> float | None:
    """When the first thing that was said began; None where nothing was."""
    return min((prediction.interval.start for prediction in predictions), default=None)
