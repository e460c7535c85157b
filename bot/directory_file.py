"""What directory.yml may say: people, groups, which groups are kept elsewhere, shared mailboxes, who is asked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.errors import Invalid, SettingsError
from bot.hours import WorkingHours
from bot.people import checked_email

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


class Entry(BaseModel):
    """One person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: Annotated[str, AfterValidator(checked_address)]
    name: str = ""
    groups: tuple[str, ...] = ()
    identities: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    hours: Annotated[str, AfterValidator(_checked_hours)] = ""


class AskedFor(BaseModel):
    """Who is asked about requests of an intent and tier; empty means any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: str = ""
    tier: str = ""
    ask: tuple[Annotated[str, AfterValidator(_checked_asked)], ...] = Field(min_length=1)
    then: tuple[Annotated[str, AfterValidator(_checked_asked)], ...] = ()
    after_hours: float = Field(0, ge=0, le=10_000)


GroupKey = tuple[str, str]
"""A group that is kept elsewhere: its source, and the immutable id that it has there."""
_GUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_IDS = {
    "identity-center": (rf"([0-9a-f]{{10}}-)?{_GUID}", "such as 9067642ac7-1b2c3d4e-0000-1111-2222-333344445555"),
    "slack": (r"[TE][A-Z0-9]{2,30}/S[A-Z0-9]{2,30}", "the workspace's and the group's, such as T0123ABCD/S0123ABCD"),
    "entra": (_GUID, "its object id, such as 11111111-2222-3333-4444-555555555555"),
}


class GroupElsewhere(BaseModel):
    """A group whose members are kept elsewhere. `name` is ours; names that the source uses are never looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    kept_in: Literal["identity-center", "slack", "entra"]
    id: str

    @property
    def key(self) -> GroupKey:
        """Where it is kept, and under which id."""
        return (self.kept_in, self.id.casefold() if self.kept_in == "entra" else self.id)

    @model_validator(mode="after")
    def _check_id(self) -> GroupElsewhere:
        pattern, example = _IDS[self.kept_in]
        if not re.fullmatch(pattern, self.id):
            raise ValueError(f"{self.id!r} is no id of a group in {self.kept_in}: write {example}, not its name")
        return self


class DirectoryFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: tuple[Entry, ...] = ()
    groups: tuple[GroupElsewhere, ...] = ()
    approvals: tuple[AskedFor, ...] = ()
    shared_mailboxes: tuple[Annotated[str, AfterValidator(checked_address)], ...] = ()

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
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


def file_stamp(path: Path) -> tuple[int, ...]:
    """Return numbers that change whenever the file may have changed; empty when it isn't there."""
    try:
        return stamp_of(os.stat(path))
    except OSError:
        return ()


def stamp_of(stat: os.stat_result) -> tuple[int, ...]:
    """Return numbers that change whenever a file may have changed, from what the system tells of it."""
    return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)


def read_text_of(path: Path) -> str:
    """Return what a file of settings says; raises SettingsError when it can't be read or isn't UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror or error}") from error


def load_yaml(text: str) -> Any:
    """Return what a YAML text says; read by libyaml where it is there, which takes a tenth of the time."""
    return yaml.load(text, _Loader)  # noqa: S506 - either is a safe loader


def read_directory(path: Path) -> DirectoryFile | None:
    """Return the file, None when it isn't there or says nothing at all; raises SettingsError for one that is wrong."""
    if not path.exists():
        return None
    text = read_text_of(path)
    try:
        found = load_yaml(text)
        return None if found is None else DirectoryFile.model_validate(found)
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}.") from error
