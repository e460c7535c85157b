"""directory.yml: people, groups, shared mailboxes, and who is asked to approve. Reloaded when the file changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import SettingsError

log = structlog.get_logger(__name__)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    name: str = ""
    groups: tuple[str, ...] = ()
    identities: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class _Approvals(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: str = ""
    tier: str = ""
    ask: tuple[str, ...] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    people: tuple[_Entry, ...] = ()
    approvals: tuple[_Approvals, ...] = ()
    shared_mailboxes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Who is asked to approve one request: personal addresses, and mailboxes that several people read."""

    approvers: tuple[str, ...]
    shared: tuple[str, ...]


class Directory:
    """The directory as it stands; a change that doesn't parse leaves the old one in force and is logged."""

    def __init__(self, path: Path, default_approvers: tuple[str, ...]) -> None:
        self._path, self._default = path, default_approvers
        self._stamp = self._stamp_now()
        self._file = _read(path)
        self.version = 0

    def _stamp_now(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    def refresh(self) -> None:
        """Read the file again if it changed; cheap enough for every decision."""
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._file = _read(self._path)
            self.version += 1
        except SettingsError as error:
            log.error("directory.kept_old", error=error.detail)

    def groups_of(self, email: str) -> tuple[str, ...]:
        """Return the groups of a person, by case-folded address."""
        self.refresh()
        for entry in self._file.people:
            if entry.email.casefold() == email:
                return entry.groups
        return ()

    def everybody(self) -> tuple[str, ...]:
        """Return the case-folded addresses of all people listed."""
        self.refresh()
        return tuple(entry.email.casefold() for entry in self._file.people)

    def email_of(self, channel: str, platform_id: str) -> str:
        """Return the address of an immutable platform id, empty when the directory doesn't name it."""
        self.refresh()
        for entry in self._file.people:
            if platform_id in entry.identities.get(channel, ()):
                return entry.email.casefold()
        return ""

    def asked(self, intent: str, tier: str) -> Asked:
        """Return who is asked to approve, in the order written; addresses case-folded, each once."""
        self.refresh()
        names: tuple[str, ...] = self._default
        for rule in self._file.approvals:
            if rule.intent in ("", intent) and rule.tier in ("", tier):
                names = rule.ask
                break
        addresses: dict[str, None] = {}
        for name in names:
            if name.startswith("group:"):
                group = name.removeprefix("group:")
                addresses.update({e.email.casefold(): None for e in self._file.people if group in e.groups})
            else:
                addresses[name.casefold()] = None
        shared = {s.casefold() for s in self._file.shared_mailboxes}
        return Asked(
            approvers=tuple(a for a in addresses if a not in shared),
            shared=tuple(a for a in addresses if a in shared),
        )


def _read(path: Path) -> _File:
    if not path.exists():
        return _File()
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}.") from error
