"""The gateway's contract as an OpenAPI 3.1 document, its messages taken from the proto."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import mien
from mien.v1 import sentiment_pb2 as pb
from mien.web.compat import COMPAT
from mien.web.schemas import reference, schemas

_ERROR: Final = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "integer", "description": "A google.rpc.Code."},
                "status": {"type": "string", "description": "Its name, such as INVALID_ARGUMENT."},
                "message": {"type": "string", "description": "One sentence for a person."},
                "reason": {"type": "string", "description": "One word that a program can act on, such as QUEUE_FULL."},
                "details": {"type": "array", "items": {"type": "object"}, "description": "google.rpc details."},
            },
        }
    },
}
_SESSION: Final = (
    "Upgrade to a WebSocket. The first message configures the session; send StreamSessionRequest as text (JSON) or as"
    " binary (protobuf), and StreamSessionResponse comes back in the form that was sent last. A refusal comes as the"
    " same error object as elsewhere, as text, before the close. Close codes: 1000 after the summary; 4000 plus the"
    " HTTP status of a refusal, such as 4400 for a message that is wrong, 4401 without a key, 4429 where there is no"
    " room (try again later), 4503 while the server loads or shuts down. Close with 1000 to end the session; after any"
    " other end of the connection it can be resumed with the resumeToken of its SessionStarted. Browsers present a key"
    " as the second subprotocol: ['mien.v1', 'mien.key.' + the key in base64url]."
)


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    messages = (
        pb.AnalyzeRequest,
        pb.AnalyzeResponse,
        pb.GetServerInfoResponse,
        pb.StreamSessionRequest,
        pb.StreamSessionResponse,
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "mien", "version": mien.__version__, "license": {"name": "Apache-2.0"}},
        "paths": {
            "/v1/analyze": {"post": _analyze()},
            "/v1/info": {"get": _get("What the server runs: plugins, analyzers, limits.", "GetServerInfoResponse")},
            "/v1/session": {"get": _session()},
            "/v1/sessions/{session_id}/events": {"get": _events()},
            "/v1/kiosk": {"get": {"summary": "The kiosk page's settings.", "responses": _ok({"type": "object"})}},
        },
        "components": {
            "schemas": {**schemas(each.DESCRIPTOR for each in messages), "Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _analyze() -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    text = {"type": "string"}
    form = {
        "schema": {
            "type": "object",
            "properties": {
                "image": {**text, "description": "A file, or a data URL in base64."},
                "audio": {**text, "description": "The same."},
                "text": text,
                "analyzers": {**text, "description": "Names, separated by commas."},
                "fuser": text,
                "consent": {"type": "string", "enum": ["notice_shown", "given"]},
                "redact_transcript": {"type": "boolean"},
            },
        }
    }
    named = {"schema": {"oneOf": [reference("AnalyzeRequest"), {"type": "object"}]}}
    return {
        "summary": "Analyse one moment: a picture, a sound, words, or several of them.",
        "description": "In JSON, image and audio may also be data URLs in base64, and text mere words.",
        "parameters": [
            _parameter("compat", "Answer as an older system's service did.", {"type": "string", "enum": list(COMPAT)}),
            _parameter("analyzers", "For a raw body: names, separated by commas.", text),
            _parameter("fuser", "For a raw body.", text),
            _parameter("consent", "For a raw body.", {"type": "string", "enum": ["notice_shown", "given"]}),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "image/*": binary,
                "audio/*": binary,
                "multipart/form-data": form,
                "application/x-www-form-urlencoded": form,
                "application/json": named,
                "application/x-protobuf": binary,
            },
        },
        "responses": _ok(reference("AnalyzeResponse")),
    }


def _session() -> dict[str, Any]:
    return {
        "summary": "Follow one customer interaction over a WebSocket.",
        "description": _SESSION,
        "responses": {"101": {"description": "The WebSocket is open."}, **_refused()},
        "x-messages": {
            "send": reference("StreamSessionRequest"),
            "receive": reference("StreamSessionResponse"),
        },
    }


def _events() -> dict[str, Any]:
    stream = {"text/event-stream": {"schema": {"type": "string"}}}
    told = "Events are named as the fields of StreamSessionResponse; data is the message as JSON. One that reads too"
    return {
        "summary": "Watch a session that runs over this gateway.",
        "description": f"{told} slowly misses the oldest, and an event 'lost' says how many. The key is the session's.",
        "parameters": [
            {"name": "session_id", "in": "path", "required": True, "schema": {"type": "string"}},
        ],
        "responses": {"200": {"description": "Until the session ends.", "content": stream}, **_refused()},
    }


def _get(summary: str, message: str) -> dict[str, Any]:
    return {"summary": summary, "responses": _ok(reference(message))}


def _ok(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}}, **_refused()}


def _refused() -> dict[str, Any]:
    content = {"application/json": {"schema": reference("Error")}}
    return {"default": {"description": "A refusal; its reason says why.", "content": content}}


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
