"""Settings: ``mien.toml`` and options, validated at the edge.

Every key has a default that is safe and works, an unknown key is an error, and a message names the key, the value and
what was expected. The tables are: ``[engine]``, ``[fusion]``, ``[session]``, ``[server]``, ``[client]``, ``[limits]``,
``[privacy]``, ``[kiosk]``, ``[web]``, and ``[plugins.<name>]``, which goes to the plugin unread.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from mien.errors import ConfigError
from mien.interfaces import MISMATCH_PAIRS, MismatchPair, MismatchPolicy, NewCustomer, check_mismatch_pairs
from mien.websettings import WebSettings

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
OpenFraction = Annotated[float, Field(gt=0.0, lt=1.0)]
PositiveSeconds = Annotated[float, Field(gt=0.0, le=86_400.0)]
Model = TypeVar("Model", bound=BaseModel)
PositiveInt = Annotated[int, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineSettings(_Table):
    """``[engine]``: which analyzers run, and how long one may take.

    Attributes:
        analyzers: Names; empty takes every installed analyzer that does not ask to be named (``opt_in``).
        deadline_seconds: An analyzer that has not answered by then is missing from the answer.
        strict: A plugin that cannot be loaded stops the start instead of being left out.
    """

    analyzers: tuple[str, ...] = ()
    deadline_seconds: PositiveSeconds = 10.0
    strict: bool = False


class FusionSettings(_Table):
    """``[fusion]``: how modalities become one score.

    Attributes:
        fuser: The rule; ``mien plugins list`` names those installed.
        weights: Modality -> weight; 1 for one that is not named.
        half_life_seconds: Seconds after which evidence counts half in the running score.
        good_threshold: For ``weighted_sum``: a score at or above it may be good.
        poor_threshold: For ``weighted_sum``: a score at or below it may be poor; below ``good_threshold``.
        good_share: For ``fitted``: the share of the site's visits whose customers are satisfied. Most are neutral.
        poor_share: For ``fitted``: the share whose customers are dissatisfied; with ``good_share`` at most 1.
        max_wrong_share: For ``fitted``: of the verdicts that are given, no more than this share should be wrong; a
            smaller one leaves more visits undecided.
        min_confidence: Below it the verdict is undecided.
        mismatch_policy: What is done where two groups of modalities point opposite ways: ``blend`` them, leave out what
            contradicts voice and text (``trust_words``) or the face (``trust_face``), or ``abstain`` from a verdict.
        mismatch_pairs: Which groups of modalities are held against each other, such as
            ``[[["face"], ["voice", "text"]], [["face"], ["prosody"]]]``; those of one group speak as one.
    """

    fuser: str = "fitted"
    weights: dict[str, Annotated[float, Field(ge=0.0, le=1e6)]] = Field(default_factory=dict)
    half_life_seconds: PositiveSeconds = 10.0
    good_threshold: Fraction = 0.6
    poor_threshold: Fraction = 0.4
    good_share: OpenFraction = 0.3
    poor_share: OpenFraction = 0.2
    max_wrong_share: OpenFraction = 0.08
    min_confidence: Fraction = 0.2
    mismatch_policy: MismatchPolicy = MismatchPolicy.BLEND
    mismatch_pairs: tuple[MismatchPair, ...] = MISMATCH_PAIRS

    @field_validator("mismatch_pairs")
    @classmethod
    def _two_groups_apart(cls, value: tuple[MismatchPair, ...]) -> tuple[MismatchPair, ...]:
        check_mismatch_pairs(value)
        return value

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> FusionSettings:
        if self.poor_threshold >= self.good_threshold:
            raise ValueError(
                f"poor_threshold must be below good_threshold, got {self.poor_threshold} and {self.good_threshold}"
            )
        if self.good_share + self.poor_share > 1.0:
            raise ValueError(
                f"good_share and poor_share must be at most 1 together, got {self.good_share} and {self.poor_share}"
            )
        return self


class LimitSettings(_Table):
    """``[limits]``: what is accepted from outside; more is refused before it costs anything.

    Attributes:
        max_message_bytes: One gRPC message.
        max_image_bytes: One encoded picture.
        max_image_pixels: Width x height, read from the header before decoding.
        max_audio_seconds: One piece of sound.
        max_text_characters: One text.
        max_batch: Items that one batch of the scheduler takes.
        batch_delay_ms: How long the scheduler waits for a batch to fill.
        max_calls_in_flight: Calls that are worked on at once.
        max_calls_queued: Calls that wait; one more is refused.
        max_wait_seconds: A call whose turn has not come by then is given up, or sooner by its own deadline.
        max_sessions: Open sessions.
        max_peer_calls: Open calls of one other machine, by its address; 0 for no limit. Those of this machine, behind
            which may be a proxy, have none.
        max_peer_sessions: The same for open sessions.
        max_receive_seconds: A call whose request has not arrived by then is ended.
        max_write_seconds: A call whose answer could not be written for so long, because nobody reads it, is ended.
        max_queued_bytes: Of messages that wait or are worked on, over all calls together. Beyond it a call is refused,
            and a stream is read on when there is room again.
        max_session_queued_bytes: Of sound and words that wait in one session; beyond it, it is read on when there is
            room again.
        max_decoded_bytes: Of decoded pictures and sound that wait or are analysed; decoding waits for room.
        max_session_frames_queued: Frames that wait in one session; the oldest is dropped for a newer one. With 1 the
            frame that is analysed next is always the newest; with more they are analysed in their order.
        max_session_speech_queued_seconds: Speech that waits for recognition in one session; what is said beyond it is
            left out, with a notice, until recognition has caught up. A kiosk's microphone holds as much.
        max_stream_items: Requests in flight on one ``AnalyzeStream`` call.
        idle_seconds: A stream without a message for so long is ended.
        decode_threads: Threads that decode what costs no more than its bytes and pixels: most pictures, and plain WAV.
        decode_processes: Processes that decode the rest, such as compressed sound, animations and pictures of many
            scans; they start when they are first needed.
        decode_seconds: Processor time that one picture or sound may take in such a process before it is refused.
    """

    max_message_bytes: PositiveInt = 4 << 20
    max_image_bytes: PositiveInt = 2 << 20
    max_image_pixels: PositiveInt = 4_000_000
    max_audio_seconds: PositiveSeconds = 30.0
    max_text_characters: PositiveInt = 10_000
    max_batch: PositiveInt = 64
    batch_delay_ms: Annotated[float, Field(ge=0.0, le=1000.0)] = 2.0
    max_calls_in_flight: PositiveInt = 32
    max_calls_queued: PositiveInt = 64
    max_wait_seconds: PositiveSeconds = 10.0
    max_sessions: PositiveInt = 32
    max_peer_calls: Annotated[int, Field(ge=0)] = 64
    max_peer_sessions: Annotated[int, Field(ge=0)] = 16
    max_receive_seconds: PositiveSeconds = 10.0
    max_write_seconds: PositiveSeconds = 15.0
    max_queued_bytes: PositiveInt = 128 << 20
    max_session_queued_bytes: PositiveInt = 4 << 20
    max_decoded_bytes: PositiveInt = 128 << 20
    max_session_frames_queued: PositiveInt = 1
    max_session_speech_queued_seconds: PositiveSeconds = 60.0
    max_stream_items: PositiveInt = 64
    idle_seconds: PositiveSeconds = 30.0
    decode_threads: Annotated[int, Field(ge=1, le=64)] = 2
    decode_processes: Annotated[int, Field(ge=1, le=64)] = 2
    decode_seconds: Annotated[float, Field(ge=0.05, le=60.0)] = 1.0


class TlsSettings(_Table):
    """``[server.tls]``: the certificate that the server shows, and the one that it asks for.

    The files are read again when they change: at the next connection, and on SIGHUP.

    Attributes:
        certificate: PEM file with the server's certificate, and those between it and the root.
        key: PEM file with its private key, not encrypted.
        client_ca: PEM file with the roots of clients' certificates; a client without such a certificate is refused.
            Without it none is asked for.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None


