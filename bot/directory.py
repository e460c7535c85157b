"""directory.yml: people, groups, shared mailboxes, and who is asked to approve.

Reloaded when the file changes. A file that vanished, is empty or can't be read says nothing about who
lost a right: the directory read last stays in force, and `Directory.fault` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.directory_file import DirectoryFile, GroupElsewhere, GroupKey, file_stamp, read_directory
from bot.errors import SettingsError
from bot.hours import WorkingHours
from bot.people import checked_email

log = structlog.get_logger(__name__)

DEFAULT_APPROVERS = "default-approvers"


@dataclass(frozen=True)
class Asked:
    """Who is asked to approve one request: personal addresses, and mailboxes that several people read.

    `then` are the names of those who are asked as well when nobody decided for `after_hours` (0: no such time is set).
    """

    approvers: tuple[str, ...]
    shared: tuple[str, ...]
    then: tuple[str, ...] = ()
    after_hours: float = 0


@dataclass(frozen=True)
class _Elsewhere:
    """Memberships that are kept elsewhere: the names of each person's groups, and the people of each name."""

    groups: Mapping[str, tuple[str, ...]]
    members: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(file: DirectoryFile, taken: Mapping[GroupKey, tuple[str, ...]]) -> _Elsewhere:
        groups: dict[str, list[str]] = {}
        members: dict[str, list[str]] = {}
        for group in file.groups:
            for email in taken.get(group.key, ()):
                groups.setdefault(email, []).append(group.name)
                members.setdefault(group.name, []).append(email)
        return _Elsewhere({e: tuple(g) for e, g in groups.items()}, {g: tuple(m) for g, m in members.items()})


class Directory:
    """The directory as it stands; a change that can't be used leaves the old one in force and is logged.

    `fault` says why that is so at the moment, else it is empty. `version` counts the changes that
    were taken. `default_approvers` are asked where no rule fits.
    Raises SettingsError for a file that exists and is wrong.
    """

    def __init__(self, path: Path, default_approvers: tuple[str, ...]) -> None:
        self._path, self._default = path, tuple(checked_email(a) for a in default_approvers)
        self._stamp = file_stamp(path)
        self._file = read_directory(path) or DirectoryFile()
        self._taken: Mapping[GroupKey, tuple[str, ...]] = {}
        self._elsewhere = _Elsewhere.of(self._file, self._taken)
        self.version = 0
        self.fault = ""

    @classmethod
    def of_people(cls, groups: Mapping[str, tuple[str, ...]]) -> Directory:
        """Return a directory without a file, of these people (by case-folded address) and their groups."""
        made = cls(Path("no directory: the caller names the people"), ())
        entries = [{"email": email, "groups": names} for email, names in groups.items()]
        made._file = DirectoryFile.model_validate({"people": entries})
        return made

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
            read = read_directory(self._path)
            if read is None and self._file != DirectoryFile():
                raise SettingsError(f"{self._path} is empty or has vanished.")
        except SettingsError as error:
            self.fault = f"kept old: {error.detail}"
            log.error("directory.kept_old", error=error.detail)
            return
        self._file, self.fault = read or DirectoryFile(), ""
        self._elsewhere = _Elsewhere.of(self._file, self._taken)
        self.version += 1

    def groups_of(self, email: str) -> tuple[str, ...]:
        """Return the groups of a person, by case-folded address; APPROVERS are members of default-approvers."""
        self.refresh()
        own = (DEFAULT_APPROVERS,) if email in self._default else ()
        entry = self._file.entries.get(email)
        groups = (*(entry.groups if entry else ()), *self._elsewhere.groups.get(email, ()), *own)
        return tuple(dict.fromkeys(groups))

    def members(self, group: str) -> tuple[str, ...]:
        """Return the case-folded addresses of a group's people, in the order written."""
        self.refresh()
        listed = self._file.members.get(group, ())
        elsewhere = self._elsewhere.members.get(group, ())
        return tuple(dict.fromkeys((*listed, *elsewhere, *(self._default if group == DEFAULT_APPROVERS else ()))))

    def lists(self, email: str) -> bool:
        """Tell whether a person is known here: listed, one of APPROVERS, or a member of a group kept elsewhere."""
        self.refresh()
        return email in self._file.entries or email in self._default or email in self._elsewhere.groups

    @property
    def groups_elsewhere(self) -> tuple[GroupElsewhere, ...]:
        """The groups whose members the file says are kept elsewhere."""
        self.refresh()
        return self._file.groups

    def take_members(self, members: Mapping[GroupKey, tuple[str, ...]]) -> None:
        """Take who is in the groups that are kept elsewhere, case-folded; they replace those taken before.

        Only groups that the file names by their ids count, under the names that it gives them.
        """
        if members != self._taken:
            self._taken = dict(members)
            self._elsewhere = _Elsewhere.of(self._file, self._taken)
            self.version += 1

    def hours_of(self, email: str) -> WorkingHours | None:
        """Return the hours in which a person works, in their time zone; None when the file does not say."""
        self.refresh()
        entry = self._file.entries.get(email)
        return WorkingHours.parse(entry.hours) if entry else None

    def everybody(self) -> tuple[str, ...]:
        """Return the case-folded addresses of all people listed."""
        self.refresh()
        return tuple(dict.fromkeys((*(entry.email.casefold() for entry in self._file.people), *self._elsewhere.groups)))

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
