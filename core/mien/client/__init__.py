"""The Python client of ``mien serve``: types in, types out. It loads no model and needs no plugin.

with Client("127.0.0.1:50051") as client:
    print(client.analyze(image="portrait.jpg").satisfaction.score)
"""

from mien.client.aio import AsyncClient
from mien.client.blocking import Client
from mien.client.connection import Tls
from mien.client.errors import ServiceError
from mien.client.requests import AudioSource, ImageSource, Query, SessionOptions, TextSource
from mien.client.session import ClientSession
from mien.client.session_aio import AsyncClientSession
from mien.session import Consent
from mien.wire.info import ServerInfo

__all__ = [
    "AsyncClient",
    "AsyncClientSession",
    "AudioSource",
    "Client",
    "ClientSession",
    "Consent",
    "ImageSource",
    "Query",
    "ServerInfo",
    "ServiceError",
    "SessionOptions",
    "TextSource",
    "Tls",
]