class ServerSettings(_Table):
    """``[server]``: where the gRPC service listens, whom it answers, and what it tells its operator.

    Attributes:
        address: ``host:port``, port 0 takes a free one, or ``unix:/path/to/socket``. An address that other machines can
            reach needs ``[server.tls]``, or ``insecure`` said aloud.
        insecure: Serve in plain text on an address that other machines can reach.
        tls: Serve over TLS; without it, in plain text.
        keys: The file of bearer keys that ``mien keys`` writes; a caller without one of them is refused. None asks for
            none.
        metrics_address: Where Prometheus may ask for metrics: ``host:port``, or a port of 127.0.0.1; without it,
            nowhere.
        log_level: What is logged: ``debug`` has a line for every call.
        log_format: ``human`` for a person, ``json`` for a machine: one object a line.
        tracing: Record OpenTelemetry traces, which go where ``OTEL_TRACES_EXPORTER`` and its kin say.
        reflection: Answer gRPC reflection.
        drain_seconds: How long accepted work may take after SIGTERM; the end of a session has a share of it.
        resume_seconds: How long a session that has lost its connection waits for its caller before it is ended, with
            its summary to the sinks; 0 ends it at once, without one.
    """

    address: str = "127.0.0.1:50051"
    insecure: bool = False
    tls: TlsSettings | None = None
    keys: Path | None = None
    metrics_address: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["human", "json"] = "human"
    tracing: bool = False
    reflection: bool = False
    drain_seconds: PositiveSeconds = 20.0
    resume_seconds: Annotated[float, Field(ge=0.0, le=3600.0)] = 60.0

    @field_validator("address")
    @classmethod
    def _somewhere(cls, value: str) -> str:
        return value if value.startswith("unix:") and len(value) > len("unix:") else _host_and_port(value)

    @field_validator("metrics_address", mode="before")
    @classmethod
    def _with_host(cls, value: Any) -> Any:
        if value is None:
            return None
        text = str(value)
        return _host_and_port(f"127.0.0.1:{text}" if text.isdigit() else text)


