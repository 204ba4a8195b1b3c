"""Bytes from outside into messages. What is no message becomes a value that says so, instead of an exception in gRPC.

gRPC reads a message before any code of ours sees the call, and tells the caller INTERNAL or UNKNOWN where that fails.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from mien.errors import InputError

MAX_FIELDS: Final = 4_000
"""Fields, entries and parts that one message may have. An honest one has a few dozen; each costs a reader memory and
time before it can be counted, so they are counted before the message is read."""

_COUNTED_FROM: Final = 8_192
"""Bytes; a shorter message has room for no more than ``MAX_FIELDS`` fields."""

_VARINT, _EIGHT, _BYTES, _GROUP, _GROUP_END, _FOUR = range(6)
_LONGEST_VARINT: Final = 10

Deserializer = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands where a message should be: what was sent is none."""

    error: InputError


def tolerant(deserializer: Deserializer | None) -> Deserializer | None:
    """A reader of messages that never raises.

    Args:
        deserializer: ``FromString`` of a message's class, as generated code registers it.

    Returns:
        A function that gives the message, or an ``Unreadable``.
    """
    kind = getattr(deserializer, "__self__", None)
    if deserializer is None or not (isinstance(kind, type) and issubclass(kind, Message)):
        return deserializer
    descriptor: Any = kind.DESCRIPTOR

    def read(data: bytes) -> Any:
        if len(data) > _COUNTED_FROM and _fields(data, descriptor, MAX_FIELDS) > MAX_FIELDS:
            return Unreadable(
                InputError(
                    f"the {descriptor.name} has more than {MAX_FIELDS:,} fields and entries; a message of this call"
                    " needs a few dozen"
                )
            )
        try:
            return deserializer(data)
        except (DecodeError, UnicodeDecodeError):
            return Unreadable(
                InputError(f"these bytes are no {descriptor.full_name}: they are damaged, or of another protocol")
            )

    return read


def checked(message: Any) -> Any:
    """The message.

    Raises:
        InputError: There is none.
    """
    if isinstance(message, Unreadable):
        raise message.error
    return message


class Checked:
    """The messages of a stream up to the first that is none."""

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages

    def __aiter__(self) -> Checked:
        return self

    async def __anext__(self) -> Any:
        """The next message.

        Raises:
            InputError: It is none.
        """
        return checked(await anext(self._messages))


def _fields(data: bytes, descriptor: Any, most: int) -> int:
    """Fields of a message and of the messages in it, counted to a little over ``most``; damage ends the count."""
    count = 0
    waiting: list[tuple[int, int, Any]] = [(0, len(data), descriptor)]
    while waiting:
        position, end, kind = waiting.pop()
        parts = kind.fields_by_number
        while position < end and count <= most:
            count += 1
            tag, position = _varint(data, position, end)
            wire, number = tag & 7, tag >> 3
            if wire == _VARINT:
                _, position = _varint(data, position, end)
            elif wire == _BYTES:
                length, position = _varint(data, position, end)
                field = parts.get(number)
                if field is not None and field.type == FieldDescriptor.TYPE_MESSAGE:
                    waiting.append((position, min(position + length, end), field.message_type))
                position += length
            elif wire in (_EIGHT, _FOUR):
                position += 8 if wire == _EIGHT else 4
            elif wire not in (_GROUP, _GROUP_END):
                break
        if count > most:
            break
    return count


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A number and where it ends; one that does not end counts as all that is left."""
    value = shift = 0
    for place in range(position, min(position + _LONGEST_VARINT, end)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    return 0, end
