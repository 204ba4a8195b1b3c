"""Messages and files that were damaged or built to harm, from a seed: the same ones each time."""

from __future__ import annotations

import io
import math
import random
import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from PIL import Image

from mien.v1 import sentiment_pb2 as pb

STRANGE_NUMBERS: Final = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 5e-324, 1.7e9, 1.7e12, 1.7e18, 1e300, math.nan, math.inf)
STRANGE_TEXTS: Final = (
    "",
    " ",
    "face",
    "words",
    "fake",
    "x" * 129,
    "\0",
    "\N{GRINNING FACE}" * 40,
    "é" * 5_000,
    "\n" * 50,
)
MOST_ENTRIES: Final = 70


def picture_file(random_: random.Random) -> bytes:
    """A small honest file."""
    side = random_.randint(1, 40)
    pixels = np.random.default_rng(random_.getrandbits(32)).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    kind = random_.choice(["JPEG", "PNG", "WEBP"])
    options: dict[str, Any] = {"progressive": random_.random() < 0.5} if kind == "JPEG" else {}
    if kind == "WEBP":
        options = {"lossless": random_.random() < 0.3}
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def sound_file(random_: random.Random) -> bytes:
    """A small honest WAV file."""
    samples = np.random.default_rng(random_.getrandbits(32)).integers(-9_000, 9_000, random_.randint(1, 4_000))
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    data = samples.astype("<i2").tobytes()
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def damaged(data: bytes, random_: random.Random) -> bytes:
    """Some bytes changed, a part repeated, left out, or put elsewhere."""
    broken = bytearray(data)
    for _ in range(random_.randint(1, 6)):
        if not broken:
            break
        place = random_.randrange(len(broken))
        length = min(random_.randint(1, 64), len(broken) - place)
        what = random_.randrange(6)
        if what <= 1:
            broken[place] = random_.randrange(256)
        elif what == 2:
            del broken[place : place + length]
        elif what == 3:
            broken[place:place] = broken[place : place + length] * random_.randint(1, 50)
        elif what == 4:
            broken[place : place + length] = random_.randbytes(length)
        else:
            broken[place : place + 4] = random_.choice(
                [b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0"]
            )
    return bytes(broken)


def filled(message: Any, random_: random.Random, *, depth: int = 0) -> Any:
    """Set some fields of a message to strange values, and of the messages in it."""
    for field in message.DESCRIPTOR.fields:
        if random_.random() < 0.4 or depth > 5:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for _ in range(_entries(random_)):
                getattr(message, field.name)[random_.choice(STRANGE_TEXTS)] = random_.choice(STRANGE_NUMBERS)
        elif field.is_repeated and field.message_type is not None:
            for _ in range(_entries(random_)):
                filled(getattr(message, field.name).add(), random_, depth=depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend(random_.choice(STRANGE_TEXTS) for _ in range(_entries(random_)))
        elif field.message_type is not None:
            inside = getattr(message, field.name)
            inside.SetInParent()
            filled(inside, random_, depth=depth + 1)
        else:
            setattr(message, field.name, _value(field, random_))
    return message


def _entries(random_: random.Random) -> int:
    return random_.choice([0, 1, 2, MOST_ENTRIES])


def _value(field: FieldDescriptor, random_: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return random_.choice(STRANGE_NUMBERS)
    if field.type == FieldDescriptor.TYPE_STRING:
        return random_.choice(STRANGE_TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        made = sound_file(random_) if random_.random() < 0.3 else picture_file(random_)
        return random_.choice([made, damaged(made, random_), random_.randbytes(48), b""])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return random_.random() < 0.5
    most = 2**31 - 1 if field.type == FieldDescriptor.TYPE_ENUM else 2**32 - 1
    return random_.choice([0, 1, 2, 3, 4, 16_000, most])


def sent(kind: type[Message], random_: random.Random) -> bytes:
    """A message as bytes: strange, or damaged on its way as well, or no message at all."""
    data = filled(kind(), random_).SerializeToString()
    chance = random_.random()
    if chance < 0.5:
        return data
    return damaged(data, random_) if chance < 0.9 else random_.randbytes(random_.randint(0, 200))


def session(random_: random.Random) -> Iterator[bytes]:
    """The messages of one session: a config that is often usable, then anything."""
    config = pb.StreamSessionRequest(config=pb.SessionConfig(snapshot_interval_seconds=0.0))
    yield config.SerializeToString() if random_.random() < 0.8 else sent(pb.StreamSessionRequest, random_)
    for _ in range(random_.randint(0, 12)):
        yield sent(pb.StreamSessionRequest, random_)
