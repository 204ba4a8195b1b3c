"""What calls hold of the server's memory: messages, and what was decoded from them, each kind with its budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from mien.config import LimitSettings
from mien.service.decoding import DecodedRequest, Decoder
from mien.service.fairness import Turns
from mien.service.memory import Budget, Lease, Trimmer
from mien.types import AudioClip, ImageFrame, Sample, Utterance
from mien.v1 import sentiment_pb2 as pb
from mien.wire.status import queue_full, waited_too_long

Decoded = TypeVar("Decoded")

_LATE: Final = "the call's time ran out while it waited to be decoded"


class Holdings:
    """Charges messages and decoded samples, and decodes only while there is room. For one event loop; ``close`` it."""

    def __init__(self, limits: LimitSettings, decoder: Decoder) -> None:
        """Start with nothing held.

        Args:
            limits: How much may be held, and how many samples are decoded at once.
            decoder: Decodes; closed by its owner.
        """
        self._trimmer = Trimmer()
        self.messages = Budget(limits.max_queued_bytes, on_freed=self._trimmer.freed)
        self.decoded = Budget(limits.max_decoded_bytes, on_freed=self._trimmer.freed)
        self._decoder = decoder
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

    async def request(
        self, message: pb.AnalyzeRequest, *, caller: str, deadline: float
    ) -> tuple[DecodedRequest, Lease]:
        """Decode a whole request; the lease is of what came out.

        Args:
            message: The request.
            caller: Whose it is.
            deadline: On the event loop's clock; what has not begun by then is given up.

        Raises:
            MienError: As ``Decoder.request``; or the deadline passed.
        """
        return await self._decode(
            lambda: self._decoder.request(message),
            lambda decoded: sum(size_of(sample) for sample in decoded.analysis.samples),
            caller=caller,
            deadline=deadline,
        )

    async def image(self, message: pb.Image, *, caller: str, field: str) -> tuple[ImageFrame, Lease]:
        """Decode a picture of a session, before what is not of a session."""
        return await self._decode(lambda: self._decoder.image(message, field=field), size_of, caller=caller)

    async def audio(self, message: pb.Audio, *, caller: str) -> tuple[AudioClip, Lease]:
        """Decode sound of a session, before what is not of a session."""
        return await self._decode(lambda: self._decoder.audio(message), size_of, caller=caller)

    async def text(self, message: pb.Text) -> Utterance:
        """Check words; raises as ``Decoder.text`` does."""
        return await self._decoder.text(message)

    def close(self) -> None:
        """Give no more memory back."""
        self._trimmer.close()

    async def _decode(
        self,
        decode: Callable[[], Awaitable[Decoded]],
        size: Callable[[Decoded], int],
        *,
        caller: str,
        deadline: float | None = None,
    ) -> tuple[Decoded, Lease]:
        urgent = deadline is None
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.take(caller, urgent=urgent)
        except TimeoutError:
            raise waited_too_long(_LATE) from None
        try:
            async with asyncio.timeout_at(deadline):
                lease = await self.decoded.take(0, caller=caller, urgent=urgent)
            decoded = await decode()
        except TimeoutError:
            raise waited_too_long(_LATE) from None
        finally:
            self._turns.give_back()
        lease.grow(size(decoded))
        return decoded, lease


def size_of(sample: Sample) -> int:
    """Bytes of the pixels, samples or characters of a sample."""
    if isinstance(sample, ImageFrame):
        return int(sample.pixels.nbytes)
    if isinstance(sample, AudioClip):
        return int(sample.samples.nbytes)
    return len(sample.text)
