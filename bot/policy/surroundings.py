"""When and where something is asked: what policies see beside people and requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.hours import DAYS, WorkingHours

UNKNOWN = "unknown"
"""The id of an environment, account or OU that a request does not name."""


@dataclass(frozen=True)
class Circumstances:
    """One moment, as policies see it: `hour` 0-23 and `weekday` ("Mon") in the time zone of the working hours."""

    hour: int
    weekday: str
    is_working: bool
    freeze: str = ""
    """Why changes are frozen; empty when they are not."""
    freeze_of: Callable[[str], str] = field(default=lambda _: "", compare=False)
    """Tells the freeze that holds for a stack by its name, that of everything included; empty when none does."""

    @staticmethod
    def mildest() -> Circumstances:
        """Return a moment at which no policy on hours or freezes stands in the way."""
        return Circumstances(hour=11, weekday="Wed", is_working=True)

    def as_context(self, stacks: Iterable[str] = ()) -> dict[str, Any]:
        """Return them as attributes of Cedar's context, for what is about these stacks."""
        return {
            "hour": self.hour,
            "weekday": self.weekday,
            "working": self.is_working,
            "frozen": bool(self.freeze),
            "freeze": self.freeze,
            "stack_freeze": next((name for name in map(self.freeze_of, stacks) if name), ""),
        }


@dataclass(frozen=True)
class Surroundings:
    """Tells the circumstances of a moment, and which environment an account type belongs to.

    `environments` maps case-folded account types to name and tier, such as "prod" to ("Production", "production").
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    working: WorkingHours | None = None
    freeze_at: Callable[[datetime], str] = lambda _: ""
    environments: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    always: Circumstances | None = None
    """Where the time stands still, as in table tests."""
    freeze_of: Callable[[str, datetime], str] = lambda stack, moment: ""
    """Tells the name of the freeze that holds for a stack at a moment; empty when none does."""

    def at(self, moment: datetime | None = None) -> Circumstances:
        """Return the circumstances of a moment, now by default. Without WORKING_HOURS every hour is a working one."""
        if self.always is not None:
            return self.always
        moment = moment or self.now()
        local = moment.astimezone(self.working.zone if self.working else UTC)
        is_working = self.working.next(moment) <= moment if self.working else True
        weekday = DAYS[local.weekday()].capitalize()
        frozen = self.freeze_at(moment)
        return Circumstances(local.hour, weekday, is_working, frozen, lambda stack: self.freeze_of(stack, moment))


def target_of(
    values: Mapping[str, str],
    environments: Mapping[str, tuple[str, str]],
    *,
    tier: str = "",
    account: str = "",
    monthly_usd: int = 0,
    stacks: Iterable[str] = (),
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a request is about, as attributes of the context, and the entities that these name.

    Environments are named after account types and are members of their tier's; OUs are named by their paths, and are
    members of the OUs above them: `context.unit in OU::"Workloads"` holds for "Workloads/Web" as well. Where no plan
    tells the stacks yet, they are what was answered to the questions for a stack and a component.
    """
    kind, of_kind = environments.get(values.get("AccountType", "").casefold(), (values.get("AccountType", ""), ""))
    tier = tier or of_kind
    environment = kind or tier or UNKNOWN
    path = (values.get("AccountOU") or values.get("Place") or UNKNOWN).strip("/")
    entities = [_entity("Environment", environment, [tier] if tier and tier != environment else [])]
    if tier and tier != environment:
        entities.append(_entity("Environment", tier))
    while True:
        above, _, _ = path.rpartition("/")
        entities.append(_entity("OU", path, [above] if above else []))
        if not above:
            break
        path = above
    unit = entities[2 if tier and tier != environment else 1]["uid"]
    entities.append(_entity("Account", account or UNKNOWN))
    context = {
        "environment": {"__entity": {"type": "Environment", "id": environment}},
        "unit": {"__entity": unit},
        "account": {"__entity": {"type": "Account", "id": account or UNKNOWN}},
        "monthly_usd": monthly_usd,
        "stacks": list(stacks) or [values[name] for name in ("Stack", "Component") if values.get(name)],
        "values": dict(values),
    }
    return context, entities


def _entity(kind: str, name: str, above: list[str] | None = None) -> dict[str, Any]:
    parents = [{"type": kind, "id": parent} for parent in above or ()]
    return {"uid": {"type": kind, "id": name}, "attrs": {}, "parents": parents}
