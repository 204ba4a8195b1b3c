"""For an analyzer's stream: which pictures are due, where utterances begin and end, and which box is which.

None of it reads a clock, loads a model or keeps more than it needs; see ``docs/plugin-streams.md``.
"""

from mien.streams.snapshots import Snapshots
from mien.streams.tracking import BoxTracker
from mien.streams.utterances import UtteranceCutter

__all__ = ["BoxTracker", "Snapshots", "UtteranceCutter"]
