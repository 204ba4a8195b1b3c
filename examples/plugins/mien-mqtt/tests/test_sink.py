"""The sink keeps mien's contract, and a real broker gets what it sends."""

from __future__ import annotations

import json
import queue
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from mien import PluginError, PluginHost, PluginState, Provenance, Sink, parse_settings
from mien.testing import SinkConformance, read_settings
from mien_mqtt import plugin
from mien_mqtt.settings import PluginSettings

BROKER = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_broker = pytest.mark.skipif(
    BROKER is None or find_spec("paho") is None, reason="needs mosquitto (apt-get install mosquitto) and paho-mqtt"
)
PATIENCE = 30.0


class Reader:
    """Subscribes to everything: counts what comes, and keeps it where it is asked to."""

    def __init__(self, port: int, *, keeps: bool = True) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self.messages: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.count = 0
        self._keeps = keeps
        self._marks: queue.Queue[bool] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._take
        self.client.on_subscribe = lambda *_: self._marks.put(True)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("#", qos=1)
        self._marks.get(timeout=PATIENCE)

    def _take(self, client: Any, data: Any, message: Any) -> None:
        if message.topic == "mark":
            self._marks.put(True)
            return
        self.count += 1
        if self._keeps:
            self.messages.put((message.topic, json.loads(message.payload)))

    def next(self) -> tuple[str, dict[str, Any]]:
        return self.messages.get(timeout=PATIENCE)

    def count_so_far(self) -> int:
        """How many came; a mark of our own behind them says that all have."""
        self.client.publish("mark", "{}", qos=1)
        self._marks.get(timeout=PATIENCE)
        return self.count

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a broker of our own, on this machine alone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    config = tmp_path_factory.mktemp("broker") / "mosquitto.conf"
    config.write_text(f"listener {free} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type information\n")
    assert BROKER is not None
    with subprocess.Popen([BROKER, "-c", str(config)], stderr=subprocess.PIPE, text=True) as broker:
        try:
            assert broker.stderr is not None
            assert any("running" in line for line in broker.stderr), "the broker did not start"
            yield free
        finally:
            broker.kill()


@pytest.fixture
def reader(port: int) -> Iterator[Reader]:
    made = Reader(port)
    yield made
    made.close()


def sink(port: int, **table: Any) -> Sink:
    from mien_mqtt.sink import MqttSink

    return MqttSink(read_settings(PluginSettings, {"host": "127.0.0.1", "port": port, **table}))


@needs_broker
class TestConformance(SinkConformance):
    @pytest.fixture
    def counter(self, port: int) -> Iterator[Reader]:
        made = Reader(port, keeps=False)
        yield made
        made.close()

    @pytest.fixture
    def make_sink(self, port: int, counter: Reader) -> Callable[[], Sink]:
        return lambda: sink(port)

    @pytest.fixture
    def count(self, counter: Reader) -> Callable[[], int]:
        return counter.count_so_far


@needs_broker
def test_a_broker_gets_scores_and_no_words(port: int, reader: Reader) -> None:
    made, suite = sink(port), SinkConformance()
    made.write(suite.result(), suite.provenance())
    made.write(suite.summary(), Provenance(site="a/b+c", session_id="visit 1"))
    made.close()
    topic, content = reader.next()
    assert topic == "mien/Harbour/analysis"
    assert (content["kind"], content["score"], content["verdict"]) == ("analysis", 0.8, "good")
    assert content["contributions"] == {"face": 1.0}
    topic, content = reader.next()
    assert topic == "mien/a-b-c/summary"
    assert (content["seconds"], content["emotions"]) == (60.0, {"happy": 75.0, "sad": 25.0})


@needs_broker
def test_single_results_may_be_left_out(port: int, reader: Reader) -> None:
    made, suite = sink(port, summaries_only=True, topic="only"), SinkConformance()
    made.write(suite.result(), suite.provenance())
    made.write(suite.summary(), suite.provenance())
    made.close()
    assert reader.next()[1]["kind"] == "summary"
    assert reader.count_so_far() == 1


@pytest.mark.skipif(find_spec("paho") is None, reason="needs paho-mqtt")
def test_a_broker_that_is_not_there_is_told() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(PluginError, match="cannot be reached"):
            sink(nobody.getsockname()[1])


def test_without_a_broker_there_is_no_sink() -> None:
    assert not PluginHost.from_plugins({plugin.NAME: plugin}).sinks


@pytest.mark.parametrize(
    ("table", "message"),
    [({"topic": "mien/#"}, "wildcards"), ({"topic": "{name}"}, "places"), ({"qos": 3}, "qos"), ({"hots": ""}, "hots")],
)
def test_wrong_settings_are_told(table: dict[str, object], message: str) -> None:
    settings = parse_settings({"plugins": {plugin.NAME: {"host": "127.0.0.1", **table}}})
    (described,) = PluginHost.from_plugins({plugin.NAME: plugin}, settings).plugins()
    assert described.state is PluginState.FAILED
    assert message in described.reason
