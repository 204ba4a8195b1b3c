"""JSON Schemas of the contract's messages, in proto's own mapping, read from the messages themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

_NUMBER: Final = {"type": "number"}
_INTEGER: Final = {"type": "integer", "format": "int64"}
_OF_TYPE: Final[dict[int, dict[str, Any]]] = {
    FieldDescriptor.TYPE_DOUBLE: {**_NUMBER, "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {**_NUMBER, "format": "float"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "minimum": 0},
    FieldDescriptor.TYPE_INT32: {"type": "integer"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
}


def schemas(roots: Iterable[Descriptor]) -> dict[str, Any]:
    """Name -> schema of these messages, and of all that they hold."""
    found: dict[str, Any] = {}
    waiting = list(roots)
    while waiting:
        message = waiting.pop()
        if message.name in found:
            continue
        found[message.name] = {
            "type": "object",
            "properties": {field.json_name: _field(field) for field in message.fields},
        }
        for field in message.fields:
            kind = _value_of(field)
            if kind.enum_type is not None:
                found.setdefault(kind.enum_type.name, _enum(kind.enum_type))
            elif kind.message_type is not None:
                waiting.append(kind.message_type)
    return dict(sorted(found.items()))


def reference(name: str) -> dict[str, str]:
    """A reference to a schema of this document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _field(field: FieldDescriptor) -> dict[str, Any]:
    value = _single(_value_of(field))
    if _is_map(field):
        return {"type": "object", "additionalProperties": value}
    return {"type": "array", "items": value} if field.is_repeated else value


def _single(field: FieldDescriptor) -> dict[str, Any]:
    if field.enum_type is not None:
        return reference(field.enum_type.name)
    if field.message_type is not None:
        return reference(field.message_type.name)
    return _OF_TYPE[field.type]


def _value_of(field: FieldDescriptor) -> FieldDescriptor:
    """The field itself, or that of a map's values."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and entry.GetOptions().map_entry else field


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _enum(kind: EnumDescriptor) -> dict[str, Any]:
    return {"type": "string", "enum": [value.name for value in kind.values]}
