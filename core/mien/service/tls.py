"""The server's certificate: read, checked, and read again when its files change, without a restart.

gRPC asks for the certificate at every handshake. Connections that are open keep the one that they began with.
"""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path
from typing import Final

import grpc

from mien.config import TlsSettings
from mien.errors import ConfigError

_log = logging.getLogger("mien.service")


class Certificates:
    """Gives gRPC the certificate of the moment. Thread-safe: gRPC asks on threads of its own."""

    def __init__(self, settings: TlsSettings) -> None:
        """Read and check the files.

        Raises:
            ConfigError: One cannot be read, or certificate and key do not fit each other.
        """
        self._files: Final = settings
        self._lock = threading.Lock()
        self._seen = self._signature()
        self._given = self._read()

    def credentials(self) -> grpc.ServerCredentials:
        """What ``add_secure_port`` takes; clients need a certificate of their own where there is a ``client_ca``."""
        return grpc.dynamic_ssl_server_credentials(
            self._given, self._changed, require_client_authentication=self._files.client_ca is not None
        )

    def reload(self) -> None:
        """Look at the files now; they are also looked at whenever somebody connects."""
        with self._lock:
            self._look()

    def _changed(self) -> grpc.ServerCertificateConfiguration:
        """The configuration for the next handshake; called by gRPC, which takes the same one again in its stride."""
        with self._lock:
            self._look()
            return self._given

    def _look(self) -> None:
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._given = self._read()
        except ConfigError as error:
            # Half of a new pair, perhaps; the other half changes the signature again.
            _log.error("the certificate was not read again, and stays as it is: %s", error)
        else:
            _log.info("the certificate was read again")

    def _signature(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_signature_of(path) for path in self._paths())

    def _paths(self) -> tuple[Path, ...]:
        files = (self._files.certificate, self._files.key, self._files.client_ca)
        return tuple(path for path in files if path is not None)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        chain, key = _content(self._files.certificate, "certificate"), _content(self._files.key, "key")
        _check_pair(self._files.certificate, self._files.key)
        roots = None if self._files.client_ca is None else _content(self._files.client_ca, "client_ca")
        if roots is not None:
            check_roots(roots, name=str(self._files.client_ca))
        return grpc.ssl_server_certificate_configuration([(key, chain)], roots)


def check_roots(pem: bytes, *, name: str) -> None:
    """Refuse what is no list of certificates.

    Raises:
        ConfigError: It holds none that can be read.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise ConfigError(f"{name} holds no certificate that can be read; expected PEM") from None


def _check_pair(certificate: Path, key: Path) -> None:
    def no_password() -> str:
        raise ConfigError(
            f"[server.tls] key = {key} is encrypted; give a key without a password, readable by mien only"
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=no_password)
    except (ssl.SSLError, OSError, ValueError):
        raise ConfigError(
            f"[server.tls] certificate = {certificate} and key = {key} are not a certificate and its key; expected PEM"
            " files that belong together"
        ) from None


def _content(path: Path, key: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read [server.tls] {key} = {path}: {error.strerror}") from error


def _signature_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
