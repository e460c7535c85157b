"""What a check is, what it finds, and how adapters contribute their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.cloud import Cloud
from bot.settings import Settings

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """What a check found, in one sentence; `fix` is the exact command, setting or IAM statement that mends it."""

    state: State
    text: str
    fix: str = ""


def ok(text: str) -> Finding:
    """Return that all is well."""
    return Finding("ok", text)


def warning(text: str, fix: str = "") -> Finding:
    """Return that it works, but not for everything or not for long."""
    return Finding("warning", text, fix)


def failed(text: str, fix: str) -> Finding:
    """Return that it does not work, and what mends it."""
    return Finding("failed", text, fix)


@dataclass(frozen=True)
class Check:
    """One thing to look at. `look` changes nothing, may raise anything, and is broken off after some seconds."""

    name: str
    look: Callable[[], Awaitable[Finding]]


@dataclass(frozen=True)
class Patient:
    """The installation: its settings as far as they can be read, and AWS through them."""

    settings: Settings
    cloud: Cloud


class Contributor(Protocol):
    """What the module `doctor` of an adapter offers."""

    def checks(self, patient: Patient) -> Sequence[Check]:
        """Return the adapter's checks for these settings; may raise SettingsError."""
        ...
