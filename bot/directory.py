"""directory.yml: people, groups, shared mailboxes, and who is asked to approve.

Reloaded when the file changes. A file that vanished, is empty or can't be read says nothing about who
lost a right: the directory read last stays in force, and `Directory.fault` says why.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import structlog
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.errors import Invalid, SettingsError
from bot.hours import WorkingHours
from bot.people import checked_email

log = structlog.get_logger(__name__)


def checked_address(text: str) -> str:
    """Return the case-folded address in ASCII; raises ValueError, as pydantic expects of validators."""
    try:
        return checked_email(text)
    except Invalid as error:
        raise ValueError(error.detail) from error


def _checked_asked(text: str) -> str:
    return text if text.startswith("group:") else checked_address(text)


def _checked_hours(text: str) -> str:
    try:
        WorkingHours.parse(text)
    except SettingsError as error:
        raise ValueError(error.sentence()) from error
    return text


DEFAULT_APPROVERS = "default-approvers"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    email: Annotated[str, AfterValidator(checked_address)]
    name: str = ""
    groups: tuple[str, ...] = ()
    identities: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    hours: Annotated[str, AfterValidator(_checked_hours)] = ""


class _Approvals(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: str = ""
    tier: str = ""
    ask: tuple[Annotated[str, AfterValidator(_checked_asked)], ...] = Field(min_length=1)
    then: tuple[Annotated[str, AfterValidator(_checked_asked)], ...] = ()
    after_hours: float = Field(0, ge=0, le=10_000)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    people: tuple[_Entry, ...] = ()
    approvals: tuple[_Approvals, ...] = ()
    shared_mailboxes: tuple[Annotated[str, AfterValidator(checked_address)], ...] = ()

    @cached_property
    def entries(self) -> Mapping[str, _Entry]:
        """The people, by case-folded address: looked up at every decision."""
        return {entry.email.casefold(): entry for entry in reversed(self.people)}

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """The case-folded addresses of each group's people, in the order written."""
        found: dict[str, list[str]] = {}
        for entry in self.people:
            for group in entry.groups:
                found.setdefault(group, []).append(entry.email.casefold())
        return {group: tuple(people) for group, people in found.items()}


@dataclass(frozen=True)
class Asked:
    """Who is asked to approve one request: personal addresses, and mailboxes that several people read.

    `then` are the names of those who are asked as well when nobody decided for `after_hours` (0: no such time is set).
    """

    approvers: tuple[str, ...]
    shared: tuple[str, ...]
    then: tuple[str, ...] = ()
    after_hours: float = 0


