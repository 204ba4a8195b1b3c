"""Who may call a server: bearer keys, what each may do, and how much of it. Knows no transport.

A transport asks a ``Door`` for the ``Caller`` behind a key, lets the caller be checked and charged, and keeps it in
``calling`` for as long as the call lasts.
"""

from mien.access.callers import ANYBODY, Caller, calling
from mien.access.door import Door
from mien.access.errors import AccessError, AccessReason
from mien.access.keys import CALLS, Key, KeyLimits, KeyScopes
from mien.access.store import add_key, load_keys, revoke_key

__all__ = [
    "ANYBODY",
    "CALLS",
    "AccessError",
    "AccessReason",
    "Caller",
    "Door",
    "Key",
    "KeyLimits",
    "KeyScopes",
    "add_key",
    "calling",
    "load_keys",
    "revoke_key",
]
