"""The items of ``AnalyzeStream``, to and from messages. Shared by both clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import grpc

from mien.client.errors import ServiceError
from mien.client.requests import Query, analyze_request
from mien.errors import MienError
from mien.types import AnalysisResult
from mien.v1 import sentiment_pb2 as pb
from mien.wire.values import result_from_wire

_CODE_OF = {code.value[0]: code for code in grpc.StatusCode}


def item_messages(
    queries: Iterable[tuple[str, Query]], unsent: Callable[[tuple[str, MienError]], object]
) -> Iterator[pb.AnalyzeStreamRequest]:
    """The messages of queries; one that cannot be made goes to ``unsent`` with its error, and the rest goes on."""
    for request_id, query in queries:
        try:
            request = analyze_request(query)
        except MienError as error:
            unsent((request_id, error))
        else:
            yield pb.AnalyzeStreamRequest(request_id=request_id, request=request)


def item_answer(answer: pb.AnalyzeStreamResponse) -> tuple[str, AnalysisResult | MienError]:
    """What became of one item."""
    if answer.WhichOneof("result") == "response":
        return answer.request_id, result_from_wire(answer.response)
    error = answer.error
    code = _CODE_OF.get(error.code, grpc.StatusCode.UNKNOWN)
    return answer.request_id, ServiceError(error.message, code=code, reason=error.reason)