class Directory:
    """The directory as it stands; a change that can't be used leaves the old one in force and is logged.

    `fault` says why that is so at the moment, else it is empty. `default_approvers` are asked where no rule fits.
    Raises SettingsError for a file that exists and is wrong.
    """

    def __init__(self, path: Path, default_approvers: tuple[str, ...]) -> None:
        self._path, self._default = path, tuple(checked_email(a) for a in default_approvers)
        self._stamp = file_stamp(path)
        self._file = _read(path) or _File()
        self._elsewhere: dict[str, tuple[str, ...]] = {}
        self.version = 0
        self.fault = ""

    @property
    def names_approvers(self) -> bool:
        """Whether the file itself says who is asked to approve anything."""
        self.refresh()
        return bool(self._file.approvals)

    def refresh(self) -> None:
        """Read the file again if it changed; cheap enough for every decision."""
        stamp = file_stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            read = _read(self._path)
            if read is None and self._file != _File():
                raise SettingsError(f"{self._path} is empty or has vanished.")
        except SettingsError as error:
            self.fault = f"kept old: {error.detail}"
            log.error("directory.kept_old", error=error.detail)
            return
        self._file, self.fault = read or _File(), ""
        self.version += 1

    def groups_of(self, email: str) -> tuple[str, ...]:
        """Return the groups of a person, by case-folded address; APPROVERS are members of default-approvers."""
        self.refresh()
        own = (DEFAULT_APPROVERS,) if email in self._default else ()
        entry = self._file.entries.get(email)
        groups = (*(entry.groups if entry else ()), *self._elsewhere.get(email, ()), *own)
        return tuple(dict.fromkeys(groups))

    def members(self, group: str) -> tuple[str, ...]:
        """Return the case-folded addresses of a group's people, in the order written."""
        self.refresh()
        listed = self._file.members.get(group, ())
        elsewhere = [email for email, groups in self._elsewhere.items() if group in groups]
        return tuple(dict.fromkeys((*listed, *elsewhere, *(self._default if group == DEFAULT_APPROVERS else ()))))

    def lists(self, email: str) -> bool:
        """Tell whether a person is known here: listed, one of APPROVERS, or a member of a group kept elsewhere."""
        self.refresh()
        return email in self._file.entries or email in self._default or email in self._elsewhere

    def take_groups(self, memberships: Mapping[str, tuple[str, ...]]) -> None:
        """Take the groups that are kept elsewhere, by case-folded address; they replace those taken before."""
        if memberships != self._elsewhere:
            self._elsewhere = dict(memberships)
            self.version += 1

    def hours_of(self, email: str) -> WorkingHours | None:
        """Return the hours in which a person works, in their time zone; None when the file does not say."""
        self.refresh()
        entry = self._file.entries.get(email)
        return WorkingHours.parse(entry.hours) if entry else None

    def everybody(self) -> tuple[str, ...]:
        """Return the case-folded addresses of all people listed."""
        self.refresh()
        return tuple(dict.fromkeys((*(entry.email.casefold() for entry in self._file.people), *self._elsewhere)))

    def email_of(self, channel: str, platform_id: str) -> str:
        """Return the address of an immutable platform id, empty when the directory doesn't name it."""
        self.refresh()
        for entry in self._file.people:
            if platform_id in entry.identities.get(channel, ()):
                return entry.email.casefold()
        return ""

    def identities_of(self, channel: str, email: str) -> tuple[str, ...]:
        """Return the immutable platform ids of a person, by case-folded address; empty when none are named."""
        self.refresh()
        return tuple(i for e in self._file.people if e.email == email for i in e.identities.get(channel, ()))

    def asked(self, intent: str, tier: str, named: tuple[str, ...] = ()) -> Asked:
        """Return who is asked to approve, in the order written; addresses case-folded, each once.

        `named` (addresses, or group:name) goes before what the file says.
        """
        self.refresh()
        fits = (rule for rule in self._file.approvals if rule.intent in ("", intent) and rule.tier in ("", tier))
        rule = next(fits, None)
        names = named or (rule.ask if rule else self._default)
        addresses = self.expand(names)
        shared = {s.casefold() for s in self._file.shared_mailboxes}
        return Asked(
            approvers=tuple(a for a in addresses if a not in shared),
            shared=tuple(a for a in addresses if a in shared),
            then=rule.then if rule else (),
            after_hours=rule.after_hours if rule else 0,
        )

    def expand(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the addresses that names (addresses, or group:name) stand for, case-folded, each once."""
        addresses: dict[str, None] = {}
        for name in names:
            if name.startswith("group:"):
                addresses.update(dict.fromkeys(self.members(name.removeprefix("group:"))))
            else:
                addresses[name.casefold()] = None
        return tuple(addresses)


def file_stamp(path: Path) -> tuple[int, ...]:
    """Return numbers that change whenever the file may have changed; empty when it isn't there."""
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


def read_text_of(path: Path) -> str:
    """Return what a file of settings says; raises SettingsError when it can't be read or isn't UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror or error}") from error


def _read(path: Path) -> _File | None:
    """Return the file, None when it isn't there or says nothing at all."""
    if not path.exists():
        return None
    text = read_text_of(path)
    try:
        found = yaml.safe_load(text)
        return None if found is None else _File.model_validate(found)
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}.") from error
