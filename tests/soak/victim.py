"""Run by the soak in a process of its own: a server with fake analyzers, until its standard input ends."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.support import face_like, fake_host, running, settings, voice_plugin

from mien.testing import FakeAnalyzer


async def main() -> None:
    chosen = settings()
    host = fake_host(chosen, face=face_like(), voice=voice_plugin(FakeAnalyzer("voice")))
    async with running(chosen, host) as server:
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
