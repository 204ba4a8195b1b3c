"""Every error that mien raises on purpose.

A message says what was wrong, what was expected and what to do about it. The service maps each class to one gRPC
status (``mien.wire.status``), so a class is a promise to callers: add one only where callers would act on it.
"""

from __future__ import annotations


class MienError(Exception):
    """The base of all errors raised on purpose; its text is fit to be shown to a user."""


class ConfigError(MienError):
    """A configuration file or option is wrong: names the key, the value and what was expected."""


class InputError(MienError):
    """A sample cannot be used: undecodable, too large, of a wrong shape or type."""


class InputTooLargeError(InputError):
    """A sample is over a configured limit; it was refused before it was decoded."""


class PluginError(MienError):
    """A plugin could not be loaded, or broke its contract."""


class AnalyzerNotFoundError(MienError):
    """The named analyzer or fuser is not registered, or not enabled here."""


class WeightsError(MienError):
    """A weight file is missing, damaged, of another network, or does not match its manifest."""


class AnalysisError(MienError):
    """No stream of a request could be analysed; the message lists each one's reason."""


class AnalyzerBusyError(AnalysisError):
    """No stream could be analysed because what was asked is busy, or did not answer in time; try again later."""


class SessionError(MienError):
    """A session was used out of order: configured twice, pushed to after its end, or without a needed consent."""


class MissingDependencyError(MienError):
    """An optional package is needed for what was asked; the message names the extra that brings it."""
