"""A table that is master of the registry: which of its records may be taken, and what follows for what is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.activity import clean_text
from bot.errors import Invalid
from bot.releases.registry import deployment_from
from bot.releases.waves import Deployment

OWNED = ("component", "id", "type", "account", "region")
"""What the table says of a deployment; everything else that is known of it is ours, whatever else a record holds."""
NAMED = 8


@dataclass(frozen=True)
class Reading:
    """What a whole table says; `wrong` are names of records and why they are not taken.

    Of `spared` names nothing is retired: they are in the table, if wrongly. Where `is_sure` is false nothing is.
    """

    begun_at: datetime
    taken: tuple[Deployment, ...]
    wrong: tuple[tuple[str, str], ...] = ()
    spared: frozenset[str] = frozenset()
    is_sure: bool = True


@dataclass(frozen=True)
class Known:
    """A deployment of the registry, and whether it was retired."""

    deployment: Deployment
    is_retired: bool = False


@dataclass(frozen=True)
class Followed:
    """What following did, each as component/key; `waiting` are changes that a request holds up, with its id."""

    table: str
    at: datetime
    count: int = 0
    added: tuple[Deployment, ...] = ()
    moved: tuple[Deployment, ...] = ()
    returned: tuple[Deployment, ...] = ()
    retired: tuple[Deployment, ...] = ()
    waiting: tuple[tuple[Deployment, str], ...] = ()
    wrong: tuple[tuple[str, str], ...] = ()
    is_sure: bool = True

    @property
    def has_changed(self) -> bool:
        """Whether anything of the registry is another than before."""
        return bool(self.added or self.moved or self.returned or self.retired)

    def sentence(self) -> str:
        """Return it for people."""
        done = [
            (self.added, "added"),
            (self.moved, "changed"),
            (self.returned, "back again"),
            (self.retired, "retired, since they are no longer in it"),
        ]
        told = [f"{len(which)} {how}: {_names(which)}" for which, how in done if which]
        text = f"The registry follows the table {self.table}, with {self.count} deployments. "
        text += f"{'; '.join(told)}." if told else "Nothing has changed."
        if self.waiting:
            by = ", ".join(sorted({request for _, request in self.waiting}))
            text += f" These wait until {by} is over: {_names([d for d, _ in self.waiting])}."
        if not self.is_sure:
            text += " Nothing was retired: a record has no name that can be read, or the table has no records at all."
        return text + told_of_wrong(self.wrong)


def told_of_wrong(wrong: Sequence[tuple[str, str]]) -> str:
    """Return which records were not taken, and why; empty when there are none."""
    if not wrong:
        return ""
    more = f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    return " Not taken: " + "; ".join(f"{name}: {why}" for name, why in wrong[:NAMED]) + more + "."


def read_records(
    records: Sequence[Mapping[str, Any]], *, allowed: Collection[str], component: str, where: str, begun_at: datetime
) -> Reading:
    """Return what a table's records say. Pure.

    `allowed` are the accounts that may be deployed into, `where` says in words where they are, `component` is that of
    records that name none.
    """
    taken: dict[tuple[str, str], Deployment] = {}
    wrong: list[tuple[str, str]] = []
    spared: set[str] = set()
    is_sure = bool(records)
    for record in records:
        name = record.get("id")
        shown = clean_text(name)[:60].strip() if isinstance(name, str) else ""
        try:
            one = _deployment(record, component)
        except Invalid as error:
            wrong.append((shown or "a record without a name", error.detail.rstrip(".")))
            is_sure = is_sure and bool(shown)
            spared.add(str(name))
            continue
        if one.account not in allowed:
            why = f"the account {one.account} is no active member of the organization under {where}"
        elif (one.component, one.key) in taken:
            why = "it is there twice"
        else:
            taken[one.component, one.key] = one
            continue
        wrong.append((one.key, why))
        spared.add(one.id)
    return Reading(begun_at, tuple(taken.values()), tuple(wrong), frozenset(spared), is_sure)


def _deployment(record: Mapping[str, Any], component: str) -> Deployment:
    owned = {name: record[name] for name in OWNED if name in record}
    if odd := [name for name, value in owned.items() if not isinstance(value, str)]:
        raise Invalid(f"{odd[0]}: it is no text.", field=odd[0])
    return deployment_from({**owned, "component": owned.get("component") or component})


def compare(table: str, reading: Reading, known: Sequence[Known], held: Mapping[str, str]) -> Followed:
    """Return what following a reading does. Pure.

    `held` are the requests that have a component for themselves: what is under way there is neither moved nor retired.
    """
    by_key = {(k.deployment.component, k.deployment.key): k for k in known}
    added, moved, returned, retired = list[Deployment](), list[Deployment](), list[Deployment](), list[Deployment]()
    waiting = list[tuple[Deployment, str]]()
    for one in reading.taken:
        before = by_key.get((one.component, one.key))
        if before is None:
            added.append(one)
        elif before.is_retired:
            returned.append(one)
        elif not is_in_place(before.deployment, one):
            if one.component in held:
                waiting.append((one, held[one.component]))
            else:
                moved.append(one)
    there = {(one.component, one.key) for one in reading.taken}
    for key, before in by_key.items():
        one = before.deployment
        if before.is_retired or key in there or one.id in reading.spared or not reading.is_sure:
            continue
        if one.component in held:
            waiting.append((one, held[one.component]))
        else:
            retired.append(one)
    return Followed(
        table=table,
        at=reading.begun_at,
        count=len(reading.taken),
        added=tuple(added),
        moved=tuple(moved),
        returned=tuple(returned),
        retired=tuple(retired),
        waiting=tuple(waiting),
        wrong=reading.wrong,
        is_sure=reading.is_sure,
    )


def is_in_place(one: Deployment, other: Deployment) -> bool:
    """Tell whether both are in the same account and Region."""
    return (one.account, one.region) == (other.account, other.region)


def _names(found: Sequence[Deployment]) -> str:
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(d.key for d in found[:NAMED]) + more
