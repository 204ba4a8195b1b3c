"""What calls hold of the server's memory: messages, and what was decoded from them, each kind with its budget."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mien.config import LimitSettings
from mien.service.decoding import DecodedRequest, Decoder
from mien.service.fairness import Turns
from mien.service.memory import Budget, Lease, Trimmer
from mien.types import AudioClip, ImageFrame, Sample, Utterance
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import queue_full


class Holdings:
    """Charges messages and decoded samples, and decodes only while there is room. For one event loop; ``close`` it."""

    def __init__(self, limits: LimitSettings, *, make_decoder: Callable[..., Decoder] = Decoder) -> None:
        """Start with nothing held.

        Args:
            limits: How much may be held, and how many samples are decoded at once.
            make_decoder: Called as ``Decoder`` is.
        """
        self._trimmer = Trimmer()
        self.messages = Budget(limits.max_queued_bytes, on_freed=self._trimmer.freed)
        self.decoded = Budget(limits.max_decoded_bytes, on_freed=self._trimmer.freed)
        self._decoder = make_decoder(limits, room=self._room)
        # What comes out of a decoding is known afterwards, so that as many as run may go over the budget.
        self._turns = Turns(limits.decode_threads)

    def admit(self, size: int) -> Lease:
        """Charge the message of a call that has arrived.

        Raises:
            RefusedError: There is no room for it.
        """
        lease = self.messages.try_take(size)
        if lease is None:
            raise queue_full(
                f"messages of {self.messages.used} bytes wait, and of {self.messages.limit} is all that this server"
                " takes; try again later"
            )
        return lease

    async def request(self, message: pb.AnalyzeRequest, deadline: float) -> tuple[DecodedRequest, Lease]:
        """Decode a whole request; the lease is of what came out. Raises as ``Decoder.request`` does."""
        decoded = await self._decoder.request(message, deadline)
        return decoded, self.decoded.charge(sum(size_of(sample) for sample in decoded.analysis.samples))

    async def image(self, message: pb.Image, *, field: str) -> tuple[ImageFrame, Lease]:
        """Decode one picture; the lease is of its pixels. Raises as ``Decoder.image`` does."""
        frame = await self._decoder.image(message, field=field)
        return frame, self.decoded.charge(size_of(frame))

    async def audio(self, message: pb.Audio) -> tuple[AudioClip, Lease]:
        """Decode one piece of sound; the lease is of its samples. Raises as ``Decoder.audio`` does."""
        clip = await self._decoder.audio(message)
        return clip, self.decoded.charge(size_of(clip))

    async def text(self, message: pb.Text) -> Utterance:
        """Check words; raises as ``Decoder.text`` does."""
        return await self._decoder.text(message)

    def close(self) -> None:
        """Decode no more, and give no more memory back."""
        self._decoder.close()
        self._trimmer.close()

    @asynccontextmanager
    async def _room(self) -> AsyncIterator[None]:
        """A turn to decode in, once there is room for what comes out."""
        await self._turns.take("")
        try:
            await self.decoded.take(0, caller="")
            yield
        finally:
            self._turns.give_back()


def size_of(sample: Sample) -> int:
    """Bytes of the pixels, samples or characters of a sample."""
    if isinstance(sample, ImageFrame):
        return int(sample.pixels.nbytes)
    if isinstance(sample, AudioClip):
        return int(sample.samples.nbytes)
    return len(sample.text)