class ClientSettings(_Table):
    """``[client]``: how ``Client.from_config`` and ``mien`` commands that ask a server reach it.

    Attributes:
        address: ``host:port``, or ``unix:/path/to/socket``.
        tls: Connect over TLS; also where one of the files below is named.
        ca: PEM file with the roots that the server's certificate is checked against; without it, the system's.
        server_name: The name in the server's certificate, where it is reached under another.
        certificate: PEM file with the client's own certificate, where the server asks for one.
        certificate_key: PEM file with its private key.
        key_file: File with the bearer key in it and nothing else. The environment variable ``MIEN_KEY`` goes over it.
        insecure: Send the key in plain text to another machine.
        timeout_seconds: What a call may take where it does not say.
        compression: Of what is sent; pictures and compressed sound gain nothing by it.
    """

    address: str = "127.0.0.1:50051"
    tls: bool = False
    ca: Path | None = None
    server_name: str = ""
    certificate: Path | None = None
    certificate_key: Path | None = None
    key_file: Path | None = None
    insecure: bool = False
    timeout_seconds: PositiveSeconds = 10.0
    compression: Literal["none", "gzip", "deflate"] = "none"

    @model_validator(mode="after")
    def _both_halves(self) -> ClientSettings:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key go together")
        return self


class SessionSettings(_Table):
    """``[session]``: how one customer interaction is followed.

    Attributes:
        snapshot_interval_seconds: Between two analysed pictures; 0 analyses each one.
        max_snapshots: The session ends after so many.
        idle_timeout_seconds: The session ends after so many seconds without a message.
        customer_policy: Whose satisfaction it is where several faces are seen: ``primary``, ``all``, or a policy that a
            plugin has registered.
        new_customer: What is done when the customer has left and another stands there: ``end`` the session, so that
            each visit has its own, or ``restart``, which goes on with the evidence begun anew.
        keep_ledger: Keep a session's evidence (what the analyzers said and when; no picture, no sound) until its end,
            for ``[plugins.records]`` to write and ``mien replay`` to read.
        exclude_regions: Parts of the picture to leave out, as fractions (x, y, width, height).
        verdict_hysteresis: How far the score must move from where a verdict last held before it is given up.
        late_tolerance_seconds: How far a prediction may lie behind the newest of its kind and still count.
        partials: Tell what is being said before it has ended, also those who do not ask for it. It counts in nothing,
            and takes up to half of the time of one processor core while somebody speaks.
    """

    snapshot_interval_seconds: Annotated[float, Field(ge=0.0, le=3600.0)] = 1.0
    max_snapshots: PositiveInt = 100
    idle_timeout_seconds: PositiveSeconds = 30.0
    customer_policy: Annotated[str, Field(min_length=1)] = "primary"
    new_customer: NewCustomer = NewCustomer.END
    keep_ledger: bool = False
    exclude_regions: tuple[tuple[Fraction, Fraction, Fraction, Fraction], ...] = ()
    verdict_hysteresis: Fraction = 0.05
    late_tolerance_seconds: Annotated[float, Field(ge=0.0, le=3600.0)] = 5.0
    partials: bool = False


