"""Stand-ins for what lies outside: AWS, time, and an intent with one slot."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.intent import Ask, Change, Definition, Segment, Slot, SlotType
from bot.plan import Plan


@dataclass
class CloudCall:
    """One call as it was made."""

    service: str
    operation: str
    region: str
    parameters: dict[str, Any]


@dataclass
class FakeCloud:
    """AWS that takes everything, or fails with `error`."""

    error: Exception | None = None
    calls: list[CloudCall] = field(default_factory=list)

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        self.calls.append(CloudCall(service, operation, region, parameters))
        if self.error:
            raise self.error
        return {}

    async def pages(
        self,
        service: str,
        operation: str,
        result: str,
        /,
        *,
        region: str = "",
        role: str = "",
        **parameters: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        for entry in (await self.call(service, operation, region=region, role=role, **parameters)).get(result, []):
            yield entry


@dataclass
class MovedClock:
    """Both clocks, moved by hand."""

    at: datetime = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at

    def advance(self, **distance: float) -> None:
        self.at += timedelta(**distance)


class Toy(Change):
    """Makes toys; its slot has a label."""

    def define(self) -> Definition:
        slots = (Slot("ToyName", SlotType("AMAZON.FreeFormInput"), label="Name of the toy"),)
        return Definition("MakeToy", "Make a toy", "Makes a toy.", ("make a toy",), slots)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        return {"name": ask.slots["ToyName"]}

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        name = facts["name"]
        return Plan("MakeToy", f"Make the toy {name}", {"name": name}, (("Toy", name),))

    def segments(self) -> Mapping[str, Segment]:
        return {}
