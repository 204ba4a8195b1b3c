"""WebSocket ``/v1/session``: a session from a browser."""

from __future__ import annotations

import json

from service.support import face_like, fake_host
from web.support import CONFIG, FRAME, gateway, socket_to, told, web_settings

from mien.v1 import sentiment_pb2 as pb


async def test_a_session_in_json_from_the_config_to_the_summary() -> None:
    chosen = web_settings()
    async with gateway(chosen, fake_host(chosen, face=face_like(0.9))) as found, socket_to(found) as socket:
        await socket.send(json.dumps(CONFIG))
        assert (await told(socket, "started"))["sessionId"] == "one"
        await socket.send(json.dumps(FRAME))
        update = await told(socket, "update")
        assert update["state"]["snapshots"] == 1
        await socket.send(json.dumps({"marker": {"name": "end", "rating": 5, "atSeconds": 1}}))
        summary = await told(socket, "summary")
        assert (summary["rating"], summary["end"]) == (5, "SESSION_END_MARKER")
        await socket.wait_closed()
        assert socket.close_code == 1000


async def test_what_is_sent_in_binary_is_answered_in_binary() -> None:
    async with gateway() as found, socket_to(found) as socket:
        await socket.send(pb.StreamSessionRequest(config=pb.SessionConfig(session_id="two")).SerializeToString())
        answer = await socket.recv()
        assert isinstance(answer, bytes)
        assert pb.StreamSessionResponse.FromString(answer).started.session_id == "two"
