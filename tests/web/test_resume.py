"""A session over a WebSocket goes on after its connection broke, under its token."""

from __future__ import annotations

import json

from service.support import face_like, fake_host
from web.support import CONFIG, FRAME, gateway, socket_to, told, web_settings


async def test_a_broken_socket_is_followed_by_another() -> None:
    chosen = web_settings()
    async with gateway(chosen, fake_host(chosen, face=face_like(0.9))) as found:
        socket = await socket_to(found)
        await socket.send(json.dumps(CONFIG))
        token = (await told(socket, "started"))["resumeToken"]
        await socket.send(json.dumps(FRAME))
        await told(socket, "update")
        socket.transport.abort()
        async with socket_to(found) as other:
            await other.send(json.dumps({"config": {"resumeToken": token, **CONFIG["config"]}}))
            started = await told(other, "started")
            assert (started["sessionId"], started["resumeToken"]) == ("one", token)
            assert (await told(other, "notice"))["kind"] == "NOTICE_KIND_RESUMED"
            await other.send(json.dumps({"frame": {**FRAME["frame"], "capturedAtSeconds": 2}}))
            state = (await told(other, "update"))["state"]
            assert (state["snapshots"], state["emotionPercentages"]["happy"]) == (2, 100.0)


async def test_a_guessed_token_is_refused() -> None:
    async with gateway() as found, socket_to(found) as socket:
        await socket.send(json.dumps({"config": {"resumeToken": "guessed"}}))
        assert (await told(socket, "error"))["reason"] == "SESSION_GONE"
        await socket.wait_closed()
        assert socket.close_code == 4404
