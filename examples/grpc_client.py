"""Ask a running ``mien serve`` about pictures, over one connection.

    mien serve &
    python examples/grpc_client.py PICTURE...

prints a line a picture: its score, verdict and likeliest emotion, as the answers come. A picture that cannot be used
is named and costs no other; the exit code is then 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from mien import AnalysisResult, MienError
from mien.client import Client, Query


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", metavar="PICTURE")
    parser.add_argument("--address", default="127.0.0.1:50051", help="where the server listens (%(default)s)")
    chosen = parser.parse_args(arguments)

    failed = 0
    try:
        with Client(chosen.address) as client:
            queries = (
                (str(index), Query(image=picture, consent="notice_shown"))
                for index, picture in enumerate(chosen.pictures)
            )
            for index, answer in client.analyze_many(queries):
                picture = chosen.pictures[int(index)]
                if isinstance(answer, AnalysisResult):
                    print(f"{picture}: {in_words(answer)}")
                else:
                    failed += 1
                    print(f"{picture}: {answer}", file=sys.stderr)
    except MienError as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if failed else 0


def in_words(result: AnalysisResult) -> str:
    """One line: the signal, and what it rests on."""
    if not result.predictions:
        return "nobody was seen"
    satisfaction = result.satisfaction
    seen = ", ".join(f"{each.analyzer}: {each.top_emotion}" for each in result.predictions)
    return f"satisfaction {satisfaction.score:.2f} ({satisfaction.verdict}), {seen}"


if __name__ == "__main__":
    sys.exit(main())