class PrivacySettings(_Table):
    """``[privacy]``: what must be said first, and what is left out.

    Attributes:
        require_consent: Refuse a request or session that does not say that a notice was shown or consent given.
        redact_transcript: Take the words of transcripts out of every answer.
    """

    require_consent: bool = False
    redact_transcript: bool = False


class KioskSettings(_Table):
    """``[kiosk]``: what one kiosk looks and listens with, and what its customers were told.

    Attributes:
        camera: Its index; ``mien devices`` lists them.
        microphone: A part of its name, or its index; empty takes the system's default.
        consent: What people in front of this kiosk have been told, where the operator answers for it.
        site: A name for the place, for records and reports.
        rating_keys: Take the digits 1 to 5 on standard input, such as from a number pad, as ratings by the customer who
            is there.
        view: How it is shown: ``terminal``, ``lines``, ``json``, or a view that a plugin has registered; empty
            takes ``terminal`` on a terminal, and ``lines`` elsewhere.
        partials: Show words while they are spoken, in a view that can; ``terminal`` can.
    """

    camera: Annotated[int, Field(ge=0)] = 0
    microphone: str = ""
    consent: Literal["unspecified", "notice_shown", "given"] = "unspecified"
    site: Annotated[str, Field(max_length=128)] = ""
    rating_keys: bool = False
    view: str = ""
    partials: bool = True


class Settings(_Table):
    """All of ``mien.toml``."""

    engine: EngineSettings = EngineSettings()
    fusion: FusionSettings = FusionSettings()
    session: SessionSettings = SessionSettings()
    server: ServerSettings = ServerSettings()
    client: ClientSettings = ClientSettings()
    limits: LimitSettings = LimitSettings()
    privacy: PrivacySettings = PrivacySettings()
    kiosk: KioskSettings = KioskSettings()
    web: WebSettings = WebSettings()
    plugins: dict[str, dict[str, Any]] = Field(default_factory=dict)
    _source: str = PrivateAttr("")

    @property
    def source(self) -> str:
        """The file that it came from, for messages; empty where it came from none."""
        return self._source


def parse_settings(data: Mapping[str, Any], *, source: str = "settings") -> Settings:
    """Validate settings that came as nested tables.

    Args:
        data: Table -> key -> value.
        source: What to call it in an error.

    Raises:
        ConfigError: A key is unknown or a value is wrong; every problem is listed.
    """
    return validated(Settings, data, name=source, kind="configuration")


def load_settings(path: Path | None) -> Settings:
    """Read a TOML file; None gives the defaults.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or fails validation.
    """
    if path is None:
        return Settings()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    settings = parse_settings(data, source=str(path))
    settings._source = str(path)
    return settings


def validated(model: type[Model], data: Mapping[str, Any], *, name: str, kind: str = "") -> Model:
    """Check nested tables against a model.

    Args:
        model: What is expected.
        data: Key -> value, as from a TOML file.
        name: What to call the data in an error.
        kind: What they should have been, for the error.

    Raises:
        ConfigError: A key is unknown or a value is wrong; lists every problem with key, value and what was expected.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        problems = "\n".join(f"  {_describe(problem, model)}" for problem in error.errors())
        raise ConfigError(f"{name} is not {f'a valid {kind}' if kind else 'valid'}:\n{problems}") from error


def _host_and_port(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"expected host:port with a port from 0 to 65535, got {value!r}")
    return value


def _describe(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(whole table)"
    if problem["type"] == "extra_forbidden":
        table = _table_of(problem["loc"], model)
        known = f"; known here: {', '.join(sorted(table.model_fields))}" if table else ""
        return f"{key}: there is no such key{known}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {message} (got {problem['input']!r})"


def _table_of(location: tuple[Any, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    """The table that a key lies in; a table that may be missing counts as a table. None where there are several."""
    table = model
    for part in location[:-1]:
        field = table.model_fields.get(str(part))
        inner = [each for each in _alternatives(field.annotation if field else None) if _is_table(each)]
        if len(inner) != 1:
            return None
        table = inner[0]
    return table


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
