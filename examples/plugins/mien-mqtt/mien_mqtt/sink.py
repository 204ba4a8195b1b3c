"""The sink: each result is one message, a JSON object, to an MQTT broker. No word and no picture is in it."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from mien import AnalysisResult, PluginError, Provenance, Satisfaction, SessionSummary, Sink
from mien_mqtt.settings import PluginSettings

_MAX_WAITING = 1000
"""Messages that wait for a broker that is away; of more, the oldest is dropped."""


class MqttSink(Sink):
    """Sends each result to a broker, and again where the connection broke."""

    def __init__(self, settings: PluginSettings) -> None:
        """Connect.

        Raises:
            PluginError: The broker cannot be reached, or refuses.
        """
        self._settings = settings
        self._connected = threading.Event()
        self._refusal = ""
        self._waiting: deque[mqtt.MQTTMessageInfo] = deque(maxlen=_MAX_WAITING)
        self._client: mqtt.Client | None = self._connect()

    def write(self, result: AnalysisResult | SessionSummary, provenance: Provenance) -> None:
        """Hand one result over; the client sends it on a thread of its own."""
        is_summary = isinstance(result, SessionSummary)
        if self._client is None or (self._settings.summaries_only and not is_summary):
            return
        kind = "summary" if is_summary else "analysis"
        topic = self._settings.topic.format(site=_level(provenance.site), kind=kind)
        sent = self._client.publish(topic, message(result, provenance), self._settings.qos, self._settings.retain)
        self._waiting.append(sent)

    def flush(self) -> None:
        """Wait until the broker has all that was written.

        Raises:
            PluginError: It did not take it in time; the client goes on trying.
        """
        while self._waiting:
            sent = self._waiting[0]
            with contextlib.suppress(RuntimeError, ValueError):  # not connected, or its queue is full: not published
                sent.wait_for_publish(self._settings.timeout_seconds)
            if not sent.is_published():
                raise PluginError(f"the MQTT broker {self._where} did not take {len(self._waiting)} results in time")
            self._waiting.popleft()

    def close(self) -> None:
        """Send what waits, as far as that goes, and leave; may be called twice."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            with contextlib.suppress(PluginError):
                self.flush()
        finally:
            client.disconnect()
            client.loop_stop()

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _connect(self) -> mqtt.Client:
        settings = self._settings
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.max_queued_messages_set(_MAX_WAITING)
        if settings.username:
            client.username_pw_set(settings.username, os.environ.get(settings.password_variable))
        if settings.tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.connect_timeout = settings.timeout_seconds
        try:
            client.connect(settings.host, settings.port)
        except OSError as error:
            raise PluginError(f"the MQTT broker {self._where} cannot be reached: {error}") from error
        client.loop_start()
        if not self._connected.wait(settings.timeout_seconds) or self._refusal:
            client.loop_stop()
            why = self._refusal or f"it did not answer within {settings.timeout_seconds:g} s"
            raise PluginError(f"the MQTT broker {self._where} takes no connection: {why}")
        return client

    def _on_connect(self, client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._connected.set()


def message(result: AnalysisResult | SessionSummary, provenance: Provenance) -> str:
    """What is sent: scores and shares, and where and when they are from. Words stay here."""
    content: dict[str, Any] = {
        "at": provenance.recorded_at.isoformat(),
        "site": provenance.site,
        "session": provenance.session_id,
    }
    if isinstance(result, SessionSummary):
        content |= {"kind": "summary", **_satisfaction(result.overall)}
        content |= {
            "seconds": round(result.interval.end - result.interval.start, 3),
            "peak_end_score": result.peak_end_score,
            "emotions": result.modality_percentages or result.emotion_percentages,
            "rating": result.rating,
        }
    else:
        content |= {"kind": "analysis", **_satisfaction(result.satisfaction)}
    return json.dumps(content, ensure_ascii=False, default=dict)


def _satisfaction(found: Satisfaction) -> dict[str, Any]:
    return {
        "score": found.score,
        "low": found.interval.low,
        "high": found.interval.high,
        "confidence": found.confidence,
        "verdict": found.verdict.value,
        "contributions": {name: part.weight for name, part in found.contributions.items()},
    }


def _level(site: str) -> str:
    """A site's name as one level of a topic: what means something to a broker is replaced."""
    return "".join("-" if each in "/+#\0" or not each.isprintable() else each for each in site) or "here"
