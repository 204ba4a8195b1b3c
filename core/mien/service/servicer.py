"""The calls of ``mien.v1.SentimentService``: check, decode, schedule, answer. Each step is a module of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from mien.access import calling
from mien.config import Settings
from mien.engine import AnalysisRequest
from mien.engine.requests import enabled_for, kind_of
from mien.interfaces import Provenance
from mien.plugins.host import PluginHost
from mien.plugins.sinks import Sinks
from mien.redaction import given_out
from mien.service.callers import caller_of, peer_of
from mien.service.holdings import Holdings
from mien.service.item_stream import ItemStream
from mien.service.kept import Kept, owner_of
from mien.service.limits import Gate
from mien.service.metrics import Metrics
from mien.service.privacy import check_consent
from mien.service.scheduler import Scheduler
from mien.service.session_config import check_modalities
from mien.service.session_stream import SessionStream
from mien.v1 import sentiment_pb2 as pb
from mien.v1 import sentiment_pb2_grpc
from mien.wire.bounds import check_bounds
from mien.wire.values import result_to_wire


class SentimentServicer(sentiment_pb2_grpc.SentimentServiceServicer):  # type: ignore[misc]  # generated, untyped
    """Answers calls; errors leave it as exceptions, which ``mien.service.interceptors`` turns into statuses."""

    def __init__(
        self,
        settings: Settings,
        *,
        host: PluginHost,
        gate: Gate,
        holdings: Holdings,
        scheduler: Scheduler,
        sinks: Sinks,
        kept: Kept[SessionStream],
        metrics: Metrics,
        info: Callable[[], pb.GetServerInfoResponse],
    ) -> None:
        self._settings = settings
        self._host = host
        self._gate = gate
        self._holdings = holdings
        self._scheduler = scheduler
        self._sinks = sinks
        self._metrics = metrics
        self._kept = kept
        self._info = info

    async def GetServerInfo(  # noqa: N802  # the contract's name
        self, request: pb.GetServerInfoRequest, context: Any
    ) -> pb.GetServerInfoResponse:
        """Tell what this server runs; also while it loads and drains."""
        return self._info()

    async def Analyze(self, request: pb.AnalyzeRequest, context: Any) -> pb.AnalyzeResponse:  # noqa: N802
        """Analyse one moment."""
        deadline, caller = self._deadline(context), caller_of(context)
        self._gate.check_open()
        with self._holdings.admit(request.ByteSize()):
            async with self._gate.call(deadline, caller=caller):
                return await self._analyze(request, deadline, caller)

    async def AnalyzeStream(  # noqa: N802
        self, requests: AsyncIterator[pb.AnalyzeStreamRequest], context: Any
    ) -> AsyncGenerator[pb.AnalyzeStreamResponse, None]:
        """Analyse many moments; see ``mien.service.item_stream``."""
        async with self._gate.stream(peer=peer_of(context)):
            items = ItemStream(
                self._analyze,
                self._gate,
                self._settings.limits,
                messages=self._holdings.messages,
                caller=caller_of(context),
            )
            async with aclosing(items.run(requests)) as responses:
                async for response in responses:
                    yield response

    async def StreamSession(  # noqa: N802
        self, requests: AsyncIterator[pb.StreamSessionRequest], context: Any
    ) -> AsyncGenerator[pb.StreamSessionResponse, None]:
        """Follow one interaction; see ``mien.service.session_stream``."""
        stream = SessionStream(
            self._settings,
            host=self._host,
            gate=self._gate,
            holdings=self._holdings,
            scheduler=self._scheduler,
            sinks=self._sinks,
            metrics=self._metrics,
            caller=caller_of(context),
            kept=self._kept,
            owner=owner_of(context),
        )
        async with self._gate.stream(peer=peer_of(context)), aclosing(stream.run(requests)) as responses:
            async for response in responses:
                yield response

    async def _analyze(self, request: pb.AnalyzeRequest, deadline: float, caller: str) -> pb.AnalyzeResponse:
        check_bounds(request)
        check_modalities(self._host, request.weights, field="weights")
        check_consent(request.consent, self._settings.privacy)
        decoded, lease = await self._holdings.request(request, deadline)
        analysis = replace(decoded.analysis, analyzers=self._allowed(decoded.analysis))
        with lease:
            result = await self._scheduler.analyze(analysis, deadline, caller=caller)
        result = given_out(result, redact=request.redact_transcript or self._settings.privacy.redact_transcript)
        self._sinks.notify(
            result, Provenance(image_width=decoded.image_width or None, image_height=decoded.image_height or None)
        )
        return result_to_wire(result, image_width=decoded.image_width, image_height=decoded.image_height)

    def _allowed(self, analysis: AnalysisRequest) -> tuple[str, ...]:
        """The analyzers that the caller's key lets this request have."""
        kinds = {kind_of(sample) for sample in analysis.samples}
        return calling.get().allowed(analysis.analyzers, enabled_for(self._host, kinds))

    def _deadline(self, context: Any) -> float:
        """When waiting for a turn stops making sense, on the event loop's clock."""
        longest: float = self._settings.limits.max_wait_seconds
        left = context.time_remaining()
        return asyncio.get_running_loop().time() + (longest if left is None else min(left, longest))
