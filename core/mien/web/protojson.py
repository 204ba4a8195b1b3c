"""Messages as JSON in proto's own mapping, and back, at a cost that a sender cannot drive up."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from mien.errors import InputError

MAX_PARTS: Final = 20_000
"""Commas and brackets of one JSON message: reading one costs by them, and a picture's base64 has none."""

MAX_MESSAGE_CHARACTERS: Final = 200
"""Of a reader's complaint, which may quote what was sent."""

Sent = TypeVar("Sent", bound=Message)


def to_dict(message: Message) -> dict[str, Any]:
    """A message as JSON's values: names in lowerCamelCase, numbers that are 0 and lists that are empty written out."""
    return dict(json_format.MessageToDict(message, always_print_fields_with_no_presence=True))


def to_json(message: Message) -> str:
    """The same as text, on one line."""
    return json.dumps(to_dict(message), ensure_ascii=False, separators=(",", ":"))


def load_json(text: str | bytes) -> Any:
    """JSON's values.

    Raises:
        InputError: It is no JSON, or has too many parts.
    """
    comma, brace, bracket = (",", "{", "[") if isinstance(text, str) else (b",", b"{", b"[")
    parts = text.count(comma) + text.count(brace) + text.count(bracket)  # type: ignore[arg-type]  # both of one kind
    if parts > MAX_PARTS:
        raise InputError(f"the JSON has {parts} commas and brackets, of which at most {MAX_PARTS} are read")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected JSON in UTF-8: {str(error)[:MAX_MESSAGE_CHARACTERS]}") from None


def from_values(values: Any, kind: type[Sent]) -> Sent:
    """A message of JSON's values.

    Raises:
        InputError: They are not such a message.
    """
    if not isinstance(values, dict):
        raise InputError(f"expected a JSON object, a {kind.DESCRIPTOR.name} in proto's JSON form")
    message = kind()
    try:
        json_format.ParseDict(values, message)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        said = str(error)[:MAX_MESSAGE_CHARACTERS]
        raise InputError(f"the JSON is no {kind.DESCRIPTOR.name} of the contract: {said}") from None
    return message


def from_json(text: str | bytes, kind: type[Sent]) -> Sent:
    """A message of JSON text; raises as ``load_json`` and ``from_values`` do."""
    return from_values(load_json(text), kind)


def from_bytes(data: bytes, kind: type[Sent]) -> Sent:
    """A message of its serialized bytes.

    Raises:
        InputError: They are none.
    """
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise InputError(f"the bytes are no serialized {kind.DESCRIPTOR.name} of the contract") from None
    return message
