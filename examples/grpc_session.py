"""Follow one customer interaction through a running ``mien serve``: a video file plays the camera.

    mien serve &
    python examples/grpc_session.py VIDEO [--every 1] [--sound] [--rating 5]

sends a picture every second, with ``--sound`` also the video's own sound track (the server then needs the voice
analyzer), prints where the session stands after each, and the summary at the end.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mien import (
    AudioClip,
    Event,
    ImageFrame,
    MienError,
    Notice,
    NoticeKind,
    SessionSummary,
    Update,
    read_sound_track,
    read_video,
)
from mien.client import Client, ClientSession, SessionOptions

CHUNK_SECONDS = 0.5
"""The sound is sent in pieces of this length, as a microphone would give it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--address", default="127.0.0.1:50051", help="where the server listens (%(default)s)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two pictures (%(default)s)")
    parser.add_argument("--sound", action="store_true", help="send the sound track too")
    parser.add_argument("--rating", type=int, default=0, help="the customer's tap, 1 to 5")
    chosen = parser.parse_args(arguments)

    # The pictures are picked here, so the server is to analyse each.
    options = SessionOptions(site="example", consent="notice_shown", snapshot_interval_seconds=0.0)
    try:
        with Client(chosen.address) as client, client.session(options) as session:
            play(session, chosen.video, every=chosen.every, with_sound=chosen.sound, rating=chosen.rating)
    except MienError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def play(session: ClientSession, video: Path, *, every: float, with_sound: bool, rating: int) -> None:
    """Send a video, a picture at a time, and print what comes back.

    Raises:
        MienError: The video cannot be read, or the server refused.
    """
    events = session.events()
    sound = chunks(video) if with_sound else iter(())
    chunk = next(sound, None)
    last = 0.0
    for frame in read_video(video, every=every):
        while chunk is not None and chunk.captured_at <= frame.captured_at:
            session.send_audio(chunk)
            chunk = next(sound, None)
        last = frame.captured_at
        if not show(session, frame, events):
            return
    for rest in itertools.chain([] if chunk is None else [chunk], sound):
        session.send_audio(rest)
    session.mark("pay", at=last, rating=rating)
    session.close()
    for event in events:
        tell(event)


def show(session: ClientSession, frame: ImageFrame, events: Iterator[Event]) -> bool:
    """Send a picture and wait for what is said of it, so that a file is not sent faster than it is analysed.

    Returns:
        Whether the session goes on.
    """
    session.send_frame(frame)
    for event in events:
        tell(event)
        if isinstance(event, Update) or (isinstance(event, Notice) and event.kind is NoticeKind.BAD_INPUT):
            return True
    return False


def chunks(video: Path) -> Iterator[AudioClip]:
    """The sound track in pieces; nothing where there is none."""
    track = read_sound_track(video)
    if track is None:
        print("the video has no sound track", file=sys.stderr)
        return
    size = round(CHUNK_SECONDS * track.sample_rate)
    for start in range(0, len(track.samples), size):
        at = track.captured_at + start / track.sample_rate
        yield AudioClip(track.samples[start : start + size], track.sample_rate, captured_at=at)


def tell(event: Event) -> None:
    """Print one event."""
    if isinstance(event, Update):
        state = event.state
        score = f"{state.satisfaction.score:.2f} {state.satisfaction.verdict}"
        print(f"{state.at:7.1f} s  {score:16} after {state.snapshots} pictures and {state.utterances} utterances")
    elif isinstance(event, Notice):
        print(f"{event.at:7.1f} s  {event.kind}: {event.message}")
    elif isinstance(event, SessionSummary):
        shares = ", ".join(f"{label} {share:.0f} %" for label, share in event.emotion_percentages.items() if share)
        print(f"ended by {event.end}: overall {event.overall.score:.2f} ({event.overall.verdict}),", end=" ")
        print(f"peak and end {event.peak_end_score:.2f}; {shares or 'nobody was seen'}")


if __name__ == "__main__":
    sys.exit(main())
