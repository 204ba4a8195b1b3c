"""Run by tests in a process of its own: ``mien serve``'s server with an analyzer that takes its time.

Arguments: the ready file, seconds that each batch takes, and seconds that loading takes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from service.support import fake_host, settings

from mien import Prediction, Sample
from mien.service.server import serve
from mien.testing import FakeAnalyzer, make_prediction


def main() -> None:
    ready_file, seconds, loading = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])

    def answer(sample: Sample) -> list[Prediction]:
        ready_file.with_suffix(".busy").touch()
        time.sleep(seconds)
        return [make_prediction()]

    class Loading(FakeAnalyzer):
        def warm_up(self) -> None:
            ready_file.with_suffix(".loading").touch()
            time.sleep(loading)

    chosen = settings()
    host = fake_host(chosen, face=Loading("face", answer=answer))
    asyncio.run(serve(chosen, host, on_serving=lambda address: ready_file.write_text(address) and None))
    host.close()
    sys.stdout.write("drained\n")


if __name__ == "__main__":
    main()
